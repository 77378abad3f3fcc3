//go:build !race

package channel

// raced: with the race detector, pools drop some of what is put back.
const raced = false
