package graph_test

import (
	"testing"

	. "github.com/onsi/gomega"

	"windtunnel.test/sim/wire/graph"
)

// What Intune refuses of a domain-join profile, and what only shows later.
func TestDomainJoinMistakes(t *testing.T) {
	for _, tc := range []struct {
		d    graph.DomainJoin
		want string // path of the mistake; "" for none
	}{
		{graph.DomainJoin{ComputerNameStaticPrefix: "AP-", ActiveDirectoryDomainName: "corp.contoso.com", OrganizationalUnit: "OU=A,DC=corp,DC=contoso,DC=com"}, ""},
		{graph.DomainJoin{ComputerNameStaticPrefix: "ABCDEFGHIJKLMNO", ActiveDirectoryDomainName: "corp.contoso.com"}, ""},
		{graph.DomainJoin{ActiveDirectoryDomainName: "corp.contoso.com", ComputerNameSuffixRandomCharCount: 14, OrganizationalUnit: `"CN=Computers"`}, ""},
		{graph.DomainJoin{ComputerNameStaticPrefix: "ABCDEFGHIJKLMNOP", ActiveDirectoryDomainName: "corp.contoso.com"}, "computerNameStaticPrefix"},
		{graph.DomainJoin{ComputerNameStaticPrefix: "%SERIAL%", ActiveDirectoryDomainName: "corp.contoso.com"}, "computerNameStaticPrefix"},
		{graph.DomainJoin{ComputerNameStaticPrefix: "AP_", ActiveDirectoryDomainName: "corp.contoso.com"}, "computerNameStaticPrefix"},
		{graph.DomainJoin{ComputerNameStaticPrefix: "AP-", ActiveDirectoryDomainName: "corp.contoso.com", ComputerNameSuffixRandomCharCount: 2}, "computerNameSuffixRandomCharCount"},
		{graph.DomainJoin{ComputerNameStaticPrefix: "AP-"}, "activeDirectoryDomainName"},
		{graph.DomainJoin{ComputerNameStaticPrefix: "AP-", ActiveDirectoryDomainName: "corp contoso"}, "activeDirectoryDomainName"},
	} {
		g := NewWithT(t)
		got := graph.DeviceConfiguration{ODataType: graph.TypeDomainJoin, DomainJoin: &tc.d}.Mistakes()
		if tc.want == "" {
			g.Expect(got).To(BeEmpty(), "%+v", tc.d)
			continue
		}
		g.Expect(got).To(HaveLen(1), "%+v", tc.d)
		g.Expect(got[0].Path).To(Equal(tc.want))
	}
}
