package node

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/droverhq/drover/abi/driver"
	"github.com/droverhq/drover/runtime/config"
	"github.com/droverhq/drover/runtime/failure"
	"github.com/droverhq/drover/runtime/module"
	"github.com/droverhq/drover/runtime/natsbridge/modules"
	"github.com/droverhq/drover/runtime/store"
	"github.com/droverhq/drover/runtime/store/signature"
)

// Bucket opens the bucket that nodes share. An error that wraps store.ErrNotFound: there is none.
type Bucket func(context.Context) (*modules.Bucket, error)

// library finds modules by what configurations name them: files, the node's own store, and the bucket. What came from
// elsewhere is kept in the store, so that the node starts again without it. Its methods may be called from any goroutine.
type library struct {
	loader *module.Loader
	// store is nil where its folder cannot be used.
	store *store.Store
	trust signature.Keys
	log   *slog.Logger
	// looking is set for one that keeps nothing.
	looking bool

	mu sync.Mutex
	// bucket is nil while there is no connection to look for one.
	bucket Bucket
	// kept are the digests that need not be kept once more.
	kept map[string]bool
}

// modulesFolder is where the store is, below the data directory.
const modulesFolder = "modules"

// fetchWithin is how long the bucket has for one module.
const fetchWithin = 30 * time.Second

// spareModules is how many modules are kept that channels once ran from files, and that none runs any more.
const spareModules = 8

// newLibrary returns a library without a bucket. A store that cannot be had costs the keeping, not the start.
func newLibrary(c *config.Node, loader *module.Loader, log *slog.Logger) *library {
	l := &library{loader: loader, trust: c.Trust, log: log, kept: make(map[string]bool)}
	var err error
	if l.store, err = store.Open(filepath.Join(c.Data, modulesFolder)); err != nil {
		log.Warn("modules are not kept", "error", err)
	}
	return l
}

// connect gives the library the bucket.
func (l *library) connect(b Bucket) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.bucket = b
}

// loading loads what references name, and holds settings against the schemas of what it has loaded: a library, or one
// that remembers what it has found.
type loading interface {
	load(ctx context.Context, reference string, limits module.Limits) (*module.Module, error)
	check(m driver.Metadata, ch *config.Channel) (config.Problems, error)
}

var (
	_ loading = (*library)(nil)
	_ loading = (*loads)(nil)
)

// found is a module that a reference names. It is what its digest says, and has not been loaded.
type found struct {
	Binary []byte
	// Entry has the digest, and the signatures that came with the module. The rest is filled in where a store had it.
	Entry store.Entry
	// Path is the file that it was read from; empty for one of the store.
	Path string
}

// find returns the module that a reference names: the absolute path of a file, name@version, or a digest. What is in the
// node's own store is not looked for elsewhere, unless it is damaged. Errors wrap store.ErrNotFound, store.ErrDamaged, or
// what kept a file from being read.
func (l *library) find(ctx context.Context, reference string) (found, error) {
	if filepath.IsAbs(reference) {
		return l.file(reference)
	}
	e, err := l.local(reference)
	if err == nil {
		var binary []byte
		if binary, err = l.store.Read(e.Digest); err == nil {
			return found{Binary: binary, Entry: e}, nil
		}
		l.log.Warn("a module of the store cannot be used, it is looked for in the bucket", "module", reference, "error", err)
		reference = e.Digest
	}
	binary, e, fetchErr := l.fetch(ctx, reference)
	if fetchErr != nil {
		return found{}, fmt.Errorf("%w; %w", err, fetchErr)
	}
	l.add(binary, e)
	return found{Binary: binary, Entry: e}, nil
}

// file reads a module and the signatures beside it. Those that the store has of the same module count, too.
func (l *library) file(path string) (found, error) {
	binary, err := module.ReadFile(path)
	if err != nil {
		return found{}, err
	}
	e := store.Entry{Digest: store.Digest(binary), Size: int64(len(binary)), Path: path}
	if e.Signatures, err = signature.ReadFile(path); err != nil {
		l.log.Warn("the signatures beside a module cannot be read", "module", path, "error", err)
	}
	if have, err := l.local(e.Digest); err == nil {
		e = store.Merge(e, have)
	}
	return found{Binary: binary, Entry: e, Path: path}, nil
}

// local looks a module up in the node's own store.
func (l *library) local(reference string) (store.Entry, error) {
	if l.store == nil {
		return store.Entry{}, fmt.Errorf("find %s: %w: the node's store cannot be used", reference, store.ErrNotFound)
	}
	return l.store.Find(reference)
}

// list returns what the node's own store has. What is there and cannot be read is logged.
func (l *library) list() []store.Entry {
	if l.store == nil {
		return nil
	}
	entries, err := l.store.List()
	if err != nil {
		l.log.Warn("modules of the store cannot be read", "error", err)
	}
	return entries
}

// forget removes a module from the node's own store. An error that wraps store.ErrNotFound: it was not there.
func (l *library) forget(digest string) error {
	if _, err := l.local(digest); err != nil {
		return err
	}
	l.mu.Lock()
	delete(l.kept, digest)
	l.mu.Unlock()
	return l.store.Remove(digest)
}

// fetch takes a module out of the bucket.
func (l *library) fetch(ctx context.Context, reference string) ([]byte, store.Entry, error) {
	ctx, cancel := context.WithTimeout(ctx, fetchWithin)
	defer cancel()
	b, err := l.open(ctx)
	if err != nil {
		return nil, store.Entry{}, err
	}
	digest := reference
	if !store.IsDigest(reference) {
		entries, err := b.List(ctx)
		if err != nil {
			return nil, store.Entry{}, err
		}
		e, err := store.Find(entries, reference)
		if err != nil {
			return nil, e, fmt.Errorf("in the bucket: %w", err)
		}
		digest = e.Digest
	}
	return b.Get(ctx, digest)
}

// errNoBucket is why there is no bucket to look in.
var errNoBucket = errors.New("the bucket cannot be asked before the node is connected")

func (l *library) open(ctx context.Context) (*modules.Bucket, error) {
	l.mu.Lock()
	bucket := l.bucket
	l.mu.Unlock()
	if bucket == nil {
		return nil, errNoBucket
	}
	return bucket(ctx)
}

// add keeps what came from the bucket. A store that takes nothing costs only the keeping.
func (l *library) add(binary []byte, e store.Entry) {
	if l.store == nil || l.looking {
		return
	}
	var err error
	if e.Path != "" { // it was given for a channel, and does not claim its name
		err = l.store.Keep(binary, e)
	} else {
		_, _, err = l.store.Add(binary, e)
	}
	if err != nil {
		l.log.Warn("a module from the bucket is not kept", "module", e.Reference(), "digest", e.Digest, "error", err)
	}
}

// keep keeps what a channel runs from a file, once: so that it is found by its digest when the file has changed.
func (l *library) keep(f found, m driver.Metadata) {
	l.mu.Lock()
	known := l.kept[f.Entry.Digest]
	l.kept[f.Entry.Digest] = true
	l.mu.Unlock()
	if known || l.store == nil || l.looking {
		return
	}
	e := f.Entry
	e.Name, e.Version, e.ABI = m.Name, m.Version, module.ABIVersion
	if err := l.store.Keep(f.Binary, e); err != nil {
		l.log.Warn("a channel's module is not kept, so it will not be found once its file has changed", "file", f.Path,
			"error", err)
	}
}

// prune removes what channels once ran from files and what is not in use any more, but for the most recent ones. What was
// added stays.
func (l *library) prune(used map[string][]string) {
	if l.store == nil {
		return
	}
	n, err := l.store.Prune(func(digest string) bool { return used[digest] != nil }, spareModules)
	if err != nil {
		l.log.Warn("modules that are not in use any more cannot be removed", "error", err)
	}
	if n > 0 {
		l.log.Info("removed modules that are not in use any more", "modules", n)
	}
}

// load finds a module, sees who vouches for it, and loads it. Nothing of a module that nobody vouches for is run. The
// caller releases it. Errors are those of find, and *failure.Failure.
func (l *library) load(ctx context.Context, reference string, limits module.Limits) (*module.Module, error) {
	f, err := l.find(ctx, reference)
	if err != nil {
		return nil, err
	}
	return l.loadFound(ctx, f, limits)
}

func (l *library) loadFound(ctx context.Context, f found, limits module.Limits) (*module.Module, error) {
	if err := l.vouched(ctx, f.Entry); err != nil {
		return nil, err
	}
	m, err := l.loader.LoadKnown(ctx, f.Entry.Digest, f.Binary, limits)
	if err == nil && f.Path != "" {
		l.keep(f, m.Metadata())
	}
	return m, err
}

// vouched says whether a trusted key vouches for a module. Where none does by what came with it, it may have been signed
// since: the bucket is asked. The error is a *failure.Failure with the code grant.denied.
func (l *library) vouched(ctx context.Context, e store.Entry) error {
	if len(l.trust) == 0 {
		return nil
	}
	_, err := l.trust.Verify(e.Digest, e.Signatures)
	if err == nil {
		return nil
	}
	if again, ok := l.signedSince(ctx, e); ok {
		if _, err = l.trust.Verify(again.Digest, again.Signatures); err == nil {
			return nil
		}
	}
	f := failure.New(failure.PhaseDescribe, failure.GrantDenied,
		fmt.Sprintf("module %s: %v; trusted are %s", e.Digest, err, keyIDs(l.trust)))
	f.Cause = err
	return f
}

// signedSince returns a module's entry with the signatures that the bucket has of it.
func (l *library) signedSince(ctx context.Context, e store.Entry) (store.Entry, bool) {
	ctx, cancel := context.WithTimeout(ctx, fetchWithin)
	defer cancel()
	b, err := l.open(ctx)
	if err != nil {
		return e, false
	}
	shared, err := b.Entry(ctx, e.Digest)
	if err != nil {
		return e, false
	}
	return store.Merge(e, shared), true
}

// inUse are the channels that need each module, by its digest: because they run it, because the configuration names it by
// its digest, or because it was pinned for them or swapped in.
func (n *Node) inUse() map[string][]string {
	used := make(map[string][]string)
	need := func(channel, digest string) {
		if digest != "" && !slices.Contains(used[digest], channel) {
			used[digest] = append(used[digest], channel)
		}
	}
	for _, m := range n.members.all() {
		if m.channel != nil {
			need(m.name(), m.channel.Digest())
		}
		if m.config.FromStore() {
			if e, err := n.library.local(m.config.Driver); err == nil {
				need(m.name(), e.Digest)
			}
		}
	}
	for channel, pin := range n.record.Pins() {
		need(channel, pin.Digest)
	}
	for channel, override := range n.record.Overrides() {
		need(channel, override.Digest)
	}
	return used
}

// keyIDs are the names of keys, for people.
func keyIDs(keys signature.Keys) string {
	return strings.Join(slices.Sorted(maps.Keys(keys)), ", ")
}

// check is checkSettings.
func (*library) check(m driver.Metadata, ch *config.Channel) (config.Problems, error) {
	return checkSettings(m, ch)
}

// loads loads what the channels of a configuration name, each module once however many run it: reading, hashing and
// verifying what a thousand channels share takes longer than they do.
type loads struct {
	*library
	checks checks
	mu     sync.Mutex
	found  map[string]func() (found, error)
}

func (l *library) batch() *loads {
	return &loads{library: l, found: make(map[string]func() (found, error))}
}

// check implements loading.
func (l *loads) check(m driver.Metadata, ch *config.Channel) (config.Problems, error) {
	return l.checks.check(m, ch)
}

// load is library.load, with what has been found before.
func (l *loads) load(ctx context.Context, reference string, limits module.Limits) (*module.Module, error) {
	l.mu.Lock()
	find, ok := l.found[reference]
	if !ok {
		find = sync.OnceValues(func() (found, error) { return l.find(ctx, reference) })
		l.found[reference] = find
	}
	l.mu.Unlock()
	f, err := find()
	if err != nil {
		return nil, err
	}
	return l.loadFound(ctx, f, limits)
}
