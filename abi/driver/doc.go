// Package driver has the types of the contract between the host and a driver, generated from abi/wit: records as structs,
// enums as numbers, variants as opaque values with a tag, constructors and accessors. Both sides use them.
package driver

//go:generate go run ../bindgen -wit ../wit -world driver -types . -host host -guest guest
