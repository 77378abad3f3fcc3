//go:build wasip1

package main

import "github.com/droverhq/drover/guests/sdk"

var _ = sdk.Register(thermo{})
