// Poller is what Drover is measured against: the same work without a sandbox, written as most would write it. It reads
// the same registers from as many connections and publishes each cycle as JSON, with grid-x/modbus and nats.go.
package main

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strconv"
	"sync"
	"syscall"
	"time"

	"github.com/grid-x/modbus"
	"github.com/nats-io/nats.go"
)

type settings struct {
	nats, device       string
	devices, registers int
	every              time.Duration
}

func main() {
	var s settings
	flag.StringVar(&s.nats, "nats", nats.DefaultURL, "URL of the NATS server")
	flag.StringVar(&s.device, "device", "127.0.0.1:502", "address of the device")
	flag.IntVar(&s.devices, "devices", 1, "how many connections to it")
	flag.IntVar(&s.registers, "registers", 100, "how many registers each reads, 4 to 125")
	flag.DurationVar(&s.every, "every", time.Second, "how often; 0 is as fast as it goes")
	flag.Parse()
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
	var polling sync.WaitGroup
	for i := range s.devices {
		polling.Go(func() {
			if err := s.poll(ctx, conn, i); err != nil {
				fmt.Fprintln(os.Stderr, "poller:", err)
			}
		})
	}
	polling.Wait()
	return conn.Drain()
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

// poll polls one device until ctx is done.
func (s settings) poll(ctx context.Context, conn *nats.Conn, i int) error {
	handler := modbus.NewTCPClientHandler(s.device)
	handler.Timeout = time.Second
	handler.SetSlave(1)
	if err := handler.Connect(); err != nil {
		return err
	}
	defer handler.Close() //nolint:errcheck // it was only read from
	client := modbus.NewClient(handler)
	subject := "bare.d" + strconv.Itoa(i)
	next := time.Now().Add(s.every * time.Duration(i) / time.Duration(s.devices))
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

func (s settings) message(seq uint64, registers []byte) message {
	m := message{TS: time.Now().UTC(), Seq: seq, Points: make(map[string]value, s.registers)}
	m.Points["clock"] = value{binary.BigEndian.Uint64(registers)}
	for i := 4; i < s.registers; i++ {
		m.Points["r"+strconv.Itoa(i)] = value{binary.BigEndian.Uint16(registers[2*i:])}
	}
	return m
}
