package module

import "golang.org/x/sys/unix"

// mapNoReserve keeps a reservation from counting against the machine's memory before its pages are touched.
const mapNoReserve = unix.MAP_NORESERVE
