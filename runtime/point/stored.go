package point

// stored is a value as a point keeps it: small where it is a scalar, as most are.
type stored struct {
	kind         kind
	list, quoted bool
	bits         uint64
	more         *more // nil for what is bits alone
}

// more is what a scalar does not have. It is kept for the next value.
type more struct {
	text string
	many []uint64
}

// keep stores v.
func (s *stored) keep(v *Value) {
	s.kind, s.list, s.quoted, s.bits = v.kind, v.list, v.quoted, v.bits
	switch {
	case s.more != nil:
		s.more.text, s.more.many = v.text, v.many
	case v.text != "" || v.many != nil:
		s.more = &more{v.text, v.many}
	}
}

// load returns what was stored, none where nothing was.
func (s *stored) load() Value {
	v := Value{kind: s.kind, list: s.list, quoted: s.quoted, bits: s.bits}
	if s.more != nil {
		v.text, v.many = s.more.text, s.more.many
	}
	return v
}
