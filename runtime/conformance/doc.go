// Package conformance checks a driver as its author would before anybody runs it: in the sandbox and under the
// supervision that a node has, against devices that are off, silent, rude, or real.
//
// Each check runs channels of its own, made of one example: a channel of a configuration, or what the driver's schemas
// have as examples. Where a check needs a device, the example's connections lead to one of this package; only the last
// checks, if they are asked for, talk to the real one.
package conformance
