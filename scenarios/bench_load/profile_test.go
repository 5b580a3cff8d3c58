package bench_load

import (
	"bytes"
	"cmp"
	"fmt"
	"maps"
	"runtime/pprof"
	"slices"
	"strings"
	"testing"

	"github.com/google/pprof/profile"
)

// costs are groups of packages, by what stands in the names of their functions. A sample belongs to the group of the
// function nearest to its leaf that is in one; the order decides only where one function is in two.
var costs = []struct {
	name  string
	parts []string
}{
	{tpmEngine, []string{"vtpm._Cfunc_", "vtpm.(*localEngine)"}},
	{"RSA of services and clients (libcrypto)", []string{"pki._Cfunc_", "crypto/rsa.", "crypto/internal/fips140/rsa.", "bigmod."}},
	{"elliptic curves", []string{"crypto/ecdsa.", "fips140/ecdsa.", "nistec.", "p256"}},
	{"ASN.1, CMS, X.509", []string{"encoding/asn1.", "cryptobyte.", "crypto/x509", "pkcs7.", "sim/wire/scep.", "sim/wire/aik.", "sim/pki."}},
	{"JSON and JOSE", []string{"encoding/json", "go-jose", "sim/wire/oauth.", "sim/wire/graph."}},
	{"XML", []string{"encoding/xml.", "fastxml.", "sim/wire/syncml.", "sim/wire/mde.", "sim/wire/msa.", "sim/wire/csp."}},
	{"coding of TPM commands", []string{"sim/vtpm.", "go-tpm", "sim/wire/tpmattest."}},
	{"HTTP and network", []string{"net/http", "sim/vnet.", "net/url.", "net/textproto."}},
	{"services", []string{"fakeentra", "fakeintune", "sim/store.", "sim/graphfront.", "sim/internet."}},
	{"Windows", []string{"sim/device"}},
	{"load generator", []string{"sim/load", "sim/vclock.", "bench_load", "windtunnel.test/sim."}},
	{"garbage collector", []string{"runtime.gcBgMarkWorker", "runtime.bgsweep", "runtime.gcAssist", "runtime.bgscavenge"}},
}

const tpmEngine = "TPM engine"

// cost is the share of the process's CPU time that a group took.
type cost struct {
	name  string
	share float64
}

// profiled runs f and says where this process's CPU time went, the largest group first, without the TPM engine in it.
func profiled(b *testing.B, f func()) []cost {
	b.Helper()
	var raw bytes.Buffer
	if err := pprof.StartCPUProfile(&raw); err != nil {
		f() // somebody else takes one, by -cpuprofile
		return nil
	}
	f()
	pprof.StopCPUProfile()
	p, err := profile.Parse(&raw)
	if err != nil {
		b.Fatal(err)
	}
	sums, total := map[string]int64{}, int64(0)
	for _, s := range p.Sample {
		v := s.Value[len(s.Value)-1]
		total += v
		sums[groupOf(s)] += v
	}
	var list []cost
	for _, name := range slices.Sorted(maps.Keys(sums)) {
		if name != tpmEngine {
			list = append(list, cost{name, float64(sums[name]) / float64(total)})
		}
	}
	slices.SortStableFunc(list, func(a, b cost) int { return cmp.Compare(b.share, a.share) })
	return list
}

func groupOf(s *profile.Sample) string {
	for _, at := range s.Location {
		for _, line := range at.Line {
			for _, c := range costs {
				if slices.ContainsFunc(c.parts, func(part string) bool { return strings.Contains(line.Function.Name, part) }) {
					return c.name
				}
			}
		}
	}
	return "scheduler and the rest"
}

// largest words the first five.
func largest(list []cost) string {
	var words []string
	for _, c := range list[:min(5, len(list))] {
		words = append(words, fmt.Sprintf("%s %.0f %%", c.name, 100*c.share))
	}
	return strings.Join(words, ", ")
}
