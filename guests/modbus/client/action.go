package client

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/droverhq/drover/abi/component"
	"github.com/droverhq/drover/abi/driver"
	"github.com/droverhq/drover/guests/modbus/codec"
	"github.com/droverhq/drover/guests/modbus/pdu"
	"github.com/droverhq/drover/guests/sdk"
)

// The actions of a device.
const (
	actionIdentify = "identify"
	actionRaw      = "raw"
)

// maxIdentify bounds the requests of one identification.
const maxIdentify = 64

// actions returns those of all units that answer.
func (s *session) actions() []sdk.Action {
	var all []sdk.Action
	for _, u := range s.units {
		if u.broadcast {
			continue
		}
		id := component.Some(u.device)
		all = append(all, sdk.Action{Name: actionIdentify, Device: id, Arguments: identifySchema, Result: identitySchema})
		if u.raw {
			all = append(all, sdk.Action{Name: actionRaw, Device: id, Arguments: rawSchema, Result: rawSchema})
		}
	}
	return all
}

// invoke does an action at once.
func (s *session) invoke(cmd *sdk.Command, request driver.ActionRequest) error {
	u := s.unitOf(request.Device)
	var result any
	var err error
	switch {
	case u == nil || u.broadcast:
		err = sdk.Unsupported()
	case request.Action == actionIdentify:
		result, err = s.identify(cmd, u, request.Arguments)
	case request.Action == actionRaw && u.raw:
		result, err = s.rawRequest(cmd, u, request.Arguments)
	default:
		err = sdk.Unsupported()
	}
	if err != nil {
		return s.refuse(cmd, u, err)
	}
	text, err := json.Marshal(result)
	if err != nil {
		return fmt.Errorf("result of %s: %w", request.Action, err)
	}
	cmd.AnswerInvoke(string(text))
	return nil
}

func (s *session) unitOf(device component.Option[sdk.DeviceID]) *unit {
	for _, u := range s.units {
		if device.Some && u.device == device.Value {
			return u
		}
	}
	return nil
}

// exchangeError is an error of a request, as opposed to one of the arguments.
type exchangeError struct{ error }

// Unwrap returns the error itself.
func (e exchangeError) Unwrap() error { return e.error }

// refuse answers an action that failed, and returns the error that ends the session.
func (s *session) refuse(cmd *sdk.Command, u *unit, err error) error {
	e, ok := errors.AsType[exchangeError](err)
	if !ok {
		cmd.Fail(err)
		return nil
	}
	answer, end := s.failed(u, e.error)
	s.report(u)
	cmd.Fail(answer)
	return end
}

// ask does one request of an action.
func (s *session) ask(cmd *sdk.Command, u *unit, request pdu.Request) ([]byte, error) {
	timeout := left(cmd, u)
	if timeout <= 0 || cmd.Cancelled() {
		return nil, sdk.NotSent(sdk.ErrTimeout)
	}
	response, err := s.bus.ask(u, request, timeout)
	if err != nil {
		return nil, exchangeError{err}
	}
	u.circuit.answered()
	return response, nil
}

// rawArguments are the arguments and the result of the action raw.
type rawArguments struct {
	PDU string `json:"pdu"`
}

// rawRequest sends a protocol data unit and returns the one that came back.
func (s *session) rawRequest(cmd *sdk.Command, u *unit, arguments string) (any, error) {
	args, err := sdk.Decode(arguments, rawArguments{})
	if err != nil {
		return nil, err
	}
	bytes, err := hex.DecodeString(strings.ReplaceAll(args.PDU, " ", ""))
	if err != nil {
		return nil, sdk.Invalid(fmt.Errorf("pdu: %w", err))
	}
	request, err := pdu.NewRaw(bytes)
	if err != nil {
		return nil, sdk.Invalid(fmt.Errorf("pdu: %w", err))
	}
	response, err := s.ask(cmd, u, request)
	return rawArguments{PDU: strings.ToUpper(hex.EncodeToString(response))}, err
}

// identifyArguments are the arguments of the action identify.
type identifyArguments struct {
	Category string `json:"category"`
}

// identity is the result of the action identify.
type identity struct {
	Conformity byte `json:"conformity"`
	// Objects are by their names, or by their numbers where the specification has none.
	Objects map[string]string `json:"objects"`
}

var (
	categories = map[string]pdu.Category{"basic": pdu.Basic, "regular": pdu.Regular, "extended": pdu.Extended}
	// objectNames are those of the specification (section 6.21).
	objectNames = [...]string{
		"vendor_name", "product_code", "revision", "vendor_url", "product_name", "model_name", "application_name",
	}
)

// identify asks a unit what it is, in as many requests as it takes.
func (s *session) identify(cmd *sdk.Command, u *unit, arguments string) (any, error) {
	args, err := sdk.Decode(arguments, identifyArguments{Category: "basic"})
	if err != nil {
		return nil, err
	}
	category, ok := categories[args.Category]
	if !ok {
		return nil, sdk.Invalid(fmt.Errorf("category: %q, expected basic, regular or extended", args.Category))
	}
	out := identity{Objects: map[string]string{}}
	request := pdu.Identify{Category: category}
	for range maxIdentify {
		response, err := s.ask(cmd, u, request)
		if err != nil {
			return nil, err
		}
		part, err := request.Parse(response)
		if err != nil {
			return nil, exchangeError{err}
		}
		out.add(part)
		if !part.More {
			break
		}
		request.Object = part.Next
	}
	return out, nil
}

func (i *identity) add(part pdu.Identification) {
	i.Conformity = part.Conformity
	for _, o := range part.Objects {
		name := fmt.Sprintf("object_%d", o.ID)
		if int(o.ID) < len(objectNames) {
			name = objectNames[o.ID]
		}
		i.Objects[name] = codec.Text(o.Value)
	}
}
