package main

import (
	"go/token"
	"slices"
	"strings"
)

// initialisms are the words that Go writes in capitals.
var initialisms = []string{
	"id", "io", "json", "dtr", "rts", "cts", "dsr", "ri", "dcd", "tls", "tcp", "udp", "rs485",
}

// camel turns a WIT name into an exported Go name: "device-id" becomes DeviceID.
func camel(name string) string {
	var b strings.Builder
	for word := range strings.SplitSeq(strings.ToLower(name), "-") {
		if slices.Contains(initialisms, word) {
			b.WriteString(strings.ToUpper(word))
			continue
		}
		b.WriteString(strings.ToUpper(word[:1]) + word[1:])
	}
	return b.String()
}

// local turns a WIT name into the name of a Go parameter: "max-size" becomes maxSize.
func local(name string) string {
	first, rest, more := strings.Cut(strings.ToLower(name), "-")
	if more {
		first += camel(rest)
	}
	if token.IsKeyword(first) || slices.Contains(reserved, first) {
		first += "_"
	}
	return first
}

// reserved are the names that the generated code uses itself where parameters are in scope.
var reserved = []string{
	"api", "a", "append", "at", "buf", "canon", "clear", "component", "context", "ctx", "driver", "err", "fmt", "len", "linear", "math", "out",
	"p", "r", "ret", "s", "self", "slices", "string", "uint32", "uint64", "unsafe", "wazero", "x",
}

// mangle names a type in the name of a generated function: option<list<u8>> is OptionBytes.
func mangle(t *typ) string {
	if t == nil {
		return "Unit"
	}
	switch t.kind {
	case kindRecord, kindEnum, kindVariant:
		return camel(t.name)
	case kindList:
		if t.isBytes() {
			return "Bytes"
		}
		return "List" + mangle(t.elem)
	case kindOption:
		return "Option" + mangle(t.elem)
	case kindResult:
		return "Result" + mangle(t.cases[0].typ) + mangle(t.cases[1].typ)
	case kindTuple:
		return "Tuple" + mangle(t.fields[0].typ) + mangle(t.fields[1].typ)
	case kindOwn:
		return "Own" + camel(t.resource.name)
	case kindBorrow:
		return "Borrow" + camel(t.resource.name)
	}
	return strings.ToUpper(scalars[t.kind].wit[:1]) + scalars[t.kind].wit[1:]
}

// scalars has the names of the types that are no compounds.
var scalars = map[kind]struct{ wit, goName string }{
	kindBool: {"bool", "bool"}, kindString: {"string", "string"},
	kindS8: {"s8", "int8"}, kindS16: {"s16", "int16"}, kindS32: {"s32", "int32"}, kindS64: {"s64", "int64"},
	kindU8: {"u8", "uint8"}, kindU16: {"u16", "uint16"}, kindU32: {"u32", "uint32"}, kindU64: {"u64", "uint64"},
	kindF32: {"f32", "float32"}, kindF64: {"f64", "float64"},
}

// goType is t in Go. pkg is the package of the named types, with its dot, or empty inside of it.
func goType(t *typ, pkg string) string {
	if t == nil {
		return "component.Unit"
	}
	if t.alias != "" {
		return pkg + camel(t.alias)
	}
	return bareType(t, pkg)
}

// bareType is t in Go without regard to another name that WIT has for it.
func bareType(t *typ, pkg string) string {
	switch t.kind {
	case kindRecord, kindEnum, kindVariant:
		return pkg + camel(t.name)
	case kindList:
		if t.isBytes() {
			return "[]byte"
		}
		return "[]" + goType(t.elem, pkg)
	case kindOption:
		return "component.Option[" + goType(t.elem, pkg) + "]"
	case kindResult:
		return "component.Result[" + goType(t.cases[0].typ, pkg) + ", " + goType(t.cases[1].typ, pkg) + "]"
	case kindTuple:
		return "component.Tuple2[" + goType(t.fields[0].typ, pkg) + ", " + goType(t.fields[1].typ, pkg) + "]"
	case kindOwn, kindBorrow:
		return camel(t.resource.name)
	}
	return scalars[t.kind].goName
}
