package canon

import (
	"time"

	"github.com/tetratelabs/wazero/api"
)

const (
	// traced is how many calls a Guest remembers.
	traced = 64
	// tracedFlat and tracedBytes are how many flat parameters, and how many bytes of a list, are kept of each.
	tracedFlat  = 8
	tracedBytes = 32
)

// trace has the last calls of imports, as they came: to format one takes longer than many an import does, so that is
// left to who reads them.
type trace struct {
	ring  [traced]record
	count uint64
}

// record is one call. Its parameters are those that the guest gave, unchecked.
type record struct {
	function *Function
	began    int64
	took     int64
	flat     [tracedFlat]uint64
	number   uint64 // a flat result, or the number of elements of a list
	bytes    [tracedBytes]byte
	kept     uint8 // of bytes
	returned bool
	tag      uint8
	errTag   uint8
}

// epoch is where Now begins.
var epoch = time.Now()

// Now is the time in nanoseconds, on a monotonic clock that is this process's own.
func Now() int64 { return int64(time.Since(epoch)) }

// begin takes note of a call at the time now.
func (t *trace) begin(f *Function, s []uint64, m api.Memory, now int64) {
	r := &t.ring[t.count%traced]
	t.count++
	r.function, r.began, r.returned, r.kept = f, now, false, 0
	n := copy(r.flat[:], s)
	if i := f.Bytes; i >= 0 && i+1 < n && m != nil {
		if p, ok := m.Read(api.DecodeU32(s[i]), min(api.DecodeU32(s[i+1]), tracedBytes)); ok {
			r.kept = uint8(copy(r.bytes[:], p))
		}
	}
}

// end takes note of the last call's result at the time now, and returns what was called.
func (t *trace) end(s []uint64, m api.Memory, now int64) *Function {
	r := &t.ring[(t.count-1)%traced]
	r.took, r.returned = now-r.began, true
	switch f := r.function; f.Result.Kind {
	case ResultNumber, ResultBool, ResultEnum:
		r.number = s[0]
	case ResultChoice:
		if f.Return < tracedFlat {
			r.choice(m, api.DecodeU32(r.flat[f.Return]))
		}
	}
	return r.function
}

// choice reads the result at an address that was checked.
func (r *record) choice(m api.Memory, at uint32) {
	result := &r.function.Result
	r.tag, _ = m.ReadByte(at)
	switch {
	case int(r.tag) == result.Counted:
		n, _ := m.ReadUint32Le(at + result.Payload + 4)
		r.number = uint64(n)
	case r.tag == 1 && result.Errors != nil:
		r.errTag, _ = m.ReadByte(at + result.Payload)
	}
}
