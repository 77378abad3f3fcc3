// Package chaos runs a whole node against everything that goes wrong around it at once: `make chaos` runs it, with the
// build tag chaos, on Linux.
//
// Ten channels, of which four are left in peace. The drivers of the other six trap, exit, hang, eat memory and flood,
// their devices close sockets, refuse them, send garbage or fall silent, and their adapters are unplugged. Meanwhile
// the NATS server, outside of the node, stalls, is cut off and is restarted. Who does what and when is a script that is
// made from a seed alone, before anything starts (script_test.go).
//
// What must hold (verify_test.go): channels that are left in peace lose no cycle, those with delivery: stream have each
// of them in the stream, once and in order. Each attempt that failed has one event, of a code that the script explains,
// and nothing else has one. In the end every channel is ready, and once the node has stopped, goroutines, files and
// memory are where they began.
//
//	go test -tags chaos ./chaos -v -seed 4711 -for 2m
package chaos
