//go:build !unix

package store

// syncDir does nothing where a folder cannot be synchronised.
func syncDir(string) error { return nil }
