package natsbridge

import (
	"encoding/json"
	"strconv"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// track is a lane with the stream it leads to, and the inbox to which the stream acknowledges.
type track struct {
	*lane
	stream string
	inbox  string
	// message and its header are used again for each message; only the publisher does.
	message nats.Msg
}

func newTrack(l *lane, stream string) *track {
	return &track{lane: l, stream: stream, message: nats.Msg{Header: make(nats.Header, 4)}}
}

// listen starts to take acknowledgements.
func (t *track) listen(nc *nats.Conn) error {
	t.inbox = nc.NewInbox() + "."
	_, err := nc.Subscribe(t.inbox+"*", t.answer)
	return err
}

// publish sends a parcel.
func (t *track) publish(nc *nats.Conn, p *parcel) error {
	m := &t.message
	m.Subject, m.Data, m.Reply = p.subject, p.body.b, ""
	clear(m.Header)
	m.Header[nats.MsgIdHdr] = []string{p.id}
	if p.tracked {
		m.Reply = t.inbox + strconv.FormatUint(p.number, 36)
		m.Header[nats.ExpectedStreamHdr] = []string{t.stream}
		if p.expected != "" {
			m.Header[nats.ExpectedLastMsgIdHdr] = []string{p.expected}
		}
	}
	return nc.PublishMsg(m)
}

// The errors of JetStream that say more than "not now" (nats-server, errors.json).
const (
	codeWrongLastID    = 10070
	codeExceedsMaximum = 10054
	codeHeaderTooLarge = 10097
)

// pubAck is what a stream answers to a message.
type pubAck struct {
	Stream    string              `json:"stream"`
	Duplicate bool                `json:"duplicate"`
	Error     *jetstream.APIError `json:"error"`
}

// answer takes what the stream said to a message.
func (t *track) answer(m *nats.Msg) {
	number, err := strconv.ParseUint(strings.TrimPrefix(m.Subject, t.inbox), 36, 64)
	if err != nil {
		return
	}
	var ack pubAck
	switch err := json.Unmarshal(m.Data, &ack); {
	case len(m.Data) == 0 && m.Header.Get("Status") == "503":
		t.fail(number, refusal{text: "there is no stream " + t.stream}, time.Now())
	case ack.Error != nil:
		t.fail(number, refusalOf(ack.Error), time.Now())
	case err != nil || ack.Stream != t.stream:
		// Somebody who subscribes to the subject and answers; the stream's own answer follows, or is missed.
	default:
		t.ack(number, ack.Duplicate, time.Now())
	}
}

func refusalOf(e *jetstream.APIError) refusal {
	return refusal{
		text:  e.Description + " (" + strconv.Itoa(int(e.ErrorCode)) + ")",
		order: e.ErrorCode == codeWrongLastID,
		final: e.ErrorCode == codeExceedsMaximum || e.ErrorCode == codeHeaderTooLarge,
	}
}
