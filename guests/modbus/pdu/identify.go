package pdu

import "fmt"

// Read device identification (specification, section 6.21): function 43 with MEI type 14.
const (
	encapsulated = 0x2B
	meiIdentify  = 0x0E
	// identifyHead is function, MEI type, category, conformity, more, next object and number of objects.
	identifyHead = 7
)

// Category is how much of its identification a unit is asked for.
type Category byte

// The categories.
const (
	Basic    Category = 1
	Regular  Category = 2
	Extended Category = 3
)

// Identify asks for the objects of a category from one on.
type Identify struct {
	Category Category
	// Object is the id of the first one.
	Object byte
}

// Identification is a part of what a unit says of itself.
type Identification struct {
	Conformity byte
	// Objects are by their ids: 0 vendor, 1 product code, 2 revision, ... They are parts of the response.
	Objects []Object
	// More says that there are others, from Next on.
	More bool
	Next byte
}

// Object is one text of an identification.
type Object struct {
	ID    byte
	Value []byte
}

// Function implements Request.
func (i Identify) Function() byte { return encapsulated }

// Append implements Request.
func (i Identify) Append(dst []byte) []byte {
	return append(dst, encapsulated, meiIdentify, byte(i.Category), i.Object)
}

// ResponseSize implements Request.
func (i Identify) ResponseSize(head []byte) int {
	if len(head) > 1 && head[1] != meiIdentify {
		return 0
	}
	return identifySize(head)
}

// MaxResponse implements Request.
func (i Identify) MaxResponse() int { return MaxSize }

// Mirrored implements Request.
func (i Identify) Mirrored() (Read, bool) { return Read{}, false }

// String implements Request.
func (i Identify) String() string { return fmt.Sprintf("identification from object %d", i.Object) }

// Check implements Request.
func (i Identify) Check(response []byte) error {
	_, err := i.Parse(response)
	return err
}

// identifySize walks the objects as far as head goes.
func identifySize(head []byte) int {
	if len(head) > 1 && head[1] != meiIdentify {
		return AnySize // another MEI type
	}
	size := identifyHead
	if len(head) < size {
		return size
	}
	for range head[identifyHead-1] {
		switch {
		case size+2 > MaxSize:
			return 0
		case len(head) < size+2:
			return size + 2
		}
		size += 2 + int(head[size+1])
	}
	if size > MaxSize {
		return 0
	}
	return size
}

// Parse takes a response apart. Errors are those of Check.
func (i Identify) Parse(response []byte) (Identification, error) {
	if err := refusal(encapsulated, response); err != nil {
		return Identification{}, err
	}
	if response[1] != meiIdentify || len(response) < identifyHead || len(response) != identifySize(response) {
		return Identification{}, formatErrorf("no device identification in %d bytes", len(response))
	}
	out := Identification{Conformity: response[3], More: response[4] == 0xFF, Next: response[5]}
	for rest := response[identifyHead:]; len(rest) > 0; {
		size := int(rest[1])
		out.Objects = append(out.Objects, Object{ID: rest[0], Value: rest[2 : 2+size]})
		rest = rest[2+size:]
	}
	return out, nil
}
