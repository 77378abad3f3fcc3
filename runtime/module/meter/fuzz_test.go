package meter

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
)

// most is how many bytes n bytes may become.
func most(n int) int { return 24*n + 512 }

// FuzzRewrite rewrites arbitrary bytes: a clear error, or a module that compiles if the input does, and of a size that is
// bounded by the input's; without its data likewise.
func FuzzRewrite(f *testing.F) {
	seeds, err := filepath.Glob(filepath.Join(spectest(f), "v2/testdata/*.wasm"))
	if err != nil || len(seeds) < 1000 {
		f.Fatalf("%d modules in the specification's suite (%v)", len(seeds), err)
	}
	for i, name := range seeds {
		if i%9 != 0 {
			continue
		}
		if binary, err := os.ReadFile(name); err == nil && len(binary) < 4096 {
			f.Add(binary)
		}
	}
	for seed := range uint64(20) {
		f.Add(makeProgram(seed))
		f.Add(makePlain(seed))
	}
	f.Add(bulkModule())
	f.Add(customModule())
	ctx := context.Background()
	// The interpreter validates as the compiler does, and is quicker.
	r := wazero.NewRuntimeWithConfig(ctx, wazero.NewRuntimeConfigInterpreter().WithCoreFeatures(api.CoreFeaturesV2))
	f.Cleanup(func() { _ = r.Close(ctx) })
	f.Fuzz(func(t *testing.T, binary []byte) {
		m, err := Rewrite(binary, Limits{Nesting: 1000, Locals: 500})
		if err != nil {
			if e, ok := errors.AsType[*Error](err); !ok || e.Offset < 0 || e.Offset > len(binary) {
				t.Errorf("got %#v", err)
			}
			return
		}
		if len(m.Binary) > most(len(binary)) {
			t.Errorf("%d bytes became %d", len(binary), len(m.Binary))
		}
		if again, err := Rewrite(binary, Limits{Nesting: 1000, Locals: 500}); err != nil || !bytes.Equal(again.Binary, m.Binary) {
			t.Errorf("the second time gives another module (%v)", err)
		}
		d, detachErr := m.Detach()
		before, err := r.CompileModule(ctx, binary)
		if err != nil {
			if detachErr == nil && !hasCustom(binary) {
				if after, err := r.CompileModule(ctx, d.Binary); err == nil {
					_ = after.Close(ctx)
					t.Errorf("what did not compile does without its data")
				}
			}
			if after, err := r.CompileModule(ctx, m.Binary); err == nil {
				_ = after.Close(ctx)
				if !hasCustom(binary) { // broken names are dropped, and wazero refuses an empty name in the last place
					t.Errorf("what did not compile does when it is rewritten")
				}
			}
			return
		}
		defer before.Close(ctx)
		after, err := r.CompileModule(ctx, m.Binary)
		if err != nil {
			t.Fatalf("rewritten, it does not compile: %v", err)
		}
		_ = after.Close(ctx)
		if detachErr != nil {
			return
		}
		if after, err = r.CompileModule(ctx, d.Binary); err != nil {
			t.Fatalf("without its data, it does not compile: %v", err)
		}
		_ = after.Close(ctx)
	})
}

func hasCustom(binary []byte) bool {
	all, err := readSections(binary)
	return err == nil && slices.ContainsFunc(all, func(s section) bool { return s.id == sectionCustom })
}
