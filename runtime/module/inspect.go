package module

import (
	"fmt"
	"strings"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/imports/wasi_snapshot_preview1"

	"github.com/droverhq/drover/abi/canon"
	"github.com/droverhq/drover/abi/driver/host"
	"github.com/droverhq/drover/runtime/failure"
	"github.com/droverhq/drover/runtime/module/meter"
)

// ABIVersion is the version of the package drover:driver that this host has.
const ABIVersion = "0.1.0"

const (
	// maxSize is how large a binary may be.
	maxSize = 64 << 20
	// pageSize is the unit of a memory's size.
	pageSize = 64 << 10

	abiPackage = "drover:driver/"
)

// preamble starts every core module (WebAssembly core specification 2.0, 5.5.16), componentPreamble a component.
const (
	preamble          = "\x00asm\x01\x00\x00\x00"
	componentPreamble = "\x00asm\x0d\x00\x01\x00"
)

// checkBinary refuses what no compiler needs to see.
func checkBinary(binary []byte) error {
	switch {
	case len(binary) > maxSize:
		return abiFailure(failure.ABIEncoding, "the module has %d bytes, more than %d", len(binary), maxSize)
	case strings.HasPrefix(string(binary[:min(8, len(binary))]), componentPreamble):
		return abiFailure(failure.ABIEncoding, "this is a component; a driver is a core module")
	case !strings.HasPrefix(string(binary[:min(8, len(binary))]), preamble):
		return abiFailure(failure.ABIEncoding, "this is not a WebAssembly module")
	}
	return nil
}

// checkABI compares a compiled module with the world. The last function that it imports is the meter's, which was added
// to it; a driver itself cannot have it.
func checkABI(compiled wazero.CompiledModule) error {
	all := compiled.ImportedFunctions()
	var imports []api.FunctionDefinition
	for i, def := range all {
		module, name, _ := def.Import()
		if module == wasi_snapshot_preview1.ModuleName || module == meter.ImportModule && i == len(all)-1 {
			continue
		}
		if err := checkVersion("imports", module); err != nil {
			return err
		}
		if !strings.HasPrefix(module, abiPackage) {
			return abiFailure(failure.ABIImport, "the module imports %q of %q, which nobody provides", name, module)
		}
		imports = append(imports, def)
	}
	if ds := canon.CheckImports(imports, host.ImportSignatures()); len(ds) > 0 {
		return abiFailure(failure.ABIImport, "import %s", ds[0])
	}
	for name := range compiled.ExportedFunctions() {
		if err := checkVersion("exports", name); err != nil {
			return err
		}
	}
	if ds := canon.CheckExports(compiled.ExportedFunctions(), host.ExportSignatures()); len(ds) > 0 {
		return abiFailure(failure.ABIExport, "export %s", ds[0])
	}
	if _, ok := compiled.ExportedMemories()["memory"]; !ok {
		return abiFailure(failure.ABIExport, `export memory: missing`)
	}
	return nil
}

// checkVersion refuses a name of our package in a version that this host does not have.
func checkVersion(verb, name string) error {
	rest, ours := strings.CutPrefix(name, abiPackage)
	if !ours {
		return nil
	}
	_, version, _ := strings.Cut(rest, "@")
	version, _, _ = strings.Cut(version, "#")
	if version == ABIVersion {
		return nil
	}
	return abiFailure(failure.ABIVersion, "the module %s version %s of drover:driver, this host has %s", verb, version, ABIVersion)
}

func abiFailure(code failure.Code, format string, args ...any) *failure.Failure {
	return failure.New(failure.PhaseDescribe, code, fmt.Sprintf(format, args...))
}
