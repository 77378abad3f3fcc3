package sdk

import "github.com/droverhq/drover/abi/driver"

// Types of the contract that authors meet. Their constants and constructors are in package driver.
type (
	// DeviceID is the number that the configuration gives a device.
	DeviceID = driver.DeviceID
	// PointID is the number that the configuration gives a point, unique over all devices.
	PointID = driver.PointID
	// Value is one value of a point, before the host scales it.
	Value = driver.Value
	// Sample is what one reading of a point gave.
	Sample = driver.Sample
	// Handle is what a session serves once it is ready: its points and actions.
	Handle = driver.Handle
	// Action is a named operation of a device, or of the channel.
	Action = driver.Action
)

// Driver is what a driver's package main registers.
type Driver interface {
	// Describe says what the driver is. It runs in an instance of its own, with nothing granted.
	Describe() Metadata
	// Configure checks the configuration, all of it, and returns what connects by it. It does no I/O: every stream
	// refuses in this phase.
	Configure(*Config) (Connector, error)
}

// Connector makes one session.
type Connector interface {
	// Connect does transport and handshake. The context stays valid for the whole session.
	Connect(*Context) (Session, error)
}

// Session is one connection to a device, from the handshake to its end.
type Session interface {
	// Init does whatever must be done before values flow. Its success is what ready means.
	Init(*Context) (Handle, error)
	// Run drives the device until it is gone, or until the host says yield or stop.
	Run(*Context) (Outcome, error)
}

// Metadata is what a driver says of itself.
type Metadata struct {
	// Name is `[a-z0-9][a-z0-9-]*`, at most 64 characters.
	Name string
	// Version is a semantic version 2.0.
	Version string
	// Summary is one line for people.
	Summary string
	// Codes are the failure codes of the driver's own. A code that is not declared becomes `driver.other`.
	Codes []Code
	// Settings, DeviceSettings and Address are JSON Schemas (draft 2020-12) of the channel's settings, of a device's
	// settings and of a point's address, usually embedded files. Where one is empty, no member is allowed.
	Settings, DeviceSettings, Address string
}

// Code is a failure code of the driver's own.
type Code struct {
	// Code is `[a-z0-9-]+`.
	Code string
	// Kind is what is done about it where an error does not say. KindDefault is KindRetryable here.
	Kind Kind
	// Meaning is one line for people: what it means, and what to do.
	Meaning string
}

// noMembers is the schema of settings that a driver does not have.
const noMembers = `{"$schema":"https://json-schema.org/draft/2020-12/schema","type":"object","additionalProperties":false}`

func (m *Metadata) lower() driver.Metadata {
	out := driver.Metadata{
		Name:           clean(m.Name),
		Version:        clean(m.Version),
		Summary:        line(m.Summary),
		Codes:          make([]driver.OwnCode, 0, len(m.Codes)),
		Settings:       schema(m.Settings),
		DeviceSettings: schema(m.DeviceSettings),
		Address:        schema(m.Address),
	}
	for _, c := range m.Codes {
		kind, _ := c.Kind.lower()
		out.Codes = append(out.Codes, driver.OwnCode{Code: clean(c.Code), Kind: kind, Meaning: line(c.Meaning)})
	}
	return out
}

func schema(s string) string {
	if s == "" {
		return noMembers
	}
	return clean(s)
}
