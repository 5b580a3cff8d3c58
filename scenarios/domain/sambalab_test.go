package domain_test

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"sync"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"windtunnel.test/scenarios/domain/samba"
	"windtunnel.test/sim/adclient"
)

// provisioned is Samba's domain, made once for all specs that want one, a year
// ago. Each has it as new.
var provisioned = sync.OnceValues(func() (*samba.Domain, error) {
	dir := filepath.Join(home, "samba")
	if err := os.Mkdir(dir, 0o755); err != nil {
		return nil, err
	}
	return samba.Make(dir, domainName, "CORP", wall.Now().AddDate(-1, 0, 0))
})

// sambaLab is a machine and Samba's controller, at whatever time it is told.
type sambaLab struct {
	*lab
	*samba.Domain
	ahead time.Duration // of real time
}

// newSamba starts Samba for the running spec, as the controller that the
// machine asks.
func newSamba(services string) *sambaLab {
	GinkgoHelper()
	d, err := provisioned()
	Expect(err).NotTo(HaveOccurred())
	s := &sambaLab{lab: newLab(), Domain: d}
	s.shift(0)
	c, err := d.Start(services)
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(func() {
		if CurrentSpecReport().Failed() {
			AddReportEntry("samba", c.Log())
		}
		Expect(c.Close()).To(Succeed())
	})
	s.nameServer(samba.Address)
	return s
}

// nameServer has the machine ask another one until the spec is over.
func (l *lab) nameServer(address string) {
	GinkgoHelper()
	const file = "/etc/resolv.conf"
	before, err := os.ReadFile(file)
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(func() { Expect(os.WriteFile(file, before, 0o644)).To(Succeed()) })
	Expect(os.WriteFile(file, fmt.Appendf(nil, "nameserver %s\nsearch %s\n", address, domainName), 0o644)).To(Succeed())
}

// shift lets Samba's time be so far ahead of real time.
func (s *sambaLab) shift(ahead time.Duration) {
	GinkgoHelper()
	s.ahead = ahead
	Expect(s.SetTime(s.now())).To(Succeed())
}

func (s *sambaLab) now() time.Time { return wall.Now().Add(s.ahead) }

// host is a computer with our client on it, on real sockets and at Samba's time.
func (s *sambaLab) host() adclient.Host {
	random := seed.Stream("host", CurrentSpecReport().FullText())
	return adclient.Host{Net: sockets{}, Clock: wall, Now: s.now, Name: "CLIENT", Random: func(n int) []byte {
		b := make([]byte, n)
		for i := range b {
			b[i] = byte(random.Uint32())
		}
		return b
	}}
}

// sockets are this machine's, which asks Samba for names.
type sockets struct{}

func (sockets) NameServers() []string { return []string{samba.Address} }

func (sockets) Dial(ctx context.Context, network, address string) (net.Conn, error) {
	ask := func(ctx context.Context, network, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, network, samba.Address+":53")
	}
	return (&net.Dialer{Resolver: &net.Resolver{PreferGo: true, Dial: ask}}).DialContext(ctx, network, address)
}
