package node

import (
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/droverhq/drover/runtime/config"
	"github.com/droverhq/drover/runtime/natsbridge/message"
	"github.com/droverhq/drover/runtime/record"
)

// files knows the digests of files, each read again only when it has changed. The zero value knows none. Its methods may
// be called from any goroutine.
type files struct {
	mu    sync.Mutex
	known map[string]fileState
}

// fileState is a file as it was when it was read.
type fileState struct {
	changed time.Time
	size    int64
	digest  string
}

// digest returns a file's digest; empty for one that cannot be read.
func (f *files) digest(path string) string {
	info, err := os.Stat(path)
	if err != nil {
		return ""
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if s := f.known[path]; s.digest != "" && s.changed.Equal(info.ModTime()) && s.size == info.Size() {
		return s.digest
	}
	digest, err := config.DigestOf(path)
	if err != nil {
		return ""
	}
	if f.known == nil {
		f.known = make(map[string]fileState)
	}
	f.known[path] = fileState{info.ModTime(), info.Size(), digest}
	return digest
}

// settle has a member of the start run what is recorded for it: what it was swapped to, as long as the configuration
// names the same driver, or the driver that its path stood for when it was applied. A file that has changed since is
// never run by the way.
func (n *Node) settle(m *member, swaps map[string]record.Override, pins map[string]record.Pin) {
	name, text := m.name(), m.config.Driver
	if o, swapped := swaps[name]; swapped && o.Driver == text {
		m.driver = o.Digest
		n.config.Logger.Info("a swap holds on", "channel", name, "digest", o.Digest, "name", o.Reference, "by", o.By)
		return
	}
	pin, pinned := pins[name]
	if !pinned || pin.Driver != text || !filepath.IsAbs(text) {
		return
	}
	if have := n.files.digest(text); have != pin.Digest {
		m.driver = pin.Digest
		n.config.Logger.Warn("the driver's file has changed since it was applied: what was applied runs, until the next apply",
			"channel", name, "file", text, "digest", pin.Digest, "pending", have)
	}
}

// pinOf is the pin of a member that runs a driver from a file; false for another.
func (m *member) pinOf() (record.Pin, bool) {
	if m.module == nil || !filepath.IsAbs(m.config.Driver) {
		return record.Pin{}, false
	}
	return record.Pin{Driver: m.config.Driver, Digest: m.module.Digest()}, true
}

// pending is the digest of the file that a member's configuration names, where it is not what the member runs.
func (n *Node) pending(m *member) string {
	if m.module == nil || !filepath.IsAbs(m.config.Driver) {
		return ""
	}
	if _, swapped := n.record.Override(m.name()); swapped {
		return ""
	}
	if have := n.files.digest(m.config.Driver); have != m.module.Digest() {
		return have
	}
	return ""
}

// overrideMessage is a swap as callers are told.
func overrideMessage(o record.Override) message.Override {
	return message.Override{Digest: o.Digest, Reference: o.Reference, By: o.By, At: message.Time{Time: o.At}, Driver: o.Driver}
}
