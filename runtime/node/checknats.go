package node

import (
	"errors"

	"github.com/droverhq/drover/runtime/config"
	"github.com/droverhq/drover/runtime/natsbridge/embedded"
)

// CheckNATS reports what is wrong with the nats-server configuration that a configuration names, at its own lines, and
// with the place that it has there.
func CheckNATS(c *config.Node) config.Problems {
	if c.NATS.Embedded == nil || c.NATS.Embedded.Config == "" {
		return nil
	}
	err := embedded.Check(serverConfig(Config{Node: c}))
	if found, ok := errors.AsType[embedded.Problems](err); ok {
		var problems config.Problems
		for _, p := range found {
			problems = append(problems, config.Problem{File: p.File, Line: p.Line, Column: p.Column, Message: p.Message})
		}
		return problems
	}
	if err != nil {
		return config.Problems{{File: c.File, Line: 1, Column: 1, Path: "nats.embedded.config", Message: err.Error()}}
	}
	return nil
}
