package natsbridge

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/droverhq/drover/runtime/natsbridge/message"
)

// member is one of a JSON object.
type member struct {
	name  string
	value json.RawMessage
}

// membersOf returns the members of an object, in order: a map would lose it. The body is valid JSON.
func membersOf(body []byte) ([]member, error) {
	d := json.NewDecoder(bytes.NewReader(body))
	if open, err := d.Token(); err != nil || open != json.Delim('{') {
		return nil, errors.New(`the body is not an object of points and values: {"setpoint":42}`)
	}
	var members []member
	seen := make(map[string]bool)
	for d.More() {
		token, err := d.Token()
		if err != nil {
			return nil, err
		}
		name, _ := token.(string)
		switch {
		case !message.ValidName(name):
			return nil, fmt.Errorf("%q: a name is [A-Za-z0-9_-]+", cut(name))
		case seen[name]:
			return nil, fmt.Errorf("%q is there twice", name)
		}
		seen[name] = true
		m := member{name: name}
		if err := d.Decode(&m.value); err != nil {
			return nil, err
		}
		members = append(members, m)
	}
	if len(members) == 0 {
		return nil, errors.New("the object is empty")
	}
	return members, nil
}
