package peers_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net"
	"os/exec"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"windtunnel.test/sim/vtpm"
)

// endorsement is where the certificate of an endorsement key lies (TCG EK
// Credential Profile 2.5, section 2.2.1.4), and what tpm2_createek calls it.
var endorsement = map[vtpm.Algorithm]struct{ index, tool string }{
	vtpm.RSA2048: {"0x01C00002", "rsa"},
	vtpm.ECC256:  {"0x01C0000A", "ecc"},
}

// certified lists a model's endorsement keys that the tools can look up.
func certified(m *vtpm.Model) (list []vtpm.Algorithm) {
	for _, ek := range m.EKs {
		if _, ok := endorsement[ek.Algorithm]; ok && ek.Certificate == vtpm.InNV {
			list = append(list, ek.Algorithm)
		}
	}
	return list
}

// parts are the models of which that holds.
func parts(holds func(*vtpm.Model) bool) []TableEntry {
	var list []TableEntry
	for _, name := range vtpm.Models() {
		if m, err := vtpm.FindModel(name); err != nil || holds(m) {
			list = append(list, Entry(name, name))
		}
	}
	return list
}

func model(name string) *vtpm.Model {
	GinkgoHelper()
	m, err := vtpm.FindModel(name)
	Expect(err).NotTo(HaveOccurred())
	return m
}

func isTPM2(m *vtpm.Model) bool { return m.Family == "2.0" }

var _ = Describe("a chip of ours, seen by tpm2-tools", func() {
	DescribeTable("says whose it is", func(name string) {
		t, _ := serve("--model", name)
		fixed := t.run("tpm2_getcap", "properties-fixed")
		Expect(property(fixed, "TPM2_PT_MANUFACTURER")).To(Equal("0x" + model(name).Manufacturer))
		Expect(property(fixed, "TPM2_PT_FAMILY_INDICATOR")).To(Equal("0x322E3000"), "2.0")
	}, parts(isTPM2))

	DescribeTable("answers nothing where it is a TPM 1.2", func(name string) {
		t, _ := serve("--model", name)
		Expect(t.refused("tpm2_getcap", "properties-fixed")).To(ContainSubstring("The device is a TPM 1.2"))
	}, parts(func(m *vtpm.Model) bool { return !isTPM2(m) }))

	DescribeTable("has certificates for its endorsement keys, which the vendor has signed", func(name string) {
		t, _ := serve("--model", name)
		t.roots()
		for _, algorithm := range certified(model(name)) {
			at := endorsement[algorithm]
			By(fmt.Sprintf("%s at %s", algorithm, at.index))
			t.run("tpm2_nvread", "-C", "o", at.index, "-o", "ek.der")
			t.run("openssl", "x509", "-inform", "der", "-in", "ek.der", "-out", "ek.pem")
			Expect(t.run("openssl", "verify", "-CAfile", "roots.pem", "-untrusted", "issuers.pem", "ek.pem")).To(ContainSubstring("ek.pem: OK"))
			t.refused("openssl", "verify", "-CAfile", "issuers.pem", "ek.pem")

			t.run("tpm2_createek", "-G", at.tool, "-c", "ek.ctx", "-f", "pem", "-u", "made.pem")
			t.run("tpm2_flushcontext", "-t")
			Expect(t.run("openssl", "pkey", "-pubin", "-in", "made.pem")).To(
				Equal(t.run("openssl", "x509", "-in", "ek.pem", "-noout", "-pubkey")), "the certificate is for another key")
		}
	}, parts(func(m *vtpm.Model) bool { return isTPM2(m) && len(certified(m)) > 0 }))

	It("keeps its registers, and starts them anew after a power cut", func() {
		t, s := serve("--model", infineon)
		zero := strings.Repeat("00", 32)
		Expect(register(t, 7)).To(Equal(zero))
		digest := sha256.Sum256([]byte("measured"))
		t.run("tpm2_pcrextend", "7:sha256="+hex.EncodeToString(digest[:]))
		extended := sha256.Sum256(append(make([]byte, 32), digest[:]...))
		Expect(register(t, 7)).To(Equal(hex.EncodeToString(extended[:])))
		Expect(register(t, 7)).To(Equal(hex.EncodeToString(extended[:])), "each tool is a client of its own")

		platform, err := net.Dial("tcp4", fmt.Sprintf("127.0.0.1:%d", s.PlatformPort))
		Expect(err).NotTo(HaveOccurred())
		DeferCleanup(platform.Close)
		const powerOff = "\x00\x00\x00\x02"
		_, err = platform.Write([]byte(powerOff))
		Expect(err).NotTo(HaveOccurred())
		Expect(io.ReadFull(platform, make([]byte, 4))).To(Equal(4))
		Expect(register(t, 7)).To(Equal(zero), "the tool has switched it on again")
	})

	It("hashes what takes a sequence of commands as openssl does", func() {
		t, _ := serve("--model", infineon)
		t.write("long", bytes.Repeat([]byte("windtunnel "), 1000))
		t.run("tpm2_hash", "-C", "n", "-g", "sha256", "--hex", "-o", "hash", "long")
		out := t.run("openssl", "dgst", "-sha256", "-r", "long")
		Expect(strings.TrimSpace(string(t.read("hash")))).To(Equal(strings.Fields(out)[0]))
	})

	It("is the chip of a PC, where one is named", func() {
		t, s := serve("--device", "PC-0001")
		Expect(s.Device).To(Equal("PC-0001"))
		Expect(s.Serial).NotTo(BeEmpty())
		Expect(s.Warning).To(ContainSubstring("not a production TPM"))
		fixed := t.run("tpm2_getcap", "properties-fixed")
		Expect(property(fixed, "TPM2_PT_MANUFACTURER")).To(Equal("0x" + model(s.Model).Manufacturer))
	})
})

// roots writes the vendors' certificates to roots.pem and issuers.pem.
func (t *tools) roots() {
	GinkgoHelper()
	for file, args := range map[string][]string{"roots.pem": {"tpm", "roots"}, "issuers.pem": {"tpm", "roots", "--issuers"}} {
		out, err := exec.Command(windtunnel, args...).Output()
		Expect(err).NotTo(HaveOccurred())
		t.write(file, out)
	}
}

// property is a raw value of tpm2_getcap's output.
func property(out, name string) string {
	GinkgoHelper()
	_, after, ok := strings.Cut(out, name+":\n  raw: ")
	Expect(ok).To(BeTrue(), "no %s in %s", name, out)
	value, _, _ := strings.Cut(after, "\n")
	return value
}

// register is what tpm2_pcrread says about a register of the SHA-256 bank, in
// lower-case hex.
func register(t *tools, n int) string {
	GinkgoHelper()
	out := t.run("tpm2_pcrread", fmt.Sprintf("sha256:%d", n))
	_, value, ok := strings.Cut(out, "0x")
	Expect(ok).To(BeTrue(), out)
	return strings.ToLower(strings.TrimSpace(value))
}
