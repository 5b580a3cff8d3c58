package journal

import (
	"testing"

	. "github.com/onsi/gomega"
	"pgregory.net/rapid"
)

func FuzzParseJSON(f *testing.F) {
	f.Add([]byte(`{"seq":1,"time":"2026-09-01T08:00:00Z","device":"PC","kind":"k","fields":{"a":1,"b":{"seconds":-0.5},"c":["x"]},"loose":{"d":true}}`))
	f.Add([]byte(`{"fields":{"t":{"time":"2026-09-01T08:00:00Z"},"n":null}}`))
	f.Fuzz(func(t *testing.T, line []byte) {
		e, err := parseJSON(line)
		if err != nil {
			return
		}
		again, err := parseJSON(appendJSON(nil, e))
		if err != nil || string(appendCanonical(nil, again)) != string(appendCanonical(nil, e)) {
			t.Fatalf("%q reads as %v and again as %v, %v", line, e, again, err)
		}
	})
}

func TestParseRefuses(t *testing.T) {
	for _, line := range []string{
		`{`, `[]`, `{"seq":"x"}`, `{"fields":[]}`, `{"fields":{"a":1.5}}`, `{"fields":{"a":null}}`, `{"fields":{"a":{}}}`, `{"fields":{"a":[1]}}`,
		`{"fields":{"a":{"seconds":1e9}}}`, `{"fields":{"a":{"seconds":0.1234567891}}}`, `{"fields":{"a":{"seconds":9223372037}}}`,
	} {
		_, err := parseJSON([]byte(line))
		NewWithT(t).Expect(err).To(HaveOccurred(), line)
	}
}

// Two different rows of fields never have the same encoding.
func TestCanonicalEncodingIsInjective(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		pair := rapid.SliceOfN(rapid.SampledFrom([]string{"", "a", "ab", "b"}), 2, 2)
		draw := func(label string) []Field {
			var list []Field
			for _, kv := range rapid.SliceOfN(pair, 0, 3).Draw(t, label) {
				list = append(list, F(kv[0], kv[1]))
			}
			return list
		}
		a, b := Event{Fields: draw("a")}, Event{Fields: draw("b")}
		same := a.String() == b.String()
		if same != (string(appendCanonical(nil, a)) == string(appendCanonical(nil, b))) {
			t.Fatalf("%v and %v", a, b)
		}
	})
}
