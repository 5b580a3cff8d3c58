package tcglog

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// Tag is the kind of a tagged event of Windows' boot (wbcl.h of the Windows
// SDK, SIPAEVENT_*). The second byte is a group, a set bit 30 says that more
// tagged events are inside.
type Tag uint32

// Tags that Windows' boot loader and kernel loader write.
const (
	TrustBoundary        Tag = 0x40010001 // container: what one boot application measured
	ELAMAggregation      Tag = 0x40010002 // container: the early launch driver
	LoadedModule         Tag = 0x40010003 // container: one module
	BitLockerUnlock      Tag = 0x00020005 // 4 bytes, one of the Unlock values
	BootDebugging        Tag = 0x00040001 // 1 byte
	OSKernelDebug        Tag = 0x00050001 // 1 byte
	CodeIntegrity        Tag = 0x00050002 // 1 byte
	TestSigning          Tag = 0x00050003 // 1 byte
	DataExecution        Tag = 0x00050004 // 8 bytes
	SafeMode             Tag = 0x00050005 // 1 byte
	WinPE                Tag = 0x00050006 // 1 byte
	HypervisorLaunchType Tag = 0x0005000A // 8 bytes
	FlightSigning        Tag = 0x00050021 // 1 byte
	FilePath             Tag = 0x00070001 // UTF-16
	AuthenticodeHash     Tag = 0x00070004 // digest of the image
	ImageValidated       Tag = 0x0007000A // 1 byte
	VSMRequired          Tag = 0x000A0001 // 1 byte
	IOMMURequired        Tag = 0x000A0003 // 1 byte
	HVCIPolicy           Tag = 0x000A0007 // 4 bytes

	aggregation Tag = 0x40000000
)

// How Windows got at the key of its drive (FVEB_UNLOCK_FLAG_*).
const (
	UnlockNone uint32 = 0 // the drive is not encrypted, or its key lies open
	UnlockTPM  uint32 = 4 // the TPM gave the key out
)

// Limits of what is read.
const (
	maxDepth = 4
	maxTags  = 1024
)

var errDeep = errors.New("containers inside each other are too many")

// Tagged is TCG_PCClientTaggedEvent: a kind and its data, or in a container
// more of them.
type Tagged struct {
	Tag    Tag
	Data   []byte
	Inside []Tagged // of a container, which has no Data of its own
}

// Bool is a tagged event of one byte.
func Bool(t Tag, v bool) Tagged {
	if v {
		return Tagged{Tag: t, Data: []byte{1}}
	}
	return Tagged{Tag: t, Data: []byte{0}}
}

// Number is a tagged event of four bytes.
func Number(t Tag, v uint32) Tagged {
	return Tagged{Tag: t, Data: binary.LittleEndian.AppendUint32(nil, v)}
}

// Wide is a tagged event of eight bytes.
func Wide(t Tag, v uint64) Tagged {
	return Tagged{Tag: t, Data: binary.LittleEndian.AppendUint64(nil, v)}
}

// True tells whether any byte of the data is set.
func (t Tagged) True() bool {
	for _, b := range t.Data {
		if b != 0 {
			return true
		}
	}
	return false
}

// Marshal writes the event: EventID, EventDataSize, EventData.
func (t Tagged) Marshal() []byte {
	data := t.Data
	if t.Tag&aggregation != 0 {
		data = nil
		for _, in := range t.Inside {
			data = append(data, in.Marshal()...)
		}
	}
	return appendSized(binary.LittleEndian.AppendUint32(nil, uint32(t.Tag)), data)
}

// ParseTagged reads the data of an EV_EVENT_TAG event: one tagged event, with
// all that is inside.
func ParseTagged(b []byte) (Tagged, error) {
	left := maxTags
	list, err := parseTagged(b, maxDepth, &left)
	if err == nil && len(list) != 1 {
		err = errShort
	}
	if err != nil {
		return Tagged{}, fmt.Errorf("tcglog: tagged event: %w", err)
	}
	return list[0], nil
}

func parseTagged(b []byte, depth int, left *int) ([]Tagged, error) {
	if depth == 0 {
		return nil, errDeep
	}
	var list []Tagged
	for r := (&reader{b: b}); len(r.b) > 0; {
		t := Tagged{Tag: Tag(r.u32()), Data: r.sized()}
		if *left--; r.failed || *left < 0 {
			return nil, errShort
		}
		if t.Tag&aggregation != 0 {
			inside, err := parseTagged(t.Data, depth-1, left)
			if err != nil {
				return nil, err
			}
			t.Data, t.Inside = nil, inside
		}
		list = append(list, t)
	}
	return list, nil
}

// Walk calls f for the event and all that is inside it, outermost first.
func (t Tagged) Walk(f func(Tagged)) {
	f(t)
	for _, in := range t.Inside {
		in.Walk(f)
	}
}
