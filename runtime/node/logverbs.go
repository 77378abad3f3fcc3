package node

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/droverhq/drover/runtime/logs"
	"github.com/droverhq/drover/runtime/natsbridge/message"
)

// logLease is how long a channel's lines are published for who follows them, unless that is renewed.
const logLease = 15 * time.Second

// getLogs answers the last lines of a channel's log, and has the next ones published for a while where the caller
// follows. A line may say what a device said, which is not for everybody who may see states: who may call it is a matter
// of subjects.
func (n *Node) getLogs(_ context.Context, body []byte) (any, error) {
	var request struct {
		Channel string `json:"channel"`
		Follow  bool   `json:"follow"`
	}
	if err := json.Unmarshal(body, &request); err != nil {
		return nil, message.ErrBody.With(fmt.Sprintf(`the body is not {"channel":"NAME","follow":true}: %v`, err))
	}
	out := message.Logs{Node: n.config.Node.Name, Epoch: n.bridge.Epoch(), Channel: request.Channel}
	var err error
	if request.Follow { // before the lines are read, so that none is missed in between
		out.Until = message.Time{Time: time.Now().Add(logLease)}
		err = n.config.Logs.Follow(request.Channel, out.Until.Time)
	}
	if err == nil {
		out.Lines, err = n.config.Logs.Tail(request.Channel)
	}
	for i := range out.Lines {
		out.Lines[i].Epoch = out.Epoch
	}
	return out, logError(err)
}

// setLogLevel sets from which level on a channel's lines are logged, or with "default" gives it the node's again.
func (n *Node) setLogLevel(_ context.Context, body []byte) (any, error) {
	var request struct {
		Channel string `json:"channel"`
		Level   string `json:"level"`
	}
	const want = `{"channel":"NAME","level":"debug"}`
	if err := json.Unmarshal(body, &request); err != nil {
		return nil, message.ErrBody.With(fmt.Sprintf("the body is not %s: %v", want, err))
	}
	var level slog.Level
	var err error
	switch {
	case request.Level == "default":
		err = n.config.Logs.ResetLevel(request.Channel)
	case !slices.Contains(logs.Levels(), request.Level), level.UnmarshalText([]byte(request.Level)) != nil:
		return nil, message.ErrBody.With(fmt.Sprintf("level %q: %s or default is expected", request.Level, strings.Join(logs.Levels(), ", ")))
	default:
		err = n.config.Logs.SetLevel(request.Channel, level)
	}
	if err != nil {
		return nil, logError(err)
	}
	now, own, err := n.config.Logs.Level(request.Channel)
	return message.LogLevel{Channel: request.Channel, Level: logs.LevelName(now), Own: own}, logError(err)
}

func logError(err error) error {
	if errors.Is(err, logs.ErrNoChannel) {
		return message.ErrNotFound.With(err.Error())
	}
	return err
}
