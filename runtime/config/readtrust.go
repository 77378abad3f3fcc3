package config

import (
	"strings"

	"go.yaml.in/yaml/v4"

	"github.com/droverhq/drover/runtime/store/signature"
)

const whatTrust = "a list of public keys: paths of files such as release.pem.pub, or keys themselves as PEM"

// trust reads the public keys whose signatures the node takes modules by. Each is a file that `drover module keygen`
// writes, or what such a file has. A list without keys would refuse every module, and is a mistake.
func (v value) trust(into *signature.Keys) {
	if v.node.Kind != yaml.SequenceNode || len(v.node.Content) == 0 {
		v.expected(whatTrust)
		return
	}
	*into = signature.Keys{}
	for i := range v.node.Content {
		v.element(i).trustedKey(*into)
	}
}

func (v value) trustedKey(keys signature.Keys) {
	var text string
	if !v.text(&text, "the path of a public key, such as release.pem.pub, or the key itself as PEM") {
		return
	}
	pem, from := []byte(text), ""
	if !strings.Contains(text, "-----BEGIN ") {
		path := v.r.absolute(text)
		from = path + ": "
		var err error
		if pem, err = v.read(path); err != nil {
			return
		}
	}
	key, err := signature.ParsePublicKey(pem)
	if err != nil {
		v.problem("%s%v", from, err)
		return
	}
	id, err := signature.KeyID(key)
	if err != nil {
		v.problem("%s%v", from, err)
		return
	}
	if _, twice := keys[id]; twice {
		v.problem("%skey %s is in the list already, expected each key once", from, id)
		return
	}
	keys[id] = key
}
