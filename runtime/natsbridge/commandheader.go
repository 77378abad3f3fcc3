package natsbridge

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/nats-io/nats.go/micro"

	"github.com/droverhq/drover/runtime/natsbridge/message"
)

// commandHeader is what the headers of a command say.
type commandHeader struct {
	// deadline is when the caller stops waiting.
	deadline   time.Time
	key        string
	generation uint64
	caller     message.Caller
}

const (
	// headerRequestInfo is what a NATS server says of the client behind a service import (ADR-36 names it share).
	headerRequestInfo = "Nats-Request-Info"
	// longestName is how much of a caller's name is kept.
	longestName = 128
)

// readHeader reads the headers of a command that arrived now. The errors are ErrBody, and ErrNeverSent for one that came
// after its time.
func readHeader(r micro.Headers, now time.Time) (commandHeader, error) {
	h := commandHeader{key: r.Get(message.HeaderKey), caller: callerOf(r)}
	timeout, err := timeoutOf(r)
	if err != nil {
		return h, err
	}
	h.deadline = now.Add(timeout)
	if h.key != "" && !message.ValidName(h.key) {
		return h, headerError(message.HeaderKey, h.key, "[A-Za-z0-9_-]+, at most 128 characters")
	}
	if text := r.Get(message.HeaderGeneration); text != "" {
		if h.generation, err = strconv.ParseUint(text, 10, 64); err != nil || h.generation == 0 {
			return h, headerError(message.HeaderGeneration, text, "a number from 1")
		}
	}
	return h, h.readNotAfter(r.Get(message.HeaderNotAfter), now)
}

func (h *commandHeader) readNotAfter(text string, now time.Time) error {
	if text == "" {
		return nil
	}
	notAfter, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		return headerError(message.HeaderNotAfter, text, "a time as 2026-11-23T08:20:01Z")
	}
	left := notAfter.Sub(now)
	if left <= 0 {
		return message.ErrNeverSent.With(fmt.Sprintf("never sent: it came %s after its %s", (-left).Round(time.Millisecond),
			message.HeaderNotAfter))
	}
	if until := now.Add(left); until.Before(h.deadline) {
		h.deadline = until
	}
	return nil
}

func headerError(name, text, expected string) error {
	return message.ErrBody.With(fmt.Sprintf("%s %q: %s is expected", name, cut(text), expected))
}

// callerOf tells who called, as far as the headers do.
func callerOf(r micro.Headers) message.Caller {
	c := message.Caller{Name: cut(r.Get(message.HeaderCaller))}
	var info struct {
		Account string `json:"acc"`
		User    string `json:"user"`
	}
	if json.Unmarshal([]byte(r.Get(headerRequestInfo)), &info) == nil {
		c.Account, c.User = cut(info.Account), cut(info.User)
	}
	return c
}

// cut makes a foreign text one short line.
func cut(s string) string {
	s = oneLine(s)
	if len(s) > longestName {
		s = s[:longestName]
	}
	return strings.ToValidUTF8(s, "")
}
