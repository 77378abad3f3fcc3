package point

import (
	"fmt"
	"math/big"
	"strconv"
	"strings"
)

const (
	// exactBits is how long the integers are that a float64 has all of.
	exactBits = 53
	// farthest is how many digits before or after its point a number may have: a float64 has less than 310 and 330.
	farthest = 400
)

// exactLimit is 2^53.
func exactLimit() *big.Int { return new(big.Int).Lsh(big.NewInt(1), exactBits) }

// unscale is the inverse of scale, without rounding: (value - offset) / scale. Values beyond 2^53 are refused, unless
// there is nothing to scale.
func (s *scaler) unscale(value *big.Rat) (*big.Rat, error) {
	if s.identity {
		return value, nil
	}
	if limit := new(big.Rat).SetInt(exactLimit()); new(big.Rat).Abs(value).Cmp(limit) > 0 {
		return nil, fmt.Errorf("%w: beyond 2^53, where scaling is not exact", ErrOutOfRange)
	}
	raw := new(big.Rat).Sub(value, s.offset.rational())
	return raw.Quo(raw, s.factor.rational()), nil
}

// rational returns the number as a fraction.
func (d decimal) rational() *big.Rat {
	r := new(big.Rat).SetInt(d.big(d.exp))
	power := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(max(d.exp, -d.exp))), nil)
	if d.exp < 0 {
		return r.Quo(r, new(big.Rat).SetInt(power))
	}
	return r.Mul(r, new(big.Rat).SetInt(power))
}

// rationalFloat returns what a finite float of the configuration stands for: its shortest decimal.
func rationalFloat(f float64) *big.Rat { return shortest(f, 64).rational() }

// rationalOf returns the number of a JSON text, exactly. Numbers that no type has, by far, are refused: a text of ten
// characters can stand for gigabytes of digits.
func rationalOf(text string) (*big.Rat, error) {
	mantissa, exponent, _ := strings.Cut(strings.ToLower(text), "e")
	exp := 0
	if exponent != "" {
		var err error
		if exp, err = strconv.Atoi(exponent); err != nil {
			return nil, fmt.Errorf("%w: %s", ErrOutOfRange, shorten(text))
		}
	}
	if len(mantissa) > farthest || exp > farthest || exp < -farthest {
		return nil, fmt.Errorf("%w: %s", ErrOutOfRange, shorten(text))
	}
	r, ok := new(big.Rat).SetString(text)
	if !ok {
		return nil, notOfType("%s is no number", shorten(text))
	}
	return r, nil
}
