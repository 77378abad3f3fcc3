package socket

import (
	"context"
	"log/slog"
	"net/netip"
	"slices"
	"strings"
	"sync"
)

// Resolver asks for the addresses of a name, "ip" for all of them. A *net.Resolver is one.
type Resolver interface {
	LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error)
}

// Names are the addresses of the names that one channel has asked for. A name keeps them for as long as they work: the
// address that was checked is the one that is connected to, now and at each reconnect, whatever a name server answers
// meanwhile. Only who has found none of them working has the name asked for again.
type Names struct {
	resolver Resolver
	log      *slog.Logger

	mu     sync.Mutex
	pinned map[string]*pin
}

// pin is what a name was answered.
type pin struct {
	addresses []netip.Addr
	// stale says that none of them worked: the next one who needs the name asks again.
	stale bool
}

// NewNames returns those of a channel. They are as many as its grants have names.
func NewNames(r Resolver, log *slog.Logger) *Names {
	return &Names{resolver: r, log: log, pinned: make(map[string]*pin)}
}

// known returns the addresses that a name has kept.
func (n *Names) known(name string) ([]netip.Addr, bool) {
	name = strings.ToLower(name)
	n.mu.Lock()
	defer n.mu.Unlock()
	p := n.pinned[name]
	if p == nil || p.stale {
		return nil, false
	}
	return p.addresses, true
}

// ask returns the addresses of a name, those that it has kept where they work.
func (n *Names) ask(ctx context.Context, name string) ([]netip.Addr, error) {
	if addresses, ok := n.known(name); ok {
		return addresses, nil
	}
	answer, err := n.resolver.LookupNetIP(ctx, "ip", name)
	if err != nil {
		return nil, err
	}
	for i := range answer {
		answer[i] = answer[i].Unmap()
	}
	n.keep(name, answer)
	return answer, nil
}

// keep pins the answer, and tells where the name has moved to.
func (n *Names) keep(name string, answer []netip.Addr) {
	name = strings.ToLower(name)
	n.mu.Lock()
	before := n.pinned[name]
	n.pinned[name] = &pin{addresses: answer}
	n.mu.Unlock()
	if before != nil && !slices.ContainsFunc(answer, func(a netip.Addr) bool { return slices.Contains(before.addresses, a) }) {
		n.log.Warn("a name has other addresses", "name", name, "from", before.addresses, "to", answer)
	}
}

// release has the name asked for again, because none of its addresses works.
func (n *Names) release(name string) {
	name = strings.ToLower(name)
	n.mu.Lock()
	defer n.mu.Unlock()
	if p := n.pinned[name]; p != nil {
		p.stale = true
	}
}
