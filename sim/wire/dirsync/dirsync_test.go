package dirsync_test

import (
	"encoding/json"
	"fmt"
	"testing"

	. "github.com/onsi/gomega"

	"windtunnel.test/sim/wire/dirsync"
)

const guid = "6f1f3c52-8f0b-4a54-9d0e-000000000001"

func TestExportRoundTrip(t *testing.T) {
	g := NewWithT(t)
	e := &dirsync.Export{
		Server:    "entra-connect",
		Computers: []dirsync.Computer{{GUID: guid, SID: "S-1-5-21-1-2-3-1104", Name: "AP-1", OSVersion: "10.0.26100", Certificate: []byte{48, 0}, Enabled: true}},
		Users:     []dirsync.User{{UPN: "alex@contoso.com", Anchor: "AAAA", SAM: "alex", SID: "S-1-5-21-1-2-3-1105", DN: "CN=Alex,DC=contoso,DC=com"}},
		Deleted:   []string{guid},
	}
	body, err := json.Marshal(e)
	g.Expect(err).NotTo(HaveOccurred())
	got, err := dirsync.ParseExport(body)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(got).To(Equal(e))
}

// What is no batch is refused whole.
func TestExportsThatAreRefused(t *testing.T) {
	many := &dirsync.Export{}
	for i := range dirsync.MaxObjects + 1 {
		many.Users = append(many.Users, dirsync.User{UPN: fmt.Sprint(i)})
	}
	body, err := json.Marshal(many)
	NewWithT(t).Expect(err).NotTo(HaveOccurred())
	for _, c := range [][2]string{
		{"", "EOF"}, {"[]", "cannot unmarshal"}, {`{"surprise":1}`, "unknown field"}, {`{"deleted":["x"]}`, "not a GUID"},
		{`{"computers":[{"objectGuid":"../../x"}]}`, "not a GUID"}, {string(body), "more than 1000 objects"},
	} {
		_, err := dirsync.ParseExport([]byte(c[0]))
		NewWithT(t).Expect(err).To(MatchError(ContainSubstring(c[1])))
	}
}

// FuzzExport reads any body.
func FuzzExport(f *testing.F) {
	f.Add([]byte(`{"server":"a","computers":[{"objectGuid":"` + guid + `","userCertificate":"MAA="}],"deleted":["` + guid + `"]}`))
	f.Fuzz(func(_ *testing.T, body []byte) { _, _ = dirsync.ParseExport(body) })
}
