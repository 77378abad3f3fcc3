package serial

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
)

// PortInfo is a serial port that the machine has.
type PortInfo struct {
	// Path is what opens it: /dev/ttyUSB0, COM3.
	Path string `json:"path"`
	// Stable is a path that stays with the device whichever socket it is plugged into, where the system has one: Linux
	// has links in /dev/serial/by-id.
	Stable string `json:"stable,omitempty"`
	// Vendor and Product are the USB ids in hexadecimal, Serial the device's own number; empty for what is no USB.
	Vendor  string `json:"vendor,omitempty"`
	Product string `json:"product,omitempty"`
	Serial  string `json:"serial,omitempty"`
	// Name is what the device says of itself.
	Name string `json:"name,omitempty"`
}

// byID is where Linux (udev) keeps links that are named after what a device says of itself.
const byID = "/dev/serial/by-id"

// List returns the ports that there are, by path. No port is opened for that.
func List() ([]PortInfo, error) {
	ports, err := enumerate()
	if err != nil {
		return nil, fmt.Errorf("list the serial ports: %w", err)
	}
	links, err := stablePaths(byID)
	if err != nil {
		return nil, fmt.Errorf("list the serial ports: %w", err)
	}
	for i := range ports {
		ports[i].Stable = links[ports[i].Path]
	}
	slices.SortFunc(ports, func(a, b PortInfo) int { return cmp.Compare(a.Path, b.Path) })
	return ports, nil
}

// stablePaths returns the links in a folder by what they lead to; none where there is no such folder.
func stablePaths(dir string) (map[string]string, error) {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	links := make(map[string]string, len(entries))
	for _, e := range entries {
		link := filepath.Join(dir, e.Name())
		if target, err := filepath.EvalSymlinks(link); err == nil { // a device that has just gone has no target
			links[target] = link
		}
	}
	return links, nil
}
