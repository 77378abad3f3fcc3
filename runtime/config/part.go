package config

import (
	"iter"
	"strings"
)

// Part is a value of a channel's configuration that the channel's driver gives its meaning.
type Part struct {
	*JSON
	// Device is whose settings it is, or whose point; nil for the settings of the channel.
	Device *Device
	// Point is whose address it is; nil for settings.
	Point   *Point
	channel *Channel
}

// Parts goes through the channel's settings, then for each device its settings and the addresses of its points.
func (c *Channel) Parts() iter.Seq[Part] {
	return func(yield func(Part) bool) {
		if !yield(Part{JSON: &c.Settings, channel: c}) {
			return
		}
		for _, d := range c.Devices {
			if !yield(Part{JSON: &d.Settings, Device: d, channel: c}) {
				return
			}
			for _, p := range d.Points {
				if !yield(Part{JSON: &p.Address, Device: d, Point: p, channel: c}) {
					return
				}
			}
		}
	}
}

// Problem returns the problem of the value that the JSON Pointer names.
func (p Part) Problem(pointer, message string) Problem {
	path := p.path()
	for token := range strings.SplitSeq(strings.TrimPrefix(pointer, "/"), "/") {
		path = join(path, unescape(token))
	}
	return p.Position(pointer).problem(path, message)
}

// path is the keys from the top of the file, joined by dots; to settings that are not there, those of their owner.
func (p Part) path() string {
	path, owner := "channels."+p.channel.Name, p.channel.Position
	if p.Device != nil {
		path, owner = path+".devices."+p.Device.Name, p.Device.Position
	}
	switch {
	case p.Point != nil:
		return path + ".points." + p.Point.Name + ".address"
	case p.at == owner:
		return path
	default:
		return path + ".settings"
	}
}
