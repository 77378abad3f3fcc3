package script

import (
	"strconv"

	"github.com/droverhq/drover/abi/driver"
	"github.com/droverhq/drover/guests/sdk"
)

// counterValue returns the counter as what the point is declared to hold, cut to its range. The elements of a list
// count on from it.
func counterValue(p *sdk.Point, n uint64) sdk.Value {
	if p.Count > 0 {
		return counterList(p, n)
	}
	switch p.Scalar {
	case driver.ScalarTypeBoolean:
		return sdk.Boolean(n%2 == 1)
	case driver.ScalarTypeInt8, driver.ScalarTypeInt16, driver.ScalarTypeInt32, driver.ScalarTypeInt64:
		return sdk.Signed(signed(p.Scalar, n))
	case driver.ScalarTypeFloat32:
		return sdk.Float32(float32(n))
	case driver.ScalarTypeFloat64:
		return sdk.Float64(float64(n))
	case driver.ScalarTypeText:
		return sdk.Text(strconv.FormatUint(n, 10))
	case driver.ScalarTypeBytes:
		return sdk.Bytes(strconv.AppendUint(nil, n, 10))
	}
	return sdk.Unsigned(unsigned(p.Scalar, n))
}

func counterList(p *sdk.Point, n uint64) sdk.Value {
	switch p.Scalar {
	case driver.ScalarTypeBoolean:
		return sdk.Booleans(list(p, n, func(n uint64) bool { return n%2 == 1 }))
	case driver.ScalarTypeInt8, driver.ScalarTypeInt16, driver.ScalarTypeInt32, driver.ScalarTypeInt64:
		return sdk.Signeds(list(p, n, func(n uint64) int64 { return signed(p.Scalar, n) }))
	case driver.ScalarTypeFloat32, driver.ScalarTypeFloat64:
		return sdk.Floats(list(p, n, func(n uint64) float64 { return float64(n) }))
	}
	return sdk.Unsigneds(list(p, n, func(n uint64) uint64 { return unsigned(p.Scalar, n) }))
}

func list[T any](p *sdk.Point, n uint64, element func(uint64) T) []T {
	out := make([]T, p.Count)
	for i := range out {
		out[i] = element(n + uint64(i))
	}
	return out
}

func signed(s driver.ScalarType, n uint64) int64 {
	switch s {
	case driver.ScalarTypeInt8:
		return int64(int8(n))
	case driver.ScalarTypeInt16:
		return int64(int16(n))
	case driver.ScalarTypeInt32:
		return int64(int32(n))
	}
	return int64(n)
}

func unsigned(s driver.ScalarType, n uint64) uint64 {
	switch s {
	case driver.ScalarTypeUint8:
		return uint64(uint8(n))
	case driver.ScalarTypeUint16:
		return uint64(uint16(n))
	case driver.ScalarTypeUint32:
		return uint64(uint32(n))
	}
	return n
}
