package node

import (
	"fmt"
	"math/big"
	"slices"
	"strconv"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"
	"golang.org/x/text/language"
	"golang.org/x/text/message"
)

// violation is what is wrong at a place in a value, a JSON Pointer (RFC 6901).
type violation struct{ at, text string }

// violations returns those that say something by themselves: those without causes of their own.
func violations(e *jsonschema.ValidationError) []violation {
	if len(e.Causes) == 0 {
		return leaf(e)
	}
	var out []violation
	for _, cause := range alternatives(e) {
		out = append(out, violations(cause)...)
	}
	return out
}

// alternatives returns the causes of e. Where e is none of several alternatives, those for another type of value are left
// out, unless there is no other.
func alternatives(e *jsonschema.ValidationError) []*jsonschema.ValidationError {
	switch e.ErrorKind.(type) {
	case *kind.AnyOf, *kind.OneOf:
	default:
		return e.Causes
	}
	of := slices.DeleteFunc(slices.Clone(e.Causes), func(cause *jsonschema.ValidationError) bool {
		return otherType(cause, e.InstanceLocation)
	})
	if len(of) == 0 {
		return e.Causes
	}
	return of
}

// otherType says whether e is only about the type of the value at that place.
func otherType(e *jsonschema.ValidationError, place []string) bool {
	for len(e.Causes) == 1 {
		e = e.Causes[0]
	}
	_, ok := e.ErrorKind.(*kind.Type)
	return ok && slices.Equal(e.InstanceLocation, place)
}

// leaf returns what e says by itself, for each unknown key one.
func leaf(e *jsonschema.ValidationError) []violation {
	at := pointer(e.InstanceLocation)
	unknown, ok := e.ErrorKind.(*kind.AdditionalProperties)
	if !ok {
		return []violation{{at, text(e.ErrorKind)}}
	}
	var out []violation
	for _, key := range unknown.Properties {
		out = append(out, violation{at + pointer([]string{key}), "the driver does not know this key"})
	}
	return out
}

// text says what was expected, and never what was found: that may be a secret, and stands in the file.
func text(k jsonschema.ErrorKind) string {
	switch k := k.(type) {
	case *kind.Pattern:
		return fmt.Sprintf("does not match the pattern %s", k.Want)
	case *kind.Format:
		return fmt.Sprintf("is no valid %s", k.Want)
	case *kind.Minimum:
		return "the minimum is " + number(k.Want)
	case *kind.Maximum:
		return "the maximum is " + number(k.Want)
	case *kind.ExclusiveMinimum:
		return "must be above " + number(k.Want)
	case *kind.ExclusiveMaximum:
		return "must be below " + number(k.Want)
	case *kind.MultipleOf:
		return "must be a multiple of " + number(k.Want)
	}
	return k.LocalizedString(message.NewPrinter(language.English))
}

func number(r *big.Rat) string {
	f, _ := r.Float64()
	return strconv.FormatFloat(f, 'f', -1, 64)
}

// pointer returns the JSON Pointer (RFC 6901) of a place.
func pointer(tokens []string) string {
	var b strings.Builder
	for _, t := range tokens {
		b.WriteByte('/')
		b.WriteString(strings.ReplaceAll(strings.ReplaceAll(t, "~", "~0"), "/", "~1"))
	}
	return b.String()
}
