package maa

import (
	"encoding/binary"
	"errors"
	"fmt"

	"windtunnel.test/sim/wire/tcglog"
)

// PlatformClaim is a TPM's word for the state of its registers, as Windows'
// Platform Crypto Provider hands it out: PCP_PLATFORM_ATTESTATION_BLOB2 of
// Microsoft's open PCP toolkit, with header words little-endian. The toolkit
// puts the log in as well; here it travels beside the claim, so that part is
// empty. That current_claim has this form is our model.
type PlatformClaim struct {
	Values    [tcglog.PCRs][]byte // of the SHA-256 bank
	Quote     []byte              // TPMS_ATTEST
	Signature []byte              // TPMT_SIGNATURE
}

const (
	claimMagic    = 0x32444150 // "PAD2"
	claimPlatform = 2          // TPM 2.0
	claimHeader   = 32
	claimPart     = 64 << 10 // bound of each part
)

var errClaim = errors.New("not a platform claim over 24 registers of SHA-256")

// Marshal writes the claim. Values of another length than 32 bytes are
// zeros.
func (c PlatformClaim) Marshal() []byte {
	size := tcglog.SHA256.Size()
	var b []byte
	for _, v := range []int{claimMagic, claimPlatform, claimHeader, tcglog.PCRs * size, len(c.Quote), len(c.Signature), 0, int(tcglog.SHA256)} {
		b = binary.LittleEndian.AppendUint32(b, uint32(v))
	}
	for _, v := range c.Values {
		value := make([]byte, size)
		if len(v) == size {
			copy(value, v)
		}
		b = append(b, value...)
	}
	return append(append(b, c.Quote...), c.Signature...)
}

// ParseClaim reads what Marshal writes; lengths must add up to the whole.
func ParseClaim(b []byte) (PlatformClaim, error) {
	var c PlatformClaim
	if len(b) < claimHeader {
		return c, fmt.Errorf("maa: claim: %w", errClaim)
	}
	var words [claimHeader / 4]uint32
	for i := range words {
		words[i] = binary.LittleEndian.Uint32(b[4*i:])
	}
	size := tcglog.SHA256.Size()
	quote, signature := words[4], words[5]
	switch {
	case words[0] != claimMagic, words[1] != claimPlatform, words[2] != claimHeader, words[3] != uint32(tcglog.PCRs*size),
		words[6] != 0, words[7] != uint32(tcglog.SHA256), quote > claimPart, signature > claimPart,
		len(b) != claimHeader+tcglog.PCRs*size+int(quote)+int(signature):
		return c, fmt.Errorf("maa: claim: %w", errClaim)
	}
	rest := b[claimHeader:]
	for i := range c.Values {
		c.Values[i], rest = rest[:size:size], rest[size:]
	}
	c.Quote, c.Signature = rest[:quote:quote], rest[quote:]
	return c, nil
}
