package canon

import "cmp"

// Limits bound what one guest can make the host hold. The zero value has the defaults.
type Limits struct {
	// Bytes is how much Go memory one lift may take: what strings and lists become. A lift is the parameters of one
	// import, or the result of one export. Lists may overlap in guest memory, so that its size is no bound. Default 4 MiB.
	Bytes int
	// Elements is how many list elements one lift may have, those of list<u8> apart. Default 262144.
	Elements int
	// Handles is how many resources of each type may be open at a time, up to 4096. Default 64.
	Handles int
}

// withDefaults returns l with the defaults filled in.
func (l Limits) withDefaults() Limits {
	return Limits{
		Bytes:    cmp.Or(l.Bytes, 4<<20),
		Elements: cmp.Or(l.Elements, 1<<18),
		Handles:  min(cmp.Or(l.Handles, 64), maxIndex+1),
	}
}
