package meter

import "fmt"

// Error says where a module cannot be rewritten, and why.
type Error struct {
	// Offset is the byte of the module.
	Offset int
	// Expected is what may be there, Found what is.
	Expected, Found string
}

func (e *Error) Error() string {
	return fmt.Sprintf("module, byte %d: expected %s, found %s", e.Offset, e.Expected, e.Found)
}
