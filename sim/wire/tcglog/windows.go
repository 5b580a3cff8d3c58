package tcglog

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Windows is what a log tells about the start of a Windows PC. Something that
// the log does not mention is as the bad case has it: off what protects, on
// what weakens.
type Windows struct {
	SecureBoot    bool
	Unlock        uint32 // how the drive was unlocked; UnlockNone: BitLocker is off
	CodeIntegrity bool
	BootDebug     bool
	KernelDebug   bool
	TestSigning   bool
	FlightSigning bool
	SafeMode      bool
	WinPE         bool
	VSM           bool // virtualization based security is required
	HVCI          bool
	IOMMU         bool
	DEP           uint64
	ELAM          bool // Defender's early launch driver was loaded and is good
}

// Registers of firmware's state of Secure Boot and of Windows' tagged events.
const (
	pcrSecureBoot = 7
	pcrDetails    = 12 // what the boot loader and the kernel loader were told
	pcrModules    = 13 // what they loaded
	pcrAuthority  = 14 // who signed that
)

var errTwiceSaid = errors.New("the state of Secure Boot is said more than once")

// Windows reads the log's events; [Log.Check] and a replay say whether they are
// to be believed. It fails on an event of Windows' that cannot be read: what it
// says may be what matters.
//
// What stands behind a separator is not looked at: registers stay open, and
// software that runs later can extend them and log what it likes. Of registers
// 12 to 14 the first separator counts for all (sample policies of Azure
// Attestation, learn.microsoft.com/azure/attestation/tpm-attestation-sample-policies).
func (l *Log) Windows() (Windows, error) {
	var w Windows
	said := map[Tag][]Tagged{}
	secure, firmwareDone, loaderDone := 0, false, false
	for i, e := range l.Events {
		switch {
		case e.Type == Separator:
			firmwareDone = firmwareDone || e.PCR == pcrSecureBoot
			loaderDone = loaderDone || e.PCR >= pcrDetails && e.PCR <= pcrAuthority
		case e.Type == EFIVariableDriverConfig && e.PCR == pcrSecureBoot:
			v, err := ParseVariable(e.Data)
			if err != nil {
				return w, fmt.Errorf("tcglog: event %d: %w", i+1, err)
			}
			if v.Owner == GlobalVariable && v.Name == "SecureBoot" {
				w.SecureBoot = len(v.Data) == 1 && v.Data[0] == 1 && !firmwareDone
				secure++
			}
		case e.Type == EventTag && (e.PCR == pcrDetails || e.PCR == pcrModules) && !loaderDone:
			t, err := ParseTagged(e.Data)
			if err != nil {
				return w, fmt.Errorf("tcglog: event %d: %w", i+1, err)
			}
			t.Walk(func(in Tagged) { said[in.Tag] = append(said[in.Tag], in) })
		}
	}
	if secure > 1 {
		return w, fmt.Errorf("tcglog: %w", errTwiceSaid)
	}
	only := func(t Tag, v bool) bool { // said, and never otherwise
		return len(said[t]) > 0 && !slices.ContainsFunc(said[t], func(in Tagged) bool { return in.True() != v })
	}
	w.CodeIntegrity, w.VSM, w.IOMMU = only(CodeIntegrity, true), only(VSMRequired, true), only(IOMMURequired, true)
	w.BootDebug, w.KernelDebug = !only(BootDebugging, false), !only(OSKernelDebug, false)
	w.TestSigning, w.FlightSigning = !only(TestSigning, false), !only(FlightSigning, false)
	w.SafeMode, w.WinPE = !only(SafeMode, false), !only(WinPE, false)
	w.HVCI = only(HVCIPolicy, true)
	for _, t := range said[BitLockerUnlock] { // the first that is not zero counts
		if len(t.Data) == 4 && w.Unlock == UnlockNone {
			w.Unlock = binary.LittleEndian.Uint32(t.Data)
		}
	}
	for _, t := range said[DataExecution] {
		if len(t.Data) == 8 {
			w.DEP = binary.LittleEndian.Uint64(t.Data)
		}
	}
	w.ELAM = slices.ContainsFunc(said[LoadedModule], elamDriver)
	return w, nil
}

// elamDriver tells whether a module is Defender's driver, and was found good.
func elamDriver(m Tagged) bool {
	named, good := false, false
	for _, in := range m.Inside {
		switch in.Tag {
		case FilePath:
			path := strings.ToLower(textOf(in.Data))
			named = path == `\windows\system32\drivers\wd\wdboot.sys` || path == `\windows\system32\drivers\wdboot.sys`
		case ImageValidated:
			good = in.True()
		}
	}
	return named && good
}

// textOf reads UTF-16 up to its end mark.
func textOf(b []byte) string {
	var text strings.Builder
	for ; len(b) >= 2; b = b[2:] {
		u := binary.LittleEndian.Uint16(b)
		if u == 0 {
			break
		}
		text.WriteRune(rune(u))
	}
	return text.String()
}
