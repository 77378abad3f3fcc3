package canon

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/tetratelabs/wazero/api"
)

// Call is one call of an import, for people.
type Call struct {
	// Name is the import: "[method]stream.read", "data.publish".
	Name string
	// Args are the parameters, as "stream 4096, max 256, timeout 500ms". Of a list<u8> or a string there are the first 32
	// bytes, of other lists the lengths.
	Args string
	// Duration is how long the host took; 0 when it did not return.
	Duration time.Duration
	// Result is "ok", the case of an error, enum or variant, or a number; "did not return" when the call ended the guest.
	Result string
}

// String is the call in one line, as "[method]stream.write(stream 4096, data 2 bytes 00 01, timeout 500ms) -> ok 1.2ms".
func (c Call) String() string {
	if c.Duration == 0 {
		return fmt.Sprintf("%s(%s) -> %s", c.Name, c.Args, c.Result)
	}
	return fmt.Sprintf("%s(%s) -> %s %s", c.Name, c.Args, c.Result, c.Duration.Round(time.Microsecond/10))
}

// Calls returns the last calls of imports, 64 at most, oldest first. Secrets are redacted. It is called on the goroutine
// that calls the instance.
func (g *Guest) Calls(secrets Secrets) []Call {
	t := &g.trace
	n := min(t.count, traced)
	calls := make([]Call, 0, n)
	for i := t.count - n; i < t.count; i++ {
		calls = append(calls, t.ring[i%traced].call(secrets))
	}
	return calls
}

func (r *record) call(secrets Secrets) Call {
	c := Call{Name: r.function.Name, Args: r.args(secrets), Result: "did not return"}
	if r.returned {
		c.Duration, c.Result = time.Duration(max(r.took, 1)), r.result()
	}
	return c
}

func (r *record) args(secrets Secrets) string {
	if r.function.Spilled {
		return ".."
	}
	f := callFormat{record: r, secrets: secrets}
	f.params(r.function.Params)
	return f.String()
}

func (r *record) result() string {
	f := &r.function.Result
	switch f.Kind {
	case ResultNumber:
		return strconv.FormatUint(r.number, 10)
	case ResultBool:
		return strconv.FormatBool(api.DecodeU32(r.number) != 0)
	case ResultEnum:
		return name(f.Cases, r.number)
	case ResultChoice:
		return r.named()
	}
	return "ok"
}

func (r *record) named() string {
	f := &r.function.Result
	switch {
	case int(r.tag) >= len(f.Cases):
		return "?"
	case int(r.tag) == f.Counted:
		return fmt.Sprintf("%s %d", f.Cases[r.tag], r.number)
	case r.tag == 1 && int(r.errTag) < len(f.Errors):
		return f.Errors[r.errTag]
	}
	return f.Cases[r.tag]
}

// callFormat writes the parameters of one call.
type callFormat struct {
	strings.Builder
	record  *record
	secrets Secrets
	slot    int
}

func (f *callFormat) params(ps []Param) {
	for i, p := range ps {
		if i > 0 {
			f.WriteString(", ")
		}
		if f.slot+p.Flat > tracedFlat {
			f.WriteString("..")
			return
		}
		if p.Name != "" {
			f.WriteString(p.Name + " ")
		}
		f.value(p)
	}
}

// value writes one parameter and goes to the next slot behind it.
func (f *callFormat) value(p Param) {
	slot := f.slot
	if p.Kind == KindRecord {
		f.WriteByte('{')
		f.params(p.Fields)
		f.WriteByte('}')
		f.slot = slot + p.Flat
		return
	}
	v := f.record.flat[slot]
	f.slot += p.Flat
	switch p.Kind {
	case KindBytes, KindString, KindList:
		f.slice(p.Kind, slot)
	case KindTextChoice:
		f.WriteString(name(p.Of, v) + " ")
		f.slice(KindString, slot+1)
	case KindHandle:
		if p.Name != p.Of[0] {
			f.WriteString(p.Of[0] + " ")
		}
		f.WriteString(strconv.FormatUint(uint64(api.DecodeU32(v)), 10))
	case KindEnum, KindChoice:
		f.WriteString(name(p.Of, v))
	default:
		f.WriteString(scalar(p.Kind, v))
	}
}

// slice writes a list or string whose address and length are at slot: its length, and what was kept of it.
func (f *callFormat) slice(k ParamKind, slot int) {
	r, n := f.record, api.DecodeU32(f.record.flat[slot+1])
	kept := r.bytes[:r.kept]
	if slot != r.function.Bytes {
		kept = nil
	}
	cut := uint32(len(kept)) < n
	switch {
	case k == KindList:
		fmt.Fprintf(f, "%d elements", n)
	case k == KindString && n > 0 && len(kept) > 0:
		f.WriteString(f.secrets.quote(kept, cut))
	default:
		fmt.Fprintf(f, "%d bytes%s", n, f.secrets.hex(kept, cut))
	}
}

// name is the name of case v, which the guest may have made up.
func name(cases []string, v uint64) string {
	if i := api.DecodeU32(v); uint64(i) < uint64(len(cases)) {
		return cases[i]
	}
	return "case " + strconv.FormatUint(uint64(api.DecodeU32(v)), 10)
}

func scalar(k ParamKind, v uint64) string {
	switch k {
	case KindBool:
		return strconv.FormatBool(api.DecodeU32(v) != 0)
	case KindSigned32:
		return strconv.FormatInt(int64(api.DecodeI32(v)), 10)
	case KindSigned64:
		return strconv.FormatInt(int64(v), 10)
	case KindUnsigned64:
		return strconv.FormatUint(v, 10)
	case KindFloat32:
		return strconv.FormatFloat(float64(api.DecodeF32(v)), 'g', -1, 32)
	case KindFloat64:
		return strconv.FormatFloat(api.DecodeF64(v), 'g', -1, 64)
	case KindDuration:
		if v > math.MaxInt64 {
			return "for ever"
		}
		return time.Duration(v).String()
	default:
		return strconv.FormatUint(uint64(api.DecodeU32(v)), 10)
	}
}
