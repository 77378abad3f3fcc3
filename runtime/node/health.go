package node

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/droverhq/drover/runtime/metrics"
)

// listen answers HTTP from now on, where that is configured: before anything of the node starts, so that an address that
// is taken ends the start at once.
func (n *Node) listen() error {
	if n.config.Node.HTTP.Listen == "" {
		return nil
	}
	handler, err := n.handler()
	if err != nil {
		return err
	}
	if n.http, err = listen(n.config.Node.HTTP.Listen, handler, n.config.Logger); err == nil {
		n.config.Logger.Info("HTTP is answered", "address", n.HTTP())
	}
	return err
}

// HTTP returns the address that /metrics, /healthz and /readyz are answered on; empty where none is configured.
func (n *Node) HTTP() string {
	if n.http == nil {
		return ""
	}
	return n.http.addr.String()
}

// handler answers /metrics, /healthz and /readyz.
func (n *Node) handler() (http.Handler, error) {
	scrapes, err := metrics.Handler(n.metrics)
	if err != nil {
		return nil, fmt.Errorf("prepare the metrics: %w", err)
	}
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", scrapes)
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { say(w, nil) })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) { say(w, n.unready()) })
	return mux, nil
}

// say answers ok, or 503 and what is missing, a line each.
func say(w http.ResponseWriter, missing []string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	if len(missing) == 0 {
		missing = []string{"ok"}
	} else {
		w.WriteHeader(http.StatusServiceUnavailable)
	}
	_, _ = fmt.Fprintln(w, strings.Join(missing, "\n")) // a client that went away needs no answer
}

// unready says what is missing until the node does all that it is for: the start, the connection to NATS, channels that
// cannot be loaded.
func (n *Node) unready() []string {
	select {
	case <-n.started:
	default:
		return []string{"the node is starting"}
	}
	var missing []string
	if s := n.bridge.Stats(); !s.Connected {
		missing = append(missing, "NATS is not connected")
	}
	for _, m := range n.members.all() {
		if m.channel == nil {
			missing = append(missing, fmt.Sprintf("channel %s has not started: %s", m.config.Name, m.failure.Code))
		}
	}
	return missing
}
