// Package page writes the figures of one run into docs/performance.md and the drawings beside it. The text of the page is
// written by people; what a run says stands between marks and is only ever generated:
//
//	<!-- begin growth -->
//	...
//	<!-- end growth -->
package page

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

const beginMark, endMark = "<!-- begin ", "<!-- end "

// replace returns the text with the blocks between their marks. Each block must have its marks and each mark a block.
func replace(text string, blocks map[string]string) (string, error) {
	var out strings.Builder
	left := maps.Clone(blocks)
	for {
		before, rest, found := strings.Cut(text, beginMark)
		out.WriteString(before)
		if !found {
			break
		}
		name, rest, found := strings.Cut(rest, " -->\n")
		if !found {
			return "", fmt.Errorf("a mark that begins a block has no end: %.40q", rest)
		}
		block, known := left[name]
		if !known {
			return "", fmt.Errorf("there is no block %q, or the page has it twice", name)
		}
		delete(left, name)
		end := endMark + name + " -->\n"
		_, after, found := strings.Cut(rest, end)
		if !found {
			return "", fmt.Errorf("block %q has no mark %q at its end", name, strings.TrimSpace(end))
		}
		fmt.Fprintf(&out, "%s%s -->\n%s\n%s", beginMark, name, strings.TrimRight(block, "\n"), end)
		text = after
	}
	if len(left) > 0 {
		return "", fmt.Errorf("the page has no place for %s", strings.Join(slices.Sorted(maps.Keys(left)), ", "))
	}
	return out.String(), nil
}
