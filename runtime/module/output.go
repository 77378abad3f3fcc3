package module

import (
	"bytes"
	"strings"
)

// maxLine is where a line of guest output is cut.
const maxLine = 4096

// output turns what a guest writes to stdout and stderr into lines, and remembers what it died of: a Go program says
// so on stderr before it traps.
type output struct {
	line      func(string)
	partial   []byte
	lastWords string
}

// Write implements io.Writer. It never fails.
func (o *output) Write(p []byte) (int, error) {
	n := len(p)
	for len(p) > 0 {
		end := bytes.IndexByte(p, '\n')
		if end < 0 {
			o.append(p)
			break
		}
		o.append(p[:end])
		o.emit()
		p = p[end+1:]
	}
	return n, nil
}

func (o *output) append(p []byte) {
	o.partial = append(o.partial, p[:min(len(p), maxLine-len(o.partial))]...)
}

func (o *output) emit() {
	text := strings.ToValidUTF8(strings.TrimRight(string(o.partial), "\r"), "\uFFFD")
	o.partial = o.partial[:0]
	if text == "" {
		return
	}
	if o.lastWords == "" && (strings.HasPrefix(text, "panic: ") || strings.HasPrefix(text, "fatal error: ")) {
		o.lastWords = text
	}
	if o.line != nil {
		o.line(text)
	}
}

// close emits what stands on an unfinished line.
func (o *output) close() { o.emit() }
