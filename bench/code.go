package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	goruntime "runtime"
	"time"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/imports/wasi_snapshot_preview1"
	"github.com/tetratelabs/wazero/sys"

	"github.com/droverhq/drover/runtime/module/meter"
)

// allowance is how much work a metered guest does between two returns to the host, as a node gives it.
const allowance = 100_000

// code is a module in a runtime of its own, as it was built or metered.
type code struct {
	runtime  wazero.Runtime
	compiled wazero.CompiledModule
}

// load compiles a binary. The caller closes what it returns.
func load(ctx context.Context, binary []byte, metered bool) (*code, error) {
	c := &code{runtime: wazero.NewRuntime(ctx)}
	if err := c.compile(ctx, binary, metered); err != nil {
		return nil, errors.Join(err, c.close(ctx))
	}
	return c, nil
}

func (c *code) compile(ctx context.Context, binary []byte, metered bool) error {
	if _, err := wasi_snapshot_preview1.Instantiate(ctx, c.runtime); err != nil {
		return fmt.Errorf("provide WASI: %w", err)
	}
	if metered {
		rewritten, err := meter.Rewrite(binary, meter.Limits{})
		if err != nil {
			return err
		}
		binary = rewritten.Binary
		_, err = c.runtime.NewHostModuleBuilder(meter.ImportModule).NewFunctionBuilder().
			WithGoFunction(newYield(), []api.ValueType{api.ValueTypeI32}, []api.ValueType{api.ValueTypeI64}).
			Export(meter.ImportName).Instantiate(ctx)
		if err != nil {
			return fmt.Errorf("provide yield: %w", err)
		}
	}
	var err error
	if c.compiled, err = c.runtime.CompileModule(ctx, binary); err != nil {
		return fmt.Errorf("compile: %w", err)
	}
	return nil
}

// turn is how long a guest has the processor before it lets others run, as in a node.
const turn = 500 * time.Microsecond

// newYield returns what every host of metered guests must have: a function that lets others run now and then.
func newYield() api.GoFunc {
	last := time.Now()
	return func(_ context.Context, stack []uint64) {
		if api.DecodeU32(stack[0]) == meter.ReasonStack {
			panic(errors.New("the guest's stack is used up"))
		}
		if now := time.Now(); now.Sub(last) > turn {
			goruntime.Gosched()
			last = now
		}
		stack[0] = allowance
	}
}

// instantiate returns an instance that was initialised. now is its clock.
func (c *code) instantiate(ctx context.Context, now func() time.Time) (api.Module, error) {
	config := wazero.NewModuleConfig().WithName("").WithStartFunctions("_initialize").
		WithRandSource(rand.Reader).WithStderr(os.Stderr).
		WithWalltime(func() (int64, int32) { t := now(); return t.Unix(), int32(t.Nanosecond()) }, sys.ClockResolution(1)).
		WithNanotime(func() int64 { return now().UnixNano() }, sys.ClockResolution(1))
	m, err := c.runtime.InstantiateModule(ctx, c.compiled, config)
	if err != nil {
		return nil, fmt.Errorf("instantiate: %w", err)
	}
	return m, nil
}

func (c *code) close(ctx context.Context) error { return c.runtime.Close(ctx) }

// build compiles a guest of this module or of the project, by its import path.
func build(pkg string) ([]byte, error) {
	dir, err := os.MkdirTemp("", "drover-bench-")
	if err != nil {
		return nil, fmt.Errorf("build %s: %w", pkg, err)
	}
	defer os.RemoveAll(dir) //nolint:errcheck // a temporary folder
	out := filepath.Join(dir, "guest.wasm")
	cmd := exec.Command("go", "build", "-buildmode=c-shared", "-trimpath", "-o", out, pkg)
	cmd.Env = append(os.Environ(), "GOOS=wasip1", "GOARCH=wasm", "CGO_ENABLED=0")
	if text, err := cmd.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("build %s: %w\n%s", pkg, err, text)
	}
	return os.ReadFile(out)
}
