package vtpm

import (
	"fmt"
	"time"

	"github.com/google/go-tpm/tpm2"
)

// Cost counts the commands of a job by class, so that its duration in virtual
// time is known before it begins. A job that sends more than that fails with
// [ErrCost] (light commands are not counted against it).
type Cost struct {
	Startup   int // TPM2_Startup, Shutdown, self-tests
	Light     int // what no other class names: reads, sessions, capabilities
	NVRead    int // one per 1024 bytes
	NVWrite   int // NV define, write and other changes, undefine, EvictControl
	Extend    int // PCR extend and event
	Load      int // TPM2_Load, LoadExternal, Import
	Sign      int // TPM2_Sign, Certify, CertifyCreation, Quote and other attestations
	Decrypt   int // TPM2_RSA_Decrypt, ActivateCredential, ECDH_ZGen
	CreateRSA int // TPM2_Create, CreatePrimary, CreateLoaded
	Clear     int // TPM2_Clear, ChangeEPS, ChangePPS
}

type class int

const (
	classStartup class = iota
	classLight
	classNVRead
	classNVWrite
	classExtend
	classLoad
	classSign
	classDecrypt
	classCreateRSA
	classClear
	classes
)

var classNames = [classes]string{
	"startup", "light", "nvRead", "nvWrite", "extend", "load", "sign", "decrypt", "createRSA", "clear",
}

func (c class) String() string { return classNames[c] }

// fields are a Cost's members by class.
func (c *Cost) fields() [classes]*int {
	return [classes]*int{
		&c.Startup, &c.Light, &c.NVRead, &c.NVWrite, &c.Extend, &c.Load, &c.Sign, &c.Decrypt, &c.CreateRSA, &c.Clear,
	}
}

// counts is a Cost by class.
func (c Cost) counts() (n [classes]int) {
	for i, f := range c.fields() {
		n[i] = *f
	}
	return n
}

func (l *Latency) of(c class) Duration {
	return [classes]Duration{
		l.Startup, l.Light, l.NVRead, l.NVWrite, l.Extend, l.Load, l.Sign, l.Decrypt, l.CreateRSA, l.Clear,
	}[c]
}

// Of is the virtual duration of a job on this part.
func (l *Latency) Of(c Cost) time.Duration {
	var d time.Duration
	for i, n := range c.counts() {
		d += time.Duration(n) * l.of(class(i)).Value
	}
	return d
}

// classOf says which class a command belongs to.
func classOf(cc tpm2.TPMCC) class {
	switch cc {
	case tpm2.TPMCCStartup, tpm2.TPMCCShutdown, tpm2.TPMCCSelfTest, tpm2.TPMCCIncrementalSelfTest:
		return classStartup
	case tpm2.TPMCCNVRead:
		return classNVRead
	case tpm2.TPMCCNVWrite, tpm2.TPMCCNVDefineSpace, tpm2.TPMCCNVUndefineSpace, tpm2.TPMCCEvictControl,
		tpm2.TPMCCNVUndefineSpaceSpecial, tpm2.TPMCCNVIncrement, tpm2.TPMCCNVSetBits, tpm2.TPMCCNVExtend:
		return classNVWrite
	case tpm2.TPMCCPCRExtend, tpm2.TPMCCPCREvent, tpm2.TPMCCEventSequenceComplete:
		return classExtend
	case tpm2.TPMCCLoad, tpm2.TPMCCLoadExternal, tpm2.TPMCCImport:
		return classLoad
	case tpm2.TPMCCSign, tpm2.TPMCCCertify, tpm2.TPMCCCertifyCreation, tpm2.TPMCCQuote,
		tpm2.TPMCCGetTime, tpm2.TPMCCNVCertify, tpm2.TPMCCGetSessionAuditDigest, tpm2.TPMCCGetCommandAuditDigest:
		return classSign
	case tpm2.TPMCCRSADecrypt, tpm2.TPMCCActivateCredential, tpm2.TPMCCECDHZGen:
		return classDecrypt
	case tpm2.TPMCCCreate, tpm2.TPMCCCreatePrimary, tpm2.TPMCCCreateLoaded:
		return classCreateRSA
	case tpm2.TPMCCClear, tpm2.TPMCCChangeEPS, tpm2.TPMCCChangePPS:
		return classClear
	}
	return classLight
}

// meter watches a job: it counts commands against the declared cost and knows
// how much of the job's virtual time they have taken so far.
type meter struct {
	latency *Latency
	left    [classes]int
	spent   time.Duration
}

func newMeter(l *Latency, c Cost) *meter { return &meter{latency: l, left: c.counts()} }

func (m *meter) charge(cc tpm2.TPMCC) error {
	c := classOf(cc)
	m.left[c]--
	if m.left[c] < 0 && c != classLight {
		return fmt.Errorf("%v (class %v): %w", cc, c, ErrCost)
	}
	m.spent += m.latency.of(c).Value
	return nil
}
