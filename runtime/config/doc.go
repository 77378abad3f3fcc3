// Package config reads a node's configuration: one YAML file, strictly.
//
// Load reports every problem of a file at once, each with its line and with what was expected there. What it returns is
// complete: defaults are filled in, `every` is inherited, paths are absolute, `${env:X}` and `${file:path}` are replaced.
// Devices and points keep the order of the file. The driver's own parts (settings, addresses) are kept as JSON that
// knows where each value came from, so that whoever has the driver's schemas can report their violations the same way.
//
// docs/configuration.md is the reference of every key. This package is the only importer of the YAML library.
package config
