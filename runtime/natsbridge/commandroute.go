package natsbridge

import (
	"fmt"
	"strings"

	"github.com/droverhq/drover/runtime/natsbridge/message"
)

// route is what the subject of a command names.
type route struct {
	verb, channel string
	// device is "_" for the channel itself. For cancel it is the id of the action.
	device string
	// name is the point's or the action's; empty for the whole device.
	name string
}

// itself is the device of what is the channel's own, and the channel of what is the node's.
const itself = "_"

// routeOf takes apart a subject below the node's: <channel>.<verb>.<device>[.<name>].
func routeOf(rest string) (route, error) {
	tokens := strings.Split(rest, ".")
	if len(tokens) < 3 {
		return route{}, message.ErrNotFound.With("the subject names no device")
	}
	r := route{channel: tokens[0], verb: tokens[1], device: tokens[2]}
	if len(tokens) > 3 {
		r.name = tokens[3]
	}
	if limit := r.tokens(); len(tokens) > limit || r.verb == "invoke" && len(tokens) < limit {
		return r, message.ErrNotFound.With(fmt.Sprintf("the subject has %d tokens after the node's, %s", len(tokens), r.expected()))
	}
	for _, token := range tokens {
		if !message.ValidName(token) {
			return r, message.ErrNotFound.With(fmt.Sprintf("%q: a name is [A-Za-z0-9_-]+", token))
		}
	}
	return r, nil
}

func (r route) tokens() int {
	if r.verb == "cancel" {
		return 3
	}
	return 4
}

// expected is the form of a verb's subject, for people.
func (r route) expected() string {
	switch r.verb {
	case "cancel":
		return "not CHANNEL.cancel.ID"
	case "invoke":
		return "not CHANNEL.invoke.DEVICE.ACTION"
	default:
		return "not CHANNEL." + r.verb + ".DEVICE[.POINT]"
	}
}
