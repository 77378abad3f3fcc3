//go:build !unix

package embedded

import "io/fs"

// private trusts the data directory, whose files are the user's own on these systems.
func private(info fs.FileInfo) bool { return info.Mode().IsRegular() }
