//go:build !wasip1

package client

import (
	"errors"
	"io"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/simonvetter/modbus"

	"github.com/droverhq/drover/abi/component"
	"github.com/droverhq/drover/abi/driver"
	"github.com/droverhq/drover/guests/sdk"
	"github.com/droverhq/drover/guests/sdk/sdktest"
	sim "github.com/droverhq/drover/internal/sim/modbus"
)

// wireHost is a host whose one stream is a real connection, and whose time is real. It stops the session after cycles
// calls of publish.
type wireHost struct {
	*sdktest.Host
	conn   net.Conn
	cycles int
}

func (h *wireHost) Now() time.Time { return time.Now() }

func (h *wireHost) StreamRead(
	_ sdk.StreamHandle, limit uint32, timeout uint64, buf []byte,
) component.Result[[]byte, driver.IOError] {
	if err := h.conn.SetReadDeadline(time.Now().Add(time.Duration(timeout))); err != nil {
		return component.Err[[]byte](driver.IOErrorOther)
	}
	p := make([]byte, limit)
	n, err := h.conn.Read(p)
	if ne, ok := errors.AsType[net.Error](err); ok && ne.Timeout() {
		return component.Err[[]byte](driver.IOErrorTimeout)
	}
	if n == 0 {
		return component.Err[[]byte](driver.IOErrorClosed)
	}
	return component.OK[driver.IOError](append(buf, p[:n]...))
}

func (h *wireHost) StreamWrite(
	_ sdk.StreamHandle, data []byte, _ uint64,
) component.Result[component.Unit, driver.IOError] {
	if _, err := h.conn.Write(data); err != nil {
		return component.Err[component.Unit](driver.IOErrorReset)
	}
	return component.Done[driver.IOError]()
}

func (h *wireHost) StreamFlush(sdk.StreamHandle) component.Result[component.Unit, driver.IOError] {
	return component.Done[driver.IOError]()
}

func (h *wireHost) Publish(samples []driver.Sample) component.Result[uint32, driver.PublishError] {
	if h.cycles--; h.cycles == 0 {
		h.Stop()
	}
	return h.Host.Publish(samples)
}

// simulated has the same registers as the peer of the other tests.
func simulated() *sim.Device {
	d := sim.NewDevice(nil)
	d.Update(func(m *sim.Memory) {
		for i := range uint16(200) {
			m.SetHolding(i, i)
			m.SetInput(i, i)
			m.SetCoils(i, i%3 == 0)
			m.SetDiscretes(i, i%3 == 0)
		}
	})
	return d
}

// foreignServer is simonvetter/modbus's handler over the same registers, and over what is written.
type foreignServer struct {
	mu        sync.Mutex
	coils     map[uint16]bool
	registers map[uint16]uint16
}

func newForeignServer() *foreignServer {
	return &foreignServer{coils: map[uint16]bool{}, registers: map[uint16]uint16{}}
}

func (f *foreignServer) HandleCoils(r *modbus.CoilsRequest) ([]bool, error) {
	return over(&f.mu, f.coils, r.Addr, thirds(r.Addr, r.Quantity), r.Args), nil
}

func (*foreignServer) HandleDiscreteInputs(r *modbus.DiscreteInputsRequest) ([]bool, error) {
	return thirds(r.Addr, r.Quantity), nil
}

func (f *foreignServer) HandleHoldingRegisters(r *modbus.HoldingRegistersRequest) ([]uint16, error) {
	if r.IsWrite && r.Addr == 150 {
		return nil, modbus.ErrIllegalDataValue
	}
	return over(&f.mu, f.registers, r.Addr, offsets(r.Addr, r.Quantity), r.Args), nil
}

func (*foreignServer) HandleInputRegisters(r *modbus.InputRegistersRequest) ([]uint16, error) {
	return offsets(r.Addr, r.Quantity), nil
}

// over keeps what is written, and returns what is held: that, or what the place has by itself.
func over[T any](mu *sync.Mutex, held map[uint16]T, from uint16, out, written []T) []T {
	mu.Lock()
	defer mu.Unlock()
	for i, v := range written {
		held[from+uint16(i)] = v
	}
	for i := range out {
		if v, ok := held[from+uint16(i)]; ok {
			out[i] = v
		}
	}
	return out
}

func thirds(from, n uint16) (out []bool) {
	for i := range n {
		out = append(out, (from+i)%3 == 0)
	}
	return out
}

func offsets(from, n uint16) (out []uint16) {
	for i := range n {
		out = append(out, from+i)
	}
	return out
}

// free returns a loopback address that nobody listens on.
func free(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// startForeign tries again where somebody took the free address.
func startForeign(t *testing.T) (string, io.Closer) {
	t.Helper()
	var last error
	for range 5 {
		address := free(t)
		server, err := modbus.NewServer(&modbus.ServerConfiguration{URL: "tcp://" + address}, newForeignServer())
		if err != nil {
			t.Fatal(err)
		}
		if last = server.Start(); last == nil {
			return address, closer(server.Stop)
		}
	}
	t.Fatal(last)
	return "", nil
}

type closer func() error

func (c closer) Close() error { return c() }

func startSim(
	t *testing.T, listen func(sim.Config) (*sim.TCPServer, error), fault func(sim.Request) sim.Fault,
) (string, io.Closer) {
	t.Helper()
	server, err := listen(sim.Config{Units: map[uint8]*sim.Device{17: simulated()}, Fault: fault})
	if err != nil {
		t.Fatal(err)
	}
	return server.Addr(), server
}

// TestOnTheWire reads servers that share no code with the driver.
func TestOnTheWire(t *testing.T) {
	noisy := func(r sim.Request) sim.Fault {
		switch r.Number % 4 {
		case 1:
			return sim.Fault{Noise: []byte{0x00, 0x11, 0xFF}}
		case 2:
			return sim.Fault{BadCRC: true}
		}
		return sim.Fault{}
	}
	tests := []struct {
		name, settings string
		start          func() (string, io.Closer)
	}{
		{"simonvetter TCP", `{}`, func() (string, io.Closer) { return startForeign(t) }},
		{"simulated TCP", `{}`, func() (string, io.Closer) { return startSim(t, sim.ListenTCP, nil) }},
		{"simulated RTU over TCP", `{"mode":"rtu-over-tcp"}`,
			func() (string, io.Closer) { return startSim(t, sim.ListenRTUOverTCP, nil) }},
		{"noisy RTU over TCP", `{"mode":"rtu-over-tcp"}`,
			func() (string, io.Closer) { return startSim(t, sim.ListenRTUOverTCP, noisy) }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			address, server := tt.start()
			defer server.Close()
			conn, err := net.Dial("tcp", address)
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			conf := newConfig(onTCP, tt.settings).device(17, "").points("holding:100 uint16", "input:102 uint32",
				"holding:104.3 boolean", "coil:9 boolean", "discrete:10 boolean*3")
			for i := range conf.Points {
				conf.Points[i].Period = time.Millisecond
			}
			host := &wireHost{Host: sdktest.New(t), conn: conn, cycles: 5}
			host.Connect("main", onTCP, nil)
			outcome, err := host.Drive(sdk.NewLifecycle(Driver{}, host), conf.Config)
			if err != nil || outcome.Tag() != driver.OutcomeTagDisconnected {
				t.Fatalf("outcome %v, %v", outcome.Tag(), err)
			}
			b := &bench{Host: host.Host}
			for id, want := range []string{"100", "6684775", "true", "true", "[false false true]"} {
				b.expect(t, sdk.PointID(id+1), want+" "+want+" "+want+" "+want+" "+want)
			}
		})
	}
}

// TestWritesOnTheWire writes to servers that share no code with the driver, and reads back with a client that does not
// either.
func TestWritesOnTheWire(t *testing.T) {
	tests := []struct {
		name, settings, scheme string
		start                  func() (string, io.Closer)
		refusal                string
	}{
		{"simonvetter TCP", `{}`, "tcp", func() (string, io.Closer) { return startForeign(t) }, "refused exception-3"},
		{"simonvetter TCP, several at once", `{"register_writes":"multiple","coil_writes":"multiple","order":"CDAB"}`, "tcp",
			func() (string, io.Closer) { return startForeign(t) }, "refused exception-3"},
		{"simulated TCP, masks", `{"mask_write":true}`, "tcp",
			func() (string, io.Closer) { return startSim(t, sim.ListenTCP, nil) }, "ok"},
		{"simulated RTU over TCP, one by one", `{"mode":"rtu-over-tcp","register_writes":"single","coil_writes":"single"}`,
			"rtuovertcp", func() (string, io.Closer) { return startSim(t, sim.ListenRTUOverTCP, nil) }, "ok"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			address, server := tt.start()
			defer server.Close()
			conn, err := net.Dial("tcp", address)
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			conf := newConfig(onTCP, tt.settings).device(17, "").points("holding:100 uint16 w", "holding:102 float32 w",
				"holding:104.3 boolean w", "coil:10 boolean w", "coil:20 boolean*3 w", "holding:150 uint16 w", "holding:1 uint16")
			conf.Points[6].Period = 50 * time.Millisecond
			host := &wireHost{Host: sdktest.New(t), conn: conn, cycles: 2}
			host.Connect("main", onTCP, nil)
			b := &bench{Host: host.Host}
			id := b.write(time.Hour, sdk.Unsigned(54321), sdk.Float32(-2.5), sdk.Boolean(true), sdk.Boolean(true),
				sdk.Booleans([]bool{true, false, true}), sdk.Unsigned(1))
			if _, err := host.Drive(sdk.NewLifecycle(Driver{}, host), conf.Config); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff([]string{"ok", "ok", "ok", "ok", "ok", tt.refusal}, b.results(id)); diff != "" {
				t.Error(diff)
			}
			readBack(t, tt.scheme+"://"+address, tt.settings)
		})
	}
}

// readBack holds what TestWritesOnTheWire wrote against what simonvetter's client reads.
func readBack(t *testing.T, url, settings string) {
	t.Helper()
	client, err := modbus.NewClient(&modbus.ClientConfiguration{URL: url, Timeout: 10 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	if err := client.Open(); err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	if err := errors.Join(client.SetUnitId(17), client.SetEncoding(modbus.BIG_ENDIAN, modbus.HIGH_WORD_FIRST)); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(settings, "CDAB") {
		if err := client.SetEncoding(modbus.BIG_ENDIAN, modbus.LOW_WORD_FIRST); err != nil {
			t.Fatal(err)
		}
	}
	u16, err1 := client.ReadRegister(100, modbus.HOLDING_REGISTER)
	f32, err2 := client.ReadFloat32(102, modbus.HOLDING_REGISTER)
	bits, err3 := client.ReadRegister(104, modbus.HOLDING_REGISTER)
	coil, err4 := client.ReadCoil(10)
	coils, err5 := client.ReadCoils(20, 3)
	if err := errors.Join(err1, err2, err3, err4, err5); err != nil {
		t.Fatal(err)
	}
	if u16 != 54321 || f32 != -2.5 || bits != 104|8 || !coil || !slices.Equal(coils, []bool{true, false, true}) {
		t.Errorf("read back %v %v %v %v %v", u16, f32, bits, coil, coils)
	}
}
