package rig

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
)

// Load is what the programs have to do: so many channels that each read so many registers every period.
type Load struct {
	Channels, Registers int
	Every               time.Duration
}

// Programs are where the project's programs are.
type Programs struct{ Drover, Driver, TestDriver, Poller string }

// Node is a Drover node at work, as a process.
type Node struct {
	*Process
	dir string
}

// StartNode starts a node with that load, on the world's NATS server and device, and waits until every channel has
// published. extra is more of the configuration, at the top. A dir that is empty is made, and removed by Stop.
func (w *World) StartNode(p Programs, l Load, extra, dir string) (*Node, error) {
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
	published, err := w.firsts("drover.bench.*.data.*", l.Channels)
	if err != nil {
		return nil, err
	}
	process, err := Start(p.Drover, "run", "-c", file)
	if err != nil {
		return nil, err
	}
	n := &Node{process, temporary}
	select {
	case <-published:
		return n, nil
	case err := <-process.ended:
		return nil, fmt.Errorf("the node ended: %w\n%s", err, tail(process.stderr.String()))
	case <-time.After(5 * time.Minute):
		return nil, errors.Join(errors.New("the channels do not publish"), n.Stop())
	}
}

// Stop ends the node.
func (n *Node) Stop() error {
	err := n.Process.Stop()
	if n.dir != "" {
		err = errors.Join(err, os.RemoveAll(n.dir))
	}
	return err
}

// firsts closes the channel when that many subjects have had a message.
func (w *World) firsts(subjects string, n int) (<-chan struct{}, error) {
	done := make(chan struct{})
	seen := map[string]bool{}
	sub, err := w.Conn.Subscribe(subjects, func(m *nats.Msg) {
		if seen[m.Subject] {
			return
		}
		if seen[m.Subject] = true; len(seen) == n {
			close(done)
			_ = m.Sub.Unsubscribe() // all were seen
		}
	})
	if err != nil {
		return nil, fmt.Errorf("subscribe: %w", err)
	}
	return done, errors.Join(sub.SetPendingLimits(-1, -1), w.Conn.Flush())
}

func (w *World) configuration(p Programs, l Load, extra, data string) string {
	var out strings.Builder
	fmt.Fprintf(&out, "node: bench\ndata: %s\nnats: {url: %q, commands: all}\n%s\n", filepath.Join(data, "data"), w.NATS.ClientURL(), extra)
	fmt.Fprintf(&out, "templates:\n  plc:\n    driver: %s\n    connections: {main: {tcp: %q}}\n    settings: {mode: tcp}\n"+
		"    every: %s\n    devices:\n      d:\n        settings: {unit: 1}\n        points:\n"+
		"          clock: {address: \"holding:%d\", type: uint64}\n"+
		"          setpoint: {address: \"holding:%d\", type: uint16, access: w}\n",
		p.Driver, w.Device.Addr(), l.Every, ClockRegisters, Setpoint)
	for i := 4; i < l.Registers; i++ {
		fmt.Fprintf(&out, "          r%d: {address: \"holding:%d\", type: uint16}\n", i, ClockRegisters+i)
	}
	out.WriteString("channels:\n")
	for i := range l.Channels {
		fmt.Fprintf(&out, "  c%d: {use: plc}\n", i)
	}
	return out.String()
}

// StartPoller starts the bare poller with the same load, and waits until every device of it has been published.
func (w *World) StartPoller(p Programs, l Load) (*Process, error) {
	published, err := w.firsts("bare.*", l.Channels)
	if err != nil {
		return nil, err
	}
	process, err := Start(p.Poller, "-nats", w.NATS.ClientURL(), "-device", w.Device.Addr(), "-devices", fmt.Sprint(l.Channels),
		"-registers", fmt.Sprint(l.Registers), "-every", l.Every.String())
	if err != nil {
		return nil, err
	}
	select {
	case <-published:
		return process, nil
	case err := <-process.ended:
		return nil, fmt.Errorf("the poller ended: %w\n%s", err, tail(process.stderr.String()))
	case <-time.After(time.Minute):
		return nil, errors.Join(errors.New("the poller does not publish"), process.Stop())
	}
}
