// Package record keeps what a node must know again at its next start: the configuration applied last, the drivers that
// its paths stood for then, and which channels were swapped to another driver.
//
// It is a folder with one file of JSON and, named after its digest, the configuration that it refers to. Each is written
// whole or not at all, and readable by its owner only. A folder that cannot be written costs the next start, never this
// one: what is recorded holds in memory all the same, and the error says that it is not on disk.
package record
