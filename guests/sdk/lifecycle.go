package sdk

import (
	"errors"

	"github.com/droverhq/drover/abi/component"
	"github.com/droverhq/drover/abi/driver"
)

// Lifecycle is the contract's lifecycle interface over a Driver: what Register exports, and what sdktest drives.
type Lifecycle struct {
	host      Host
	driver    Driver
	connector Connector
	session   Session
	// config and context are here by value: each size of object that an instance takes is a page of the host's.
	config  Config
	context Context
}

// NewLifecycle returns the lifecycle of an instance that knows the world through host.
func NewLifecycle(d Driver, host Host) *Lifecycle { return &Lifecycle{host: host, driver: d} }

// Describe implements the contract.
func (l *Lifecycle) Describe() driver.Metadata {
	m := l.driver.Describe()
	return m.lower()
}

// Configure implements the contract.
func (l *Lifecycle) Configure(c driver.Config) component.Result[component.Unit, driver.Failure] {
	l.config.lift(c)
	connector, err := l.driver.Configure(&l.config)
	if err == nil && connector == nil {
		err = errors.New("driver returned no connector")
	}
	if err != nil {
		return component.Err[component.Unit](failureOf(err))
	}
	l.connector = connector
	return component.Done[driver.Failure]()
}

// Connect implements the contract.
func (l *Lifecycle) Connect(s driver.Session) component.Result[component.Unit, driver.Failure] {
	if l.connector == nil {
		return component.Err[component.Unit](failureOf(errors.New("connect before configure")))
	}
	l.context.begin(l.host, &l.config, s)
	session, err := l.connector.Connect(&l.context)
	if err == nil && session == nil {
		err = errors.New("driver returned no session")
	}
	if err != nil {
		return component.Err[component.Unit](failureOf(err))
	}
	l.session = session
	return component.Done[driver.Failure]()
}

// Init implements the contract.
func (l *Lifecycle) Init(driver.Session) component.Result[driver.Handle, driver.Failure] {
	if l.session == nil {
		return component.Err[driver.Handle](failureOf(errors.New("init before connect")))
	}
	handle, err := l.session.Init(&l.context)
	if err != nil {
		return component.Err[driver.Handle](failureOf(err))
	}
	return component.OK[driver.Failure](handle)
}

// Run implements the contract.
func (l *Lifecycle) Run(driver.Session) component.Result[driver.Outcome, driver.Failure] {
	if l.session == nil {
		return component.Err[driver.Outcome](failureOf(errors.New("run before connect")))
	}
	outcome, err := l.session.Run(&l.context)
	l.context.abandon()
	if err != nil {
		return component.Err[driver.Outcome](failureOf(err))
	}
	return component.OK[driver.Failure](outcome.lowered)
}
