package node

import (
	"slices"
	"time"

	"github.com/droverhq/drover/abi/driver"
	"github.com/droverhq/drover/runtime/channel"
	"github.com/droverhq/drover/runtime/config"
	"github.com/droverhq/drover/runtime/module"
	"github.com/droverhq/drover/runtime/natsbridge"
	"github.com/droverhq/drover/runtime/point"
	"github.com/droverhq/drover/runtime/supervise"
)

// The functions in here say what the configuration's words mean to the other packages.

var scalars = map[config.Type]driver.ScalarType{
	config.TypeBool:    driver.ScalarTypeBoolean,
	config.TypeInt8:    driver.ScalarTypeInt8,
	config.TypeInt16:   driver.ScalarTypeInt16,
	config.TypeInt32:   driver.ScalarTypeInt32,
	config.TypeInt64:   driver.ScalarTypeInt64,
	config.TypeUint8:   driver.ScalarTypeUint8,
	config.TypeUint16:  driver.ScalarTypeUint16,
	config.TypeUint32:  driver.ScalarTypeUint32,
	config.TypeUint64:  driver.ScalarTypeUint64,
	config.TypeFloat32: driver.ScalarTypeFloat32,
	config.TypeFloat64: driver.ScalarTypeFloat64,
	config.TypeString:  driver.ScalarTypeText,
	config.TypeBytes:   driver.ScalarTypeBytes,
}

var accesses = map[config.Access]driver.Access{
	config.AccessRead:      driver.AccessRead,
	config.AccessWrite:     driver.AccessWrite,
	config.AccessReadWrite: driver.AccessReadWrite,
}

var parities = map[config.Parity]driver.Parity{
	config.ParityNone:  driver.ParityNone,
	config.ParityOdd:   driver.ParityOdd,
	config.ParityEven:  driver.ParityEven,
	config.ParityMark:  driver.ParityMark,
	config.ParitySpace: driver.ParitySpace,
}

var stopBits = map[config.StopBits]driver.StopBits{
	config.StopBitsOne:        driver.StopBitsOne,
	config.StopBitsOneAndHalf: driver.StopBitsOneAndHalf,
	config.StopBitsTwo:        driver.StopBitsTwo,
}

func connections(in []*config.Connection) []module.Connection {
	var out []module.Connection
	for _, c := range in {
		conn := module.Connection{Name: c.Name}
		switch {
		case c.Serial != nil:
			conn.Serial = serialPort(c.Serial)
		case c.TCP != nil:
			conn.TCP = &module.TCPEndpoint{Address: c.TCP.Address, TLS: (*module.PeerTLS)(c.TCP.TLS)}
		case c.UDP != nil:
			conn.UDP = &module.UDPEndpoint{Address: c.UDP.Address, Local: c.UDP.Local}
		case c.Listener != nil:
			conn.Listener = &module.Listener{Address: c.Listener.Address, From: c.Listener.From}
		}
		out = append(out, conn)
	}
	return out
}

func serialPort(s *config.Serial) *module.SerialPort {
	p := &module.SerialPort{
		Path: s.Path,
		Mode: driver.Mode{Baud: s.Baud, DataBits: s.DataBits, Parity: parities[s.Parity], StopBits: stopBits[s.StopBits]},
		Gap:  s.Gap,
	}
	if r := s.RS485; r != nil {
		p.RS485 = &driver.RS485{
			Enabled: true, RTSOnSend: r.RTSOnSend, RxDuringTx: r.RxDuringTx,
			DelayBeforeSend: uint32(r.DelayBeforeSend.Milliseconds()), DelayAfterSend: uint32(r.DelayAfterSend.Milliseconds()),
		}
	}
	return p
}

// spread is over how much of a period the first reads of the channels lie, so that slow points have a value soon.
const spread = 10 * time.Second

// devices returns a channel's devices. shift, from 0 to 1, is where in their periods, or in spread, the channel's reads lie.
func devices(c *config.Channel, shift float64) []channel.Device {
	var out []channel.Device
	for _, d := range c.Devices {
		device := channel.Device{
			Name: d.Name, Settings: d.Settings.Raw, Points: slices.Grow([]channel.Point(nil), len(d.Points)),
		}
		for _, p := range d.Points {
			def := definition(d.Name, p)
			def.IntegerText = c.IntegerText
			device.Points = append(device.Points, channel.Point{
				Definition: def, Address: p.Address.Raw,
				Period: p.Every, Phase: time.Duration(shift * float64(min(p.Every, spread))),
			})
		}
		out = append(out, device)
	}
	return out
}

func definition(device string, p *config.Point) point.Definition {
	def := point.Definition{
		Name: p.Name, Device: device, Scalar: scalars[p.Type], Count: p.Count, Access: accesses[p.Access], Unit: p.Unit,
		Scale: p.Scale, Offset: p.Offset,
		Deadband: point.Deadband{Width: p.Report.Deadband, Percent: p.Report.Percent},
		Interval: p.Report.Interval, Heartbeat: p.Report.Heartbeat,
	}
	if p.Report.Change {
		def.Report = point.ReportChange
	}
	if p.Range != nil {
		def.Range = &point.Range{Min: p.Range.Min, Max: p.Range.Max}
	}
	return def
}

func limits(l config.Limits) channel.Limits {
	return channel.Limits{
		Limits:  module.Limits{Memory: l.Memory, Stack: l.Stack, Compute: l.Compute, Share: l.CPU},
		Samples: l.Samples, Bytes: l.Bytes, Log: l.Log, Streams: l.Streams,
	}
}

func streamOf(n *config.Node) natsbridge.Stream {
	c := &n.NATS.Stream
	s := natsbridge.Stream{
		MaxBytes: int64(c.MaxBytes), MaxAge: c.MaxAge, Memory: c.Storage == config.StorageMemory,
		Buffer: int(c.Buffer), Backpressure: c.OnFull == config.OnFullBackpressure,
	}
	for _, ch := range n.Channels {
		if ch.Delivery == config.DeliveryStream {
			s.Channels = append(s.Channels, ch.Name)
		}
	}
	return s
}

func policy(r config.Retry) supervise.Policy {
	p := supervise.Policy{
		Backoff:    supervise.Backoff{Initial: r.Initial, Max: r.Max, Jitter: 0.2},
		MaxElapsed: r.Elapsed,
	}
	if r.Attempts != config.Unlimited {
		p.MaxRetries = &r.Attempts
	}
	return p
}

func deadlines(d config.Deadlines) supervise.Deadlines {
	return supervise.Deadlines{Connect: d.Connect, Init: d.Init, Stop: d.Stop}
}

func quarantine(q config.Quarantine) supervise.Quarantine {
	return supervise.Quarantine{Crashes: q.Crashes, Window: q.Window}
}
