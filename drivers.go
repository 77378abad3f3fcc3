package drover

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"time"

	"github.com/droverhq/drover/hostfuncs"
	"github.com/droverhq/drover/runtime/config"
	"github.com/droverhq/drover/runtime/conformance"
	"github.com/droverhq/drover/runtime/failure"
	"github.com/droverhq/drover/runtime/module"
	"github.com/droverhq/drover/runtime/node"
)

// DriverInfo is what is known of a driver's module without running it for any device.
type DriverInfo struct {
	// File is what it was read from, where that stays.
	File    string `json:"file,omitempty"`
	Name    string `json:"name"`
	Version string `json:"version"`
	Summary string `json:"summary"`
	// Digest is "sha256:" and hexadecimal.
	Digest string `json:"digest"`
	// Size is in bytes.
	Size int `json:"size"`
	// ABI is the version of drover:driver that it was loaded with.
	ABI string `json:"abi"`
}

// DescribeDriver loads a module as a node would, with nothing granted, and returns what it says of itself. Refused tells
// a module that no node takes from one that could not be read.
func DescribeDriver(ctx context.Context, path string) (DriverInfo, error) {
	loader, err := module.NewLoader("")
	if err != nil {
		return DriverInfo{}, fmt.Errorf("load the driver: %w", err)
	}
	m, err := loader.LoadFile(ctx, path)
	if err != nil {
		return DriverInfo{}, errors.Join(err, loader.Close(ctx))
	}
	info := driverInfo(m)
	info.File = path
	return info, errors.Join(m.Release(ctx), loader.Close(ctx))
}

func driverInfo(m *module.Module) DriverInfo {
	about := m.Metadata()
	return DriverInfo{
		Name: about.Name, Version: about.Version, Summary: about.Summary, Digest: m.Digest(), Size: m.Size(), ABI: ABIVersion,
	}
}

// Refused says whether err is about a module that does not keep to the contract between host and driver.
func Refused(err error) bool {
	f, ok := errors.AsType[*failure.Failure](err)
	return ok && strings.HasPrefix(string(f.Code), "abi.")
}

// DriverCheck is one check of a driver and what came of it.
type DriverCheck = conformance.Check

// DriverReading is the last that was read of a point.
type DriverReading = conformance.Reading

// The results of a DriverCheck.
const (
	DriverPass = conformance.Pass
	DriverFail = conformance.Fail
	DriverSkip = conformance.Skip
)

// DriverTest says how to test a driver. The zero value tests it with the examples of its schemas and without a device.
type DriverTest struct {
	// Channel is the example of a channel; its driver is the one that is tested, whatever the file says.
	Channel *config.Channel
	// For is how long to run Channel with the device that it names; 0 is not at all.
	For time.Duration
	// OpenLine opens a simulated serial line whose other end is the path; nil where there are none.
	OpenLine func() (line io.ReadWriteCloser, path string, err error)
	// Logger gets what the driver logs and prints, and what is said of its channels; discarded when nil.
	Logger *slog.Logger
	// Tell hears of each check when it is done. It may be nil.
	Tell func(DriverCheck)
}

// DriverReport is what came of testing a driver.
type DriverReport struct {
	Driver DriverInfo `json:"driver"`
	conformance.Report
}

// TestDriver runs a module in the sandbox and under the supervision of a node, against what nodes want of a driver. The
// error is of a module that cannot be loaded (see Refused), or of what kept the checks from being run; what is wrong with
// the driver is in the report.
func TestDriver(ctx context.Context, path string, test DriverTest) (report *DriverReport, err error) {
	logger := test.Logger
	if logger == nil {
		logger = slog.New(slog.DiscardHandler)
	}
	loader, err := module.NewLoader("")
	if err != nil {
		return nil, fmt.Errorf("load the driver: %w", err)
	}
	closing := context.WithoutCancel(ctx)
	defer func() { err = errors.Join(err, loader.Close(closing)) }()
	begin := time.Now()
	var limits module.Limits
	if test.Channel != nil {
		limits = node.SingleLimits(test.Channel)
	}
	m, err := loader.LoadFileWithin(ctx, path, limits)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, m.Release(closing)) }()
	loaded := time.Since(begin)
	host, err := hostfuncs.New(hostfuncs.Config{Logger: logger})
	if err != nil {
		return nil, fmt.Errorf("prepare the host: %w", err)
	}
	defer func() { err = errors.Join(err, host.Close()) }()
	found, err := conformance.Run(ctx, conformance.Config{
		Module: m, Loaded: loaded, Host: outside{host}, Channel: test.Channel, For: test.For, OpenLine: test.OpenLine,
		Logger: logger, Tell: test.Tell,
	})
	if err != nil {
		return nil, err
	}
	return &DriverReport{Driver: driverInfo(m), Report: *found}, nil
}
