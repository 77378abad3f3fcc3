//go:build !darwin

package serial

import "go.bug.st/serial/enumerator"

func enumerate() ([]PortInfo, error) {
	found, err := enumerator.GetDetailedPortsList()
	ports := make([]PortInfo, 0, len(found))
	for _, f := range found {
		p := PortInfo{Path: f.Name, Name: f.Product}
		if f.IsUSB {
			p.Vendor, p.Product, p.Serial = f.VID, f.PID, f.SerialNumber
		}
		ports = append(ports, p)
	}
	return ports, err
}
