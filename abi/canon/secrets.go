package canon

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
)

// redacted is what stands in place of a secret in text.
const redacted = "***"

// Secrets are byte strings that nobody is to read: passwords and keys out of a driver's settings. Empty ones are ignored.
type Secrets [][]byte

// Text returns s with every secret in it replaced.
func (ss Secrets) Text(s string) string {
	for _, secret := range ss {
		if len(secret) > 0 {
			s = strings.ReplaceAll(s, string(secret), redacted)
		}
	}
	return s
}

// mask says which bytes of p belong to a secret. When p was cut from something longer, a secret may begin at its end.
func (ss Secrets) mask(p []byte, cut bool) []bool {
	mask := make([]bool, len(p))
	for _, secret := range ss {
		for i := range p {
			rest := p[i:]
			whole := len(secret) > 0 && bytes.HasPrefix(rest, secret)
			if whole || cut && len(rest) < len(secret) && bytes.HasPrefix(secret, rest) {
				for j := range min(len(secret), len(rest)) {
					mask[i+j] = true
				}
			}
		}
	}
	return mask
}

// hex writes p as " 00 01 ff", with " .." at the end when it was cut.
func (ss Secrets) hex(p []byte, cut bool) string {
	var b strings.Builder
	for i, hide := range ss.mask(p, cut) {
		if hide {
			b.WriteString(" **")
		} else {
			fmt.Fprintf(&b, " %02x", p[i])
		}
	}
	if cut && len(p) > 0 {
		b.WriteString(" ..")
	}
	return b.String()
}

// quote writes p as a Go string, with ".." behind it when it was cut.
func (ss Secrets) quote(p []byte, cut bool) string {
	var text []byte
	mask := ss.mask(p, cut)
	for i, hide := range mask {
		switch {
		case !hide:
			text = append(text, p[i])
		case i == 0 || !mask[i-1]:
			text = append(text, redacted...)
		}
	}
	if cut {
		return strconv.Quote(string(text)) + ".."
	}
	return strconv.Quote(string(text))
}
