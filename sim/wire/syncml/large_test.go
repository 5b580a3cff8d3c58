package syncml_test

import (
	"testing"

	"github.com/onsi/gomega"
	"pgregory.net/rapid"

	"windtunnel.test/sim/wire/syncml"
)

// The example is that of the SyncML Representation Protocol, 5.3.
func TestCredentials(t *testing.T) {
	g := gomega.NewWithT(t)
	digest := syncml.DigestCred("Bruce2", "OhBehave", []byte("Nonce"))
	g.Expect(digest.Data).To(gomega.Equal("Zz6EivR3yeaaENcRN6lpAQ=="))
	g.Expect(syncml.BasicCred("Bruce2", "OhBehave").Data).To(gomega.Equal("QnJ1Y2UyOk9oQmVoYXZl"))

	answer, err := syncml.NewChallenge(syncml.AuthMD5, []byte("Nonce")).Answer("Bruce2", "OhBehave")
	g.Expect(err).NotTo(gomega.HaveOccurred())
	g.Expect(answer.Equal(digest)).To(gomega.BeTrue())
	answer, err = syncml.NewChallenge(syncml.AuthBasic, nil).Answer("Bruce2", "OhBehave")
	g.Expect(err).NotTo(gomega.HaveOccurred())
	g.Expect(answer.Equal(digest)).To(gomega.BeFalse())
	_, err = syncml.NewChallenge("syncml:auth-MAC", nil).Answer("a", "b")
	g.Expect(err).To(gomega.HaveOccurred())
	_, err = (&syncml.Challenge{Type: syncml.AuthMD5, NextNonce: "!"}).Answer("a", "b")
	g.Expect(err).To(gomega.HaveOccurred())
	g.Expect((*syncml.Cred)(nil).Equal(digest)).To(gomega.BeFalse())
}

// Whatever is cut into pieces comes together again, and no message is larger
// than it may be.
func TestPiecesComeTogether(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		data := rapid.StringOfN(rapid.RuneFrom([]rune("a<&\"é\U0001F5A5\n ")), 1, 6000, -1).Draw(t, "data")
		limit := rapid.IntRange(syncml.MinMessage, 4096).Draw(t, "limit")
		rest := syncml.NewSet(syncml.Replace, "./Device/Vendor/MSFT/Policy/Config/A/B", syncml.Chr, data)
		var partial syncml.Partial
		for begun := false; ; begun = true {
			m := &syncml.Message{Header: syncml.Header{SessionID: "1", MsgID: 2, Target: "https://server", Source: "device"}}
			room := m.Room(limit)
			piece, left, ok := syncml.Cut(rest, room, begun)
			if rest.Size() <= room {
				piece, ok = rest, false
			} else if !ok {
				t.Fatalf("nothing of %d bytes fits into %d", rest.Size(), room)
			}
			m.Append(piece)
			m.Number()
			if n := len(m.Encode()); n > limit {
				t.Fatalf("%d bytes, at most %d", n, limit)
			}
			read, err := syncml.Decode(m.Encode())
			if err != nil {
				t.Fatal(err)
			}
			whole, code := partial.Take(&read.Commands[0], len(data))
			if ok {
				if code != syncml.ChunkAccepted {
					t.Fatal(code)
				}
				rest = left
				continue
			}
			if whole == nil || code != syncml.OK && code != 0 || whole.Items[0].Data != data || whole.Items[0].MoreData {
				t.Fatalf("%v %+v", code, whole)
			}
			return
		}
	})
}

func TestCutRefusesWhatHasNoValue(t *testing.T) {
	g := gomega.NewWithT(t)
	for _, c := range []syncml.Command{syncml.NewAlert(1201, "", ""), syncml.NewAtomic(syncml.NewGet("./x")), syncml.NewGet("./x"), {Verb: syncml.Replace, Items: make([]syncml.Item, 2)}} {
		_, _, ok := syncml.Cut(c, 1000, false)
		g.Expect(ok).To(gomega.BeFalse())
	}
}

func TestTookEffect(t *testing.T) {
	g := gomega.NewWithT(t)
	for code, want := range map[syncml.StatusCode]bool{200: true, 202: true, 212: true, 213: true, 214: false, 215: false, 216: false, 404: false, 507: false} {
		g.Expect(code.TookEffect()).To(gomega.Equal(want), code.String())
	}
}

func TestUnenrolmentAlert(t *testing.T) {
	g := gomega.NewWithT(t)
	m := &syncml.Message{Header: syncml.Header{SessionID: "1", MsgID: 1, Source: "d"}, Final: true, Commands: []syncml.Command{syncml.UnenrolmentAlert()}}
	init, err := syncml.ReadInitiation(m)
	g.Expect(err).NotTo(gomega.HaveOccurred())
	g.Expect(init.Unenrolment).To(gomega.BeTrue())
}

func FuzzPieces(f *testing.F) {
	f.Add([]byte(`<SyncML xmlns="SYNCML:SYNCML1.2"><SyncHdr><VerDTD>1.2</VerDTD><VerProto>DM/1.2</VerProto><SessionID>1</SessionID><MsgID>1</MsgID></SyncHdr><SyncBody><Replace><CmdID>1</CmdID><Item><Target><LocURI>./x</LocURI></Target><Meta><Size>9</Size></Meta><Data>abc</Data><MoreData/></Item></Replace><Replace><CmdID>2</CmdID><Item><Target><LocURI>./x</LocURI></Target><Data>def</Data></Item></Replace></SyncBody></SyncML>`), 8)
	f.Fuzz(func(t *testing.T, text []byte, limit int) {
		m, err := syncml.Decode(text)
		if err != nil {
			return
		}
		var p syncml.Partial
		for i := range m.Commands {
			whole, code := p.Take(&m.Commands[i], limit)
			if (whole == nil) == (code == 0 || code == syncml.OK) {
				t.Errorf("%v with %v", code, whole)
			}
		}
		if p.Open() && len(p.Command.Items[len(p.Command.Items)-1].Data) > p.Size {
			t.Error("more than was promised is kept")
		}
	})
}
