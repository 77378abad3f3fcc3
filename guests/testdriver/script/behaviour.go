package script

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/droverhq/drover/abi/driver"
	"github.com/droverhq/drover/guests/sdk"
)

// Behaviour is what a phase does in place of its work:
//
//	ok                    its work
//	fail                  an error without a kind; fail:retryable, fail:fatal, fail:stop: with one and the code broken
//	own:CODE              an error with a code of the driver's own
//	io:CAUSE              an error with an I/O cause by its name, as io:timeout
//	panic, nil, divide    what Go ends with: a panic, a nil dereference, a division by zero
//	trap:NAME             a trap of WebAssembly by its failure code, as trap:memory-bounds
//	exit:N                the process's end with that number
//	recurse               a recursion without end
//	loop                  computing for ever
//	oom                   memory without end
//	encoding              text that is not UTF-8, which the contract forbids
//	sleep, sleep:DURATION the clock's own sleep, for ever or that long, then its work
//	wait, wait:DURATION   the same in control.wait, deaf to all that comes
//	dial:ADDRESS          connecting to an address, which the channel's grants may not cover, and waiting for it
//	datagram:ADDRESS      sending a datagram to an address, likewise, and waiting for an answer
//	listen:NAME           listening on a configured name
//	block-read            reading from the connection without a deadline
//	flood:WHAT            calling the host without end: see flood.go
//	disconnected, reconnect:REASON, fatal, yielded    run's outcome
type Behaviour string

// maxNumber is above every exit code.
const maxNumber = 256

// outcomeError carries an outcome out of a poll.
type outcomeError struct{ outcome sdk.Outcome }

func (*outcomeError) Error() string { return "the script ends the run" }

// parse returns what the behaviour does. The stream may be nil.
func (b Behaviour) parse() (func(ctx *sdk.Context, s *sdk.Stream) error, error) {
	verb, arg, _ := strings.Cut(string(b), ":")
	switch verb {
	case "", "ok":
		return func(*sdk.Context, *sdk.Stream) error { return nil }, nil
	case "fail", "own", "io":
		return failing(verb, arg)
	case "exit":
		n, err := strconv.ParseUint(arg, 10, 8)
		return func(*sdk.Context, *sdk.Stream) error { os.Exit(int(n)); return nil }, err
	case "sleep", "wait":
		return pausing(verb, arg)
	case "block-read":
		return blockRead, nil
	case "encoding":
		return misspell, nil
	case "dial":
		return func(ctx *sdk.Context, _ *sdk.Stream) error { return dial(ctx, arg) }, nil
	case "datagram":
		return func(ctx *sdk.Context, _ *sdk.Stream) error { return datagram(ctx, arg) }, nil
	case "listen":
		return func(ctx *sdk.Context, _ *sdk.Stream) error { return listen(ctx, arg) }, nil
	case "flood":
		return flooding(arg)
	case "trap":
		if f, ok := traps()[arg]; ok {
			return func(*sdk.Context, *sdk.Stream) error { f(); return nil }, nil
		}
		return nil, fmt.Errorf("unknown trap %q", arg)
	case "disconnected", "reconnect", "fatal", "yielded":
		return ending(verb, arg), nil
	}
	if f := fault(verb); f != nil {
		return func(*sdk.Context, *sdk.Stream) error { f(); return nil }, nil
	}
	return nil, fmt.Errorf("unknown behaviour %q", b)
}

func failing(verb, arg string) (func(*sdk.Context, *sdk.Stream) error, error) {
	err := errors.New("scripted failure")
	switch verb + ":" + arg {
	case "fail:":
	case "fail:retryable":
		err = sdk.Retryable("broken", "scripted failure")
	case "fail:fatal":
		err = sdk.Fatal("broken", "scripted failure")
	case "fail:stop":
		err = sdk.Stop("broken", "scripted failure")
	default:
		switch {
		case verb == "own" && arg != "":
			err = &sdk.Error{Code: arg, Summary: "scripted failure"}
		case verb == "io":
			cause, ok := ioErrorNamed(arg)
			if !ok {
				return nil, fmt.Errorf("unknown I/O error %q", arg)
			}
			err = fmt.Errorf("scripted failure: %w", cause)
		default:
			return nil, fmt.Errorf("unknown behaviour %q", verb+":"+arg)
		}
	}
	return func(*sdk.Context, *sdk.Stream) error { return err }, nil
}

func ioErrorNamed(name string) (sdk.IOError, bool) {
	for e := sdk.ErrTimeout; e <= sdk.ErrOther; e++ {
		if driver.IOError(e).String() == name {
			return e, true
		}
	}
	return 0, false
}

func pausing(verb, arg string) (func(*sdk.Context, *sdk.Stream) error, error) {
	d := sdk.Forever
	if arg != "" {
		var err error
		if d, err = sdk.ParseDuration(arg); err != nil {
			return nil, err
		}
	}
	return func(ctx *sdk.Context, _ *sdk.Stream) error {
		if verb == "sleep" {
			time.Sleep(d)
			return nil
		}
		for end := ctx.Now().Add(d); ctx.Now().Before(end); {
			ctx.Wait(end.Sub(ctx.Now()))
		}
		return nil
	}, nil
}

// misspell gives the host text that is not UTF-8.
func misspell(ctx *sdk.Context, _ *sdk.Stream) error {
	_, err := ctx.Publish([]sdk.Sample{sdk.Good(0, driver.ValueText("\xff"), time.Time{})})
	return err
}

func blockRead(_ *sdk.Context, s *sdk.Stream) error {
	if s == nil {
		return errors.New("block-read without a connection")
	}
	_, err := s.Read(make([]byte, maxNumber))
	return err
}

func ending(verb, arg string) func(*sdk.Context, *sdk.Stream) error {
	outcome := sdk.Disconnected()
	switch verb {
	case "reconnect":
		outcome = sdk.Reconnect(arg)
	case "fatal":
		outcome = sdk.FatalOutcome(&sdk.Error{Code: "broken", Summary: "scripted failure"})
	case "yielded":
		outcome = sdk.Yielded()
	}
	return func(*sdk.Context, *sdk.Stream) error { return &outcomeError{outcome} }
}

// fault returns what breaks the instance, nil for an unknown name.
func fault(name string) func() {
	switch name {
	case "panic":
		return func() { panic("scripted panic") }
	case "nil":
		return func() { var s *Settings; s.Cycle++ }
	case "divide":
		return func() { zero := len(os.Args) - len(os.Args); _ = maxNumber / zero }
	case "recurse":
		return func() { recurse(0) }
	case "loop":
		return spin
	case "oom":
		return exhaust
	}
	return nil
}

//go:noinline
func recurse(n int) int { return recurse(n+1) + n }

//go:noinline
func spin() {
	for i := 0; i >= 0; {
		i ^= 1
	}
}

func exhaust() {
	var all [][]byte
	for {
		all = append(all, slices.Repeat([]byte{1}, 1<<20))
	}
}
