package meter

import "fmt"

// readElements reads the element segments for the functions that they refer to.
func (m *module) readElements(r *reader) { m.elements(r, nil) }

// elements reads the element section and appends it to out with its functions renumbered.
func (m *module) elements(r *reader, out []byte) []byte {
	n := r.count("element segments", 1<<30)
	out = appendU32(out, uint32(n))
	for range n {
		out = m.element(r, out)
		if r.err != nil {
			break
		}
	}
	return out
}

// The bits of an element segment's kind (core specification 2.0, 5.5.12).
const (
	elementNotActive   = 1
	elementExplicit    = 2
	elementExpressions = 4
)

// element reads one segment of any of the eight kinds.
func (m *module) element(r *reader, out []byte) []byte {
	start := r.at
	kind := r.u32("an element segment")
	if kind > 7 {
		r.fail(start, "an element segment of kind 0 to 7", fmt.Sprint(kind))
		return out
	}
	if kind&elementNotActive == 0 && kind&elementExplicit != 0 {
		r.u32("a table's index")
	}
	out = append(out, r.bytes[start:r.at]...)
	if kind&elementNotActive == 0 {
		out = m.expression(r, out)
	}
	if kind&(elementNotActive|elementExplicit) != 0 {
		out = append(out, r.byte("a kind of elements"))
	}
	n := r.count("elements", 1<<30)
	out = appendU32(out, uint32(n))
	for range n {
		if kind&elementExpressions != 0 {
			out = m.expression(r, out)
		} else {
			out = appendU32(out, m.reference(r))
		}
		if r.err != nil {
			break
		}
	}
	return out
}
