//go:build race

package drover_test

// racing: the race detector makes loading a driver take many seconds.
const racing = true
