package syncml_test

import (
	"strings"
	"testing"

	"github.com/onsi/gomega"
	"pgregory.net/rapid"

	"windtunnel.test/sim/wire/syncml"
)

func document(body string) string {
	return `<?xml version="1.0" encoding="utf-8"?><SyncML xmlns="SYNCML:SYNCML1.2"><SyncHdr><VerDTD>1.2</VerDTD>` +
		`<VerProto>DM/1.2</VerProto><SessionID> 1 </SessionID><MsgID>1</MsgID></SyncHdr><SyncBody>` + body + `</SyncBody></SyncML>`
}

func TestDecodeTolerates(t *testing.T) {
	g := gomega.NewWithT(t)
	m, err := syncml.Decode([]byte(document(`
		<!-- a comment --><Exec><CmdID> 2 </CmdID><Lang>en</Lang>
		 <Item><Target><LocURI> ./A </LocURI></Target><Data><MsiInstallJob id="{1}"><a b='c'/>&amp;</MsiInstallJob></Data></Item>
		 <Item><Data><![CDATA[<x/>]]> and &lt;y/&gt;</Data></Item></Exec>
		<Search><CmdID>3</CmdID><Data>text</Data></Search><Final/>`)))
	g.Expect(err).NotTo(gomega.HaveOccurred())
	g.Expect(m.Header.SessionID).To(gomega.Equal("1"))
	g.Expect(m.Final).To(gomega.BeTrue())
	g.Expect(m.Commands).To(gomega.HaveLen(2))
	g.Expect(m.Commands[0].Items[0]).To(gomega.Equal(syncml.Item{Target: "./A", Data: `<MsiInstallJob id="{1}"><a b='c'/>&amp;</MsiInstallJob>`}))
	g.Expect(m.Commands[0].Items[1].Data).To(gomega.Equal("<x/> and <y/>"))
	g.Expect(m.Commands[1].Verb).To(gomega.Equal(syncml.Verb("Search")))

	prefixed := `<s:SyncML xmlns:s="SYNCML:SYNCML1.2"><s:SyncHdr><s:VerProto>DM/1.2</s:VerProto></s:SyncHdr><s:SyncBody/></s:SyncML>`
	_, err = syncml.Decode([]byte(prefixed))
	g.Expect(err).NotTo(gomega.HaveOccurred())
}

func TestDecodeRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		text  string
		cause error
	}{
		"nothing":         {text: ""},
		"no XML":          {text: "hello"},
		"cut short":       {text: document("")[:200]},
		"other root":      {text: `<SyncML xmlns="SYNCML:SYNCML1.1"/>`},
		"other protocol":  {text: strings.Replace(document(""), "DM/1.2", "DM/1.1", 1)},
		"no header":       {text: `<SyncML xmlns="SYNCML:SYNCML1.2"><SyncBody/></SyncML>`},
		"no body":         {text: `<SyncML xmlns="SYNCML:SYNCML1.2"><SyncHdr><VerProto>DM/1.2</VerProto></SyncHdr></SyncML>`},
		"two roots":       {text: document("") + "<x/>"},
		"text after":      {text: document("") + "x"},
		"end after":       {text: document("") + "</x>"},
		"other prefix":    {text: document("<a:Get></b:Get>")},
		"wrong prefix":    {text: `<s:SyncML xmlns="SYNCML:SYNCML1.2"/>`},
		"wrong tag":       {text: document("<Get></Put>")},
		"CmdID no number": {text: document("<Get><CmdID>x</CmdID></Get>")},
		"CmdID negative":  {text: document("<Get><CmdID>-1</CmdID></Get>")},
		"too big":         {text: document(strings.Repeat(" ", syncml.MaxBytes)), cause: syncml.ErrTooBig},
		"too deep":        {text: document(strings.Repeat("<Atomic>", 100)), cause: syncml.ErrTooDeep},
		"too deep passed": {text: document("<Get>" + strings.Repeat("<x>", 100)), cause: syncml.ErrTooDeep},
		"doctype":         {text: `<!DOCTYPE SyncML SYSTEM "file:///etc/passwd">` + document(""), cause: syncml.ErrDoctype},
		// encoding/xml expands no entity but the five that XML predefines.
		"entity": {text: document("<Get><Item><Data>&lol;</Data></Item></Get>")},
	} {
		t.Run(name, func(t *testing.T) {
			g := gomega.NewWithT(t)
			_, err := syncml.Decode([]byte(c.text))
			g.Expect(err).To(gomega.HaveOccurred())
			if c.cause != nil {
				g.Expect(err).To(gomega.MatchError(c.cause))
			}
		})
	}
}

func TestNumberAndAnswers(t *testing.T) {
	g := gomega.NewWithT(t)
	m := &syncml.Message{Header: syncml.Header{MsgID: 4, Target: "server", Source: "device"}}
	m.Append(syncml.NewAtomic(syncml.NewGet("./A"), syncml.NewGet("./B")), syncml.NewGet("./C"))
	m.Number()
	g.Expect([]int{m.Commands[0].ID, m.Commands[0].Commands[0].ID, m.Commands[0].Commands[1].ID, m.Commands[1].ID}).To(gomega.Equal([]int{1, 2, 3, 4}))

	get := &m.Commands[1]
	r := &syncml.Message{}
	r.Append(syncml.HeaderStatus(m, syncml.OK), syncml.StatusFor(m, get, syncml.OK), syncml.StatusFor(m, get, syncml.NotFound),
		syncml.StatusFor(m, get, syncml.OK), syncml.ResultsFor(m, get, syncml.Item{Source: "./C", Data: "1"}),
		syncml.StatusFor(&syncml.Message{Header: syncml.Header{MsgID: 3}}, get, syncml.CommandFailed))
	a := r.Answers(4)
	g.Expect(a).To(gomega.HaveLen(2))
	g.Expect(a[0].Status).To(gomega.Equal(syncml.OK))
	g.Expect(a[4].Status).To(gomega.Equal(syncml.NotFound), "the failed item of several decides")
	g.Expect(a[4].Results[0].Data).To(gomega.Equal("1"))
}

func TestEndsSession(t *testing.T) {
	g := gomega.NewWithT(t)
	m := &syncml.Message{Final: true}
	m.Append(syncml.HeaderStatus(&syncml.Message{}, syncml.OK))
	g.Expect(m.EndsSession()).To(gomega.BeTrue())
	m.Append(syncml.NewGet("./A"))
	g.Expect(m.EndsSession()).To(gomega.BeFalse())
	g.Expect((&syncml.Message{}).EndsSession()).To(gomega.BeFalse(), "more messages of the package follow")
}

func TestReadInitiation(t *testing.T) {
	g := gomega.NewWithT(t)
	want := initiation()
	want.Login, want.AADUserToken, want.OdjSync, want.RequestPending, want.ServerInitiated = syncml.LoginUser, "token", true, "1", true
	got, err := syncml.ReadInitiation(want.Message())
	g.Expect(err).NotTo(gomega.HaveOccurred())
	g.Expect(got).To(gomega.Equal(want))

	late := want.Message()
	late.Header.MsgID = 2
	silent := want.Message()
	silent.Commands = silent.Commands[1:]
	nameless := want.Message()
	nameless.Commands = nameless.Commands[:len(nameless.Commands)-1]
	for _, m := range []*syncml.Message{late, silent, nameless} {
		_, err := syncml.ReadInitiation(m)
		g.Expect(err).To(gomega.HaveOccurred())
	}
}

func TestStatusCode(t *testing.T) {
	g := gomega.NewWithT(t)
	g.Expect(syncml.NotFound.String()).To(gomega.Equal("404 Not found"))
	g.Expect(syncml.StatusCode(299).String()).To(gomega.Equal("299"))
	g.Expect(syncml.AcceptedForProcessing.Success()).To(gomega.BeTrue())
	g.Expect(syncml.AlreadyExists.Success()).To(gomega.BeFalse())
}

// text draws what XML can carry: no control characters but the three, no surrogates, no U+FFFE and U+FFFF.
func text() *rapid.Generator[string] {
	return rapid.StringOfN(rapid.OneOf(rapid.RuneFrom([]rune("ab<>&\"'\t\n\r \uF000é]")), rapid.RuneFrom([]rune("./%:"))), 0, 12, -1)
}

func word() *rapid.Generator[string] { return rapid.StringMatching(`[a-zA-Z0-9./%&<]{0,12}`) }

func metas() *rapid.Generator[syncml.Meta] {
	return rapid.Custom(func(t *rapid.T) syncml.Meta {
		return syncml.Meta{
			Format: rapid.SampledFrom([]syncml.Format{"", syncml.Chr, syncml.Node, syncml.B64}).Draw(t, "format"),
			Type:   word().Draw(t, "type"), Mark: word().Draw(t, "mark"), Size: rapid.IntRange(0, 9).Draw(t, "size"),
		}
	})
}

func items() *rapid.Generator[[]syncml.Item] {
	one := rapid.Custom(func(t *rapid.T) syncml.Item {
		return syncml.Item{
			Target: word().Draw(t, "target"), Source: word().Draw(t, "source"), Meta: metas().Draw(t, "meta"),
			Data: text().Draw(t, "data"), MoreData: rapid.Bool().Draw(t, "more"),
		}
	})
	return rapid.SliceOfN(one, 1, 3)
}

func commands(depth int) *rapid.Generator[syncml.Command] {
	verbs := []syncml.Verb{syncml.Add, syncml.Replace, syncml.Delete, syncml.Get, syncml.Exec, syncml.Alert}
	if depth > 0 {
		verbs = append(verbs, syncml.Atomic, syncml.Sequence)
	}
	return rapid.Custom(func(t *rapid.T) syncml.Command {
		c := syncml.Command{Verb: rapid.SampledFrom(verbs).Draw(t, "verb"), NoResp: rapid.Bool().Draw(t, "noresp")}
		switch c.Verb {
		case syncml.Atomic, syncml.Sequence:
			c.Meta = metas().Draw(t, "meta")
			c.Commands = rapid.SliceOfN(commands(depth-1), 1, 3).Draw(t, "commands")
			return c
		case syncml.Alert:
			c.Code = rapid.IntRange(0, 2000).Draw(t, "code")
		default:
			c.Meta = metas().Draw(t, "meta")
		}
		c.Correlator = word().Draw(t, "correlator")
		c.Items = items().Draw(t, "items")
		return c
	})
}

func TestRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := &syncml.Message{
			Header: syncml.Header{
				SessionID: word().Draw(t, "session"), MsgID: rapid.IntRange(0, 1<<20).Draw(t, "msg"),
				Target: word().Draw(t, "target"), Source: word().Draw(t, "source"), MaxMsgSize: rapid.IntRange(0, 99).Draw(t, "max"),
			},
			Commands: rapid.SliceOfN(commands(2), 1, 6).Draw(t, "commands"),
			Final:    rapid.Bool().Draw(t, "final"),
		}
		m.Append(syncml.HeaderStatus(m, syncml.OK), syncml.ResultsFor(m, &m.Commands[0], items().Draw(t, "results")...))
		m.Number()
		back, err := syncml.Decode(m.Encode())
		g := gomega.NewWithT(t)
		g.Expect(err).NotTo(gomega.HaveOccurred())
		g.Expect(back).To(gomega.Equal(m))
	})
}

func FuzzDecode(f *testing.F) {
	f.Add(reply().Encode())
	f.Add(initiation().Message().Encode())
	f.Add([]byte(document("<Get><Item><Data><a>b</a></Data></Item></Get>")))
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := syncml.Decode(data)
		if err != nil {
			return
		}
		_, _ = syncml.ReadInitiation(m)
		_ = m.Answers(1)
		m.Number()
	})
}
