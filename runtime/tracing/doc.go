// Package tracing makes a node's spans, by the API of OpenTelemetry alone: who wants them gives a provider. Without one
// nothing is made and nothing is allocated.
package tracing
