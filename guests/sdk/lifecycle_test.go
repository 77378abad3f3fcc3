package sdk_test

import (
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/droverhq/drover/abi/component"
	"github.com/droverhq/drover/abi/driver"
	"github.com/droverhq/drover/guests/sdk"
	"github.com/droverhq/drover/guests/sdk/sdktest"
)

// phases is a driver made of functions.
type phases struct {
	configure func(*sdk.Config) (sdk.Connector, error)
	connect   func(*sdk.Context) (sdk.Session, error)
	init      func(*sdk.Context) (sdk.Handle, error)
	run       func(*sdk.Context) (sdk.Outcome, error)
}

func (phases) Describe() sdk.Metadata {
	return sdk.Metadata{
		Name: "phases", Version: "1.2.3", Summary: "two\nlines",
		Codes:    []sdk.Code{{Code: "a", Meaning: "m"}, {Code: "b", Kind: sdk.KindFatal}, {Code: "c", Kind: sdk.KindStop}},
		Settings: `{"type":"object"}`,
	}
}

func (p phases) Configure(c *sdk.Config) (sdk.Connector, error) { return p.configure(c) }
func (p phases) Connect(ctx *sdk.Context) (sdk.Session, error)  { return p.connect(ctx) }
func (p phases) Init(ctx *sdk.Context) (sdk.Handle, error)      { return p.init(ctx) }
func (p phases) Run(ctx *sdk.Context) (sdk.Outcome, error)      { return p.run(ctx) }

// good returns a driver that does everything right and nothing else.
func good() phases {
	var p phases
	p.init = func(ctx *sdk.Context) (sdk.Handle, error) { return ctx.Config().Serve(), nil }
	p.run = func(*sdk.Context) (sdk.Outcome, error) { return sdk.Reconnect("round\ntrip"), nil }
	p.connect = func(*sdk.Context) (sdk.Session, error) { return p, nil }
	p.configure = func(*sdk.Config) (sdk.Connector, error) { return p, nil }
	return p
}

func TestDescribe(t *testing.T) {
	m := sdk.NewLifecycle(good(), sdktest.New(t)).Describe()
	if m.Name != "phases" || m.Version != "1.2.3" || m.Summary != "two; lines" || m.Settings != `{"type":"object"}` {
		t.Errorf("%+v", m)
	}
	want := []driver.OwnCode{
		{Code: "a", Kind: driver.FailureKindRetryable, Meaning: "m"},
		{Code: "b", Kind: driver.FailureKindFatal},
		{Code: "c", Kind: driver.FailureKindStop},
	}
	if diff := cmp.Diff(want, m.Codes); diff != "" {
		t.Error(diff)
	}
	for _, s := range []string{m.DeviceSettings, m.Address} {
		if !json.Valid([]byte(s)) {
			t.Errorf("no JSON: %s", s)
		}
	}
}

func TestOutcomes(t *testing.T) {
	own := driver.Failure{
		Kind: component.Some(driver.FailureKindFatal), Summary: "no", Cause: driver.CauseOwn("nope"),
	}
	tests := map[string]struct {
		outcome sdk.Outcome
		want    driver.Outcome
	}{
		"zero":         {sdk.Outcome{}, driver.OutcomeDisconnected()},
		"disconnected": {sdk.Disconnected(), driver.OutcomeDisconnected()},
		"reconnect":    {sdk.Reconnect("a\nb"), driver.OutcomeReconnect("a; b")},
		"yielded":      {sdk.Yielded(), driver.OutcomeYielded()},
		"fatal":        {sdk.FatalOutcome(sdk.Retryable("nope", "no")), driver.OutcomeFatal(own)},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			p := good()
			p.run = func(*sdk.Context) (sdk.Outcome, error) { return tt.outcome, nil }
			p.connect = func(*sdk.Context) (sdk.Session, error) { return p, nil }
			p.configure = func(*sdk.Config) (sdk.Connector, error) { return p, nil }
			got, err := sdktest.New(t).Run(p, sdk.Config{})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, got, cmp.AllowUnexported(driver.Outcome{}, driver.Cause{})); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestPhaseFailures(t *testing.T) {
	no := errors.New("no")
	tests := map[string]struct {
		change func(*phases)
		want   string
	}{
		"configure": {func(p *phases) { p.configure = func(*sdk.Config) (sdk.Connector, error) { return nil, no } }, "configure: no"},
		"connect":   {func(p *phases) { p.connect = func(*sdk.Context) (sdk.Session, error) { return nil, no } }, "connect: no"},
		"init":      {func(p *phases) { p.init = func(*sdk.Context) (sdk.Handle, error) { return sdk.Handle{}, no } }, "init: no"},
		"run":       {func(p *phases) { p.run = func(*sdk.Context) (sdk.Outcome, error) { return sdk.Outcome{}, no } }, "run: no"},
		"no connector": {func(p *phases) { p.configure = func(*sdk.Config) (sdk.Connector, error) { return nil, nil } },
			"configure: driver returned no connector"},
		"no session": {func(p *phases) { p.connect = func(*sdk.Context) (sdk.Session, error) { return nil, nil } },
			"connect: driver returned no session"},
		"publish too early": {func(p *phases) {
			p.init = func(ctx *sdk.Context) (sdk.Handle, error) {
				_, err := ctx.Publish(nil)
				return sdk.Handle{}, err
			}
		}, "init: publish: wrong-phase"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			p := good()
			tt.change(&p)
			session := p
			connect, configure := p.connect, p.configure
			if name != "connect" && name != "no session" {
				connect = func(*sdk.Context) (sdk.Session, error) { return session, nil }
			}
			p.connect = connect
			connector := p
			if name != "configure" && name != "no connector" {
				configure = func(*sdk.Config) (sdk.Connector, error) { return connector, nil }
			}
			p.configure = configure
			_, err := sdktest.New(t).Run(p, sdk.Config{})
			if err == nil || err.Error() != tt.want {
				t.Errorf("%v, not %q", err, tt.want)
			}
		})
	}
}

func TestPhasesOutOfOrder(t *testing.T) {
	l := sdk.NewLifecycle(good(), sdktest.New(t))
	if r := l.Connect(driver.Session{}); r.Err.Summary != "connect before configure" {
		t.Error(r)
	}
	if r := l.Init(driver.Session{}); r.Err.Summary != "init before connect" {
		t.Error(r)
	}
	if r := l.Run(driver.Session{}); r.Err.Summary != "run before connect" {
		t.Error(r)
	}
}

func TestConfig(t *testing.T) {
	in := sdk.Config{
		Settings:    `{"a":1}`,
		Connections: connections().Connections,
		Devices:     []sdk.Device{{ID: 4, Name: "pump", Settings: "{}"}, {ID: 9, Name: "meter"}},
		Points: []sdk.Point{
			{ID: 10, Device: 4, Name: "p", Scalar: driver.ScalarTypeInt16, Count: 2, Access: driver.AccessReadWrite,
				Address: `"x"`, Period: time.Second, Phase: time.Millisecond},
			{ID: 11, Device: 9, Access: driver.AccessWrite},
			{ID: 12, Device: 4},
		},
	}
	var c *sdk.Config
	p := good()
	connector := p
	p.configure = func(got *sdk.Config) (sdk.Connector, error) { c = got; return connector, nil }
	if err := sdktest.New(t).Configure(p, in); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(in.Points, c.Points); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(in.Devices, c.Devices); diff != "" || c.Settings != in.Settings {
		t.Error(diff)
	}
	if c.Device(9).Name != "meter" || c.Device(5) != nil || c.Point(10).Name != "p" || c.Point(1) != nil {
		t.Error("lookups")
	}
	var of []sdk.PointID
	for p := range c.PointsOf(4) {
		of = append(of, p.ID)
	}
	if diff := cmp.Diff([]sdk.PointID{10, 12}, of); diff != "" {
		t.Error(diff)
	}
	if conn, ok := c.Connection("plc"); !ok || conn.Kind != driver.ConnectionKindTCP {
		t.Error(conn, ok)
	}
	if _, ok := c.Connection(""); ok {
		t.Error("three connections, and the empty name is one of them")
	}
	rw := c.Point(10)
	w := c.Point(11)
	if !rw.Readable() || !rw.Writable() || w.Readable() || !w.Writable() || c.Point(12).Writable() {
		t.Error("access")
	}
	if h := c.Serve(sdk.Action{Name: "x"}); len(h.Points) != 3 || h.Actions[0].Name != "x" {
		t.Error(h)
	}
}

// TestLongPeriod sees that what Go cannot hold becomes the longest that it can.
func TestLongPeriod(t *testing.T) {
	var got *sdk.Config
	p := good()
	connector := p
	p.configure = func(c *sdk.Config) (sdk.Connector, error) { got = c; return connector, nil }
	sdk.NewLifecycle(p, sdktest.New(t)).Configure(driver.Config{Points: []driver.Point{{Period: 1 << 63}}})
	if got.Points[0].Period != sdk.Forever {
		t.Error(got.Points[0].Period)
	}
}
