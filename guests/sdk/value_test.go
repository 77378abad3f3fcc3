package sdk_test

import (
	"math"
	"testing"

	"github.com/droverhq/drover/abi/driver"
	"github.com/droverhq/drover/guests/sdk"
)

func TestFits(t *testing.T) {
	s := func(n int64) sdk.Value { return sdk.Signed(n) }
	u := func(n uint64) sdk.Value { return sdk.Unsigned(n) }
	tests := []struct {
		scalar driver.ScalarType
		count  uint32
		fits   []sdk.Value
		not    []sdk.Value
	}{
		{driver.ScalarTypeBoolean, 0, []sdk.Value{sdk.Boolean(true)}, []sdk.Value{u(1), sdk.Booleans(nil)}},
		{driver.ScalarTypeBoolean, 2, []sdk.Value{sdk.Booleans(make([]bool, 2))}, []sdk.Value{sdk.Boolean(true), sdk.Booleans(make([]bool, 1))}},
		{driver.ScalarTypeInt8, 0, []sdk.Value{s(-128), s(127)}, []sdk.Value{s(-129), s(128), u(1), sdk.Float64(1)}},
		{driver.ScalarTypeInt16, 0, []sdk.Value{s(-32768), s(32767)}, []sdk.Value{s(-32769), s(32768)}},
		{driver.ScalarTypeInt32, 0, []sdk.Value{s(math.MinInt32), s(math.MaxInt32)}, []sdk.Value{s(math.MinInt32 - 1), s(math.MaxInt32 + 1)}},
		{driver.ScalarTypeInt64, 0, []sdk.Value{s(math.MinInt64), s(math.MaxInt64)}, []sdk.Value{u(1)}},
		{driver.ScalarTypeInt8, 2, []sdk.Value{sdk.Signeds([]int64{-128, 127})}, []sdk.Value{sdk.Signeds([]int64{0, 128}), sdk.Signeds(nil)}},
		{driver.ScalarTypeUint8, 0, []sdk.Value{u(255)}, []sdk.Value{u(256), s(1)}},
		{driver.ScalarTypeUint16, 0, []sdk.Value{u(65535)}, []sdk.Value{u(65536)}},
		{driver.ScalarTypeUint32, 0, []sdk.Value{u(math.MaxUint32)}, []sdk.Value{u(math.MaxUint32 + 1)}},
		{driver.ScalarTypeUint64, 0, []sdk.Value{u(math.MaxUint64)}, []sdk.Value{s(1)}},
		{driver.ScalarTypeUint8, 1, []sdk.Value{sdk.Unsigneds([]uint64{255})}, []sdk.Value{sdk.Unsigneds([]uint64{256}), u(1)}},
		{driver.ScalarTypeFloat32, 0, []sdk.Value{sdk.Float32(1)}, []sdk.Value{sdk.Float64(1)}},
		{driver.ScalarTypeFloat64, 0, []sdk.Value{sdk.Float64(1)}, []sdk.Value{sdk.Float32(1)}},
		{driver.ScalarTypeFloat32, 1, []sdk.Value{sdk.Floats([]float64{1})}, []sdk.Value{sdk.Float32(1)}},
		{driver.ScalarTypeFloat64, 1, []sdk.Value{sdk.Floats([]float64{1})}, []sdk.Value{sdk.Float64(1)}},
		{driver.ScalarTypeText, 0, []sdk.Value{sdk.Text("x")}, []sdk.Value{sdk.Bytes(nil)}},
		{driver.ScalarTypeBytes, 0, []sdk.Value{sdk.Bytes([]byte{0})}, []sdk.Value{sdk.Text("x")}},
		{driver.ScalarTypeText, 3, nil, []sdk.Value{sdk.Text("x")}},
	}
	for _, tt := range tests {
		p := sdk.Point{Name: "p", Scalar: tt.scalar, Count: tt.count}
		for _, v := range tt.fits {
			if err := p.Fits(v); err != nil {
				t.Errorf("%s, %d: %+v: %v", tt.scalar, tt.count, v, err)
			}
		}
		for _, v := range tt.not {
			if p.Fits(v) == nil {
				t.Errorf("%s, %d: %+v fits", tt.scalar, tt.count, v)
			}
		}
	}
}

func TestTextIsUTF8(t *testing.T) {
	if got := sdk.Text("a\xffb").Text(); got != "a�b" {
		t.Errorf("%q", got)
	}
}
