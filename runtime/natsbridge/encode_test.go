package natsbridge

import (
	"encoding/json"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/droverhq/drover/abi/component"
	"github.com/droverhq/drover/abi/driver"
	"github.com/droverhq/drover/runtime/natsbridge/message"
	"github.com/droverhq/drover/runtime/point"
)

// FuzzData: whatever a driver gives, the message is JSON and says the same.
func FuzzData(f *testing.F) {
	f.Add("text", "io.timeout", 1.5, uint64(1), int64(0))
	f.Add("\x00\"\\\u2028\xff", "\n", -1e-300, uint64(1<<63), int64(-1))
	f.Fuzz(func(t *testing.T, text, code string, number float64, seq uint64, nanos int64) {
		batch := point.Batch{Device: "d", Seq: seq, Time: time.Unix(0, nanos), Readings: []point.Reading{
			convert(t, "text", driver.ScalarTypeText, driver.ValueText(text)),
			convert(t, "number", driver.ScalarTypeFloat64, driver.ValueFloat64(number)),
			{Name: "bad", Quality: driver.QualityBad, Code: code},
		}}
		var e encoder
		e.names = make(map[string]struct{})
		e.encode(&batch)
		if e.parts() != 1 {
			return // longer than one message
		}
		d, err := message.Decode[message.Data](appendData(nil, "e1", "", &batch, 1, 1, e.part(0)))
		if err != nil {
			t.Fatal(err)
		}
		if d.Seq != seq || !d.TS.Equal(batch.Time) || len(d.Points) != 3 {
			t.Errorf("got %+v", d)
		}
		var gotText string
		if err := json.Unmarshal(d.Points["text"].V, &gotText); err != nil || utf8.ValidString(text) && gotText != text {
			t.Errorf("text %q became %q, %v", text, gotText, err)
		}
		var gotNumber float64
		if v := d.Points["number"].V; v != nil {
			if err := json.Unmarshal(v, &gotNumber); err != nil || gotNumber != number {
				t.Errorf("number %v became %s, %v", number, v, err)
			}
		} else if d.Points["number"].Code != point.CodeNonFinite {
			t.Errorf("number %v became nothing", number)
		}
		if got := d.Points["bad"]; utf8.ValidString(code) && got.Code != code || got.Q != "bad" {
			t.Errorf("code %q became %q", code, got.Code)
		}
	})
}

func convert(t *testing.T, name string, scalar driver.ScalarType, v driver.Value) point.Reading {
	t.Helper()
	p, err := point.New(point.Definition{Name: name, Device: "d", Scalar: scalar})
	if err != nil {
		t.Fatal(err)
	}
	return p.Convert(driver.Sample{Value: component.Some(v)}, time.Unix(0, 0))
}
