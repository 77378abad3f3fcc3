package config

import (
	"regexp"

	"go.yaml.in/yaml/v4"
)

// kind is what a scalar is: the kinds of JSON.
type kind uint8

const (
	// kindNone is no scalar at all.
	kindNone kind = iota
	kindNull
	kindBool
	// kindInteger is written in decimal, kindHex with 0x.
	kindInteger
	kindHex
	kindFloat
	kindText
	// kindAmbiguous is a number to some readers of YAML and something else to others: 010, 1_000, +5, .inf.
	kindAmbiguous
)

var (
	integerForm = regexp.MustCompile(`^-?(0|[1-9][0-9]*)$`)
	floatForm   = regexp.MustCompile(`^-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?$`)
	hexForm     = regexp.MustCompile(`^0x[0-9a-fA-F]+$`)
)

// classify tells what a scalar is. Numbers are those of JSON (RFC 8259, section 6) and hexadecimal integers; dates are
// text; yes, no, on and off are text.
func classify(n *yaml.Node) kind {
	if n.Style&(yaml.SingleQuotedStyle|yaml.DoubleQuotedStyle|yaml.LiteralStyle|yaml.FoldedStyle) != 0 {
		return kindText
	}
	switch n.Value {
	case "", "~", "null", "Null", "NULL":
		return kindNull
	case "true", "True", "TRUE", "false", "False", "FALSE":
		return kindBool
	}
	switch {
	case integerForm.MatchString(n.Value):
		return kindInteger
	case floatForm.MatchString(n.Value):
		return kindFloat
	case hexForm.MatchString(n.Value):
		return kindHex
	case n.Tag == "!!int" || n.Tag == "!!float":
		return kindAmbiguous
	}
	return kindText
}
