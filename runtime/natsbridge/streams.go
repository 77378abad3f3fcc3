package natsbridge

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

const (
	// metadataNode marks a stream as a node's own, with the node's name.
	metadataNode = "drover-node"
	// dedupeWindow is how long a stream knows the ids of its messages.
	dedupeWindow = 2 * time.Minute

	eventsMaxBytes = 16 << 20
	eventsMaxAge   = 7 * 24 * time.Hour
)

// codeOverlap: another stream has the subject (nats-server, errors.json).
const codeOverlap = 10065

// own makes or updates a stream of the node's own. A stream of the name that is not marked as the node's is not touched.
func (k *keeper) own(ctx context.Context, want jetstream.StreamConfig) (jetstream.Stream, error) {
	want.Metadata = map[string]string{metadataNode: k.b.config.Node}
	stream, err := k.js.Stream(ctx, want.Name)
	if errors.Is(err, jetstream.ErrStreamNotFound) {
		stream, err = k.js.CreateStream(ctx, want)
		return stream, k.overlap(ctx, want, explain(err))
	}
	if err != nil {
		return nil, explain(err)
	}
	have := stream.CachedInfo().Config
	if have.Metadata[metadataNode] != k.b.config.Node {
		return nil, fmt.Errorf("the stream %s is somebody else's: it has no metadata %s: %s", want.Name, metadataNode,
			k.b.config.Node)
	}
	if same(have, want) {
		return stream, nil
	}
	stream, err = k.js.UpdateStream(ctx, want)
	return stream, k.overlap(ctx, want, explain(err))
}

// same says whether a stream is as wanted, as far as the configuration says it.
func same(have, want jetstream.StreamConfig) bool {
	sorted := func(subjects []string) []string { return slices.Sorted(slices.Values(subjects)) }
	return slices.Equal(sorted(have.Subjects), sorted(want.Subjects)) &&
		have.MaxBytes == want.MaxBytes && have.Storage == want.Storage && have.MaxAge == want.MaxAge
}

// overlap names the stream that has the subjects already, if that is what is wrong.
func (k *keeper) overlap(ctx context.Context, want jetstream.StreamConfig, err error) error {
	e, ok := errors.AsType[*jetstream.APIError](err)
	if !ok || e.ErrorCode != codeOverlap {
		return err
	}
	var others []string
	for _, subject := range want.Subjects {
		names, _ := k.streamsOver(ctx, subject) // without the names, the error says enough
		others = append(others, names...)
	}
	slices.Sort(others)
	others = slices.DeleteFunc(slices.Compact(others), func(name string) bool { return name == want.Name })
	return fmt.Errorf("%s captured already by the stream %s, which is not the node's: %w",
		strings.Join(want.Subjects, ", "), strings.Join(others, ", "), err)
}

// openEvents makes the stream of events and lets them go there.
func (k *keeper) openEvents(ctx context.Context) error {
	stored, err := k.makeTrack(ctx, k.b.events, jetstream.StreamConfig{
		Name: k.b.kept.Events, Description: "What happened to the channels of " + k.b.config.Node,
		Subjects: []string{k.b.kept.EventSubjects()}, MaxBytes: eventsMaxBytes, MaxAge: eventsMaxAge,
	})
	if err != nil {
		return err
	}
	k.b.events.open(laneStream, stored)
	return nil
}

// openData makes the stream of data, with exactly the channels delivered through it, and lets their data go there.
// Without such channels it makes none; one that is left from before keeps what it has and captures nothing more.
func (k *keeper) openData(ctx context.Context) error {
	for {
		channels, version := k.b.streamed.wanted()
		open, err := k.makeData(ctx, channels)
		if err != nil || k.b.streamed.ready(version, open) {
			return err
		}
	}
}

// makeData makes the stream of data for these channels; open then lets their data go there.
func (k *keeper) makeData(ctx context.Context, channels []string) (open func(), err error) {
	c := &k.b.config.Stream
	want := jetstream.StreamConfig{
		Name: k.b.kept.Data, Description: "What the channels of " + k.b.config.Node + " read",
		MaxBytes: c.MaxBytes, MaxAge: c.MaxAge,
	}
	if c.Memory {
		want.Storage = jetstream.MemoryStorage
	}
	for _, channel := range channels {
		want.Subjects = append(want.Subjects, k.b.kept.DataSubjects(channel))
	}
	if len(channels) == 0 {
		return func() {}, k.retire(ctx, want.Name)
	}
	stored, err := k.makeTrack(ctx, k.b.data, want)
	return func() { k.b.data.open(laneStream, stored) }, err
}

// leavingPause is how often it is looked whether the stream has what waits for channels that leave it.
const leavingPause = 500 * time.Millisecond

// follow has the stream of data made again where other channels are delivered through it than it was made for. It says
// whether there are channels that leave it.
func (k *keeper) follow(now time.Time) bool {
	changed, leaving := k.b.streamed.settle(k.b.data.waits)
	if d := k.duties[dutyData]; changed && d.done {
		d.pause = 0
		d.again(now)
	}
	return leaving
}

// retire has a stream of the node's own, if there is one, capture nothing more.
func (k *keeper) retire(ctx context.Context, name string) error {
	stream, err := k.js.Stream(ctx, name)
	switch {
	case errors.Is(err, jetstream.ErrStreamNotFound), errors.Is(explain(err), errNone):
		return nil
	case err != nil:
		return explain(err)
	}
	config := stream.CachedInfo().Config
	unused := []string{name} // a stream has a subject, if only its name
	if config.Metadata[metadataNode] != k.b.config.Node || slices.Equal(config.Subjects, unused) {
		return nil
	}
	config.Subjects = unused
	_, err = k.js.UpdateStream(ctx, config)
	return explain(err)
}

// makeTrack makes the stream of a track. Messages that were sent and not acknowledged are compared with the end of the
// stream, which knows more than the dedupe window does: stored is the id of what it has there.
func (k *keeper) makeTrack(ctx context.Context, t *track, want jetstream.StreamConfig) (stored string, err error) {
	want.Duplicates = dedupeWindow
	if want.MaxAge > 0 {
		want.Duplicates = min(want.Duplicates, want.MaxAge)
	}
	stream, err := k.own(ctx, want)
	if err != nil {
		return "", err
	}
	if last := stream.CachedInfo().State.LastSeq; last > 0 && t.uncertain() {
		m, err := stream.GetMsg(ctx, last)
		switch {
		case err == nil:
			stored = m.Header.Get(jetstream.MsgIDHeader)
		case !errors.Is(err, jetstream.ErrMsgNotFound):
			return "", explain(err)
		}
	}
	return stored, nil
}

// nurse looks after the streams that take no messages: they are made again where they are gone. Events are published
// without a stream meanwhile.
func (k *keeper) nurse(now time.Time) {
	if trouble, since := k.b.events.troubled(); trouble != "" && now.Sub(since) >= eventsPatience {
		k.b.events.open(lanePlain, "")
		k.duties[dutyEvents].problem = errors.New(trouble)
		k.duties[dutyEvents].again(now.Add(eventsRest))
	}
	if trouble, _ := k.b.data.troubled(); trouble != "" && k.duties[dutyData].done {
		k.duties[dutyData].problem = errors.New(trouble)
		k.duties[dutyData].again(now.Add(dataRest))
	}
}

const (
	// eventsPatience is how long events wait for a stream that does not take them, eventsRest how long they then go
	// without one.
	eventsPatience = time.Second
	eventsRest     = 5 * time.Minute
	// dataRest is how often the stream of data is looked at while it takes no messages.
	dataRest = 2 * time.Second
)
