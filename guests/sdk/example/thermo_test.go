package main

import (
	"strings"
	"testing"
	"time"

	"github.com/droverhq/drover/abi/driver"
	"github.com/droverhq/drover/guests/sdk"
	"github.com/droverhq/drover/guests/sdk/sdktest"
)

func config(addresses ...string) sdk.Config {
	c := sdk.Config{
		Connections: []sdk.Connection{{Name: "main", Kind: driver.ConnectionKindTCP}},
		Devices:     []sdk.Device{{ID: 1, Name: "oven"}},
	}
	for i, a := range addresses {
		c.Points = append(c.Points, sdk.Point{
			ID: sdk.PointID(i + 1), Device: 1, Name: "t", Scalar: driver.ScalarTypeFloat64, Address: a, Period: time.Second,
		})
	}
	return c
}

// device answers for sensors 1 and 2; sensor 3 is garbled, 4 silent.
func device(request []byte) []sdktest.Reply {
	answers := map[string]string{"T1\n": "21.5\n", "T2\n": "-4\n", "T3\n": "#!\n", "T4\n": ""}
	answer, ok := answers[string(request)]
	if !ok {
		answer = "?\n"
	}
	return []sdktest.Reply{{After: 30 * time.Millisecond, Data: []byte(answer)}}
}

func TestThermo(t *testing.T) {
	host := sdktest.New(t)
	host.Connect("main", driver.ConnectionKindTCP, device)
	host.At(10*time.Second, host.Stop)
	c := config(`{"sensor": 1}`, `{"sensor": 2}`, `{"sensor": 3}`, `{"sensor": 4}`, `{"sensor": 5}`)
	if _, err := host.Run(thermo{}, c); err != nil {
		t.Fatal(err)
	}
	if n := len(host.Cycles()); n != 10 {
		t.Errorf("%d cycles in 10 s", n)
	}
	for point, want := range map[sdk.PointID]float64{1: 21.5, 2: -4} {
		if got := host.Samples(point)[0].Value.Value.Float64(); got != want {
			t.Errorf("sensor %d is %v, not %v", point, got, want)
		}
	}
	for point, want := range map[sdk.PointID]string{3: "garbled", 4: "io.timeout", 5: "no-sensor"} {
		if got := host.Samples(point)[0].Reason.Value; got != want {
			t.Errorf("sensor %d is bad for %q, not %q", point, got, want)
		}
	}
}

func TestThermoReadsByCommand(t *testing.T) {
	host := sdktest.New(t)
	host.Connect("main", driver.ConnectionKindTCP, device)
	read := host.Command(driver.RequestRead([]sdk.PointID{2, 1}), time.Second)
	write := host.Command(driver.RequestWrite(nil), time.Second)
	host.At(500*time.Millisecond, host.Stop)
	if _, err := host.Run(thermo{}, config(`{"sensor": 1}`, `{"sensor": 2}`)); err != nil {
		t.Fatal(err)
	}
	if a, _ := host.Answer(read); a.Value.Read()[0].Value.Value.Float64() != -4 {
		t.Errorf("%+v", a)
	}
	if a, _ := host.Answer(write); a.Err.Tag() != driver.CommandErrorTagUnsupported {
		t.Errorf("%+v", a)
	}
}

func TestThermoLosesItsLine(t *testing.T) {
	host := sdktest.New(t)
	line := host.Connect("main", driver.ConnectionKindTCP, device)
	host.At(1500*time.Millisecond, func() { line.Push(sdktest.Reply{Err: sdk.ErrReset}) })
	_, err := host.Run(thermo{}, config(`{"sensor": 1}`))
	if err == nil || !strings.HasPrefix(err.Error(), "run: ask sensor 1: connection reset") {
		t.Error(err)
	}
}

func TestThermoRefusesItsConfiguration(t *testing.T) {
	bad := config(`{"sensr": 1}`)
	err := sdktest.New(t).Configure(thermo{}, bad)
	if err == nil || err.Error() != "configure: point t: address: sensr: unknown; there are sensor" {
		t.Error(err)
	}
	bad = config(`{"sensor": 1}`)
	bad.Settings = `{"timeout": 5}`
	err = sdktest.New(t).Configure(thermo{}, bad)
	if err == nil || !strings.HasPrefix(err.Error(), "configure: settings: timeout: expected a duration") {
		t.Error(err)
	}
	bad = config(`{"sensor": 1}`)
	bad.Points[0].Scalar = driver.ScalarTypeText
	if sdktest.New(t).Configure(thermo{}, bad) == nil {
		t.Error("a text is taken for a temperature")
	}
}
