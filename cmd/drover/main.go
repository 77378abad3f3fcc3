// Command drover runs device drivers as sandboxed WebAssembly modules and puts what they read on NATS.
package main

import (
	"context"
	"os"

	"github.com/mattn/go-isatty"
)

func main() { os.Exit(run()) }

// run returns the exit code; main's deferred calls would not run.
func run() int {
	t := terminal{
		out:   os.Stdout,
		err:   os.Stderr,
		isTTY: isatty.IsTerminal(os.Stdout.Fd()) || isatty.IsCygwinTerminal(os.Stdout.Fd()),
		size:  screenSize,
		plain: os.Getenv("NO_COLOR") != "" || os.Getenv("TERM") == "dumb",
	}
	ctx, stop := untilSignal(context.Background())
	defer stop()
	return execute(ctx, t, os.Args[1:])
}
