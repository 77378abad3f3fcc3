package codec

import "github.com/droverhq/drover/abi/driver"

// typeName is a type as configurations write it.
func typeName(t driver.ScalarType) string {
	switch t {
	case driver.ScalarTypeBoolean:
		return "bool"
	case driver.ScalarTypeText:
		return "string"
	}
	return t.String()
}
