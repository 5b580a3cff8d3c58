package connector_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	. "github.com/onsi/gomega"

	"windtunnel.test/sim/wire/connector"
)

func TestVersions(t *testing.T) {
	g := NewWithT(t)
	for _, bad := range []string{"", "6", "6.2501.2000", "6.2501.2000.5.1", "6.2501.2000.x", "6.-1.0.0", "6.99999999999.0.0"} {
		_, err := connector.ParseVersion(bad)
		g.Expect(err).To(HaveOccurred(), bad)
	}
	v, err := connector.ParseVersion("6.2501.2000.5")
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(v).To(Equal(connector.Minimum))
	g.Expect(v.String()).To(Equal("6.2501.2000.5"))
	order := []connector.Version{{6, 2204, 38, 3}, connector.Minimum, connector.AwaitsReplication, connector.Newest}
	for i, a := range order {
		for j, b := range order {
			g.Expect(a.Compare(b)).To(Equal(map[bool]int{true: -1}[i < j] + map[bool]int{true: 1}[i > j]))
		}
	}
}

func TestDecode(t *testing.T) {
	g := NewWithT(t)
	in := connector.Blob{RequestID: "1", ComputerName: "AP-1", Blob: []byte{1, 2}}
	body, err := json.Marshal(in)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(connector.Decode[connector.Blob](body)).To(Equal(in))
	for _, bad := range []string{"", "{", `{"blob": 1}`, strings.Repeat(" ", connector.MaxBody) + "{}"} {
		_, err := connector.Decode[connector.Blob]([]byte(bad))
		g.Expect(err).To(HaveOccurred())
	}
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte(`{"requests":[{"requestId":"1","leaseExpires":"2026-09-01T08:00:00Z"}],"more":true}`))
	f.Add([]byte(`{"blob":"AAAA"}`))
	f.Fuzz(func(_ *testing.T, body []byte) {
		_, _ = connector.Decode[connector.Work](body)
		_, _ = connector.Decode[connector.Blob](body)
		_, _ = connector.Decode[connector.Failure](body)
	})
}

func Example() {
	v, err := connector.ParseVersion("6.2204.38.3")
	fmt.Println(v.Compare(connector.Minimum) < 0, err)
	// Output: true <nil>
}
