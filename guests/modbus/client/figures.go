package client

import (
	"time"

	"github.com/droverhq/drover/guests/sdk"
)

// reportEvery is the shortest time between two reports of figures.
const reportEvery = 10 * time.Second

// The places of the figures of a unit.
const (
	roundTrip = iota
	requests
	timeouts
	crcErrors
	frameErrors
	exceptions
	lastException
	bytesSent
	bytesReceived
	busDutyCycle
	numFigures
)

// figures are the gauges of a unit: the last round trip in seconds, counts since the session began, and the share of
// the time since the last report in which the bus was in use, by all units.
type figures [numFigures]sdk.Gauge

func newFigures() figures {
	return figures{
		roundTrip:     {F0: "round_trip_seconds"},
		requests:      {F0: "requests"},
		timeouts:      {F0: "timeouts"},
		crcErrors:     {F0: "crc_errors"},
		frameErrors:   {F0: "frame_errors"},
		exceptions:    {F0: "exceptions"},
		lastException: {F0: "last_exception"},
		bytesSent:     {F0: "bytes_sent"},
		bytesReceived: {F0: "bytes_received"},
		busDutyCycle:  {F0: "bus_duty_cycle"},
	}
}

func (f *figures) add(i int, n float64) { f[i].F1 += n }

func (f *figures) set(i int, v float64) { f[i].F1 = v }

// reportFigures gives the figures of all units to the host, at most every reportEvery.
func (s *session) reportFigures(now time.Time) {
	since := now.Sub(s.reported)
	if since < reportEvery {
		return
	}
	duty := s.bus.takeDuty(since)
	s.reported = now
	for _, u := range s.units {
		u.figures.set(busDutyCycle, duty)
		s.ctx.SetGauges(u.device, u.figures[:]...)
	}
}
