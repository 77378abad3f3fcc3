package meter

import (
	"fmt"
	"strings"
)

// Detached is a rewritten module without its data: an instance of it begins with a memory of zeros, so that whoever makes
// the instance can give it another content, that of an instance that was initialised before.
type Detached struct {
	// Binary is the module. It is valid where the rewritten module is.
	Binary []byte
	// Segments are the active data segments, in order: where each begins in the memory and how many bytes of Data, from
	// the end of the one before it, it has. Nothing says that they lie within the memory.
	Segments []Segment
	Data     []byte
	// Globals are the names under which the module's globals that can change are exported, without the rewriter's own
	// counters: those begin in each instance from where they always do.
	Globals []string
}

// Segment is an active data segment.
type Segment struct{ Offset, Size uint32 }

// Obstacle says why the data cannot be taken out of a module, or why an instance is more than its memory and its globals:
// "it uses memory.init".
type Obstacle string

func (o Obstacle) Error() string { return string(o) }

// forbid notes an obstacle. The first one stays.
func (m *module) forbid(format string, args ...any) {
	if m.obstacle == "" {
		m.obstacle = Obstacle(fmt.Sprintf(format, args...))
	}
}

// changeable notes a global that can change, or what is wrong with it.
func (m *module) changeable(index uint32, typ byte) {
	switch typ {
	case typeFuncRef, typeExtern:
		m.forbid("a global that can change holds a reference")
	case typeV128:
		m.forbid("a global that can change holds a vector")
	}
	m.changing = append(m.changing, index)
}

// Detach takes the data out. The error is an Obstacle.
func (m *Module) Detach() (*Detached, error) {
	if m.obstacle != "" {
		return nil, m.obstacle
	}
	sections, err := readSections(m.Binary)
	if err != nil {
		return nil, Obstacle(err.Error())
	}
	d := &Detached{Binary: append(make([]byte, 0, len(m.Binary)), preamble...)}
	exported := len(m.changing) == 0
	for _, s := range sections {
		r := reader{bytes: m.Binary, at: s.at, end: s.end}
		if !exported && s.id != sectionCustom && rank[s.id] > rank[sectionExport] {
			d.export(m.changing, nil)
			exported = true
		}
		switch s.id {
		case sectionExport:
			d.export(m.changing, m.Binary[s.at:s.end])
			exported = true
		case sectionDataCount:
		case sectionData:
			if err := d.take(&r, m.memory); err != nil {
				return nil, err
			}
		default:
			d.Binary = appendSection(d.Binary, s.id, m.Binary[s.at:s.end])
		}
	}
	if !exported {
		d.export(m.changing, nil)
	}
	return d, nil
}

// export appends the section of exports with the globals added, under names that begin as no name of the module's does.
func (d *Detached) export(globals []uint32, section []byte) {
	prefix := "drover:global/"
	for taken(section, prefix) {
		prefix += "/"
	}
	var added [][]byte
	for i, index := range globals {
		name := fmt.Sprintf("%s%d", prefix, i)
		d.Globals = append(d.Globals, name)
		added = append(added, appendU32(append(appendName(nil, name), 3), index))
	}
	d.Binary = appendSection(d.Binary, sectionExport, extend(section, added...))
}

// taken says whether an export begins with prefix.
func taken(section []byte, prefix string) bool {
	if len(section) == 0 {
		return false
	}
	r := reader{bytes: section, end: len(section)}
	for range r.u32("") {
		if strings.HasPrefix(r.name(""), prefix) {
			return true
		}
		r.byte("")
		r.u32("")
		if r.err != nil {
			break
		}
	}
	return false
}

// take keeps the active segments. What no compiler would take must be left to it.
func (d *Detached) take(r *reader, memory bool) error {
	n := r.u32("")
	if n > 0 && !memory {
		return Obstacle("it has data but no memory")
	}
	for i := range n {
		mode := r.u32("")
		if mode == 2 && r.u32("") != 0 {
			return Obstacle("it has data of another memory")
		}
		offset, constant := uint32(0), true
		if mode != 1 {
			offset, constant = constantOffset(r)
		}
		if !constant {
			return Obstacle(fmt.Sprintf("the offset of data segment %d is not constant", i))
		}
		bytes := r.skip(r.u32(""), "")
		if r.err != nil {
			return Obstacle(r.err.Error())
		}
		if mode != 1 { // without memory.init, a passive one is of no use
			d.Segments = append(d.Segments, Segment{Offset: offset, Size: uint32(len(bytes))})
			d.Data = append(d.Data, bytes...)
		}
	}
	return nil
}

// constantOffset reads an expression, and says whether it is just one 32-bit constant.
func constantOffset(r *reader) (offset uint32, ok bool) {
	if r.byte("") != opI32Const {
		return 0, false
	}
	v := r.signed(32, "")
	return uint32(v), int64(int32(v)) == v && r.byte("") == opEnd && r.err == nil
}
