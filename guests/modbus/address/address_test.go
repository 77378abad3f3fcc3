package address

import (
	"strings"
	"testing"

	"github.com/droverhq/drover/guests/modbus/codec"
	"github.com/droverhq/drover/guests/modbus/pdu"
)

func TestParse(t *testing.T) {
	at := func(area pdu.Area, offset uint16) Address {
		return Address{Area: area, Offset: offset, Bit: codec.NoBit}
	}
	tests := []struct {
		text string
		base int
		want Address
	}{
		{`"holding:100"`, 0, at(pdu.Holding, 100)},
		{`"holding:100"`, 1, at(pdu.Holding, 99)},
		{`"input:0"`, 0, at(pdu.Input, 0)},
		{`"coil:65535"`, 0, at(pdu.Coil, 65535)},
		{`"coil:65536"`, 1, at(pdu.Coil, 65535)},
		{`"discrete:0x1F"`, 0, at(pdu.Discrete, 31)},
		{`"holding:100.3"`, 0, Address{Area: pdu.Holding, Offset: 100, Bit: 3}},
		{`"holding:10/16"`, 0, Address{Area: pdu.Holding, Offset: 10, Bit: codec.NoBit, Length: 16}},
		{`"40001"`, 0, at(pdu.Holding, 0)},
		{`"40001"`, 1, at(pdu.Holding, 0)},
		{`"400001"`, 0, at(pdu.Holding, 0)},
		{`"465536"`, 0, at(pdu.Holding, 65535)},
		{`"30010"`, 0, at(pdu.Input, 9)},
		{`"10001"`, 0, at(pdu.Discrete, 0)},
		{`"00013"`, 0, at(pdu.Coil, 12)},
		{`"40101.15"`, 0, Address{Area: pdu.Holding, Offset: 100, Bit: 15}},
		{`{"area":"holding","offset":100}`, 0, at(pdu.Holding, 100)},
		{` {"area":"input","offset":1,"bit":0}`, 1, Address{Area: pdu.Input, Offset: 0}},
		{`{"area":"holding","offset":1,"length":5,"order":"CDAB"}`, 0,
			Address{Area: pdu.Holding, Offset: 1, Bit: codec.NoBit, Length: 5, Order: codec.CDAB}},
	}
	for _, tt := range tests {
		t.Run(tt.text, func(t *testing.T) {
			got, err := Parse(tt.text, tt.base)
			if err != nil || got != tt.want {
				t.Errorf("got %+v, %v, want %+v", got, err, tt.want)
			}
		})
	}
}

func TestParseRefuses(t *testing.T) {
	tests := []struct {
		text string
		base int
		want string
	}{
		{``, 0, "expected"},
		{`null`, 0, "expected"},
		{`""`, 0, "expected"},
		{`[1]`, 0, "expected"},
		{`40001`, 0, `"holding:40001"`},
		{`"100"`, 0, "AREA:OFFSET"},
		{`"4000a"`, 0, "AREA:OFFSET"},
		{`"20001"`, 0, "classical form begins with"},
		{`"40000"`, 0, "expected 1 to 65536"},
		{`"499999"`, 0, "expected 1 to 65536"},
		{`"register:1"`, 0, "coil, discrete, holding, input"},
		{`"holding:"`, 0, "is no number"},
		{`"holding:-1"`, 0, "is no number"},
		{`"holding:+1"`, 0, "is no number"},
		{`"holding:1_000"`, 0, "is no number"},
		{`"holding:99999999999"`, 0, "is no number"},
		{`"holding:65536"`, 0, "expected 0 to 65535"},
		{`"holding:0"`, 1, "expected 1 to 65536"},
		{`"holding:1.16"`, 0, "0 (the lowest) to 15"},
		{`"holding:1.x"`, 0, "is no number"},
		{`"holding:1/0"`, 0, "expected 1 to 250"},
		{`"holding:1/251"`, 0, "expected 1 to 250"},
		{`"holding:1.2/3"`, 0, "no length"},
		{`{"area":"holding"}`, 0, "no offset"},
		{`{"offset":1}`, 0, "expected coil"},
		{`{"area":"holding","offset":1,"bits":1}`, 0, "bits"},
		{`{"area":"holding","offset":1.5}`, 0, "offset"},
		{`{"area":"holding","offset":1,"order":"abcd"}`, 0, "ABCD, CDAB, BADC or DCBA"},
		{`{"area":"holding","offset":1,"bit":-1}`, 0, "to 15"},
		{`{"area":"holding","offset":1,"length":0}`, 0, "1 to 250"},
		{`{"area":"holding","offset":1} {}`, 0, "invalid character"},
		{`{"area":"holding","offset":1,"offset":2}`, 0, "twice"},
	}
	for _, tt := range tests {
		t.Run(tt.text, func(t *testing.T) {
			_, err := Parse(tt.text, tt.base)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
		})
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{`"holding:100.3"`, `"40001/8"`, `{"area":"coil","offset":3}`, `40001`} {
		f.Add(s, false)
	}
	f.Fuzz(func(t *testing.T, text string, one bool) {
		base := 0
		if one {
			base = 1
		}
		a, err := Parse(text, base)
		if err != nil {
			return
		}
		if !a.Area.Valid() || a.Bit < codec.NoBit || a.Bit > 15 || a.Length < 0 || a.Length > 250 {
			t.Fatalf("%q: %+v", text, a)
		}
	})
}
