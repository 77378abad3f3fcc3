package rig

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"time"
)

// InstanceCost is what an instance of a driver takes: how long each took to be made, and the memory of one, in bytes,
// before it has done anything and after its work.
type InstanceCost struct {
	Instantiate   []time.Duration `json:"instantiate"`
	Before, After float64
}

// MeasureInstances runs the program of bench/instances, which keeps compiled code in cache. Where each is set, every
// instance is initialised by itself, as on systems that have no images.
func MeasureInstances(ctx context.Context, p Programs, cache string, count, cycles int, each bool) (c InstanceCost, err error) {
	cmd := exec.CommandContext(ctx, p.Instances, "-driver", p.Driver, "-cache", cache,
		"-count", fmt.Sprint(count), "-cycles", fmt.Sprint(cycles), fmt.Sprintf("-each=%t", each))
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return c, fmt.Errorf("measure instances: %w", err)
	}
	if err := json.Unmarshal(out, &c); err != nil {
		return c, fmt.Errorf("measure instances: %w", err)
	}
	return c, nil
}
