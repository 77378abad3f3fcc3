package main

import "runtime/debug"

// growth is how much garbage a node lets gather before it is collected, in percent of what is in use. Most of what a node
// has stays as long as its channels, and a poll leaves next to nothing behind: more would be memory that is never used, and
// less would be collected as seldom.
const growth = 25

// lean has the process take little more memory than it uses, and gives back what only its start needed. Who has set GOGC
// (package runtime) has chosen otherwise.
func lean(getenv func(string) string) {
	if getenv("GOGC") == "" {
		debug.SetGCPercent(growth)
	}
	debug.FreeOSMemory()
}
