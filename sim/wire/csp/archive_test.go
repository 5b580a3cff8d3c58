package csp_test

import (
	"testing"

	"github.com/onsi/gomega"

	"windtunnel.test/sim/wire/csp"
)

func TestArchive(t *testing.T) {
	g := gomega.NewWithT(t)
	a := csp.Archive{ID: "6f4a", SASURL: "https://lgmsapeweu.blob.core.windows.net/a?b=1&c=2", List: []csp.Directive{{Kind: "Events", Value: "Application"}, {Kind: "Command", Value: `a "b" <c>`}}}
	g.Expect(csp.ParseArchive(a.Encode())).To(gomega.Equal(a))
	r := csp.ArchiveResult{ID: "6f4a", Result: 0x80072ee7, List: []csp.Directive{{Kind: "Events", Value: "Application", Result: 0x80070002}}}
	g.Expect(csp.ParseArchiveResult(r.Encode())).To(gomega.Equal(r))
	for _, bad := range []string{"", "<Collection/>", "<Other><ID>1</ID></Other>", "<Collection><ID>1</ID></Collection>", `<Collection HRESULT="x"><ID>1</ID><SasUrl>a</SasUrl></Collection>`} {
		_, err := csp.ParseArchive(bad)
		g.Expect(err).To(gomega.HaveOccurred(), bad)
	}
}

// The page's sample has white space around values and elements that are not
// known here.
func TestArchiveOfThePage(t *testing.T) {
	g := gomega.NewWithT(t)
	a, err := csp.ParseArchive("<Collection>\n <ID>6f4a</ID>\n <SasUrl><![CDATA[https://x/y?z=1&w=2]]></SasUrl>\n <FoldersFiles>%SystemRoot%\\*.etl\n </FoldersFiles><Later>1</Later></Collection>")
	g.Expect(err).NotTo(gomega.HaveOccurred())
	g.Expect(a).To(gomega.Equal(csp.Archive{ID: "6f4a", SASURL: "https://x/y?z=1&w=2", List: []csp.Directive{{Kind: "FoldersFiles", Value: `%SystemRoot%\*.etl`}}}))
}

func FuzzArchive(f *testing.F) {
	f.Add(csp.Archive{ID: "1", SASURL: "https://a/b"}.Encode())
	f.Add(csp.ArchiveResult{ID: "1", Result: 5, List: []csp.Directive{{Kind: "Events", Value: "a"}}}.Encode())
	f.Fuzz(func(t *testing.T, text string) {
		if a, err := csp.ParseArchive(text); err == nil {
			if _, err := csp.ParseArchive(a.Encode()); err != nil {
				t.Fatal(err)
			}
		}
		_, _ = csp.ParseArchiveResult(text)
	})
}
