package directory

import (
	"fmt"
	"sync"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"windtunnel.test/sim/vclock"
	"windtunnel.test/sim/wire/ldap"
)

// In wall time connections come together; nothing is lost.
func TestConnectionsTogether(t *testing.T) {
	r := newRig(t, twoControllers(time.Nanosecond), func(o *Options) { o.Clock = vclock.NewWall() })
	r.user("anna")
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			dc := r.Replicas()[i%2]
			for n := range 20 {
				name := fmt.Sprintf("PC-%d-%d", i, n)
				if err := dc.Add(ctx, System, "CN="+name+","+computers, computerAttributes(name)); err != nil {
					t.Error(err)
				}
				a, _ := dc.AccountBySAM(name + "$")
				if err := dc.CheckPassword(ctx, a, "secret-"+name); err != nil {
					t.Error(err)
				}
				if n == 0 {
					dc.Keys(a)
				}
				res, err := dc.Search(ctx, System, Query{SearchRequest: ldap.SearchRequest{Base: computers, Scope: ldap.SingleLevel}})
				for more := err == nil; more; {
					_, more = res.Next()
				}
				if err := dc.Modify(ctx, System, a.DN, replace("userCertificate", "x")); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	for _, dc := range r.Replicas() {
		r.Expect(r.find(dc, dn, "(userCertificate=*)")).To(HaveLen(160))
		sids := map[string]bool{}
		for _, e := range r.find(dc, computers, "(objectClass=computer)") {
			sids[e.Text("objectSid")] = true
		}
		r.Expect(sids).To(HaveLen(160))
	}
}
