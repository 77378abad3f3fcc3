// Package stream is the byte stream that a serial port and a connection both are, once open.
//
// A Line is an open (or opening) port or connection. It belongs to a lease, and outlives the sessions that use it. Two
// goroutines of its own do the device's I/O: a reader that fills a bounded buffer and notes when bytes arrived, and a
// writer, so that a write that the device does not end can be left behind. A Stream is what one session sees of a Line:
// its calls wait on the Line, never on the device, and so a stop or a yield ends each of them at once.
package stream
