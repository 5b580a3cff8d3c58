package krb5

import (
	"encoding/hex"
	"testing"

	"github.com/onsi/gomega"
	"pgregory.net/rapid"
)

// RFC 3962's own vectors have other numbers of rounds, so these were made by
// MIT's ktutil (addent -password), with the salts of a user and of a computer.
func TestStringToKey(t *testing.T) {
	for _, c := range []struct {
		etype          int32
		password, salt string
		key            string
	}{
		{AES256, "Correct-Horse-7", "CORP.CONTOSO.COManna", "600b0cdb73fa58539b06d01960a23588ee670372ac43611ade0ef5def2614a99"},
		{AES128, "Correct-Horse-7", "CORP.CONTOSO.COManna", "9358350518539c9ceb231a54348ddbf6"},
		{RC4, "Correct-Horse-7", "", "317112aeca0479459ab078709677a4dd"},
		{AES256, "pass", MachineSalt("corp.contoso.com", "PC-1$"), "ddbd42c87344c263b0e2393dff423d6c53157358d057d603b752c6fa78018ebd"},
		{RC4, "foo", "", "ac8e657f83df82beea5d43bdaf7800cc"}, // the MD4 of UTF-16 that RFC 4757 2 asks for
	} {
		g := gomega.NewWithT(t)
		k, err := StringToKey(c.etype, c.password, c.salt)
		g.Expect(err).NotTo(gomega.HaveOccurred())
		g.Expect(hex.EncodeToString(k.Value)).To(gomega.Equal(c.key))
	}
	_, err := StringToKey(3, "x", "y")
	gomega.NewWithT(t).Expect(err).To(gomega.HaveOccurred())
}

func TestSalts(t *testing.T) {
	g := gomega.NewWithT(t)
	g.Expect(UserSalt("corp.contoso.com", "Anna")).To(gomega.Equal("CORP.CONTOSO.COMAnna"))
	g.Expect(MachineSalt("corp.contoso.com", "PC-1$")).To(gomega.Equal("CORP.CONTOSO.COMhostpc-1.corp.contoso.com"))
}

func someKey(t *rapid.T) Key {
	etype := rapid.SampledFrom(EncryptionTypes).Draw(t, "type")
	n := KeySize(etype)
	return Key{etype, rapid.SliceOfN(rapid.Byte(), n, n).Draw(t, "key")}
}

func TestEncryptionRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		k := someKey(t)
		plain := rapid.SliceOfN(rapid.Byte(), 0, 200).Draw(t, "plain")
		usage := rapid.Uint32Range(1, 30).Draw(t, "usage")
		c, err := k.encrypt(usage, plain)
		if err != nil {
			t.Fatal(err)
		}
		got, err := k.decrypt(usage, c)
		if err != nil || string(got) != string(plain) {
			t.Fatalf("%x, %v", got, err)
		}
		c[rapid.IntRange(0, len(c)-1).Draw(t, "at")] ^= 1 << rapid.IntRange(0, 7).Draw(t, "bit")
		if _, err := k.decrypt(usage, c); err == nil {
			t.Fatal("a changed cipher text opens")
		}
		if _, err := k.decrypt(usage, c[:rapid.IntRange(0, len(c)-1).Draw(t, "cut")]); err == nil {
			t.Fatal("a cut one opens")
		}
	})
}

func TestKeysOfWrongLength(t *testing.T) {
	g := gomega.NewWithT(t)
	for _, k := range []Key{{}, {AES256, make([]byte, 16)}, {RC4, nil}, {99, make([]byte, 16)}} {
		_, err := k.encrypt(1, []byte("x"))
		g.Expect(err).To(gomega.HaveOccurred())
		_, err = k.decrypt(1, make([]byte, 64))
		g.Expect(err).To(gomega.HaveOccurred())
		_, err = k.checksum(1, []byte("x"))
		g.Expect(err).To(gomega.HaveOccurred())
	}
}
