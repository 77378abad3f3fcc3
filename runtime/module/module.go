package module

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/tetratelabs/wazero"

	"github.com/droverhq/drover/abi/driver"
	"github.com/droverhq/drover/runtime/failure"
	"github.com/droverhq/drover/runtime/module/meter"
)

// phaseDeadline limits describe and configure.
const phaseDeadline = 15 * time.Second

// Module is a driver's binary, compiled and described. It may be instantiated from any goroutine.
type Module struct {
	loader   *Loader
	key      moduleKey
	size     int
	runtime  wazero.Runtime
	compiled wazero.CompiledModule
	metering meter.Statistics
	metadata driver.Metadata
	kinds    map[string]failure.Kind
	start    Start
	// detached is what was taken out of the compiled module, image what instances start from; nil where each is initialised.
	detached *meter.Detached
	image    *image
}

// Digest returns "sha256:" and the binary's digest in hexadecimal.
func (m *Module) Digest() string { return m.key.digest }

// Size returns how many bytes the binary has.
func (m *Module) Size() int { return m.size }

// Metadata returns what the driver says of itself. It is not to be changed.
func (m *Module) Metadata() driver.Metadata { return m.metadata }

// Release gives the module back. The last one to do so closes it; every instance must be closed by then.
func (m *Module) Release(ctx context.Context) error {
	m.loader.mu.Lock()
	e := m.loader.modules[m.key]
	m.loader.mu.Unlock()
	if e == nil || !m.loader.leave(m.key, e) {
		return nil
	}
	return m.close(ctx)
}

// close gives back what the module has. No instance of it is there any more.
func (m *Module) close(ctx context.Context) (err error) {
	if m.runtime != nil {
		err = m.runtime.Close(ctx)
	}
	if m.compiled != nil {
		err = errors.Join(err, m.compiled.Close(ctx)) // the cache keeps code that is not closed by itself
	}
	if m.image != nil {
		err = errors.Join(err, m.image.pages.close())
	}
	return err
}

// describe asks the driver what it is, in an instance that may do nothing.
func (m *Module) describe(ctx context.Context, limits Limits) (err error) {
	ctx, cancel := context.WithTimeout(ctx, phaseDeadline)
	defer cancel()
	begun := time.Now()
	i, err := m.Instantiate(ctx, failure.PhaseDescribe, InstanceConfig{Imports: nothingGranted(), Limits: limits})
	if err != nil {
		return err
	}
	m.start.Memory, m.start.Initialisation = i.Usage().Memory, time.Since(begun)
	m.keep(i)
	defer i.endWith(ctx, failure.PhaseDescribe)()
	defer func() { err = errors.Join(err, i.Close(ctx)) }()
	metadata, err := i.abi.Describe(i.context(ctx))
	if err != nil {
		return i.fault(failure.PhaseDescribe, err)
	}
	if err := checkMetadata(metadata); err != nil {
		return abiFailure(failure.ABIEncoding, "describe: %v", err)
	}
	m.metadata = metadata
	m.kinds = make(map[string]failure.Kind, len(metadata.Codes))
	for _, c := range metadata.Codes {
		m.kinds[c.Code] = kindOf(c.Kind)
	}
	return nil
}

// keep has instances start from where i is: it was initialised and is to be called for the first time. Where that cannot
// be, each is initialised.
func (m *Module) keep(i *Instance) {
	if m.detached == nil {
		return
	}
	image, err := i.snapshot()
	if err != nil {
		m.start.Reason = err.Error()
		return
	}
	m.image, m.start.Snapshot, m.start.Image = image, true, image.pages.held
}

// failure makes a failure of one that the driver reported. detail is the host's own error behind the I/O error that it
// may be about, or nil.
func (m *Module) failure(phase failure.Phase, f driver.Failure, detail error) *failure.Failure {
	out := &failure.Failure{Phase: phase, Summary: f.Summary, Code: failure.DriverOther}
	switch f.Cause.Tag() {
	case driver.CauseTagIO:
		out.Code = ioCode(f.Cause.IO())
		if detail != nil && !strings.Contains(out.Summary, detail.Error()) {
			out.Summary += " (" + detail.Error() + ")"
		}
		out.Cause = detail
	case driver.CauseTagOwn:
		if kind, declared := m.kinds[f.Cause.Own()]; declared {
			out.Code, out.Kind = failure.DriverPrefix+failure.Code(f.Cause.Own()), kind
		}
	}
	if f.Kind.Some {
		out.Kind = kindOf(f.Kind.Value)
	}
	switch {
	case out.Kind != "":
	case lost(out.Cause):
		out.Kind = out.Code.KindLost()
	default:
		out.Kind = out.Code.Kind()
	}
	return out
}

// lost says whether err is about what was open before: see SessionHost.LastError.
func lost(err error) bool {
	l, ok := errors.AsType[interface {
		error
		Lost() bool
	}](err)
	return ok && l.Lost()
}

func kindOf(k driver.FailureKind) failure.Kind {
	switch k {
	case driver.FailureKindFatal:
		return failure.Fatal
	case driver.FailureKindStop:
		return failure.Stop
	default:
		return failure.Retryable
	}
}

// ioCode returns the code of an I/O error. A driver that reports cancelled was not told to end: it has no code of its
// own.
func ioCode(e driver.IOError) failure.Code {
	switch e {
	case driver.IOErrorDenied:
		return failure.GrantDenied
	case driver.IOErrorCancelled:
		return failure.IOOther
	default:
		return "io." + failure.Code(e.String())
	}
}
