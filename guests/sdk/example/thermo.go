// Command thermo is a driver for a thermometer with eight sensors that answers "T3\n" with "21.5\n", or with "?\n" for
// a sensor that it does not have.
package main

import (
	_ "embed"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/droverhq/drover/abi/driver"
	"github.com/droverhq/drover/guests/sdk"
)

// A driver is called by the host: main does not run.
func main() {}

//go:embed settings.json
var settingsSchema string

//go:embed address.json
var addressSchema string

type settings struct {
	Connection string       `json:"connection"`
	Timeout    sdk.Duration `json:"timeout"`
}

type address struct {
	Sensor int `json:"sensor"`
}

type thermo struct{}

func (thermo) Describe() sdk.Metadata {
	return sdk.Metadata{
		Name:    "thermo",
		Version: "1.0.0",
		Summary: "thermometers with a line protocol",
		Codes: []sdk.Code{
			{Code: "no-sensor", Meaning: "the thermometer has no such sensor: correct the address"},
			{Code: "garbled", Meaning: "the answer is no temperature: check speed and parity"},
		},
		Settings: settingsSchema,
		Address:  addressSchema,
	}
}

// Configure reads everything there is to read, so that mistakes show before anything is opened.
func (thermo) Configure(config *sdk.Config) (sdk.Connector, error) {
	s, err := sdk.Decode(config.Settings, settings{Timeout: sdk.Duration(500 * time.Millisecond)})
	if err != nil {
		return nil, fmt.Errorf("settings: %w", err)
	}
	c := &connector{settings: s, sensors: map[sdk.PointID]int{}}
	for _, p := range config.Points {
		a, err := sdk.Decode(p.Address, address{})
		if err != nil {
			return nil, fmt.Errorf("point %s: address: %w", p.Name, err)
		}
		if p.Scalar != driver.ScalarTypeFloat64 || p.Count > 0 {
			return nil, sdk.Fatal("", "point %s: temperatures are float64", p.Name)
		}
		c.sensors[p.ID] = a.Sensor
	}
	return c, nil
}

type connector struct {
	settings settings
	sensors  map[sdk.PointID]int
}

func (c *connector) Connect(ctx *sdk.Context) (sdk.Session, error) {
	line, err := ctx.Open(c.settings.Connection)
	if err != nil {
		return nil, err
	}
	if err := line.Ready(sdk.Forever); err != nil { // the host ends it before the phase does
		return nil, fmt.Errorf("connect to the thermometer: %w", err)
	}
	return &session{connector: c, line: line}, nil
}

type session struct {
	*connector
	line *sdk.Stream
	buf  [64]byte
}

func (s *session) Init(ctx *sdk.Context) (sdk.Handle, error) {
	return ctx.Config().Serve(), nil
}

func (s *session) Run(ctx *sdk.Context) (sdk.Outcome, error) {
	loop := &sdk.Loop{
		Scheduler: sdk.NewScheduler(ctx.Config().Points, ctx.Now()),
		Poll:      s.poll,
		Command:   s.command,
	}
	return loop.Run(ctx)
}

// poll reads the points of one period. A sensor that fails is a bad sample; a line that fails ends the session.
func (s *session) poll(ctx *sdk.Context, g *sdk.Group, out *sdk.Batch) error {
	for _, id := range g.Points {
		sample, err := s.read(ctx, id)
		if err != nil {
			return err
		}
		out.Add(sample)
	}
	return nil
}

func (s *session) command(ctx *sdk.Context, cmd *sdk.Command) error {
	if cmd.Request().Tag() != driver.RequestTagRead {
		cmd.Fail(sdk.Unsupported())
		return nil
	}
	var samples []sdk.Sample
	for _, id := range cmd.Request().Read() {
		sample, err := s.read(ctx, id)
		if err != nil {
			return err
		}
		samples = append(samples, sample)
	}
	cmd.AnswerRead(samples)
	return nil
}

// read returns a point's sample, bad or good, or an error when the line is broken.
func (s *session) read(ctx *sdk.Context, id sdk.PointID) (sdk.Sample, error) {
	t, err := s.ask(s.sensors[id])
	var ioError sdk.IOError
	switch {
	case err == nil:
		return sdk.Good(id, sdk.Float64(t), ctx.Now()), nil
	case errors.As(err, &ioError) && ioError != sdk.ErrTimeout:
		return sdk.Sample{}, err
	}
	return sdk.Failed(id, err, ctx.Now()), nil
}

func (s *session) ask(sensor int) (float64, error) {
	if err := s.line.Flush(); err != nil {
		return 0, fmt.Errorf("flush before sensor %d: %w", sensor, err)
	}
	if _, err := fmt.Fprintf(s.line, "T%d\n", sensor); err != nil {
		return 0, fmt.Errorf("ask sensor %d: %w", sensor, err)
	}
	n, err := s.line.ReadFrame(s.buf[:], time.Duration(s.settings.Timeout), 20*time.Millisecond, 0)
	if err != nil {
		return 0, fmt.Errorf("answer of sensor %d: %w", sensor, err)
	}
	answer := strings.TrimSpace(string(s.buf[:n]))
	if answer == "?" {
		return 0, sdk.Retryable("no-sensor", "no sensor %d", sensor)
	}
	t, err := strconv.ParseFloat(answer, 64)
	if err != nil {
		return 0, sdk.Retryable("garbled", "sensor %d answers %q", sensor, answer)
	}
	return t, nil
}
