package modbus_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	client "github.com/simonvetter/modbus"

	"github.com/droverhq/drover/internal/sim/modbus"
)

func units() map[uint8]*modbus.Device {
	devices := map[uint8]*modbus.Device{1: modbus.NewDevice(nil), 17: modbus.NewDevice(nil)}
	for unit, d := range devices {
		d.Update(func(m *modbus.Memory) {
			m.SetCoils(0, true, false, true)
			m.SetDiscretes(5, false, true)
			m.SetHolding(100, uint16(unit), 2, 3, 4)
			m.SetInput(0, modbus.Float32(21.5)...)
		})
	}
	return devices
}

func listen(t *testing.T, f func(modbus.Config) (*modbus.TCPServer, error), c modbus.Config) *modbus.TCPServer {
	t.Helper()
	server, err := f(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := server.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return server
}

func dial(t *testing.T, url string) *client.ModbusClient {
	t.Helper()
	c, err := client.NewClient(&client.ClientConfiguration{URL: url, Timeout: 2 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Open(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// exercise does what a client can do, on two units.
func exercise(t *testing.T, c *client.ModbusClient) {
	t.Helper()
	check := func(what string, ok bool, err error) {
		t.Helper()
		if err != nil || !ok {
			t.Errorf("%s: right value %v, error %v", what, ok, err)
		}
	}
	for _, unit := range []uint8{1, 17} {
		if err := c.SetUnitId(unit); err != nil {
			t.Fatal(err)
		}
		coils, err := c.ReadCoils(0, 3)
		check("coils", slices.Equal(coils, []bool{true, false, true}), err)
		discretes, err := c.ReadDiscreteInputs(5, 2)
		check("discrete inputs", slices.Equal(discretes, []bool{false, true}), err)
		holding, err := c.ReadRegisters(100, 2, client.HOLDING_REGISTER)
		check("holding registers", slices.Equal(holding, []uint16{uint16(unit), 2}), err)
		float, err := c.ReadFloat32(0, client.INPUT_REGISTER)
		check("float", float == 21.5, err)

		check("write coil", true, c.WriteCoil(1, true))
		check("write coils", true, c.WriteCoils(0, []bool{false, true}))
		coils, err = c.ReadCoils(0, 3)
		check("coils after writing", slices.Equal(coils, []bool{false, true, true}), err)
		check("write register", true, c.WriteRegister(101, 0xabcd))
		check("write registers", true, c.WriteRegisters(102, []uint16{7, 8}))
		holding, err = c.ReadRegisters(101, 3, client.HOLDING_REGISTER)
		check("holding registers after writing", slices.Equal(holding, []uint16{0xabcd, 7, 8}), err)

		_, err = c.ReadRegister(99, client.HOLDING_REGISTER)
		check("address that does not exist", errors.Is(err, client.ErrIllegalDataAddress), nil)
	}
}

func TestTCP(t *testing.T) {
	server := listen(t, modbus.ListenTCP, modbus.Config{Units: units()})
	c := dial(t, "tcp://"+server.Addr())
	exercise(t, c)
	if err := c.SetUnitId(9); err != nil {
		t.Fatal(err)
	}
	if _, err := c.ReadCoil(0); !errors.Is(err, client.ErrGWTargetFailedToRespond) {
		t.Errorf("unit that does not exist: %v", err)
	}
	if got := server.Stats(); got.Connections != 1 || got.Clients != 1 || got.Requests != 23 {
		t.Errorf("stats %+v", got)
	}
}

func TestRTUOverTCP(t *testing.T) {
	server := listen(t, modbus.ListenRTUOverTCP, modbus.Config{Units: units()})
	exercise(t, dial(t, "rtuovertcp://"+server.Addr()))
}

func TestDisconnectKeepsListening(t *testing.T) {
	server := listen(t, modbus.ListenTCP, modbus.Config{Units: units()})
	first := dial(t, "tcp://"+server.Addr())
	if _, err := first.ReadCoil(0); err != nil {
		t.Fatal(err)
	}
	server.Disconnect()
	if _, err := first.ReadCoil(0); err == nil {
		t.Error("a connection works after Disconnect")
	}
	if _, err := dial(t, "tcp://"+server.Addr()).ReadCoil(0); err != nil {
		t.Errorf("new connection: %v", err)
	}
}

func TestListenOnATakenAddress(t *testing.T) {
	server := listen(t, modbus.ListenTCP, modbus.Config{Units: units()})
	if _, err := modbus.ListenTCP(modbus.Config{Address: server.Addr()}); err == nil {
		t.Error("two servers on one address")
	}
}

func TestBadHeaderClosesTheConnection(t *testing.T) {
	server := listen(t, modbus.ListenTCP, modbus.Config{Units: units()})
	for _, header := range []string{"\x00\x01\x00\x01\x00\x06\x01", "\x00\x01\x00\x00\x00\x01\x01", "\x00\x01\x00\x00\x01\x00\x01"} {
		conn, err := net.Dial("tcp", server.Addr())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := conn.Write([]byte(header)); err != nil {
			t.Fatal(err)
		}
		if b, err := io.ReadAll(conn); err != nil || len(b) != 0 {
			t.Errorf("header % x: answer % x, %v", header, b, err)
		}
		_ = conn.Close()
	}
}

// tcpRequest reads holding register 100 of unit 1 in transaction 7; tcpResponse is the answer.
const (
	tcpRequest  = "\x00\x07\x00\x00\x00\x06\x01\x03\x00\x64\x00\x01"
	tcpResponse = "\x00\x07\x00\x00\x00\x05\x01\x03\x02\x00\x01"
)

func TestFaultsOnTCP(t *testing.T) {
	tests := []struct {
		name  string
		fault modbus.Fault
		want  string
	}{
		{"none", modbus.Fault{}, tcpResponse},
		{"drop", modbus.Fault{Drop: true, Close: true}, ""},
		{"exception", modbus.Fault{Exception: modbus.ExceptionBusy}, "\x00\x07\x00\x00\x00\x03\x01\x83\x06"},
		{"transaction", modbus.Fault{TransactionDelta: 1}, "\x00\x08" + tcpResponse[2:]},
		{"unit", modbus.Fault{UnitDelta: 1}, tcpResponse[:6] + "\x02" + tcpResponse[7:]},
		{"noise", modbus.Fault{Noise: []byte("xyz")}, "xyz" + tcpResponse},
		{"truncated", modbus.Fault{Truncate: 3}, tcpResponse[:len(tcpResponse)-3]},
		{"truncated to nothing", modbus.Fault{Truncate: 300}, ""},
		{"bytes apart", modbus.Fault{Gap: time.Millisecond}, tcpResponse},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			test.fault.Close = true
			server := listen(t, modbus.ListenTCP, modbus.Config{
				Units: units(),
				Fault: func(r modbus.Request) modbus.Fault {
					if r.Number != 1 || r.Transaction != 7 || r.Unit != 1 || r.Function != 3 || string(r.Data) != "\x00\x64\x00\x01" {
						t.Errorf("the hook saw %+v", r)
					}
					return test.fault
				},
			})
			if got := sendAll(t, server.Addr(), tcpRequest); got != test.want {
				t.Errorf("answer % x, want % x", got, test.want)
			}
		})
	}
}

func sendAll(t *testing.T, address, request string) string {
	t.Helper()
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := conn.Write([]byte(request)); err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(conn)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestDelayAndGap(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		device, host := net.Pipe()
		fault := modbus.Fault{Delay: 300 * time.Millisecond, Gap: 5 * time.Millisecond}
		server := modbus.ServeRTU(modbus.Config{
			Units: units(),
			Fault: func(modbus.Request) modbus.Fault { return fault },
		}, device)
		start := time.Now()
		if _, err := host.Write(withCRC([]byte{1, 3, 0, 100, 0, 1})); err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadFull(host, make([]byte, 7)); err != nil {
			t.Fatal(err)
		}
		if got := time.Since(start); got != 330*time.Millisecond {
			t.Errorf("the last byte came after %v, want 330 ms", got)
		}
		if err := server.Close(); err != nil {
			t.Error(err)
		}
	})
}

func TestCloseEndsADelay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		device, host := net.Pipe()
		server := modbus.ServeRTU(modbus.Config{
			Units: units(),
			Fault: func(modbus.Request) modbus.Fault { return modbus.Fault{Delay: time.Hour} },
		}, device)
		if _, err := host.Write(withCRC([]byte{1, 3, 0, 100, 0, 1})); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		start := time.Now()
		if err := server.Close(); err != nil {
			t.Error(err)
		}
		if time.Since(start) != 0 {
			t.Error("Close waited for the delay")
		}
	})
}

func TestBadCRCAndBroadcast(t *testing.T) {
	device, host := net.Pipe()
	devices := units()
	bad := true
	server := modbus.ServeRTU(modbus.Config{
		Units: devices,
		Fault: func(modbus.Request) modbus.Fault { return modbus.Fault{BadCRC: bad} },
	}, device)
	defer server.Close()
	request := withCRC([]byte{1, 3, 0, 100, 0, 1})
	response := make([]byte, 7)
	for _, bad = range []bool{true, false} {
		if _, err := host.Write(request); err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadFull(host, response); err != nil {
			t.Fatal(err)
		}
		if sound := bytes.Equal(withCRC(response[:5:5]), response); sound == bad {
			t.Errorf("bad %v: response % x", bad, response)
		}
	}
	// Nobody answers a broadcast or for another unit; all execute the former.
	for _, unit := range []byte{0, 9} {
		if _, err := host.Write(withCRC([]byte{unit, 6, 0, 100, 0, 42})); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := host.Write(request); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(host, response); err != nil || response[4] != 42 {
		t.Errorf("after the broadcast: % x, %v", response, err)
	}
	devices[17].Update(func(m *modbus.Memory) {
		if m.Holding(100) != 42 {
			t.Error("unit 17 did not execute the broadcast")
		}
	})
	if got := server.Stats().Requests; got != 5 {
		t.Errorf("%d requests", got)
	}
}

// withCRC is a second implementation of the sum, by the division of Serial Line 6.2.2.
func withCRC(b []byte) []byte {
	sum := uint32(0xffff)
	for _, c := range b {
		sum ^= uint32(c)
		for range 8 {
			if sum&1 == 1 {
				sum = sum>>1 ^ 0xa001
			} else {
				sum >>= 1
			}
		}
	}
	return binary.LittleEndian.AppendUint16(b, uint16(sum))
}

// roundTrip sends an RTU request without its sum to a device as unit 1, and returns the response without its sum.
func roundTrip(t *testing.T, d *modbus.Device, request []byte) []byte {
	t.Helper()
	device, host := net.Pipe()
	server := modbus.ServeRTU(modbus.Config{Units: map[uint8]*modbus.Device{1: d}}, device)
	defer server.Close()
	if _, err := host.Write(withCRC(request)); err != nil {
		t.Fatal(err)
	}
	response := make([]byte, 256)
	n, err := host.Read(response)
	if err != nil {
		t.Fatal(err)
	}
	return response[:n-2]
}
