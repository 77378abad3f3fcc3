package crash

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/droverhq/drover/runtime/natsbridge/message"
)

// maxText is where each text of a post-mortem is cut.
const maxText = 2 << 10

// encode encodes a post-mortem in at most that many bytes: long texts are cut, then the older halves of its lines and
// calls and the outer half of its stack go, as often as need be.
func encode(r message.Crash, most int) ([]byte, error) {
	r = shorten(r)
	for {
		data, err := json.Marshal(r)
		if err != nil {
			return nil, fmt.Errorf("encode the post-mortem: %w", err)
		}
		if len(data) <= most {
			return data, nil
		}
		if len(r.Lines)+len(r.Calls)+len(r.Stack) == 0 {
			return nil, fmt.Errorf("the post-mortem has %d bytes, more than %d", len(data), most)
		}
		r.Cut = true
		r.Lines, r.Calls, r.Stack = later(r.Lines), later(r.Calls), r.Stack[:len(r.Stack)/2]
	}
}

// later is the later half.
func later[T any](all []T) []T { return all[(len(all)+1)/2:] }

// shorten returns a copy of r whose texts are cut.
func shorten(r message.Crash) message.Crash {
	text := func(s *string) {
		cut := cutText(*s)
		r.Cut = r.Cut || len(cut) != len(*s)
		*s = cut
	}
	r.Stack, r.Lines, r.Calls = slices.Clone(r.Stack), slices.Clone(r.Lines), slices.Clone(r.Calls)
	for _, s := range []*string{&r.Driver, &r.Version, &r.Failure.Summary, &r.Failure.Digest} {
		text(s)
	}
	for i := range r.Stack {
		text(&r.Stack[i])
	}
	for i := range r.Lines {
		text(&r.Lines[i].Text)
	}
	for i := range r.Calls {
		text(&r.Calls[i].Name)
		text(&r.Calls[i].Args)
		text(&r.Calls[i].Result)
	}
	return r
}

func cutText(s string) string {
	if len(s) <= maxText {
		return s
	}
	return strings.ToValidUTF8(s[:maxText-3], "") + "..."
}

// decode reads what encode wrote. Damaged files are refused, whatever is in them.
func decode(data []byte, channel string) (message.Crash, error) {
	r, err := message.Decode[message.Crash](data)
	switch {
	case err != nil:
		return r, err
	case r.Channel != channel:
		return r, fmt.Errorf("it is of channel %q", r.Channel)
	case r.Failure.Code == "" || r.Failure.Time.IsZero():
		return r, errors.New("it has no failure")
	}
	return r, nil
}
