package node

import (
	"errors"
	"slices"
	"sync"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// A schema of a few hundred bytes can ask for more evaluations than there is time: each of its definitions has the next
// one twice, or a definition has itself twice, one level deeper in the value. The library cannot be interrupted, so what
// it evaluates is counted, and what comes after too much fails at once.
const (
	// firstEvaluations are what the values of a channel may take together, besides what each brings along.
	firstEvaluations = 200_000
	// valueEvaluations and byteEvaluations are what each value brings along, and each byte of it.
	valueEvaluations, byteEvaluations = 1000, 4
)

var errEvaluations = errors.New("it takes too many evaluations")

// budget counts evaluations, for the schemas of one driver: those of the channel whose values are evaluated.
type budget struct {
	mu        sync.Mutex
	left      int
	exhausted bool
}

func newBudget() *budget { return new(budget) }

// during holds a value of so many bytes against a schema that the budget is for, and returns how many evaluations that
// took. left is what the channel of the value has left; the budget's lock guards it.
func (b *budget) during(left *int, bytes int, validate func() error) (cost int, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	granted := grant(*left, bytes)
	b.left = granted
	b.exhausted = false
	err = validate()
	*left = b.left
	if b.exhausted {
		return granted, errEvaluations
	}
	return granted - b.left, err
}

// grant is what a channel that has so many evaluations left has for a value of so many bytes.
func grant(left, bytes int) int {
	return min(left+valueEvaluations+byteEvaluations*bytes, firstEvaluations)
}

// again takes from a channel what a value of so many bytes took when it was held against the schema before.
func again(left *int, bytes, cost int) error {
	granted := grant(*left, bytes)
	if granted < cost {
		*left = 0
		return errEvaluations
	}
	*left = granted - cost
	return nil
}

// spend takes out what an evaluation costs.
func (b *budget) spend(cost int) error {
	if b.left < cost {
		b.left, b.exhausted = 0, true
	}
	if b.exhausted {
		return errEvaluations
	}
	b.left -= cost
	return nil
}

// count has every evaluation of a compiled schema, and of all that it refers to, spend the budget before it evaluates
// any other: as a format that the value must have, which the library looks at first.
func (b *budget) count(root *jsonschema.Schema) error {
	seen := map[*jsonschema.Schema]struct{}{root: {}}
	for todo := []*jsonschema.Schema{root}; len(todo) > 0; {
		s := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		if s.DynamicRef != nil {
			return errors.New("it has a $dynamicRef, whose target depends on the value") // and cannot be counted
		}
		cost := 1
		for _, part := range parts(s) {
			cost += leafCost(part)
			if _, again := seen[part]; !again {
				seen[part] = struct{}{}
				todo = append(todo, part)
			}
		}
		b.countOne(s, cost)
	}
	return nil
}

func (b *budget) countOne(s *jsonschema.Schema, cost int) {
	own := s.Format
	counting := jsonschema.Format{Validate: func(v any) error {
		if err := b.spend(cost); err != nil || own == nil {
			return err
		}
		return own.Validate(v)
	}}
	if own != nil {
		counting.Name = own.Name
	}
	s.Format = &counting
}

// leafCost is what evaluating a schema costs besides its parts, in what the simplest one does.
func leafCost(s *jsonschema.Schema) int {
	cost := 1 + len(s.Required)
	if s.Enum != nil {
		cost += len(s.Enum.Values)
	}
	for p := range s.PatternProperties {
		cost += p.(pattern).size / 16
	}
	if s.Pattern != nil {
		cost += s.Pattern.(pattern).size / 16
	}
	return cost
}

// parts are the schemas that evaluating s may evaluate.
func parts(s *jsonschema.Schema) []*jsonschema.Schema {
	all := slices.Concat([]*jsonschema.Schema{
		s.Ref, s.RecursiveRef, s.Not, s.If, s.Then, s.Else, s.PropertyNames, s.UnevaluatedProperties, s.Contains,
		s.Items2020, s.UnevaluatedItems, s.ContentSchema,
	}, s.AllOf, s.AnyOf, s.OneOf, s.PrefixItems)
	for _, one := range []any{s.AdditionalProperties, s.Items, s.AdditionalItems} {
		all = append(all, partsOf(one)...)
	}
	for _, one := range s.Dependencies {
		all = append(all, partsOf(one)...)
	}
	for _, part := range s.Properties {
		all = append(all, part)
	}
	for _, part := range s.PatternProperties {
		all = append(all, part)
	}
	for _, part := range s.DependentSchemas {
		all = append(all, part)
	}
	return slices.DeleteFunc(all, func(part *jsonschema.Schema) bool { return part == nil })
}

// partsOf is what a keyword has that may be of several types.
func partsOf(v any) []*jsonschema.Schema {
	switch v := v.(type) {
	case *jsonschema.Schema:
		return []*jsonschema.Schema{v}
	case []*jsonschema.Schema:
		return v
	}
	return nil
}
