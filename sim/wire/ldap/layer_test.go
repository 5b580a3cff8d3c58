package ldap

import (
	"bytes"
	"errors"
	"io"
	"testing"

	"github.com/onsi/gomega"
)

// mask is a context that turns every octet round and puts its first one before.
type mask struct{ seals []bool }

func (m *mask) Wrap(seal bool, p []byte) ([]byte, error) {
	m.seals = append(m.seals, seal)
	out := []byte{0x60}
	for _, c := range p {
		out = append(out, ^c)
	}
	return out, nil
}

func (m *mask) Unwrap(p []byte) ([]byte, error) {
	if len(p) == 0 || p[0] != 0x60 {
		return nil, errors.New("not mine")
	}
	var out []byte
	for _, c := range p[1:] {
		out = append(out, ^c)
	}
	return out, nil
}

func TestLayer(t *testing.T) {
	g := gomega.NewWithT(t)
	var stream bytes.Buffer
	m := &mask{}
	long := bytes.Repeat([]byte("0123456789"), 200)
	n, err := NewLayer(&stream, m, true, 0, 1000).Write(long)
	g.Expect(err).NotTo(gomega.HaveOccurred())
	g.Expect(n).To(gomega.Equal(len(long)))
	g.Expect(m.seals).To(gomega.Equal([]bool{true, true, true}))
	g.Expect(stream.Bytes()[:5]).To(gomega.Equal([]byte{0, 0, 3, 0x69, 0x60}))

	got, err := io.ReadAll(NewLayer(&stream, m, true, 1000, 0))
	g.Expect(err).NotTo(gomega.HaveOccurred())
	g.Expect(got).To(gomega.Equal(long))
}

func TestLayerRefuses(t *testing.T) {
	for _, c := range []struct {
		name string
		in   []byte
		want string
	}{
		{"longer than agreed", []byte{0, 1, 0, 0}, "longer than 1000"},
		{"the length of text", []byte("GET / HTTP/1.1"), "longer than 1000"},
		{"forged", []byte{0, 0, 0, 1, 0x61}, "not mine"},
		{"cut", []byte{0, 0, 0, 5, 0x60}, "unexpected EOF"},
		{"cut in the length", []byte{0, 0}, "unexpected EOF"},
	} {
		t.Run(c.name, func(t *testing.T) {
			g := gomega.NewWithT(t)
			_, err := NewLayer(bytes.NewBuffer(c.in), &mask{}, true, 1000, 0).Read(make([]byte, 10))
			g.Expect(err).To(gomega.MatchError(gomega.ContainSubstring(c.want)))
		})
	}
}
