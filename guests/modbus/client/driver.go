package client

import (
	_ "embed"

	"github.com/droverhq/drover/guests/sdk"
)

// Version is that of the driver.
const Version = "0.2.0"

var (
	//go:embed schema/settings.json
	settingsSchema string
	//go:embed schema/device.json
	deviceSchema string
	//go:embed schema/address.json
	addressSchema string
	//go:embed schema/identify.json
	identifySchema string
	//go:embed schema/identity.json
	identitySchema string
	//go:embed schema/raw.json
	rawSchema string
)

// Driver is the Modbus driver, for sdk.Register.
type Driver struct{}

var _ sdk.Driver = Driver{}

// Describe implements sdk.Driver.
func (Driver) Describe() sdk.Metadata {
	return sdk.Metadata{
		Name:           "modbus",
		Version:        Version,
		Summary:        "Modbus client: TCP, RTU, and RTU over TCP",
		Codes:          codes(),
		Settings:       settingsSchema,
		DeviceSettings: deviceSchema,
		Address:        addressSchema,
	}
}

// Configure implements sdk.Driver.
func (Driver) Configure(c *sdk.Config) (sdk.Connector, error) { return newSetup(c) }
