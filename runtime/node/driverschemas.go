package node

import (
	"sync"

	"github.com/droverhq/drover/abi/driver"
)

// driverSchemas keeps the schemas of drivers compiled, by their text: compiling them takes longer than most of what else
// a channel needs to start, and hundreds of channels have the same driver. Its methods may be called from any goroutine.
type driverSchemas struct {
	mu       sync.Mutex
	compiled map[schemaTexts]func() (schemas, error)
}

// schemaTexts are those of a driver.
type schemaTexts struct{ settings, device, address string }

// mostDrivers is how many drivers' schemas are kept.
const mostDrivers = 32

// drivers has the schemas of the drivers that were looked at last.
var drivers driverSchemas

// of returns a driver's schemas, with all evaluations left. The error is a failure of the driver's.
func (d *driverSchemas) of(m driver.Metadata) (schemas, error) {
	s, err := d.find(m)()
	if err != nil {
		return schemas{}, err
	}
	return s.fresh(), nil
}

func (d *driverSchemas) find(m driver.Metadata) func() (schemas, error) {
	key := schemaTexts{m.Settings, m.DeviceSettings, m.Address}
	d.mu.Lock()
	defer d.mu.Unlock()
	compile := d.compiled[key]
	if compile == nil {
		if d.compiled == nil || len(d.compiled) >= mostDrivers {
			d.compiled = make(map[schemaTexts]func() (schemas, error))
		}
		compile = sync.OnceValues(func() (schemas, error) { return compileSchemas(m) })
		d.compiled[key] = compile
	}
	return compile
}
