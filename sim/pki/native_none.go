//go:build !cgo

package pki

import (
	"crypto/rsa"
	"time"
)

// rawRSA is what there would be with libcrypto.
type rawRSA struct{}

func newRawRSA(*rsa.PrivateKey) *rawRSA { return nil }

func (*rawRSA) power([]byte) bool { return false }

// RSATime is nothing without libcrypto.
func RSATime() time.Duration { return 0 }
