package tpmattest

import (
	"errors"
	"fmt"
)

// Check names the step of a verification that refused, in words fit for a journal.
type Check string

// The checks, in the order in which a verifier meets them.
const (
	CheckFormat       Check = "format"         // bytes are not the structure they should be
	CheckAlgorithm    Check = "algorithm"      // a known structure with an algorithm that is not accepted
	CheckPolicy       Check = "key policy"     // attributes of a key do not have the required values
	CheckType         Check = "attest type"    // an attestation of another kind
	CheckQualifying   Check = "qualifyingData" // not the caller's nonce
	CheckName         Check = "name"           // attestation is about another object
	CheckCreationHash Check = "creationHash"   // creation data are not the ones attested
	CheckSignature    Check = "signature"      // not signed by the key
	CheckKey          Check = "subject key"    // a public key is not the one attested
	CheckCertificate  Check = "certificate"    // an EK or AIK certificate is missing, unreadable or about another key
)

// Error is a refusal: the check that failed, and why.
type Error struct {
	Check Check
	Err   error
}

// Error says the check and the cause.
func (e *Error) Error() string { return fmt.Sprintf("tpmattest: %s: %v", e.Check, e.Err) }

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.Err }

// CheckOf gives the check that an error of this package, or one that wraps it, names; "" for other errors.
func CheckOf(err error) Check {
	var e *Error
	if errors.As(err, &e) {
		return e.Check
	}
	return ""
}

func refuse(c Check, format string, args ...any) error {
	return &Error{Check: c, Err: fmt.Errorf(format, args...)}
}
