package meter

import (
	"bytes"
	"fmt"
)

// Section ids (core specification 2.0, 5.5.2).
const (
	sectionCustom    = 0
	sectionType      = 1
	sectionImport    = 2
	sectionFunction  = 3
	sectionTable     = 4
	sectionMemory    = 5
	sectionGlobal    = 6
	sectionExport    = 7
	sectionStart     = 8
	sectionElement   = 9
	sectionCode      = 10
	sectionData      = 11
	sectionDataCount = 12
)

// rank is a section's place in the order of a module: the data count comes before the code.
var rank = [13]int{
	sectionType: 1, sectionImport: 2, sectionFunction: 3, sectionTable: 4, sectionMemory: 5, sectionGlobal: 6,
	sectionExport: 7, sectionStart: 8, sectionElement: 9, sectionDataCount: 10, sectionCode: 11, sectionData: 12,
}

var sectionNames = [13]string{
	"custom", "type", "import", "function", "table", "memory", "global", "export", "start", "element", "code", "data",
	"data count",
}

const preamble = "\x00asm\x01\x00\x00\x00"

// section is bytes [at, end) of the module, its id and size before it.
type section struct {
	id      byte
	at, end int
}

// readSections finds a module's sections and checks their order.
func readSections(binary []byte) ([]section, error) {
	if !bytes.HasPrefix(binary, []byte(preamble)) {
		found := fmt.Sprintf("%q", binary[:min(8, len(binary))])
		return nil, &Error{0, "the preamble of a core module, version 1", found}
	}
	var all []section
	r := reader{bytes: binary, at: len(preamble), end: len(binary)}
	for last := 0; !r.done(); {
		start := r.at
		id := r.byte("a section")
		if int(id) >= len(rank) {
			return nil, &Error{Offset: start, Expected: "a section of WebAssembly 2.0", Found: unknownSection(id)}
		}
		if id != sectionCustom && rank[id] <= last {
			return nil, &Error{start, "sections in order, each once", "another " + sectionNames[id] + " section"}
		}
		last = max(last, rank[id])
		p := r.part(r.u32("a section's size"), "the "+sectionNames[id]+" section")
		all = append(all, section{id: id, at: p.at, end: p.end})
	}
	if r.err != nil {
		return nil, r.err
	}
	return all, nil
}

func unknownSection(id byte) string {
	if id == 13 {
		return "a tag section (the feature exception handling)"
	}
	return fmt.Sprintf("section %d", id)
}
