package module

import (
	"time"

	"github.com/droverhq/drover/abi/canon"
)

// Call is one call of the host as a post-mortem has it.
type Call = canon.Call

// PostMortem is what is known of an instance when a call into it has failed.
type PostMortem struct {
	// Stack has the guest's functions at the failure, innermost first, a line each with the types of parameters and
	// results, as wazero writes it; empty when the failure had no stack. Names are those of the module's name section.
	// There are no source lines: DWARF describes the code before it was metered.
	Stack string
	// Output are the last 64 lines that the guest wrote to stdout and stderr, oldest first.
	Output []string
	// Calls are the last 64 calls of imports, oldest first.
	Calls []Call
	// Memory is the most that the guest's memory had, in bytes.
	Memory uint64
	// CPU is for how long the guest's code ran.
	CPU time.Duration
}

// PostMortem tells what is known of the instance. It is called on the goroutine that calls the instance, when the call
// that failed has returned and before Close. What InstanceConfig.Secrets has is redacted.
func (i *Instance) PostMortem() PostMortem {
	usage := i.Usage()
	return PostMortem{
		Stack: i.stack, Output: i.output.last(), Calls: i.abi.Guest().Calls(i.config.Secrets),
		Memory: usage.Memory, CPU: usage.CPU,
	}
}
