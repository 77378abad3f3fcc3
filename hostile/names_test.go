//go:build hostile

package hostile

import (
	"bytes"
	"context"
	"net"
	"sync"
	"testing"

	"github.com/droverhq/drover/runtime/failure"
	"github.com/droverhq/drover/runtime/module"
)

// TestRebinding: the name server of a configured host is in league with the driver, and leads it to this machine, where
// something listens. The attempt ends as one that was not granted, and nobody was connected to.
func TestRebinding(t *testing.T) {
	home, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	visited := make(chan struct{})
	go func() {
		defer close(visited)
		if conn, err := home.Accept(); err == nil {
			t.Error("the driver has come to this machine")
			_ = conn.Close()
		}
	}()
	defer func() {
		_ = home.Close()
		<-visited
	}()
	resolveBy(t, serveNames(t))
	_, port, _ := net.SplitHostPort(home.Addr().String())
	r := newRig(t)
	r.device = net.JoinHostPort("plc.drover.test.", port)
	m, err := r.load(t, find(t, "read-for-ever").binary)
	if err != nil {
		t.Fatal(err)
	}
	c, e := r.start(t, "attack", m, "{}", module.Limits{Compute: compute})
	e.await(t, "its failure", func() bool { return len(e.failures) > 0 })
	closeChannel(t, c)
	if f := e.failures[0]; f.Phase != failure.PhaseConnect || f.Code != failure.GrantDenied {
		t.Errorf("got %s %s %q, want %s", f.Phase, f.Code, f.Summary, failure.GrantDenied)
	}
	if e.denied == 0 {
		t.Error("nobody was told")
	}
}

// find returns the attack of that name.
func find(t *testing.T, name string) attack {
	t.Helper()
	for _, a := range readAttacks(t) {
		if a.name == name {
			return a
		}
	}
	t.Fatalf("there is no attack %s", name)
	return attack{}
}

// resolveBy has this process ask that name server.
func resolveBy(t *testing.T, address string) {
	t.Helper()
	before := net.DefaultResolver
	net.DefaultResolver = &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "udp", address)
	}}
	t.Cleanup(func() { net.DefaultResolver = before })
}

// serveNames answers every question for an IPv4 address with this machine's, not to be kept. It returns where it listens.
func serveNames(t *testing.T) (address string) {
	t.Helper()
	conn, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var serving sync.WaitGroup
	serving.Go(func() {
		question := make([]byte, 512)
		for {
			n, from, err := conn.ReadFrom(question)
			if err != nil {
				return
			}
			_, _ = conn.WriteTo(homeward(question[:n]), from)
		}
	})
	t.Cleanup(func() {
		_ = conn.Close()
		serving.Wait()
	})
	return conn.LocalAddr().String()
}

// homeward is the answer to a question (RFC 1035, section 4): this machine, not to be kept, if it is for an IPv4 address.
func homeward(question []byte) []byte {
	const header = 12
	end := header + bytes.IndexByte(question[header:], 0) + 5 // the name's end, type and class
	answer := append([]byte{}, question[:end]...)
	answer[2], answer[3] = 0x81, 0x80 // a response, recursion available
	copy(answer[6:], make([]byte, 6)) // no other records
	if question[end-3] != 1 {         // not A
		return answer
	}
	answer[7] = 1
	return append(answer, 0xc0, header, 0, 1, 0, 1, 0, 0, 0, 0, 0, 4, 127, 0, 0, 1)
}
