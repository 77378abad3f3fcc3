//go:build otel

package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
)

// tracesStopWithin is how long sending the last spans may take.
const tracesStopWithin = 5 * time.Second

// startTraces sends spans where the environment says; nowhere, and none are made, where it does not. The caller calls stop.
func startTraces(ctx context.Context, log *slog.Logger) (traces, error) {
	var endpoint string
	for _, name := range envTraces() {
		endpoint = cmp.Or(endpoint, os.Getenv(name))
	}
	if endpoint == "" {
		return noTraces(), nil
	}
	exporter, err := otlptracehttp.New(ctx) // it reads the environment, and connects with the first spans
	if err != nil {
		return traces{}, fmt.Errorf("send traces to %s: %w", endpoint, err)
	}
	about, err := resource.New(ctx, resource.WithTelemetrySDK(), resource.WithHost(), resource.WithAttributes(
		attribute.String("service.name", "drover"), attribute.String("service.version", currentVersion().Version)),
		resource.WithFromEnv())
	if err != nil {
		return traces{}, errors.Join(fmt.Errorf("describe the node for traces: %w", err), exporter.Shutdown(ctx))
	}
	provider := sdktrace.NewTracerProvider(sdktrace.WithBatcher(exporter), sdktrace.WithResource(about))
	log.Info("traces are sent", "url", endpoint)
	return traces{provider, func(ctx context.Context) error {
		ctx, cancel := context.WithTimeout(ctx, tracesStopWithin)
		defer cancel()
		if err := provider.Shutdown(ctx); err != nil {
			log.Warn("the last traces were not sent", "error", err)
		}
		return nil
	}}, nil
}
