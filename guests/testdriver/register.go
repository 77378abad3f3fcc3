//go:build wasip1

package main

import (
	"github.com/droverhq/drover/guests/sdk"
	"github.com/droverhq/drover/guests/testdriver/script"
)

var _ = sdk.Register(script.Driver{})
