// Package metrics gives a node's figures to Prometheus. It is the only importer of its client library.
//
// Nothing is counted in here: at each scrape, a Collector asks for a Node and says what is in it. The labels are few on
// purpose: channels, and short lists of words; never devices, points or addresses.
package metrics
