package module

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"sync"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"

	"github.com/droverhq/drover/abi/driver/host"
	"github.com/droverhq/drover/runtime/failure"
	"github.com/droverhq/drover/runtime/module/meter"
)

// Loader compiles modules, each binary once. Its methods may be called from any goroutine.
type Loader struct {
	config wazero.RuntimeConfig
	cache  wazero.CompilationCache
	// memory keeps what cannot be kept in a directory; nil where cache is in memory.
	memory  wazero.CompilationCache
	trouble func(error)
	// ordinary has every instance initialised by itself.
	ordinary bool

	mu      sync.Mutex
	modules map[moduleKey]*entry
}

// moduleKey tells what was loaded: the stack's limit is compiled in.
type moduleKey struct {
	digest string
	stack  uint64
}

// entry is a module and how many hold it. ready is closed when loading has ended, either way.
type entry struct {
	ready  chan struct{}
	module *Module
	err    error
	users  int
}

// NewLoader returns a loader that keeps compiled code in dir, which it makes with mode 0700: what lies there is run as
// native code, and nothing checks that nobody changed it. An empty dir keeps it in memory.
func NewLoader(dir string) (*Loader, error) {
	l := &Loader{
		config:  wazero.NewRuntimeConfig().WithCoreFeatures(api.CoreFeaturesV2),
		modules: make(map[moduleKey]*entry), trouble: func(error) {},
	}
	if dir == "" {
		l.cache = wazero.NewCompilationCache()
		return l, nil
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make the compile cache: %w", err)
	}
	if err := os.Chmod(dir, 0o700); err != nil {
		return nil, fmt.Errorf("close the compile cache to others: %w", err)
	}
	cache, err := wazero.NewCompilationCacheWithDir(dir)
	if err != nil {
		return nil, fmt.Errorf("open the compile cache: %w", err)
	}
	l.cache, l.memory = cache, wazero.NewCompilationCache()
	return l, nil
}

// Trouble has f told, once, of a directory that compiled code can be neither read from nor written to any more, such as
// one on a full disk. Nothing else depends on it: the code is kept in memory. Call it before the first Load.
func (l *Loader) Trouble(f func(error)) {
	var once sync.Once
	l.trouble = func(err error) { once.Do(func() { f(err) }) }
}

// InitialiseEach has every instance initialised by itself, as where there can be no image to start from. Call it before
// the first Load.
func (l *Loader) InitialiseEach() { l.ordinary = true }

// Close gives back what the loader holds. Every module must have been released.
func (l *Loader) Close(ctx context.Context) error {
	if l.memory == nil {
		return l.cache.Close(ctx)
	}
	return errors.Join(l.cache.Close(ctx), l.memory.Close(ctx))
}

// LoadFile is Load of a file's content.
func (l *Loader) LoadFile(ctx context.Context, path string) (*Module, error) {
	return l.LoadFileWithin(ctx, path, Limits{})
}

// LoadFileWithin is LoadWithin of a file's content.
func (l *Loader) LoadFileWithin(ctx context.Context, path string, limits Limits) (*Module, error) {
	binary, err := ReadFile(path)
	if err != nil {
		return nil, err
	}
	return l.LoadWithin(ctx, binary, limits)
}

// ReadFile reads the file of a driver. One that is too large to be one is a *failure.Failure, and not read.
func ReadFile(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("read the driver: %w", err)
	}
	if info.Size() > maxSize {
		return nil, abiFailure(failure.ABIEncoding, "the module has %d bytes, more than %d", info.Size(), maxSize)
	}
	binary, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read the driver: %w", err)
	}
	return binary, nil
}

// Load is LoadWithin the default limits.
func (l *Loader) Load(ctx context.Context, binary []byte) (*Module, error) {
	return l.LoadWithin(ctx, binary, Limits{})
}

// LoadWithin checks, meters, compiles and describes a driver, whose instances have a stack of limits.Stack and which is
// described within the other limits. The same binary with the same stack gives the same module while somebody holds it.
// Whoever got one calls Release. A driver that cannot be one is refused with a *failure.Failure.
func (l *Loader) LoadWithin(ctx context.Context, binary []byte, limits Limits) (*Module, error) {
	sum := sha256.Sum256(binary)
	return l.LoadKnown(ctx, "sha256:"+hex.EncodeToString(sum[:]), binary, limits)
}

// LoadKnown is LoadWithin of a binary whose digest, in the form of Module.Digest, the caller has computed: that takes some
// milliseconds, as often as there are channels.
func (l *Loader) LoadKnown(ctx context.Context, digest string, binary []byte, limits Limits) (*Module, error) {
	limits = limits.withDefaults()
	key := moduleKey{digest: digest, stack: limits.Stack}
	l.mu.Lock()
	e, found := l.modules[key]
	if !found {
		e = &entry{ready: make(chan struct{})}
		l.modules[key] = e
	}
	e.users++
	l.mu.Unlock()
	if !found {
		e.module, e.err = l.compile(ctx, key, binary, limits)
		close(e.ready)
	}
	<-e.ready
	if e.err != nil {
		l.leave(key, e)
		return nil, e.err
	}
	return e.module, nil
}

// leave takes a user off e and says whether it was the last.
func (l *Loader) leave(key moduleKey, e *entry) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	e.users--
	if e.users > 0 {
		return false
	}
	if l.modules[key] == e {
		delete(l.modules, key)
	}
	return true
}

func (l *Loader) compile(ctx context.Context, key moduleKey, binary []byte, limits Limits) (*Module, error) {
	m := &Module{loader: l, key: key, size: len(binary)}
	err := m.compile(ctx, binary, limits)
	if err == nil {
		err = m.register(ctx)
	}
	if err == nil {
		err = m.describe(ctx, limits)
	}
	if err != nil {
		_ = m.close(ctx) // the first error is the one that tells
		return nil, err
	}
	return m, nil
}

// compile checks, meters and compiles the binary. No code of it runs.
func (m *Module) compile(ctx context.Context, binary []byte, limits Limits) error {
	if err := checkBinary(binary); err != nil {
		return err
	}
	metered, err := meter.Rewrite(binary, meter.Limits{Stack: uint32(m.key.stack)})
	if err != nil {
		return encodingFailure("meter the module", err)
	}
	m.metering = metered.Statistics
	if err := limits.holds(failure.PhaseDescribe, metered.Pages); err != nil {
		return err
	}
	if err := m.build(ctx, m.detach(metered)); err != nil {
		return encodingFailure("compile the module", err)
	}
	return checkABI(m.compiled)
}

// detach returns what is to be compiled: the module without its data, unless its instances must be initialised each.
func (m *Module) detach(metered *meter.Module) []byte {
	if m.loader.ordinary {
		m.start.Reason = "images of the memory are switched off"
		return metered.Binary
	}
	d, err := metered.Detach()
	if err != nil {
		m.start.Reason = err.Error()
		return metered.Binary
	}
	binary := d.Binary
	m.detached, d.Binary = d, nil // the runtime has it
	return binary
}

// build compiles the metered binary. What cannot be done with the directory can be without: then that was in the way.
func (m *Module) build(ctx context.Context, binary []byte) error {
	err := m.buildWith(ctx, m.loader.cache, binary)
	if err == nil || m.loader.memory == nil {
		return err
	}
	if errors.Join(m.runtime.Close(ctx), m.buildWith(ctx, m.loader.memory, binary)) != nil {
		return err
	}
	m.loader.trouble(err)
	return nil
}

func (m *Module) buildWith(ctx context.Context, cache wazero.CompilationCache, binary []byte) (err error) {
	m.runtime = wazero.NewRuntimeWithConfig(ctx, m.loader.config.WithCompilationCache(cache))
	m.compiled, err = m.runtime.CompileModule(ctx, binary)
	return err
}

// encodingFailure makes a failure of what is wrong with a binary.
func encodingFailure(doing string, err error) *failure.Failure {
	f := abiFailure(failure.ABIEncoding, "%s: %v", doing, err)
	f.Cause = err
	return f
}

// register provides what the module imports.
func (m *Module) register(ctx context.Context) error {
	if err := registerWASI(ctx, m.runtime); err != nil {
		return err
	}
	if err := registerMeter(ctx, m.runtime); err != nil {
		return err
	}
	if err := host.Register(ctx, m.runtime); err != nil {
		return fmt.Errorf("register the host functions: %w", err)
	}
	return nil
}
