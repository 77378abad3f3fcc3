package rtu

import "time"

const (
	// bitsPerCharacter holds in every serial mode of Modbus: start, 8 data, parity and stop, or two stops (section 2.5.1).
	bitsPerCharacter = 11
	// fixedAbove is the rate above which the silences do not get shorter.
	fixedAbove = 19200
	// fixedSilence is the silence between frames above that rate.
	fixedSilence = 1750 * time.Microsecond
)

// characterTime is how long one character takes at a rate in bits a second; 0 where the rate is 0.
func characterTime(baud uint32) time.Duration {
	if baud == 0 {
		return 0
	}
	return bitsPerCharacter * time.Second / time.Duration(baud)
}

// Silence is the time between two frames: 3.5 characters, and 1.75 ms above 19200 bits a second (section 2.5.1.1). A
// rate of 0 stands for not known, and gives 1.75 ms.
func Silence(baud uint32) time.Duration {
	if baud == 0 || baud > fixedAbove {
		return fixedSilence
	}
	return characterTime(baud) * 7 / 2
}

// LineTime is how long the line is taken by n characters and the silences around a request and its response.
func LineTime(baud uint32, n int) time.Duration {
	return time.Duration(n)*characterTime(baud) + 2*Silence(baud)
}
