package installer

import (
	"testing"
	"time"

	"github.com/onsi/gomega"
	"pgregory.net/rapid"
)

func TestRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := Manifest{
			Product: rapid.StringMatching(`[A-Za-z0-9 ]{1,20}`).Draw(t, "product"), Version: rapid.StringMatching(`[0-9.]{0,8}`).Draw(t, "version"),
			MSI: rapid.Bool().Draw(t, "msi"), Duration: time.Duration(rapid.Int64Range(0, 1e12).Draw(t, "duration")), ExitCode: rapid.Int().Draw(t, "exit"),
		}
		b, err := m.Encode()
		if err != nil {
			t.Fatal(err)
		}
		if got, err := Decode(b); err != nil || got.Product != m.Product || got.Duration != m.Duration || got.ExitCode != m.ExitCode {
			t.Fatalf("%+v, %v", got, err)
		}
	})
}

func TestDecodeRefuses(t *testing.T) {
	g := gomega.NewWithT(t)
	for _, in := range []string{"", "{}", `{"product":""}`, `{"product":"x","duration":-1}`, "\x00"} {
		_, err := Decode([]byte(in))
		g.Expect(err).To(gomega.HaveOccurred(), in)
	}
	_, err := Manifest{}.Encode()
	g.Expect(err).To(gomega.HaveOccurred())
	_, err = Decode(make([]byte, MaxBytes+1))
	g.Expect(err).To(gomega.HaveOccurred())
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte(`{"product":"Contoso Reader","duration":1}`))
	f.Fuzz(func(_ *testing.T, b []byte) { _, _ = Decode(b) })
}
