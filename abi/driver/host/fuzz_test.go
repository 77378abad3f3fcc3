package host_test

import (
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"testing"

	"github.com/tetratelabs/wazero/api"

	"github.com/droverhq/drover/abi/canon"
	"github.com/droverhq/drover/abi/canon/wasmtest"
	"github.com/droverhq/drover/abi/driver"
	"github.com/droverhq/drover/abi/driver/host"
)

// argsAt is where the fuzzed guest has the parameters of the imports that it calls.
const argsAt = pageSize - 256

// fuzzed has a run that calls one of the imports, with parameters from memory, and exports that answer an address from
// memory: whatever bytes are in there, some lift sees them.
func fuzzed(t testing.TB, name string) guestCode {
	load := wasmtest.Load(api.ValueTypeI32, argsAt)
	code := guestCode{bodies: map[string][]byte{"#describe": load, "#init": load, "#connect": load, "#run": load}}
	if name == "" {
		return code
	}
	s := importSignature(t, name)
	var body []byte
	for i, p := range s.Params {
		body = append(body, wasmtest.Load(p, argsAt+uint32(8*i))...)
	}
	body = append(body, call(0)...)
	for range s.Results {
		body = append(body, wasmtest.Drop()...)
	}
	code.imports, code.bodies["#configure"] = []string{name}, append(body, answer()...)
	return code
}

// FuzzLift lifts every type that a guest hands over from arbitrary memory: nothing comes of it but values within the
// budget, or a *canon.Error.
func FuzzLift(f *testing.F) {
	limits := canon.Limits{Bytes: 1 << 16, Elements: 1 << 12, Handles: 4}
	names := []string{"", "publish", "gauges", "wait", "reply", "log", "save", "connect", "send-break", "set-rs485", "[method]stream.write", "[method]datagrams.send"}
	var guests []*instance
	for _, name := range names {
		guests = append(guests, start(f, fuzzed(f, name), limits))
	}
	for seed := range uint64(40) {
		f.Add(plausible(seed), uint32(seed))
	}
	f.Fuzz(func(t *testing.T, memory []byte, args uint32) {
		for i, x := range guests {
			m := x.module.Memory()
			fill(m, memory)
			for j := range uint32(8) {
				m.WriteUint32Le(argsAt+8*j, args>>(4*j))
				m.WriteUint32Le(argsAt+8*j+4, 0)
			}
			for _, err := range liftAll(t, x, i > 0, limits) {
				if _, ok := errors.AsType[*canon.Error](err); err != nil && !ok {
					t.Fatalf("%q: %v", names[i], err)
				}
			}
		}
	})
}

// fill lays p over the whole memory, again and again.
func fill(m api.Memory, p []byte) {
	page, _ := m.Read(0, pageSize)
	clear(page)
	for n := 0; len(p) > 0 && n < pageSize; {
		n += copy(page[n:], p)
	}
}

// liftAll calls what the guest has and returns how each call ended.
func liftAll(t *testing.T, x *instance, imports bool, limits canon.Limits) []error {
	if imports {
		_, err := x.Configure(t.Context(), driver.Config{})
		return []error{err}
	}
	metadata, e1 := x.Describe(t.Context())
	if n := len(metadata.Name) + len(metadata.Settings) + len(metadata.Address) + 56*len(metadata.Codes); n > limits.Bytes {
		t.Errorf("describe gave %d bytes with a budget of %d", n, limits.Bytes)
	}
	handle, e2 := x.Init(t.Context(), driver.Session{})
	if n := 4*len(handle.Value.Points) + 64*len(handle.Value.Actions); n > limits.Bytes {
		t.Errorf("init gave %d bytes with a budget of %d", n, limits.Bytes)
	}
	_, e3 := x.Run(t.Context(), driver.Session{})
	_, e4 := x.Connect(t.Context(), driver.Session{})
	return []error{e1, e2, e3, e4}
}

// plausible is memory of small numbers, which as discriminants, addresses and lengths often mean something.
func plausible(seed uint64) []byte {
	r := rand.New(rand.NewPCG(seed, 3))
	var b []byte
	for range 64 {
		b = binary.LittleEndian.AppendUint32(b, uint32(r.IntN(1<<r.IntN(14))))
	}
	return b
}

// TestSignaturesAreUsed sees that every import that there is has a module of its world.
func TestSignaturesAreUsed(t *testing.T) {
	seen := map[string]bool{}
	for _, s := range host.ImportSignatures() {
		if seen[s.String()] || s.Module == "" || s.Name == "" {
			t.Errorf("%v comes twice or has no name", s)
		}
		seen[s.String()] = true
	}
}
