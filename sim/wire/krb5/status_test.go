package krb5

import (
	"testing"

	"github.com/jcmturner/gofork/encoding/asn1"
	"github.com/onsi/gomega"
)

// A refusal carries Windows' own reason, alone or in a list of one.
func TestStatus(t *testing.T) {
	g := gomega.NewWithT(t)
	refusal := &Error{Code: ErrClientRevoked, Realm: "CORP.CONTOSO.COM", Data: StatusData(0xC0000234)}
	got, err := DecodeError(refusal.Encode())
	g.Expect(err).NotTo(gomega.HaveOccurred())
	status, ok := got.Status()
	g.Expect(ok).To(gomega.BeTrue())
	g.Expect(status).To(gomega.Equal(uint32(0xC0000234)))

	list, err := asn1.Marshal([]errorData{{extendedError, []byte{0x72, 0, 0, 0xC0, 0, 0, 0, 0, 1, 0, 0, 0}}})
	g.Expect(err).NotTo(gomega.HaveOccurred())
	status, ok = (&Error{Data: list}).Status()
	g.Expect(ok).To(gomega.BeTrue())
	g.Expect(status).To(gomega.Equal(uint32(0xC0000072)))

	for _, bad := range [][]byte{nil, {0x30}, {0x30, 0x00}, []byte("text"), list[:len(list)-1]} {
		_, ok := (&Error{Data: bad}).Status()
		g.Expect(ok).To(gomega.BeFalse())
	}
}
