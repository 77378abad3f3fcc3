package natsbridge

import "golang.org/x/sys/unix"

// kernelUnsynced asks the kernel by adjtimex(2), which also says so where an NTP daemon has given up. Where it cannot be
// asked, nothing is known against the clock.
func kernelUnsynced() bool {
	var t unix.Timex
	state, err := unix.Adjtimex(&t)
	return err == nil && (state == unix.TIME_ERROR || t.Status&unix.STA_UNSYNC != 0)
}
