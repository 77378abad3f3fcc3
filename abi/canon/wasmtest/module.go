// Package wasmtest makes small WebAssembly modules for tests: what a broken guest would be.
package wasmtest

import (
	"encoding/binary"

	"github.com/tetratelabs/wazero/api"

	"github.com/droverhq/drover/abi/canon"
)

// Module is a module with one memory, which it exports as "memory", unless NoMemory says otherwise.
type Module struct {
	// Imports come first in the index space of functions.
	Imports []canon.Signature
	Funcs   []Func
	// Pages is the size of the memory in 64 KiB.
	Pages uint32
	Data  []Data
	// Table gives the module a table of one null reference.
	Table bool
	// NoMemory leaves the memory out.
	NoMemory bool
}

// Func is a function and the name it is exported by, which the name section has, too. Its body lacks the final end.
type Func struct {
	canon.Signature
	// Locals is how many locals of type i64 it has besides its parameters.
	Locals uint32
	Body   []byte
}

// Data is what the memory holds from the start.
type Data struct {
	Offset uint32
	Bytes  []byte
}

// Encode returns the module in the binary format (WebAssembly core specification, chapter 5).
func (m Module) Encode() []byte {
	out := []byte("\x00asm\x01\x00\x00\x00")
	out = section(out, 1, m.types())
	out = section(out, 2, m.imports())
	out = section(out, 3, m.functions())
	if m.Table {
		out = section(out, 4, vector([][]byte{{0x70, 0, 1}}))
	}
	if !m.NoMemory {
		out = section(out, 5, vector([][]byte{append([]byte{0}, leb(uint64(m.Pages))...)}))
	}
	out = section(out, 7, m.exports())
	out = section(out, 10, m.code())
	out = section(out, 11, m.data())
	return section(out, 0, m.names())
}

// types gives every function a type of its own.
func (m Module) types() []byte {
	var all [][]byte
	add := func(s canon.Signature) {
		t := append([]byte{0x60}, values(s.Params)...)
		all = append(all, append(t, values(s.Results)...))
	}
	for _, s := range m.Imports {
		add(s)
	}
	for _, f := range m.Funcs {
		add(f.Signature)
	}
	return vector(all)
}

func values(ts []api.ValueType) []byte { return append(leb(uint64(len(ts))), ts...) }

func (m Module) imports() []byte {
	var all [][]byte
	for i, s := range m.Imports {
		b := append(name(s.Module), name(s.Name)...)
		all = append(all, append(append(b, 0), leb(uint64(i))...))
	}
	return vector(all)
}

func (m Module) functions() []byte {
	var all [][]byte
	for i := range m.Funcs {
		all = append(all, leb(uint64(len(m.Imports)+i)))
	}
	return vector(all)
}

func (m Module) exports() []byte {
	var all [][]byte
	if !m.NoMemory {
		all = append(all, append(name("memory"), 2, 0))
	}
	for i, f := range m.Funcs {
		all = append(all, append(append(name(f.Name), 0), leb(uint64(len(m.Imports)+i))...))
	}
	return vector(all)
}

func (m Module) code() []byte {
	var all [][]byte
	for _, f := range m.Funcs {
		locals := []byte{0}
		if f.Locals > 0 {
			locals = append(append([]byte{1}, leb(uint64(f.Locals))...), api.ValueTypeI64)
		}
		body := append(append(locals, f.Body...), 0x0b)
		all = append(all, append(leb(uint64(len(body))), body...))
	}
	return vector(all)
}

func (m Module) data() []byte {
	var all [][]byte
	for _, d := range m.Data {
		b := append([]byte{0}, I32(d.Offset)...)
		b = append(append(b, 0x0b), leb(uint64(len(d.Bytes)))...)
		all = append(all, append(b, d.Bytes...))
	}
	return vector(all)
}

// names is the custom section "name" with the names of the functions (core specification, appendix, name section).
func (m Module) names() []byte {
	var all [][]byte
	for i, f := range m.Funcs {
		all = append(all, append(leb(uint64(len(m.Imports)+i)), name(f.Name)...))
	}
	return section(name("name"), 1, vector(all))
}

func section(out []byte, id byte, body []byte) []byte {
	return append(append(append(out, id), leb(uint64(len(body)))...), body...)
}

func vector(items [][]byte) []byte {
	out := leb(uint64(len(items)))
	for _, i := range items {
		out = append(out, i...)
	}
	return out
}

func name(s string) []byte { return append(leb(uint64(len(s))), s...) }

func leb(v uint64) []byte { return binary.AppendUvarint(nil, v) }
