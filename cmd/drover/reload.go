package main

import (
	"context"
	"log/slog"
	"os"
	"os/signal"
	"sync"
	"syscall"

	"github.com/droverhq/drover"
)

// reloader applies a file to a node at each SIGHUP.
type reloader struct {
	log     *slog.Logger
	file    string
	signals chan os.Signal
	ctx     context.Context
	cancel  context.CancelFunc
	running sync.WaitGroup
}

// newReloader takes SIGHUP from now on: before the node runs it is kept for later, and does not end the process.
func newReloader(log *slog.Logger, file string) *reloader {
	r := &reloader{log: log, file: file, signals: make(chan os.Signal, 1)}
	r.ctx, r.cancel = context.WithCancel(context.Background())
	signal.Notify(r.signals, syscall.SIGHUP)
	return r
}

// serve reloads a node until stop.
func (r *reloader) serve(n *drover.Node) {
	r.running.Go(func() {
		for {
			select {
			case <-r.signals:
				r.reload(n)
			case <-r.ctx.Done():
				return
			}
		}
	})
}

// reload applies the file once. The node logs what became of it, and this what is wrong with the file.
func (r *reloader) reload(n *drover.Node) {
	r.log.Info("the configuration is read again", "file", r.file)
	applied, err := n.Reload(r.ctx, r.file)
	if err != nil {
		r.log.Error("the configuration was not applied", "file", r.file, "error", err)
		return
	}
	for _, p := range applied.Problems {
		r.log.Error("a problem of the configuration", "file", p.File, "line", p.Line, "name", p.Path, "problem", p.Message)
	}
	for i := range applied.Results {
		if f := &applied.Results[i]; !f.Succeeded() {
			r.log.Error("a channel was not changed", "channel", f.Channel, "reason", f.Result, "error", f.Why)
		}
	}
}

// stop ends it and waits for that.
func (r *reloader) stop() {
	signal.Stop(r.signals)
	r.cancel()
	r.running.Wait()
}
