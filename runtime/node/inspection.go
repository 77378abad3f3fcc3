package node

import (
	"cmp"
	"encoding/json"
	"slices"
	"strings"

	"github.com/droverhq/drover/abi/driver"
	"github.com/droverhq/drover/runtime/config"
	"github.com/droverhq/drover/runtime/module"
	"github.com/droverhq/drover/runtime/natsbridge/message"
)

// Inspection is what is known of a module that is loaded. Nothing of it is run.
func Inspection(m *module.Module) message.Inspection {
	about, made := m.Metadata(), m.Inspect()
	out := message.Inspection{
		Digest: m.Digest(), Size: m.Size(), Name: about.Name, Version: about.Version, Summary: about.Summary,
		ABI: module.ABIVersion, Imports: importsOf(made.Imports), Exports: []string{}, Connections: connectionsOf(made.Imports),
		Memory: message.MemoryRange{Min: made.MinMemory, Max: made.MaxMemory}, Stack: made.Stack,
		Metering: meteringOf(made), Start: startOf(m.Start()), Codes: []message.OwnCode{},
		Settings: schemaOf(about.Settings), DeviceSettings: schemaOf(about.DeviceSettings), Address: schemaOf(about.Address),
	}
	for _, f := range made.Exports {
		out.Exports = append(out.Exports, f.Name)
	}
	for _, c := range about.Codes {
		out.Codes = append(out.Codes, message.OwnCode{Code: c.Code, Kind: c.Kind.String(), Meaning: c.Meaning})
	}
	slices.SortFunc(out.Codes, func(a, b message.OwnCode) int { return cmp.Compare(a.Code, b.Code) })
	return out
}

func meteringOf(made module.Inspection) message.Metering {
	s := made.Metering
	return message.Metering{
		Functions: s.Functions, Loops: s.Loops, Metered: s.Metered, StackCounted: s.StackCounted,
		Before: s.Before, After: s.After, Dropped: s.Dropped,
	}
}

func startOf(s module.Start) message.ModuleStart {
	return message.ModuleStart{
		Snapshot: s.Snapshot, Reason: s.Reason, Memory: s.Memory, Image: s.Image, Initialisation: s.Initialisation.Seconds(),
	}
}

// importsOf groups functions, which are sorted by what they are of.
func importsOf(functions []module.Function) []message.Import {
	out := []message.Import{}
	for _, f := range functions {
		if len(out) == 0 || out[len(out)-1].Interface != f.Module {
			out = append(out, message.Import{Interface: f.Module})
		}
		last := &out[len(out)-1]
		last.Functions = append(last.Functions, f.Name)
	}
	return out
}

// connectionsOf are the kinds of connections that functions open.
func connectionsOf(functions []module.Function) []string {
	out := []string{}
	for _, f := range functions {
		of, _, _ := strings.Cut(strings.TrimPrefix(f.Module, "drover:driver/"), "@")
		switch of + "." + f.Name {
		case "serial.open":
			out = append(out, driver.ConnectionKindSerial.String())
		case "socket.connect":
			out = append(out, driver.ConnectionKindTCP.String())
		case "socket.bind":
			out = append(out, driver.ConnectionKindUDP.String())
		case "socket.listen":
			out = append(out, driver.ConnectionKindListener.String())
		}
	}
	slices.Sort(out)
	return out
}

// schemaOf is a schema as JSON. One that is not is a string, for people to see.
func schemaOf(text driver.JSON) json.RawMessage {
	switch {
	case text == "":
		return nil
	case json.Valid([]byte(text)):
		return json.RawMessage(text)
	}
	quoted, _ := json.Marshal(text) // a string always has a form in JSON
	return quoted
}

// Grants are what a channel lets its driver reach: nothing else.
func Grants(c *config.Channel) []message.Grant { return grants(c) }
