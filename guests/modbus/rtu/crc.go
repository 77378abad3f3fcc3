package rtu

// CRC is the check of a frame (section 2.5.1.2 and appendix B): polynomial 0xA001 reflected, start 0xFFFF. The low byte
// is sent first.
func CRC(frame []byte) uint16 {
	crc := uint16(0xFFFF)
	for _, b := range frame {
		crc = crc>>8 ^ crcTable[byte(crc)^b]
	}
	return crc
}

// crcTable has the check of each single byte.
var crcTable = makeTable()

func makeTable() (table [256]uint16) {
	for i := range table {
		crc := uint16(i)
		for range 8 {
			carry := crc & 1
			crc >>= 1
			if carry != 0 {
				crc ^= 0xA001
			}
		}
		table[i] = crc
	}
	return table
}
