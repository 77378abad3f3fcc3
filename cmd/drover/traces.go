package main

import (
	"context"

	"go.opentelemetry.io/otel/trace"
)

// envTraces names where spans go, with OTLP over HTTP: the variables of OpenTelemetry's specification, "OTLP Exporter
// Configuration".
func envTraces() []string {
	return []string{"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT"}
}

// traces are where a node's spans go.
type traces struct {
	// provider is nil where no spans are made.
	provider trace.TracerProvider
	// stop sends what waits.
	stop func(context.Context) error
}

func noTraces() traces { return traces{stop: func(context.Context) error { return nil }} }
