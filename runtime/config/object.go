package config

import (
	"maps"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"
)

// keys are what an object may have, each with what reads it. A nil function leaves the value to the caller.
type keys map[string]func(value)

// later are keys that have their place in the format and no support yet, each with what to say of it.
type later map[string]string

// object is what an object of the file has.
type object map[string]value

// has says whether the object has a key.
func (o object) has(key string) bool {
	_, ok := o[key]
	return ok
}

// object reads a mapping with fixed keys. The result is false when no mapping stands here; nothing (`key:`) is an empty
// one.
func (v value) object(known keys, unsupported later) (object, bool) {
	found := object{}
	ok := v.each(func(name string, child value) {
		read, isKnown := known[name]
		what, isLater := unsupported[name]
		switch {
		case isKnown:
			found[name] = child
			if read != nil {
				read(child)
			}
		case isLater:
			v.r.problem(child.key, child.path, "not supported yet: %s", what)
		default:
			v.r.problem(child.key, v.path, "unknown key %q, %s", clip(name), suggest(name, known))
		}
	})
	return found, ok
}

// each goes through a mapping in the order of the file, that of its template first. Duplicate keys and keys that are no
// text are reported and left out. The result is false when no mapping stands here.
func (v value) each(visit func(name string, child value)) bool {
	members, ok := v.members()
	for _, m := range members {
		if v.r.values--; v.r.values < 0 {
			v.r.problem(Position{File: v.r.files[0], Line: 1, Column: 1}, "",
				"the templates make more than %d values of the configuration, expected fewer", maxValues)
			return false
		}
		visit(m.name, m.value)
	}
	return ok
}

// member is a key of a mapping and what it has.
type member struct {
	name string
	value
}

// members returns what a mapping has, over what its template has.
func (v value) members() ([]member, bool) {
	own, ok := v.own()
	if !ok || v.under == nil || v.under.node.Kind != yaml.MappingNode {
		return own, ok
	}
	all, _ := v.under.members()
	places := make(map[string]int, len(all))
	for i, m := range all {
		places[m.name] = i
	}
	for _, m := range own {
		i, both := places[m.name]
		switch {
		case !both:
			all = append(all, m)
		case !m.null():
			all[i].value = m.over(all[i].value)
		}
	}
	return all, true
}

// over is v on top of what a template has in its place: mappings are joined, anything else replaces the template's.
func (v value) over(template value) value {
	if v.node.Kind == yaml.MappingNode {
		v.under = &template
	}
	return v
}

// own returns what the mapping itself has.
func (v value) own() ([]member, bool) {
	if v.null() {
		return nil, true
	}
	if v.node.Kind != yaml.MappingNode {
		v.expected("a mapping")
		return nil, false
	}
	members := make([]member, 0, len(v.node.Content)/2)
	lines := make(map[string]int32, len(v.node.Content)/2)
	for i := 0; i+1 < len(v.node.Content); i += 2 {
		key, content := v.node.Content[i], v.node.Content[i+1]
		at := v.r.at(key)
		if key.Kind != yaml.ScalarNode {
			v.r.problem(at, v.path, "expected a name as the key")
			continue
		}
		if key.Tag == "!!merge" { // reported already
			continue
		}
		if line, ok := lines[key.Value]; ok {
			v.r.problem(at, v.path, "duplicate key %q, the first one is on line %d", clip(key.Value), line)
			continue
		}
		lines[key.Value] = at.Line
		child := value{r: v.r, node: content, path: join(v.path, clip(key.Value)), key: at}
		members = append(members, member{key.Value, child.resolved()})
	}
	return members, true
}

const maxName = 64

var nameForm = regexp.MustCompile(`^[A-Za-z0-9_-]+$`)

const nameRule = "1 to 64 of A-Z a-z 0-9 _ -"

// named goes through a mapping whose keys are names of the user's, without those reserved.
func (v value) named(what string, reserved []string, visit func(name string, child value)) {
	v.each(func(name string, child value) {
		switch {
		case len(name) > maxName || !nameForm.MatchString(name):
			v.r.problem(child.key, v.path, "%q is no name for a %s, expected %s", clip(name), what, nameRule)
		case slices.Contains(reserved, name):
			v.r.problem(child.key, v.path, "%q is reserved, expected another name for the %s", name, what)
		}
		visit(name, child)
	})
}

// suggest says what was meant, or what there is.
func suggest(name string, known keys) string {
	names := slices.Sorted(maps.Keys(known))
	best, least := "", 3
	for _, candidate := range names {
		if d := distance(clip(name), candidate); d < least && d < len(candidate) {
			best, least = candidate, d
		}
	}
	if best != "" {
		return "did you mean " + best + "?"
	}
	return "expected " + list(names)
}

// distance is the number of letters to change, add or drop between two words (Levenshtein), upper case like lower.
func distance(a, b string) int {
	a, b = strings.ToLower(a), strings.ToLower(b)
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			diagonal, row[j+1] = row[j+1], min(diagonal+cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}

// list joins words: "a, b or c".
func list(words []string) string {
	last := len(words) - 1
	if last < 1 {
		return strings.Join(words, "")
	}
	return strings.Join(words[:last], ", ") + " or " + words[last]
}

// clip keeps a word of the file short enough for a message.
func clip(word string) string {
	const most = 64
	if len(word) <= most {
		return word
	}
	return strings.ToValidUTF8(word[:most], "") + "..."
}
