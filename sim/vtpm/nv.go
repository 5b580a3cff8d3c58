package vtpm

import (
	"errors"

	"github.com/google/go-tpm/tpm2"
	"github.com/google/go-tpm/tpm2/transport"
)

// nvChunk is the most that one NV command carries (MAX_NV_BUFFER_SIZE).
const nvChunk = 1024

// certificateAttributes are those of a vendor's EK certificate index: written
// by the platform, readable by owner and anyone, kept by TPM2_Clear
// (TCG EK Credential Profile 2.5, section 2.2.1.4).
var certificateAttributes = tpm2.TPMANV{
	PPWrite: true, WriteDefine: true, PPRead: true, OwnerRead: true, AuthRead: true,
	NoDA: true, PlatformCreate: true,
}

// nvStore defines an index of the platform and writes it.
func nvStore(t transport.TPM, index tpm2.TPMHandle, data []byte) error {
	public := tpm2.Marshal(tpm2.TPMSNVPublic{
		NVIndex: index, NameAlg: tpm2.TPMAlgSHA256,
		Attributes: certificateAttributes, DataSize: uint16(len(data)),
	})
	f := newFrame(tpm2.TPMCCNVDefineSpace, handles{tpm2.TPMRHPlatform}, empty)
	if _, err := f.sized(nil).sized(public).send(t); err != nil {
		return err
	}
	for at := 0; at < len(data); at += nvChunk {
		f := newFrame(tpm2.TPMCCNVWrite, handles{tpm2.TPMRHPlatform, index}, empty)
		if _, err := f.sized(data[at:min(at+nvChunk, len(data))]).u16(uint16(at)).send(t); err != nil {
			return err
		}
	}
	return nil
}

// nvRemove undefines an index of the platform.
func nvRemove(t transport.TPM, index tpm2.TPMHandle) error {
	_, err := newFrame(tpm2.TPMCCNVUndefineSpace, handles{tpm2.TPMRHPlatform, index}, empty).send(t)
	return err
}

// nvSize returns the size of an index, ErrNoCertificate when it is not defined.
func nvSize(t transport.TPM, index tpm2.TPMHandle) (int, error) {
	r, err := newFrame(tpm2.TPMCCNVReadPublic, handles{index}).send(t)
	if errors.Is(err, tpm2.TPMRCHandle) {
		return 0, ErrNoCertificate
	}
	if err != nil {
		return 0, err
	}
	public := r.sized()
	if len(public) < 2 {
		return 0, errShort
	}
	return int(public[len(public)-2])<<8 | int(public[len(public)-1]), nil
}

// nvFetch reads a whole index with the index's own empty password, which needs
// nobody's leave.
func nvFetch(t transport.TPM, index tpm2.TPMHandle, size int) ([]byte, error) {
	data := make([]byte, 0, size)
	for len(data) < size {
		f := newFrame(tpm2.TPMCCNVRead, handles{index, index}, empty)
		r, err := f.u16(uint16(min(nvChunk, size-len(data)))).u16(uint16(len(data))).send(t)
		if err != nil {
			return nil, err
		}
		data = append(data, r.parameters().sized()...)
		if r.err != nil {
			return nil, r.err
		}
	}
	return data, nil
}
