// Instances makes instances of a driver as a node does, has each of them poll a device in memory, and prints as JSON what
// one takes. It is a process of its own because memory is counted by the process.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"runtime/debug"
	"sync"
	"time"

	"github.com/droverhq/drover/abi/driver"
	"github.com/droverhq/drover/bench/inmemory"
	"github.com/droverhq/drover/bench/rig"
	"github.com/droverhq/drover/runtime/failure"
	"github.com/droverhq/drover/runtime/module"
)

// registers are read in each cycle.
const registers = 100

type settings struct {
	driver, cache string
	count, cycles int
	each          bool
}

func main() {
	var s settings
	flag.StringVar(&s.driver, "driver", "", "the driver's module")
	flag.StringVar(&s.cache, "cache", "", "where compiled code is kept")
	flag.IntVar(&s.count, "count", 100, "how many instances")
	flag.IntVar(&s.cycles, "cycles", 3600, "how many cycles each polls")
	flag.BoolVar(&s.each, "each", false, "initialise each instance, and start none from an image")
	flag.Parse()
	if err := run(context.Background(), s); err != nil {
		fmt.Fprintln(os.Stderr, "instances:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, s settings) (err error) {
	loader, err := module.NewLoader(s.cache)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, loader.Close(ctx)) }()
	if s.each {
		loader.InitialiseEach()
	}
	code, err := loader.LoadFile(ctx, s.driver)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, code.Release(ctx)) }()
	cost, err := s.measure(ctx, code)
	if err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(cost)
}

// one is an instance and the device that it polls.
type one struct {
	instance *module.Instance
	device   inmemory.Device
}

func (s settings) measure(ctx context.Context, code *module.Module) (cost rig.InstanceCost, err error) {
	all := make([]*one, s.count)
	for i := range all {
		all[i] = &one{device: inmemory.Device{Left: s.cycles}}
	}
	empty, err := quiet()
	if err != nil {
		return cost, err
	}
	defer func() {
		for _, o := range all {
			if o.instance != nil {
				err = errors.Join(err, o.instance.Close(ctx))
			}
		}
	}()
	for _, o := range all {
		begin := time.Now()
		o.instance, err = code.Instantiate(ctx, failure.PhaseConfigure, module.InstanceConfig{Imports: o.device.Imports()})
		if err != nil {
			return cost, err
		}
		cost.Instantiate = append(cost.Instantiate, time.Since(begin))
	}
	before, err := quiet()
	if err != nil {
		return cost, err
	}
	if err := work(ctx, all); err != nil {
		return cost, err
	}
	after, err := quiet()
	cost.Before, cost.After = share(before, empty, s.count), share(after, empty, s.count)
	return cost, err
}

func share(now, empty uint64, count int) float64 {
	return (float64(now) - float64(empty)) / float64(count)
}

// quiet returns the process's memory when what nobody needs has been given back.
func quiet() (uint64, error) {
	debug.FreeOSMemory()
	return rig.Memory()
}

// work has all instances poll.
func work(ctx context.Context, all []*one) error {
	failed := make([]error, len(all))
	var working sync.WaitGroup
	for i, o := range all {
		working.Go(func() { failed[i] = o.poll(ctx) })
	}
	working.Wait()
	return errors.Join(failed...)
}

// poll goes through the phases until the device has had its cycles. The next one is always due.
func (o *one) poll(ctx context.Context) error {
	session := driver.Session{Attempt: 1, Generation: 1}
	if err := o.instance.Configure(ctx, inmemory.Config(registers, time.Nanosecond)); err != nil {
		return err
	}
	if err := o.instance.Connect(ctx, session); err != nil {
		return err
	}
	if _, err := o.instance.Init(ctx, session); err != nil {
		return err
	}
	if _, err := o.instance.Run(ctx, session); err != nil {
		return err
	}
	if o.device.Bad > 0 {
		return fmt.Errorf("%d samples were not good", o.device.Bad)
	}
	return nil
}
