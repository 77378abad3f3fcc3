// Poller is what Drover is measured against: the same work without a sandbox, written as most would write it. It reads
// the same registers from as many connections and publishes each cycle as JSON, with grid-x/modbus and nats.go.
package main

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/grid-x/modbus"
	"github.com/nats-io/nats.go"
)

type settings struct {
	nats                          string
	devices                       []string
	connections, units, registers int
	every                         time.Duration
}

func main() {
	var s settings
	flag.StringVar(&s.nats, "nats", nats.DefaultURL, "URL of the NATS server")
	devices := flag.String("devices", "127.0.0.1:502", "addresses of the devices, separated by commas")
	flag.IntVar(&s.connections, "connections", 1, "how many connections, dealt out over the devices")
	flag.IntVar(&s.units, "units", 1, "how many units are read over each")
	flag.IntVar(&s.registers, "registers", 100, "how many registers of each unit, 4 to 125")
	flag.DurationVar(&s.every, "every", time.Second, "how often; 0 is as fast as it goes")
	flag.Parse()
	s.devices = strings.Split(*devices, ",")
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, s); err != nil {
		fmt.Fprintln(os.Stderr, "poller:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, s settings) error {
	conn, err := nats.Connect(s.nats)
	if err != nil {
		return err
	}
	ctx, end := context.WithCancel(ctx)
	defer end()
	var failed error
	var first sync.Once
	var polling sync.WaitGroup
	for i := range s.connections {
		polling.Go(func() {
			if err := s.poll(ctx, conn, i); err != nil {
				first.Do(func() { failed = err })
				end() // of what is not read nothing is to be compared
			}
		})
	}
	polling.Wait()
	return errors.Join(failed, conn.Drain())
}

// value is a point in a message, message a cycle.
type value struct {
	V any `json:"v"`
}

type message struct {
	TS     time.Time        `json:"ts"`
	Seq    uint64           `json:"seq"`
	Points map[string]value `json:"points"`
}

// poll polls the units behind one connection until ctx is done.
func (s settings) poll(ctx context.Context, conn *nats.Conn, i int) error {
	handler := modbus.NewTCPClientHandler(s.devices[i%len(s.devices)])
	handler.Timeout = time.Second
	if err := handler.Connect(); err != nil {
		return err
	}
	defer handler.Close() //nolint:errcheck // it was only read from
	client := modbus.NewClient(handler)
	subjects := make([]string, s.units)
	for unit := range subjects {
		subjects[unit] = "bare.c" + strconv.Itoa(i) + "d" + strconv.Itoa(unit+1)
	}
	next := time.Now().Add(s.every * time.Duration(i) / time.Duration(s.connections))
	for seq := uint64(1); ; seq++ {
		if s.every > 0 {
			select {
			case <-ctx.Done():
				return nil
			case <-time.After(time.Until(next)):
			}
			next = next.Add(s.every)
		} else if ctx.Err() != nil {
			return nil
		}
		for unit, subject := range subjects {
			handler.SetSlave(byte(unit + 1))
			registers, err := client.ReadHoldingRegisters(0, uint16(s.registers))
			if err != nil {
				return err
			}
			text, err := json.Marshal(s.message(seq, registers))
			if err != nil {
				return err
			}
			if err := conn.Publish(subject, text); err != nil {
				return err
			}
		}
	}
}

func (s settings) message(seq uint64, registers []byte) message {
	m := message{TS: time.Now().UTC(), Seq: seq, Points: make(map[string]value, s.registers)}
	m.Points["clock"] = value{binary.BigEndian.Uint64(registers)}
	for i := 4; i < s.registers; i++ {
		m.Points["r"+strconv.Itoa(i)] = value{binary.BigEndian.Uint16(registers[2*i:])}
	}
	return m
}
