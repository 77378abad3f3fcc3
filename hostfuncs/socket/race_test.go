package socket

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// track is how long addresses take to answer, and which of them do.
type track struct {
	takes map[string]time.Duration // negative: it refuses after that time

	mu    sync.Mutex
	begun []string
	made  map[string]*fakeConn
}

type fakeConn struct {
	net.Conn
	closed bool
}

func (c *fakeConn) Close() error { c.closed = true; return nil }

func (k *track) connect(ctx context.Context, to netip.AddrPort) (net.Conn, error) {
	host := to.Addr().String()
	k.mu.Lock()
	k.begun = append(k.begun, host)
	k.mu.Unlock()
	d := k.takes[host]
	select {
	case <-time.After(max(d, -d)):
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if d < 0 {
		return nil, errors.New(host + " refuses")
	}
	c := &fakeConn{}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.made[host] = c
	return c, nil
}

func TestRace(t *testing.T) {
	const never = time.Hour
	for _, tt := range []struct {
		name         string
		takes        map[string]time.Duration
		to           []string
		won, failure string
		after        time.Duration
		begun        string
	}{
		{"one", map[string]time.Duration{"10.0.0.1": time.Second}, []string{"10.0.0.1"}, "10.0.0.1", "", time.Second, "10.0.0.1"},
		{"first in time", map[string]time.Duration{"::1": 200 * time.Millisecond}, []string{"::1", "10.0.0.1"}, "::1", "",
			200 * time.Millisecond, "::1"},
		{"silent first", map[string]time.Duration{"::1": never, "10.0.0.1": 10 * time.Millisecond}, []string{"::1", "10.0.0.1"},
			"10.0.0.1", "", 260 * time.Millisecond, "::1 10.0.0.1"},
		{"refusing first", map[string]time.Duration{"::1": -10 * time.Millisecond, "10.0.0.1": 10 * time.Millisecond},
			[]string{"::1", "10.0.0.1"}, "10.0.0.1", "", 20 * time.Millisecond, "::1 10.0.0.1"},
		{"nobody", map[string]time.Duration{"::1": -10 * time.Millisecond, "10.0.0.1": -20 * time.Millisecond},
			[]string{"::1", "10.0.0.1"}, "", "::1 refuses", 30 * time.Millisecond, "::1 10.0.0.1"},
		{"given up", map[string]time.Duration{"::1": never, "10.0.0.1": never, "10.0.0.2": never},
			[]string{"::1", "10.0.0.1", "10.0.0.2"}, "", "context", time.Minute, "::1 10.0.0.1 10.0.0.2"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				k := &track{takes: tt.takes, made: map[string]*fakeConn{}}
				var to []netip.AddrPort
				for _, a := range tt.to {
					to = append(to, netip.AddrPortFrom(netip.MustParseAddr(a), 502))
				}
				ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
				defer cancel()
				begun := time.Now()
				conn, err := race(ctx, to, k.connect)
				if took := time.Since(begun); took != tt.after {
					t.Errorf("took %v, want %v", took, tt.after)
				}
				if got := strings.Join(k.begun, " "); got != tt.begun {
					t.Errorf("tried %s, want %s", got, tt.begun)
				}
				if tt.won == "" {
					if conn != nil || err == nil || !strings.Contains(err.Error(), tt.failure) {
						t.Errorf("got %v, %v", conn, err)
					}
					return
				}
				if err != nil || conn != k.made[tt.won] {
					t.Errorf("got %v, %v, want that of %s", conn, err, tt.won)
				}
				for host, c := range k.made {
					if c.closed == (host == tt.won) {
						t.Errorf("%s: closed is %t", host, c.closed)
					}
				}
			})
		})
	}
}
