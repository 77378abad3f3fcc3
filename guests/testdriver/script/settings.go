package script

import (
	_ "embed"

	"github.com/droverhq/drover/guests/sdk"
)

//go:embed settings.json
var settingsSchema string

//go:embed address.json
var addressSchema string

// Settings tell the driver how to behave. The zero value behaves well: it publishes a counter.
type Settings struct {
	// Connection is opened in connect, unless it is empty.
	Connection string `json:"connection"`

	// Configure, Connect, Init and Run say how a phase ends: see Behaviour. Run misbehaves in the poll cycle Cycle,
	// counted from 1; 0 is before the first one.
	Configure Behaviour `json:"configure"`
	Connect   Behaviour `json:"connect"`
	Init      Behaviour `json:"init"`
	Run       Behaviour `json:"run"`
	Cycle     uint64    `json:"cycle"`
	// Attempts are those that misbehave; none: all. Configure does not know its attempt and misbehaves in all.
	Attempts []uint64 `json:"attempts"`

	// Publish is what is wrong with the first batch: unknown-point, wrong-type, too-large; wrong-phase publishes in
	// init. The error ends the run.
	Publish string `json:"publish"`
	// Handle is what is wrong with what init returns: unknown-point, twice, bad-action.
	Handle string `json:"handle"`
	// Reconnects is how often run asks for a reconnect at its start; each answer is logged.
	Reconnects int `json:"reconnects"`
	// Forward publishes the bytes that come in as the first point of type bytes: of a stream at once, of the answers to
	// Request and of what a listener's devices push in their cycle.
	Forward bool `json:"forward"`
	// Obey does each line that comes in as a Behaviour, at once.
	Obey bool `json:"obey"`
	// Request is sent in each cycle, and an answer awaited for a second; without one, the cycle's samples are bad.
	Request string `json:"request"`
	// Keep saves the counter on each cycle, and goes on from it.
	Keep bool `json:"keep"`
	// Work is how long a cycle takes, Finish how long yielding does.
	Work   sdk.Duration `json:"work"`
	Finish sdk.Duration `json:"finish"`
	// IgnoreYield and IgnoreStop go on as if nothing was asked.
	IgnoreYield bool `json:"ignoreYield"`
	IgnoreStop  bool `json:"ignoreStop"`
	// Answers say how commands are answered: see Answer. The names are those of points and actions, and then read, write
	// and invoke for all others. What has no answer is done.
	Answers map[string]Answer `json:"answers"`
	// Status is what run says of its devices at its start: online, degraded or offline.
	Status string `json:"status"`
	// Leak is how many bytes each cycle keeps.
	Leak int `json:"leak"`

	// Log are lines to log at the start of run, "level message"; Stdout and Stderr text to write.
	Log    []string `json:"log"`
	Stdout string   `json:"stdout"`
	Stderr string   `json:"stderr"`
	// Password is a secret that the driver does nothing with.
	Password string `json:"password"`
}
