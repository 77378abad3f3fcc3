package natsbridge

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/droverhq/drover/runtime/natsbridge/message"
)

// Stream says which channels' data goes into the node's own stream, and what becomes of what does not fit. Its zero
// value is a node without such channels.
type Stream struct {
	// Channels are those delivered through the stream.
	Channels []string
	// MaxBytes and MaxAge bound what the stream keeps, the oldest goes first; 512 MiB, and no bound in time, when 0.
	MaxBytes int64
	MaxAge   time.Duration
	// Memory keeps it in the server's memory, in place of files.
	Memory bool
	// Buffer bounds in bytes what waits in the node because the server is away or does not take it; 32 MiB when 0.
	Buffer int
	// Backpressure has Room answer no where the buffer is full. Without it, the oldest is dropped and counted.
	Backpressure bool
}

const (
	defaultStreamBytes  = 512 << 20
	defaultStreamBuffer = 32 << 20
)

func (s Stream) withDefaults() Stream {
	s.Channels = slices.Sorted(slices.Values(s.Channels))
	s.MaxBytes = cmp.Or(s.MaxBytes, defaultStreamBytes)
	s.Buffer = cmp.Or(s.Buffer, defaultStreamBuffer)
	return s
}

func (s *Stream) validate() error {
	for _, channel := range s.Channels {
		if !message.ValidChannel(channel) {
			return fmt.Errorf("channel %q: no name for a channel", channel)
		}
	}
	switch {
	case s.MaxBytes < 0 || s.MaxAge < 0:
		return errors.New("the stream's bounds are not negative")
	case s.Buffer < 2*messageBytes:
		return fmt.Errorf("the stream's buffer takes %d bytes or more", 2*messageBytes)
	default:
		return nil
	}
}
