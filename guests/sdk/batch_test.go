package sdk_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/droverhq/drover/abi/component"
	"github.com/droverhq/drover/abi/driver"
	"github.com/droverhq/drover/guests/sdk"
	"github.com/droverhq/drover/guests/sdk/sdktest"
)

// points returns n points without a period, of type uint64.
func points(n int) sdk.Config {
	var c sdk.Config
	for i := range n {
		c.Points = append(c.Points, point(sdk.PointID(i), 0, 0))
	}
	return c
}

// sizes returns how many samples each publish took.
func sizes(h *sdktest.Host) (out []int) {
	for _, c := range h.Cycles() {
		out = append(out, len(c.Samples))
	}
	return out
}

func fill(b *sdk.Batch, n int) {
	for i := range n {
		b.Good(sdk.PointID(i), sdk.Unsigned(uint64(i)), time.Time{})
	}
}

func TestBatch(t *testing.T) {
	h := sdktest.New(t)
	b := sdk.NewBatch(h.Context(points(10)))
	at := time.Unix(5, 7)
	b.Good(1, sdk.Unsigned(7), at)
	b.Bad(2, "illegal-address", time.Time{})
	b.Failed(3, sdk.ErrReset, time.Time{})
	b.Add(sdk.Uncertain(4, sdk.Unsigned(8), "old", at))
	if len(b.Samples()) != 4 {
		t.Errorf("%d samples", len(b.Samples()))
	}
	if err := b.Publish(); err != nil || len(b.Samples()) != 0 {
		t.Fatal(err)
	}
	got := h.Cycles()[0].Samples
	if got[0].Value.Value.Unsigned() != 7 || got[0].Time != 5e9+7 || got[0].Reason.Some {
		t.Errorf("%+v", got[0])
	}
	if got[1].Quality != driver.QualityBad || got[1].Reason.Value != "illegal-address" || got[1].Time != 0 || got[1].Value.Some {
		t.Errorf("%+v", got[1])
	}
	if got[2].Reason.Value != "io.reset" || got[3].Quality != driver.QualityUncertain || got[3].Reason.Value != "old" {
		t.Errorf("%+v", got[2:])
	}
}

func TestBatchEmpty(t *testing.T) {
	h := sdktest.New(t)
	if err := sdk.NewBatch(h.Context(points(1))).Publish(); err != nil || len(h.Cycles()) != 0 {
		t.Error(err, sizes(h))
	}
}

func TestBatchBacklog(t *testing.T) {
	h := sdktest.New(t)
	b := sdk.NewBatch(h.Context(points(10)))
	publish := func(room, n int) {
		t.Helper()
		h.Room = room
		fill(b, n)
		if err := b.Publish(); err != nil {
			t.Fatal(err)
		}
	}
	publish(3, 5) // 2 left
	publish(1, 4) // 1 left of the first cycle, all of the second
	if b.Backlog() != 5 {
		t.Errorf("backlog %d", b.Backlog())
	}
	publish(-1, 6) // cycles stay apart
	if got := sizes(h); !slices.Equal(got, []int{3, 1, 1, 4, 6}) || b.Backlog() != 0 || b.Dropped() != 0 {
		t.Errorf("published %v, backlog %d, dropped %d", got, b.Backlog(), b.Dropped())
	}
	if s := h.Samples(4); len(s) != 2 { // once of the first cycle, once of the third
		t.Errorf("%d samples of point 4", len(s))
	}
}

func TestBatchBacklogIsBounded(t *testing.T) {
	h := sdktest.New(t)
	h.Room = 0
	b := sdk.NewBatch(h.Context(points(1000)))
	for range 20 {
		fill(b, 1000)
		if err := b.Publish(); err != nil {
			t.Fatal(err)
		}
	}
	if b.Backlog() != 16000 || b.Dropped() != 4000 {
		t.Errorf("backlog %d, dropped %d", b.Backlog(), b.Dropped())
	}
}

func TestBatchBacklogHasItsOwnLists(t *testing.T) {
	h := sdktest.New(t)
	config := sdk.Config{Points: []sdk.Point{
		{ID: 1, Scalar: driver.ScalarTypeInt16, Count: 2}, {ID: 2, Scalar: driver.ScalarTypeBytes},
		{ID: 3, Scalar: driver.ScalarTypeBoolean, Count: 1}, {ID: 4, Scalar: driver.ScalarTypeUint8, Count: 1},
		{ID: 5, Scalar: driver.ScalarTypeFloat32, Count: 1},
	}}
	b := sdk.NewBatch(h.Context(config))
	ints, raw, bools, uints, floats := []int64{1, 2}, []byte("ab"), []bool{true}, []uint64{1}, []float64{1}
	b.Good(1, sdk.Signeds(ints), time.Time{})
	b.Good(2, sdk.Bytes(raw), time.Time{})
	b.Good(3, sdk.Booleans(bools), time.Time{})
	b.Good(4, sdk.Unsigneds(uints), time.Time{})
	b.Good(5, sdk.Floats(floats), time.Time{})
	h.Room = 0
	if err := b.Publish(); err != nil {
		t.Fatal(err)
	}
	ints[0], raw[0], bools[0], uints[0], floats[0] = 9, 'x', false, 9, 9
	h.Room = -1
	if err := b.Publish(); err != nil {
		t.Fatal(err)
	}
	v := func(p sdk.PointID) sdk.Value { return h.Samples(p)[0].Value.Value }
	if v(1).Signeds()[0] != 1 || v(2).Bytes()[0] != 'a' || !v(3).Booleans()[0] || v(4).Unsigneds()[0] != 1 || v(5).Floats()[0] != 1 {
		t.Errorf("%+v", h.Cycles())
	}
}

func TestBatchIsSplit(t *testing.T) {
	h := sdktest.New(t)
	b := sdk.NewBatch(h.Context(points(9000)))
	fill(b, 9000)
	if err := b.Publish(); err != nil {
		t.Fatal(err)
	}
	if got := sizes(h); !slices.Equal(got, []int{4096, 4096, 808}) {
		t.Errorf("published %v", got)
	}
}

// narrow is a host that takes few samples a call, as one does when they are large.
type narrow struct {
	*sdktest.Host
	limit int
}

func (n narrow) Publish(samples []sdk.Sample) (r component.Result[uint32, driver.PublishError]) {
	if len(samples) > n.limit {
		r.Failed, r.Err = true, driver.PublishErrorTooLarge()
		return r
	}
	return n.Host.Publish(samples)
}

func TestBatchTooLarge(t *testing.T) {
	h := sdktest.New(t)
	config := points(10)
	h.Context(config)
	b := sdk.NewBatch(sdk.NewContext(narrow{h, 3}, &config, driver.Session{}))
	fill(b, 10)
	if err := b.Publish(); err != nil {
		t.Fatal(err)
	}
	if got := sizes(h); !slices.Equal(got, []int{2, 2, 2, 2, 2}) {
		t.Errorf("published %v", got)
	}
	b = sdk.NewBatch(sdk.NewContext(narrow{h, 0}, &config, driver.Session{}))
	fill(b, 10)
	if e, ok := errors.AsType[*sdk.PublishError](b.Publish()); !ok || e.Reason != driver.PublishErrorTagTooLarge {
		t.Errorf("one sample that is too large: %v", e)
	}
}

func TestPublishError(t *testing.T) {
	h := sdktest.New(t)
	ctx := h.Context(points(3))
	b := sdk.NewBatch(ctx)
	fill(b, 2)
	b.Good(2, sdk.Text("wrong"), time.Time{})
	err := b.Publish()
	if err == nil || err.Error() != "publish: wrong-type: sample 2, point 2" || len(h.Cycles()) != 0 || len(b.Samples()) != 0 {
		t.Errorf("%v, published %v", err, sizes(h))
	}
	n, err := ctx.Publish([]sdk.Sample{sdk.Bad(99, "x", time.Time{})})
	if n != 0 || err == nil || err.Error() != "publish: unknown-point: sample 0, point 99" {
		t.Error(n, err)
	}
}
