package sdk

import (
	"encoding"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
)

// Decode reads settings, an address or arguments from JSON text, strictly, over a copy of the defaults: members that
// the text has replace those of defaults, member by member; unknown and repeated members, null where nothing may be
// null, and values of another type are refused, all problems at once, each with its path ("bus.retries: ..."). Names
// are those of the `json` tags and exact. Empty text is an object without members.
//
// The error is of KindFatal: the next attempt would have the same text.
func Decode[T any](text string, defaults T) (T, error) {
	if text = strings.Trim(text, whiteSpace); text == "" {
		text = "{}"
	}
	if s, ok := plainText[T](text); ok {
		return s, nil
	}
	var problems settingsError
	v := defaults
	if problem := invalid(text); problem != nil {
		problems.add("", problem.Error())
	} else {
		problems.decode("", text, reflect.ValueOf(&v).Elem())
	}
	if len(problems.list) > 0 {
		return defaults, &Error{Kind: KindFatal, Err: &settingsError{problems.list}}
	}
	return v, nil
}

// plainText reads text that is a string, without escapes, into one: what most points have for an address. It takes no
// memory, where 100 of them took 1.6 KB through reflection.
func plainText[T any](text string) (T, bool) {
	if p, ok := any(new(T)).(*string); ok && text[0] == '"' && json.Valid([]byte(text)) {
		if *p, ok = literal(text); ok {
			return any(*p).(T), true
		}
	}
	return *new(T), false
}

// settingsError holds the problems of one text.
type settingsError struct{ list []string }

func (e *settingsError) Error() string { return strings.Join(e.list, "; ") }

func (e *settingsError) add(path, problem string) {
	if path != "" {
		problem = path + ": " + problem
	}
	e.list = append(e.list, problem)
}

func (e *settingsError) decode(path string, raw string, v reflect.Value) {
	switch {
	case ownText(v):
		e.leaf(path, raw, v)
	case raw == "null":
		e.null(path, v)
	case v.Kind() == reflect.Pointer:
		p := reflect.New(v.Type().Elem())
		if !v.IsNil() {
			p.Elem().Set(v.Elem()) // the defaults behind the pointer stay as they are
		}
		e.decode(path, raw, p.Elem())
		v.Set(p)
	case v.Kind() == reflect.Struct:
		e.object(path, raw, v)
	case v.Kind() == reflect.Slice && v.Type().Elem().Kind() != reflect.Uint8:
		e.array(path, raw, v)
	case v.Kind() == reflect.Map && v.Type().Key().Kind() == reflect.String:
		e.dictionary(path, raw, v)
	default:
		e.leaf(path, raw, v)
	}
}

// ownText says whether the type reads itself.
func ownText(v reflect.Value) bool {
	switch v.Addr().Interface().(type) {
	case json.Unmarshaler, encoding.TextUnmarshaler:
		return true
	}
	return false
}

func (e *settingsError) null(path string, v reflect.Value) {
	switch v.Kind() {
	case reflect.Pointer, reflect.Map, reflect.Slice, reflect.Interface:
		v.SetZero()
	default:
		e.add(path, "expected "+kindName(v.Type())+", found null")
	}
}

func (e *settingsError) leaf(path string, raw string, v reflect.Value) {
	if !ownText(v) && plain(raw, v) {
		return
	}
	err := json.Unmarshal([]byte(raw), v.Addr().Interface())
	if t, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		e.add(path, "expected "+kindName(v.Type())+", found "+t.Value)
	} else if err != nil {
		e.add(path, err.Error())
	}
}

func (e *settingsError) array(path string, raw string, v reflect.Value) {
	if raw[0] != '[' {
		e.add(path, "expected a list, found "+found(raw))
		return
	}
	values := slices.Collect(parts(raw))
	out := reflect.MakeSlice(v.Type(), len(values), len(values))
	for i, part := range values {
		e.decode(path+"["+strconv.Itoa(i)+"]", part, out.Index(i))
	}
	v.Set(out)
}

func (e *settingsError) dictionary(path string, raw string, v reflect.Value) {
	out := reflect.MakeMap(v.Type())
	e.members(path, raw, func(name string, part string) {
		member := reflect.New(v.Type().Elem()).Elem()
		e.decode(join(path, name), part, member)
		out.SetMapIndex(reflect.ValueOf(name).Convert(v.Type().Key()), member)
	})
	v.Set(out)
}

func (e *settingsError) object(path string, raw string, v reflect.Value) {
	e.members(path, raw, func(name string, part string) {
		field, ok := member(v, name)
		if !ok {
			e.add(join(path, name), "unknown; there are "+strings.Join(memberNames(v.Type()), ", "))
			return
		}
		e.decode(join(path, name), part, field)
	})
}

// members calls f for each member of an object, in its order.
func (e *settingsError) members(path string, raw string, f func(name string, part string)) {
	if raw[0] != '{' {
		e.add(path, "expected an object, found "+found(raw))
		return
	}
	var few [16]string
	seen, name := few[:0], ""
	for part := range parts(raw) {
		if name == "" {
			name = part
			continue
		}
		key := unquote(name)
		name = ""
		if slices.Contains(seen, key) {
			e.add(join(path, key), "given twice")
			continue
		}
		seen = append(seen, key)
		f(key, part)
	}
}

// member returns the field that a member is read into: the struct's own, or else one of those embedded in it.
func member(v reflect.Value, name string) (reflect.Value, bool) {
	t := v.Type()
	for i := range t.NumField() {
		if n, ok := memberName(t.Field(i)); ok && n == name {
			return v.Field(i), true
		}
	}
	for i := range t.NumField() {
		if f := t.Field(i); f.Anonymous && f.Type.Kind() == reflect.Struct {
			if found, ok := member(v.Field(i), name); ok {
				return found, true
			}
		}
	}
	return reflect.Value{}, false
}

func memberNames(t reflect.Type) []string {
	var names []string
	for _, f := range reflect.VisibleFields(t) {
		if n, ok := memberName(f); ok {
			names = append(names, n)
		}
	}
	slices.Sort(names)
	return names
}

// memberName returns the name of a field in JSON, and whether it has one.
func memberName(f reflect.StructField) (string, bool) {
	name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
	switch {
	case !f.IsExported() || name == "-" || f.Anonymous && name == "":
		return "", false
	case name == "":
		return f.Name, true
	}
	return name, true
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

// kindName tells people what a type takes.
func kindName(t reflect.Type) string {
	switch t.Kind() {
	case reflect.Bool:
		return "true or false"
	case reflect.String:
		return "text"
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return fmt.Sprintf("a whole number of %d bits", t.Bits())
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return fmt.Sprintf("a whole number from 0, of %d bits", t.Bits())
	case reflect.Float32, reflect.Float64:
		return "a number"
	case reflect.Struct, reflect.Map:
		return "an object"
	case reflect.Slice, reflect.Array:
		return "a list"
	}
	return t.String()
}

// found tells people what a text is.
func found(raw string) string {
	switch raw[0] {
	case '{':
		return "object"
	case '[':
		return "list"
	case '"':
		return "text"
	case 't', 'f':
		return "true or false"
	case 'n':
		return "null"
	}
	return "number"
}
