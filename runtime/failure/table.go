package failure

import "strings"

// Code is a stable name of what went wrong: `<room>.<name>`.
type Code string

// The codes of DESIGN.md. A driver's own are `driver.<own>`.
const (
	DriverOther Code = "driver.other"

	IOTimeout     Code = "io.timeout"
	IOClosed      Code = "io.closed"
	IOReset       Code = "io.reset"
	IORefused     Code = "io.refused"
	IOUnreachable Code = "io.unreachable"
	IOBusy        Code = "io.busy"
	IOTLS         Code = "io.tls"
	IOStuck       Code = "io.stuck"
	IOOther       Code = "io.other"
	IONotFound    Code = "io.not-found"
	IOInvalid     Code = "io.invalid"
	GrantDenied   Code = "grant.denied"

	TrapUnreachable     Code = "trap.unreachable"
	TrapMemoryBounds    Code = "trap.memory-bounds"
	TrapTableBounds     Code = "trap.table-bounds"
	TrapIndirectCall    Code = "trap.indirect-call"
	TrapDivideByZero    Code = "trap.divide-by-zero"
	TrapIntegerOverflow Code = "trap.integer-overflow"
	TrapConversion      Code = "trap.conversion"
	TrapOther           Code = "trap.other"
	Exit                Code = "exit"

	LimitMemory   Code = "limit.memory"
	LimitCPU      Code = "limit.cpu"
	LimitStack    Code = "limit.stack"
	LimitRate     Code = "limit.rate"
	LimitDeadline Code = "limit.deadline"

	ABIVersion  Code = "abi.version"
	ABIImport   Code = "abi.import"
	ABIExport   Code = "abi.export"
	ABIEncoding Code = "abi.encoding"

	HostPanic Code = "host.panic"
)

// DriverPrefix starts the codes that drivers declare themselves.
const DriverPrefix = "driver."

type meaning struct {
	kind  Kind
	crash bool
}

// table decides what a failure means: its default kind, and whether it counts as a crash (towards quarantine, and with
// a post-mortem).
var table = map[Code]meaning{
	DriverOther: {Retryable, false},

	IOTimeout:     {Retryable, false},
	IOClosed:      {Retryable, false},
	IOReset:       {Retryable, false},
	IORefused:     {Retryable, false},
	IOUnreachable: {Retryable, false},
	IOBusy:        {Retryable, false},
	IOTLS:         {Retryable, false},
	IOStuck:       {Retryable, false},
	IOOther:       {Retryable, false},
	IONotFound:    {Fatal, false},
	IOInvalid:     {Fatal, false},
	GrantDenied:   {Fatal, false},

	TrapUnreachable:     {Retryable, true},
	TrapMemoryBounds:    {Retryable, true},
	TrapTableBounds:     {Retryable, true},
	TrapIndirectCall:    {Retryable, true},
	TrapDivideByZero:    {Retryable, true},
	TrapIntegerOverflow: {Retryable, true},
	TrapConversion:      {Retryable, true},
	TrapOther:           {Retryable, true},
	Exit:                {Retryable, true},

	LimitMemory:   {Retryable, true},
	LimitCPU:      {Retryable, true},
	LimitStack:    {Retryable, true},
	LimitRate:     {Retryable, true},
	LimitDeadline: {Retryable, true},

	ABIVersion:  {Fatal, false},
	ABIImport:   {Fatal, false},
	ABIExport:   {Fatal, false},
	ABIEncoding: {Fatal, false},

	HostPanic: {Retryable, true},
}

// Kind returns the code's default kind. Codes that the table does not have, a driver's own, are retryable.
func (c Code) Kind() Kind {
	if m, ok := table[c]; ok {
		return m.kind
	}
	return Retryable
}

// Crash says whether a failure of this code counts as a crash.
func (c Code) Crash() bool { return table[c].crash }

// Known says whether the code is one of the table's, or has the form of a driver's own.
func (c Code) Known() bool {
	_, ok := table[c]
	return ok || strings.HasPrefix(string(c), DriverPrefix) && len(c) > len(DriverPrefix)
}
