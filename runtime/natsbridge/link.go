package natsbridge

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/droverhq/drover/runtime/natsbridge/dial"
	"github.com/droverhq/drover/runtime/natsbridge/message"
)

// link is the node's connection and what became of it.
type link struct {
	conn   *nats.Conn
	wire   *wire
	logger *slog.Logger
	// up holds a token when the connection came up since it was last taken.
	up      chan struct{}
	closed  chan struct{}
	watcher watcher
	// losses counts the connections that were lost.
	losses atomic.Uint64

	// state is what Stats and get.ping tell; nats.go is not asked, because a write that is held up holds its lock.
	mu    sync.Mutex
	state message.Link
}

// watcher hears what becomes of the connection, in order. It must not block.
type watcher interface {
	// connected hears of every connection and every loss.
	connected(up bool)
	// objection hears what the server objects to; true when it tells whoever it concerns.
	objection(err error) bool
}

// stalledAfter is how long the transport may take no bytes before it is given up.
const stalledAfter = 10 * time.Second

// connect starts the connection; with a URL, it need not come up for that.
func connect(c *Config, w watcher) (*link, error) {
	l := &link{
		watcher: w, wire: newWire(c.Server), logger: c.Logger,
		up: make(chan struct{}, 1), closed: make(chan struct{}),
	}
	l.state = message.Link{Name: "server", URL: c.URL, Since: message.Time{Time: time.Now()}}
	l.state.Set(message.LinkConnecting)
	credentials := c.Credentials
	if c.Server != nil {
		credentials = c.Server.Credentials()
	}
	options, err := credentials.Options()
	if err != nil {
		return nil, err
	}
	options = append(options, dial.Persistent("drover "+c.Node, InboxPrefix(c.Node))...)
	options = append(options, l.options(c.Server != nil)...)
	if l.conn, err = nats.Connect(c.URL, options...); err != nil {
		return nil, fmt.Errorf("connect to NATS: %w", err)
	}
	if l.conn.IsConnected() { // its handler may not have run yet
		l.turn(true, "", nil)
	}
	return l, nil
}

// InboxPrefix is where a node gets its answers: apart from _INBOX, which anybody may listen to.
func InboxPrefix(node string) string { return "_INBOX_" + node }

func (l *link) options(inProcess bool) []nats.Option {
	options := []nats.Option{
		nats.FlusherTimeout(stalledAfter),
		nats.ReconnectOnFlusherError(),
		nats.ConnectHandler(func(nc *nats.Conn) { l.connected(nc.ConnectedUrlRedacted()) }),
		nats.ReconnectHandler(func(nc *nats.Conn) { l.connected(nc.ConnectedUrlRedacted()) }),
		nats.ReconnectErrHandler(func(_ *nats.Conn, err error) { l.retried(err) }),
		nats.DisconnectErrHandler(func(_ *nats.Conn, err error) { l.lost(err) }),
		nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) { l.failed(err) }),
		nats.LameDuckModeHandler(func(*nats.Conn) { l.logger.Info("NATS server is going to stop") }),
		nats.ClosedHandler(func(*nats.Conn) { close(l.closed) }),
	}
	if inProcess {
		return append(options, nats.InProcessServer(l.wire))
	}
	return append(options, nats.RetryOnFailedConnect(true), nats.SetCustomDialer(l.wire))
}

// turn takes a change of the state, and what it is due to. url is kept when empty.
func (l *link) turn(connected bool, url string, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.state.Turn(connected, time.Now())
	if l.wire.server == nil { // within the process there is none
		l.state.URL = orDefault(url, l.state.URL)
	}
	if err != nil {
		l.state.LastError = err.Error()
	}
}

func (l *link) connected(url string) {
	l.turn(true, url, nil)
	l.logger.Info("connected to NATS", "url", url)
	l.watcher.connected(true)
	poke(l.up)
}

func (l *link) lost(err error) {
	if err == nil || l.wire.ended() { // we closed it
		return
	}
	l.turn(false, "", err)
	l.losses.Add(1)
	l.logger.Warn("lost the connection to NATS", "error", err)
	l.watcher.connected(false)
}

// retried takes an attempt that failed.
func (l *link) retried(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.state.Attempt++
	if err != nil {
		l.state.LastError = err.Error()
	}
}

// failed takes what the server objects to, permissions above all: publish does not return that. A node that may not
// publish is told so a thousand times a second: the objections 1, 2, 4, 8 and so on are logged.
func (l *link) failed(err error) {
	count := uint64(1)
	l.mu.Lock()
	if errors.Is(err, nats.ErrPermissionViolation) {
		l.state.Violations++
		l.state.LastViolation = err.Error()
		count = l.state.Violations
	} else {
		l.state.LastError = err.Error()
	}
	l.mu.Unlock()
	if count&(count-1) == 0 {
		l.logger.Warn("NATS reported an error", "error", err, "count", count)
	}
	l.watcher.objection(err)
}

// flush waits until the server has got everything that was published.
func (l *link) flush(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, stalledAfter)
	defer cancel()
	return l.conn.FlushWithContext(ctx)
}

// close ends the connection and waits until nats.go has said so.
func (l *link) close() {
	l.wire.end()
	l.conn.Close()
	<-l.closed
}

func (l *link) connectedNow() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.state.Number == int(message.LinkConnected)
}

// Links are the node's own connection, and those that its server keeps.
func (b *Bridge) Links() []message.Link {
	b.link.mu.Lock()
	links := []message.Link{b.link.state}
	b.link.mu.Unlock()
	if b.config.Server != nil {
		links = append(links, b.config.Server.Links()...)
	}
	return links
}
