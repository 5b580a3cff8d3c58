package tcglog

import (
	"crypto"
	_ "crypto/sha1" // the bank of that name
	_ "crypto/sha256"
	_ "crypto/sha512"
	"fmt"
)

// Algorithm is a hash as TPMs number them (TPM 2.0 Library Part 2, TPM_ALG_ID).
type Algorithm uint16

// Algorithms of registers' banks.
const (
	SHA1   Algorithm = 0x0004
	SHA256 Algorithm = 0x000B
	SHA384 Algorithm = 0x000C
	SHA512 Algorithm = 0x000D
)

var hashes = map[Algorithm]crypto.Hash{SHA1: crypto.SHA1, SHA256: crypto.SHA256, SHA384: crypto.SHA384, SHA512: crypto.SHA512}

// Hash is the algorithm as Go knows it, 0 for one that is not known.
func (a Algorithm) Hash() crypto.Hash { return hashes[a] }

// Size is the length of a digest in bytes, 0 for an algorithm that is not known.
func (a Algorithm) Size() int {
	if h := hashes[a]; h != 0 {
		return h.Size()
	}
	return 0
}

// String is the algorithm's usual name.
func (a Algorithm) String() string {
	if h := hashes[a]; h != 0 {
		return h.String()
	}
	return fmt.Sprintf("algorithm %#04x", uint16(a))
}

func (a Algorithm) sum(data []byte) []byte {
	h := a.Hash().New()
	h.Write(data)
	return h.Sum(nil)
}

// EventType says what an event is about (Platform Firmware Profile 10.4.1).
type EventType uint32

// Event types, those that a PC's firmware and Windows write.
const (
	NoAction                   EventType = 0x00000003
	Separator                  EventType = 0x00000004
	EventTag                   EventType = 0x00000006
	CRTMVersion                EventType = 0x00000008
	EFIVariableDriverConfig    EventType = 0x80000001
	EFIVariableBoot            EventType = 0x80000002
	EFIBootServicesApplication EventType = 0x80000003
	EFIAction                  EventType = 0x80000007
	EFIPlatformFirmwareBlob    EventType = 0x80000008
	EFIPlatformFirmwareBlob2   EventType = 0x8000000A
	EFIVariableAuthority       EventType = 0x800000E0
)

var typeNames = map[EventType]string{
	NoAction: "EV_NO_ACTION", Separator: "EV_SEPARATOR", EventTag: "EV_EVENT_TAG", CRTMVersion: "EV_S_CRTM_VERSION",
	EFIVariableDriverConfig: "EV_EFI_VARIABLE_DRIVER_CONFIG", EFIVariableBoot: "EV_EFI_VARIABLE_BOOT",
	EFIBootServicesApplication: "EV_EFI_BOOT_SERVICES_APPLICATION", EFIAction: "EV_EFI_ACTION",
	EFIPlatformFirmwareBlob: "EV_EFI_PLATFORM_FIRMWARE_BLOB", EFIPlatformFirmwareBlob2: "EV_EFI_PLATFORM_FIRMWARE_BLOB2",
	EFIVariableAuthority: "EV_EFI_VARIABLE_AUTHORITY",
}

// String is the type's name in the specification.
func (t EventType) String() string {
	if n, ok := typeNames[t]; ok {
		return n
	}
	return fmt.Sprintf("event type %#08x", uint32(t))
}

// measuresData tells of which events the digest is of the event data
// themselves. Others say with their data what else was hashed: an image, say.
func (t EventType) measuresData() bool {
	switch t {
	case Separator, EventTag, CRTMVersion, EFIVariableDriverConfig, EFIVariableBoot, EFIAction, EFIVariableAuthority:
		return true
	}
	return false
}

// Digest is one value for one bank.
type Digest struct {
	Algorithm Algorithm
	Value     []byte
}

// Event is one entry: what was extended, and where.
type Event struct {
	PCR     int
	Type    EventType
	Digests []Digest // one for each algorithm of the log, in its order
	Data    []byte
}

// Log is a whole event log.
type Log struct {
	Errata     byte        // of the specification's version that firmware follows
	Vendor     []byte      // vendor information of the Spec ID event, at most 255 bytes
	Algorithms []Algorithm // the banks that were extended
	Events     []Event     // without the Spec ID event
}

// Add appends an event whose digests are of its data.
func (l *Log) Add(pcr int, t EventType, data []byte) { l.AddMeasured(pcr, t, data, data) }

// AddMeasured appends an event whose digests are of something else: the image
// that its data tell the place of.
func (l *Log) AddMeasured(pcr int, t EventType, data, measured []byte) {
	e := Event{PCR: pcr, Type: t, Data: data}
	for _, a := range l.Algorithms {
		e.Digests = append(e.Digests, Digest{a, a.sum(measured)})
	}
	l.Events = append(l.Events, e)
}
