//go:build race

package host_test

// raced: with the race detector, pools drop some of what is put back.
const raced = true
