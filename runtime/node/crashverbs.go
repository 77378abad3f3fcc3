package node

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/droverhq/drover/runtime/crash"
	"github.com/droverhq/drover/runtime/natsbridge/message"
)

// crashRequest is the body of get.crashes and get.crash.
type crashRequest struct {
	Channel string `json:"channel"`
	// N is for get.crash alone: 1 is the last.
	N int `json:"n"`
}

// getCrashes answers which crashes of a channel are kept.
func (n *Node) getCrashes(_ context.Context, body []byte) (any, error) {
	request, err := n.crashRequest(body, `{"channel":"NAME"}`)
	if err != nil {
		return nil, err
	}
	kept, damaged, err := n.crashes.List(request.Channel)
	if err != nil {
		return nil, err
	}
	if kept == nil {
		kept = []message.Crash{}
	}
	return message.Crashes{
		Node: n.config.Node.Name, Epoch: n.bridge.Epoch(), Channel: request.Channel, Crashes: kept, Damaged: damaged,
	}, nil
}

// getCrash answers a whole post-mortem. It is a verb of its own because it has what went over the wire, which is not for
// everybody who may see states: who may call it is a matter of subjects.
func (n *Node) getCrash(_ context.Context, body []byte) (any, error) {
	request, err := n.crashRequest(body, `{"channel":"NAME","n":1}`)
	if err != nil {
		return nil, err
	}
	if request.N < 1 {
		return nil, message.ErrBody.With(fmt.Sprintf("crash number %d: the last one is 1, the one before 2", request.N))
	}
	kept, err := n.crashes.Get(request.Channel, request.N)
	if errors.Is(err, crash.ErrNotFound) {
		return nil, message.ErrNotFound.With(fmt.Sprintf("channel %q has no crash %d", request.Channel, request.N))
	}
	return kept, err
}

func (n *Node) crashRequest(body []byte, want string) (crashRequest, error) {
	var request crashRequest
	if err := json.Unmarshal(body, &request); err != nil {
		return request, message.ErrBody.With(fmt.Sprintf("the body is not %s: %v", want, err))
	}
	_, err := n.members.find(request.Channel)
	return request, err
}
