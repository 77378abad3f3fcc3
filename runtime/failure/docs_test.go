package failure

import (
	"os"
	"regexp"
	"slices"
	"testing"
)

// docs/failures.md has every code of the table, in a row that says what the table says, and no other.
func TestReferenceIsTheTable(t *testing.T) {
	text, err := os.ReadFile("../../docs/failures.md")
	if err != nil {
		t.Fatal(err)
	}
	row := regexp.MustCompile("(?m)^\\| `([a-z-]+(?:\\.[a-z-]+)?)` \\| ([a-z]+) \\| (yes|no) \\| \\S.* \\| \\S.* \\|$")
	var found []Code
	for _, m := range row.FindAllStringSubmatch(string(text), -1) {
		c := Code(m[1])
		found = append(found, c)
		if Kind(m[2]) != c.Kind() || (m[3] == "yes") != c.Crash() {
			t.Errorf("%s is %s with crash %t, the reference says %s and %s", c, c.Kind(), c.Crash(), m[2], m[3])
		}
	}
	slices.Sort(found)
	if !slices.Equal(found, Codes()) {
		t.Errorf("the reference has\n%s\nthe table\n%s", found, Codes())
	}
}
