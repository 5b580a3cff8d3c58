package peers_test

import (
	"crypto/sha256"
	"encoding/hex"

	"github.com/google/go-tpm/tpm2"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"windtunnel.test/sim/wire/tpmattest"
)

// certifyNonce is the qualifying data that tpm2_certify always gives
// (tpm2_certify.c).
var certifyNonce = []byte{0x00, 0xFF, 0x55, 0xAA}

func marshal[T tpm2.Marshallable](v T) []byte { return tpm2.Marshal(v) }

// Both TPMs have to say the same to both verifiers.
var _ = Describe("what a TPM attests", func() {
	for _, of := range []struct {
		name  string
		serve func() *tools
	}{
		{"our chip", func() *tools { t, _ := serve("--model", infineon); return t }},
		{"swtpm", swtpm},
	} {
		Describe("of "+of.name, func() {
			var t *tools
			BeforeEach(func() {
				t = of.serve()
				t.attestationKey("ak", tpmKey)
			})

			It("about its registers is believed by tpm2_checkquote and by us, once", func() {
				nonce := []byte("a nonce of the verifier")
				digest := sha256.Sum256([]byte("boot loader"))
				t.run("tpm2_pcrextend", "4:sha256="+hex.EncodeToString(digest[:]))
				t.run("tpm2_quote", "-c", "ak.ctx", "-l", "sha256:4,7", "-q", hex.EncodeToString(nonce), "-m", "quote", "-s", "quote.sig", "-o", "quote.pcrs", "-g", "sha256")
				t.run("tpm2_flushcontext", "-t")
				check := []string{"-u", "ak.pem", "-m", "quote", "-s", "quote.sig", "-f", "quote.pcrs", "-g", "sha256", "-q"}
				t.run("tpm2_checkquote", append(check, hex.EncodeToString(nonce))...)
				t.refused("tpm2_checkquote", append(check, hex.EncodeToString([]byte("another nonce")))...)

				pcr4 := sha256.Sum256(append(make([]byte, 32), digest[:]...))
				registers := sha256.Sum256(append(pcr4[:], make([]byte, 32)...))
				key := t.public("ak.pub").Key
				_, err := tpmattest.VerifyQuote(key, t.read("quote"), t.read("quote.sig"), nonce, registers[:])
				Expect(err).NotTo(HaveOccurred())
				_, err = tpmattest.VerifyQuote(key, t.read("quote"), t.read("quote.sig"), []byte("another nonce"), registers[:])
				Expect(tpmattest.CheckOf(err)).To(Equal(tpmattest.CheckQualifying))
				_, err = tpmattest.VerifyQuote(key, t.read("quote"), t.read("quote.sig"), nonce, pcr4[:])
				Expect(tpmattest.CheckOf(err)).To(Equal(tpmattest.CheckName), "other registers")
				_, err = tpmattest.VerifyQuote(key, t.tampered("quote"), t.read("quote.sig"), nonce, nil)
				Expect(tpmattest.CheckOf(err)).To(Equal(tpmattest.CheckSignature))
			})

			It("about another of its keys is believed by us", func() {
				t.run("tpm2_createprimary", "-C", "o", "-c", "srk.ctx")
				t.flush()
				t.run("tpm2_create", "-C", "srk.ctx", "-G", "rsa2048", "-u", "key.pub", "-r", "key.priv",
					"-a", "fixedtpm|fixedparent|sensitivedataorigin|userwithauth|sign|decrypt")
				t.flush()
				t.run("tpm2_load", "-C", "srk.ctx", "-u", "key.pub", "-r", "key.priv", "-c", "key.ctx")
				t.flush()
				t.run("tpm2_certify", "-c", "key.ctx", "-C", "ak.ctx", "-g", "sha256", "-o", "certify", "-s", "certify.sig", "-f", "tss")
				t.flush()
				ak, key := t.public("ak.pub"), t.public("key.pub")
				_, err := tpmattest.VerifyCertify(ak.Key, t.read("certify"), t.read("certify.sig"), certifyNonce, key, key.Key)
				Expect(err).NotTo(HaveOccurred())
				_, err = tpmattest.VerifyCertify(ak.Key, t.read("certify"), t.read("certify.sig"), nil, key, nil)
				Expect(tpmattest.CheckOf(err)).To(Equal(tpmattest.CheckQualifying))
				_, err = tpmattest.VerifyCertify(ak.Key, t.read("certify"), t.read("certify.sig"), certifyNonce, ak, nil)
				Expect(tpmattest.CheckOf(err)).To(Equal(tpmattest.CheckName))
				_, err = tpmattest.VerifyCertify(key.Key, t.read("certify"), t.read("certify.sig"), certifyNonce, key, nil)
				Expect(tpmattest.CheckOf(err)).To(Equal(tpmattest.CheckSignature))
			})
		})
	}
})

// tampered is a file with one bit changed, far behind its header.
func (t *tools) tampered(name string) []byte {
	GinkgoHelper()
	b := t.read(name)
	b[len(b)-1] ^= 1
	return b
}
