package node

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/droverhq/drover/runtime/channel"
	"github.com/droverhq/drover/runtime/config"
	"github.com/droverhq/drover/runtime/failure"
	"github.com/droverhq/drover/runtime/module"
	"github.com/droverhq/drover/runtime/store"
	"github.com/droverhq/drover/runtime/supervise"
)

// member is a configured channel. Once it is among the node's members it is never changed: where its configuration or its
// driver is another, another member with the same channel takes its place (members.replace).
//
// module and channel are nil for one whose driver cannot be loaded: failed and failure then say why.
type member struct {
	config  *config.Channel
	module  *module.Module
	host    module.ChannelHost
	channel *channel.Channel
	sink    *sink
	failed  supervise.Snapshot
	failure *failure.Failure
	// driver is what is loaded in place of what the configuration names: the digest that it was swapped or pinned to. Empty
	// where that is the same.
	driver string
	// shift is where in their periods its reads lie, from 0 to 1.
	shift float64
	// commands is the channel as the bridge sees it.
	commands *commandChannel
}

// name is the channel's.
func (m *member) name() string { return m.config.Name }

// load loads the channel's driver and returns what its schemas say against the settings. A driver that cannot be loaded,
// or whose schemas are none, fails its own channel.
func (m *member) load(ctx context.Context, from loading) config.Problems {
	loaded, err := from.load(ctx, m.reference(), limits(m.config.Limits).Limits)
	if err != nil {
		m.fail(loadFailure(m.config, err))
		return nil
	}
	problems, err := from.check(loaded.Metadata(), m.config)
	if err != nil {
		m.fail(loadFailure(m.config, err))
		_ = loaded.Release(ctx) // it was only looked at
		return nil
	}
	m.module, m.failure = loaded, nil
	return problems
}

// reference is what the member's driver is found by.
func (m *member) reference() string { return cmp.Or(m.driver, m.config.Driver) }

// fail makes a member one that failed before it had a channel.
func (m *member) fail(f *failure.Failure) {
	now := time.Now()
	m.failure = f
	m.failed = supervise.Snapshot{
		State: supervise.Failed, Reason: string(f.Code), Since: now,
		LastFailure: &failure.Record{
			Phase: f.Phase, Kind: f.Kind, Code: f.Code, Summary: f.Summary, Digest: digestOf(m.reference()), Time: now,
		},
	}
}

// digestOf is the digest of a file that may be a driver; empty for one that cannot be read. One of the store that is named
// by its digest has that.
func digestOf(path string) string {
	if !filepath.IsAbs(path) {
		if store.IsDigest(path) {
			return path
		}
		return ""
	}
	if info, err := os.Stat(path); err != nil || !info.Mode().IsRegular() {
		return ""
	}
	f, err := os.Open(path)
	if err != nil {
		return ""
	}
	defer f.Close() //nolint:errcheck // it was only read
	sum := sha256.New()
	if _, err := io.Copy(sum, f); err != nil {
		return ""
	}
	return "sha256:" + hex.EncodeToString(sum.Sum(nil))
}

// open makes a member's channel, which is not started. Nobody else sees the member yet. For one whose driver cannot be
// loaded it tells that.
func (n *Node) open(m *member) error {
	name := m.name()
	m.sink = &sink{channel: name, bridge: n.bridge, crashes: n.crashes}
	m.sink.log.logger = n.config.Logger.With("channel", name)
	if m.module == nil {
		m.sink.Failure(*m.failed.LastFailure)
		if m.failure.Code.Crash() {
			m.sink.Crashed(channel.NewCrash(*m.failed.LastFailure, m.failure))
		}
		m.sink.State(m.failed)
		return nil
	}
	host, err := n.host(m)
	if err != nil {
		return err
	}
	m.host = host
	made, err := channel.New(channel.Config{
		Name: name, Edition: m.edition(),
		Policy: policy(m.config.Retry), Deadlines: deadlines(m.config.Deadlines),
		Quarantine: quarantine(m.config.Quarantine), CrashLoop: n.quarantined(m),
		Sink: m.sink, Backpressure: m.sink, Logger: n.config.Logger, Tracer: n.config.Tracer,
	})
	if err != nil {
		return errors.Join(err, host.Close())
	}
	m.channel, m.commands = made, &commandChannel{channel: made}
	return nil
}

// host is the member's share of the outside world.
func (n *Node) host(m *member) (module.ChannelHost, error) {
	host, err := n.config.Host.Channel(m.name(), reachOf(m.config))
	if err != nil {
		return nil, fmt.Errorf("channel %q: %w", m.name(), err)
	}
	return host, nil
}

// edition is the member's driver with its configuration, for a channel.
func (m *member) edition() channel.Edition {
	return channel.Edition{
		Module: m.module, Host: m.host, Connections: connections(m.config.Connections),
		Settings: m.config.Settings.Raw, Secrets: secretsOf(m.module.Metadata(), m.config),
		Devices: devices(m.config, m.shift), Limits: limits(m.config.Limits), PointBatches: m.config.PointMessages,
	}
}
