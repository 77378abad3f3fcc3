package sdk

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Duration is a length of time in settings, written as text: "500ms", "1m30s", "2d", "1d12h". Bare numbers are refused.
type Duration time.Duration

// ParseDuration reads Go's form, with days, "d", allowed as the first unit.
func ParseDuration(s string) (time.Duration, error) {
	head, tail, days := strings.Cut(s, "d")
	if !days {
		d, err := time.ParseDuration(s)
		if err != nil || strings.Trim(s, "+-0123456789.") == "" {
			return 0, fmt.Errorf("%q is no duration such as \"500ms\" or \"2d\"", s)
		}
		return d, nil
	}
	n, err := strconv.ParseUint(head, 10, 16)
	if err != nil {
		return 0, fmt.Errorf("%q is no duration such as \"500ms\" or \"2d\"", s)
	}
	d := time.Duration(n) * 24 * time.Hour
	if tail == "" {
		return d, nil
	}
	rest, err := ParseDuration(tail)
	if err != nil || rest < 0 || rest > Forever-d || strings.Contains(tail, "d") {
		return 0, fmt.Errorf("%q is no duration such as \"500ms\" or \"2d\"", s)
	}
	return d + rest, nil
}

// UnmarshalJSON implements json.Unmarshaler.
func (d *Duration) UnmarshalJSON(text []byte) error {
	var s string
	if json.Unmarshal(text, &s) != nil || string(text) == "null" {
		return errors.New(`expected a duration as text, such as "500ms" or "2d"`)
	}
	parsed, err := ParseDuration(s)
	if err != nil {
		return err
	}
	*d = Duration(parsed)
	return nil
}

// MarshalJSON implements json.Marshaler.
func (d Duration) MarshalJSON() ([]byte, error) { return json.Marshal(time.Duration(d).String()) }

// String returns Go's form.
func (d Duration) String() string { return time.Duration(d).String() }
