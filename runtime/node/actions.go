package node

import (
	"context"
	"encoding/json"

	"github.com/droverhq/drover/runtime/natsbridge/message"
)

// actions answers get.actions: what every channel can do at present.
func (n *Node) actions(context.Context, []byte) (any, error) {
	out := message.Actions{Node: n.config.Node.Name, Epoch: n.bridge.Epoch(), Channels: map[string][]message.Action{}}
	for _, m := range n.members.all() {
		all := []message.Action{}
		if m.channel != nil {
			all = m.actions()
		}
		out.Channels[m.config.Name] = all
	}
	return out, nil
}

func (m *member) actions() []message.Action {
	all := []message.Action{}
	for _, a := range m.channel.Actions() {
		action := message.Action{Name: a.Name, Arguments: rawSchema(a.Arguments), Result: rawSchema(a.Result)}
		if a.Device.Some {
			action.Device = m.channel.DeviceName(a.Device.Value)
		}
		all = append(all, action)
	}
	return all
}

// rawSchema is a schema as the driver gave it; nil where that is no JSON.
func rawSchema(text string) json.RawMessage {
	if !json.Valid([]byte(text)) {
		return nil
	}
	return json.RawMessage(text)
}
