package main

import (
	"fmt"
	"sync"
	"time"
)

// patience is how long something may take before a terminal says what it is that takes so long.
const patience = time.Second

// progress says on a terminal, once it has taken a second, what is being done. The caller calls done, which takes the line
// back. Elsewhere nothing is said.
func (g *globals) progress(doing string) (done func()) {
	if !g.isTTY {
		return func() {}
	}
	var mu sync.Mutex
	over, said := false, false
	timer := time.AfterFunc(patience, func() {
		mu.Lock()
		defer mu.Unlock()
		if !over {
			said = true
			fmt.Fprintf(g.err, "\r%s ...", doing)
		}
	})
	return func() {
		timer.Stop()
		mu.Lock()
		defer mu.Unlock()
		if over = true; said {
			fmt.Fprint(g.err, "\r\x1b[2K") // EL: erase the line
		}
	}
}
