package natsbridge

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/droverhq/drover/runtime/natsbridge/message"
)

// lease is the node's hold on its name, by the heartbeat in the bucket. Each beat names the one before it, so that who
// has lost the lease learns it from the next.
type lease struct {
	bucket   jetstream.Stream
	revision uint64
	beat     time.Time
}

// openBucket makes the bucket, takes the heartbeat over, and has every value written.
func (k *keeper) openBucket(ctx context.Context) error {
	bucket, err := k.own(ctx, k.bucketConfig())
	if err != nil {
		return err
	}
	k.lease = lease{bucket: bucket}
	if !bucket.CachedInfo().Config.AllowMsgTTL {
		k.complain("the heartbeat does not expire", "the server is older than 2.11")
	}
	if err := k.takeOver(ctx); err != nil {
		return err
	}
	k.kept.Store(true)
	k.shelf.mark(k.b.memory.keys()...)
	return nil
}

// bucketConfig is a key-value bucket in memory that knows lifetimes of keys (ADR-8, ADR-48).
func (k *keeper) bucketConfig() jetstream.StreamConfig {
	return jetstream.StreamConfig{
		Name: k.b.kept.BucketStream(), Description: "How the node " + k.b.config.Node + " is",
		Subjects: []string{k.b.kept.KeySubject(">")}, Storage: jetstream.MemoryStorage,
		MaxMsgsPerSubject: 1, MaxBytes: -1, Duplicates: dedupeWindow, Discard: jetstream.DiscardNew,
		AllowRollup: true, DenyDelete: true, AllowDirect: true,
		AllowMsgTTL: true, SubjectDeleteMarkerTTL: time.Hour,
	}
}

// takeOver makes the heartbeat this node's, unless another lives that has started before.
func (k *keeper) takeOver(ctx context.Context) error {
	for {
		revision, epoch, err := k.heartbeat(ctx)
		if err != nil {
			return err
		}
		if epoch != "" && epoch != k.b.config.Epoch {
			if err := k.b.contest(ctx); err != nil {
				return err
			}
		}
		k.lease.revision = revision
		err = k.beat(ctx)
		if errors.Is(err, errLeaseLost) {
			continue // somebody was faster
		}
		if err != nil || epoch == k.b.config.Epoch {
			return err
		}
		return k.clearOut(ctx)
	}
}

// heartbeat returns the revision and the epoch of the heartbeat; the epoch is empty where there is none any more.
func (k *keeper) heartbeat(ctx context.Context) (uint64, string, error) {
	m, err := k.lease.bucket.GetLastMsgForSubject(ctx, k.b.kept.KeySubject(message.KeyHeartbeat))
	switch {
	case errors.Is(err, jetstream.ErrMsgNotFound):
		return 0, "", nil
	case err != nil:
		return 0, "", fmt.Errorf("read the heartbeat: %w", explain(err))
	case m.Header.Get(headerOperation) != "" || m.Header.Get(jetstream.MarkerReasonHeader) != "":
		return m.Sequence, "", nil
	}
	var beat message.Heartbeat
	if err := json.Unmarshal(m.Data, &beat); err != nil {
		return m.Sequence, "", nil // nobody of ours wrote this
	}
	return m.Sequence, beat.Epoch, nil
}

// clearOut removes what an earlier epoch has left.
func (k *keeper) clearOut(ctx context.Context) error {
	for _, keys := range message.KeysOfStates() {
		err := k.lease.bucket.Purge(ctx, jetstream.WithPurgeSubject(k.b.kept.KeySubject(keys)))
		if err != nil {
			return fmt.Errorf("remove the states of an earlier epoch: %w", explain(err))
		}
	}
	return nil
}

var errLeaseLost = errors.New("somebody else has written the heartbeat")

// beat writes the heartbeat, over the one before it and over no other.
func (k *keeper) beat(ctx context.Context) error {
	body, err := json.Marshal(message.Heartbeat{
		Header: k.b.header(), Node: k.b.config.Node, Version: k.b.config.Version,
		Started: message.Time{Time: k.b.started},
	})
	if err != nil {
		return err
	}
	m := &nats.Msg{Subject: k.b.kept.KeySubject(message.KeyHeartbeat), Data: body}
	ack, err := k.js.PublishMsg(ctx, m, jetstream.WithExpectLastSequencePerSubject(k.lease.revision),
		jetstream.WithMsgTTL(k.b.config.HeartbeatTTL))
	if wrongSequence(err) {
		return errLeaseLost
	}
	if err != nil {
		return fmt.Errorf("write the heartbeat: %w", explain(err))
	}
	k.lease.revision, k.lease.beat = ack.Sequence, time.Now()
	return nil
}

// wrongSequence says whether a key was written by somebody else meanwhile; replicated streams have a code of their own.
func wrongSequence(err error) bool {
	e, ok := errors.AsType[*jetstream.APIError](err)
	return ok && (e.ErrorCode == jetstream.JSErrCodeStreamWrongLastSequence ||
		e.ErrorCode == jetstream.JSErrCodeStreamWrongLastSequenceConstant)
}

// resign removes the heartbeat: the node has ended in order.
func (k *keeper) resign(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, apiWait)
	defer cancel()
	revision, epoch, err := k.heartbeat(ctx)
	if err != nil || epoch != k.b.config.Epoch {
		return err
	}
	m := &nats.Msg{Subject: k.b.kept.KeySubject(message.KeyHeartbeat), Header: removal()}
	if _, err := k.js.PublishMsg(ctx, m, jetstream.WithExpectLastSequencePerSubject(revision)); err != nil {
		return fmt.Errorf("remove the heartbeat: %w", explain(err))
	}
	return nil
}

// atATime is how many keys are written before the answers are awaited: a key is written again only then, so that the
// latest value is the last.
const atATime = 256

// maintain writes the heartbeat when it is time, and the keys whose values have changed.
func (k *keeper) maintain(ctx context.Context) error {
	if !k.kept.Load() {
		return nil
	}
	now := time.Now()
	err := k.write(ctx)
	if err == nil && now.Sub(k.lease.beat) >= k.b.config.HeartbeatTTL/3 {
		if err = k.beat(ctx); errors.Is(err, errLeaseLost) {
			err = k.takeOver(ctx)
			k.shelf.mark(k.b.memory.keys()...)
			poke(k.poked)
		}
	}
	if err != nil {
		k.kept.Store(false)
		k.duties[dutyBucket].again(now.Add(time.Second))
	}
	return err
}

// write writes all keys whose values have changed.
func (k *keeper) write(ctx context.Context) error {
	for {
		keys := k.shelf.take(atATime)
		if len(keys) == 0 {
			return nil
		}
		if err := k.writeSome(ctx, keys); err != nil {
			k.failed.Add(1)
			k.shelf.mark(keys...)
			k.shelf.done()
			return err
		}
		k.written.Add(uint64(len(keys)))
		k.shelf.done()
	}
}

func (k *keeper) writeSome(ctx context.Context, keys []routeKey) error {
	var pending []jetstream.PubAckFuture
	var errs []error
	for _, key := range keys {
		m, err := k.b.putOf(key)
		if err == nil {
			var f jetstream.PubAckFuture
			if f, err = k.js.PublishMsgAsync(m, jetstream.WithRetryAttempts(0)); err == nil {
				pending = append(pending, f)
				continue
			}
		}
		errs = append(errs, err)
	}
	for _, f := range pending {
		select {
		case <-f.Ok():
		case err := <-f.Err():
			errs = append(errs, err)
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	if len(errs) > 0 {
		return fmt.Errorf("write %d of %d keys: %w", len(errs), len(keys), explain(errs[0]))
	}
	return nil
}
