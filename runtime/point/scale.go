package point

import (
	"math"
	"math/big"
	"math/bits"
	"strconv"
)

// Scaling is done in decimal, because that is how people wrote the numbers: each float stands for the shortest decimal
// that reads back as it ("0.1", not 0.1000000000000000055...), integers for themselves. value = raw * scale + offset is
// computed on those without rounding, and rounded once, to the nearest float64, at the end. So 3 * 0.1 is 0.3, and an
// integer result is exact up to 2^53.
//
// With scale and offset integers, an integer stays an integer, with all its digits, as long as it fits an int64.
type scaler struct {
	identity bool
	factor   decimal
	offset   decimal
}

func newScaler(scale, offset float64) scaler {
	return scaler{identity: scale == 1 && offset == 0, factor: shortest(scale, 64), offset: shortest(offset, 64)}
}

// whole says whether scale and offset leave integers what they are.
func (s *scaler) whole() bool { return s.factor.exp >= 0 && s.offset.exp >= 0 }

// scale returns v scaled, in place where v is a list. A result beyond float64 is infinite.
func (s *scaler) scale(v Value) Value {
	if out, ok := s.integers(v); ok {
		return out
	}
	from := v
	v.kind = kindFloat64
	if !v.list {
		v.bits = math.Float64bits(s.float(decimalOf(from.kind, from.bits)))
		return v
	}
	for i, b := range from.many {
		v.many[i] = math.Float64bits(s.float(decimalOf(from.kind, b)))
	}
	return v
}

// integers scales within 64-bit integers; false where that is not possible for every element.
func (s *scaler) integers(v Value) (Value, bool) {
	if v.kind != kindSigned && v.kind != kindUnsigned || !s.whole() {
		return v, false
	}
	if !v.list {
		i, ok := s.integer(v.kind, v.bits)
		v.kind, v.bits = kindSigned, uint64(i)
		return v, ok
	}
	many := make([]uint64, len(v.many))
	for i, b := range v.many {
		n, ok := s.integer(v.kind, b)
		if !ok {
			return v, false
		}
		many[i] = uint64(n)
	}
	v.kind, v.many = kindSigned, many
	return v, true
}

func (s *scaler) integer(k kind, b uint64) (int64, bool) {
	d, ok := s.exact(decimalOf(k, b))
	if !ok || d.hi != 0 {
		return 0, false
	}
	for ; d.exp > 0; d.exp-- {
		if d.lo > math.MaxInt64/10 {
			return 0, false
		}
		d.lo *= 10
	}
	if d.lo > math.MaxInt64 {
		return 0, false
	}
	if d.neg {
		return -int64(d.lo), true
	}
	return int64(d.lo), true
}

func (s *scaler) float(raw decimal) float64 {
	if d, ok := s.exact(raw); ok {
		return d.float()
	}
	return s.slow(raw)
}

// exact computes raw * scale + offset within 128 bits; false where that is not enough.
func (s *scaler) exact(raw decimal) (decimal, bool) {
	d := raw.times(s.factor)
	if s.offset.lo == 0 {
		return d, true
	}
	return d.plus(s.offset)
}

// slow computes the same with integers of any size: for numbers of very different magnitudes.
func (s *scaler) slow(raw decimal) float64 {
	d := raw.times(s.factor)
	low := min(d.exp, s.offset.exp)
	sum := new(big.Int).Add(d.big(low), s.offset.big(low))
	f, _ := strconv.ParseFloat(sum.String()+"e"+strconv.Itoa(low), 64)
	return f
}

// decimal is the number (hi<<64 | lo) * 10^exp, negative with neg.
type decimal struct {
	hi, lo uint64
	exp    int
	neg    bool
}

// decimalOf returns what an element of a number stands for.
func decimalOf(k kind, b uint64) decimal {
	switch k {
	case kindSigned:
		if i := int64(b); i < 0 {
			return decimal{lo: -b, neg: true}
		}
		return decimal{lo: b}
	case kindUnsigned:
		return decimal{lo: b}
	case kindFloat32:
		return shortest(math.Float64frombits(b), 32)
	default:
		return shortest(math.Float64frombits(b), 64)
	}
}

// shortest returns the shortest decimal that reads back as the float of that size: at most 17 digits.
func shortest(f float64, size int) decimal {
	var d decimal
	if math.Signbit(f) {
		d.neg, f = true, -f
	}
	if f < 1<<53 && f == math.Trunc(f) {
		d.lo = uint64(f)
		return d
	}
	var buf [32]byte
	text := strconv.AppendFloat(buf[:0], f, 'e', -1, size) // d.ddde±dd
	digits, fraction, i := 0, 0, 0
	for ; text[i] != 'e'; i++ {
		if text[i] == '.' {
			fraction = digits
			continue
		}
		d.lo = d.lo*10 + uint64(text[i]-'0')
		digits++
	}
	if fraction > 0 {
		d.exp = fraction - digits
	}
	d.exp += exponent(text[i+1:])
	return d
}

// exponent reads "+dd" or "-dd".
func exponent(text []byte) int {
	n := 0
	for _, c := range text[1:] {
		n = n*10 + int(c-'0')
	}
	if text[0] == '-' {
		return -n
	}
	return n
}

// times multiplies two decimals of 64 bits each.
func (d decimal) times(e decimal) decimal {
	hi, lo := bits.Mul64(d.lo, e.lo)
	return decimal{hi: hi, lo: lo, exp: d.exp + e.exp, neg: d.neg != e.neg}
}

// plus adds; false where the sum, or one of the two brought to the other's exponent, needs more than 128 bits.
func (d decimal) plus(e decimal) (decimal, bool) {
	ok := true
	for d.exp > e.exp && ok {
		d, ok = d.shift()
	}
	for e.exp > d.exp && ok {
		e, ok = e.shift()
	}
	if !ok {
		return d, false
	}
	if d.neg == e.neg {
		var carry uint64
		d.lo, carry = bits.Add64(d.lo, e.lo, 0)
		d.hi, carry = bits.Add64(d.hi, e.hi, carry)
		return d, carry == 0
	}
	if d.hi < e.hi || d.hi == e.hi && d.lo < e.lo {
		d, e = e, d
	}
	var borrow uint64
	d.lo, borrow = bits.Sub64(d.lo, e.lo, 0)
	d.hi, _ = bits.Sub64(d.hi, e.hi, borrow)
	d.neg = d.neg && d.hi|d.lo != 0
	return d, true
}

// shift multiplies the mantissa by ten and keeps the number; false where that needs more than 128 bits.
func (d decimal) shift() (decimal, bool) {
	carry, lo := bits.Mul64(d.lo, 10)
	over, hi := bits.Mul64(d.hi, 10)
	hi, more := bits.Add64(hi, carry, 0)
	d.hi, d.lo, d.exp = hi, lo, d.exp-1
	return d, over == 0 && more == 0
}

// float rounds to the nearest float64.
func (d decimal) float() float64 {
	if f, ok := d.small(); ok {
		return f
	}
	var buf [64]byte
	text := append(d.digits(buf[:0]), 'e')
	text = strconv.AppendInt(text, int64(d.exp), 10)
	f, _ := strconv.ParseFloat(string(text), 64) // beyond the range: infinite
	return f
}

// small divides or multiplies where both numbers are exact, so that the one rounding is the right one (W. Clinger, How
// to Read Floating Point Numbers Accurately, 1990).
func (d decimal) small() (float64, bool) {
	if d.hi != 0 || d.lo > 1<<53 || d.exp < -22 || d.exp > 0 {
		return 0, false
	}
	f := float64(d.lo)
	if d.neg && d.lo != 0 {
		f = -f
	}
	power := 1.0
	for range -d.exp {
		power *= 10 // exact up to 10^22
	}
	return f / power, true
}

// digits appends the sign and the mantissa.
func (d decimal) digits(dst []byte) []byte {
	if d.neg {
		dst = append(dst, '-')
	}
	var tail [2]uint64
	n := 0
	const chunk = 1e19 // the largest power of ten in 64 bits
	for hi, lo := d.hi, d.lo; ; n++ {
		if hi == 0 && lo < chunk {
			dst = strconv.AppendUint(dst, lo, 10)
			break
		}
		high := hi / chunk
		low, rest := bits.Div64(hi%chunk, lo, chunk)
		hi, lo, tail[n] = high, low, rest
	}
	for n > 0 {
		n--
		start := len(dst)
		dst = append(dst, "0000000000000000000"...)
		for i, rest := len(dst)-1, tail[n]; i >= start; i, rest = i-1, rest/10 {
			dst[i] += byte(rest % 10)
		}
	}
	return dst
}

// big returns the mantissa at the exponent exp, which is not above d's.
func (d decimal) big(exp int) *big.Int {
	m := new(big.Int).SetUint64(d.hi)
	m.Lsh(m, 64).Add(m, new(big.Int).SetUint64(d.lo))
	m.Mul(m, new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(d.exp-exp)), nil))
	if d.neg {
		m.Neg(m)
	}
	return m
}
