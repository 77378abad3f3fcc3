package node

import (
	"context"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/droverhq/drover/runtime/failure"
	"github.com/droverhq/drover/runtime/supervise"
)

// repeatEvery is how often failures that are like those before them are logged all the same.
const repeatEvery = time.Hour

// failureLog logs a channel's failures and states so that one that fails the same way for days does not fill the log:
// of failures in a row that are alike it logs the first, then one an hour with how many were left out. How many were
// left out since is told when another failure comes, when the channel has been connected for supervise.DefaultStableAfter,
// and when it ends. States in between are as often as the failures and go with them. What is left out is logged for
// debugging.
//
// Its methods may be called from any goroutine.
type failureLog struct {
	logger *slog.Logger

	mu     sync.Mutex
	last   likeness // the zero value is that of no failure
	at     time.Time
	hidden int // failures like the last one since at
	stable *time.Timer
}

// likeness is what makes failures alike: phase, code, and the summary but for its words with digits, because those are
// the times, addresses, ports and counts that change from one to the next.
type likeness struct {
	phase   failure.Phase
	code    failure.Code
	summary string
}

func likenessOf(r failure.Record) likeness {
	words := strings.Fields(r.Summary)
	for i, w := range words {
		if strings.ContainsAny(w, "0123456789") {
			words[i] = "#"
		}
	}
	return likeness{r.Phase, r.Code, strings.Join(words, " ")}
}

func (l *failureLog) failure(r failure.Record) {
	l.mu.Lock()
	defer l.mu.Unlock()
	level, like, now := slog.LevelWarn, likenessOf(r), time.Now()
	switch {
	case like != l.last:
		l.tell()
		l.last, l.at = like, now
	case now.Sub(l.at) < repeatEvery:
		l.hidden++
		level = slog.LevelDebug
	default:
		l.at = now
	}
	attrs := []slog.Attr{
		slog.String("phase", string(r.Phase)), slog.String("kind", string(r.Kind)), slog.String("code", string(r.Code)),
		slog.String("summary", r.Summary), slog.Uint64("attempt", r.Attempt),
	}
	if level == slog.LevelWarn && l.hidden > 0 {
		attrs = append(attrs, slog.Int("suppressed", l.hidden))
		l.hidden = 0
	}
	l.logger.LogAttrs(context.Background(), level, "failure", attrs...)
}

func (l *failureLog) state(s supervise.Snapshot) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.settle()
	level := slog.LevelInfo
	switch s.State {
	case supervise.Failed, supervise.Stopped, supervise.Quarantined:
		l.tell()
	case supervise.Connected:
		l.await()
		fallthrough
	default:
		if l.hidden > 0 {
			level = slog.LevelDebug
		}
	}
	l.logger.Log(context.Background(), level, "state", "state", s.State.String(), "reason", s.Reason, "attempt", s.Attempt)
}

// tell tells what was left out. The lock is held.
func (l *failureLog) tell() {
	if l.hidden > 0 {
		l.logger.Warn("failures suppressed", "phase", string(l.last.phase), "code", string(l.last.code), "suppressed", l.hidden)
	}
	l.last, l.hidden = likeness{}, 0
}

// await ends the row once the channel has been connected for long enough. The lock is held.
func (l *failureLog) await() {
	if l.last == (likeness{}) {
		return
	}
	var timer *time.Timer
	timer = time.AfterFunc(supervise.DefaultStableAfter, func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		if l.stable != timer { // it is not connected any more
			return
		}
		l.stable = nil
		l.tell()
		l.logger.Info("stable again")
	})
	l.stable = timer
}

// settle ends the wait for a stable session. The lock is held.
func (l *failureLog) settle() {
	if l.stable != nil {
		l.stable.Stop()
		l.stable = nil
	}
}
