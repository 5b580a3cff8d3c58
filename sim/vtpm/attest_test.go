package vtpm

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-tpm/tpm2"
	. "github.com/onsi/gomega"

	"windtunnel.test/sim/vclock"
	"windtunnel.test/sim/wire/ekcert"
	"windtunnel.test/sim/wire/tpmattest"
)

// certificatesOf are all that the vendor says about a chip's EKs, from NV or
// from its host.
func certificatesOf(ctx context.Context, c *Chip) map[Algorithm][]byte {
	out := map[Algorithm][]byte{}
	for _, ek := range c.Model().EKs {
		switch {
		case ek.Certificate == InNV && ek.Algorithm == ECC256:
			out[ek.Algorithm] = must(c.SecondEKCertificate(ctx))
		case ek.Certificate == InNV:
			out[ek.Algorithm] = must(c.EKCertificate(ctx))
		case ek.Certificate == ByURL:
			out[ek.Algorithm] = must(c.Model().ekCertificate(c.ID(), c.endorsement(ek.Algorithm), false))
		}
	}
	return out
}

// modern are the models that are TPMs 2.0.
func modern() []string {
	return slices.DeleteFunc(Models(), func(name string) bool { return must(FindModel(name)).Family != family20 })
}

func TestEKCertificateIsTheVendorsForThisKey(t *testing.T) {
	for _, model := range modern() {
		withChip(t, model, func(ctx context.Context, w *world, c *Chip) {
			for algorithm, der := range certificatesOf(ctx, c) {
				parsed, err := ekcert.Parse(der)
				w.ok(err)
				cert := parsed.Certificate
				w.Expect(cert.PublicKey).To(Equal(c.endorsement(algorithm)))
				usage := x509.KeyUsageKeyEncipherment
				if algorithm == ECC256 {
					usage = x509.KeyUsageKeyAgreement
				}
				w.Expect(cert.KeyUsage).To(Equal(usage))
				w.Expect(cert.UnknownExtKeyUsage).To(ContainElement(oidEKCertificate))
				w.Expect(cert.IsCA).To(BeFalse())
				quirks := c.Model().Quirks
				if quirks.NoKeyID {
					w.Expect(parsed.Tolerated).To(ContainElement(ekcert.NoKeyID))
				} else {
					w.Expect(cert.AuthorityKeyId).To(Equal(must(VendorCA(model)).Cert.SubjectKeyId))
				}
				w.Expect(slices.Contains(parsed.Tolerated, ekcert.ExplicitFalse)).To(Equal(quirks.ExplicitFalse))
				w.Expect(slices.Contains(parsed.Tolerated, ekcert.Trailing)).To(Equal(quirks.Padding > 0))

				// crypto/x509 does not look into a directory name.
				w.Expect(cert.UnhandledCriticalExtensions).To(Equal([]asn1.ObjectIdentifier{oidSubjectAltName}))
				i := slices.IndexFunc(cert.Extensions, func(e pkix.Extension) bool { return e.Id.Equal(oidSubjectAltName) })
				san := string(cert.Extensions[i].Value)
				w.Expect(san).To(ContainSubstring("id:" + c.Model().Manufacturer))
				w.Expect(san).To(ContainSubstring(c.Model().Part))
				w.Expect(san).To(ContainSubstring("id:" + c.Model().firmwareID()))

				ca := must(VendorCA(c.Model().Name))
				roots, between := x509.NewCertPool(), x509.NewCertPool()
				roots.AddCert(ca.Root().Cert)
				between.AddCert(ca.Cert)
				for _, der := range must(c.CertificateChain(ctx)) {
					between.AddCert(must(x509.ParseCertificate(der)))
				}
				cert.UnhandledCriticalExtensions = nil
				_, err = cert.Verify(x509.VerifyOptions{
					Roots: roots, Intermediates: between,
					CurrentTime: w.clock.Now(), KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny},
				})
				w.ok(err)
			}
		})
	}
}

// OpenSSL reads and verifies every model's certificates as we do.
func TestEKCertificateWithOpenSSL(t *testing.T) {
	dir := t.TempDir()
	for _, model := range modern() {
		withChip(t, model, func(ctx context.Context, w *world, c *Chip) {
			file := func(name string, certs ...[]byte) string {
				path := filepath.Join(dir, name)
				var text []byte
				for _, der := range certs {
					text = append(text, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})...)
				}
				w.ok(os.WriteFile(path, text, 0o600))
				return path
			}
			ca := must(VendorCA(model))
			between := file("between.pem", append(must(c.CertificateChain(ctx)), ca.Cert.Raw)...)
			for algorithm, der := range certificatesOf(ctx, c) {
				raw := filepath.Join(dir, "ek.der")
				w.ok(os.WriteFile(raw, der, 0o600)) // with what stands behind it in NV
				leaf := filepath.Join(dir, "ek.pem")
				out, err := exec.Command("openssl", "x509", "-inform", "DER", "-in", raw, "-out", leaf).CombinedOutput()
				w.Expect(err).NotTo(HaveOccurred(), "%s %s: %s", model, algorithm, out)
				out, err = exec.Command("openssl", "verify", "-CAfile", file("root.pem", ca.Root().Cert.Raw), "-untrusted", between, leaf).CombinedOutput()
				w.Expect(err).NotTo(HaveOccurred(), "%s %s: %s", model, algorithm, out)
				w.Expect(string(out)).To(ContainSubstring("OK"))
				out, err = exec.Command("openssl", "x509", "-in", leaf, "-noout", "-ext", "subjectAltName,extendedKeyUsage").Output()
				w.ok(err)
				w.Expect(string(out)).To(And(
					ContainSubstring("DirName:"), ContainSubstring("id:"+c.Model().Manufacturer), ContainSubstring("2.23.133.8.1"),
				))
			}
		})
	}
}

func TestActivateCredential(t *testing.T) {
	w := newWorld(t, 1)
	c, other := w.deal(infineon, 1), w.deal(stm, 1)
	secret := []byte("thirty-two bytes of a challenge!")
	w.actor("pc", func(ctx context.Context) {
		w.ok(c.PowerOn(ctx))
		w.ok(other.PowerOn(ctx))
		aik := must(c.AIK(ctx))
		challenge := func(ek *rsa.PublicKey, name []byte) tpmattest.Credential {
			return must(tpmattest.MakeCredential(ek, name, secret, vclock.Seed(1).Reader("challenge")))
		}
		right := challenge(c.EKPublic(), aik.Name())
		got, err := aik.Activate(ctx, right.Blob.Buffer, right.Secret.Buffer)
		w.ok(err)
		w.Expect(got).To(Equal(secret))
		got, err = aik.Activate(ctx, tpm2.Marshal(right.Blob), tpm2.Marshal(right.Secret))
		w.ok(err)
		w.Expect(got).To(Equal(secret))

		wrong := challenge(other.EKPublic(), aik.Name())
		_, err = aik.Activate(ctx, wrong.Blob.Buffer, wrong.Secret.Buffer)
		w.Expect(err).To(HaveOccurred(), "made for another TPM")
		wrong = challenge(c.EKPublic(), must(other.AIK(ctx)).Name())
		_, err = aik.Activate(ctx, wrong.Blob.Buffer, wrong.Secret.Buffer)
		w.Expect(err).To(MatchError(tpm2.TPMRCIntegrity), "made for another AIK")
		// Sessions of refused tries are not left behind.
		for range 4 {
			_, err = aik.Activate(ctx, wrong.Blob.Buffer, wrong.Secret.Buffer)
			w.Expect(err).To(MatchError(tpm2.TPMRCIntegrity))
		}
		_, err = aik.Activate(ctx, right.Blob.Buffer, right.Secret.Buffer)
		w.ok(err)
	})
	w.drive()
}

func TestAIKVouches(t *testing.T) {
	alone(t, 1, func(ctx context.Context, w *world, c *Chip) {
		aik := must(c.AIK(ctx))
		public, err := must(aik.IDBinding(ctx, nil)).Verify(nil)
		w.ok(err)
		w.Expect(public.Name).To(Equal(aik.Name()))
		w.Expect(public.Is(aik.Public())).To(BeTrue())
		_, err = must(aik.IDBinding(ctx, []byte("nonce"))).Verify([]byte("nonce"))
		w.ok(err)

		key := must(c.NewKey(ctx, "device"))
		area, err := tpmattest.ParsePublic(key.PublicArea())
		w.ok(err)
		out := must(aik.Certify(ctx, key, []byte("nonce")))
		_, err = tpmattest.VerifyCertify(aik.Public(), out.Attest, out.Signature, []byte("nonce"), area, key.Public())
		w.ok(err)
		_, err = tpmattest.VerifyCertify(aik.Public(), out.Attest, out.Signature, []byte("other"), area, nil)
		w.Expect(err).To(HaveOccurred())

		quoted := must(aik.Quote(ctx, []byte("nonce"), 0, 7))
		digest := sha256.Sum256(make([]byte, 64))
		_, err = tpmattest.VerifyQuote(aik.Public(), quoted.Attest, quoted.Signature, []byte("nonce"), digest[:])
		w.ok(err)
		_, err = aik.Quote(ctx, nil, 24)
		w.Expect(err).To(HaveOccurred())
	})
}

func TestKeySignsAndDecrypts(t *testing.T) {
	alone(t, 1, func(ctx context.Context, w *world, c *Chip) {
		key, err := c.LoadKey(ctx, must(c.NewKey(ctx, "transport")).Blob())
		w.ok(err)
		public := key.Public().(*rsa.PublicKey)
		for _, hash := range []crypto.Hash{crypto.SHA1, crypto.SHA256, crypto.SHA384} {
			digest := make([]byte, hash.Size())
			signature := must(key.In(ctx).Sign(nil, digest, hash))
			w.Expect(rsa.VerifyPKCS1v15(public, hash, digest, signature)).To(Succeed())
			pss := &rsa.PSSOptions{Hash: hash, SaltLength: rsa.PSSSaltLengthEqualsHash}
			signature = must(key.In(ctx).Sign(nil, digest, pss))
			w.Expect(rsa.VerifyPSS(public, hash, digest, signature, pss)).To(Succeed())
		}
		_, err = key.In(ctx).Sign(nil, make([]byte, 16), crypto.MD5)
		w.Expect(err).To(HaveOccurred())
		_, err = key.In(ctx).Sign(nil, make([]byte, 32), &rsa.PSSOptions{Hash: crypto.SHA256, SaltLength: 20})
		w.Expect(err).To(HaveOccurred())

		// A PRT's session key travels like this (MS-OAPXBC 3.2.5.1.2).
		sealed := must(rsa.EncryptOAEP(sha1.New(), rand.Reader, public, []byte("session key"), nil))
		w.Expect(key.In(ctx).Decrypt(nil, sealed, &rsa.OAEPOptions{Hash: crypto.SHA1})).To(Equal([]byte("session key")))
		//lint:ignore SA1019 SCEP's envelopes are made like this (RFC 8894, RFC 3370 4.2.1)
		sealed = must(rsa.EncryptPKCS1v15(rand.Reader, public, []byte("session key")))
		w.Expect(key.In(ctx).Decrypt(nil, sealed, nil)).To(Equal([]byte("session key")))
		sealed[10] ^= 1
		_, err = key.In(ctx).Decrypt(nil, sealed, nil)
		w.Expect(err).To(HaveOccurred())

		csr := must(x509.CreateCertificateRequest(nil, &x509.CertificateRequest{}, key.In(ctx)))
		w.Expect(must(x509.ParseCertificateRequest(csr)).CheckSignature()).To(Succeed())
	})
}

func TestKeysStayInTheirTPM(t *testing.T) {
	w := newWorld(t, 1)
	c, other := w.deal(infineon, 1), w.deal(stm, 1)
	w.actor("pc", func(ctx context.Context) {
		w.ok(c.PowerOn(ctx))
		w.ok(other.PowerOn(ctx))
		seen := map[string]bool{}
		for range poolKeys + 1 { // one more than was made ahead
			k := must(c.NewKey(ctx, "device"))
			seen[string(k.PublicArea())] = true
			_, err := other.LoadKey(ctx, k.Blob())
			w.Expect(err).To(MatchError(tpm2.TPMRCIntegrity))
			_, err = must(other.AIK(ctx)).Certify(ctx, k, nil)
			w.Expect(err).To(HaveOccurred())
			_, err = k.In(ctx).Sign(nil, make([]byte, 32), crypto.SHA256)
			w.ok(err)
		}
		w.Expect(seen).To(HaveLen(poolKeys + 1))
		for _, blob := range [][]byte{nil, {0, 1}, []byte(strings.Repeat("x", 1000))} {
			_, err := c.LoadKey(ctx, blob)
			w.Expect(err).To(HaveOccurred())
		}
	})
	w.drive()
}
