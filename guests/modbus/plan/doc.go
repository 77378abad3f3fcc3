// Package plan joins points to the requests that read them: as few as the limits allow, every point whole in one.
//
// What a unit refuses to answer in one request is cut apart, and the cuts are remembered.
package plan
