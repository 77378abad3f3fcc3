package config

import (
	"strconv"

	"go.yaml.in/yaml/v4"
)

// value is a place in the file with something to read.
type value struct {
	r    *reader
	node *yaml.Node
	// path is the keys from the top, joined by dots; key is where the last of them stands.
	path string
	key  Position
	// under is what a template has in this place: a mapping lies over it, key by key. Nil without a template.
	under *value
}

// at is where the value stands.
func (v value) at() Position { return v.r.at(v.node) }

// element is a value of a sequence.
func (v value) element(i int) value {
	n := v.node.Content[i]
	return value{r: v.r, node: n, path: join(v.path, strconv.Itoa(i)), key: v.r.at(n)}.resolved()
}

func (v value) problem(format string, args ...any) {
	v.r.problem(v.at(), v.path, format, args...)
}

// missing reports a key that the object does not have, at the object's own key.
func (v value) missing(key, expected string) {
	v.r.problem(v.key, v.path, "%s is missing, expected %s", key, expected)
}

// expected reports that something else stands here.
func (v value) expected(what string) {
	if v.node.Kind != yaml.AliasNode { // reported already
		v.problem("expected %s, found %s", what, v.found())
	}
}

// found describes what stands in the file, as it is written there: a secret shows as ${env:X}.
func (v value) found() string {
	switch v.node.Kind {
	case yaml.MappingNode:
		return "a mapping"
	case yaml.SequenceNode:
		return "a list"
	}
	const most = 48
	text := v.node.Value
	if runes := []rune(text[:min(len(text), 4*most)]); len(runes) > most {
		text = string(runes[:most]) + "..."
	}
	switch v.kind() {
	case kindNull:
		return "nothing"
	case kindText:
		return strconv.Quote(text)
	default:
		return text
	}
}

// null says whether nothing stands here: `key:` with no value.
func (v value) null() bool { return v.kind() == kindNull }

func (v value) kind() kind {
	if v.node.Kind != yaml.ScalarNode {
		return kindNone
	}
	return classify(v.node)
}
