package conformance

import (
	"fmt"
	"time"
)

// Result is what came of a check.
type Result string

const (
	// Pass: the driver does what is wanted.
	Pass Result = "pass"
	// Fail: it does not; Check.Text says what it does instead.
	Fail Result = "fail"
	// Skip: it could not be tried; Check.Text says what is missing.
	Skip Result = "skip"
)

// Check is one check and what came of it.
type Check struct {
	// Name is a word or two, the same for ever.
	Name   string `json:"name"`
	Result Result `json:"result"`
	// Text is for people.
	Text string `json:"text"`
	// Seconds is how long it took.
	Seconds float64 `json:"seconds"`
}

// Reading is the last that was read of a point of the real device.
type Reading struct {
	Device string `json:"device"`
	Point  string `json:"point"`
	// Value is missing where there was none.
	Value any    `json:"value,omitempty"`
	Unit  string `json:"unit,omitempty"`
	// Quality is good, uncertain or bad; Code says why it is not good.
	Quality string `json:"quality"`
	Code    string `json:"code,omitempty"`
	// Count is how often it was read with a value.
	Count uint64 `json:"count"`
}

// Report is what came of all checks.
type Report struct {
	Checks []Check `json:"checks"`
	// Readings are of the run with the real device, in the order of the configuration; none without one.
	Readings []Reading `json:"readings,omitempty"`
}

// Count returns how many checks had a result.
func (r *Report) Count(result Result) int {
	n := 0
	for _, c := range r.Checks {
		if c.Result == result {
			n++
		}
	}
	return n
}

// verdict is what a check says of itself.
type verdict struct {
	result Result
	text   string
}

func passed(format string, args ...any) verdict  { return verdict{Pass, fmt.Sprintf(format, args...)} }
func failed(format string, args ...any) verdict  { return verdict{Fail, fmt.Sprintf(format, args...)} }
func skipped(format string, args ...any) verdict { return verdict{Skip, fmt.Sprintf(format, args...)} }

// round is a length of time as people read it.
func round(d time.Duration) time.Duration {
	switch {
	case d >= time.Second:
		return d.Round(10 * time.Millisecond)
	case d >= time.Millisecond:
		return d.Round(100 * time.Microsecond)
	}
	return d.Round(time.Microsecond)
}
