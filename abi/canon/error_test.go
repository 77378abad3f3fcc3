package canon

import (
	"errors"
	"io"
	"strings"
	"testing"
)

// TestGuard says what a panic of a host function becomes.
func TestGuard(t *testing.T) {
	var none *held
	fault, end := &Error{Reason: "r"}, &guestError{"call", io.EOF}
	for name, c := range map[string]struct {
		panics func()
		check  func(any) bool
	}{
		"fault": {func() { panic(fault) }, func(p any) bool { e, ok := p.(*Error); return ok && e.Func == "f" }},
		"error": {func() { panic(end) }, func(p any) bool { return p == any(end) }},
		"runtime error": {func() { none.drops++ }, func(p any) bool {
			e, ok := p.(*HostPanic)
			return ok && e.Func == "f" && strings.Contains(string(e.Stack), "TestGuard") && e.Unwrap() != nil
		}},
		"text": {func() { panic("unreachable") }, func(p any) bool {
			e, ok := p.(*HostPanic)
			return ok && e.Value == "unreachable" && strings.Contains(e.Error(), "host function f panicked")
		}},
		"nothing": {func() {}, func(p any) bool { return p == nil }},
	} {
		p := func() (p any) {
			defer func() { p = recover() }()
			defer Guard("f")
			c.panics()
			return nil
		}()
		if !c.check(p) {
			t.Errorf("%s: became %#v", name, p)
		}
	}
}

// TestRecover says what it takes and what it lets through.
func TestRecover(t *testing.T) {
	call := func(p any) (through any, err error) {
		defer func() { through = recover() }()
		return nil, caught(func() { panic(p) })
	}
	if _, err := call(&Error{Reason: "r"}); err == nil || err.Error() != "canonical ABI: test: r" {
		t.Errorf("a fault: %v", err)
	}
	if _, err := call(&guestError{"realloc", io.EOF}); !errors.Is(err, io.EOF) {
		t.Errorf("an error of the guest: %v", err)
	}
	for _, p := range []any{io.EOF, "text", &HostPanic{}} {
		if through, _ := call(p); through != p {
			t.Errorf("%#v was not let through", p)
		}
	}
}
