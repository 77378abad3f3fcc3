package point

import (
	"encoding/base64"
	"math"
	"strconv"
	"unicode/utf8"
)

// AppendJSON appends the value as JSON (RFC 8259): integers with all their digits, floats in the shortest form that
// reads back as the same float32 or float64, bytes in base64 (RFC 4648, section 4), lists as arrays, none as null. The
// numbers of a point with Definition.IntegerText are strings.
func (v Value) AppendJSON(dst []byte) []byte {
	switch {
	case v.list:
		dst = append(dst, '[')
		for i, bits := range v.many {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = v.appendElement(dst, bits)
		}
		return append(dst, ']')
	case v.kind == kindText:
		return AppendText(dst, v.text)
	case v.kind == kindBytes:
		dst = append(dst, '"')
		dst = base64.StdEncoding.AppendEncode(dst, []byte(v.text))
		return append(dst, '"')
	}
	return v.appendElement(dst, v.bits)
}

// MarshalJSON implements json.Marshaler by AppendJSON.
func (v Value) MarshalJSON() ([]byte, error) { return v.AppendJSON(nil), nil }

func (v *Value) appendElement(dst []byte, bits uint64) []byte {
	if !v.quoted {
		return v.kind.append(dst, bits)
	}
	dst = append(dst, '"')
	dst = v.kind.append(dst, bits)
	return append(dst, '"')
}

// append appends one element.
func (k kind) append(dst []byte, bits uint64) []byte {
	switch k {
	case kindBool:
		return strconv.AppendBool(dst, bits != 0)
	case kindSigned:
		return strconv.AppendInt(dst, int64(bits), 10)
	case kindUnsigned:
		return strconv.AppendUint(dst, bits, 10)
	case kindFloat32:
		return AppendFloat(dst, math.Float64frombits(bits), 32)
	case kindFloat64:
		return AppendFloat(dst, math.Float64frombits(bits), 64)
	}
	return append(dst, "null"...)
}

// AppendFloat appends a finite float of 32 or 64 bits in its shortest form, with an exponent below 1e-6 and from 1e21,
// as ECMAScript prints numbers (ECMA-262, Number::toString).
func AppendFloat(dst []byte, f float64, size int) []byte {
	format := byte('f')
	if abs := math.Abs(f); abs != 0 && (abs < 1e-6 || abs >= 1e21) {
		format = 'e'
	}
	dst = strconv.AppendFloat(dst, f, format, -1, size)
	// strconv writes at least two digits of an exponent: e-09 becomes e-9.
	if n := len(dst); format == 'e' && dst[n-4] == 'e' && dst[n-2] == '0' {
		dst[n-2] = dst[n-1]
		dst = dst[:n-1]
	}
	return dst
}

const hex = "0123456789abcdef"

// AppendText appends s as a JSON string. Bytes that are not UTF-8 become the replacement character.
func AppendText(dst []byte, s string) []byte {
	dst = append(dst, '"')
	for i := 0; i < len(s); {
		c := s[i]
		if c >= utf8.RuneSelf {
			r, size := utf8.DecodeRuneInString(s[i:])
			dst = utf8.AppendRune(dst, r)
			i += size
			continue
		}
		dst = appendASCII(dst, c)
		i++
	}
	return append(dst, '"')
}

func appendASCII(dst []byte, c byte) []byte {
	switch {
	case c == '"' || c == '\\':
		return append(dst, '\\', c)
	case c == '\n':
		return append(dst, '\\', 'n')
	case c == '\r':
		return append(dst, '\\', 'r')
	case c == '\t':
		return append(dst, '\\', 't')
	case c < 0x20 || c == 0x7f:
		return append(dst, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
	}
	return append(dst, c)
}
