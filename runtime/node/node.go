package node

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
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
	// record is what is known from one start to the next.
	record  *record.Record
	members *members
	started chan struct{} // closed when everything above is there
}

// Start loads the drivers, starts the server and the bridge, and then every channel. The error is a config.Problems
// when a driver refuses its settings: nothing was started then. A driver that cannot be loaded fails its own channel
// only. The caller calls Stop.
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
	if err := n.load(ctx); err != nil {
		return err
	}
	if n.crashes, err = crash.New(crash.Config{Dir: n.config.Node.Data, Logger: n.config.Logger}); err != nil {
		return err
	}
	if err := n.connect(ctx); err != nil {
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
	close(n.started)
	return nil
}

// load loads the drivers side by side and holds the settings against their schemas.
func (n *Node) load(ctx context.Context) error {
	begin := time.Now()
	var loading sync.WaitGroup
	channels := n.config.Node.Channels
	all, found := make([]*member, len(channels)), make([]config.Problems, len(channels))
	for i, ch := range channels {
		all[i] = &member{config: ch, shift: float64(i) / float64(len(channels))}
		loading.Go(func() { found[i] = all[i].load(ctx, n.loader) })
	}
	loading.Wait()
	n.members.set(all)
	if problems := slices.Concat(found...); len(problems) > 0 {
		problems.Sort()
		return problems
	}
	n.config.Logger.Info("drivers loaded", "channels", len(all), "duration", time.Since(begin))
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
	members := n.members.all()
	closing := closeChannels(ctx, members)
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
	for i, m := range members {
		if m.module != nil && closing[i] == nil {
			errs = append(errs, m.module.Release(ctx))
		}
	}
	if n.loader != nil && errors.Join(closing...) == nil {
		errs = append(errs, n.loader.Close(ctx))
	}
	return errors.Join(errs...)
}

func closeChannels(ctx context.Context, members []*member) []error {
	errs := make([]error, len(members))
	var closing sync.WaitGroup
	for i, m := range members {
		if m.channel != nil {
			closing.Go(func() { errs[i] = m.channel.Close(ctx) })
		}
	}
	closing.Wait()
	return errs
}
