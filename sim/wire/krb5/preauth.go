package krb5

import (
	"time"

	"github.com/jcmturner/gofork/encoding/asn1"
	"github.com/jcmturner/gokrb5/v8/types"
)

// ETypeInfo says how a client makes a key of its password (RFC 4120 5.2.7.5).
type ETypeInfo struct {
	Type int32
	Salt string // "" for RC4
}

// EncodeETypeInfo2 is the value of PA-ETYPE-INFO2.
func EncodeETypeInfo2(list []ETypeInfo) []byte {
	var w types.ETypeInfo2
	for _, i := range list {
		w = append(w, types.ETypeInfo2Entry{EType: i.Type, Salt: i.Salt})
	}
	b, _ := asn1.Marshal(w) // a salt that is no text leaves it empty, which no client accepts
	return b
}

// DecodeETypeInfo2 reads one. Parameters of the key derivation other than the
// default are refused: 4,294,967,295 rounds would be a way to keep a client
// busy (RFC 3962 4).
func DecodeETypeInfo2(b []byte) ([]ETypeInfo, error) {
	var w types.ETypeInfo2
	if err := unmarshal("PA-ETYPE-INFO2", b, &w, ""); err != nil {
		return nil, err
	}
	var list []ETypeInfo
	for _, e := range w {
		if len(e.S2KParams) == 0 || string(e.S2KParams) == "\x00\x00\x10\x00" {
			list = append(list, ETypeInfo{e.EType, e.Salt})
		}
	}
	return list, nil
}

// EncryptedTimestamp is the value of PA-ENC-TIMESTAMP: that a client knows its
// key now (RFC 4120 5.2.7.2).
func EncryptedTimestamp(k Key, now time.Time) ([]byte, error) {
	plain, err := asn1.Marshal(types.PAEncTSEnc{PATimestamp: utc(now), PAUSec: now.Nanosecond() / 1000})
	if err != nil {
		return nil, err
	}
	e, err := k.seal(usageTimestamp, 0, plain)
	if err != nil {
		return nil, err
	}
	return e.Marshal()
}

// TimestampType is the encryption type of a PA-ENC-TIMESTAMP.
func TimestampType(value []byte) (int32, error) {
	var e types.EncryptedData
	err := unmarshal("PA-ENC-TIMESTAMP", value, &e, "")
	return e.EType, err
}

// OpenTimestamp is the client's time.
func OpenTimestamp(k Key, value []byte) (time.Time, error) {
	var e types.EncryptedData
	if err := unmarshal("PA-ENC-TIMESTAMP", value, &e, ""); err != nil {
		return time.Time{}, err
	}
	plain, err := k.decrypt(usageTimestamp, e.Cipher)
	if err != nil {
		return time.Time{}, err
	}
	var ts types.PAEncTSEnc
	if err := loose("PA-ENC-TS-ENC", plain, &ts, ""); err != nil {
		return time.Time{}, err
	}
	return ts.PATimestamp.Add(time.Duration(ts.PAUSec) * time.Microsecond), nil
}
