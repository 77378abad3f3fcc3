// Command testdriver is a driver that behaves as its settings tell it, well or badly, for tests of the host.
//
//	GOOS=wasip1 GOARCH=wasm go build -buildmode=c-shared -o build/guests/testdriver.wasm ./guests/testdriver
//
// Package script has what it can do.
package main

// A reactor module is initialized and then called: main does not run.
func main() {}
