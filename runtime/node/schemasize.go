package node

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"regexp/syntax"
	"strconv"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// What a driver's schema may be. Compiling takes more than the square of its depth, and the square of its values: 5000
// levels, which are 50 KiB, took minutes.
const (
	maxSchemaDepth  = 64
	maxSchemaValues = 10_000
	// maxDigits and maxExponent bound a number, of which the library keeps all digits: 1e999999 are 400 KiB.
	maxDigits, maxExponent = 64, 308
	// maxPatterns bounds the programs of all patterns together, in instructions: a few bytes make a million.
	maxPatterns = 20_000
)

// checkSize refuses a schema that would take too long to compile.
func checkSize(doc any) error {
	values := 0
	return checkValue(doc, maxSchemaDepth, &values)
}

func checkValue(v any, levels int, values *int) error {
	if *values++; *values > maxSchemaValues {
		return fmt.Errorf("it has more than %d values", maxSchemaValues)
	}
	below := func(child any) error {
		if levels == 0 {
			return fmt.Errorf("it is nested more than %d levels deep", maxSchemaDepth)
		}
		return checkValue(child, levels-1, values)
	}
	switch v := v.(type) {
	case map[string]any:
		for _, child := range v {
			if err := below(child); err != nil {
				return err
			}
		}
	case []any:
		for _, child := range v {
			if err := below(child); err != nil {
				return err
			}
		}
	case json.Number:
		return checkNumber(v.String())
	}
	return nil
}

func checkNumber(text string) error {
	_, exponent, _ := strings.Cut(strings.ToLower(text), "e")
	n, err := strconv.Atoi(strings.TrimPrefix(exponent, "+"))
	if exponent != "" && (err != nil || n > maxExponent || n < -maxExponent) || len(text) > maxDigits {
		return fmt.Errorf("its number %.20s has more than %d digits, or an exponent beyond %d", text, maxDigits, maxExponent)
	}
	return nil
}

// pattern is a regular expression and how many instructions its program has, about.
type pattern struct {
	*regexp.Regexp
	size int
}

var errPatterns = errors.New("its patterns are too large together")

// patterns compiles the patterns of one schema, each once, until they are too large. Matching takes time linear in the
// text and in the program.
func patterns() jsonschema.RegexpEngine {
	left, known := maxPatterns, map[string]pattern{}
	return func(text string) (jsonschema.Regexp, error) {
		if p, ok := known[text]; ok {
			return p, nil
		}
		tree, err := syntax.Parse(text, syntax.Perl)
		if err != nil {
			return nil, err
		}
		size := programSize(tree)
		if left -= size; left < 0 {
			return nil, errPatterns
		}
		compiled, err := regexp.Compile(text)
		if err != nil {
			return nil, err
		}
		known[text] = pattern{compiled, size}
		return known[text], nil
	}
}

// programSize is how many instructions an expression becomes at most: a repetition is written out.
func programSize(re *syntax.Regexp) int {
	size := 1 + len(re.Rune)
	for _, sub := range re.Sub {
		size += programSize(sub)
	}
	if re.Op == syntax.OpRepeat {
		size *= max(re.Min, re.Max, 1)
	}
	return min(size, maxPatterns+1)
}
