package ldap

import (
	"errors"
	"fmt"
	"strconv"
)

// ResultCode is a result of RFC 4511 4.1.9.
type ResultCode int

// The codes that a domain controller sends ([MS-ADTS] 3.1.1.3.1.9 maps Windows' errors to them).
const (
	Success                      ResultCode = 0
	OperationsError              ResultCode = 1
	ProtocolError                ResultCode = 2
	TimeLimitExceeded            ResultCode = 3
	SizeLimitExceeded            ResultCode = 4
	CompareFalse                 ResultCode = 5
	CompareTrue                  ResultCode = 6
	AuthMethodNotSupported       ResultCode = 7
	StrongerAuthRequired         ResultCode = 8
	Referral                     ResultCode = 10
	AdminLimitExceeded           ResultCode = 11
	UnavailableCriticalExtension ResultCode = 12
	ConfidentialityRequired      ResultCode = 13
	SASLBindInProgress           ResultCode = 14
	NoSuchAttribute              ResultCode = 16
	UndefinedAttributeType       ResultCode = 17
	InappropriateMatching        ResultCode = 18
	ConstraintViolation          ResultCode = 19
	AttributeOrValueExists       ResultCode = 20
	InvalidAttributeSyntax       ResultCode = 21
	NoSuchObject                 ResultCode = 32
	AliasProblem                 ResultCode = 33
	InvalidDNSyntax              ResultCode = 34
	InappropriateAuthentication  ResultCode = 48
	InvalidCredentials           ResultCode = 49
	InsufficientAccessRights     ResultCode = 50
	Busy                         ResultCode = 51
	Unavailable                  ResultCode = 52
	UnwillingToPerform           ResultCode = 53
	LoopDetect                   ResultCode = 54
	NamingViolation              ResultCode = 64
	ObjectClassViolation         ResultCode = 65
	NotAllowedOnNonLeaf          ResultCode = 66
	NotAllowedOnRDN              ResultCode = 67
	EntryAlreadyExists           ResultCode = 68
	ObjectClassModsProhibited    ResultCode = 69
	AffectsMultipleDSAs          ResultCode = 71
	Other                        ResultCode = 80
)

var codeNames = map[ResultCode]string{
	Success: "success", OperationsError: "operationsError", ProtocolError: "protocolError", TimeLimitExceeded: "timeLimitExceeded",
	SizeLimitExceeded: "sizeLimitExceeded", CompareFalse: "compareFalse", CompareTrue: "compareTrue",
	AuthMethodNotSupported: "authMethodNotSupported", StrongerAuthRequired: "strongerAuthRequired", Referral: "referral",
	AdminLimitExceeded: "adminLimitExceeded", UnavailableCriticalExtension: "unavailableCriticalExtension",
	ConfidentialityRequired: "confidentialityRequired", SASLBindInProgress: "saslBindInProgress", NoSuchAttribute: "noSuchAttribute",
	UndefinedAttributeType: "undefinedAttributeType", InappropriateMatching: "inappropriateMatching",
	ConstraintViolation: "constraintViolation", AttributeOrValueExists: "attributeOrValueExists",
	InvalidAttributeSyntax: "invalidAttributeSyntax", NoSuchObject: "noSuchObject", AliasProblem: "aliasProblem",
	InvalidDNSyntax: "invalidDNSyntax", InappropriateAuthentication: "inappropriateAuthentication",
	InvalidCredentials: "invalidCredentials", InsufficientAccessRights: "insufficientAccessRights", Busy: "busy",
	Unavailable: "unavailable", UnwillingToPerform: "unwillingToPerform", LoopDetect: "loopDetect", NamingViolation: "namingViolation",
	ObjectClassViolation: "objectClassViolation", NotAllowedOnNonLeaf: "notAllowedOnNonLeaf", NotAllowedOnRDN: "notAllowedOnRDN",
	EntryAlreadyExists: "entryAlreadyExists", ObjectClassModsProhibited: "objectClassModsProhibited",
	AffectsMultipleDSAs: "affectsMultipleDSAs", Other: "other",
}

// String is the code's name in RFC 4511, or its number.
func (c ResultCode) String() string {
	if s, ok := codeNames[c]; ok {
		return s
	}
	return strconv.Itoa(int(c))
}

// Error is a refusal: a result that is not what the operation is for. Message is the server's diagnostic text, Matched
// the longest existing part of a name that was not found.
type Error struct {
	Code      ResultCode
	Matched   string
	Message   string
	Referrals []string
}

func (e *Error) Error() string {
	s := fmt.Sprintf("ldap: %s (%d)", e.Code, int(e.Code))
	if e.Message != "" {
		s += ": " + e.Message
	}
	if e.Matched != "" {
		s += " (matched " + e.Matched + ")"
	}
	return s
}

// Errorf makes a refusal with a diagnostic text.
func Errorf(code ResultCode, format string, args ...any) *Error {
	return &Error{Code: code, Message: fmt.Sprintf(format, args...)}
}

// CodeOf is the result code of an error: Success of nil, that of an [*Error], protocolError of a [*SyntaxError], and
// Other of anything else.
func CodeOf(err error) ResultCode {
	var e *Error
	var s *SyntaxError
	switch {
	case err == nil:
		return Success
	case errors.As(err, &e):
		return e.Code
	case errors.As(err, &s):
		return ProtocolError
	}
	return Other
}

// Result is what every response but a search entry says.
type Result struct {
	Code      ResultCode
	Matched   string
	Message   string
	Referrals []string
}

// ResultOf is what a server answers for an error, nil being success.
func ResultOf(err error) Result {
	var e *Error
	if errors.As(err, &e) {
		return Result{e.Code, e.Matched, e.Message, e.Referrals}
	}
	r := Result{Code: CodeOf(err)}
	if err != nil {
		r.Message = err.Error()
	}
	return r
}

// Err is nil where the operation did what it is for, and an [*Error] otherwise. The answers of compare and a bind that
// goes on are not errors.
func (r Result) Err() error {
	switch r.Code {
	case Success, CompareTrue, CompareFalse, SASLBindInProgress:
		return nil
	}
	return &Error{r.Code, r.Matched, r.Message, r.Referrals}
}
