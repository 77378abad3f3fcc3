//go:build !race

package drover_test

const racing = false
