package client

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/droverhq/drover/runtime/natsbridge/message"
)

// localWithin is how long a local node has to answer.
const localWithin = 2 * time.Second

// LocalNode returns the one node of this user that runs on this machine. With name, the one of that name. Files of
// nodes that do not answer, or answer with another epoch, are ignored. ErrNoLocalNode: there is none.
func LocalNode(ctx context.Context, name string) (Local, error) {
	nodes, err := LocalNodes()
	if err != nil {
		return Local{}, fmt.Errorf("look for a local node: %w", err)
	}
	var alive []Local
	for _, l := range nodes {
		if (name == "" || name == l.Node) && l.answers(ctx) {
			alive = append(alive, l)
		}
	}
	switch len(alive) {
	case 0:
		return Local{}, ErrNoLocalNode
	case 1:
		return alive[0], nil
	}
	return Local{}, fmt.Errorf("%w: %s", errSeveral, names(alive))
}

var errSeveral = errors.New("several local nodes run, name one of them")

func names(nodes []Local) string {
	all := make([]string, len(nodes))
	for i, l := range nodes {
		all[i] = l.Node
	}
	return strings.Join(all, ", ")
}

// answers says whether the node that left the file still runs.
func (l Local) answers(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, localWithin)
	defer cancel()
	c, err := Connect(ctx, l.Options())
	if err != nil {
		return false
	}
	defer c.Close()
	var p message.Ping
	return c.Get(ctx, l.Node, "ping", nil, &p) == nil && p.Epoch == l.Epoch
}
