package node

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/droverhq/drover/runtime/config"
	"github.com/droverhq/drover/runtime/crash"
	"github.com/droverhq/drover/runtime/logs"
	"github.com/droverhq/drover/runtime/module"
	"github.com/droverhq/drover/runtime/natsbridge"
	"github.com/droverhq/drover/runtime/natsbridge/client"
	"github.com/droverhq/drover/runtime/natsbridge/embedded"
	"github.com/droverhq/drover/runtime/record"
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
	// Source is where Node came from; nil where that is not to be recorded.
	Source *Source
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
	library *library
	server  *embedded.Server // nil for a node that is a client of a server elsewhere
	url     string           // of that server elsewhere
	bridge  *natsbridge.Bridge
	crashes *crash.Store
	http    *listener // nil where none is configured
	// record is what is known from one start to the next.
	record  *record.Record
	members *members
	swaps   sync.WaitGroup // that are not over
	started chan struct{}  // closed when everything above is there
	// files knows which drivers the configuration's paths stand for now.
	files    files
	applying applying
	// latecomers are those whose drivers are missing.
	latecomers latecomers
}

// Start loads the drivers, starts the server and the bridge, loads what only the bucket has, and then starts every
// channel. The error is a config.Problems when a driver refuses its settings: no channel was started then. A driver that
// cannot be loaded fails its own channel only. The caller calls Stop.
func Start(ctx context.Context, c Config) (*Node, error) {
	if c.Logs == nil {
		c.Logs = Logs(c.Node, c.Logger.Handler())
		c.Logger = c.Logs.Logger()
	}
	n := &Node{config: c, members: newMembers(), started: make(chan struct{})}
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
	if n.record, err = record.Open(n.config.Node.Data); err != nil {
		n.config.Logger.Error("what was applied is not known, the configuration's drivers run as they are", "error", err)
	}
	n.library = newLibrary(n.config.Node, n.loader, n.config.Logger)
	if err := n.load(ctx); err != nil {
		return err
	}
	if n.crashes, err = crash.New(crash.Config{Dir: n.config.Node.Data, Logger: n.config.Logger}); err != nil {
		return err
	}
	if err := n.connect(ctx); err != nil {
		return err
	}
	if err := n.loadFromBucket(ctx); err != nil {
		return err
	}
	for _, m := range n.members.all() {
		if err := n.open(m); err != nil {
			return err
		}
		if m.channel != nil {
			m.channel.Start()
		}
	}
	if err := n.restoreSwaps(); err == nil {
		_ = n.note(n.config.Source) // it was logged
	}
	n.config.Source = nil // it has the text of all files
	close(n.started)
	n.library.prune(n.inUse())
	n.latecomers.start(n)
	return nil
}

// load loads the drivers, as far as they can be had without a connection.
func (n *Node) load(ctx context.Context) error {
	begin := time.Now()
	channels := n.config.Node.Channels
	swaps, pins := n.record.Overrides(), n.record.Pins()
	all := make([]*member, len(channels))
	for i, ch := range channels {
		all[i] = &member{config: ch, shift: float64(i) / float64(len(channels))}
		n.settle(all[i], swaps, pins)
	}
	n.members.set(all)
	if err := n.loadMembers(ctx, all); err != nil {
		return err
	}
	n.config.Logger.Info("drivers loaded", "channels", len(all), "duration", time.Since(begin))
	return nil
}

// loadMembers loads the drivers of members side by side and holds the settings against their schemas. The error is all
// that these have to say. Nobody else changes the members.
func (n *Node) loadMembers(ctx context.Context, all []*member) error {
	from := n.library.batch()
	var loading sync.WaitGroup
	found := make([]config.Problems, len(all))
	for i, m := range all {
		loading.Go(func() { found[i] = m.load(ctx, from) })
	}
	loading.Wait()
	problems := slices.Concat(found...)
	if len(problems) == 0 {
		return nil
	}
	problems.Sort()
	return problems
}

// Displaced is closed when another node has the name: this one has given way, and is to be stopped. Err says why.
func (n *Node) Displaced() <-chan struct{} { return n.bridge.Displaced() }

// Err is natsbridge.ErrNameTaken once Displaced is closed; nil before.
func (n *Node) Err() error { return n.bridge.Err() }

// Stop ends everything in order: sessions, what waits to be published, the server, the code. It returns all errors. The
// code of a session that does not end is kept, and the loader with it: it still runs.
func (n *Node) Stop(ctx context.Context) error {
	n.applying.stop()
	n.latecomers.stop()
	var errs []error
	if n.http != nil {
		errs = append(errs, n.http.close(ctx))
	}
	closing := closeChannels(ctx, n.members.all())
	errs = append(errs, slices.Collect(maps.Values(closing))...)
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
	n.swaps.Wait() // nobody begins another one, and with their channels closed these end
	for _, m := range n.members.all() {
		if m.module != nil && closing[m.name()] == nil {
			errs = append(errs, m.module.Release(ctx))
		}
	}
	if len(closing) == 0 {
		errs = append(errs, n.applying.release(ctx))
	}
	if n.loader != nil && len(closing) == 0 {
		errs = append(errs, n.loader.Close(ctx))
	}
	return errors.Join(errs...)
}

// closeChannels closes the members' channels side by side, and returns the errors of those that did not close.
func closeChannels(ctx context.Context, members []*member) map[string]error {
	var (
		closing sync.WaitGroup
		mu      sync.Mutex
	)
	errs := make(map[string]error)
	for _, m := range members {
		if m.channel == nil {
			continue
		}
		closing.Go(func() {
			if err := m.channel.Close(ctx); err != nil {
				mu.Lock()
				defer mu.Unlock()
				errs[m.name()] = err
			}
		})
	}
	closing.Wait()
	return errs
}
