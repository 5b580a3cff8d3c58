package device

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/onsi/gomega"
)

func testDisk() *Disk {
	d := newDisk(512e9)
	d.Registry.SetString("K", "v", "1")
	d.Files.Write(`C:\Windows\a.txt`, []byte("abc"))
	d.Certs.Put(Certificate{Store: StoreMySystem, Name: "mdm", DER: []byte{1, 2}, Container: "mdm"})
	d.Keys.Put("mdm", []byte{9})
	return d
}

func TestFiles(t *testing.T) {
	g, f := gomega.NewWithT(t), newDisk(0).Files
	data := []byte("abc")
	f.Write(`C:\Windows\A.txt`, data)
	f.Write(`C:\Windows\b.txt`, nil)
	data[0] = 'x'
	b, ok := f.Read(`c:\WINDOWS\a.TXT`)
	g.Expect(ok).To(gomega.BeTrue())
	g.Expect(string(b)).To(gomega.Equal("abc"))
	b[0] = 'y'
	b, _ = f.Read(`C:\Windows\A.txt`)
	g.Expect(string(b)).To(gomega.Equal("abc"))
	_, ok = f.Read(`C:\Windows\b.txt`)
	g.Expect(ok).To(gomega.BeTrue(), "an empty file is a file")
	g.Expect(f.List(`C:\WINDOWS\`)).To(gomega.Equal([]string{`c:\windows\a.txt`, `c:\windows\b.txt`}))
	f.Remove(`c:\windows\a.txt`)
	f.Remove(`c:\windows\a.txt`)
	_, ok = f.Read(`C:\Windows\A.txt`)
	g.Expect(ok).To(gomega.BeFalse())
}

func TestCertsAndKeys(t *testing.T) {
	g, d := gomega.NewWithT(t), newDisk(0)
	d.Certs.Put(Certificate{Store: StoreRoot, Name: "r", DER: []byte{1}})
	d.Certs.Put(Certificate{Store: StoreMySystem, Name: "r", DER: []byte{2}})
	d.Certs.Put(Certificate{Store: StoreRoot, Name: "r", DER: []byte{3}})
	g.Expect(d.Certs.All("")).To(gomega.HaveLen(2))
	c, ok := d.Certs.Find(StoreRoot, "r")
	g.Expect(ok).To(gomega.BeTrue())
	g.Expect(c.DER).To(gomega.Equal([]byte{3}))
	_, err := c.Parse()
	g.Expect(err).To(gomega.MatchError(gomega.ContainSubstring("certificate r in store Root")))
	d.Certs.Delete(StoreRoot, "r")
	_, ok = d.Certs.Find(StoreRoot, "r")
	g.Expect(ok).To(gomega.BeFalse())
	g.Expect(d.Certs.All(StoreMySystem)).To(gomega.HaveLen(1))

	d.Keys.Put("b", []byte{1})
	d.Keys.Put("a", []byte{2})
	d.Keys.Put("a", []byte{3})
	g.Expect(d.Keys.Containers()).To(gomega.Equal([]string{"a", "b"}))
	g.Expect(d.Keys.Get("a")).To(gomega.Equal([]byte{3}))
	g.Expect(d.Keys.Get("c")).To(gomega.BeNil())
	d.Keys.Delete("a")
	g.Expect(d.Keys.Get("a")).To(gomega.BeNil())
}

func TestDiskJSON(t *testing.T) {
	g := gomega.NewWithT(t)
	text, err := json.Marshal(testDisk())
	g.Expect(err).NotTo(gomega.HaveOccurred())
	back := newDisk(1)
	g.Expect(json.Unmarshal(text, back)).To(gomega.Succeed())
	again, err := json.Marshal(back)
	g.Expect(err).NotTo(gomega.HaveOccurred())
	g.Expect(again).To(gomega.MatchJSON(text))
}

func TestWipe(t *testing.T) {
	g, d := gomega.NewWithT(t), testDisk()
	registry, files := d.Registry, d.Files
	d.Wipe(Hardware{DiskBytes: 512e9})
	after, err := json.Marshal(d)
	g.Expect(err).NotTo(gomega.HaveOccurred())
	fresh, err := json.Marshal(newDisk(512e9))
	g.Expect(err).NotTo(gomega.HaveOccurred())
	g.Expect(after).To(gomega.MatchJSON(fresh))
	registry.SetString("a", "b", "c")
	files.Write("f", nil)
	g.Expect(d.Registry.Has("a")).To(gomega.BeTrue(), "who holds a part holds the disk's part")
	g.Expect(d.Files.List("")).To(gomega.Equal([]string{"f"}))
}

// What a recorded view wrote is taken back; what others wrote meanwhile stays.
func TestUndo(t *testing.T) {
	g, d := gomega.NewWithT(t), testDisk()
	d.Registry.SetString(`K\Below`, "deep", "1")
	before, err := json.Marshal(d)
	g.Expect(err).NotTo(gomega.HaveOccurred())
	w := &Windows{PC: &PC{Disk: d}}
	view, undo := w.Recorded()
	change := func() {
		r := view.Registry()
		r.SetString("K", "v", "2")
		r.SetString("K", "v", "3")
		r.SetDWORD(`New\Deep`, "d", 1)
		r.DeleteTree("K")
		g.Expect(r.Has(`K\Below`)).To(gomega.BeFalse())
		r.SetString("K", "other", "x")
		r.Delete("K", "other")
		view.DeleteCertificate(StoreMySystem, "mdm")
		view.PutCertificate(Certificate{Store: StoreRoot, Name: "new"})
		view.DeleteKey("a")
		view.KnowNetwork("Corp")
		view.ForgetNetwork("Corp")
	}
	change()
	undo.Back()
	after, err := json.Marshal(d)
	g.Expect(err).NotTo(gomega.HaveOccurred())
	g.Expect(after).To(gomega.MatchJSON(before))

	change()
	w.Registry().SetString("K", "v", "another's")
	w.Registry().SetString(`Others\Key`, "v", "1")
	undo.Back()
	g.Expect(w.Registry().String(`Others\Key`, "v")).To(gomega.Equal("1"))
	g.Expect(w.Registry().String(`K\Below`, "deep")).To(gomega.Equal("1"))
	undo.Back() // nothing is left to take back
	g.Expect(view.Registry().ValueNames("K")).NotTo(gomega.BeEmpty())
}

func TestRTC(t *testing.T) {
	g := gomega.NewWithT(t)
	truth := time.Date(2026, 9, 1, 8, 0, 0, 0, time.UTC)
	g.Expect(RTC{}.Read(truth)).To(gomega.Equal(truth))
	c := RTC{Offset: -time.Hour, Drift: 1e-3, Set: truth}
	g.Expect(c.Read(truth)).To(gomega.Equal(truth.Add(-time.Hour)))
	g.Expect(c.Read(truth.Add(1000 * time.Second))).To(gomega.Equal(truth.Add(1001*time.Second - time.Hour)))
	now := truth.Add(24 * time.Hour)
	c.Adjust(now, now)
	g.Expect(c.Read(now)).To(gomega.Equal(now))
	g.Expect(c.Read(now.Add(1000*time.Second))).To(gomega.Equal(now.Add(1001*time.Second)), "the drift stays")
	c.Adjust(now, now.AddDate(5, 0, 0))
	g.Expect(c.Read(now)).To(gomega.Equal(now.AddDate(5, 0, 0)))
}
