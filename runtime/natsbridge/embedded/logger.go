package embedded

import (
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"

	"github.com/nats-io/nats-server/v2/server"
)

// logger hands the server's lines to slog, and keeps its first fatal error instead of ending the process: a port that is
// taken is one.
type logger struct {
	to *slog.Logger

	mu  sync.Mutex
	err error
}

var _ server.Logger = (*logger)(nil)

func newLogger(to *slog.Logger) *logger {
	if to == nil {
		to = slog.New(slog.DiscardHandler)
	}
	return &logger{to: to.With("component", "nats-server")}
}

// fatal returns the fatal error, if there was one.
func (l *logger) fatal() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.err
}

func (l *logger) Fatalf(format string, v ...any) {
	text := fmt.Sprintf(format, v...)
	l.mu.Lock()
	if l.err == nil {
		l.err = errors.New(text)
	}
	l.mu.Unlock()
	l.to.Error("server failed", "line", text)
}

func (l *logger) Errorf(format string, v ...any) {
	l.to.Error("server", "line", fmt.Sprintf(format, v...))
}

// Warnf implements server.Logger. The node's own password is plain because it never leaves the process.
func (l *logger) Warnf(format string, v ...any) {
	if text := fmt.Sprintf(format, v...); !strings.HasPrefix(text, "Plaintext passwords detected") {
		l.to.Warn("server", "line", text)
	}
}

func (l *logger) Noticef(format string, v ...any) {
	l.to.Debug("server", "line", fmt.Sprintf(format, v...))
}
func (l *logger) Debugf(string, ...any) {}
func (l *logger) Tracef(string, ...any) {}
