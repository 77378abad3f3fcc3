// Package component has the component model's generic types as Go types, for both sides of the border.
//
// It imports nothing, so that guests pay nothing for it.
package component

// Unit is the payload of a result that has none: the `_` of result<_, E>.
type Unit struct{}

// Option is option<T>. The zero value is none.
type Option[T any] struct {
	Value T
	Some  bool
}

// Some returns an option that holds v.
func Some[T any](v T) Option[T] { return Option[T]{Value: v, Some: true} }

// None returns an option that holds nothing.
func None[T any]() Option[T] { return Option[T]{} }

// Result is result<T, E>: Value where Failed is false, Err where it is true.
type Result[T, E any] struct {
	Value  T
	Err    E
	Failed bool
}

// OK returns a result that succeeded with v. The error's type comes first, so that only it has to be named.
func OK[E, T any](v T) Result[T, E] { return Result[T, E]{Value: v} }

// Done returns a result that succeeded with nothing.
func Done[E any]() Result[Unit, E] { return Result[Unit, E]{} }

// Err returns a result that failed with e. The value's type comes first, so that only it has to be named.
func Err[T, E any](e E) Result[T, E] { return Result[T, E]{Err: e, Failed: true} }

// Tuple2 is tuple<A, B>.
type Tuple2[A, B any] struct {
	F0 A
	F1 B
}
