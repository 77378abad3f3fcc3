//go:build !windows

package main

import (
	"os"

	"github.com/creack/pty"
)

// screenSize returns the rows and columns of the terminal that standard output is; 0 where they are not known.
func screenSize() (rows, columns int) {
	rows, columns, err := pty.Getsize(os.Stdout)
	if err != nil {
		return 0, 0
	}
	return rows, columns
}
