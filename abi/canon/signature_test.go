package canon_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"

	"github.com/droverhq/drover/abi/canon"
	"github.com/droverhq/drover/abi/canon/wasmtest"
)

const i32, i64 = api.ValueTypeI32, api.ValueTypeI64

func signature(module, name string, params ...api.ValueType) canon.Signature {
	return canon.Signature{Module: module, Name: name, Params: params}
}

// TestSignatures names each way in which a module differs.
func TestSignatures(t *testing.T) {
	r := wazero.NewRuntime(t.Context())
	defer r.Close(t.Context())
	m, err := r.CompileModule(t.Context(), wasmtest.Module{
		Pages:   1,
		Imports: []canon.Signature{signature("io", "same", i32), signature("io", "other", i64), signature("io", "unknown")},
		Funcs: []wasmtest.Func{
			{Signature: signature("", "same", i64)}, {Signature: signature("", "other")}, {Signature: signature("", "more")},
		},
	}.Encode())
	if err != nil {
		t.Fatal(err)
	}
	known := []canon.Signature{signature("io", "same", i32), signature("io", "other", i32, i64), signature("io", "unused")}
	want := canon.Differences{
		{Module: "io", Name: "other", Want: "(i32, i64) -> ()", Got: "(i64) -> ()"},
		{Module: "io", Name: "unknown", Got: "() -> ()"},
	}
	if d := cmp.Diff(want, canon.CheckImports(m.ImportedFunctions(), known)); d != "" {
		t.Errorf("imports (-want +got):\n%s", d)
	}
	optional := signature("", "optional")
	optional.Optional = true
	wrong := signature("", "other", i32)
	wrong.Optional = true
	got := canon.CheckExports(m.ExportedFunctions(), []canon.Signature{
		signature("", "same", i64), wrong, signature("", "missing", i32), optional,
	})
	const text = "other: is () -> (), not (i32) -> ()\nmissing: missing"
	if got.Error() != text {
		t.Errorf("exports: %s", got)
	}
}
