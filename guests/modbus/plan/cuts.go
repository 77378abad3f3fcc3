package plan

import (
	"cmp"
	"encoding/binary"
	"slices"

	"github.com/droverhq/drover/guests/modbus/pdu"
)

// Cut is an offset at which a request must begin anew.
type Cut struct {
	Area  pdu.Area
	Start uint16
}

// Cuts are the cuts of one unit, in order, each once. The zero value has none.
type Cuts []Cut

func compareCuts(a, b Cut) int {
	return cmp.Or(cmp.Compare(a.Area, b.Area), cmp.Compare(a.Start, b.Start))
}

// Add returns the cuts with one more.
func (c Cuts) Add(cut Cut) Cuts {
	at, found := slices.BinarySearchFunc(c, cut, compareCuts)
	if found {
		return c
	}
	return slices.Insert(c, at, cut)
}

// between says whether there is a cut behind from, up to and with to.
func (c Cuts) between(area pdu.Area, from, to uint16) bool {
	at, found := slices.BinarySearchFunc(c, Cut{area, from}, compareCuts)
	if found {
		at++
	}
	return at < len(c) && c[at].Area == area && c[at].Start <= to
}

// Split returns the cuts that divide a block which the unit refused: at its holes, which are what a unit refuses most
// often; where it has none, in the middle. There are none where all its points begin at one offset.
func Split(b Block) Cuts {
	if cuts := holes(b); len(cuts) > 0 {
		return cuts
	}
	var starts []uint16
	for _, item := range b.Items {
		if item.Start > b.Start && (len(starts) == 0 || item.Start > starts[len(starts)-1]) {
			starts = append(starts, item.Start)
		}
	}
	if len(starts) == 0 {
		return nil
	}
	return Cuts{{b.Area, starts[len(starts)/2]}}
}

// holes returns a cut behind each hole between the points.
func holes(b Block) Cuts {
	var cuts Cuts
	end := int(b.Start)
	for _, item := range b.Items {
		if int(item.Start) > end {
			cuts = append(cuts, Cut{b.Area, item.Start})
		}
		end = max(end, item.end())
	}
	return cuts
}

// cutSize is the size of a cut in Append's form.
const cutSize = 3

// Append adds the cuts to dst: their number, then area and offset of each, high byte first. At most 65535 are added.
func (c Cuts) Append(dst []byte) []byte {
	c = c[:min(len(c), 1<<16-1)]
	dst = binary.BigEndian.AppendUint16(dst, uint16(len(c)))
	for _, cut := range c {
		dst = append(dst, byte(cut.Area))
		dst = binary.BigEndian.AppendUint16(dst, cut.Start)
	}
	return dst
}

// ParseCuts takes cuts off what Append made, and returns the rest. It answers false where there are none there.
func ParseCuts(b []byte) (cuts Cuts, rest []byte, ok bool) {
	if len(b) < 2 {
		return nil, nil, false
	}
	n := int(binary.BigEndian.Uint16(b))
	b = b[2:]
	if len(b) < n*cutSize {
		return nil, nil, false
	}
	for range n {
		cut := Cut{Area: pdu.Area(b[0]), Start: binary.BigEndian.Uint16(b[1:])}
		if !cut.Area.Valid() {
			return nil, nil, false
		}
		cuts = cuts.Add(cut)
		b = b[cutSize:]
	}
	return cuts, b, true
}
