//go:build linux

package modbus_test

import (
	"testing"

	client "github.com/simonvetter/modbus"

	"github.com/droverhq/drover/internal/sim/modbus"
)

func TestRTUOverPTY(t *testing.T) {
	line, err := modbus.OpenPTY()
	if err != nil {
		t.Fatal(err)
	}
	server := modbus.ServeRTU(modbus.Config{Units: units()}, line)
	t.Cleanup(func() {
		if err := server.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	exercise(t, dial(t, "rtu://"+line.Path()))
}

// The line stays up while clients come and go.
func TestPTYOutlivesItsClients(t *testing.T) {
	line, err := modbus.OpenPTY()
	if err != nil {
		t.Fatal(err)
	}
	server := modbus.ServeRTU(modbus.Config{Units: units()}, line)
	t.Cleanup(func() { _ = server.Close() })
	for range 3 {
		c := dial(t, "rtu://"+line.Path())
		if v, err := c.ReadRegister(100, client.HOLDING_REGISTER); err != nil || v != 1 {
			t.Errorf("register %d, %v", v, err)
		}
		if err := c.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// Close returns although the server's read blocks.
func TestClosePTY(t *testing.T) {
	line, err := modbus.OpenPTY()
	if err != nil {
		t.Fatal(err)
	}
	server := modbus.ServeRTU(modbus.Config{}, line)
	if err := server.Close(); err != nil {
		t.Error(err)
	}
}
