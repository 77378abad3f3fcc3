package module

import (
	"bytes"
	"slices"
	"strings"

	"github.com/droverhq/drover/abi/canon"
)

const (
	// maxLine is where a line of guest output is cut.
	maxLine = 4096
	// keptLines is how many lines are kept for a post-mortem.
	keptLines = 64
)

// output turns what a guest writes to stdout and stderr into lines, and remembers what it died of: a Go program says
// so on stderr before it traps.
type output struct {
	line      func(string)
	check     func() // is called on the goroutine of the guest's call, again and again; it may end it
	secrets   canon.Secrets
	partial   []byte
	lastWords string
	kept      []string // a ring once it is full
	next      int      // where the oldest line is then
	lines     int      // how many there were
}

// Write implements io.Writer. It never fails. One call of the guest's may bring millions of pieces and lines.
func (o *output) Write(p []byte) (int, error) {
	n := len(p)
	o.goesOn()
	for len(p) > 0 {
		end := bytes.IndexByte(p, '\n')
		if end < 0 {
			o.append(p)
			break
		}
		o.append(p[:end])
		o.emit()
		o.goesOn()
		p = p[end+1:]
	}
	return n, nil
}

func (o *output) goesOn() {
	if o.check != nil {
		o.check()
	}
}

func (o *output) append(p []byte) {
	o.partial = append(o.partial, p[:min(len(p), maxLine-len(o.partial))]...)
}

func (o *output) emit() {
	text := o.secrets.Text(strings.ToValidUTF8(strings.TrimRight(string(o.partial), "\r"), "\uFFFD"))
	o.partial = o.partial[:0]
	if text == "" {
		return
	}
	if o.lastWords == "" && (strings.HasPrefix(text, "panic: ") || strings.HasPrefix(text, "fatal error: ")) {
		o.lastWords = text
	}
	o.lines++
	o.keep(text)
	if o.line != nil {
		o.line(text)
	}
}

func (o *output) keep(text string) {
	if len(o.kept) < keptLines {
		o.kept = append(o.kept, text)
		return
	}
	o.kept[o.next] = text
	o.next = (o.next + 1) % keptLines
}

// last returns the lines that are kept, oldest first.
func (o *output) last() []string { return slices.Concat(o.kept[o.next:], o.kept[:o.next]) }

// text is what was written so far, but for empty lines; all says that nothing of it is lost.
func (o *output) text() (text string, all bool) {
	for _, line := range o.last() {
		text += line + "\n"
	}
	return text + string(o.partial), o.lines == len(o.kept)
}

// close emits what stands on an unfinished line.
func (o *output) close() { o.emit() }
