package config

import (
	"regexp"
	"strconv"
	"strings"
	"time"
)

// The limits of a channel that does not say (docs/limits.md).
const (
	defaultMemory  = 32 << 20
	defaultStack   = 16 << 20
	defaultCompute = time.Second
	defaultSamples = 20000
	defaultBytes   = 8 << 20
	defaultLog     = 20
	defaultStreams = 16
)

const (
	wasmPage   = 64 << 10
	maxMemory  = 4 << 30
	leastStack = 64 << 10
	maxStack   = 16 << 20
	maxCompute = time.Hour
	maxSamples = 1_000_000
	maxBytesS  = 1 << 30
	maxLog     = 10_000
	maxStreams = 64
)

// Limits bound what one instance of a channel's driver may take.
type Limits struct {
	// Memory is in bytes, a whole number of wasm pages (64 KiB).
	Memory uint64
	// Stack is how many bytes of stack its calls may take.
	Stack uint64
	// Compute is how long it may compute without calling the host.
	Compute time.Duration
	// CPU is how much of one core it may take over time, above 0 and up to 1.
	CPU float64
	// Samples and Bytes are what it may publish a second, Log how many lines it may log.
	Samples int
	Bytes   uint64
	Log     int
	// Streams is how many ports and connections it may have open at a time.
	Streams int
}

func defaultLimits() Limits {
	return Limits{
		Memory: defaultMemory, Stack: defaultStack, Compute: defaultCompute, CPU: 1,
		Samples: defaultSamples, Bytes: defaultBytes, Log: defaultLog, Streams: defaultStreams,
	}
}

func limitsKeys(l *Limits) keys {
	return keys{
		"memory":  func(v value) { v.size(&l.Memory, 1<<20, maxMemory, wasmPage) },
		"stack":   func(v value) { v.size(&l.Stack, leastStack, maxStack, 1<<10) },
		"compute": func(v value) { v.duration(&l.Compute, 10*time.Millisecond, maxCompute) },
		"cpu":     func(v value) { v.percentage(&l.CPU) },
		"samples": func(v value) { v.rate(&l.Samples, maxSamples) },
		"bytes":   func(v value) { v.sizeRate(&l.Bytes, 1<<10, maxBytesS) },
		"log":     func(v value) { v.rate(&l.Log, maxLog) },
		"streams": func(v value) {
			if n, ok := v.integer(1, maxStreams); ok {
				l.Streams = int(n)
			}
		},
	}
}

var (
	rateForm       = regexp.MustCompile(`^([1-9][0-9]{0,8})/s$`)
	percentageForm = regexp.MustCompile(`^([1-9][0-9]?|100)%$`)
)

// rate reads a whole number a second.
func (v value) rate(into *int, most int) {
	const what = "a number a second, such as 20/s"
	text, ok := v.measure(what)
	if !ok {
		return
	}
	m := rateForm.FindStringSubmatch(text)
	if m == nil {
		v.expected(what)
		return
	}
	n, err := strconv.Atoi(m[1])
	if err != nil || n > most {
		v.expected("a rate from 1/s to " + strconv.Itoa(most) + "/s")
		return
	}
	*into = n
}

// sizeRate reads a number of bytes a second.
func (v value) sizeRate(into *uint64, least, most uint64) {
	const what = "a size a second with its unit, such as 512KiB/s or 8MiB/s"
	text, ok := v.measure(what)
	if !ok {
		return
	}
	size, perSecond := strings.CutSuffix(text, "/s")
	n, ok := parseSize(size)
	switch {
	case !ok || !perSecond:
		v.expected(what)
	case n < least || n > most:
		v.expected("a rate from " + formatSize(least) + "/s to " + formatSize(most) + "/s")
	default:
		*into = n
	}
}

// percentage reads a share of a whole.
func (v value) percentage(into *float64) {
	const what = "a percentage from 1% to 100%"
	text, ok := v.measure(what)
	if !ok {
		return
	}
	m := percentageForm.FindStringSubmatch(text)
	if m == nil {
		v.expected(what)
		return
	}
	n, err := strconv.Atoi(m[1])
	if err == nil {
		*into = float64(n) / 100
	}
}
