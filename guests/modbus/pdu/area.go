package pdu

import "strconv"

// Area is one of the four address spaces of a unit. The zero value is none of them.
type Area uint8

// The address spaces (specification, section 4.3). Their numbers are those of the functions that read them.
const (
	Coil     Area = 1
	Discrete Area = 2
	Holding  Area = 3
	Input    Area = 4
)

// The most that one request may ask for (specification, sections 6.1 to 6.4), and the size of each address space.
const (
	MaxBits      = 2000
	MaxRegisters = 125
	AreaSize     = 65536
)

var areaNames = [...]string{Coil: "coil", Discrete: "discrete", Holding: "holding", Input: "input"}

// ParseArea returns the area that String gives that name.
func ParseArea(name string) (Area, bool) {
	for a := Coil; a <= Input; a++ {
		if areaNames[a] == name {
			return a, true
		}
	}
	return 0, false
}

// String returns "coil", "discrete", "holding" or "input".
func (a Area) String() string {
	if a.Valid() {
		return areaNames[a]
	}
	return "area " + strconv.Itoa(int(a))
}

// Valid says whether a is one of the four.
func (a Area) Valid() bool { return a >= Coil && a <= Input }

// Bits says whether the area holds single bits; the others hold registers of 16.
func (a Area) Bits() bool { return a == Coil || a == Discrete }

// Max is the most bits or registers of this area that one request may ask for.
func (a Area) Max() int {
	if a.Bits() {
		return MaxBits
	}
	return MaxRegisters
}
