//go:build unix

package embedded

import (
	"io/fs"
	"os"
	"syscall"
)

// private says whether it is a file that this user alone can read.
func private(info fs.FileInfo) bool {
	stat, ok := info.Sys().(*syscall.Stat_t)
	return ok && info.Mode().IsRegular() && int(stat.Uid) == os.Getuid() && info.Mode().Perm()&0o077 == 0
}
