package point

// traits are what is defined of a point, and what follows from that, but for its name. They are shared and never changed.
type traits struct {
	def    Definition // without a name
	kind   kind
	shape  shape
	scaler scaler
	quoted bool // numbers are strings in JSON
}

// traitsOf returns those of a definition that is valid.
func traitsOf(d Definition) *traits {
	d.Name = ""
	s := newScaler(d.Scale, d.Offset)
	return &traits{
		def: d, kind: kindOf(d.Scalar), shape: shapeOf(d.Scalar, d.Count), scaler: s,
		quoted: d.IntegerText && s.whole() && wide(d.Scalar),
	}
}

// Maker makes points that share what is the same of them. The zero value is ready; one goroutine at a time uses it.
type Maker struct{ made map[traitsKey]*traits }

// traitsKey is what traits follow from: a definition without name and range, and that range.
type traitsKey struct {
	def     Definition
	bounded bool
	bounds  Range
}

// New returns a point that has no value yet. The error names all that is wrong with the definition.
func (m *Maker) New(d Definition) (*Point, error) {
	if d.Scale == 0 {
		d.Scale = 1
	}
	if err := d.validate(); err != nil {
		return nil, err
	}
	key := traitsKey{def: d, bounded: d.Range != nil}
	if key.def.Name, key.def.Range = "", nil; key.bounded {
		key.bounds = *d.Range
	}
	of := m.made[key]
	if of == nil {
		of = traitsOf(d)
		if m.made == nil {
			m.made = make(map[traitsKey]*traits)
		}
		m.made[key] = of
	}
	p := &Point{traits: of, name: d.Name}
	if d.Report == ReportChange {
		p.reported.value = new(Value)
	}
	return p, nil
}
