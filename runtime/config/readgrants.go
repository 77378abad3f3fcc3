package config

import (
	"net/netip"

	"go.yaml.in/yaml/v4"
)

// maxPatterns is how many patterns a list may have.
const maxPatterns = 1000

func grantsKeys(g *Grants) keys {
	return keys{
		"tcp": func(v value) { g.TCP = v.patterns() },
		"udp": func(v value) { g.UDP = v.patterns() },
	}
}

func (v value) patterns() []Pattern {
	return listOf(v, errPattern.Error(), "pattern", parsePattern)
}

func (v value) prefixes() []netip.Prefix {
	return listOf(v, errPrefix.Error(), "range", parsePrefix)
}

// listOf reads a list of texts that parse understands, each once. An error of parse is what was expected.
func listOf[T comparable](v value, expected, what string, parse func(string) (T, error)) []T {
	if v.node.Kind != yaml.SequenceNode {
		v.expected("a list: of " + expected)
		return nil
	}
	if len(v.node.Content) > maxPatterns {
		v.problem("%d of them, expected at most %d", len(v.node.Content), maxPatterns)
		return nil
	}
	var all []T
	lines := map[T]int32{}
	for i := range v.node.Content {
		element, text := v.element(i), ""
		if !element.text(&text, expected) {
			continue
		}
		one, err := parse(text)
		if err != nil {
			element.expected(err.Error())
			continue
		}
		if line, twice := lines[one]; twice {
			element.problem("the %s is there already, on line %d, expected it once", what, line)
			continue
		}
		lines[one] = element.at().Line
		all = append(all, one)
	}
	return all
}
