package config

// interned are the names, texts and definitions that points have alike, each once.
type interned struct {
	texts       map[string]string
	definitions map[definitionKey]*Definition
}

func newInterned() interned {
	return interned{texts: map[string]string{}, definitions: map[definitionKey]*Definition{}}
}

// longestText is beyond what a name or an address has as a rule: what is longer is hardly there twice.
const longestText = 256

// text returns the text that all who ask for it share.
func (in *interned) text(text string) string {
	if known, ok := in.texts[text]; ok {
		return known
	}
	if len(text) <= longestText {
		in.texts[text] = text
	}
	return text
}

// bytes is text for bytes that their owner may write to.
func (in *interned) bytes(text []byte) string {
	if known, ok := in.texts[string(text)]; ok { // nothing is allocated for that
		return known
	}
	return in.text(string(text))
}

// definition returns the definition that all who ask for an equal one share.
func (in *interned) definition(d *Definition) *Definition {
	key := d.key()
	if known, ok := in.definitions[key]; ok {
		return known
	}
	in.definitions[key] = d
	return d
}

// definitionKey is equal for definitions that say the same.
type definitionKey struct {
	Definition
	bounds  Range
	bounded bool
}

func (d *Definition) key() definitionKey {
	k := definitionKey{Definition: *d}
	if d.Range != nil {
		k.bounds, k.bounded, k.Range = *d.Range, true, nil
	}
	return k
}
