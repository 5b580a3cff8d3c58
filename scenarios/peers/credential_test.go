package peers_test

import (
	"bytes"
	"crypto/rand"
	"encoding/binary"
	"encoding/hex"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"windtunnel.test/sim/vclock"
	"windtunnel.test/sim/vtpm"
	"windtunnel.test/sim/wire/tpmattest"
)

var challenge = []byte("thirty-two bytes of a challenge!")

// credentialHeader is what tpm2-tools write before a credential: a magic and a
// version (files.c, "TPM2_CREDENTIAL").
var credentialHeader = binary.BigEndian.AppendUint32([]byte{0xBA, 0xDC, 0xC0, 0xDE}, 1)

var _ = Describe("a credential challenge", func() {
	// createak makes ak.ctx below ek.ctx, and knows its name.
	createak := func(t *tools, algorithm string) {
		GinkgoHelper()
		t.endorse(algorithm)
		t.run("tpm2_createak", "-C", "ek.ctx", "-c", "ak.ctx", "-G", "rsa", "-g", "sha256", "-s", "rsassa", "-u", "ak.pub", "-n", "ak.name")
		t.flush()
		t.write("secret", challenge)
	}

	for _, algorithm := range []string{"rsa", "ecc"} {
		It("of tpm2-tools to an "+algorithm+" endorsement key is opened by our chip through tpm2-tools", func() {
			t, _ := serve("--model", infineon)
			createak(t, algorithm)
			t.makeCredential("ek.pub", t.read("ak.name"))
			Expect(t.activate("credential")).To(Equal(challenge))
		})

		for _, other := range []struct {
			name  string
			serve func() *tools
		}{
			{"our chip", func() *tools { t, _ := serve("--model", infineon); return t }},
			{"swtpm", swtpm},
		} {
			It("of ours to an "+algorithm+" endorsement key is opened by "+other.name+" through tpm2-tools", func() {
				t := other.serve()
				createak(t, algorithm)
				credential, err := tpmattest.MakeCredential(t.public("ek.pub").Key, t.read("ak.name"), challenge, rand.Reader)
				Expect(err).NotTo(HaveOccurred())
				t.write("ours", append(bytes.Clone(credentialHeader), credential.Marshal()...))
				Expect(t.activate("ours")).To(Equal(challenge))
			})
		}
	}

	It("over the name of another key is not opened", func() {
		t, _ := serve("--model", infineon)
		createak(t, "rsa")
		name := t.read("ak.name")
		name[10] ^= 1
		t.makeCredential("ek.pub", name)
		_, err := t.activate("credential")
		Expect(err).To(HaveOccurred())
		t.makeCredential("ek.pub", t.read("ak.name"))
		Expect(t.activate("credential")).To(Equal(challenge), "a refusal changes nothing")
	})

	It("of tpm2-tools is opened by our own code", func(ctx SpecContext) {
		lab, err := vtpm.Open(vtpm.Options{CacheDir: images, Engines: 1})
		Expect(err).NotTo(HaveOccurred())
		DeferCleanup(lab.Close)
		chip, err := lab.Deal(vclock.NewWall(), vtpm.ChipID{Model: infineon, N: 0}, 1)
		Expect(err).NotTo(HaveOccurred())
		Expect(chip.PowerOn(ctx)).To(Succeed())
		DeferCleanup(chip.PowerOff)
		key, err := chip.AIK(ctx)
		Expect(err).NotTo(HaveOccurred())

		t := newTools("none")
		t.write("secret", challenge)
		t.write("ek.pub", sized(marshal(tpmattest.EKPublicArea(chip.EKPublic()))))
		t.makeCredential("ek.pub", key.Name())
		credential, ok := bytes.CutPrefix(t.read("credential"), credentialHeader)
		Expect(ok).To(BeTrue())
		parts, err := tpmattest.ParseCredential(credential)
		Expect(err).NotTo(HaveOccurred())
		Expect(key.Activate(ctx, parts.Blob.Buffer, parts.Secret.Buffer)).To(Equal(challenge))
	})
})

// makeCredential has the tools wrap the file "secret", without a TPM.
func (t *tools) makeCredential(ek string, name []byte) {
	GinkgoHelper()
	t.run("tpm2_makecredential", "-T", "none", "-u", ek, "-s", "secret", "-n", hex.EncodeToString(name), "-o", "credential")
}

// public reads a TPM2B_PUBLIC that the tools wrote.
func (t *tools) public(name string) *tpmattest.Public {
	GinkgoHelper()
	p, err := tpmattest.ParsePublic(t.read(name))
	Expect(err).NotTo(HaveOccurred())
	return p
}

// sized is a TPM2B.
func sized(b []byte) []byte {
	return append(binary.BigEndian.AppendUint16(nil, uint16(len(b))), b...)
}
