package drover

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/droverhq/drover/runtime/failure"
	"github.com/droverhq/drover/runtime/module"
)

// DriverInfo is what is known of a driver's module without running it for any device.
type DriverInfo struct {
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
