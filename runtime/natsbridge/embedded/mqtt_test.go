package embedded_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"testing"
	"time"

	"github.com/droverhq/drover/runtime/natsbridge/embedded"
)

// The packets of MQTT 3.1.1 (OASIS standard, section 2.2.1), in the upper half of their first byte; SUBSCRIBE has its
// flags in the lower one.
const (
	mqttConnect, mqttConnAck        = 0x10, 0x20
	mqttPublish                     = 0x30
	mqttSubscribe, mqttSubscribeAck = 0x82, 0x90
)

// mqttClient is a client of MQTT, as anonymous as it comes.
type mqttClient struct{ net.Conn }

func connectMQTT(t *testing.T, address string) mqttClient {
	t.Helper()
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	c := mqttClient{conn}
	// Protocol level 4, a clean session, no keep-alive (section 3.1).
	c.send(t, mqttConnect, mqttText("MQTT"), []byte{4, 2, 0, 0}, mqttText("panel"))
	if kind, body := c.receive(t); kind != mqttConnAck || !bytes.Equal(body, []byte{0, 0}) {
		t.Fatalf("connect: got packet %#x % x", kind, body)
	}
	return c
}

// subscribe returns the quality of service that a topic filter was granted, 0x80 for none (section 3.9.3).
func (c mqttClient) subscribe(t *testing.T, filter string) byte {
	t.Helper()
	c.send(t, mqttSubscribe, []byte{0, 1}, mqttText(filter), []byte{0})
	kind, body := c.receive(t)
	if kind != mqttSubscribeAck || len(body) != 3 {
		t.Fatalf("subscribe: got packet %#x % x", kind, body)
	}
	return body[2]
}

func (c mqttClient) publish(t *testing.T, topic, payload string) {
	t.Helper()
	c.send(t, mqttPublish, mqttText(topic), []byte(payload))
}

func (c mqttClient) send(t *testing.T, kind byte, parts ...[]byte) {
	t.Helper()
	body := bytes.Join(parts, nil)
	if _, err := c.Write(append(binary.AppendUvarint([]byte{kind}, uint64(len(body))), body...)); err != nil {
		t.Fatal(err)
	}
}

func (c mqttClient) receive(t *testing.T) (kind byte, body []byte) {
	t.Helper()
	var first [1]byte
	if _, err := io.ReadFull(c, first[:]); err != nil {
		t.Fatal(err)
	}
	length, err := binary.ReadUvarint(byteByByte{c})
	if err != nil {
		t.Fatal(err)
	}
	body = make([]byte, length)
	if _, err := io.ReadFull(c, body); err != nil {
		t.Fatal(err)
	}
	return first[0], body
}

// mqttText is a text with its length before it (section 1.5.3).
func mqttText(s string) []byte {
	return append(binary.BigEndian.AppendUint16(nil, uint16(len(s))), s...)
}

// byteByByte reads no more than it is asked for.
type byteByByte struct{ io.Reader }

func (r byteByByte) ReadByte() (byte, error) {
	var b [1]byte
	_, err := io.ReadFull(r, b[:])
	return b[0], err
}

// TestMQTT: what a node publishes comes to clients of MQTT, who may do no more than other anonymous ones.
func TestMQTT(t *testing.T) {
	address := fmt.Sprintf("127.0.0.1:%d", freePorts(t, 1)[0])
	s := start(t, embedded.Config{Name: "n1", File: conf(t, fmt.Sprintf("mqtt {listen: %q}", address)), Listen: "127.0.0.1:0", Data: t.TempDir()})
	node, _ := connect(t, "", inProcess(t, s)...)
	calls, err := node.SubscribeSync("drover-call.>")
	if err != nil {
		t.Fatal(err)
	}
	if err := node.Flush(); err != nil {
		t.Fatal(err)
	}

	panel := connectMQTT(t, address)
	if granted := panel.subscribe(t, "drover/n1/+/data/#"); granted != 0 {
		t.Fatalf("subscribe to data: %#x", granted)
	}
	const data = `{"ts":"2026-11-23T08:20:01.123456789Z","epoch":"e","seq":1,"points":{"p":{"v":21.5}}}`
	if err := node.Publish("drover.n1.boiler.data.pump", []byte(data)); err != nil {
		t.Fatal(err)
	}
	kind, body := panel.receive(t)
	if want := append(mqttText("drover/n1/boiler/data/pump"), data...); kind != mqttPublish || !bytes.Equal(body, want) {
		t.Errorf("got packet %#x %q", kind, body)
	}
	panel.publish(t, "drover-call/n1/boiler/write/pump/p", "1")
	if granted := panel.subscribe(t, "drover-call/#"); granted != 0x80 { // its answer comes after the publish
		t.Errorf("it may listen to calls: %#x", granted)
	}
	if err := node.Publish("drover-call.n1.get.ping", nil); err != nil {
		t.Fatal(err)
	}
	if m, err := calls.NextMsg(patience); err != nil || m.Subject != "drover-call.n1.get.ping" {
		t.Errorf("the node got %v, %v", m, err)
	}
}
