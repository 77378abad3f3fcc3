//go:build !unix

package client

import "io/fs"

// private trusts the directory for temporary files, which is the user's own on these systems.
func private(fs.FileInfo) bool { return true }
