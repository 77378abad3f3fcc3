// Package node is channels and bridge together: it makes channels of a configuration, connects what they have to say
// with the bridge, and starts and stops all of it in order.
package node
