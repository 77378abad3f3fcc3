// Package host is the host's side of the ABI, generated: what the host implements, and how it calls a guest.
//
// Register adds the imports to a wazero runtime, once. For each instance of a module, New takes the implementations,
// Attach the module, and the exports are methods. Every call into the module, of _initialize too, needs a context made
// by [Instance.Context], by which the imports find their instance.
//
// What a host function is given: strings, and slices inside of other values, are its own to keep. A []byte parameter is
// a view of the guest's memory, and the slice of any other list parameter is used again by the next call: both are valid
// until the function returns. What it returns is copied at once. An own handle is a resource that it owns from then on; a
// borrowed one is valid until it returns.
//
// A guest that breaks the canonical ABI gets a *[canon.Error]: its call ends with an error in which errors.As finds it. A
// host function may end the guest's call itself by a panic with an error. Any other panic becomes a *[canon.HostPanic].
package host
