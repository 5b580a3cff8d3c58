package krb5

import (
	"encoding/binary"

	"github.com/jcmturner/gofork/encoding/asn1"
)

// extendedError is KERB_ERR_TYPE_EXTENDED ([MS-KILE] 2.2.1).
const extendedError = 3

// errorData is KERB-ERROR-DATA.
type errorData struct {
	Type  int    `asn1:"explicit,tag:1"`
	Value []byte `asn1:"explicit,optional,tag:2"`
}

// StatusData is the data of an error that tells Windows' own reason, an
// NTSTATUS (KERB-EXT-ERROR, [MS-KILE] 2.2.1).
func StatusData(status uint32) []byte {
	v := make([]byte, 12)
	binary.LittleEndian.PutUint32(v, status)
	v[8] = 1
	b, _ := asn1.Marshal(errorData{extendedError, v}) // a number and octets
	return b
}

// Status is that reason, where the error's data has one: alone, or in a list.
func (e *Error) Status() (uint32, bool) {
	var one errorData
	if unmarshal("KERB-ERROR-DATA", e.Data, &one, "") == nil {
		return one.status()
	}
	var list []errorData
	if unmarshal("KERB-ERROR-DATA", e.Data, &list, "") != nil {
		return 0, false
	}
	for _, d := range list {
		if s, ok := d.status(); ok {
			return s, true
		}
	}
	return 0, false
}

func (d errorData) status() (uint32, bool) {
	if d.Type != extendedError || len(d.Value) != 12 {
		return 0, false
	}
	return binary.LittleEndian.Uint32(d.Value), true
}
