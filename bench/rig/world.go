package rig

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"

	sim "github.com/droverhq/drover/internal/sim/modbus"
)

// World is the outside that the programs share: Modbus TCP devices, and a NATS server with a subscriber.
type World struct {
	// Device is one in this process, or Simulator has them, in a process of its own.
	Device    *sim.TCPServer
	Simulator *Simulator
	NATS      *server.Server
	Conn      *nats.Conn
	dir       string
}

// ClockRegisters is where the device has the time at which it was read, as microseconds since 1970 in four registers,
// the highest first: whoever has the message knows how old the value is.
const ClockRegisters = 0

// Setpoint is a register that may be written.
const Setpoint = 1000

// NewWorld starts it, with one device in this process. The caller closes it.
func NewWorld() (*World, error) {
	return newWorld(func(w *World) error {
		device := sim.NewDevice(refresh)
		device.Update(func(m *sim.Memory) { m.SetHolding(Setpoint, 0) })
		units := map[uint8]*sim.Device{}
		for unit := range 247 {
			units[uint8(unit+1)] = device
		}
		var err error
		w.Device, err = sim.ListenTCP(sim.Config{Units: units})
		return err
	})
}

// NewWorldApart starts it, with devices in a process of their own. The caller closes it.
func NewWorldApart(p Programs) (*World, error) {
	return newWorld(func(w *World) (err error) {
		w.Simulator, err = StartSimulator(p.Simulator)
		return err
	})
}

func newWorld(devices func(*World) error) (*World, error) {
	w := &World{}
	if err := errors.Join(devices(w), w.start()); err != nil {
		return nil, errors.Join(err, w.Close())
	}
	return w, nil
}

func (w *World) start() error {
	var err error
	if w.dir, err = os.MkdirTemp("", "drover-bench-"); err != nil {
		return fmt.Errorf("make a folder: %w", err)
	}
	w.NATS, err = server.NewServer(&server.Options{Host: "127.0.0.1", Port: -1, NoSigs: true, NoLog: true,
		JetStream: true, StoreDir: w.dir})
	if err != nil {
		return fmt.Errorf("start a NATS server: %w", err)
	}
	w.NATS.Start()
	if !w.NATS.ReadyForConnections(10 * time.Second) {
		return errors.New("the NATS server does not listen")
	}
	if w.Conn, err = nats.Connect(w.NATS.ClientURL()); err != nil {
		return fmt.Errorf("connect to the NATS server: %w", err)
	}
	return nil
}

// devices are where the devices listen; channels are dealt out over them.
func (w *World) devices() []string {
	if w.Simulator != nil {
		return w.Simulator.Devices
	}
	return []string{w.Device.Addr()}
}

// Requests is how many requests the devices have had.
func (w *World) Requests() (uint64, error) {
	if w.Simulator == nil {
		return w.Device.Stats().Requests, nil
	}
	c, err := w.Simulator.Counters()
	return c.Requests, err
}

// refresh is what the device has when it is read: the time, and registers that differ each time.
func refresh(m *sim.Memory) {
	var now [8]byte
	binary.BigEndian.PutUint64(now[:], uint64(time.Now().UnixMicro()))
	m.SetHolding(ClockRegisters, sim.Words(now[:])...)
	for i := range uint16(121) {
		m.SetHolding(ClockRegisters+4+i, uint16(now[7])+i)
	}
}

// Age is how old a value of ClockRegisters is.
func Age(value uint64) time.Duration { return time.Since(time.UnixMicro(int64(value))) }

// Close ends everything.
func (w *World) Close() error {
	var errs []error
	if w.Conn != nil {
		w.Conn.Close()
	}
	if w.NATS != nil {
		w.NATS.Shutdown()
		w.NATS.WaitForShutdown()
	}
	if w.Device != nil {
		errs = append(errs, w.Device.Close())
	}
	if w.Simulator != nil {
		errs = append(errs, w.Simulator.Close())
	}
	return errors.Join(append(errs, os.RemoveAll(w.dir))...)
}
