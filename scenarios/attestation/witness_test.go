package attestation_test

import (
	"context"
	"crypto/sha256"
	"crypto/x509"
	"io"
	"net/http"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"windtunnel.test/sim/device"
	"windtunnel.test/sim/spec"
	"windtunnel.test/sim/vnet"
	"windtunnel.test/sim/vtpm"
	"windtunnel.test/sim/wire/aik"
	"windtunnel.test/sim/wire/tpmattest"
)

// attested checks what a PC's AIK certificate claims, with nothing but public
// keys and the chip itself: the certificate chains to the AIK service's root,
// its key signs inside this very chip, and that chip vouches for the keys of the
// device's and the MDM's certificate.
func attested(w *spec.World, pc *device.PC) {
	GinkgoHelper()
	cert := parse(kept(pc, "aik").DER)
	w.Do(func(ctx context.Context) {
		authority := issuer(ctx, pc)
		Expect(cert.CheckSignatureFrom(authority)).To(Succeed())
		Expect(authority.CheckSignatureFrom(w.Entra.AIK.Root())).To(Succeed())
		Expect(cert.NotAfter.After(w.Clock.Now())).To(BeTrue())

		key, err := pc.Chip.AIK(ctx)
		Expect(err).NotTo(HaveOccurred())
		nonce := sha256.Sum256([]byte("a nonce for " + pc.Name))
		quote, err := key.Quote(ctx, nonce[:], 0, 7)
		Expect(err).NotTo(HaveOccurred())
		_, err = tpmattest.VerifyQuote(cert.PublicKey, quote.Attest, quote.Signature, nonce[:], nil)
		Expect(err).NotTo(HaveOccurred(), "the certified AIK is not in the chip of %s", pc.Name)

		for _, name := range []string{"entra-device", "mdm"} {
			holder := kept(pc, name)
			loaded, err := pc.Chip.LoadKey(ctx, pc.Disk.Keys.Get(holder.Container))
			Expect(err).NotTo(HaveOccurred())
			claim, err := key.Certify(ctx, loaded, nonce[:])
			Expect(err).NotTo(HaveOccurred())
			public, err := tpmattest.ParsePublic(loaded.PublicArea())
			Expect(err).NotTo(HaveOccurred())
			_, err = tpmattest.VerifyCertify(cert.PublicKey, claim.Attest, claim.Signature, nonce[:], public, parse(holder.DER).PublicKey)
			Expect(err).NotTo(HaveOccurred(), "the key of the certificate %q is not in the chip of %s", name, pc.Name)
		}
	})
}

// issuer is the authority that gives AIK certificates for the maker of this
// PC's chip, as the service names it.
func issuer(ctx context.Context, pc *device.PC) *x509.Certificate {
	GinkgoHelper()
	der, err := pc.Chip.EKCertificate(ctx)
	if published := pc.Chip.Published(); len(published) > 0 {
		der, err = published[0].DER() // a firmware TPM does not carry it
	}
	Expect(err).NotTo(HaveOccurred())
	ek := parse(der)
	name, err := aik.TPMNameOf(ek)
	Expect(err).NotTo(HaveOccurred())
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, aik.URL(aik.Host(name.Vendor(), ek.AuthorityKeyId), "GetCACertChain"), nil)
	Expect(err).NotTo(HaveOccurred())
	resp, err := pc.NIC.Client(vnet.ClientOptions{}).Do(req)
	Expect(err).NotTo(HaveOccurred())
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	Expect(err).NotTo(HaveOccurred())
	authority, err := aik.ParseAuthority(body)
	Expect(err).NotTo(HaveOccurred())
	return authority.Issuing
}

var _ = Describe("a fleet", func() {
	It("reaches the desktop with as many EKs as PCs, and each AIK certificate is about the right TPM", func() {
		w := spec.NewWorld()
		var pcs []*device.PC
		for range 2 {
			for _, model := range vtpm.UsualModels() {
				pcs = append(pcs, w.NewPC(spec.WithTPM(model)))
			}
		}
		w.Register(pcs...)
		eks, aiks := map[string]bool{}, map[string]bool{}
		for i, pc := range pcs {
			w.Provision(pc)
			w.Ship(pc, 2*time.Hour)
			w.Unpack(pc, w.User([]string{"alex", "kim"}[i%2]))
			attested(w, pc)
			eks[pc.Chip.EKPublic().N.String()] = true
			cert := parse(kept(pc, "aik").DER)
			aiks[string(cert.RawSubjectPublicKeyInfo)] = true
			Expect(w.Entra.AIK.Records(ekHash(pc.Chip))).To(HaveLen(1))
			Expect(w.Events(pc, "refused")).To(BeEmpty())
		}
		Expect(eks).To(HaveLen(len(pcs)))
		Expect(aiks).To(HaveLen(len(pcs)))
	})
})
