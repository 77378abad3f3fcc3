package config

import (
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"time"
)

func (v value) connections() []*Connection {
	var connections []*Connection
	v.named("connection", nil, func(name string, child value) {
		connections = append(connections, child.connection(name))
	})
	return connections
}

// endpoints has one of each kind of connection, to read into.
type endpoints struct {
	serial   Serial
	tcp      TCP
	udp      UDP
	listener Listener
}

// kindOfKey says which kinds of connection there are, by the key that makes one, and to which the other keys belong.
var kindOfKey = map[string]string{
	"serial": "serial", "baud": "serial", "data_bits": "serial", "parity": "serial", "stop_bits": "serial", "gap": "serial",
	"rs485": "serial",
	"tcp":   "tcp", "tls": "tcp",
	"udp": "udp", "local": "udp",
	"listen": "listen", "from": "listen",
}

func (v value) connection(name string) *Connection {
	c := &Connection{Name: name, Position: v.key}
	e := &endpoints{serial: Serial{DataBits: 8, Parity: ParityNone, StopBits: StopBitsOne}}
	o, ok := v.object(connectionKeys(e), nil)
	if !ok {
		return c
	}
	kind := o.kind()
	switch kind {
	case "serial":
		if !o.has("baud") {
			v.missing("baud", "the port's bits a second, such as 9600")
		}
		c.Serial = &e.serial
	case "tcp":
		c.TCP = &e.tcp
	case "udp":
		c.UDP = &e.udp
	case "listen":
		c.Listener = &e.listener
	default:
		v.missing("serial, tcp, udp or listen", "what to open: {serial: /dev/ttyUSB0, baud: 9600}, {tcp: 10.0.0.5:502},"+
			" {udp: 10.0.0.5:47808} or {listen: 0.0.0.0:5000}")
		return c
	}
	o.only(kind)
	return c
}

// kind returns which kind of connection it is, empty for none.
func (o object) kind() string {
	for _, kind := range []string{"serial", "tcp", "udp", "listen"} {
		if o.has(kind) {
			return kind
		}
	}
	return ""
}

// only reports keys that a connection of this kind cannot have.
func (o object) only(kind string) {
	for _, key := range slices.Sorted(maps.Keys(o)) {
		switch other := kindOfKey[key]; other {
		case kind:
		case key:
			o[key].problem("%s and %s exclude each other, expected one of them", kind, key)
		default:
			o[key].problem("%s belongs to %s, expected it beside %s only", key, kindNames[other], other)
		}
	}
}

var kindNames = map[string]string{
	"serial": "a serial port", "tcp": "a connection by TCP", "udp": "a UDP socket", "listen": "a listener",
}

func connectionKeys(e *endpoints) keys {
	const baudMost, gapMost = 20_000_000, 10 * time.Second
	return keys{
		"serial": func(v value) {
			e.serial.at, e.serial.path = v.at(), v.path
			v.text(&e.serial.Path, "the name of a serial port, such as /dev/ttyUSB0")
		},
		"baud": func(v value) {
			n, _ := v.integer(50, baudMost)
			e.serial.Baud = uint32(n)
		},
		"data_bits": func(v value) {
			n, _ := v.integer(5, 8)
			e.serial.DataBits = uint8(n)
		},
		"parity": func(v value) {
			oneOf(v, &e.serial.Parity, ParityNone, ParityOdd, ParityEven, ParityMark, ParitySpace)
		},
		"stop_bits": func(v value) { oneOf(v, &e.serial.StopBits, StopBitsOne, StopBitsOneAndHalf, StopBitsTwo) },
		"gap":       func(v value) { v.duration(&e.serial.Gap, 100*time.Microsecond, gapMost) },
		"rs485": func(v value) {
			e.serial.RS485 = &RS485{RTSOnSend: true}
			v.object(rs485Keys(e.serial.RS485), nil)
		},
		"tcp": func(v value) { v.endpoint(&e.tcp.Address, `"host:port", such as 10.0.0.5:502`, 1) },
		"tls": func(v value) {
			e.tcp.TLS = &PeerTLS{}
			v.peerTLS(e.tcp.TLS)
		},
		"udp": func(v value) { v.endpoint(&e.udp.Address, `"host:port", such as 10.0.0.5:47808`, 1) },
		"local": func(v value) {
			e.udp.at, e.udp.path = v.at(), v.path
			v.local(&e.udp.Local, "an address of this machine and a port, such as 0.0.0.0:47808", 0)
		},
		"listen": func(v value) {
			e.listener.at, e.listener.path = v.at(), v.path
			v.local(&e.listener.Address, "an address of this machine and a port, such as 0.0.0.0:5000", 1)
		},
		"from": func(v value) { e.listener.From = v.prefixes() },
	}
}

// local reads an address of this machine, with a port from least to 65535.
func (v value) local(into *netip.AddrPort, what string, least uint64) {
	var text string
	v.endpoint(&text, what, least)
	if text == "" {
		return
	}
	a, err := netip.ParseAddrPort(text)
	if err != nil || a.Addr().IsMulticast() {
		v.expected(what)
		return
	}
	*into = netip.AddrPortFrom(a.Addr().Unmap(), a.Port())
}

func (v value) peerTLS(t *PeerTLS) {
	o, _ := v.object(peerTLSKeys(t), nil)
	if o.has("cert") != o.has("key") {
		v.problem("expected cert and key together, found one of them")
	}
}

func peerTLSKeys(t *PeerTLS) keys {
	return keys{
		"ca":          func(v value) { v.file(&t.CA, "the path of a PEM file with certificates") },
		"cert":        func(v value) { v.file(&t.Cert, "the path of a PEM file with a certificate") },
		"key":         func(v value) { v.file(&t.Key, "the path of a PEM file with a private key") },
		"server_name": func(v value) { v.serverName(&t.ServerName) },
	}
}

// serverName reads the name, or the address, that a server's certificate is for.
func (v value) serverName(into *string) {
	const what = "the name that the server's certificate is for, such as plc.example"
	var text string
	if !v.text(&text, what) {
		return
	}
	if _, err := netip.ParseAddr(text); err != nil && !isHostName(text) {
		v.expected(what)
		return
	}
	*into = text
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
