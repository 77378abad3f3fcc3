package config

import (
	"bytes"
	"encoding/json"
	"math"
	"strconv"

	"go.yaml.in/yaml/v4"
)

// maxJSON is how much one value of the driver's may be.
const maxJSON = 1 << 20

// json keeps a value of the driver's as JSON.
func (v value) json() JSON {
	var w writer
	w.value(v, "")
	if w.out.Len() > maxJSON {
		v.problem("the value has %d bytes as JSON, expected at most %s", w.out.Len(), formatSize(maxJSON))
	}
	j := JSON{Raw: v.r.interned.bytes(w.out.Bytes()), at: v.at()}
	if len(w.secrets) > 0 || len(w.places) > 0 {
		j.inner = &w.inner
	}
	return j
}

// settings keeps a driver's settings: a mapping, {} where nothing stands.
func (v value) settings() JSON {
	if v.null() {
		return noSettings(v)
	}
	if v.node.Kind != yaml.MappingNode {
		v.expected("a mapping")
		return noSettings(v)
	}
	return v.json()
}

// noSettings are the settings that an object does not have.
func noSettings(v value) JSON {
	return JSON{Raw: "{}", at: v.key}
}

// writer writes a YAML tree as JSON, integers with all digits, and remembers the places.
type writer struct {
	inner
	out bytes.Buffer
}

func (w *writer) value(v value, pointer string) {
	if pointer != "" {
		if w.places == nil {
			w.places = map[string]Position{}
		}
		w.places[pointer] = v.at()
	}
	switch v.node.Kind {
	case yaml.MappingNode:
		w.mapping(v, pointer)
	case yaml.SequenceNode:
		w.sequence(v, pointer)
	case yaml.ScalarNode:
		w.scalar(v, pointer)
	}
}

func (w *writer) mapping(v value, pointer string) {
	w.out.WriteByte('{')
	first := true
	v.textKeys()
	v.each(func(name string, child value) {
		if !first {
			w.out.WriteByte(',')
		}
		first = false
		w.text(name)
		w.out.WriteByte(':')
		w.value(child, pointer+"/"+escape(name))
	})
	w.out.WriteByte('}')
}

// textKeys reports keys that some readers of YAML take for something else than text.
func (v value) textKeys() {
	for i, key := range v.node.Content {
		if i%2 == 0 && key.Kind == yaml.ScalarNode && classify(key) != kindText && key.Tag != "!!merge" {
			v.r.problem(v.r.at(key), v.path, "the key %s is no text, expected it in quotes", clip(key.Value))
		}
	}
	if v.under != nil {
		v.under.textKeys()
	}
}

func (w *writer) sequence(v value, pointer string) {
	w.out.WriteByte('[')
	for i := range v.node.Content {
		if i > 0 {
			w.out.WriteByte(',')
		}
		w.value(v.element(i), pointer+"/"+strconv.Itoa(i))
	}
	w.out.WriteByte(']')
}

func (w *writer) scalar(v value, pointer string) {
	switch v.kind() {
	case kindNull:
		w.out.WriteString("null")
	case kindBool:
		var b bool
		v.boolean(&b)
		w.out.WriteString(strconv.FormatBool(b))
	case kindInteger, kindHex:
		w.integer(v)
	case kindFloat:
		if f, err := strconv.ParseFloat(v.node.Value, 64); err != nil || math.IsInf(f, 0) {
			v.expected("a number that 64-bit floating point holds")
		}
		w.out.WriteString(v.node.Value)
	case kindAmbiguous:
		v.expected("a plain decimal number, or text in quotes")
	case kindText:
		text, secret, _ := v.expand()
		if secret {
			w.secrets = append(w.secrets, pointer)
		}
		w.text(text)
	}
}

// integer writes a whole number that fits int64 or uint64, with all its digits.
func (w *writer) integer(v value) {
	if n, err := strconv.ParseInt(v.node.Value, 0, 64); err == nil {
		w.out.WriteString(strconv.FormatInt(n, 10))
		return
	}
	n, err := strconv.ParseUint(v.node.Value, 0, 64)
	if err != nil {
		v.expected("a whole number of at most 64 bits")
	}
	w.out.WriteString(strconv.FormatUint(n, 10))
}

func (w *writer) text(text string) {
	e := json.NewEncoder(&w.out)
	e.SetEscapeHTML(false)
	_ = e.Encode(text)              // a string always encodes, a buffer takes all
	w.out.Truncate(w.out.Len() - 1) // Encode ends with a line feed
}
