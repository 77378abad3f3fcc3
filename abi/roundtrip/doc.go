// Package roundtrip has the types of a WIT world that is there for the tests of the bindings: every type that they know,
// as parameter and as result, in both directions.
package roundtrip

//go:generate go run ../bindgen -wit wit -world roundtrip -types . -host host -guest guest
