package oauth

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
)

// sessionLabel is the fixed label of every derivation from a session key
// ([MS-OAPXBC] 3.1.5.1.3.3).
const sessionLabel = "AzureAD-SecureConversation"

// ContextSize is how many random bytes a ctx header holds.
const ContextSize = 24

// KDF is how a request's key is derived from the session key.
type KDF int

// The versions of [MS-OAPXBC] 3.1.5.1.3.3.
const (
	KDF1 KDF = 1 // context = ctx
	KDF2 KDF = 2 // context = SHA-256(ctx || payload)
)

// CounterKDF is SP 800-108 section 4.1 in counter mode with HMAC-SHA256: a
// 32-bit counter before label, zero byte, context and the length in bits.
func CounterKDF(key, label, context []byte, length int) []byte {
	out := make([]byte, 0, (length+sha256.Size-1)/sha256.Size*sha256.Size)
	for i := uint32(1); len(out) < length; i++ {
		h := hmac.New(sha256.New, key)
		h.Write(binary.BigEndian.AppendUint32(nil, i))
		h.Write(label)
		h.Write([]byte{0})
		h.Write(context)
		h.Write(binary.BigEndian.AppendUint32(nil, uint32(length)*8))
		out = h.Sum(out)
	}
	return out[:length]
}

// DeriveKey is the 32-byte key for one message. The payload counts in version
// 2 only; answers always use version 1 with the ctx of their own header.
func DeriveKey(v KDF, sessionKey, ctx, payload []byte) ([]byte, error) {
	switch v {
	case KDF1:
	case KDF2:
		h := sha256.New()
		h.Write(ctx)
		h.Write(payload)
		ctx = h.Sum(nil)
	default:
		return nil, fmt.Errorf("oauth: kdf version %d is not known", v)
	}
	return CounterKDF(sessionKey, []byte(sessionLabel), ctx, 32), nil
}
