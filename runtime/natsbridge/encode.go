package natsbridge

import (
	"strconv"
	"sync"
	"time"

	"github.com/droverhq/drover/abi/driver"
	"github.com/droverhq/drover/runtime/natsbridge/message"
	"github.com/droverhq/drover/runtime/point"
)

// encoder is the memory for encoding one batch: the points one after the other, and where a message has to end.
type encoder struct {
	points []byte
	cuts   []int
	names  map[string]struct{}
}

// encoders lends encoders.
type encoders struct{ pool sync.Pool }

func (p *encoders) get() *encoder {
	if e, ok := p.pool.Get().(*encoder); ok {
		return e
	}
	return &encoder{names: make(map[string]struct{})}
}

func (p *encoders) put(e *encoder) {
	if cap(e.points) <= 2*messageBytes {
		p.pool.Put(e)
	}
}

// encode encodes the points of a batch. A new message starts where one would grow above messageBytes, and where a point
// comes again: a JSON object has each name once.
func (e *encoder) encode(b *point.Batch) {
	e.points, e.cuts = e.points[:0], e.cuts[:0]
	clear(e.names)
	start := 0
	for i := range b.Readings {
		r := &b.Readings[i]
		at := len(e.points)
		e.points = appendReading(e.points, r, b.Time)
		_, again := e.names[r.Name]
		if at > start && (again || len(e.points)-start > messageBytes-headerBytes) {
			e.cuts = append(e.cuts, at)
			start = at
			clear(e.names)
		}
		e.names[r.Name] = struct{}{}
	}
	e.cuts = append(e.cuts, len(e.points))
}

// parts is the number of messages.
func (e *encoder) parts() int { return len(e.cuts) }

// part returns the points of message i, from 0.
func (e *encoder) part(i int) []byte {
	start := 0
	if i > 0 {
		start = e.cuts[i-1]
	}
	part := e.points[start:e.cuts[i]]
	return part[:max(len(part)-1, 0)] // without the last comma
}

// appendReading appends `"name":{...},`.
func appendReading(dst []byte, r *point.Reading, at time.Time) []byte {
	dst = point.AppendText(dst, r.Name)
	dst = append(dst, ':', '{')
	if !r.Value.None() {
		dst = append(dst, `"v":`...)
		dst = r.Value.AppendJSON(dst)
		dst = append(dst, ',')
	}
	if r.Quality != driver.QualityGood {
		dst = append(dst, `"q":`...)
		dst = point.AppendText(dst, r.Quality.String())
		dst = append(dst, ',')
	}
	if r.Code != "" {
		dst = append(dst, `"code":`...)
		dst = point.AppendText(dst, r.Code)
		dst = append(dst, ',')
	}
	if !r.Time.IsZero() && !r.Time.Equal(at) {
		dst = append(dst, `"ts":`...)
		dst = message.AppendTime(dst, r.Time)
		dst = append(dst, ',')
	}
	if dst[len(dst)-1] == ',' {
		dst = dst[:len(dst)-1]
	}
	return append(dst, '}', ',')
}

// headerBytes is room for all of a data message but its points, with an epoch of 128 bytes.
const headerBytes = 320

// appendData appends a data message with these points. parts 1 is a message that was not split.
func appendData(dst []byte, epoch, clock string, b *point.Batch, part, parts int, points []byte) []byte {
	dst = appendHeader(dst, b.Time, epoch, clock)
	dst = append(dst, `,"seq":`...)
	dst = strconv.AppendUint(dst, b.Seq, 10)
	if parts > 1 {
		dst = append(dst, `,"part":`...)
		dst = strconv.AppendInt(dst, int64(part), 10)
		dst = append(dst, `,"parts":`...)
		dst = strconv.AppendInt(dst, int64(parts), 10)
	}
	dst = append(dst, `,"points":{`...)
	dst = append(dst, points...)
	return append(dst, '}', '}')
}

// appendHeader appends the start of every message, its brace still open.
func appendHeader(dst []byte, at time.Time, epoch, clock string) []byte {
	dst = append(dst, `{"ts":`...)
	dst = message.AppendTime(dst, at)
	dst = append(dst, `,"epoch":"`...)
	dst = append(dst, epoch...)
	if clock != "" {
		dst = append(dst, `","clock":"`...)
		dst = append(dst, clock...)
	}
	return append(dst, '"')
}
