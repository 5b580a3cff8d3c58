package device

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/onsi/gomega"
	"pgregory.net/rapid"
)

func TestRegistryFoldsCase(t *testing.T) {
	g, r := gomega.NewWithT(t), newRegistry()
	r.SetString(`HKLM\Software\Contoso`, "Name", "a")
	r.SetString(`hklm\SOFTWARE\contoso\`, "NAME", "b")
	r.SetDWORD(`HKLM\Software\Contoso\Sub`, "n", 7)
	g.Expect(r.String(`HKLM\SOFTWARE\CONTOSO`, "name")).To(gomega.Equal("b"))
	g.Expect(r.ValueNames(`HKLM\Software\Contoso`)).To(gomega.Equal([]string{"Name"}), "the first writer's spelling stays")
	g.Expect(r.Subkeys(`hklm\software`)).To(gomega.Equal([]string{"Contoso"}))
	r.Delete(`HKLM\software\contoso`, "nAmE")
	g.Expect(r.ValueNames(`HKLM\Software\Contoso`)).To(gomega.BeEmpty())
}

func TestRegistryKeepsTypes(t *testing.T) {
	g, r := gomega.NewWithT(t), newRegistry()
	r.SetString("K", "s", "x")
	r.SetDWORD("K", "d", 5)
	r.SetStrings("K", "m", []string{"a", "b"})
	r.SetStrings("K", "none", []string{})
	g.Expect(r.String("K", "d")).To(gomega.BeEmpty())
	_, is := r.DWORD("K", "s")
	g.Expect(is).To(gomega.BeFalse())
	g.Expect(r.Strings("K", "m")).To(gomega.Equal([]string{"a", "b"}))
	g.Expect(r.Strings("K", "s")).To(gomega.BeNil())
	g.Expect(r.ValueNames("K")).To(gomega.Equal([]string{"d", "m", "none", "s"}))
	r.SetDWORD("K", "s", 1)
	g.Expect(r.String("K", "s")).To(gomega.BeEmpty(), "the new type replaces the old one")
	kept := r.Strings("K", "m")
	kept[0] = "changed"
	g.Expect(r.Strings("K", "m")[0]).To(gomega.Equal("a"), "nobody holds the registry's own memory")
}

func TestRegistryTree(t *testing.T) {
	g, r := gomega.NewWithT(t), newRegistry()
	for _, k := range []string{`A\B\C`, `A\B`, `A\Bee`, `A\b\D\E`} {
		r.SetDWORD(k, "x", 1)
	}
	g.Expect(r.Has("A")).To(gomega.BeTrue(), "a key exists by what is below it")
	g.Expect(r.Has(`A\B\D`)).To(gomega.BeTrue())
	g.Expect(r.Has(`A\Be`)).To(gomega.BeFalse())
	g.Expect(r.Subkeys(`A`)).To(gomega.Equal([]string{"B", "Bee"}))
	g.Expect(r.Subkeys(`a\b`)).To(gomega.Equal([]string{"C", "D"}))
	r.DeleteTree(`A\B`)
	g.Expect(r.Subkeys("A")).To(gomega.Equal([]string{"Bee"}))
	g.Expect(r.Has(`A\B\D\E`)).To(gomega.BeFalse())
	g.Expect(r.Has(`A\Bee`)).To(gomega.BeTrue())
	r.SetDWORD(`A\İİİ\x`, "x", 1)
	g.Expect(r.Subkeys("a")).To(gomega.Equal([]string{"Bee", "İİİ"}))
	g.Expect(r.Subkeys(`a\İİİ`)).To(gomega.Equal([]string{"x"}), "folding a text may change its length")
	r.DeleteTree("")
	g.Expect(r.Has(`A\Bee`)).To(gomega.BeTrue(), "no path is not the whole registry")
}

// Whatever is written is read back, from the registry itself, from its JSON
// form and from a copy; and the JSON form is one for one content.
func TestRegistryRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		type value struct {
			s *string
			d *uint32
			m []string
		}
		model := map[[2]string]value{}
		r := newRegistry()
		word := rapid.SampledFrom([]string{"a", "A", "b", "Bc", "ü", "x y"})
		for range rapid.IntRange(0, 25).Draw(t, "writes") {
			parts := rapid.SliceOfN(word, 1, 3).Draw(t, "path")
			path, name := strings.Join(parts, `\`), word.Draw(t, "name")
			id := [2]string{strings.ToLower(path), strings.ToLower(name)}
			switch rapid.IntRange(0, 3).Draw(t, "type") {
			case 0:
				s := rapid.String().Draw(t, "s")
				s = strings.ToValidUTF8(s, "")
				r.SetString(path, name, s)
				model[id] = value{s: &s}
			case 1:
				d := rapid.Uint32().Draw(t, "d")
				r.SetDWORD(path, name, d)
				model[id] = value{d: &d}
			case 2:
				m := rapid.SliceOfN(word, 0, 3).Draw(t, "m")
				r.SetStrings(path, name, m)
				model[id] = value{m: m}
			case 3:
				r.Delete(path, name)
				delete(model, id)
			}
		}
		text, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		back := newRegistry()
		if err := json.Unmarshal(text, back); err != nil {
			t.Fatal(err)
		}
		again, err := json.Marshal(back)
		if err != nil || string(again) != string(text) {
			t.Fatalf("%s became %s (%v)", text, again, err)
		}
		for _, reg := range []*Registry{r, back} {
			count := 0
			for _, k := range reg.keys {
				count += len(reg.ValueNames(k.path))
			}
			if count != len(model) {
				t.Fatalf("%d values, want %d", count, len(model))
			}
			for id, want := range model {
				d, isD := reg.DWORD(id[0], id[1])
				switch {
				case want.s != nil && reg.String(id[0], id[1]) != *want.s,
					want.d != nil && (!isD || d != *want.d),
					want.s == nil && want.d == nil && !slices.Equal(reg.Strings(id[0], id[1]), want.m):
					t.Fatalf("%v is not %+v", id, want)
				}
			}
		}
	})
}
