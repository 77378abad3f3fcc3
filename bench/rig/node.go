package rig

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// Load is what the programs have to do: so many channels, each with a connection of its own, that read so many registers
// of each of so many units every period.
type Load struct {
	Channels, Registers int
	// Units is how many devices are behind a connection; 0 is one.
	Units int
	// Every is the period. First, unless 0, is that of the first channel.
	Every, First time.Duration
}

// subjects is how many different subjects the load's messages have.
func (l Load) subjects() int { return l.Channels * max(l.Units, 1) }

// Programs are where the project's programs are.
type Programs struct{ Drover, Driver, TestDriver, Poller, Simulator, Instances string }

// NodeData are the subjects of the messages of a node that StartNode started, PollerData those of the poller.
const (
	NodeData   = "drover.bench.*.data.*"
	PollerData = "bare.*"
)

// Node is a Drover node at work, as a process.
type Node struct {
	*Process
	dir string
}

// StartNode starts a node with that load, on the world's NATS server and devices, and waits until every channel has
// published. extra is more of the configuration, at the top. A dir that is empty is made, and removed by Stop.
func (w *World) StartNode(ctx context.Context, p Programs, l Load, extra, dir string) (*Node, error) {
	temporary := ""
	if dir == "" {
		made, err := os.MkdirTemp("", "drover-bench-")
		if err != nil {
			return nil, fmt.Errorf("make a folder: %w", err)
		}
		dir, temporary = made, made
	}
	file := filepath.Join(dir, "drover.yaml")
	if err := os.WriteFile(file, []byte(w.configuration(p, l, extra, dir)), 0o600); err != nil {
		return nil, fmt.Errorf("write the configuration: %w", err)
	}
	process, err := w.begin(ctx, NodeData, l, p.Drover, "run", "-c", file)
	if err != nil {
		return nil, err
	}
	return &Node{process, temporary}, nil
}

// Stop ends the node.
func (n *Node) Stop() error {
	err := n.Process.Stop()
	if n.dir != "" {
		err = errors.Join(err, os.RemoveAll(n.dir))
	}
	return err
}

// StartPoller starts the bare poller with the same load, and waits until every device of it has been published.
func (w *World) StartPoller(ctx context.Context, p Programs, l Load) (*Process, error) {
	return w.begin(ctx, PollerData, l, p.Poller, "-nats", w.NATS.ClientURL(),
		"-devices", strings.Join(w.devices(), ","), "-connections", fmt.Sprint(l.Channels), "-units", fmt.Sprint(max(l.Units, 1)),
		"-registers", fmt.Sprint(l.Registers), "-every", l.Every.String())
}

// flatOut is a period that no channel keeps: each begins its next cycle as soon as it has done one.
const flatOut = time.Millisecond

func (w *World) configuration(p Programs, l Load, extra, data string) string {
	var out strings.Builder
	fmt.Fprintf(&out, "node: bench\ndata: %s\nnats: {url: %q, commands: all}\n%s\n", filepath.Join(data, "data"), w.NATS.ClientURL(), extra)
	fmt.Fprintf(&out, "templates:\n  unit:\n    vars: {unit: 1}\n    settings: {unit: \"${unit}\"}\n    points:\n"+
		"      clock: {address: \"holding:%d\", type: uint64}\n"+
		"      setpoint: {address: \"holding:%d\", type: uint16, access: w}\n", ClockRegisters, Setpoint)
	for i := 4; i < l.Registers; i++ {
		fmt.Fprintf(&out, "      r%d: {address: \"holding:%d\", type: uint16}\n", i, ClockRegisters+i)
	}
	fmt.Fprintf(&out, "  plc:\n    driver: %s\n    settings: {mode: tcp}\n    every: %s\n", p.Driver, max(l.Every, flatOut))
	if l.Every <= flatOut {
		out.WriteString("    limits: {samples: 1000000/s, bytes: 1GiB/s}\n")
	}
	out.WriteString("    devices:\n      d: {use: unit}\n")
	for unit := 2; unit <= l.Units; unit++ {
		fmt.Fprintf(&out, "      d%d: {use: unit, vars: {unit: %d}}\n", unit, unit)
	}
	out.WriteString("channels:\n")
	for i := range l.Channels {
		own := ""
		if i == 0 && l.First > 0 {
			own = fmt.Sprintf(", every: %s", l.First)
		}
		fmt.Fprintf(&out, "  c%d: {use: plc, connections: {main: {tcp: %q}}%s}\n", i, w.devices()[i%len(w.devices())], own)
	}
	return out.String()
}
