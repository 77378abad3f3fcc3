package config

import (
	"fmt"
	"time"
)

func (v value) connections() []*Connection {
	var connections []*Connection
	v.named("connection", nil, func(name string, child value) {
		connections = append(connections, child.connection(name))
	})
	return connections
}

func (v value) connection(name string) *Connection {
	c := &Connection{Name: name, Position: v.key}
	s := &Serial{DataBits: 8, Parity: ParityNone, StopBits: StopBitsOne}
	t := &TCP{}
	o, ok := v.object(connectionKeys(s, t), connectionLater())
	switch {
	case !ok:
	case o.has("serial") && o.has("tcp"):
		o["tcp"].problem("serial and tcp exclude each other, expected one of them")
	case o.has("serial"):
		if !o.has("baud") {
			v.missing("baud", "the port's bits a second, such as 9600")
		}
		c.Serial = s
	case o.has("tcp"):
		serialOnly(o)
		c.TCP = t
	case !v.hasLater():
		v.missing("serial or tcp", "what to connect to: {serial: /dev/ttyUSB0, baud: 9600} or {tcp: 10.0.0.5:502}")
	}
	return c
}

// serialOnly reports keys that a connection by TCP cannot have.
func serialOnly(o object) {
	for _, key := range []string{"baud", "data_bits", "parity", "stop_bits", "gap", "rs485"} {
		if o.has(key) {
			o[key].problem("%s belongs to a serial port, expected it beside serial only", key)
		}
	}
}

// hasLater says whether the connection is of a kind that was refused by name.
func (v value) hasLater() bool {
	for i := 0; i < len(v.node.Content); i += 2 {
		if _, ok := connectionLater()[v.node.Content[i].Value]; ok {
			return true
		}
	}
	return false
}

func connectionKeys(s *Serial, t *TCP) keys {
	const baudMost, gapMost = 20_000_000, 10 * time.Second
	return keys{
		"serial": func(v value) {
			s.at, s.path = v.at(), v.path
			v.text(&s.Path, "the name of a serial port, such as /dev/ttyUSB0")
		},
		"tcp": func(v value) {
			v.endpoint(&t.Address, `"host:port", such as 10.0.0.5:502`, 1)
		},
		"baud": func(v value) {
			n, _ := v.integer(50, baudMost)
			s.Baud = uint32(n)
		},
		"data_bits": func(v value) {
			n, _ := v.integer(5, 8)
			s.DataBits = uint8(n)
		},
		"parity":    func(v value) { oneOf(v, &s.Parity, ParityNone, ParityOdd, ParityEven, ParityMark, ParitySpace) },
		"stop_bits": func(v value) { oneOf(v, &s.StopBits, StopBitsOne, StopBitsOneAndHalf, StopBitsTwo) },
		"gap":       func(v value) { v.duration(&s.Gap, 100*time.Microsecond, gapMost) },
		"rs485": func(v value) {
			s.RS485 = &RS485{RTSOnSend: true}
			v.object(rs485Keys(s.RS485), nil)
		},
	}
}

func connectionLater() later {
	return later{
		"udp":    "UDP, expected serial or tcp",
		"tls":    "TLS, expected tcp alone",
		"listen": "listening, expected serial or tcp",
	}
}

func rs485Keys(r *RS485) keys {
	return keys{
		"rts_on_send":       func(v value) { v.boolean(&r.RTSOnSend) },
		"rx_during_tx":      func(v value) { v.boolean(&r.RxDuringTx) },
		"delay_before_send": func(v value) { v.milliseconds(&r.DelayBeforeSend) },
		"delay_after_send":  func(v value) { v.milliseconds(&r.DelayAfterSend) },
	}
}

// milliseconds reads a delay in the kernel's resolution.
func (v value) milliseconds(into *time.Duration) {
	const most = time.Second
	var d time.Duration
	v.duration(&d, 0, most)
	if d%time.Millisecond != 0 {
		v.expected(fmt.Sprintf("whole milliseconds up to %s", formatDuration(most)))
		return
	}
	*into = d
}
