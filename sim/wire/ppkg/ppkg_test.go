package ppkg_test

import (
	"fmt"
	"testing"

	"github.com/onsi/gomega"
	"pgregory.net/rapid"

	"windtunnel.test/sim/wire/ppkg"
)

// A package that turns a consumer experience off, and has the PC restarted.
func Example() {
	b, err := ppkg.Package{Name: "Kiosk", Restart: true, Settings: []ppkg.Setting{
		{URI: "./Device/Vendor/MSFT/Policy/Config/Experience/AllowCortana", Format: "int", Value: "0"},
	}}.Encode()
	if err != nil {
		panic(err)
	}
	fmt.Println(string(b))
	// Output: {"name":"Kiosk","settings":[{"uri":"./Device/Vendor/MSFT/Policy/Config/Experience/AllowCortana","format":"int","value":"0"}],"restart":true}
}

func TestRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := ppkg.Package{Name: rapid.StringN(1, 20, 40).Draw(t, "name"), Restart: rapid.Bool().Draw(t, "restart")}
		for range rapid.IntRange(0, 3).Draw(t, "settings") {
			p.Settings = append(p.Settings, ppkg.Setting{URI: "./Vendor/MSFT/" + rapid.StringMatching(`[A-Z]{1,8}`).Draw(t, "csp"), Value: rapid.StringN(0, 10, 30).Draw(t, "value")})
		}
		b, err := p.Encode()
		if err != nil {
			t.Fatal(err)
		}
		got, err := ppkg.Decode(b)
		if err != nil || got.Name != p.Name || len(got.Settings) != len(p.Settings) || got.Restart != p.Restart {
			t.Fatalf("%+v, %v", got, err)
		}
	})
}

func TestDecodeRefuses(t *testing.T) {
	g := gomega.NewWithT(t)
	for _, bad := range []string{"", "{}", `{"name":"a","settings":[{"uri":"x"}]}`, `{"name":1}`} {
		_, err := ppkg.Decode([]byte(bad))
		g.Expect(err).To(gomega.HaveOccurred(), bad)
	}
	_, err := ppkg.Decode(make([]byte, ppkg.MaxBytes+1))
	g.Expect(err).To(gomega.HaveOccurred())
	_, err = ppkg.Package{}.Encode()
	g.Expect(err).To(gomega.HaveOccurred())
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte(`{"name":"Kiosk","settings":[{"uri":"./Vendor/MSFT/X","value":"1"}]}`))
	f.Fuzz(func(_ *testing.T, b []byte) { _, _ = ppkg.Decode(b) })
}
