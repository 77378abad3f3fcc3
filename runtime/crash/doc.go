// Package crash keeps what is known of crashes in the node's data directory: post-mortems in
// crashes/<channel>/<number>.json, quarantines in quarantine/<channel>.json.
//
// Those who tell it never wait for a disk: one goroutine writes. What cannot be written costs a line of the log. Files
// are whole or not there: each is written beside its place and then moved to it.
package crash
