// Package logs has a node's log by channel: a level for each that can be changed at run time, the last lines of each, and
// the lines as they come for those who follow them.
//
// A Hub stands in front of the node's slog.Handler. What is logged with the attribute "channel" belongs to that channel,
// whoever logs it; everything else goes through as it is.
package logs
