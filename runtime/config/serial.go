package config

import "time"

// Serial is a serial port and how characters are framed on it.
type Serial struct {
	// Path is the port's name as the operating system has it: /dev/ttyUSB0, COM3.
	Path string
	// Baud is in bits a second.
	Baud uint32
	// DataBits is 5 to 8.
	DataBits uint8
	Parity   Parity
	StopBits StopBits
	// Gap is the silence that ends a frame, in place of what the host would take for this kind of port; 0 leaves it to
	// the host.
	Gap time.Duration
	// RS485 is nil where the kernel does not steer the line's direction.
	RS485 *RS485

	// at and path are where the file has the port.
	at   Position
	path string
}

// Parity is the check bit of a character.
type Parity string

// The parities.
const (
	ParityNone  Parity = "none"
	ParityOdd   Parity = "odd"
	ParityEven  Parity = "even"
	ParityMark  Parity = "mark"
	ParitySpace Parity = "space"
)

// StopBits is the length of a character's end, in bits.
type StopBits string

// The stop bits.
const (
	StopBitsOne        StopBits = "1"
	StopBitsOneAndHalf StopBits = "1.5"
	StopBitsTwo        StopBits = "2"
)

// RS485 is direction control of a half-duplex line by the kernel.
type RS485 struct {
	// RTSOnSend is the level of RTS while sending; the other one holds while receiving.
	RTSOnSend bool
	// RxDuringTx says whether what is sent is received too.
	RxDuringTx bool
	// DelayBeforeSend and DelayAfterSend are whole milliseconds.
	DelayBeforeSend, DelayAfterSend time.Duration
}
