// Package domain lets other people's clients judge the domain: Debian's dig,
// MIT Kerberos, OpenLDAP, adcli and Samba's tools, and go-ldap and gokrb5,
// against controllers that listen on the standard ports of a loopback of their
// own. Samba's domain controller is judged the other way round, by our client.
//
// It needs root or user namespaces, and dnsutils, krb5-user, ldap-utils,
// libsasl2-modules-gssapi-mit, adcli, samba, samba-common-bin and faketime; a
// spec without its tools fails.
package domain_test

import (
	"os"
	"path/filepath"
	"testing"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"go.uber.org/goleak"

	"windtunnel.test/scenarios/domain/namespace"
	"windtunnel.test/sim/pki"
	"windtunnel.test/sim/vclock"
)

func TestMain(m *testing.M) { namespace.Main(m) }

// Nobody may leave a goroutine behind; Ginkgo's own wait for a signal as long
// as the process lives.
func TestDomain(t *testing.T) {
	const interrupts = "github.com/onsi/ginkgo/v2/internal/interrupt_handler.(*InterruptHandler).registerForInterrupts"
	before := goleak.IgnoreCurrent()
	RegisterFailHandler(Fail)
	RunSpecs(t, "domain")
	goleak.VerifyNone(t, before, goleak.IgnoreAnyFunction(interrupts+".func1"), goleak.IgnoreAnyFunction(interrupts+".func2"))
}

// domainName and seed are those of every spec's domain.
const (
	domainName = "corp.contoso.com"
	realm      = "CORP.CONTOSO.COM"
	seed       = vclock.Seed(6)
)

// wall is the clock of this machine: its clients have no other.
var wall = vclock.NewWall()

// ca issues the controllers' certificates, and home is the suite's directory.
var (
	ca   *pki.CA
	home string
)

var _ = BeforeSuite(func() {
	var err error
	home, err = os.MkdirTemp("", "domain")
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(os.RemoveAll, home)
	ca, err = pki.NewRoot(wall.Now().AddDate(-1, 0, 0), seed, "Contoso Root CA", pki.Options{})
	Expect(err).NotTo(HaveOccurred())
	etc := filepath.Join(home, "etc")
	Expect(os.Mkdir(etc, 0o755)).To(Succeed())
	Expect(namespace.Join(etc, domainName, pki.PEM(ca.Chain()...))).To(Succeed())
	DeferCleanup(wall.Stop)
})
