package node

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/droverhq/drover/abi/driver"
	"github.com/droverhq/drover/runtime/config"
	"github.com/droverhq/drover/runtime/logs"
	"github.com/droverhq/drover/runtime/natsbridge"
	"github.com/droverhq/drover/runtime/natsbridge/message"
	"github.com/droverhq/drover/runtime/point"
	"github.com/droverhq/drover/runtime/supervise"
)

// getShow answers all that there is to say of a channel.
func (n *Node) getShow(_ context.Context, body []byte) (any, error) {
	var request struct {
		Channel string `json:"channel"`
	}
	if err := json.Unmarshal(body, &request); err != nil {
		return nil, message.ErrBody.With(fmt.Sprintf(`the body is not {"channel":"NAME"}: %v`, err))
	}
	m, err := n.members.find(request.Channel)
	if err != nil {
		return nil, err
	}
	return n.show(m)
}

func (n *Node) show(m *member) (message.Show, error) {
	c := m.config
	level, _, err := n.config.Logs.Level(c.Name)
	if err != nil {
		return message.Show{}, err
	}
	out := message.Show{
		Node: n.config.Node.Name, Epoch: n.bridge.Epoch(), Process: n.process(m), Delivery: string(c.Delivery),
		LogLevel: logs.LevelName(level), Grants: grants(c), Members: m.members(),
		Retry: message.Retry{Initial: c.Retry.Initial.Seconds(), Max: c.Retry.Max.Seconds()},
		Limits: message.Limits{
			Memory: c.Limits.Memory, Stack: c.Limits.Stack, Compute: c.Limits.Compute.Seconds(), CPU: c.Limits.CPU,
			Samples: c.Limits.Samples, Bytes: c.Limits.Bytes, Log: c.Limits.Log, Streams: c.Limits.Streams,
		},
	}
	if c.Retry.Attempts != config.Unlimited {
		out.Retry.Attempts = &c.Retry.Attempts
	}
	if m.snapshot().State == supervise.Quarantined {
		if out.Quarantine, err = n.crashes.Quarantined(c.Name); err != nil {
			return message.Show{}, err
		}
	}
	return out, nil
}

// members are the devices of a channel, and what is known of their points.
func (m *member) members() []message.Member {
	out := []message.Member{}
	var states []point.DeviceState
	if m.channel != nil {
		states = m.channel.DeviceStates()
	}
	for i, d := range m.config.Devices {
		if m.channel != nil {
			out = append(out, m.member(d, states[i]))
			continue
		}
		device := message.Member{Device: d.Name, Status: driver.StatusOffline.String(), Points: []message.MemberPoint{}}
		for _, p := range d.Points {
			device.Points = append(device.Points, memberPoint(d.Name, p))
		}
		out = append(out, device)
	}
	return out
}

// memberPoint is a point as it is configured.
func memberPoint(device string, p *config.Point) message.MemberPoint {
	return message.MemberPoint{
		Point: p.Name, Descriptor: natsbridge.DescriptorOf(definition(device, p)), Every: p.Every.Seconds(),
	}
}

func (m *member) member(d *config.Device, s point.DeviceState) message.Member {
	out := message.Member{
		Device: d.Name, Status: s.Status.String(), Reason: s.Reason, Since: message.Time{Time: s.Since},
		Gauges: natsbridge.Finite(s.Gauges), Points: []message.MemberPoint{},
	}
	_, refs, _ := m.channel.Device(d.Name)
	for k, ref := range refs {
		p := memberPoint(d.Name, d.Points[k])
		p.Served = m.channel.Serves(ref.ID)
		if v, known := natsbridge.ValueOf(ref.Point); known {
			p.Last = &v
		}
		out.Points = append(out.Points, p)
	}
	return out
}
