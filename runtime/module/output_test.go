package module

import (
	"slices"
	"strings"
	"testing"
)

func TestOutput(t *testing.T) {
	var lines []string
	o := &output{line: func(s string) { lines = append(lines, s) }}
	for _, s := range []string{"one\ntw", "o\r\n\n", strings.Repeat("x", maxLine+10) + "\n", "panic: first\npanic: second\n", "\xff\n", "end"} {
		if n, err := o.Write([]byte(s)); n != len(s) || err != nil {
			t.Fatalf("%d, %v", n, err)
		}
	}
	o.close()
	want := []string{"one", "two", strings.Repeat("x", maxLine), "panic: first", "panic: second", "\uFFFD", "end"}
	if !slices.Equal(lines, want) {
		t.Errorf("got %q", lines)
	}
	if o.lastWords != "panic: first" {
		t.Errorf("last words %q", o.lastWords)
	}
}
