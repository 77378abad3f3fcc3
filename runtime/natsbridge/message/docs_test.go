package message

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

// TestCommandsDocument: docs/commands.md has each error of a command with its number and code.
func TestCommandsDocument(t *testing.T) {
	text, err := os.ReadFile("../../../docs/commands.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range []*Error{
		ErrBody, ErrNotPermitted, ErrNotFound, ErrBusy, ErrInternal, ErrNotReady, ErrReadOnly, ErrWriteOnly, ErrGeneration,
		ErrKey, ErrCancelled, ErrType, ErrRange, ErrInvalid, ErrUnknown, ErrAnswer, ErrNeverSent,
	} {
		if row := fmt.Sprintf("\n| %d | `%s` | ", e.Status, e.Code); !strings.Contains(string(text), row) {
			t.Errorf("docs/commands.md has no row %q", row)
		}
	}
	for _, header := range []string{HeaderTimeout, HeaderNotAfter, HeaderKey, HeaderGeneration, HeaderCaller} {
		if !strings.Contains(string(text), "\n| `"+header+"` | ") {
			t.Errorf("docs/commands.md has no row for %s", header)
		}
	}
}
