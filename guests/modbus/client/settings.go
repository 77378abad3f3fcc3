package client

import (
	"fmt"
	"time"

	"github.com/droverhq/drover/abi/driver"
	"github.com/droverhq/drover/guests/modbus/codec"
	"github.com/droverhq/drover/guests/modbus/pdu"
	"github.com/droverhq/drover/guests/modbus/plan"
	"github.com/droverhq/drover/guests/modbus/rtu"
	"github.com/droverhq/drover/guests/sdk"
)

// The modes of a channel.
const (
	modeTCP        = "tcp"
	modeRTU        = "rtu"
	modeRTUOverTCP = "rtu-over-tcp"
)

// unitSettings are those that a channel sets for all its devices, and a device for itself.
type unitSettings struct {
	Timeout      sdk.Duration `json:"timeout"`
	Order        codec.Order  `json:"order"`
	Gap          int          `json:"gap"`
	MaxRegisters int          `json:"max_registers"`
	MaxBits      int          `json:"max_bits"`
	Retries      int          `json:"retries"`
	// What a unit's writes look like, and what it lets be done by name.
	RegisterWrites writes `json:"register_writes"`
	CoilWrites     writes `json:"coil_writes"`
	MaskWrite      bool   `json:"mask_write"`
	Raw            bool   `json:"raw"`
}

// writes says by which functions a unit is written.
type writes string

const (
	// writesAuto writes one by the function for one, several by the function for several.
	writesAuto     writes = "auto"
	writesSingle   writes = "single"
	writesMultiple writes = "multiple"
)

// single says whether n registers or coils are written one by one.
func (w writes) single(n int) bool { return w == writesSingle || w == writesAuto && n == 1 }

func (w writes) check(name string, p *problems) {
	if w != writesAuto && w != writesSingle && w != writesMultiple {
		p.add("%s: %q, expected %s, %s or %s", name, w, writesAuto, writesSingle, writesMultiple)
	}
}

// settings are a channel's. schema/settings.json has what each means.
type settings struct {
	unitSettings
	Mode               string       `json:"mode"`
	Connection         string       `json:"connection"`
	Base               int          `json:"base"`
	Pause              sdk.Duration `json:"pause"`
	ConnectPause       sdk.Duration `json:"connect_pause"`
	Silence            sdk.Duration `json:"silence"`
	OfflineAfter       int          `json:"offline_after"`
	OfflineRetry       sdk.Duration `json:"offline_retry"`
	OfflineRetryMax    sdk.Duration `json:"offline_retry_max"`
	CloseAfterTimeouts int          `json:"close_after_timeouts"`
	Turnaround         sdk.Duration `json:"turnaround"`
}

// deviceSettings are a device's.
type deviceSettings struct {
	unitSettings
	Unit int `json:"unit"`
}

func defaultSettings() settings {
	return settings{
		unitSettings: unitSettings{
			Timeout:        sdk.Duration(time.Second),
			Order:          codec.ABCD,
			Gap:            8,
			MaxRegisters:   pdu.MaxRegisters,
			MaxBits:        pdu.MaxBits,
			Retries:        1,
			RegisterWrites: writesAuto,
			CoilWrites:     writesAuto,
		},
		OfflineAfter:       3,
		OfflineRetry:       sdk.Duration(5 * time.Second),
		OfflineRetryMax:    sdk.Duration(time.Minute),
		CloseAfterTimeouts: 5,
		Turnaround:         sdk.Duration(100 * time.Millisecond),
	}
}

// problems collects what is wrong with settings.
type problems []error

func (p *problems) add(format string, args ...any) { *p = append(*p, fmt.Errorf(format, args...)) }

func (p *problems) within(name string, n, low, high int) {
	if n < low || n > high {
		p.add("%s: %d, expected %d to %d", name, n, low, high)
	}
}

func (p *problems) lasts(name string, d sdk.Duration, low, high time.Duration) {
	if t := time.Duration(d); t < low || t > high {
		p.add("%s: %v, expected %v to %v", name, t, low, high)
	}
}

func (s *unitSettings) check(p *problems) {
	p.lasts("timeout", s.Timeout, time.Millisecond, time.Minute)
	p.within("gap", s.Gap, 0, pdu.MaxRegisters)
	p.within("max_registers", s.MaxRegisters, 1, pdu.MaxRegisters)
	p.within("max_bits", s.MaxBits, 1, pdu.MaxBits)
	p.within("retries", s.Retries, 0, 10)
	s.RegisterWrites.check("register_writes", p)
	s.CoilWrites.check("coil_writes", p)
}

func (s *unitSettings) limits() plan.Limits {
	return plan.Limits{Gap: s.Gap, MaxRegisters: s.MaxRegisters, MaxBits: s.MaxBits}
}

// check says what is wrong with a channel's settings, over a connection of that kind.
func (s *settings) check(kind driver.ConnectionKind) (p problems) {
	s.unitSettings.check(&p)
	p.within("base", s.Base, 0, 1)
	p.lasts("pause", s.Pause, 0, time.Minute)
	p.lasts("connect_pause", s.ConnectPause, 0, 10*time.Second)
	p.lasts("silence", s.Silence, 0, time.Second)
	p.within("offline_after", s.OfflineAfter, 1, 1000)
	p.lasts("offline_retry", s.OfflineRetry, time.Millisecond, 24*time.Hour)
	p.lasts("offline_retry_max", s.OfflineRetryMax, time.Duration(s.OfflineRetry), 24*time.Hour)
	p.within("close_after_timeouts", s.CloseAfterTimeouts, 0, 1000)
	p.lasts("turnaround", s.Turnaround, 0, time.Second)
	s.checkMode(kind, &p)
	return p
}

// checkMode checks the mode, and takes that of the connection's kind where there is none.
func (s *settings) checkMode(kind driver.ConnectionKind, p *problems) {
	needs := driver.ConnectionKindTCP
	switch s.Mode {
	case "":
		s.Mode = modeTCP
		if needs = kind; kind == driver.ConnectionKindSerial {
			s.Mode = modeRTU
		}
		if kind != driver.ConnectionKindSerial && kind != driver.ConnectionKindTCP {
			p.add("connection: it is %s, expected serial or tcp", kind)
		}
	case modeRTU:
		needs = driver.ConnectionKindSerial
	case modeTCP, modeRTUOverTCP:
	default:
		p.add("mode: %q, expected %s, %s or %s", s.Mode, modeTCP, modeRTU, modeRTUOverTCP)
		return
	}
	if kind != needs {
		p.add("mode: %s needs a connection of kind %s, it is %s (%s is for serial frames over TCP)", s.Mode, needs, kind,
			modeRTUOverTCP)
	}
}

// check says what is wrong with a device's settings.
func (s *deviceSettings) check() (p problems) {
	s.unitSettings.check(&p)
	p.within("unit", s.Unit, 0, rtu.MaxUnit)
	return p
}

// broadcast says whether the device is all units at once, in that mode.
func (s *deviceSettings) broadcast(mode string) bool {
	return s.Unit == rtu.Broadcast && mode != modeTCP
}
