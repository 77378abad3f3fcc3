package point

import (
	"math"
	"testing"
	"time"

	"github.com/droverhq/drover/abi/driver"
)

func number(f float64) Reading {
	return Reading{Name: "p", Value: Value{kind: kindFloat64, bits: math.Float64bits(f)}}
}

func bad(code string) Reading { return Reading{Name: "p", Quality: driver.QualityBad, Code: code} }

// stale is a value that is not to be trusted.
func stale(f float64) Reading {
	r := number(f)
	r.Quality, r.Code = driver.QualityBad, "driver.stale"
	return r
}

func TestAccept(t *testing.T) {
	type step struct {
		after   time.Duration
		reading Reading
		want    bool
	}
	tests := []struct {
		name  string
		def   Definition
		steps []step
	}{
		{"always", Definition{}, []step{{0, number(1), true}, {1, number(1), true}}},
		{"what cannot be read is said once", Definition{}, []step{
			{0, bad("io.timeout"), true}, {1, bad("io.timeout"), false}, {time.Hour, bad("io.timeout"), false},
			{1, bad("driver.exception-2"), true}, {1, bad("driver.exception-2"), false}, {1, number(1), true}, {1, number(1), true},
			{1, bad("io.timeout"), true},
		}},
		{"and again at the heartbeat", Definition{Heartbeat: time.Minute}, []step{
			{0, bad("io.timeout"), true}, {59 * time.Second, bad("io.timeout"), false}, {time.Second, bad("io.timeout"), true},
			{time.Second, number(1), true}, {1, number(1), true},
		}},
		{"a bad value that the device holds is no absence", Definition{}, []step{{0, stale(1), true}, {1, stale(1), true}}},
		{"an interval holds back no change of quality", Definition{Report: ReportChange, Interval: time.Hour, Heartbeat: 2 * time.Hour},
			[]step{{0, number(1), true}, {1, stale(1), true}, {1, stale(2), false}, {1, number(2), true}, {1, number(3), false},
				{time.Hour, number(3), true}}},
		{"a heartbeat beats a deadband and an interval", Definition{
			Report: ReportChange, Deadband: Deadband{Width: 50, Percent: true}, Interval: time.Minute, Heartbeat: time.Minute,
		}, []step{{0, number(1), true}, {time.Minute - 1, number(9), false}, {1, number(1), true}, {time.Minute, number(1), true}}},
		{"change", Definition{Report: ReportChange}, []step{
			{0, number(1), true}, {1, number(1), false}, {1, number(1.0001), true}, {1, number(1.0001), false},
		}},
		{"absolute deadband is around the value reported last", Definition{Report: ReportChange, Deadband: Deadband{Width: 0.5}}, []step{
			{0, number(10), true}, {1, number(10.5), false}, {1, number(10.25), false}, {1, number(10.75), true},
			{1, number(10.25), false}, {1, number(10), true},
		}},
		{"percent deadband", Definition{Report: ReportChange, Deadband: Deadband{Width: 10, Percent: true}}, []step{
			{0, number(-100), true}, {1, number(-110), false}, {1, number(-111), true}, {1, number(-122), false},
			{1, number(0), true}, {1, number(0.001), true},
		}},
		{"quality always passes", Definition{Report: ReportChange, Interval: time.Hour}, []step{
			{0, number(1), true}, {1, bad("io.timeout"), true}, {1, bad("io.timeout"), false}, {1, bad("io.closed"), true},
			{1, number(1), true}, {1, number(1), false},
		}},
		{"the interval delays a change and does not lose it", Definition{Report: ReportChange, Interval: 10 * time.Second}, []step{
			{0, number(1), true}, {5 * time.Second, number(2), false}, {4 * time.Second, number(2), false},
			{time.Second, number(2), true}, {11 * time.Second, number(2), false},
		}},
		{"heartbeat", Definition{Report: ReportChange, Deadband: Deadband{Width: 5}, Heartbeat: time.Minute}, []step{
			{0, number(1), true}, {59 * time.Second, number(2), false}, {time.Second, number(2), true},
			{59 * time.Second, number(2), false}, {time.Second, number(2), true},
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tt.def.Scalar = driver.ScalarTypeFloat64
			p, now := mustNew(t, tt.def), start
			for i, s := range tt.steps {
				now = now.Add(s.after)
				if got := p.Accept(s.reading, now); got != s.want {
					t.Errorf("step %d: got %v, want %v", i, got, s.want)
				}
				if last, ok := p.Last(); !ok || last.Code != s.reading.Code || !last.Value.Equal(s.reading.Value) {
					t.Errorf("step %d: the latest value is %+v", i, last)
				}
			}
		})
	}
}

func TestAcceptLists(t *testing.T) {
	p := mustNew(t, Definition{Scalar: driver.ScalarTypeInt16, Count: 2, Report: ReportChange, Deadband: Deadband{Width: 2}})
	list := func(a, b int64) Reading { return p.Convert(sample(driver.ValueSigneds([]int64{a, b})), start) }
	if !p.Accept(list(1, 1), start) || p.Accept(list(3, -1), start) || !p.Accept(list(1, 4), start) {
		t.Error("any element outside the deadband is a change, none is not")
	}
	text := mustNew(t, Definition{Scalar: driver.ScalarTypeText, Report: ReportChange})
	word := func(s string) Reading { return text.Convert(sample(driver.ValueText(s)), start) }
	if !text.Accept(word("a"), start) || text.Accept(word("a"), start) || !text.Accept(word("b"), start) {
		t.Error("texts are compared")
	}
}

func TestLost(t *testing.T) {
	p := mustNew(t, Definition{Scalar: driver.ScalarTypeFloat64, Report: ReportChange, Heartbeat: time.Minute})
	p.Accept(number(7), start)
	r, due := p.Lost("io.closed", start.Add(time.Second))
	if !due || r.Quality != driver.QualityBad || r.Code != "io.closed" || !r.Value.None() {
		t.Fatalf("got %+v, %v", r, due)
	}
	if _, due := p.Lost("io.closed", start.Add(60*time.Second)); due {
		t.Error("told again before the heartbeat")
	}
	if _, due := p.Lost("io.closed", start.Add(61*time.Second)); !due {
		t.Error("not told at the heartbeat")
	}
	if last, _ := p.Last(); string(last.Known.AppendJSON(nil)) != "7" || last.Quality != driver.QualityBad {
		t.Errorf("the known value is gone: %+v", last)
	}
	if !p.Accept(number(7), start.Add(62*time.Second)) {
		t.Error("the same value after the loss is news")
	}
	if _, due := p.Lost("io.closed", start.Add(63*time.Second)); !due {
		t.Error("the second loss is not told")
	}
}

// Somebody new speaks for a point: the next reading is reported, the one after by the filter again.
func TestRenew(t *testing.T) {
	p, err := New(Definition{Name: "p", Device: "d", Scalar: driver.ScalarTypeFloat64, Report: ReportChange})
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	for i, want := range []bool{true, false, true, false} {
		if i == 2 {
			p.Renew()
		}
		if got := p.Accept(number(1), now); got != want {
			t.Errorf("reading %d: reported %v", i, got)
		}
	}
}

// A point that takes the place of another knows what that knew, where it means the same.
func TestFollow(t *testing.T) {
	def := Definition{Name: "p", Device: "d", Scalar: driver.ScalarTypeFloat64}
	was, err := New(def)
	if err != nil {
		t.Fatal(err)
	}
	was.Accept(number(1), time.Now())
	for _, test := range []struct {
		change func(*Definition)
		knows  bool
	}{
		{func(d *Definition) { d.Unit, d.Report = "bar", ReportChange }, true},
		{func(d *Definition) { d.Scale = 10 }, false},
		{func(d *Definition) { d.Scalar = driver.ScalarTypeFloat32 }, false},
	} {
		next := def
		test.change(&next)
		p, err := New(next)
		if err != nil {
			t.Fatal(err)
		}
		p.Follow(was)
		if _, known := p.Last(); known != test.knows {
			t.Errorf("%+v: known %v", next, known)
		}
	}
}
