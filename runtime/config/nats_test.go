package config

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestNATS(t *testing.T) {
	store := Store{Memory: 64 << 20, Disk: 1 << 30, Sync: 10 * time.Second}
	for _, tt := range []struct {
		name, text string
		want       NATS
	}{
		{"nothing", "", NATS{Embedded: &Embedded{Listen: "127.0.0.1:4222", JetStream: true, Store: store}}},
		{"commands", "commands: none", NATS{
			Embedded: &Embedded{Listen: "127.0.0.1:4222", JetStream: true, Store: store}, Commands: CommandsNone,
		}},
		{"store", "embedded: {store: {memory: 8MiB, disk: 2GiB, sync: always}}", NATS{Embedded: &Embedded{
			Listen: "127.0.0.1:4222", JetStream: true,
			Store: Store{Memory: 8 << 20, Disk: 2 << 30, Sync: 10 * time.Second, SyncAlways: true},
		}}},
		{"sync", "embedded: {store: {sync: 2s}}", NATS{Embedded: &Embedded{
			Listen: "127.0.0.1:4222", JetStream: true, Store: Store{Memory: 64 << 20, Disk: 1 << 30, Sync: 2 * time.Second},
		}}},
		{"own file", "embedded: {config: nats.conf, account: PLANT}\n  commands: all", NATS{
			Embedded: &Embedded{JetStream: true, Store: store, Config: "/etc/drover/nats.conf", Account: "PLANT"},
			Commands: CommandsAll,
		}},
		{"own file and address", "embedded: {config: /nats.conf, creds: node.creds, listen: 127.0.0.1:0}", NATS{
			Embedded: &Embedded{
				Listen: "127.0.0.1:0", JetStream: true, Store: store, Config: "/nats.conf", Creds: "/etc/drover/node.creds",
			},
		}},
		{"context", "context: hub\n  tls: {ca: ca.pem}", NATS{
			Remote: &Remote{Context: "hub", TLS: &TLS{CA: "/etc/drover/ca.pem"}},
		}},
		{"path of a context", "context: contexts/hub.json", NATS{Remote: &Remote{Context: "/etc/drover/contexts/hub.json"}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			n, err := newTestReader("f.yaml").parse([]byte("node: n\nnats:\n  " + tt.text + "\nchannels: {}\n"))
			if err != nil {
				t.Fatal(err)
			}
			tt.want.Stream = defaultStream()
			if diff := cmp.Diff(tt.want, n.NATS); diff != "" {
				t.Error("-want +got:\n" + diff)
			}
		})
	}
}
