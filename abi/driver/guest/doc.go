// Package guest is the guest's side of the ABI for plain Go, generated: the imports as functions, handles as types with a
// Drop, and the exports as an interface that the guest implements and sets before the host calls.
//
// Parameters are read by the host while the call runs and are not kept. Functions that answer bytes take a buffer and
// append to it: with room behind its length, they are written straight into it. A call whose parameters and result are
// scalars, bytes and lists of flat records allocates nothing once its memory has grown to the need.
package guest
