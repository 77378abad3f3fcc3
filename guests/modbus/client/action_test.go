package client

import (
	"testing"
	"time"

	"github.com/droverhq/drover/abi/component"
	"github.com/droverhq/drover/abi/driver"
	"github.com/droverhq/drover/guests/modbus/pdu"
	"github.com/droverhq/drover/guests/sdk"
)

// identified answers an identification in two parts.
func identified(body []byte) []byte {
	head := []byte{0x2B, 0x0E, body[2], 0x83}
	if body[3] == 0 {
		return append(append(head, 0xFF, 2, 2), "\x00\x04ACME\x01\x03P-1"...)
	}
	return append(append(head, 0, 0, 2), "\x02\x03V\xB01\x80\x01x"...)
}

func TestActions(t *testing.T) {
	tests := []struct {
		name, action, arguments, want string
	}{
		{"identify", "identify", `{"category":"extended"}`,
			`{"conformity":131,"objects":{"object_128":"x","product_code":"P-1","revision":"V°1","vendor_name":"ACME"}}`},
		{"category", "identify", `{"category":"all"}`, "invalid"},
		{"unknown argument", "identify", `{"kind":"basic"}`, "invalid"},
		{"raw read", "raw", `{"pdu":"03 006B 0003"}`, `{"pdu":"0306006B006C006D"}`},
		{"raw write", "raw", `{"pdu":"0600050007"}`, `{"pdu":"0600050007"}`},
		{"raw, a function of somebody's own", "raw", `{"pdu":"41AA"}`, `{"pdu":"41AABBCC"}`},
		{"raw, refused", "raw", `{"pdu":"0300FF0001"}`, "refused exception-2"},
		{"raw, no answer", "raw", `{"pdu":"4200"}`, "unknown timeout"},
		{"raw, no hexadecimal", "raw", `{"pdu":"03zz"}`, "invalid"},
		{"raw, an exception's code", "raw", `{"pdu":"8301"}`, "invalid"},
		{"raw, nothing", "raw", `{"pdu":""}`, "invalid"},
		{"unknown action", "reset", ``, "unsupported"},
	}
	for _, kind := range []driver.ConnectionKind{onTCP, onSerial} {
		for _, tt := range tests {
			t.Run(kind.String()+" "+tt.name, func(t *testing.T) {
				p := newPeer(kind == onTCP, 1)
				s := p.units[1]
				s.refuse[255] = pdu.IllegalAddress
				s.canned[0x2B] = identified
				s.canned[0x41] = func(body []byte) []byte { return append(body, 0xBB, 0xCC) }
				s.canned[0x42] = func([]byte) []byte { return nil }
				b := newBench(t, newConfig(kind, `{"timeout":"200ms"}`).device(1, `,"raw":true`).points("holding:1 uint16"), p)
				var id uint64
				b.After(100*time.Millisecond, func() { id = b.invoke(1, tt.action, tt.arguments) })
				b.run(t, 900*time.Millisecond)
				if got := b.invoked(id); got != tt.want {
					t.Errorf("%s, want %s; asked %q", got, tt.want, p.asked)
				}
			})
		}
	}
}

func (b *bench) invoke(device sdk.DeviceID, action, arguments string) uint64 {
	request := driver.ActionRequest{Device: component.Some(device), Action: action, Arguments: arguments}
	return b.Command(driver.RequestInvoke(request), 700*time.Millisecond)
}

func (b *bench) invoked(id uint64) string {
	switch a, ok := b.Answer(id); {
	case !ok:
		return "no answer"
	case a.Failed:
		return shortError(a.Err)
	default:
		return a.Value.Invoke()
	}
}

// TestRawIsOffUnlessAllowed asks a unit that does not allow it, one that does not exist, and all at once.
func TestRawIsOffUnlessAllowed(t *testing.T) {
	conf := newConfig(onSerial, ``).device(1, "").device(0, `,"raw":true`)
	b := newBench(t, conf, newPeer(false, 1))
	var ids []uint64
	for device := range sdk.DeviceID(4) {
		ids = append(ids, b.invoke(device, "raw", `{"pdu":"0300000001"}`))
	}
	b.run(t, time.Second)
	for device, id := range ids {
		if got := b.invoked(id); got != "unsupported" {
			t.Errorf("device %d: %s", device, got)
		}
	}
	if len(b.peer.asked) != 0 {
		t.Errorf("sent %q", b.peer.asked)
	}
}

// TestIdentificationWithoutEnd has a unit that says for ever that there is more.
func TestIdentificationWithoutEnd(t *testing.T) {
	p := newPeer(true, 1)
	p.units[1].canned[0x2B] = func([]byte) []byte { return []byte{0x2B, 0x0E, 1, 1, 0xFF, 0, 0} }
	b := newBench(t, newConfig(onTCP, ``).device(1, ""), p)
	id := b.invoke(1, "identify", "")
	b.run(t, 2*time.Second)
	if got := b.invoked(id); got != `{"conformity":1,"objects":{}}` || len(p.asked) != maxIdentify {
		t.Errorf("%s after %d requests", got, len(p.asked))
	}
}
