package failure

import (
	"maps"
	"slices"
	"strings"
)

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

// meaning is a row of the table.
type meaning struct {
	// kind is the default.
	kind Kind
	// crash failures count towards quarantine and leave a post-mortem.
	crash bool
	// lost is the default where what failed has worked before, under the same name in the same channel; kind when empty.
	lost Kind
}

// table decides what a failure means.
var table = map[Code]meaning{
	DriverOther: {kind: Retryable},

	IOTimeout:     {kind: Retryable},
	IOClosed:      {kind: Retryable},
	IOReset:       {kind: Retryable},
	IORefused:     {kind: Retryable},
	IOUnreachable: {kind: Retryable},
	IOBusy:        {kind: Retryable},
	IOTLS:         {kind: Retryable},
	IOStuck:       {kind: Retryable},
	IOOther:       {kind: Retryable},
	IONotFound:    {kind: Fatal, lost: Retryable}, // an adapter that was there and is unplugged is plugged in again
	IOInvalid:     {kind: Fatal},
	GrantDenied:   {kind: Fatal},

	TrapUnreachable:     {kind: Retryable, crash: true},
	TrapMemoryBounds:    {kind: Retryable, crash: true},
	TrapTableBounds:     {kind: Retryable, crash: true},
	TrapIndirectCall:    {kind: Retryable, crash: true},
	TrapDivideByZero:    {kind: Retryable, crash: true},
	TrapIntegerOverflow: {kind: Retryable, crash: true},
	TrapConversion:      {kind: Retryable, crash: true},
	TrapOther:           {kind: Retryable, crash: true},
	Exit:                {kind: Retryable, crash: true},

	LimitMemory:   {kind: Retryable, crash: true},
	LimitCPU:      {kind: Retryable, crash: true},
	LimitStack:    {kind: Retryable, crash: true},
	LimitRate:     {kind: Retryable, crash: true},
	LimitDeadline: {kind: Retryable, crash: true},

	ABIVersion:  {kind: Fatal},
	ABIImport:   {kind: Fatal},
	ABIExport:   {kind: Fatal},
	ABIEncoding: {kind: Fatal},

	HostPanic: {kind: Retryable, crash: true},
}

// Kind returns the code's default kind. Codes that the table does not have, a driver's own, are retryable.
func (c Code) Kind() Kind {
	if m, ok := table[c]; ok {
		return m.kind
	}
	return Retryable
}

// KindLost is Kind for a failure of what has worked before, under the same name in the same channel.
func (c Code) KindLost() Kind {
	if m := table[c]; m.lost != "" {
		return m.lost
	}
	return c.Kind()
}

// Codes returns the codes of the table, sorted.
func Codes() []Code { return slices.Sorted(maps.Keys(table)) }

// Crash says whether a failure of this code counts as a crash.
func (c Code) Crash() bool { return table[c].crash }

// Known says whether the code is one of the table's, or has the form of a driver's own.
func (c Code) Known() bool {
	_, ok := table[c]
	return ok || strings.HasPrefix(string(c), DriverPrefix) && len(c) > len(DriverPrefix)
}
