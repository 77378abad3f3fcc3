package config

import (
	"cmp"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v4"
)

// devices reads what is behind a channel. every is the period of points that have none, in a device that has none.
func (v value) devices(every time.Duration) []*Device {
	var devices []*Device
	v.named("device", []string{"_"}, func(name string, child value) {
		d := &Device{Name: name, Position: child.key, Settings: noSettings(child)}
		child, given := child.used(name)
		o, _ := child.object(deviceKeys(d), nil)
		if o.has("points") {
			d.Points = o["points"].points(cmp.Or(d.every, every))
		}
		given.unused()
		devices = append(devices, d)
	})
	return devices
}

func deviceKeys(d *Device) keys {
	return keys{
		"use":      nil,
		"vars":     nil,
		"settings": func(v value) { d.Settings = v.settings() },
		"every":    func(v value) { v.duration(&d.every, shortestPeriod, longest) },
		// Points come after the period that they inherit, wherever it stands.
		"points": nil,
	}
}

// points reads the points of a device; every is the period of those that have none.
func (v value) points(every time.Duration) []*Point {
	v = v.listed()
	return v.r.pointsOf.once(v, Position{}, every, func() []*Point {
		var points []*Point
		v.named("point", nil, func(name string, child value) {
			points = append(points, v.r.points.once(child, child.key, every, func() *Point { return child.point(name, every) }))
		})
		return slices.Clone(points) // without what append has spare
	})
}

func (v value) point(name string, every time.Duration) *Point {
	p := &Point{Name: v.r.interned.text(name), Position: v.key, Definition: &Definition{Access: AccessRead, Scale: 1}}
	o, ok := v.object(pointKeys(p), nil)
	if !ok {
		return p
	}
	if !o.has("address") {
		v.missing("address", "where the point is, in the driver's own form")
	}
	if !o.has("type") {
		v.missing("type", list(typeNames()))
	}
	p.checkType(o)
	p.checkAccess(o)
	p.checkReport(o)
	if p.Every == 0 && p.Access.Reads() {
		p.Every = every
	}
	p.Definition = v.r.interned.definition(p.Definition)
	return p
}

func pointKeys(p *Point) keys {
	const countMost = 65535
	return keys{
		"address": func(v value) { v.address(&p.Address) },
		"type":    func(v value) { oneOf(v, &p.Type, types()...) },
		"count": func(v value) {
			n, _ := v.integer(1, countMost)
			p.Count = uint32(n)
		},
		"access":    func(v value) { oneOf(v, &p.Access, AccessRead, AccessWrite, AccessReadWrite) },
		"every":     func(v value) { v.duration(&p.Every, shortestPeriod, longest) },
		"scale":     func(v value) { v.scale(&p.Scale) },
		"offset":    func(v value) { v.number(&p.Offset) },
		"unit":      func(v value) { v.unit(&p.Unit) },
		"report":    func(v value) { v.report(&p.Report) },
		"deadband":  func(v value) { v.deadband(&p.Report) },
		"interval":  func(v value) { v.duration(&p.Report.Interval, shortest, longest) },
		"heartbeat": func(v value) { v.duration(&p.Report.Heartbeat, shortest, longest) },
		"range":     func(v value) { v.limits(p) },
	}
}

func types() []Type {
	return []Type{
		TypeBool, TypeInt8, TypeInt16, TypeInt32, TypeInt64, TypeUint8, TypeUint16, TypeUint32, TypeUint64,
		TypeFloat32, TypeFloat64, TypeString, TypeBytes,
	}
}

func typeNames() []string {
	var names []string
	for _, t := range types() {
		names = append(names, string(t))
	}
	return names
}

func (v value) address(into *JSON) {
	if v.null() {
		v.expected("where the point is, in the driver's own form")
		return
	}
	*into = v.json()
}

func (v value) scale(into *float64) {
	if !v.number(into) {
		return
	}
	if *into == 0 {
		v.expected("a number other than 0")
	}
}

func (v value) unit(into *string) {
	const most = 32
	if v.text(into, "a unit, such as bar") && len(*into) > most {
		v.expected("a unit of at most " + strconv.Itoa(most) + " bytes")
	}
}

func (v value) report(into *Report) {
	type mode string
	var m mode
	oneOf(v, &m, "always", "change")
	into.Change = m == "change"
}

// deadband reads a number, or a percentage such as "5%".
func (v value) deadband(into *Report) {
	const what = "a number from 0, or a percentage such as 5%"
	text, percent := strings.CutSuffix(v.node.Value, "%")
	ok := floatForm.MatchString(text)
	switch k := v.kind(); {
	case k == kindText && percent && ok, k == kindInteger || k == kindFloat:
	default:
		v.expected(what)
		return
	}
	f, err := strconv.ParseFloat(text, 64)
	if err != nil || f < 0 || math.IsInf(f, 0) {
		v.expected(what)
		return
	}
	if percent && f > 100 {
		v.expected("a percentage from 0% to 100%")
		return
	}
	into.Deadband, into.Percent = f, percent
}

// limits reads a range: [least, most].
func (v value) limits(p *Point) {
	const what = "two numbers, such as [0, 100]"
	if v.node.Kind != yaml.SequenceNode || len(v.node.Content) != 2 {
		v.expected(what)
		return
	}
	r := &Range{}
	ok := true
	for i, into := range []*float64{&r.Min, &r.Max} {
		ok = v.element(i).number(into) && ok
	}
	if !ok {
		return
	}
	if r.Min > r.Max {
		v.problem("the range is empty, expected the smaller number first")
		return
	}
	p.Range = r
}

// checkType reports what the point's type cannot have.
func (p *Point) checkType(o object) {
	if p.Type == "" || p.Type.Numeric() {
		return
	}
	for _, key := range []string{"scale", "offset", "deadband", "range"} {
		if o.has(key) {
			o[key].problem("%s needs a number, expected it with an int, uint or float type, found type %s", key, p.Type)
		}
	}
	if o.has("count") && p.Type != TypeBool {
		o["count"].problem("a %s is one value, expected count with bool or a number type; its length is the driver's to"+
			" tell", p.Type)
	}
}

// checkAccess reports what a point that is only read, or only written, cannot have.
func (p *Point) checkAccess(o object) {
	if o.has("range") && !p.Access.Writes() {
		o["range"].problem("range bounds what is written, expected it with access: rw or access: w")
	}
	if p.Access.Reads() {
		return
	}
	for _, key := range []string{"every", "report", "deadband", "interval", "heartbeat"} {
		if o.has(key) {
			o[key].problem("%s is about reads, expected it with access: r or access: rw", key)
		}
	}
}

// checkReport reports what belongs to report: change alone.
func (p *Point) checkReport(o object) {
	if !p.Access.Reads() {
		return
	}
	for _, key := range []string{"deadband", "interval"} {
		if o.has(key) && !p.Report.Change {
			o[key].problem("%s belongs to report: change, expected that beside it", key)
		}
	}
	r := p.Report
	if r.Interval > 0 && r.Heartbeat > 0 && r.Interval > r.Heartbeat {
		o["interval"].problem("interval is longer than heartbeat, expected at most %s", formatDuration(r.Heartbeat))
	}
}
