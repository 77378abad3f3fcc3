package address

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/droverhq/drover/guests/modbus/codec"
	"github.com/droverhq/drover/guests/modbus/pdu"
	"github.com/droverhq/drover/guests/sdk"
)

// forms is what an address may look like, for errors.
const forms = `expected "AREA:OFFSET", "AREA:OFFSET.BIT" or "AREA:OFFSET/LENGTH" with AREA one of ` +
	`coil, discrete, holding, input`

// Address is where a point is.
type Address struct {
	Area pdu.Area
	// Offset is what the line carries: from 0, whatever the base.
	Offset uint16
	// Bit is that of a register, 0 the lowest, or codec.NoBit.
	Bit int
	// Length is in bytes; 0 where there is none.
	Length int
	// Order is zero where the address does not say.
	Order codec.Order
}

// Parse reads an address from JSON text: a string or an object. The base, 0 or 1, is the number of the first register
// or bit in AREA:OFFSET; the classical form begins at 1 whatever the base.
func Parse(text string, base int) (Address, error) {
	if strings.HasPrefix(strings.TrimSpace(text), "{") {
		return parseObject(text, base)
	}
	if form, err := sdk.Decode(text, ""); err == nil && form != "" {
		return parseString(form, base)
	}
	var number json.Number
	if json.Unmarshal([]byte(text), &number) == nil && number != "" {
		return Address{}, fmt.Errorf(`%s is a number, and could mean an offset ("holding:%s") or, in quotes, `+
			`the classical form ("40001" is the first holding register)`, number, number)
	}
	return Address{}, fmt.Errorf("%.60s: %s", text, forms)
}

// object is the long form of an address.
type object struct {
	Area   string      `json:"area"`
	Offset *int        `json:"offset"`
	Bit    *int        `json:"bit"`
	Length *int        `json:"length"`
	Order  codec.Order `json:"order"`
}

func parseObject(text string, base int) (Address, error) {
	o, err := sdk.Decode(text, object{})
	if err != nil {
		return Address{}, fmt.Errorf("address object: %w", err)
	}
	return o.address(base)
}

func (o *object) address(base int) (Address, error) {
	a := Address{Bit: codec.NoBit, Order: o.Order}
	var known bool
	if a.Area, known = pdu.ParseArea(o.Area); !known {
		return Address{}, fmt.Errorf("area %q, expected coil, discrete, holding or input", o.Area)
	}
	if o.Offset == nil {
		return Address{}, errors.New("the address has no offset")
	}
	if err := a.setOffset(*o.Offset, base); err != nil {
		return Address{}, err
	}
	if o.Bit != nil {
		if err := a.setBit(*o.Bit); err != nil {
			return Address{}, err
		}
	}
	if o.Length != nil {
		if err := a.setLength(*o.Length); err != nil {
			return Address{}, err
		}
	}
	return a, nil
}

func (a *Address) setOffset(n, base int) error {
	if n < base || n >= base+pdu.AreaSize {
		return fmt.Errorf("offset %d, expected %d to %d", n, base, base+pdu.AreaSize-1)
	}
	a.Offset = uint16(n - base)
	return nil
}

func (a *Address) setBit(n int) error {
	if n < 0 || n > 15 {
		return fmt.Errorf("bit %d, expected 0 (the lowest) to 15", n)
	}
	a.Bit = n
	return nil
}

func (a *Address) setLength(n int) error {
	if limit := 2 * pdu.MaxRegisters; n < 1 || n > limit {
		return fmt.Errorf("length %d, expected 1 to %d bytes", n, limit)
	}
	a.Length = n
	return nil
}
