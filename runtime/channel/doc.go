// Package channel is one configured, running driver: a module under supervision, and what its sessions serve.
//
// It is the connector and the session that the supervisor drives, and it serves the imports data, control, state and
// log to the guest. What a guest publishes goes straight through: samples become readings (package point), readings a
// batch for each device, and the batches go to the Sink, on the goroutine of the session.
package channel
