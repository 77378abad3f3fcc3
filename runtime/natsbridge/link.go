package natsbridge

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/droverhq/drover/runtime/natsbridge/dial"
)

// link is the node's connection and what became of it.
type link struct {
	conn   *nats.Conn
	wire   *wire
	logger *slog.Logger
	// up holds a token when the connection came up since it was last taken.
	up     chan struct{}
	closed chan struct{}

	// What Stats tells; nats.go is not asked, because a write that is held up holds its lock.
	mu         sync.Mutex
	isUp       bool
	url        string
	since      time.Time
	lastError  string
	reconnects uint64
}

// stalledAfter is how long the transport may take no bytes before it is given up.
const stalledAfter = 10 * time.Second

// connect starts the connection; with a URL, it need not come up for that.
func connect(c *Config) (*link, error) {
	l := &link{
		wire: newWire(c.Server), logger: c.Logger, since: time.Now(),
		up: make(chan struct{}, 1), closed: make(chan struct{}),
	}
	credentials := c.Credentials
	if c.Server != nil {
		credentials = c.Server.Credentials()
	}
	options, err := credentials.Options()
	if err != nil {
		return nil, err
	}
	options = append(options, dial.Persistent("drover "+c.Node, inboxPrefix(c.Node))...)
	options = append(options, l.options(c.Server != nil)...)
	if l.conn, err = nats.Connect(c.URL, options...); err != nil {
		return nil, fmt.Errorf("connect to NATS: %w", err)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.isUp = l.isUp || l.conn.IsConnected() // its handler may not have run yet
	return l, nil
}

// inboxPrefix keeps the node's inboxes apart from _INBOX, which anybody may listen to.
func inboxPrefix(node string) string { return "_INBOX_" + node }

func (l *link) options(inProcess bool) []nats.Option {
	options := []nats.Option{
		nats.FlusherTimeout(stalledAfter),
		nats.ReconnectOnFlusherError(),
		nats.ConnectHandler(func(nc *nats.Conn) { l.connected(nc.ConnectedUrlRedacted()) }),
		nats.ReconnectHandler(func(nc *nats.Conn) { l.reconnected(nc.ConnectedUrlRedacted()) }),
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

func (l *link) connected(url string) {
	l.mu.Lock()
	l.isUp, l.url, l.since, l.lastError = true, url, time.Now(), ""
	l.mu.Unlock()
	l.logger.Info("connected to NATS", "url", url)
	select {
	case l.up <- struct{}{}:
	default:
	}
}

func (l *link) reconnected(url string) {
	l.mu.Lock()
	l.reconnects++
	l.mu.Unlock()
	l.connected(url)
}

func (l *link) lost(err error) {
	if err == nil { // we closed it
		return
	}
	l.mu.Lock()
	l.isUp, l.since, l.lastError = false, time.Now(), err.Error()
	l.mu.Unlock()
	l.logger.Warn("lost the connection to NATS", "error", err)
}

// failed takes what the server objects to, permissions above all: publish does not return that.
func (l *link) failed(err error) {
	l.mu.Lock()
	l.lastError = err.Error()
	l.mu.Unlock()
	l.logger.Warn("NATS reported an error", "error", err)
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
	return l.isUp
}
