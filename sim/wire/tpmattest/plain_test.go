package tpmattest

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-tpm/tpm2"
)

// What is read by hand is what the library reads, field by field.
func FuzzPlain(f *testing.F) {
	template := tpm2.RSAEKTemplate
	template.Unique = tpm2.NewTPMUPublicID(tpm2.TPMAlgRSA, &tpm2.TPM2BPublicKeyRSA{Buffer: bytes.Repeat([]byte{0xC1}, 256)})
	f.Add(tpm2.Marshal(template))
	srk := tpm2.RSASRKTemplate
	srk.Unique = template.Unique
	f.Add(tpm2.Marshal(srk))
	f.Add([]byte("\x00\x01\x00\x0b\x00\x05\x00\x72\x00\x00\x00\x10\x00\x14\x00\x0b\x08\x00\x00\x00\x00\x00\x00\x02\x01\x03"))
	f.Add([]byte("\x00\x14\x00\x0b\x00\x02ab"))
	f.Add([]byte("\xffTCG\x80\x17\x00\x01a\x00\x02bc\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00\x00\x02\x00\x00\x00\x03\x01\x00\x00\x00\x00\x00\x00\x00\x04\x00\x01d\x00\x00"))
	f.Add([]byte("\xffTCG\x80\x1a\x00\x01a\x00\x02bc\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00\x00\x02\x00\x00\x00\x03\x00\x00\x00\x00\x00\x00\x00\x00\x04\x00\x01d\x00\x01e"))
	f.Add([]byte(quote))
	files, _ := filepath.Glob("testdata/*")
	for _, file := range files {
		if b, err := os.ReadFile(file); err == nil {
			f.Add(b)
		}
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if area := plainRSA(b); area != nil {
			want, err := decode[tpm2.TPMTPublic](b)
			if err != nil {
				t.Fatalf("public area: the library says %v", err)
			}
			name, err := tpm2.ObjectName(want)
			if err != nil || !bytes.Equal(name.Buffer, nameOf(b)) {
				t.Fatalf("name %x, the library has %x, %v", nameOf(b), name, err)
			}
			if !bytes.Equal(tpm2.Marshal(area), b) || area.ObjectAttributes != want.ObjectAttributes {
				t.Fatalf("public area comes out as %x", tpm2.Marshal(area))
			}
		}
		if v := plainAttest(b); v != nil {
			if _, err := decode[tpm2.TPMSAttest](b); err != nil || !bytes.Equal(tpm2.Marshal(v), b) {
				t.Fatalf("attestation: the library says %v", err)
			}
		}
		if sig := plainSignature(b); sig != nil {
			v, err := decode[tpm2.TPMTSignature](b)
			if err != nil {
				t.Fatalf("signature: the library says %v", err)
			}
			if s, err := v.Signature.RSASSA(); err != nil || !bytes.Equal(s.Sig.Buffer, sig) {
				t.Fatalf("signature %x, %v", s, err)
			}
		}
	})
}

const quote = "\xffTCG\x80\x18\x00\x01a\x00\x02bc\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00\x00\x02\x00\x00\x00\x03\x01\x00\x00\x00\x00\x00\x00\x00\x04" +
	"\x00\x00\x00\x01\x00\x0b\x03\x01\x02\x03\x00\x01d"

func TestPlainTakesTheUsualShapes(t *testing.T) {
	if plainRSA([]byte("\x00\x01\x00\x0b\x00\x05\x00\x72\x00\x00\x00\x10\x00\x14\x00\x0b\x08\x00\x00\x00\x00\x00\x00\x02\x01\x03")) == nil {
		t.Error("an AIK is not plain")
	}
	if plainAttest([]byte(quote)) == nil {
		t.Error("a quote is not plain")
	}
	if plainSignature([]byte("\x00\x14\x00\x0b\x00\x02ab")) == nil {
		t.Error("a signature is not plain")
	}
}
