package serial

import "go.bug.st/serial"

// enumerate returns the names alone: what macOS knows of USB needs cgo.
func enumerate() ([]PortInfo, error) {
	names, err := serial.GetPortsList()
	ports := make([]PortInfo, 0, len(names))
	for _, name := range names {
		ports = append(ports, PortInfo{Path: name})
	}
	return ports, err
}
