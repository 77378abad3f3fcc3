//go:build wasip1

// Command jitter is a driver that prints, when it connects, a random number of the kit's and one of Go's global source.
package main

import (
	"errors"
	"fmt"
	"math/rand/v2"

	"github.com/droverhq/drover/guests/sdk"
)

var _ = sdk.Register(jitter{})

func main() {}

type jitter struct{}

func (jitter) Describe() sdk.Metadata { return sdk.Metadata{Name: "jitter", Version: "1.0.0"} }

func (jitter) Configure(*sdk.Config) (sdk.Connector, error) { return jitter{}, nil }

func (jitter) Connect(c *sdk.Context) (sdk.Session, error) {
	fmt.Println("kit", c.Random().Uint64())
	fmt.Println("go", rand.Uint64())
	return nil, errors.New("that was all")
}
