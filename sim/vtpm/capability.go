package vtpm

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"

	"github.com/google/go-tpm/tpm2"
	"github.com/google/go-tpm/tpm2/transport"
)

// rewrite puts the vendor's name into the answer to TPM2_GetCapability: the
// reference code has its maker compiled in. Answers to commands with sessions
// are left alone, since an audit or HMAC session would cover them. The firmware
// version needs no rewriting, it is part of the chip's state.
func (m *Model) rewrite(command, response []byte) {
	const header, list = 10, 19 // TPMI_YES_NO, TPM_CAP and count behind the header
	if len(command) < header+4 || len(response) < list || tpm2.TPMCC(binary.BigEndian.Uint32(command[6:])) != tpm2.TPMCCGetCapability ||
		tpm2.TPMST(binary.BigEndian.Uint16(command)) != tpm2.TPMSTNoSessions ||
		tpm2.TPMCap(binary.BigEndian.Uint32(response[header+1:])) != tpm2.TPMCapTPMProperties {
		return
	}
	for at := list; at+8 <= len(response); at += 8 {
		if value, ok := m.property(tpm2.TPMPT(binary.BigEndian.Uint32(response[at:]))); ok {
			binary.BigEndian.PutUint32(response[at+4:], value)
		}
	}
}

// property is a fixed property that is the vendor's.
func (m *Model) property(p tpm2.TPMPT) (value uint32, ok bool) {
	text := func(s string, at int) uint32 {
		var four [4]byte
		copy(four[:], s[min(at, len(s)):])
		return binary.BigEndian.Uint32(four[:])
	}
	switch p {
	case tpm2.TPMPTManufacturer:
		return text(m.VendorID, 0), true
	case tpm2.TPMPTVendorString1, tpm2.TPMPTVendorString2, tpm2.TPMPTVendorString3, tpm2.TPMPTVendorString4:
		return text(m.VendorString, 4*int(p-tpm2.TPMPTVendorString1)), true
	case tpm2.TPMPTRevision:
		var major, minor uint32
		if _, err := fmt.Sscanf(m.Revision, "%d.%d", &major, &minor); err != nil {
			return 0, false
		}
		return 100*major + minor, true
	}
	return 0, false
}

// Properties are what a chip says about itself with TPM2_GetCapability.
type Properties struct {
	Revision     string    // of the library specification: "1.38"
	VendorID     string    // TPM_PT_MANUFACTURER as text, without zero bytes
	VendorString string    // TPM_PT_VENDOR_STRING_1 to _4
	Firmware     [4]uint16 // TPM_PT_FIRMWARE_VERSION_1 and _2
	LockedOut    bool      // TPMA_PERMANENT: protection against dictionary attacks is in force
}

// Properties asks the chip. ErrFamily says that it is no TPM 2.0.
func (c *Chip) Properties(ctx context.Context) (p Properties, err error) {
	err = c.Do(ctx, "TPM2_GetCapability", Cost{Light: 2}, func(t transport.TPM) error {
		fixed, err := properties(t, tpm2.TPMPTFamilyIndicator, 16)
		if err != nil {
			return err
		}
		variable, err := properties(t, tpm2.TPMPTPermanent, 1)
		if err != nil {
			return err
		}
		revision := fixed[tpm2.TPMPTRevision]
		p.Revision = fmt.Sprintf("%d.%02d", revision/100, revision%100)
		p.VendorID = propertyText(fixed[tpm2.TPMPTManufacturer])
		for i := range tpm2.TPMPT(4) {
			p.VendorString += propertyText(fixed[tpm2.TPMPTVendorString1+i])
		}
		v1, v2 := fixed[tpm2.TPMPTFirmwareVersion1], fixed[tpm2.TPMPTFirmwareVersion2]
		p.Firmware = [4]uint16{uint16(v1 >> 16), uint16(v1), uint16(v2 >> 16), uint16(v2)}
		p.LockedOut = variable[tpm2.TPMPTPermanent]&inLockout != 0
		return nil
	})
	if errors.Is(err, badTag) {
		err = fmt.Errorf("%w: %w", ErrFamily, err)
	}
	if err != nil {
		return p, fmt.Errorf("vtpm: properties of %s: %w", c.id, err)
	}
	return p, nil
}

// inLockout is a bit of TPMA_PERMANENT (TPM 2.0 Library Part 2, section 8.6).
const inLockout = 1 << 9

func properties(t transport.TPM, first tpm2.TPMPT, count int) (map[tpm2.TPMPT]uint32, error) {
	r, err := newFrame(tpm2.TPMCCGetCapability, nil).u32(uint32(tpm2.TPMCapTPMProperties)).u32(uint32(first)).u32(uint32(count)).send(t)
	if err != nil {
		return nil, err
	}
	r.take(1 + 4)
	n := r.u32()
	if r.err != nil || n > 256 {
		return nil, errShort
	}
	out := make(map[tpm2.TPMPT]uint32, n)
	for range n {
		p := tpm2.TPMPT(r.u32())
		out[p] = r.u32()
	}
	return out, r.err
}

func propertyText(v uint32) string {
	return strings.TrimRight(string(binary.BigEndian.AppendUint32(nil, v)), "\x00")
}
