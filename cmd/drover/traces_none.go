//go:build !otel

package main

import (
	"context"
	"log/slog"
	"os"
)

// startTraces makes no spans: the exporter is large, and built with `-tags otel` only.
func startTraces(_ context.Context, log *slog.Logger) (traces, error) {
	for _, name := range envTraces() {
		if os.Getenv(name) != "" {
			log.Warn("no traces: this drover is built without -tags otel", "name", name)
		}
	}
	return noTraces(), nil
}
