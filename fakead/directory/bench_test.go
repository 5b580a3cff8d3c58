package directory

import (
	"crypto/sha256"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/onsi/gomega"

	"windtunnel.test/sim/wire/ldap"
)

// certificateSize is about what a device's self-signed certificate has.
const certificateSize = 800

// populate adds computers as a connector does, and lets each write what a
// device writes.
func populate(r *rig, n int) {
	dc := r.Primary()
	for i := range n {
		name := fmt.Sprintf("AP-%05d", i)
		r.Expect(r.computer(System, name, computers)).To(gomega.Succeed())
		sum := sha256.Sum256([]byte(name))
		host := strings.ToLower(name) + ".corp.contoso.com"
		r.Expect(dc.Modify(ctx, System, "CN="+name+","+computers, []ldap.Change{
			{Op: ldap.AddValues, Attribute: ldap.Binary("userCertificate", []byte(strings.Repeat(string(sum[:]), certificateSize/len(sum))))},
			{Op: ldap.ReplaceValues, Attribute: ldap.Text("servicePrincipalName", "HOST/"+name, "HOST/"+host, "RestrictedKrbHost/"+name, "RestrictedKrbHost/"+host, "TERMSRV/"+name, "TERMSRV/"+host)},
			{Op: ldap.ReplaceValues, Attribute: ldap.Text("operatingSystem", "Windows 11 Enterprise")},
			{Op: ldap.ReplaceValues, Attribute: ldap.Text("operatingSystemVersion", "10.0 (26100)")},
			{Op: ldap.ReplaceValues, Attribute: ldap.Text("msDS-SupportedEncryptionTypes", "28")},
		})).To(gomega.Succeed())
	}
}

func heap() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// perObject is what a computer weighs with all indexes at that many controllers,
// its Kerberos keys made.
func perObject(t testing.TB, n, controllers int) uint64 {
	r := newRig(t, func(o *Options) {
		o.Controllers = nil
		for i := range controllers {
			o.Controllers = append(o.Controllers, Controller{Name: fmt.Sprintf("dc%d", i+1)})
		}
		o.Replication = time.Minute
	})
	before := heap()
	populate(r, n)
	r.clock.forward(time.Hour)
	for _, dc := range r.Replicas() {
		_, ok := dc.AccountBySAM("AP-00000$")
		r.Expect(ok).To(gomega.BeTrue())
	}
	for i := range n {
		a, _ := r.Primary().AccountBySAM(fmt.Sprintf("AP-%05d$", i))
		// The keys themselves are too expensive to make here; their weight is not.
		r.keys[a.GUID] = keyset{a.password, r.Primary().Salt(a), a.Kvno, []Key{{Value: make([]byte, 32)}, {Value: make([]byte, 16)}, {Value: make([]byte, 16)}}}
	}
	after := heap()
	runtime.KeepAlive(r)
	return (after - before) / uint64(n)
}

// TestObjectsStaySmall holds the promise of 6 KB an object, at a size that
// takes no time; the benchmark measures 10,000.
func TestObjectsStaySmall(t *testing.T) {
	g := gomega.NewWithT(t)
	for _, controllers := range []int{1, 3} {
		g.Expect(perObject(t, 1000, controllers)).To(gomega.BeNumerically("<=", 6<<10), "%d controllers", controllers)
	}
}

func BenchmarkTenThousandComputers(b *testing.B) {
	for _, controllers := range []int{1, 3} {
		b.Run(fmt.Sprintf("controllers=%d", controllers), func(b *testing.B) {
			for b.Loop() {
				b.ReportMetric(float64(perObject(b, 10_000, controllers)), "bytes/object")
			}
		})
	}
}

func BenchmarkOperations(b *testing.B) {
	r := newRig(b)
	populate(r, 10_000)
	dc := r.Primary()
	search := func(b *testing.B, filter string, want int) {
		f, err := ldap.ParseFilter(filter)
		r.Expect(err).NotTo(gomega.HaveOccurred())
		for b.Loop() {
			res, err := dc.Search(ctx, System, Query{SearchRequest: ldap.SearchRequest{Base: dn, Scope: ldap.WholeSubtree, Filter: f}})
			if err != nil || res.Len() != want {
				b.Fatal(res.Len(), err)
			}
			for i := 0; i < 1; i++ {
				res.Next()
			}
		}
	}
	b.Run("search by name", func(b *testing.B) { search(b, "(&(objectClass=computer)(sAMAccountName=AP-05000$))", 1) })
	b.Run("search by scan", func(b *testing.B) { search(b, "(operatingSystem=Windows 10*)", 0) })
	b.Run("computers with certificate", func(b *testing.B) { search(b, "(&(objectCategory=computer)(userCertificate=*))", 10_000) })
	b.Run("account", func(b *testing.B) {
		for b.Loop() {
			dc.AccountBySPN("cifs/ap-05000.corp.contoso.com")
		}
	})
	b.Run("write certificate", func(b *testing.B) {
		for b.Loop() {
			if err := dc.Modify(ctx, System, "CN=AP-05000,"+computers, replace("userCertificate", "certificate")); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkNewForest(b *testing.B) {
	for b.Loop() {
		newRig(b)
	}
}
