package sdk_test

import (
	"testing"
	"time"

	"github.com/droverhq/drover/abi/component"
	"github.com/droverhq/drover/abi/driver"
	"github.com/droverhq/drover/guests/sdk"
)

// quiet is a host that answers at once and allocates nothing.
type quiet struct {
	sdk.Host
	now  time.Time
	fail bool
}

func (q *quiet) Now() time.Time { return q.now }

func (q *quiet) SocketConnect(driver.Target) component.Result[sdk.StreamHandle, driver.IOError] {
	return component.OK[driver.IOError](sdk.StreamHandle(1))
}

func (q *quiet) read(buf []byte) component.Result[[]byte, driver.IOError] {
	if q.fail {
		return component.Err[[]byte](driver.IOErrorTimeout)
	}
	return component.OK[driver.IOError](append(buf, "answer"...))
}

func (q *quiet) StreamRead(_ sdk.StreamHandle, _ uint32, _ uint64, buf []byte) component.Result[[]byte, driver.IOError] {
	return q.read(buf)
}

func (q *quiet) StreamReadFrame(
	_ sdk.StreamHandle, _ uint32, _, _ uint64, _ uint32, buf []byte,
) component.Result[[]byte, driver.IOError] {
	return q.read(buf)
}

func (q *quiet) StreamWrite(sdk.StreamHandle, []byte, uint64) component.Result[component.Unit, driver.IOError] {
	return component.Done[driver.IOError]()
}

func (q *quiet) StreamFlush(sdk.StreamHandle) component.Result[component.Unit, driver.IOError] {
	return component.Done[driver.IOError]()
}

func (q *quiet) Publish(samples []driver.Sample) component.Result[uint32, driver.PublishError] {
	return component.OK[driver.PublishError](uint32(len(samples)))
}

func (q *quiet) Wait([]sdk.StreamHandle, uint64) driver.Event { return driver.EventTimeout() }

func TestNothingIsAllocated(t *testing.T) {
	q := &quiet{now: time.Now()}
	config := connections()
	for i := range 50 {
		config.Points = append(config.Points, point(sdk.PointID(i), time.Duration(1+i%4)*time.Second, 0))
	}
	ctx := sdk.NewContext(q, &config, driver.Session{})
	s, err := ctx.Dial("plc")
	if err != nil {
		t.Fatal(err)
	}
	buf, batch, err := make([]byte, 256), sdk.NewBatch(ctx), error(nil)
	scheduler := sdk.NewScheduler(config.Points, q.now)
	check := func(e error) {
		if e != nil {
			err = e
		}
	}
	tests := map[string]func(){
		"read": func() {
			check(s.SetReadDeadline(q.now.Add(time.Second)))
			_, e := s.Read(buf)
			check(e)
		},
		"read frame": func() { _, e := s.ReadFrame(buf, time.Second, ms, 6); check(e) },
		"write":      func() { _, e := s.Write(buf); check(e) },
		"flush":      func() { check(s.Flush()) },
		"timeout": func() {
			q.fail = true
			if _, e := s.ReadFrame(buf, time.Second, ms, 6); e != sdk.ErrTimeout {
				check(e)
			}
			q.fail = false
		},
		"wait":     func() { ctx.Wait(time.Second, s) },
		"stopping": func() { ctx.Stopping() },
		"publish": func() {
			for i := range 50 {
				batch.Good(sdk.PointID(i), sdk.Float32(float32(i)), q.now)
			}
			batch.Failed(7, sdk.ErrTimeout, q.now)
			batch.Bad(8, "broken", time.Time{})
			check(batch.Publish())
		},
		"plain text": func() {
			if s, e := sdk.Decode(`"holding:17"`, ""); s != "holding:17" {
				check(e)
				t.Errorf("read %q", s)
			}
		},
		"scheduler": func() {
			q.now = q.now.Add(700 * ms)
			scheduler.Next(q.now)
		},
		"lookup": func() {
			if config.Point(17) == nil {
				t.Error("no point 17")
			}
		},
	}
	for name, f := range tests {
		t.Run(name, func(t *testing.T) {
			f()
			if n := testing.AllocsPerRun(100, f); n > 0 || err != nil {
				t.Errorf("%v allocations, %v", n, err)
			}
		})
	}
}
