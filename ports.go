package drover

import "github.com/droverhq/drover/hostfuncs/serial"

// SerialPort is a serial port that the machine has.
type SerialPort = serial.PortInfo

// SerialPorts returns the serial ports of this machine, by path. None of them is opened.
func SerialPorts() ([]SerialPort, error) { return serial.List() }
