package krb5

import (
	"time"

	"github.com/jcmturner/gofork/encoding/asn1"
	"github.com/jcmturner/gokrb5/v8/types"
)

type wirePrivate struct {
	PVNO    int                 `asn1:"explicit,tag:0"`
	MsgType int                 `asn1:"explicit,tag:1"`
	EncPart types.EncryptedData `asn1:"explicit,tag:3"`
}

type wirePrivatePart struct {
	UserData  []byte            `asn1:"explicit,tag:0"`
	Timestamp time.Time         `asn1:"generalized,optional,explicit,tag:1"`
	Usec      int               `asn1:"optional,explicit,tag:2"`
	Sequence  int64             `asn1:"optional,explicit,tag:3"`
	SAddress  types.HostAddress `asn1:"explicit,tag:4"`
	RAddress  asn1.RawValue     `asn1:"optional,explicit,tag:5"`
}

// sealPrivate makes a KRB-PRIV (RFC 4120 5.7.1). The address is the sender's,
// four bytes or sixteen; some receivers hold it against the packet's.
func sealPrivate(k Key, data []byte, sequence uint32, address []byte) ([]byte, error) {
	kind := int32(2) // IPv4 (RFC 4120 7.5.3)
	if len(address) == 16 {
		kind = 24
	}
	plain, err := marshal("EncKrbPrivPart", wirePrivatePart{
		UserData: data, Sequence: int64(sequence), SAddress: types.HostAddress{AddrType: kind, Address: address},
	}, tagPrivatePart)
	if err != nil {
		return nil, err
	}
	sealed, err := k.seal(usagePrivate, 0, plain)
	if err != nil {
		return nil, err
	}
	return marshal("KRB-PRIV", wirePrivate{version, typePrivate, sealed}, typePrivate)
}

func openPrivate(k Key, b []byte) ([]byte, error) {
	var w wirePrivate
	if err := unmarshal("KRB-PRIV", b, &w, "application,explicit,tag:21"); err != nil {
		return nil, err
	}
	if w.PVNO != version || w.MsgType != typePrivate {
		return nil, Refusal(ErrMessageType)
	}
	plain, err := k.decrypt(usagePrivate, w.EncPart.Cipher)
	if err != nil {
		return nil, asRefusal(err, ErrIntegrity)
	}
	var part wirePrivatePart
	if err := loose("EncKrbPrivPart", plain, &part, "application,explicit,tag:28"); err != nil {
		return nil, err
	}
	return part.UserData, nil
}
