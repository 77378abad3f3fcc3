package natsbridge

import (
	"maps"
	"sync"

	"github.com/nats-io/nats.go/micro"

	"github.com/droverhq/drover/runtime/natsbridge/message"
)

// endpoint is one verb, or one root of verbs, and what came of its calls.
type endpoint struct {
	name string
	// subject is its subject below the node's.
	subject string
	handle  func(*endpoint, micro.Request)
	slots   chan struct{}

	mu     sync.Mutex
	counts EndpointStats
	byCode map[string]uint64
}

// EndpointStats are the counters of one endpoint in $SRV.STATS, in the member data: the service's own count requests, but
// no errors, because answers are given later than its handlers return.
type EndpointStats struct {
	Answered uint64 `json:"answered"`
	Failed   uint64 `json:"failed"`
	// Codes counts the failed by the codes of their errors; a device's own are one.
	Codes     map[string]uint64 `json:"codes,omitempty"`
	LastError string            `json:"last_error,omitempty"`
}

func newEndpoint(name, subject string, slots int, handle func(*endpoint, micro.Request)) *endpoint {
	return &endpoint{
		name: name, subject: subject, handle: handle, slots: make(chan struct{}, slots), byCode: make(map[string]uint64),
	}
}

// count counts one answer.
func (e *endpoint) count(err *message.Error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.counts.Answered++
	if err == nil {
		return
	}
	e.counts.Failed++
	e.counts.LastError = err.Error()
	code := err.Code
	if err.Status == 502 {
		code = message.DevicePrefix + "*"
	}
	e.byCode[code]++
}

// counted returns the counters of all endpoints by name.
func (c *calls) counted() map[string]EndpointStats {
	all := make(map[string]EndpointStats, len(c.endpoints))
	for _, e := range c.endpoints {
		all[e.name] = e.counted()
	}
	return all
}

func (e *endpoint) counted() EndpointStats {
	e.mu.Lock()
	defer e.mu.Unlock()
	s := e.counts
	s.Codes = maps.Clone(e.byCode)
	return s
}
