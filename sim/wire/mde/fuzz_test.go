package mde_test

import (
	"bytes"
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"windtunnel.test/sim/hresult"
	"windtunnel.test/sim/wire/mde"
)

// seeds gives the golden files to the fuzzer.
func seeds(f *testing.F) {
	paths, err := filepath.Glob("testdata/*.xml")
	if err != nil || len(paths) == 0 {
		f.Fatal("no golden files")
	}
	for _, path := range paths {
		data, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
}

// FuzzDecode gives every byte string to every decoder: none may panic, whichever address it comes in at.
func FuzzDecode(f *testing.F) {
	seeds(f)
	f.Fuzz(func(_ *testing.T, data []byte) {
		_, _, _ = mde.DecodeDiscover(data)
		_, _, _ = mde.DecodeDiscoverResult(data)
		_, _, _ = mde.DecodeGetPolicies(data)
		_, _, _ = mde.DecodePolicy(data)
		_, _, _ = mde.DecodeEnrolResult(data)
		if h, m, err := mde.DecodeEnrol(data); err == nil {
			_ = h.Security.Mode()
			_ = m.Context.Items()
			_, _, _, _ = m.Context.Attestation()
			_ = m.Context.ForVersion(m.Context.RequestVersion)
		}
	})
}

// FuzzVerify: no message panics, and what was found signed says one thing only, which is what the sender's key signed. The
// key is known, so that a message that the fuzzer changed and that still verifies is one that says the same.
func FuzzVerify(f *testing.F) {
	seeds(f)
	good := signedRequest(f, holder(f, 1, "ada@contoso.example"))
	f.Add(good)
	f.Add(bytes.Replace(good, []byte(`URI="#envelop"`), []byte(`URI=""`), 1))
	f.Add(bytes.Replace(good, []byte("<s:Body>"), []byte("<!-- --><s:Body>"), 1))
	_, want, err := mde.DecodeEnrol(good)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		signed, signer, err := mde.Verify(data)
		if err != nil {
			if signed != nil || signer != nil || !mde.ErrSecurity(err) {
				t.Fatalf("%d bytes and %v with error %v", len(signed), signer, err)
			}
			return
		}
		_, m, err := mde.DecodeEnrol(signed)
		if err != nil || signer.Subject.CommonName != "ada@contoso.example" {
			return // somebody else's message
		}
		if !reflect.DeepEqual(m, want) {
			t.Fatalf("the signature is about %+v, and %+v was read", want, m)
		}
	})
}

func FuzzProvisioning(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := mde.DecodeProvisioning(data)
		if err != nil {
			return
		}
		if _, err := p.Encode(mde.LayoutIntune); err != nil {
			t.Fatal(err)
		}
	})
}

func BenchmarkEnrol(b *testing.B) {
	h := withSecurity(mde.EntraSecurity("eyJ0.e30.c2ln"))
	m := &mde.Enrol{Request: make([]byte, 900), Context: technician()}
	data, err := mde.EncodeEnrol(h, m)
	if err != nil {
		b.Fatal(err)
	}
	b.Run("encode", func(b *testing.B) {
		for b.Loop() {
			if _, err := mde.EncodeEnrol(h, m); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("decode", func(b *testing.B) {
		for b.Loop() {
			if _, _, err := mde.DecodeEnrol(data); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("fault", func(b *testing.B) {
		for b.Loop() {
			f, _ := mde.NewFault(hresult.EnrollDeviceNotSupported, "reason")
			if _, err := mde.EncodeFault(h, f); err != nil {
				b.Fatal(err)
			}
		}
	})
}
