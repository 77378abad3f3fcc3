package node

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/droverhq/drover/runtime/channel"
	"github.com/droverhq/drover/runtime/config"
	"github.com/droverhq/drover/runtime/crash"
	"github.com/droverhq/drover/runtime/failure"
	"github.com/droverhq/drover/runtime/logs"
	"github.com/droverhq/drover/runtime/module"
	"github.com/droverhq/drover/runtime/natsbridge"
	"github.com/droverhq/drover/runtime/natsbridge/client"
	"github.com/droverhq/drover/runtime/natsbridge/embedded"
	"github.com/droverhq/drover/runtime/supervise"
	"github.com/droverhq/drover/runtime/tracing"
)

// Config says what a node runs. Node, Host and Logger are required.
type Config struct {
	Node *config.Node
	Host module.Host
	// Logger is that of Logs; where there are none, they are made of it.
	Logger  *slog.Logger
	Logs    *logs.Hub
	Version string
	// Tracer makes the node's spans; nil makes none.
	Tracer *tracing.Tracer
}

// Logs returns the logs by channel of a node, in front of a handler.
func Logs(c *config.Node, base slog.Handler) *logs.Hub {
	names := make([]string, len(c.Channels))
	for i, ch := range c.Channels {
		names[i] = ch.Name
	}
	return logs.New(base, names...)
}

// Node is a running node.
type Node struct {
	config  Config
	loader  *module.Loader
	server  *embedded.Server // nil for a node that is a client of a server elsewhere
	url     string           // of that server elsewhere
	bridge  *natsbridge.Bridge
	crashes *crash.Store
	http    *listener // nil where none is configured
	members []*member
	started chan struct{} // closed when everything above is there
}

// member is a configured channel. module and channel are nil for one whose driver cannot be loaded: failed and failure
// then say why.
type member struct {
	config  *config.Channel
	module  *module.Module
	host    module.ChannelHost
	channel *channel.Channel
	sink    *sink
	failed  supervise.Snapshot
	failure *failure.Failure
	// commands is the channel as the bridge sees it.
	commands commandChannel
}

// Start loads the drivers, starts the server and the bridge, and then every channel. The error is a config.Problems
// when a driver refuses its settings: nothing was started then. A driver that cannot be loaded fails its own channel
// only. The caller calls Stop.
func Start(ctx context.Context, c Config) (*Node, error) {
	if c.Logs == nil {
		c.Logs = Logs(c.Node, c.Logger.Handler())
		c.Logger = c.Logs.Logger()
	}
	n := &Node{config: c, started: make(chan struct{})}
	if err := n.start(ctx); err != nil {
		return nil, errors.Join(err, n.Stop(context.WithoutCancel(ctx)))
	}
	return n, nil
}

// NewLoader returns a loader that keeps compiled code in the node's data directory, which it makes if need be. Where it
// cannot, the code is kept in memory, and a warning says so: the next start takes longer, and nothing else depends on it.
func NewLoader(c *config.Node, log *slog.Logger) (*module.Loader, error) {
	if info, err := os.Stat(c.Data); err == nil && !info.IsDir() {
		return nil, fmt.Errorf("the data directory %s is no directory", c.Data)
	}
	warn := func(err error) { log.Warn("compiled drivers are kept in memory only", "error", err) }
	err := os.MkdirAll(c.Data, 0o700)
	if err == nil {
		var loader *module.Loader
		if loader, err = module.NewLoader(filepath.Join(c.Data, "cache")); err == nil {
			loader.Trouble(warn)
			return loader, nil
		}
	}
	warn(err)
	return module.NewLoader("")
}

func (n *Node) start(ctx context.Context) error {
	var err error
	if err := n.listen(); err != nil {
		return err
	}
	if n.loader, err = NewLoader(n.config.Node, n.config.Logger); err != nil {
		return err
	}
	if err := n.load(ctx); err != nil {
		return err
	}
	if n.crashes, err = crash.New(crash.Config{Dir: n.config.Node.Data, Logger: n.config.Logger}); err != nil {
		return err
	}
	if err := n.connect(ctx); err != nil {
		return err
	}
	for i, m := range n.members {
		if err := n.open(m, float64(i)/float64(len(n.members))); err != nil {
			return err
		}
	}
	close(n.started)
	return nil
}

// load loads the drivers side by side and holds the settings against their schemas.
func (n *Node) load(ctx context.Context) error {
	begin := time.Now()
	var loading sync.WaitGroup
	found := make([]config.Problems, len(n.config.Node.Channels))
	for i, ch := range n.config.Node.Channels {
		m := &member{config: ch}
		n.members = append(n.members, m)
		loading.Go(func() { found[i] = m.load(ctx, n.loader) })
	}
	loading.Wait()
	if problems := slices.Concat(found...); len(problems) > 0 {
		problems.Sort()
		return problems
	}
	n.config.Logger.Info("drivers loaded", "channels", len(n.members), "duration", time.Since(begin))
	return nil
}

// load loads the channel's driver and returns what its schemas say against the settings. A driver that cannot be loaded,
// or whose schemas are none, fails its own channel.
func (m *member) load(ctx context.Context, loader *module.Loader) config.Problems {
	loaded, err := loader.LoadFileWithin(ctx, m.config.Driver, limits(m.config.Limits).Limits)
	if err != nil {
		m.fail(loadFailure(m.config, err))
		return nil
	}
	problems, err := checkSettings(loaded.Metadata(), m.config)
	if err != nil {
		m.fail(loadFailure(m.config, err))
		_ = loaded.Release(ctx) // it was only looked at
		return nil
	}
	m.module = loaded
	return problems
}

// fail makes a member one that failed before it had a channel.
func (m *member) fail(f *failure.Failure) {
	now := time.Now()
	m.failure = f
	m.failed = supervise.Snapshot{
		State: supervise.Failed, Reason: string(f.Code), Since: now,
		LastFailure: &failure.Record{
			Phase: f.Phase, Kind: f.Kind, Code: f.Code, Summary: f.Summary, Digest: digestOf(m.config.Driver), Time: now,
		},
	}
}

// digestOf is the digest of a file that may be a driver; empty for one that cannot be read.
func digestOf(path string) string {
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

// open makes a member's channel and starts it. shift is where in their periods its reads lie.
func (n *Node) open(m *member, shift float64) error {
	name := m.config.Name
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
	m.sink.driver = m.module.Metadata()
	conns := connections(m.config.Connections)
	host, err := n.config.Host.Channel(name, conns)
	if err != nil {
		return fmt.Errorf("channel %q: %w", name, err)
	}
	m.host = host
	made, err := channel.New(channel.Config{
		Name: name, Module: m.module, Host: host, Connections: conns,
		Settings: string(m.config.Settings.Raw), Secrets: secretsOf(m.module.Metadata(), m.config),
		Devices: devices(m.config, shift), Limits: limits(m.config.Limits),
		PointBatches: m.config.PointMessages,
		Policy:       policy(m.config.Retry), Deadlines: deadlines(m.config.Deadlines),
		Quarantine: quarantine(m.config.Quarantine), CrashLoop: n.quarantined(m),
		Sink: m.sink, Backpressure: m.sink, Logger: n.config.Logger, Tracer: n.config.Tracer,
	})
	if err != nil {
		return errors.Join(err, host.Close())
	}
	m.channel, m.commands.channel = made, made
	m.channel.Start()
	return nil
}

// Displaced is closed when another node has the name: this one has given way, and is to be stopped. Err says why.
func (n *Node) Displaced() <-chan struct{} { return n.bridge.Displaced() }

// Err is natsbridge.ErrNameTaken once Displaced is closed; nil before.
func (n *Node) Err() error { return n.bridge.Err() }

// Stop ends everything in order: sessions, what waits to be published, the server, the code. It returns all errors. The
// code of a session that does not end is kept, and the loader with it: it still runs.
func (n *Node) Stop(ctx context.Context) error {
	var errs []error
	if n.http != nil {
		errs = append(errs, n.http.close(ctx))
	}
	closing := n.closeChannels(ctx)
	errs = append(errs, closing...)
	if n.config.Logs != nil {
		n.config.Logs.Publish(nil)
	}
	if n.crashes != nil {
		errs = append(errs, n.crashes.Close(ctx))
	}
	if n.bridge != nil {
		errs = append(errs, client.RemoveLocal(n.config.Node.Name, n.bridge.Epoch()), n.bridge.Close(ctx))
	}
	if n.server != nil {
		errs = append(errs, n.server.Shutdown(ctx))
	}
	for i, m := range n.members {
		if m.module != nil && closing[i] == nil {
			errs = append(errs, m.module.Release(ctx))
		}
	}
	if n.loader != nil && errors.Join(closing...) == nil {
		errs = append(errs, n.loader.Close(ctx))
	}
	return errors.Join(errs...)
}

func (n *Node) closeChannels(ctx context.Context) []error {
	errs := make([]error, len(n.members))
	var closing sync.WaitGroup
	for i, m := range n.members {
		if m.channel != nil {
			closing.Go(func() { errs[i] = m.channel.Close(ctx) })
		}
	}
	closing.Wait()
	return errs
}
