package config

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
)

// leaf is a value somewhere in a configuration, as text. Two leaves of one path are the same where text and own are.
type leaf struct {
	text string
	// own is what a secret is; text does not say it.
	own string
}

// leaves are values by their paths.
type leaves map[string]leaf

// fields compares two values of one type, whatever they have.
func (d *differences) fields(effect Effect, path string, before, after any) {
	old, now := leaves{}, leaves{}
	old.of(path, reflect.ValueOf(before))
	now.of(path, reflect.ValueOf(after))
	d.leaves(effect, old, now)
}

// leaves compares values by their paths.
func (d *differences) leaves(effect Effect, old, now leaves) {
	paths := slices.AppendSeq(slices.Collect(maps.Keys(old)), maps.Keys(now))
	slices.Sort(paths)
	for _, path := range slices.Compact(paths) {
		if was, is := old[path], now[path]; was != is {
			d.list = append(d.list, Change{Device: d.device, Path: path, Old: short(was.text), New: short(is.text), Effect: effect})
		}
	}
}

var keyNames = map[string]string{
	"JetStream": "jetstream", "MaxBytes": "max_bytes", "MaxAge": "max_age", "OnFull": "on_full", "DataBits": "data_bits",
	"StopBits": "stop_bits", "RTSOnSend": "rts_on_send", "RxDuringTx": "rx_during_tx", "DelayBeforeSend": "delay_before_send",
	"Listener": "listen", "ServerName": "server_name", "DelayAfterSend": "delay_after_send", "NKey": "nkey", "SyncAlways": "sync_always",
}

// keyName is how a field is called in the file.
func keyName(field string) string {
	if known, ok := keyNames[field]; ok {
		return known
	}
	return strings.ToLower(field)
}

// of adds the values in v: those of its exported fields, of its elements by name or number, without those that are zero.
func (l leaves) of(path string, v reflect.Value) {
	switch x := v.Interface().(type) {
	case Position:
		return
	case Secret:
		if x != "" {
			l[path] = leaf{redacted, string(x)}
		}
		return
	case time.Duration:
		l.add(path, durationOrNone(x))
		return
	case fmt.Stringer:
		if !v.IsZero() {
			l.add(path, x.String())
		}
		return
	}
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		if !v.IsNil() {
			l.of(path, v.Elem())
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if f := v.Type().Field(i); f.IsExported() && f.Name != "Name" {
				l.of(join(path, keyName(f.Name)), v.Field(i))
			}
		}
	case reflect.Slice, reflect.Array:
		l.list(path, v)
	case reflect.Map:
		for _, key := range v.MapKeys() {
			l.of(join(path, fmt.Sprint(key.Interface())), v.MapIndex(key))
		}
	default:
		l.scalar(path, v)
	}
}

// list adds the elements of a list: those that have a name by it, bytes and what says itself what it is as one value,
// others by their number.
func (l leaves) list(path string, v reflect.Value) {
	if v.Type().Elem().Kind() == reflect.Uint8 {
		l.add(path, fmt.Sprintf("%x", v.Interface()))
		return
	}
	if _, ok := reflect.Zero(v.Type().Elem()).Interface().(fmt.Stringer); ok { // patterns, addresses
		texts := make([]string, v.Len())
		for i := range v.Len() {
			texts[i] = fmt.Sprint(v.Index(i).Interface())
		}
		l.add(path, strings.Join(texts, ", "))
		return
	}
	for i := range v.Len() {
		one := v.Index(i)
		key := strconv.Itoa(i)
		if s := reflect.Indirect(one); s.Kind() == reflect.Struct && s.FieldByName("Name").IsValid() {
			key = s.FieldByName("Name").String()
			l.add(join(path, key), "there")
		}
		l.of(join(path, key), one)
	}
}

func (l leaves) scalar(path string, v reflect.Value) {
	key := path[strings.LastIndexByte(path, '.')+1:]
	negative := v.CanInt() && v.Int() < 0
	switch {
	case negative && key == "attempts":
		l.add(path, "unlimited")
	case negative && key == "crashes":
		l.add(path, "never")
	case v.CanUint() && v.Uint() >= 1<<10 && slices.Contains([]string{"memory", "stack", "bytes", "max_bytes", "buffer", "disk"}, key):
		l.add(path, formatSize(v.Uint()))
	case key == "cpu" && v.CanFloat():
		l.add(path, strconv.FormatFloat(100*v.Float(), 'f', -1, 64)+"%")
	case v.Kind() == reflect.Bool:
		l.add(path, strconv.FormatBool(v.Bool()))
	case !v.IsZero():
		l.add(path, fmt.Sprint(v.Interface()))
	}
}

func (l leaves) add(path, text string) {
	if text != "" {
		l[path] = leaf{text: text}
	}
}

func durationOrNone(d time.Duration) string {
	if d == 0 {
		return ""
	}
	return formatDuration(d)
}

func textUnless(none bool, v any) string {
	if none {
		return ""
	}
	return fmt.Sprint(v)
}

// settings compares what a driver gets. Secrets, and what its schemas call so, show as that.
func (d *differences) settings(before, after *Channel, old, now *JSON, hidden Hidden) {
	if old.Raw == now.Raw && slices.Equal(old.Secrets(), now.Secrets()) {
		return
	}
	d.leaves(EffectSwap, old.leaves("settings", hidden(before, old)), now.leaves("settings", hidden(after, now)))
}

// leaves are the values in a part that the driver gives its meaning.
func (j *JSON) leaves(path string, hidden []string) leaves {
	l := leaves{}
	d := json.NewDecoder(strings.NewReader(j.Raw))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err == nil {
		l.json(path, "", v, slices.Concat(hidden, j.Secrets()))
	}
	return l
}

// json adds the values in v, which is at a JSON Pointer (RFC 6901).
func (l leaves) json(path, pointer string, v any, hidden []string) {
	if slices.Contains(hidden, pointer) {
		own, _ := json.Marshal(v) // it was decoded just now
		l[path] = leaf{redacted, string(own)}
		return
	}
	switch v := v.(type) {
	case map[string]any:
		if len(v) == 0 && pointer != "" {
			l.add(path, "{}")
		}
		for key, value := range v {
			l.json(join(path, printable(key)), pointer+"/"+escape(key), value, hidden)
		}
	case []any:
		if len(v) == 0 {
			l.add(path, "[]")
		}
		for i, value := range v {
			l.json(join(path, strconv.Itoa(i)), pointer+"/"+strconv.Itoa(i), value, hidden)
		}
	case string:
		l.add(path, strconv.Quote(v))
	default:
		text, _ := json.Marshal(v) // a number, true, false or null
		l.add(path, string(text))
	}
}

// printable keeps a driver's own key from writing on somebody's terminal.
func printable(key string) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return '?'
		}
		return r
	}, clip(key))
}

// shown is the value as text; a secret in it hides all of it.
func (j *JSON) shown() string {
	if len(j.Secrets()) > 0 {
		return redacted
	}
	return j.Raw
}
