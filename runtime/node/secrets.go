package node

import (
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/droverhq/drover/abi/driver"
	"github.com/droverhq/drover/runtime/config"
)

// leastSecret is how long a value must be to be hidden: what is shorter is no secret, and would hide half of every line.
const leastSecret = 3

// secretsOf returns the values of a channel's settings that nobody is to read: those that its driver's schemas call
// writeOnly, and those that came from the environment or from a file.
func secretsOf(m driver.Metadata, ch *config.Channel) [][]byte {
	schemas, _ := drivers.of(m) // a driver whose schemas are wrong was refused
	found := secrets{}
	for part := range ch.Parts() {
		found.in(schemas.of(part), part.JSON)
	}
	var out [][]byte
	for _, s := range slices.Sorted(maps.Keys(found)) {
		out = append(out, []byte(s))
	}
	return out
}

// secrets is a set of texts.
type secrets map[string]struct{}

func (found secrets) in(s schema, value *config.JSON) {
	if len(value.Secrets()) == 0 && !s.secretive {
		return
	}
	v, err := jsonschema.UnmarshalJSON(strings.NewReader(value.Raw))
	if err != nil {
		return
	}
	for _, pointer := range value.Secrets() {
		found.all(at(v, pointer))
	}
	if s.secretive {
		writeOnly([]*jsonschema.Schema{s.Schema}, "", v, func(_ string, v any) { found.all(v) })
	}
}

// hidden returns the JSON Pointers (RFC 6901) of what the driver's schemas call writeOnly in a part of a channel's
// configuration.
func (s schemas) hidden(ch *config.Channel, part *config.JSON) []string {
	of := s.device
	if part == &ch.Settings {
		of = s.settings
	}
	if !of.secretive {
		return nil
	}
	v, err := jsonschema.UnmarshalJSON(strings.NewReader(part.Raw))
	if err != nil {
		return nil
	}
	var pointers []string
	writeOnly([]*jsonschema.Schema{of.Schema}, "", v, func(pointer string, _ any) { pointers = append(pointers, pointer) })
	return pointers
}

// writeOnly gives found what the schemas, or any that they refer to, call so in v, which is at a JSON Pointer. All of
// them are looked at, also those that hold for other values only; each once, whatever they refer to.
func writeOnly(schemas []*jsonschema.Schema, at string, v any, found func(pointer string, v any)) {
	all := map[*jsonschema.Schema]struct{}{}
	for todo := schemas; len(todo) > 0; {
		s := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		if _, again := all[s]; s == nil || again {
			continue
		}
		if s.WriteOnly {
			found(at, v)
			return
		}
		all[s] = struct{}{}
		todo = slices.Concat(todo, []*jsonschema.Schema{s.Ref, s.If, s.Then, s.Else}, s.AllOf, s.AnyOf, s.OneOf)
	}
	switch v := v.(type) {
	case map[string]any:
		for name, field := range v {
			of := each(all, func(s *jsonschema.Schema) *jsonschema.Schema { return ofProperty(s, name) })
			writeOnly(of, at+pointer([]string{name}), field, found)
		}
	case []any:
		for i, element := range v {
			of := each(all, func(s *jsonschema.Schema) *jsonschema.Schema { return ofElement(s, i) })
			writeOnly(of, at+pointer([]string{strconv.Itoa(i)}), element, found)
		}
	}
}

// each returns what f gives of each schema.
func each(all map[*jsonschema.Schema]struct{}, f func(*jsonschema.Schema) *jsonschema.Schema) []*jsonschema.Schema {
	out := make([]*jsonschema.Schema, 0, len(all))
	for s := range all {
		out = append(out, f(s))
	}
	return out
}

func ofProperty(s *jsonschema.Schema, name string) *jsonschema.Schema {
	if property, ok := s.Properties[name]; ok {
		return property
	}
	for pattern, property := range s.PatternProperties {
		if pattern.MatchString(name) {
			return property
		}
	}
	others, _ := s.AdditionalProperties.(*jsonschema.Schema)
	return others
}

func ofElement(s *jsonschema.Schema, i int) *jsonschema.Schema {
	if i < len(s.PrefixItems) {
		return s.PrefixItems[i]
	}
	if s.Items2020 != nil {
		return s.Items2020
	}
	all, _ := s.Items.(*jsonschema.Schema)
	return all
}

// all adds every text and number in v.
func (found secrets) all(v any) {
	switch v := v.(type) {
	case string:
		found.add(v)
	case json.Number:
		found.add(v.String())
	case map[string]any:
		for _, field := range v {
			found.all(field)
		}
	case []any:
		for _, element := range v {
			found.all(element)
		}
	}
}

func (found secrets) add(s string) {
	if len(s) >= leastSecret {
		found[s] = struct{}{}
	}
}

// at returns the part of v that a JSON Pointer (RFC 6901) names, nil when there is none.
func at(v any, pointer string) any {
	if pointer == "" {
		return v
	}
	unescape := strings.NewReplacer("~1", "/", "~0", "~")
	for token := range strings.SplitSeq(strings.TrimPrefix(pointer, "/"), "/") {
		switch inner := v.(type) {
		case map[string]any:
			v = inner[unescape.Replace(token)]
		case []any:
			i, err := strconv.Atoi(token)
			if err != nil || i < 0 || i >= len(inner) {
				return nil
			}
			v = inner[i]
		default:
			return nil
		}
	}
	return v
}
