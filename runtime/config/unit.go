package config

import (
	"errors"
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
	"time"
)

const day = 24 * time.Hour

var (
	errDuration  = errors.New("no duration")
	leadingZero  = regexp.MustCompile(`(^|[a-zµμ])0[0-9]`)
	daysForm     = regexp.MustCompile(`^([0-9]+)d(.*)$`)
	sizeForm     = regexp.MustCompile(`^(0|[1-9][0-9]{0,17})(KiB|MiB|GiB)$`)
	sizeExponent = map[string]uint{"KiB": 10, "MiB": 20, "GiB": 30}
)

// parseDuration reads Go's form, with days (of 24 hours) in front where there are any. No sign, no number without a
// unit, no leading zeros.
func parseDuration(text string) (time.Duration, error) {
	if text == "" || text[0] == '-' || text[0] == '+' || text == "0" || leadingZero.MatchString(text) {
		return 0, errDuration
	}
	m := daysForm.FindStringSubmatch(text)
	if m == nil {
		return time.ParseDuration(text)
	}
	days, err := strconv.ParseInt(m[1], 10, 64)
	if err != nil || days > int64(math.MaxInt64/day) {
		return 0, errDuration
	}
	rest := time.Duration(0)
	if m[2] != "" {
		if rest, err = parseDuration(m[2]); err != nil {
			return 0, fmt.Errorf("read what follows the days: %w", err)
		}
	}
	sum := time.Duration(days)*day + rest
	if strings.Contains(m[2], "d") || sum < 0 {
		return 0, errDuration
	}
	return sum, nil
}

// formatDuration is the reverse of parseDuration, without the zeros that Go prints.
func formatDuration(d time.Duration) string {
	if d == 0 {
		return "0s"
	}
	if days := d / day; days > 0 {
		rest := ""
		if d%day != 0 {
			rest = formatDuration(d % day)
		}
		return strconv.FormatInt(int64(days), 10) + "d" + rest
	}
	text := d.String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}

func parseSize(text string) (uint64, bool) {
	m := sizeForm.FindStringSubmatch(text)
	if m == nil {
		return 0, false
	}
	n, err := strconv.ParseUint(m[1], 10, 64)
	shift := sizeExponent[m[2]]
	if err != nil || n > math.MaxUint64>>shift {
		return 0, false
	}
	return n << shift, true
}

func formatSize(n uint64) string {
	for _, unit := range []string{"GiB", "MiB"} {
		if shift := sizeExponent[unit]; n != 0 && n%(1<<shift) == 0 {
			return strconv.FormatUint(n>>shift, 10) + unit
		}
	}
	return strconv.FormatUint(n>>10, 10) + "KiB"
}
