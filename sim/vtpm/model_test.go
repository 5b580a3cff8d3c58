package vtpm

import (
	"context"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/binary"
	"slices"
	"testing"
	"time"

	"github.com/google/go-tpm/tpm2"
	"github.com/google/go-tpm/tpm2/transport"
	. "github.com/onsi/gomega"

	"windtunnel.test/sim/wire/ekcert"
)

func TestModels(t *testing.T) {
	g := NewWithT(t)
	g.Expect(UsualModels()).To(Equal([]string{"amd-ftpm", infineon, "intel-ptt", "nuvoton-npct750", stm}))
	g.Expect(Models()).To(ContainElements(UsualModels()))
	m, err := FindModel(infineon)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(m.VersionText()).To(Equal("TPM-Version:2.0 -Level:0-Revision:1.38-VendorID:'IFX '-Firmware:7.85"))
	g.Expect(must(FindModel("infineon-slb9665-tpm12")).VersionText()).To(HavePrefix("TPM-Version:1.2 "))
	g.Expect(m.firmwareID()).To(Equal("00070055"))
	g.Expect(m.Latency.Of(Cost{Load: 1, Sign: 2})).To(Equal(m.Latency.Load.Value + 2*m.Latency.Sign.Value))
	g.Expect(m.Latency.CreateRSA.Value).To(BeNumerically(">", time.Second))
}

func TestDefectsBelongToFirmware(t *testing.T) {
	g := NewWithT(t)
	for _, name := range Models() {
		m := must(FindModel(name))
		var names []string
		for _, d := range m.Defects() {
			names = append(names, d.Name)
		}
		switch name {
		case "amd-ftpm-fw3.58":
			g.Expect(names).To(Equal([]string{"certificate not published"}))
		case "infineon-slb9672-fw15.22":
			g.Expect(names).To(Equal([]string{"credential activation hangs"}))
		default:
			g.Expect(names).To(BeEmpty(), name)
		}
	}
}

func TestIdentityIsWhatEndsUpInAnImage(t *testing.T) {
	g := NewWithT(t)
	m := *must(FindModel(infineon))
	was := m.identity()
	m.Latency.Sign.Value, m.VendorString, m.Source, m.Usual = 1, "x", "x", false
	g.Expect(m.identity()).To(Equal(was))
	m.version[3]++
	g.Expect(m.identity()).NotTo(Equal(was))
}

// Every part is asked who it is by somebody else's code.
func TestCapabilitiesAreTheVendors(t *testing.T) {
	for _, name := range Models() {
		m := must(FindModel(name))
		if m.Family != family20 {
			continue
		}
		t.Run(name, func(t *testing.T) {
			withChip(t, name, func(ctx context.Context, w *world, c *Chip) {
				fixed := map[tpm2.TPMPT]uint32{}
				w.ok(c.Do(ctx, "TPM2_GetCapability", Cost{}, func(t transport.TPM) error {
					r, err := tpm2.GetCapability{Capability: tpm2.TPMCapTPMProperties, Property: uint32(tpm2.TPMPTFamilyIndicator), PropertyCount: 40}.Execute(t)
					if err != nil {
						return err
					}
					list, err := r.CapabilityData.Data.TPMProperties()
					if err != nil {
						return err
					}
					for _, p := range list.TPMProperty {
						fixed[p.Property] = p.Value
					}
					return nil
				}))
				w.Expect(fixed[tpm2.TPMPTFamilyIndicator]).To(BeEquivalentTo(0x322E3000))
				var id [4]byte
				copy(id[:], m.VendorID)
				w.Expect(fixed[tpm2.TPMPTManufacturer]).To(Equal(binary.BigEndian.Uint32(id[:])))
				v1, v2 := m.firmwareWords()
				w.Expect(fixed[tpm2.TPMPTFirmwareVersion1]).To(Equal(v1))
				w.Expect(fixed[tpm2.TPMPTFirmwareVersion2]).To(Equal(v2))
				p := must(c.Properties(ctx))
				w.Expect(p).To(Equal(Properties{Revision: m.Revision, VendorID: propertyText(fixed[tpm2.TPMPTManufacturer]), VendorString: m.VendorString, Firmware: m.version}))
			})
		})
	}
}

// An answer that a session covers is the chip's own, or the HMAC would not fit.
func TestAuditedCapabilityIsLeftAlone(t *testing.T) {
	withChip(t, infineon, func(ctx context.Context, w *world, c *Chip) {
		w.ok(c.Do(ctx, "TPM2_GetCapability", Cost{}, func(t transport.TPM) error {
			audit := tpm2.HMAC(tpm2.TPMAlgSHA256, 16, tpm2.AuditExclusive())
			r, err := tpm2.GetCapability{Capability: tpm2.TPMCapTPMProperties, Property: uint32(tpm2.TPMPTManufacturer), PropertyCount: 1}.Execute(t, audit)
			if err != nil {
				return err
			}
			list, err := r.CapabilityData.Data.TPMProperties()
			w.Expect(list.TPMProperty[0].Value).To(BeEquivalentTo(0x4D534654))
			return err
		}))
	})
}

// Each certificate is about a key that the chip can make from the template.
func TestEveryEKIsTheChips(t *testing.T) {
	for _, name := range Models() {
		m := must(FindModel(name))
		if m.Family != family20 {
			continue
		}
		t.Run(name, func(t *testing.T) {
			withChip(t, name, func(ctx context.Context, w *world, c *Chip) {
				for _, ek := range m.EKs {
					template := map[Algorithm][]byte{RSA2048: templates().ek, RSA3072: templates().ek3072, ECC256: templates().ekECC}[ek.Algorithm]
					var made *created
					err := c.Do(ctx, "TPM2_CreatePrimary", Cost{CreateRSA: 1}, func(t transport.TPM) (err error) {
						if made, err = createPrimary(t, tpm2.TPMRHEndorsement, template); err == nil {
							err = flush(t, made.handle)
						}
						return err
					})
					key := c.endorsement(ek.Algorithm)
					switch ek.Algorithm {
					case RSA3072:
						w.Expect(err).To(MatchError(tpm2.TPMRCValue))
						w.Expect(key.(*rsa.PublicKey).N.BitLen()).To(Equal(3072))
						w.Expect(c.MakeEK(ctx)).To(MatchError(tpm2.TPMRCValue))
					case RSA2048:
						w.ok(err)
						w.Expect(must(rsaPublic(made.public))).To(Equal(key))
						w.ok(c.MakeEK(ctx)) // it is there
					case ECC256:
						w.ok(err)
						w.Expect(must(p256(must(eccPoint(made.public)))).Equal(key)).To(BeTrue())
					}
					if ek.Certificate == InNV {
						read := c.EKCertificate
						if ek.Algorithm == ECC256 {
							read = c.SecondEKCertificate
						}
						w.Expect(must(ekcert.Parse(must(read(ctx)))).PublicKey).To(Equal(key))
					}
				}
				if !slices.ContainsFunc(m.EKs, func(ek EK) bool { return ek.Certificate == InNV }) {
					_, err := c.EKCertificate(ctx)
					w.Expect(err).To(MatchError(ErrNoCertificate))
				}
			})
		})
	}
}

func TestVendorsHostHasTheCertificates(t *testing.T) {
	for name, count := range map[string]int{"intel-ptt": 2, "amd-ftpm": 2, "amd-ftpm-fw3.58": 0, "qualcomm-ftpm": 1, infineon: 0} {
		withChip(t, name, func(_ context.Context, w *world, c *Chip) {
			list := c.Published()
			w.Expect(list).To(HaveLen(count), name)
			for _, p := range list {
				cert, err := x509.ParseCertificate(must(p.DER()))
				w.ok(err)
				w.Expect(cert.PublicKey).To(Equal(p.Key))
				w.Expect(p.Host).To(Equal(c.Model().Host))
				ca := must(VendorCA(name))
				cert.UnhandledCriticalExtensions = nil
				w.ok(cert.CheckSignatureFrom(ca.Cert))
			}
		})
	}
}

func FuzzRewrite(f *testing.F) {
	m := must(FindModel(infineon))
	command := newFrame(tpm2.TPMCCGetCapability, nil).u32(uint32(tpm2.TPMCapTPMProperties)).u32(uint32(tpm2.TPMPTManufacturer)).u32(1).b
	response := (&frame{}).u16(uint16(tpm2.TPMSTNoSessions)).u32(27).u32(0).raw([]byte{0}).u32(uint32(tpm2.TPMCapTPMProperties)).u32(1).u32(uint32(tpm2.TPMPTManufacturer)).u32(0x4D534654).b
	f.Add(command, response)
	f.Add(command, response[:20])
	f.Fuzz(func(t *testing.T, command, response []byte) {
		n := len(response)
		m.rewrite(command, response)
		if len(response) != n {
			t.Fatal("the answer has another length")
		}
		if len(command) >= 2 && binary.BigEndian.Uint16(command) == tagRequest12 {
			_ = answer12(append(command, make([]byte, 10)...))
		}
	})
}

func TestTPM12AnswersNoCommandOf20(t *testing.T) {
	withChip(t, "infineon-slb9665-tpm12", func(ctx context.Context, w *world, c *Chip) {
		_, err := c.Properties(ctx)
		w.Expect(err).To(MatchError(ErrFamily))
		_, err = c.AIK(ctx)
		w.Expect(err).To(MatchError(badTag))
		w.Expect(c.EKPublic().N.BitLen()).To(Equal(2048))
		w.ok(c.Shutdown(ctx))
		w.Expect(c.On()).To(BeFalse())
	})
}

func TestExplicitFalseVerifies(t *testing.T) {
	g := NewWithT(t)
	m := must(FindModel("amd-ftpm"))
	key := must(VendorCA("intel-ptt")).Key.Public() // any key
	der := must(m.ekCertificate(ChipID{m.Name, 1}, key, false))
	g.Expect(string(der)).To(ContainSubstring("\x01\x01\x00\x04"), "BOOLEAN FALSE before an OCTET STRING")
	g.Expect(sha256.Sum256(der)).To(Equal(sha256.Sum256(must(m.ekCertificate(ChipID{m.Name, 1}, key, false)))))
}

// withChip is alone with a chip of another model.
func withChip(t *testing.T, model string, f func(ctx context.Context, w *world, c *Chip)) {
	t.Helper()
	w := newWorld(t, 1)
	c := w.deal(model, 1)
	w.actor("pc", func(ctx context.Context) {
		w.ok(c.PowerOn(ctx))
		f(ctx, w, c)
	})
	w.drive()
}
