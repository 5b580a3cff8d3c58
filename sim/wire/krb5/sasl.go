package krb5

import "errors"

// Layers are what SASL may put over a connection (RFC 4752 3.3), as a bit mask.
type Layers byte

// The layers.
const (
	LayerNone Layers = 1
	LayerSign Layers = 2
	LayerSeal Layers = 4
)

var errLayers = errors.New("krb5: malformed negotiation of SASL layers")

// EncodeLayers is the message about layers, which goes wrapped but not sealed:
// the server offers a mask, the client answers with one layer and, perhaps, the
// identity it wants to act as. The size is the largest message that the sender
// takes, below 16 MiB; 0 with LayerNone.
func EncodeLayers(l Layers, size int, identity string) []byte {
	return append([]byte{byte(l), byte(size >> 16), byte(size >> 8), byte(size)}, identity...)
}

// DecodeLayers reads one.
func DecodeLayers(b []byte) (l Layers, size int, identity string, err error) {
	if len(b) < 4 || b[0]&^7 != 0 {
		return 0, 0, "", errLayers
	}
	return Layers(b[0]), int(b[1])<<16 | int(b[2])<<8 | int(b[3]), string(b[4:]), nil
}
