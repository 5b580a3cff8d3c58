package vtpm

import (
	"encoding/binary"

	"github.com/google/go-tpm/tpm2"
	"github.com/google/go-tpm/tpm2/transport"
)

// A TPM 1.2 is modelled as far as Windows of today looks at one: it starts and
// stops, and says to every command of 2.0 that it does not know such a tag.

const (
	family20 = "2.0"
	family12 = "1.2"

	tagRequest12  = 0x00C1
	tagResponse12 = 0x00C4
	ordSaveState  = 0x98
	ordStartup    = 0x99

	// badTag is TPM_BADTAG of TPM Main, Part 2, section 16. The 2.0 library
	// keeps the code for just this case (Part 2, section 6.6.3: TPM_RC_BAD_TAG).
	badTag tpm2.TPMRC = 0x01E
)

// answer12 is what a TPM 1.2 says.
func answer12(command []byte) []byte {
	code := badTag
	if binary.BigEndian.Uint16(command) == tagRequest12 {
		switch binary.BigEndian.Uint32(command[6:]) {
		case ordSaveState, ordStartup:
			code = 0
		default:
			code = 10 // TPM_BAD_ORDINAL
		}
	}
	f := &frame{}
	return f.u16(tagResponse12).u32(10).u32(uint32(code)).b
}

// manufactureOld makes no more of a TPM 1.2 than its EK.
func manufactureOld(t transport.TPM) (*image, error) {
	c, err := createPrimary(t, tpm2.TPMRHEndorsement, templates().ek)
	if err != nil {
		return nil, err
	}
	key, err := rsaPublic(c.public)
	if err != nil {
		return nil, err
	}
	return &image{ek: key.N.FillBytes(make([]byte, 256))}, shutdown(t)
}

func startup12(t transport.TPM) error {
	f := &frame{}
	_, err := t.Send(f.u16(tagRequest12).u32(12).u32(ordStartup).u16(1).b)
	return err
}

func saveState12(t transport.TPM) error {
	f := &frame{}
	_, err := t.Send(f.u16(tagRequest12).u32(10).u32(ordSaveState).b)
	return err
}
