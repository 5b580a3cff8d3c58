package domain_test

import (
	"net"
	"os"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

var _ = Describe("the machine that asks", func() {
	It("is alone: nobody but loopback is there, names are the domain's, and tickets are the spec's", func() {
		l := newLab()
		interfaces, err := net.Interfaces()
		Expect(err).NotTo(HaveOccurred())
		Expect(interfaces).To(HaveLen(1))
		Expect(interfaces[0].Name).To(Equal("lo"))
		Expect(os.ReadFile("/etc/resolv.conf")).To(ContainSubstring("nameserver 127.0.0.1\n"))
		Expect(l.run("hostname")).To(Equal("client\n"))
		Expect(l.run("hostname", "-f")).To(Equal("client." + domainName + "\n"))
		Expect(l.refused("", "klist")).To(ContainSubstring("No credentials cache found"))
		Expect(l.refused("", "dig", "+tries=1", "+time=1", "dc1."+domainName)).To(ContainSubstring("no servers could be reached"))
	})
})
