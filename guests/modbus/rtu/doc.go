// Package rtu has the framing of Modbus on serial lines: addresses, the check, the silences, and the finding of a
// reply in what a line gives.
//
// Source: MODBUS over Serial Line Specification and Implementation Guide V1.02, section 2.5.1. Nothing here does I/O.
package rtu
