package modbus

import (
	"crypto/tls"
	"io"
	"sync/atomic"
	"time"
)

// Config is what a simulated server serves.
type Config struct {
	// Units are the devices by unit identifier. A unit that is not there does not answer on RTU; on TCP the server
	// answers for it as a gateway, with exception 0x0b.
	Units map[uint8]*Device
	// Fault, if not nil, decides for each request what goes wrong. Connections call it concurrently.
	Fault func(Request) Fault
	// Address is where a TCP server listens; 127.0.0.1 and a free port by default.
	Address string
	// TLS, if not nil, is spoken by a TCP server, as by devices of Modbus/TCP Security.
	TLS *tls.Config
}

// Stats are the counters of a server.
type Stats struct {
	// Connections is how many have been accepted.
	Connections uint64
	// Clients is how many are open.
	Clients int64
	// Requests is how many whole requests have arrived, other units' and broadcasts included.
	Requests uint64
}

// service answers requests, whatever carries them.
type service struct {
	units    map[uint8]*Device
	fault    func(Request) Fault
	requests atomic.Uint64
	done     chan struct{}
}

func newService(c Config) *service {
	return &service{units: c.Units, fault: c.Fault, done: make(chan struct{})}
}

// framing is one transport's way to delimit requests and to wrap responses.
type framing interface {
	// next returns the next whole request. Its data are valid until the next call.
	next() (Request, error)
	// wrap returns the bytes of a response with the faults that belong to the frame.
	wrap(request Request, pdu []byte, fault Fault) []byte
	// absent returns what is answered for a unit that is not there; nil for nothing.
	absent(request Request) []byte
}

// serve answers the requests of one connection or line, one after the other, until it ends.
func (s *service) serve(f framing, w io.Writer) {
	for {
		request, err := f.next()
		if err != nil {
			return
		}
		request.Number = s.requests.Add(1)
		var fault Fault
		if s.fault != nil {
			fault = s.fault(request)
		}
		pdu := s.execute(f, request, fault)
		if pdu != nil && !s.send(w, f.wrap(request, pdu, fault), fault) {
			return
		}
		if fault.Close {
			return
		}
	}
}

// execute returns the response PDU, nil for none.
func (s *service) execute(f framing, request Request, fault Fault) []byte {
	device, ok := s.units[request.Unit]
	if !ok {
		return f.absent(request)
	}
	if fault.Exception != 0 {
		return exception(request.Function, fault.Exception)
	}
	return device.serve(request.Function, request.Data)
}

// send writes a response as the fault tells. It says whether the connection is still of use.
func (s *service) send(w io.Writer, frame []byte, fault Fault) bool {
	if !s.pause(fault.Delay) {
		return false
	}
	if fault.Drop {
		return true
	}
	frame = append(fault.Noise[:len(fault.Noise):len(fault.Noise)], frame...)
	frame = frame[:max(0, len(frame)-fault.Truncate)]
	step := len(frame)
	if fault.Gap > 0 {
		step = 1
	}
	for len(frame) > 0 {
		if _, err := w.Write(frame[:step]); err != nil {
			return false
		}
		frame = frame[step:]
		if !s.pause(fault.Gap) {
			return false
		}
	}
	return true
}

// pause waits for d, and says whether the server is still open.
func (s *service) pause(d time.Duration) bool {
	if d <= 0 {
		return true
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-s.done:
		return false
	}
}
