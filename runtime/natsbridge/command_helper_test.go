package natsbridge_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/droverhq/drover/abi/component"
	"github.com/droverhq/drover/abi/driver"
	"github.com/droverhq/drover/runtime/natsbridge"
	"github.com/droverhq/drover/runtime/natsbridge/embedded"
	"github.com/droverhq/drover/runtime/natsbridge/message"
	"github.com/droverhq/drover/runtime/point"
	"github.com/droverhq/drover/runtime/supervise"
)

// plant is a node's channels without drivers: the test is the driver.
type plant map[string]*boiler

func (p plant) Channel(name string) (natsbridge.CommandChannel, error) {
	if c, ok := p[name]; ok {
		return c, nil
	}
	return nil, message.ErrNotFound.With(fmt.Sprintf("no channel %q", name))
}

// boiler is one channel.
type boiler struct {
	points []natsbridge.CommandPoint
	drive  func(*order) // does a command, at once or later

	mu       sync.Mutex
	snapshot supervise.Snapshot
	refuse   error // what Submit answers
}

// order is a command that the driver has got.
type order struct {
	natsbridge.Command
	done chan struct{}

	mu        sync.Mutex
	ended     bool
	answer    natsbridge.CommandAnswer
	err       error
	taken     time.Time
	cancelled chan struct{}
	once      sync.Once
}

func (b *boiler) Snapshot() supervise.Snapshot {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.snapshot
}

func (b *boiler) down(s supervise.Snapshot, why error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.snapshot, b.refuse = s, why
}

func (b *boiler) Device(name string) (driver.DeviceID, []natsbridge.CommandPoint, bool) {
	return 7, b.points, name == "water"
}

func (b *boiler) CheckArguments(r driver.ActionRequest) error {
	if r.Arguments == `"bad"` {
		return message.ErrInvalid.With("the arguments are bad")
	}
	return nil
}

func (b *boiler) Submit(c natsbridge.Command) (natsbridge.Pending, error) {
	b.mu.Lock()
	err := b.refuse
	b.mu.Unlock()
	if err != nil {
		return nil, err
	}
	o := &order{Command: c, done: make(chan struct{}), cancelled: make(chan struct{})}
	b.drive(o)
	return o, nil
}

func (o *order) take() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.taken = time.Now()
}

func (o *order) end(a natsbridge.CommandAnswer, err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if !o.ended {
		o.ended, o.answer, o.err = true, a, err
		close(o.done)
	}
}

func (o *order) Done() <-chan struct{} { return o.done }

func (o *order) Result() (natsbridge.CommandAnswer, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.answer, o.err
}

func (o *order) Taken() time.Time {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.taken
}

func (o *order) Cancel() { o.once.Do(func() { close(o.cancelled) }) }

func (o *order) Abandon() {
	if o.Taken().IsZero() {
		o.end(natsbridge.CommandAnswer{}, message.ErrNeverSent)
		return
	}
	o.end(natsbridge.CommandAnswer{}, message.ErrUnknown)
}

// fail answers with a driver's error.
func (o *order) fail(e driver.CommandError) {
	o.take()
	o.end(component.Err[driver.Response](e), nil)
}

// obey does what is wanted: a read gives 215 for every point, an action its arguments.
func obey(o *order) {
	o.take()
	var r driver.Response
	switch o.Request.Tag() {
	case driver.RequestTagRead:
		var samples []driver.Sample
		for _, id := range o.Request.Read() {
			samples = append(samples, driver.Sample{Point: id, Value: component.Some(driver.ValueSigned(215)), Time: at.UnixNano()})
		}
		r = driver.ResponseRead(samples)
	case driver.RequestTagWrite:
		r = driver.ResponseWrite(make([]component.Result[component.Unit, driver.CommandError], len(o.Request.Write())))
	default:
		r = driver.ResponseInvoke(o.Request.Invoke().Arguments)
	}
	o.end(component.OK[driver.CommandError](r), nil)
}

// ignore takes a command and never answers.
func ignore(o *order) { o.take() }

// leave never takes one.
func leave(*order) {}

// newBoiler has the device water with supply (r), setpoint (rw, 0 to 100), limit (rw) and order (w).
func newBoiler(t *testing.T, drive func(*order)) *boiler {
	t.Helper()
	b := &boiler{drive: drive, snapshot: supervise.Snapshot{State: supervise.Connected}}
	for i, d := range []point.Definition{
		{Name: "supply", Access: driver.AccessRead},
		{Name: "setpoint", Access: driver.AccessReadWrite, Range: &point.Range{Min: 0, Max: 100}},
		{Name: "limit", Access: driver.AccessReadWrite},
		{Name: "order", Access: driver.AccessWrite},
	} {
		d.Device, d.Scalar, d.Scale = "water", driver.ScalarTypeInt16, 0.1
		b.points = append(b.points, natsbridge.CommandPoint{ID: driver.PointID(10 + i), Point: newPoint(t, d)})
	}
	return b
}

// caller is a client that knows nothing of ours.
type caller struct {
	*nats.Conn
	t *testing.T
}

// startCaller connects as the node's own user, who may do everything.
func startCaller(t *testing.T, s *embedded.Server) caller {
	t.Helper()
	options, err := s.Credentials().Options()
	if err != nil {
		t.Fatal(err)
	}
	return callerOf(t, s.URL(), options...)
}

func callerOf(t *testing.T, url string, options ...nats.Option) caller {
	t.Helper()
	closed := make(chan struct{})
	nc, err := nats.Connect(url, append(options, nats.ClosedHandler(func(*nats.Conn) { close(closed) }))...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { nc.Close(); <-closed })
	return caller{nc, t}
}

// listen subscribes and waits until the server knows.
func (c caller) listen(subject string) *nats.Subscription {
	c.t.Helper()
	sub, err := c.SubscribeSync(subject)
	if err != nil {
		c.t.Fatal(err)
	}
	if err := c.Flush(); err != nil {
		c.t.Fatal(err)
	}
	return sub
}

// call is one request: the subject below the node's, headers as "Name: value" lines, and the body.
func (c caller) call(subject, header, body string) *nats.Msg {
	c.t.Helper()
	m, err := c.RequestMsg(request(subject, header, body), patience)
	if err != nil {
		c.t.Fatalf("%s: %v", subject, err)
	}
	return m
}

func request(subject, header, body string) *nats.Msg {
	m := nats.NewMsg("drover-call.n1." + subject)
	m.Data = []byte(body)
	for line := range strings.Lines(header) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), ": ")
		m.Header.Set(name, value)
	}
	return m
}

// failed returns the error of an answer, which its headers and its body tell alike.
func failed(t *testing.T, m *nats.Msg) message.Error {
	t.Helper()
	var body message.Error
	if err := json.Unmarshal(m.Data, &body); err != nil {
		t.Fatalf("%s: %v", m.Data, err)
	}
	status, code := m.Header.Get("Nats-Service-Error-Code"), m.Header.Get("Drover-Error-Code")
	if status != fmt.Sprint(body.Status) || code != body.Code || m.Header.Get("Nats-Service-Error") == "" {
		t.Errorf("the headers say %s %s, the body %s", status, code, m.Data)
	}
	return body
}

// decoded is an answer, or an event's detail.
func decoded[T any](t *testing.T, raw []byte) T {
	t.Helper()
	v, err := message.Decode[T](raw)
	if err != nil {
		t.Fatalf("%s: %v", raw, err)
	}
	return v
}

// detail is an event's.
func detail[T any](t *testing.T, m *nats.Msg) T {
	t.Helper()
	return decoded[T](t, decoded[message.Event](t, m.Data).Detail)
}
