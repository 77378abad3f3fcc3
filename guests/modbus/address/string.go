package address

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/droverhq/drover/guests/modbus/codec"
	"github.com/droverhq/drover/guests/modbus/pdu"
)

// classicalAreas are the first digits of the classical form.
var classicalAreas = map[byte]pdu.Area{'0': pdu.Coil, '1': pdu.Discrete, '3': pdu.Input, '4': pdu.Holding}

// parseString reads PLACE, PLACE.BIT or PLACE/LENGTH, where PLACE is AREA:OFFSET or the classical form.
func parseString(form string, base int) (Address, error) {
	a := Address{Bit: codec.NoBit}
	place, length, hasLength := strings.Cut(form, "/")
	place, bit, hasBit := strings.Cut(place, ".")
	area, offset, named := strings.Cut(place, ":")
	var err error
	switch {
	case hasLength && hasBit:
		err = fmt.Errorf("a bit has no length")
	case named:
		err = a.setNamed(area, offset, base)
	default:
		err = a.setClassical(place)
	}
	if err == nil && hasBit {
		err = setNumber(bit, a.setBit)
	}
	if err == nil && hasLength {
		err = setNumber(length, a.setLength)
	}
	if err != nil {
		return Address{}, fmt.Errorf("%q: %w", form, err)
	}
	return a, nil
}

func (a *Address) setNamed(area, offset string, base int) error {
	var known bool
	if a.Area, known = pdu.ParseArea(area); !known {
		return fmt.Errorf("%s", forms)
	}
	return setNumber(offset, func(n int) error { return a.setOffset(n, base) })
}

// setClassical reads the form of five or six digits: the first is the area, the others count from 1. It cannot mean
// anything else, because every other form names its area.
func (a *Address) setClassical(digits string) error {
	if len(digits) != 5 && len(digits) != 6 || strings.Trim(digits, "0123456789") != "" {
		return fmt.Errorf("%s", forms)
	}
	var known bool
	if a.Area, known = classicalAreas[digits[0]]; !known {
		return fmt.Errorf("the classical form begins with 0 (coil), 1 (discrete), 3 (input) or 4 (holding)")
	}
	return setNumber(digits[1:], func(n int) error { return a.setOffset(n, 1) })
}

// setNumber gives set a decimal number, or a hexadecimal one after 0x.
func setNumber(text string, set func(int) error) error {
	digits, base := text, 10
	if hex, ok := strings.CutPrefix(text, "0x"); ok {
		digits, base = hex, 16
	}
	n, err := strconv.ParseUint(digits, base, 31)
	if err != nil {
		return fmt.Errorf("%q is no number", text)
	}
	return set(int(n))
}
