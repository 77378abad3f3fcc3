package main

import (
	"slices"

	"github.com/rogpeppe/go-internal/testscript"
	"golang.org/x/sys/unix"
)

// full is `full WORD`: what runs in the background with that word can write no byte to a file any more, as on a full disk.
func full(ts *testscript.TestScript, _ bool, args []string) {
	for _, cmd := range ts.BackgroundCmds() {
		if slices.Contains(cmd.Args, args[0]) {
			ts.Check(unix.Prlimit(cmd.Process.Pid, unix.RLIMIT_FSIZE, &unix.Rlimit{Cur: 0, Max: 0}, nil))
			return
		}
	}
	ts.Fatalf("nothing runs with %s", args[0])
}
