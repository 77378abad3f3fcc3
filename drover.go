// Package drover runs device drivers as sandboxed WebAssembly modules and puts what they read on NATS.
//
// It is the place where everything is wired, for the command line and for programs that embed a node: the only one that
// knows both what drivers want of the outside world (package runtime/module) and who has it (package hostfuncs).
package drover

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"go.opentelemetry.io/otel/trace"

	"github.com/droverhq/drover/hostfuncs"
	"github.com/droverhq/drover/hostfuncs/grant"
	"github.com/droverhq/drover/runtime/config"
	"github.com/droverhq/drover/runtime/module"
	"github.com/droverhq/drover/runtime/natsbridge/message"
	"github.com/droverhq/drover/runtime/node"
	"github.com/droverhq/drover/runtime/record"
	"github.com/droverhq/drover/runtime/tracing"
)

// ABIVersion is the version of the package drover:driver that drivers are built for.
const ABIVersion = module.ABIVersion

// stopWithin is how long an orderly end may take: each session has its own deadline below it.
const stopWithin = 30 * time.Second

// Options are what a node needs besides its configuration. The zero value will do.
type Options struct {
	// Logger gets what happens; discarded when nil.
	Logger *slog.Logger
	// Version is what the node says of itself.
	Version string
	// Source is where the configuration came from, as Collect and LastApplied tell: with it, the node records what it runs
	// with for its next start. nil records nothing but swaps.
	Source *Source
	// TracerProvider gets the spans of attempts, their phases, and commands; none are made when nil.
	TracerProvider trace.TracerProvider
}

// Check loads the drivers that a configuration names and holds its settings against their schemas. It reports all
// problems together, and starts nothing. The compiled code is kept in the data directory, for the run to come.
func Check(ctx context.Context, c *config.Node) (config.Problems, error) {
	return CheckWith(ctx, c, nil)
}

// Bucket opens the bucket of modules that nodes share.
type Bucket = node.Bucket

// CheckWith is Check that looks into a bucket for the modules that are in no other place; nil is none.
func CheckWith(ctx context.Context, c *config.Node, bucket Bucket) (config.Problems, error) {
	loader, err := node.NewLoader(c, slog.New(slog.DiscardHandler)) // who only checks may have no data directory
	if err != nil {
		return nil, err
	}
	problems := append(node.CheckNATS(c), node.Check(ctx, loader, c, bucket)...)
	return problems, loader.Close(ctx)
}

// Source is where a node's configuration came from.
type Source = node.Source

// ErrNoneApplied is wrapped by the error of LastApplied where there is no configuration.
var ErrNoneApplied = record.ErrNone

// Collect reads the configuration in a file, for a node that records it. The error is a config.Problems when the file
// could be read.
func Collect(path string) (*config.Node, *Source, error) { return node.Collect(path) }

// LastApplied returns the configuration that was applied last to the node of a data directory. The error is a
// config.Problems when it cannot be used as it is any more: a secret is not there.
func LastApplied(data string) (*config.Node, *Source, error) { return node.LastApplied(data) }

// Node is a node: channels and bridge, and the server where it is embedded.
type Node struct {
	host *hostfuncs.Node
	node *node.Node
}

// Start starts a node. The error is a config.Problems when a driver refuses its settings. A driver that cannot be
// loaded, or that fails, fails its own channel only. The caller calls Stop.
func Start(ctx context.Context, c *config.Node, o Options) (*Node, error) {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	log := node.Logs(c, o.Logger.Handler())
	host, err := hostfuncs.New(hostfuncs.Config{Logger: log.Logger()})
	if err != nil {
		return nil, fmt.Errorf("prepare the host: %w", err)
	}
	n, err := node.Start(ctx, node.Config{
		Node: c, Host: outside{host}, Logger: log.Logger(), Logs: log, Version: o.Version, Source: o.Source,
		Tracer: tracing.New(o.TracerProvider, c.Name, o.Version),
	})
	if err != nil {
		return nil, errors.Join(err, host.Close())
	}
	return &Node{host: host, node: n}, nil
}

// URL returns where NATS clients find the node's server.
func (n *Node) URL() string { return n.node.URL() }

// HTTP returns the address that /metrics, /healthz and /readyz are answered on; empty where none is configured.
func (n *Node) HTTP() string { return n.node.HTTP() }

// Stop ends the node in order: sessions, their ports and connections, what waits to be published, the server. It
// returns all errors that this met.
func (n *Node) Stop(ctx context.Context) error {
	return errors.Join(n.node.Stop(ctx), n.host.Close())
}

// Reload applies the configuration in a file to the node as it runs: what differs is changed, and the rest left alone. What
// is wrong with it, and what became of each channel, is in the answer. The error is of the file, or a *message.Error that
// says why nothing was begun.
func (n *Node) Reload(ctx context.Context, path string) (message.Applied, error) {
	b, err := config.Collect(path)
	if err != nil {
		return message.Applied{}, err
	}
	return n.node.Apply(ctx, b, node.ApplyOptions{How: record.HowReload, Trial: node.DefaultApplyTrial})
}

// Displaced is closed when another node of the same name was found on a server elsewhere, and this one has given way.
// The caller calls Stop. Err says which node it was.
func (n *Node) Displaced() <-chan struct{} { return n.node.Displaced() }

// Err says why Displaced is closed; nil before.
func (n *Node) Err() error { return n.node.Err() }

// Run is Start, then Stop when ctx is done or the node has given way to another of its name, which is an error. started
// is called in between; it may be nil.
func Run(ctx context.Context, c *config.Node, o Options, started func(*Node)) error {
	n, err := Start(ctx, c, o)
	if err != nil {
		return err
	}
	if started != nil {
		started(n)
	}
	select {
	case <-ctx.Done():
	case <-n.Displaced():
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopWithin)
	defer cancel()
	return errors.Join(n.Err(), n.Stop(ctx))
}

// outside gives drivers the outside world: hostfuncs in the terms of runtime/module.
type outside struct{ host *hostfuncs.Node }

// Channel implements module.Host.
func (o outside) Channel(name string, g module.Grants) (module.ChannelHost, error) {
	c, err := o.host.Channel(name, grants(g))
	if err != nil {
		return nil, err
	}
	return channel{c}, nil
}

// grants is what a channel may open, in the terms of hostfuncs.
func grants(g module.Grants) grant.Grants {
	out := grant.Grants{TCP: patterns(g.TCP), UDP: patterns(g.UDP)}
	for _, c := range g.Connections {
		conn := grant.Connection{
			Name: c.Name, Serial: (*grant.Serial)(c.Serial), UDP: (*grant.UDP)(c.UDP), Listener: (*grant.Listener)(c.Listener),
		}
		if c.TCP != nil {
			conn.TCP = &grant.TCP{Address: c.TCP.Address, TLS: (*grant.TLS)(c.TCP.TLS)}
		}
		out.Connections = append(out.Connections, conn)
	}
	return out
}

func patterns(in []module.Pattern) []grant.Pattern {
	var out []grant.Pattern
	for _, p := range in {
		out = append(out, grant.Pattern(p))
	}
	return out
}

// channel is a channel's share of the outside world.
type channel struct{ *hostfuncs.Channel }

// Session implements module.ChannelHost.
func (c channel) Session(s module.Signals) module.SessionHost { return c.Channel.Session(s) }
