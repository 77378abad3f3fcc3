// Simulator is the devices that the programs poll, in a process of its own, so that what it takes of the machine is
// counted with neither of them.
//
// It listens on several ports, because one has no room for as many connections as there are channels, and prints where
// as JSON in a line. For each line that it reads it prints a line with its counters. It ends when there is no more to
// read.
package main

import (
	"bufio"
	"encoding/binary"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/droverhq/drover/bench/rig"
	sim "github.com/droverhq/drover/internal/sim/modbus"
)

func main() {
	listeners := flag.Int("listeners", 8, "on how many ports to listen")
	flag.Parse()
	if err := run(*listeners, os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "simulator:", err)
		os.Exit(1)
	}
}

func run(listeners int, in io.Reader, out io.Writer) (err error) {
	var at rig.Addresses
	var servers []*sim.TCPServer
	defer func() {
		for _, s := range servers {
			err = errors.Join(err, s.Close())
		}
	}()
	for range listeners {
		s, err := sim.ListenTCP(sim.Config{Units: units()})
		if err != nil {
			return err
		}
		servers, at.Devices = append(servers, s), append(at.Devices, s.Addr())
	}
	e := json.NewEncoder(out)
	if err := e.Encode(at); err != nil {
		return err
	}
	for lines := bufio.NewScanner(in); lines.Scan(); {
		var c rig.Counters
		for _, s := range servers {
			stats := s.Stats()
			c.Requests += stats.Requests
			c.Connections += stats.Connections
		}
		if err := e.Encode(c); err != nil {
			return err
		}
	}
	return nil
}

// units are the devices behind one port: one that answers as every unit. Each port has its own, because a device answers
// one request at a time.
func units() map[uint8]*sim.Device {
	device := sim.NewDevice(refresh)
	device.Update(func(m *sim.Memory) {
		for i := range uint16(121) {
			m.SetHolding(rig.ClockRegisters+4+i, 1000+i)
		}
	})
	out := map[uint8]*sim.Device{}
	for unit := range uint8(247) {
		out[unit+1] = device
	}
	return out
}

// refresh sets the time. The other registers stay as they are: what the simulator computes is taken from the programs
// that are measured beside it.
func refresh(m *sim.Memory) {
	var now [8]byte
	binary.BigEndian.PutUint64(now[:], uint64(time.Now().UnixMicro()))
	m.SetHolding(rig.ClockRegisters, sim.Words(now[:])...)
}
