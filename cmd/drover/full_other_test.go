//go:build !linux

package main

import "github.com/rogpeppe/go-internal/testscript"

// full is for Linux alone: scripts skip before they come to it.
func full(ts *testscript.TestScript, _ bool, _ []string) { ts.Fatalf("full: not on this system") }
