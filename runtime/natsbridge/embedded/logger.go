package embedded

import (
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats-server/v2/server"
)

// logger hands the server's lines to slog, and keeps its first fatal error instead of ending the process: a port that is
// taken is one.
type logger struct {
	to         *slog.Logger
	violations violations
	leaves     leaves

	mu  sync.Mutex
	err error
	// who puts the names of roles in the place of their keys.
	who *strings.Replacer
}

var _ server.Logger = (*logger)(nil)

func newLogger(to *slog.Logger) *logger {
	if to == nil {
		to = slog.New(slog.DiscardHandler)
	}
	to = to.With("component", "nats-server")
	return &logger{
		to:         to,
		violations: violations{to: to, now: time.Now},
		leaves:     leaves{to: to, now: time.Now},
	}
}

// fatal returns the fatal error, if there was one.
func (l *logger) fatal() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.err
}

// know gives keys their names.
func (l *logger) know(k *keys) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.who = k.names()
}

func (l *logger) named(text string) string {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.who == nil {
		return text
	}
	return l.who.Replace(text)
}

// reset forgets the fatal error.
func (l *logger) reset() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.err = nil
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

// Errorf implements server.Logger. What clients do, and what a hub that is away causes, is thinned out.
func (l *logger) Errorf(format string, v ...any) {
	text := fmt.Sprintf(format, v...)
	switch {
	case l.leaves.failed(text):
	case isViolation(text):
		l.violations.take(l.named(text))
	default:
		l.to.Error("server", "line", text)
	}
}

// Warnf implements server.Logger.
func (l *logger) Warnf(format string, v ...any) {
	l.to.Warn("server", "line", fmt.Sprintf(format, v...))
}

func (l *logger) Noticef(format string, v ...any) {
	l.to.Debug("server", "line", fmt.Sprintf(format, v...))
}
func (l *logger) Debugf(string, ...any) {}
func (l *logger) Tracef(string, ...any) {}
