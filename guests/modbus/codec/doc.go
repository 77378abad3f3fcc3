// Package codec turns what registers and bits hold into the values of points, and back: types, lists, bits, texts, and
// the four orders in which units send what is longer than a register.
//
// Nothing here does I/O. A codec keeps the memory of its value and fills it again, so that a poll allocates nothing.
package codec
