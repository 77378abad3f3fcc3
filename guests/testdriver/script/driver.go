// Package script is the driver of guests/testdriver: it behaves as its settings tell it.
//
// Each point of a group reads as a counter of poll cycles, in its declared type. A point that was written reads as what
// was written. Its actions are in commands.go. README.md in the folder above has all that can be set.
package script

import (
	"errors"
	"fmt"
	"slices"

	"github.com/droverhq/drover/guests/sdk"
)

// Driver is the scripted driver.
type Driver struct{}

// Describe implements sdk.Driver.
func (Driver) Describe() sdk.Metadata {
	return sdk.Metadata{
		Name:    "testdriver",
		Version: "0.1.0",
		Summary: "behaves as its settings tell it, for tests of the host",
		Codes: []sdk.Code{
			{Code: "broken", Meaning: "the script says so"},
			{Code: "hopeless", Kind: sdk.KindFatal, Meaning: "the script says so, and that trying again cannot help"},
			{Code: "done", Kind: sdk.KindStop, Meaning: "the script says so, and that it is the end"},
		},
		Settings: settingsSchema,
		Address:  addressSchema,
	}
}

// Configure implements sdk.Driver.
func (Driver) Configure(config *sdk.Config) (sdk.Connector, error) {
	settings, err := sdk.Decode(config.Settings, Settings{})
	if err != nil {
		return nil, fmt.Errorf("settings: %w", err)
	}
	c := &connector{settings: settings}
	var configure behave
	var errs [5]error
	configure, errs[0] = settings.Configure.parse()
	c.connect, errs[1] = settings.Connect.parse()
	c.init, errs[2] = settings.Init.parse()
	c.run, errs[3] = settings.Run.parse()
	c.answers, errs[4] = parseAnswers(settings.Answers)
	if err := errors.Join(errs[:]...); err != nil {
		return nil, sdk.Fatal("", "settings: %w", err)
	}
	if err := configure(nil, nil); err != nil {
		return nil, err
	}
	return c, nil
}

type behave = func(*sdk.Context, *sdk.Stream) error

type connector struct {
	settings           Settings
	connect, init, run behave
	answers            map[string][]step
}

// scripted says whether the script's behaviours are for this attempt.
func (c *connector) scripted(ctx *sdk.Context) bool {
	return len(c.settings.Attempts) == 0 || slices.Contains(c.settings.Attempts, ctx.Attempt())
}

// Connect implements sdk.Connector.
func (c *connector) Connect(ctx *sdk.Context) (sdk.Session, error) {
	s := &session{connector: c, written: map[sdk.PointID]sdk.Value{}}
	if c.settings.Connection != "" {
		if err := s.open(ctx, c.settings.Connection); err != nil {
			return nil, err
		}
	}
	if c.scripted(ctx) {
		if err := c.connect(ctx, s.stream); err != nil {
			return nil, err
		}
	}
	return s, nil
}
