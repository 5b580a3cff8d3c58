package krb5

import (
	"errors"
	"fmt"
	"unicode/utf16"

	"github.com/jcmturner/gokrb5/v8/crypto"
	"github.com/jcmturner/gokrb5/v8/crypto/etype"
	"github.com/jcmturner/gokrb5/v8/types"
)

// Encryption types, which Active Directory calls AES256, AES128 and RC4.
const (
	AES128 = 17 // RFC 3962
	AES256 = 18
	RC4    = 23 // RFC 4757
)

// EncryptionTypes are those that the package has, the best first.
var EncryptionTypes = []int32{AES256, AES128, RC4}

// Key is a key of an encryption type.
type Key struct {
	Type  int32
	Value []byte
}

// What a key is used for (RFC 4120 7.5.1, RFC 4121 2).
const (
	usageTimestamp      = 1
	usageTicket         = 2
	usageASReply        = 3
	usageTGSChecksum    = 6
	usageTGSAuth        = 7
	usageTGSReply       = 8
	usageTGSReplySubkey = 9
	usageAPChecksum     = 10
	usageAPAuth         = 11
	usageAPReply        = 12
	usagePrivate        = 13
	usageAcceptorSeal   = 22
	usageAcceptorSign   = 23
	usageInitiatorSeal  = 24
	usageInitiatorSign  = 25
)

var (
	errShort  = errors.New("krb5: truncated")
	errCipher = errors.New("krb5: decrypt integrity check failed")
)

// KeySize is the length of a key in bytes; 0: the type is not known.
func KeySize(etype int32) int {
	switch etype {
	case AES256:
		return 32
	case AES128, RC4:
		return 16
	}
	return 0
}

// NewKey is a random key.
func NewKey(etype int32, random func(n int) []byte) Key {
	return Key{etype, random(KeySize(etype))}
}

// StringToKey makes a password's key. RC4 takes no salt. With AES it is
// expensive on purpose (4,096 rounds, RFC 3962 4): keep the result.
func StringToKey(etype int32, password, salt string) (Key, error) {
	if etype == RC4 {
		// MD4 of UTF-16 (RFC 4757 2), which the library's own makes of ASCII only.
		var text []byte
		for _, u := range utf16.Encode([]rune(password)) {
			text = append(text, byte(u), byte(u>>8))
		}
		return Key{RC4, crypto.RC4HMAC{}.RandomToKey(text)}, nil
	}
	e, err := suite(etype)
	if err != nil {
		return Key{}, err
	}
	secret := derivation{etype, password, salt}
	if k, ok := derived.get(secret); ok {
		return k, nil
	}
	k, err := e.StringToKey(password, salt, e.GetDefaultStringToKeyParams())
	if err != nil {
		return Key{}, fmt.Errorf("krb5: string to key: %w", err)
	}
	derived.put(secret, Key{etype, k})
	return Key{etype, k}, nil
}

func suite(id int32) (etype.EType, error) {
	if KeySize(id) == 0 {
		return nil, fmt.Errorf("krb5: encryption type %d is not supported", id)
	}
	e, err := crypto.GetEtype(id)
	if err != nil {
		return nil, fmt.Errorf("krb5: %w", err)
	}
	return e, nil
}

func (k Key) suite() (etype.EType, error) {
	e, err := suite(k.Type)
	if err == nil && len(k.Value) != KeySize(k.Type) {
		err = fmt.Errorf("krb5: a key of type %d has %d bytes", k.Type, len(k.Value))
	}
	return e, err
}

func keyOf(k types.EncryptionKey) Key { return Key{k.KeyType, k.KeyValue} }

// encrypt seals a message for a usage.
func (k Key) encrypt(usage uint32, plain []byte) ([]byte, error) {
	e, err := k.suite()
	if err != nil {
		return nil, err
	}
	_, c, err := e.EncryptMessage(k.Value, plain, usage)
	if err != nil {
		return nil, fmt.Errorf("krb5: encrypt: %w", err)
	}
	return c, nil
}

// decrypt opens one.
func (k Key) decrypt(usage uint32, cipher []byte) ([]byte, error) {
	e, err := k.suite()
	if err != nil {
		return nil, err
	}
	if len(cipher) < e.GetConfounderByteSize()+e.GetHMACBitLength()/8 {
		return nil, errShort
	}
	p, err := e.DecryptMessage(k.Value, cipher, usage)
	if err != nil {
		return nil, errCipher
	}
	return p, nil
}

// checksum is the keyed checksum of a message, of the key's own kind.
func (k Key) checksum(usage uint32, message []byte) (types.Checksum, error) {
	e, err := k.suite()
	if err != nil {
		return types.Checksum{}, err
	}
	sum, err := e.GetChecksumHash(k.Value, message, usage)
	if err != nil {
		return types.Checksum{}, fmt.Errorf("krb5: checksum: %w", err)
	}
	return types.Checksum{CksumType: e.GetHashID(), Checksum: sum}, nil
}

// seal makes the EncryptedData of a message; kvno 0 is left out.
func (k Key) seal(usage uint32, kvno int, plain []byte) (types.EncryptedData, error) {
	c, err := k.encrypt(usage, plain)
	return types.EncryptedData{EType: k.Type, KVNO: kvno, Cipher: c}, err
}
