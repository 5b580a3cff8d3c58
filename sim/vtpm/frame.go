package vtpm

import (
	"encoding/binary"
	"fmt"

	"github.com/google/go-tpm/tpm2"
	"github.com/google/go-tpm/tpm2/transport"
)

// A command is written as bytes here, and not through go-tpm's structures,
// for two reasons: those draw session nonces from the machine's entropy, and
// their reflection costs more than a short command does in the TPM.
// Layout: TPM 2.0 Library Part 1, "Command/Response Structure".

// session is one entry of a command's authorization area. The HMAC is empty,
// or a password: policy sessions are neither bound nor salted.
type session struct {
	handle tpm2.TPMHandle
	nonce  []byte
	hmac   []byte
}

// empty authorizes an entity whose password is empty.
var empty = session{handle: tpm2.TPMRSPW}

const continueSession = 0x01

type frame struct{ b []byte }

// newFrame begins a command. Handles come first, then the authorizations.
func newFrame(cc tpm2.TPMCC, handles []tpm2.TPMHandle, auths ...session) *frame {
	f := &frame{b: make([]byte, 0, 768)}
	tag := tpm2.TPMSTNoSessions
	if len(auths) > 0 {
		tag = tpm2.TPMSTSessions
	}
	f.u16(uint16(tag)).u32(0).u32(uint32(cc))
	for _, h := range handles {
		f.u32(uint32(h))
	}
	if len(auths) == 0 {
		return f
	}
	at := len(f.b)
	f.u32(0)
	for _, a := range auths {
		f.u32(uint32(a.handle)).sized(a.nonce)
		f.b = append(f.b, continueSession)
		f.sized(a.hmac)
	}
	binary.BigEndian.PutUint32(f.b[at:], uint32(len(f.b)-at-4))
	return f
}

func (f *frame) u16(v uint16) *frame {
	f.b = binary.BigEndian.AppendUint16(f.b, v)
	return f
}

func (f *frame) u32(v uint32) *frame {
	f.b = binary.BigEndian.AppendUint32(f.b, v)
	return f
}

// sized writes a TPM2B: a length and so many bytes.
func (f *frame) sized(b []byte) *frame {
	f.u16(uint16(len(b)))
	f.b = append(f.b, b...)
	return f
}

func (f *frame) raw(b []byte) *frame {
	f.b = append(f.b, b...)
	return f
}

// send runs the command and returns what follows the response's header:
// handles and parameters. A refusal is a tpm2.TPMRC, wrapped.
func (f *frame) send(t transport.TPM) (*reader, error) {
	binary.BigEndian.PutUint32(f.b[2:], uint32(len(f.b)))
	cc := tpm2.TPMCC(binary.BigEndian.Uint32(f.b[6:]))
	response, err := t.Send(f.b)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", CommandName(cc), err)
	}
	r := &reader{b: response}
	tag, _, rc := r.u16(), r.u32(), r.u32()
	if r.err != nil {
		return nil, fmt.Errorf("%s: %w", CommandName(cc), r.err)
	}
	if rc != 0 {
		return nil, fmt.Errorf("%s: %w", CommandName(cc), tpm2.TPMRC(rc))
	}
	r.sessions = tpm2.TPMST(tag) == tpm2.TPMSTSessions
	return r, nil
}

// reader takes a response apart. The first short read is kept in err.
type reader struct {
	b        []byte
	sessions bool
	err      error
}

// parameters skips to the parameter area; call it after the handles.
func (r *reader) parameters() *reader {
	if r.sessions {
		n := r.u32()
		if int64(n) > int64(len(r.b)) {
			r.err = errShort
			return r
		}
		r.b = r.b[:n]
	}
	return r
}

func (r *reader) take(n int) []byte {
	if r.err != nil || n > len(r.b) {
		r.err = errShort
		return nil
	}
	b := r.b[:n:n]
	r.b = r.b[n:]
	return b
}

func (r *reader) u16() uint16 {
	if b := r.take(2); b != nil {
		return binary.BigEndian.Uint16(b)
	}
	return 0
}

func (r *reader) u32() uint32 {
	if b := r.take(4); b != nil {
		return binary.BigEndian.Uint32(b)
	}
	return 0
}

// sized reads a TPM2B's contents.
func (r *reader) sized() []byte { return r.take(int(r.u16())) }

// withSize reads a TPM2B, length included.
func (r *reader) withSize() []byte {
	if len(r.b) < 2 {
		r.err = errShort
		return nil
	}
	return r.take(2 + int(binary.BigEndian.Uint16(r.b)))
}

// rest returns what is left of the parameters.
func (r *reader) rest() []byte { return r.take(len(r.b)) }
