package mde_test

import (
	"os"
	"path/filepath"
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
