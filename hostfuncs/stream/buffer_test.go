package stream

import (
	"bytes"
	"testing"
	"time"
)

// FuzzBuffer compares the ring with a slice.
func FuzzBuffer(f *testing.F) {
	f.Add([]byte{10, 200, 255, 3, 0, 9, 250, 250, 128, 7})
	f.Fuzz(func(t *testing.T, ops []byte) {
		var b buffer
		var model []byte
		var next byte
		for i, op := range ops[:min(len(ops), 300)] {
			switch {
			case op == 0:
				b.clear()
				model = nil
			case op < 128:
				p := make([]byte, int(op)*23)
				for j := range p {
					next++
					p[j] = next
				}
				n := b.put(p, time.Duration(i/2))
				if want := min(len(p), bufferLimit-len(model)); n != want {
					t.Fatalf("put took %d, want %d", n, want)
				}
				model = append(model, p[:n]...)
			default:
				n := min(len(model), (int(op)-127)*29)
				if got := b.take(nil, n); !bytes.Equal(got, model[:n]) {
					t.Fatalf("took %d other bytes", n)
				}
				model = model[n:]
			}
			checkMarks(t, &b, len(model))
		}
	})
}

func checkMarks(t *testing.T, b *buffer, size int) {
	t.Helper()
	sum := 0
	for _, m := range b.marks {
		if m.size <= 0 || m.last < m.first {
			t.Fatalf("mark %+v", m)
		}
		sum += m.size
	}
	if sum != size || b.size != size || len(b.marks) > markLimit || len(b.ring) > bufferLimit {
		t.Fatalf("%d bytes, %d in %d marks, want %d; ring of %d", b.size, sum, len(b.marks), size, len(b.ring))
	}
}
