package signature

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
)

// Suffix is what the file of a module's signatures is called after the module: modbus.wasm.sig. It has a JSON list.
const Suffix = ".sig"

// ReadFile reads the signatures that lie beside a module; none when there is no such file.
func ReadFile(module string) ([]Signature, error) {
	text, err := os.ReadFile(module + Suffix)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the signatures: %w", err)
	}
	var out []Signature
	if err := json.Unmarshal(text, &out); err != nil {
		return nil, fmt.Errorf("read the signatures in %s: expected a list of them as JSON: %w", module+Suffix, err)
	}
	return out, nil
}

// AddFile adds a signature to those beside a module, in the place of the same key's.
func AddFile(module string, s Signature) error {
	have, err := ReadFile(module)
	if err != nil {
		return err
	}
	have = append(slices.DeleteFunc(have, func(h Signature) bool { return h.Key == s.Key }), s)
	text, err := json.MarshalIndent(have, "", "  ")
	if err != nil {
		return fmt.Errorf("write the signatures: %w", err)
	}
	if err := os.WriteFile(module+Suffix, append(text, '\n'), 0o644); err != nil {
		return fmt.Errorf("write the signatures: %w", err)
	}
	return nil
}
