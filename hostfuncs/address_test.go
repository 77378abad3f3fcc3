package hostfuncs

import (
	"context"
	"net"
	"net/netip"
	"strings"
	"testing"

	"github.com/droverhq/drover/abi/driver"
	"github.com/droverhq/drover/abi/driver/host"
	"github.com/droverhq/drover/hostfuncs/grant"
)

// pattern covers a range of addresses at the port of one.
func pattern(t *testing.T, addresses, like string) grant.Pattern {
	t.Helper()
	port := netip.MustParseAddrPort(like).Port()
	return grant.Pattern{Prefix: netip.MustParsePrefix(addresses), First: port, Last: port}
}

// dial must give a stream to an address.
func dial(t *testing.T, s *Session, address string) host.Stream {
	t.Helper()
	r := s.Connect(t.Context(), driver.TargetAddress(address))
	if r.Failed {
		t.Fatalf("connect: %v: %v", r.Err, s.LastError())
	}
	return r.Value
}

// names answers from a list, and counts the questions.
type names struct {
	answers map[string]string
	asked   int
}

func (n *names) LookupNetIP(_ context.Context, _, name string) ([]netip.Addr, error) {
	n.asked++
	if a, ok := n.answers[name]; ok {
		return []netip.Addr{netip.MustParseAddr(a)}, nil
	}
	return nil, &net.DNSError{Name: name, IsNotFound: true}
}

// TestByAddress: what a pattern covers is opened by its address, once at a time, and taken over as what has a name is.
func TestByAddress(t *testing.T) {
	address := server(t, echo)
	c := granted(t, Config{}, grant.Grants{TCP: []grant.Pattern{
		{Prefix: netip.MustParsePrefix("127.0.0.0/8"), First: 1, Last: 65535},
	}})
	asked := newSignals()
	first := c.Session(asked)
	st := dial(t, first, address)
	exchange(t, first, st, "question")
	failed(t, first.Connect(t.Context(), driver.TargetAddress(address)), driver.IOErrorBusy)
	exchange(t, first, dial(t, first, server(t, echo)), "another")
	_, port, err := net.SplitHostPort(address)
	if err != nil {
		t.Fatal(err)
	}
	mapped := net.JoinHostPort("::ffff:127.0.0.1", port)
	failed(t, first.Connect(t.Context(), driver.TargetAddress(mapped)), driver.IOErrorBusy)
	asked.ask()
	if err := first.Close(true); err != nil {
		t.Fatal(err)
	}
	second := c.Session(newSignals())
	st = dial(t, second, mapped)
	if !st.Resumed(t.Context()) {
		t.Error("it was not taken over")
	}
	exchange(t, second, st, "still there")
	if n := c.OpenLines(); n != 2 {
		t.Errorf("%d lines are open", n)
	}
	if err := second.Close(false); err != nil {
		t.Error(err)
	}
	if n := c.OpenLines(); n != 0 {
		t.Errorf("%d lines are open in the end", n)
	}
}

// TestNotCovered: each refusal is heard of once, and nobody is asked for a name that no pattern has.
func TestNotCovered(t *testing.T) {
	address := server(t, echo)
	book := &names{answers: map[string]string{"plc.lan": "127.0.0.1", "other.lan": "10.0.0.1"}}
	port := netip.MustParseAddrPort(address).Port()
	c := granted(t, Config{Resolver: book}, grant.Grants{
		Connections: []grant.Connection{tcp("main", address)},
		TCP:         []grant.Pattern{{Name: "plc.lan", First: port, Last: port}, pattern(t, "10.0.0.0/24", address)},
		UDP:         []grant.Pattern{pattern(t, "127.0.0.0/8", address)},
	})
	heard := newSignals()
	s := c.Session(heard)
	ctx := t.Context()
	for text, want := range map[string]driver.IOError{
		address: driver.IOErrorDenied, "10.0.0.1:1": driver.IOErrorDenied, "0.0.0.0:4222": driver.IOErrorDenied,
		"other.lan:502": driver.IOErrorDenied, "secret.example:53": driver.IOErrorDenied, "[::1]:4222": driver.IOErrorDenied,
		"2130706433:4222": driver.IOErrorDenied,
		"nowhere":         driver.IOErrorInvalid, "": driver.IOErrorInvalid, "10.0.0.1:0": driver.IOErrorInvalid,
	} {
		failed(t, s.Connect(ctx, driver.TargetAddress(text)), want)
	}
	if len(heard.denied) != 7 || heard.refused != 3 || book.asked != 0 {
		t.Errorf("heard %q and %d refusals, %d questions were asked", heard.denied, heard.refused, book.asked)
	}
	// The name is granted, and leads to this machine, which is not.
	st := dial(t, s, net.JoinHostPort("PLC.lan.", address[strings.LastIndexByte(address, ':')+1:]))
	for range 3 {
		failed(t, st.Ready(ctx, long), driver.IOErrorDenied)
	}
	failed(t, st.Write(ctx, []byte("x"), long), driver.IOErrorDenied)
	if n := len(heard.denied); n != 8 || !strings.Contains(heard.denied[7], "plc.lan is 127.0.0.1") {
		t.Errorf("heard %q", heard.denied)
	}
}
