package client

import (
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/droverhq/drover/abi/driver"
	"github.com/droverhq/drover/guests/modbus/pdu"
	"github.com/droverhq/drover/guests/modbus/rtu"
	"github.com/droverhq/drover/guests/sdk"
	"github.com/droverhq/drover/guests/sdk/sdktest"
)

// peer is what is at the other end: units whose registers hold their own offsets, and whose bits are set where the
// offset is a multiple of 3.
type peer struct {
	// streamed says that frames are Modbus TCP.
	tcp bool
	// latency is until the reply begins.
	latency time.Duration
	// echoes says that the line gives back what is sent.
	echoes bool
	units  map[uint8]*station
	// fault, if not nil, replaces the reply: request n, from 1.
	fault func(n int, unit uint8, reply []byte) []sdktest.Reply
	asked []string
}

// station is one unit of a peer.
type station struct {
	silent bool
	// mute is the area whose requests get no answer; 0 is none.
	mute pdu.Area
	// refuse has the exception for a register or bit; 0 is the one for all.
	refuse    map[uint16]pdu.Exception
	refuseAll pdu.Exception
	// most is the most registers of one request.
	most uint16
	// registers and coils are those that hold something else.
	registers map[uint16]uint16
	coils     map[uint16]bool
	// canned answers functions in its own way.
	canned map[byte]func(body []byte) []byte
}

func newPeer(tcp bool, units ...uint8) *peer {
	p := &peer{tcp: tcp, latency: 2 * time.Millisecond, units: map[uint8]*station{}}
	for _, u := range units {
		p.units[u] = &station{
			refuse: map[uint16]pdu.Exception{}, registers: map[uint16]uint16{}, coils: map[uint16]bool{},
			canned: map[byte]func([]byte) []byte{},
		}
	}
	return p
}

// serve is the peer's sdktest.Device.
func (p *peer) serve(request []byte) []sdktest.Reply {
	unit, body := p.open(request)
	p.asked = append(p.asked, fmt.Sprintf("%d %v", unit, describe(body)))
	if unit == 0 && !p.tcp {
		for _, s := range p.units {
			s.answer(body)
		}
		return nil
	}
	s := p.units[unit]
	var reply []byte
	if s != nil && !s.silent && s.mute != pdu.Area(body[0]) {
		if response := s.answer(body); response != nil {
			reply = p.frame(request, unit, response)
		}
	}
	if p.echoes {
		reply = append(slices.Clone(request), reply...)
	}
	if p.fault != nil {
		return p.fault(len(p.asked), unit, reply)
	}
	if reply == nil {
		return nil
	}
	return []sdktest.Reply{{After: p.latency, Data: reply}}
}

// describe returns a request for people: a read by its place, anything else in hexadecimal.
func describe(body []byte) any {
	if area := pdu.Area(body[0]); area.Valid() {
		return readOf(body)
	}
	return fmt.Sprintf("%X", body)
}

func readOf(body []byte) pdu.Read {
	return pdu.Read{
		Area: pdu.Area(body[0]), Start: binary.BigEndian.Uint16(body[1:]), Count: binary.BigEndian.Uint16(body[3:]),
	}
}

func (p *peer) open(request []byte) (uint8, []byte) {
	if p.tcp {
		return request[6], request[7:]
	}
	if !rtu.Valid(request) {
		panic(fmt.Sprintf("request with a wrong check: %X", request))
	}
	return request[0], request[1 : len(request)-2]
}

func (p *peer) frame(request []byte, unit uint8, response []byte) []byte {
	if p.tcp {
		frame := slices.Clone(request[:4])
		frame = binary.BigEndian.AppendUint16(frame, uint16(1+len(response)))
		return append(append(frame, unit), response...)
	}
	frame := append([]byte{unit}, response...)
	return binary.LittleEndian.AppendUint16(frame, rtu.CRC(frame))
}

// answer serves a request, nil for a function that the station is silent to.
func (s *station) answer(body []byte) []byte {
	if canned, ok := s.canned[body[0]]; ok {
		return canned(body)
	}
	start, count := binary.BigEndian.Uint16(body[1:]), uint16(1)
	if body[0] <= 4 || body[0] == 15 || body[0] == 16 {
		count = binary.BigEndian.Uint16(body[3:])
	}
	refusal := s.refuseAll
	if s.most > 0 && count > s.most {
		refusal = pdu.IllegalValue
	}
	for i := range count {
		if e, ok := s.refuse[start+i]; ok && refusal == 0 {
			refusal = e
		}
	}
	if refusal == 0 && body[0] > 4 {
		return s.write(body, start, count)
	}
	if refusal != 0 {
		return []byte{pdu.ExceptionOf(body[0]), byte(refusal)}
	}
	return s.read(readOf(body))
}

func (s *station) write(body []byte, start, count uint16) []byte {
	for i := range count {
		at := start + i
		switch body[0] {
		case 5:
			s.coils[at] = body[3] == 0xFF
		case 15:
			s.coils[at] = body[6+i/8]>>(i%8)&1 != 0
		case 6:
			s.registers[at] = binary.BigEndian.Uint16(body[3:])
		case 16:
			s.registers[at] = binary.BigEndian.Uint16(body[6+2*i:])
		case 22:
			and, or := binary.BigEndian.Uint16(body[3:]), binary.BigEndian.Uint16(body[5:])
			s.registers[at] = s.register(at)&and | or&^and
		default:
			return []byte{pdu.ExceptionOf(body[0]), byte(pdu.IllegalFunction)}
		}
	}
	if body[0] == 15 || body[0] == 16 {
		return body[:5]
	}
	return body
}

func (s *station) register(at uint16) uint16 {
	if value, ok := s.registers[at]; ok {
		return value
	}
	return at
}

func (s *station) coil(at uint16) bool {
	if value, ok := s.coils[at]; ok {
		return value
	}
	return at%3 == 0
}

func (s *station) read(read pdu.Read) []byte {
	response := []byte{read.Function(), byte(read.DataSize())}
	if read.Area.Bits() {
		bits := make([]byte, read.DataSize())
		for i := range read.Count {
			if s.coil(read.Start + i) {
				bits[i/8] |= 1 << (i % 8)
			}
		}
		return append(response, bits...)
	}
	for i := range read.Count {
		response = binary.BigEndian.AppendUint16(response, s.register(read.Start+i))
	}
	return response
}

// config builds configurations.
type config struct{ sdk.Config }

func newConfig(kind driver.ConnectionKind, settings string) *config {
	c := &config{}
	c.Settings = settings
	c.Connections = []sdk.Connection{{Name: "main", Kind: kind}}
	return c
}

// device adds a device of that unit.
func (c *config) device(unit int, more string) *config {
	id := sdk.DeviceID(len(c.Devices) + 1)
	c.Devices = append(c.Devices, sdk.Device{
		ID: id, Name: fmt.Sprintf("unit%d", unit), Settings: fmt.Sprintf(`{"unit":%d%s}`, unit, more),
	})
	return c
}

// points adds points of the last device, read every second: "address type", with "*count" behind for lists, and " w" or
// " rw" for those that are written.
func (c *config) points(descriptions ...string) *config {
	device := c.Devices[len(c.Devices)-1]
	for _, d := range descriptions {
		where, what, _ := strings.Cut(d, " ")
		p := sdk.Point{
			ID: sdk.PointID(len(c.Points) + 1), Device: device.ID, Address: fmt.Sprintf("%q", where),
			Period: time.Second,
		}
		p.Name = fmt.Sprintf("p%d", p.ID)
		if rest, access, given := strings.Cut(what, " "); given {
			what, p.Access = rest, map[string]driver.Access{"w": driver.AccessWrite, "rw": driver.AccessReadWrite}[access]
		}
		if name, count, list := strings.Cut(what, "*"); list {
			if _, err := fmt.Sscan(count, &p.Count); err != nil {
				panic(err)
			}
			what = name
		}
		for t := driver.ScalarTypeBoolean; t <= driver.ScalarTypeBytes; t++ {
			if t.String() == what {
				p.Scalar = t
			}
		}
		c.Points = append(c.Points, p)
	}
	return c
}

// bench is a driver, a host and a peer.
type bench struct {
	*sdktest.Host
	line *sdktest.Line
	peer *peer
	conf *config
}

// newBench connects a peer by the kind of the configuration's connection. A serial line has 9600 Bd.
func newBench(t *testing.T, conf *config, p *peer) *bench {
	t.Helper()
	host := sdktest.New(t)
	line := host.Connect("main", conf.Connections[0].Kind, p.serve)
	line.Mode = driver.Mode{Baud: 9600, DataBits: 8, StopBits: driver.StopBitsOne}
	return &bench{Host: host, line: line, peer: p, conf: conf}
}

// run runs a session for that long and returns how it ended.
func (b *bench) run(t *testing.T, d time.Duration) {
	t.Helper()
	b.After(d, b.Stop)
	outcome, err := b.Run(Driver{}, b.conf.Config)
	if err != nil || outcome.Tag() != driver.OutcomeTagDisconnected {
		t.Fatalf("outcome %v, %v, want a stop", outcome.Tag(), err)
	}
}

// told returns what was published of a point, in short: values, or reasons after "!".
func (b *bench) told(id sdk.PointID) string {
	var out []string
	for _, s := range b.Samples(id) {
		out = append(out, short(s))
	}
	return strings.Join(out, " ")
}

func short(s driver.Sample) string {
	if s.Quality != driver.QualityGood {
		return "!" + s.Reason.Value
	}
	switch v := s.Value.Value; v.Tag() {
	case driver.ValueTagBoolean:
		return fmt.Sprint(v.Boolean())
	case driver.ValueTagSigned:
		return fmt.Sprint(v.Signed())
	case driver.ValueTagUnsigned:
		return fmt.Sprint(v.Unsigned())
	case driver.ValueTagFloat32:
		return fmt.Sprint(v.Float32())
	case driver.ValueTagText:
		return v.Text()
	case driver.ValueTagUnsigneds:
		return fmt.Sprint(v.Unsigneds())
	case driver.ValueTagBooleans:
		return fmt.Sprint(v.Booleans())
	}
	return "a value of another type"
}

func (b *bench) expect(t *testing.T, id sdk.PointID, want string) {
	t.Helper()
	if got := b.told(id); got != want {
		t.Errorf("point %d: %s, want %s", id, got, want)
	}
}

func (b *bench) expectStatus(t *testing.T, id sdk.DeviceID, want driver.Status, reason string) {
	t.Helper()
	got, _ := b.StatusOf(id)
	if got.Status != want || !strings.Contains(got.Reason, reason) {
		t.Errorf("device %d: %v %q, want %v %q", id, got.Status, got.Reason, want, reason)
	}
}
