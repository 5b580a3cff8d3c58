package tpmattest

import (
	"crypto/sha256"
	"encoding/binary"

	"github.com/google/go-tpm/tpm2"
)

// The library decodes by reflection, and a fleet sends thousands of structures, nearly all of a few shapes. Those are
// read here; whatever has another shape, mistakes too, is left to decode.

// plain reads big-endian numbers and sized buffers; ok stays false once it was cut off.
type plain struct {
	b  []byte
	ok bool
}

func (p *plain) take(n int) []byte {
	if n > len(p.b) {
		p.b, p.ok = nil, false
		return make([]byte, n)
	}
	out := p.b[:n:n]
	p.b = p.b[n:]
	return out
}

func (p *plain) u16() uint16 { return binary.BigEndian.Uint16(p.take(2)) }
func (p *plain) u32() uint32 { return binary.BigEndian.Uint32(p.take(4)) }
func (p *plain) u64() uint64 { return binary.BigEndian.Uint64(p.take(8)) }

// sized is nil for an empty buffer, as the library has it.
func (p *plain) sized() []byte {
	if n := p.u16(); n > 0 {
		return p.take(int(n))
	}
	return nil
}

// whole tells that all was read and nothing is left.
func (p *plain) whole() bool { return p.ok && len(p.b) == 0 }

// plainRSA reads a TPMT_PUBLIC of an RSA key that is named with SHA-256 and has no scheme but RSASSA or RSAPSS.
func plainRSA(raw []byte) *tpm2.TPMTPublic {
	p := &plain{raw, true}
	area := &tpm2.TPMTPublic{Type: tpm2.TPMAlgID(p.u16()), NameAlg: tpm2.TPMAlgID(p.u16())}
	attributes, known := objectAttributes(p.u32())
	area.ObjectAttributes = attributes
	area.AuthPolicy.Buffer = p.sized()
	parms := &tpm2.TPMSRSAParms{Symmetric: tpm2.TPMTSymDefObject{Algorithm: tpm2.TPMAlgID(p.u16())}}
	switch parms.Symmetric.Algorithm {
	case tpm2.TPMAlgNull:
	case tpm2.TPMAlgAES:
		parms.Symmetric.KeyBits = tpm2.NewTPMUSymKeyBits(tpm2.TPMAlgAES, tpm2.TPMKeyBits(p.u16()))
		parms.Symmetric.Mode = tpm2.NewTPMUSymMode(tpm2.TPMAlgAES, tpm2.TPMAlgID(p.u16()))
	default:
		return nil
	}
	parms.Scheme.Scheme = tpm2.TPMAlgID(p.u16())
	switch parms.Scheme.Scheme {
	case tpm2.TPMAlgNull:
	case tpm2.TPMAlgRSASSA:
		parms.Scheme.Details = tpm2.NewTPMUAsymScheme(tpm2.TPMAlgRSASSA, &tpm2.TPMSSigSchemeRSASSA{HashAlg: tpm2.TPMAlgID(p.u16())})
	default:
		return nil
	}
	parms.KeyBits, parms.Exponent = tpm2.TPMKeyBits(p.u16()), p.u32()
	modulus := p.sized()
	if !p.whole() || !known || len(modulus) == 0 || area.Type != tpm2.TPMAlgRSA || area.NameAlg != tpm2.TPMAlgSHA256 {
		return nil
	}
	area.Parameters = tpm2.NewTPMUPublicParms(tpm2.TPMAlgRSA, parms)
	area.Unique = tpm2.NewTPMUPublicID(tpm2.TPMAlgRSA, &tpm2.TPM2BPublicKeyRSA{Buffer: modulus})
	return area
}

// objectAttributes are TPMA_OBJECT (part 2, 8.3.2); known is false where a reserved bit is set.
func objectAttributes(v uint32) (a tpm2.TPMAObject, known bool) {
	a.FixedTPM, a.STClear = v&(1<<1) != 0, v&(1<<2) != 0
	a.FixedParent, a.SensitiveDataOrigin = v&(1<<4) != 0, v&(1<<5) != 0
	a.UserWithAuth, a.AdminWithPolicy = v&(1<<6) != 0, v&(1<<7) != 0
	a.NoDA, a.EncryptedDuplication = v&(1<<10) != 0, v&(1<<11) != 0
	a.Restricted, a.Decrypt, a.SignEncrypt, a.X509Sign = v&(1<<16) != 0, v&(1<<17) != 0, v&(1<<18) != 0, v&(1<<19) != 0
	return a, v&^0x000F0CF6 == 0
}

// nameOf is the Name of a TPMT_PUBLIC that is named with SHA-256.
func nameOf(raw []byte) []byte {
	digest := sha256.Sum256(raw)
	return append(binary.BigEndian.AppendUint16(make([]byte, 0, 2+len(digest)), uint16(tpm2.TPMAlgSHA256)), digest[:]...)
}

// plainAttest reads a TPMS_ATTEST of TPM2_Certify, TPM2_CertifyCreation or TPM2_Quote.
func plainAttest(raw []byte) *tpm2.TPMSAttest {
	p := &plain{raw, true}
	v := &tpm2.TPMSAttest{Magic: tpm2.TPMGenerated(p.u32()), Type: tpm2.TPMST(p.u16())}
	v.QualifiedSigner.Buffer, v.ExtraData.Buffer = p.sized(), p.sized()
	v.ClockInfo = tpm2.TPMSClockInfo{Clock: p.u64(), ResetCount: p.u32(), RestartCount: p.u32()}
	safe := p.take(1)[0]
	v.ClockInfo.Safe, v.FirmwareVersion = safe == 1, p.u64()
	switch v.Type {
	case tpm2.TPMSTAttestCertify:
		v.Attested = tpm2.NewTPMUAttest(v.Type, &tpm2.TPMSCertifyInfo{Name: tpm2.TPM2BName{Buffer: p.sized()}, QualifiedName: tpm2.TPM2BName{Buffer: p.sized()}})
	case tpm2.TPMSTAttestCreation:
		v.Attested = tpm2.NewTPMUAttest(v.Type, &tpm2.TPMSCreationInfo{ObjectName: tpm2.TPM2BName{Buffer: p.sized()}, CreationHash: tpm2.TPM2BDigest{Buffer: p.sized()}})
	case tpm2.TPMSTAttestQuote:
		v.Attested = tpm2.NewTPMUAttest(v.Type, &tpm2.TPMSQuoteInfo{PCRSelect: p.selection(), PCRDigest: tpm2.TPM2BDigest{Buffer: p.sized()}})
	default:
		return nil
	}
	if !p.whole() || safe > 1 || v.Magic != tpm2.TPMGeneratedValue {
		return nil
	}
	return v
}

// maxBanks is more than any TPM has: a longer selection is left to the library.
const maxBanks = 16

func (p *plain) selection() (list tpm2.TPMLPCRSelection) {
	n := p.u32()
	if n > maxBanks {
		p.b, p.ok = nil, false
		return list
	}
	for range n {
		bank := tpm2.TPMSPCRSelection{Hash: tpm2.TPMAlgID(p.u16())}
		bank.PCRSelect = p.take(int(p.take(1)[0]))
		list.PCRSelections = append(list.PCRSelections, bank)
	}
	return list
}

// plainSignature reads a TPMT_SIGNATURE with RSASSA and SHA-256; nil for others.
func plainSignature(b []byte) []byte {
	p := &plain{b, true}
	alg, hash, sig := p.u16(), p.u16(), p.sized()
	if !p.whole() || alg != uint16(tpm2.TPMAlgRSASSA) || hash != uint16(tpm2.TPMAlgSHA256) {
		return nil
	}
	return sig
}
