package natsbridge

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/droverhq/drover/runtime/natsbridge/message"
)

const (
	// captureEvery is how often streams over the calls are looked for, captureLater when JetStream does not answer.
	captureEvery = time.Minute
	captureLater = time.Hour
)

// captured knows the streams that hold the node's calls: JetStream acknowledges what it stores to the reply subject, so
// such a stream answers every call in the node's place.
type captured struct {
	due        time.Time
	connection uint64
	streams    []string
}

// lookForCapture looks for such streams when that is due, and tells what changed. It belongs to the keeper's goroutine.
func (k *keeper) lookForCapture(ctx context.Context, now time.Time) {
	c := &k.captured
	if c.connection == k.connection && c.due.After(now) {
		return
	}
	c.connection, c.due = k.connection, now.Add(captureEvery)
	found, err := k.streamsOver(ctx, k.b.callSubject())
	if err != nil {
		// Without permission to ask, or without JetStream: asking each minute would be an error in a log each minute.
		c.due = now.Add(captureLater)
		return
	}
	if !slices.Equal(found, c.streams) {
		c.streams = found
		k.b.toldCaptured(found)
	}
}

// streamsOver returns the names of the streams whose subjects overlap, sorted.
func (k *keeper) streamsOver(ctx context.Context, subject string) ([]string, error) {
	ctx, cancel := context.WithTimeout(ctx, apiWait)
	defer cancel()
	list := k.js.StreamNames(ctx, jetstream.WithStreamListSubject(subject))
	var names []string
	for name := range list.Name() {
		names = append(names, name)
	}
	slices.Sort(names)
	return names, list.Err()
}

// callSubject covers all calls of the node.
func (b *Bridge) callSubject() string { return b.config.CallPrefix + "." + b.config.Node + ".>" }

// toldCaptured makes what was found known: in the log, as an event of the node, in get.ping and in Stats.
func (b *Bridge) toldCaptured(streams []string) {
	b.capturedBy.Store(&streams)
	if len(streams) == 0 {
		b.config.Logger.Info("no stream captures the calls any more")
	} else {
		b.config.Logger.Warn("streams capture the calls and answer them in the node's place: take its subjects out of them",
			"subject", b.callSubject(), "streams", strings.Join(streams, ", "))
	}
	b.Event(itself, "captured", message.Captured{Subject: b.callSubject(), Streams: append([]string{}, streams...)})
}

// captors returns the streams that capture the calls, as far as that was seen.
func (b *Bridge) captors() []string {
	if streams := b.capturedBy.Load(); streams != nil {
		return *streams
	}
	return nil
}
