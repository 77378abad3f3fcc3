// Package address reads where a point is: `holding:100`, `holding:100.3`, `holding:10/16`, the classical `40101`, or an
// object of the same parts.
package address
