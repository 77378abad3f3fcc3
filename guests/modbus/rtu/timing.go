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

// CharacterTime is how long one character takes at a rate in bits a second; 0 where the rate is 0.
func CharacterTime(baud uint32) time.Duration {
	if baud == 0 {
		return 0
	}
	return bitsPerCharacter * time.Second / time.Duration(baud)
}

// Silence is the time between two frames: 3.5 characters, and 1.75 ms above 19200 bits a second (section 2.5.1.1). It is
// 1.75 ms too where the rate is 0, which stands for not known.
func Silence(baud uint32) time.Duration {
	if baud == 0 || baud > fixedAbove {
		return fixedSilence
	}
	return CharacterTime(baud) * 7 / 2
}

// LineTime is how long the line is taken by n characters and the silences around a request and its response.
func LineTime(baud uint32, n int) time.Duration {
	return time.Duration(n)*CharacterTime(baud) + 2*Silence(baud)
}
