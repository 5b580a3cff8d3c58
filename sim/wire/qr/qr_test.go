package qr_test

import (
	"bytes"
	"fmt"
	"image/png"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/makiuchi-d/gozxing"
	"github.com/makiuchi-d/gozxing/qrcode"
	"github.com/onsi/gomega"
	"windtunnel.test/sim/wire/qr"
)

const ztdID = "0f4a6a5e-3f4c-4d0d-9f0a-1d2b3c4d5e6f"

func Example() {
	text, err := qr.New(ztdID, "B5R4N23", "00330-80000-00000-AA123").Text()
	fmt.Println(text, err)
	// Output:
	// {"ZtdId":"0f4a6a5e-3f4c-4d0d-9f0a-1d2b3c4d5e6f","Id":"0f4a6a5e-3f4c-4d0d-9f0a-1d2b3c4d5e6f","PKID":"00330-80000-00000-AA123","SerialNumber":"B5R4N23","HardwareId":"","SequenceBlockNumber":1,"TotalBlocks":1} <nil>
}

func TestPictureDecodes(t *testing.T) {
	g := gomega.NewWithT(t)
	p := qr.New(ztdID, "B5R4N23", "")
	picture, err := p.PNG(300)
	g.Expect(err).NotTo(gomega.HaveOccurred())
	again, err := p.PNG(300)
	g.Expect(err).NotTo(gomega.HaveOccurred())
	g.Expect(again).To(gomega.Equal(picture))

	img, err := png.Decode(bytes.NewReader(picture))
	g.Expect(err).NotTo(gomega.HaveOccurred())
	bitmap, err := gozxing.NewBinaryBitmapFromImage(img)
	g.Expect(err).NotTo(gomega.HaveOccurred())
	scanned, err := qrcode.NewQRCodeReader().Decode(bitmap, nil)
	g.Expect(err).NotTo(gomega.HaveOccurred())
	back, err := qr.Parse(scanned.GetText())
	g.Expect(err).NotTo(gomega.HaveOccurred())
	g.Expect(back).To(gomega.Equal(p))
	zbar(t, picture, scanned.GetText())
}

// zbar reads the picture with another implementation, where that is installed.
func zbar(t *testing.T, picture []byte, want string) {
	tool, err := exec.LookPath("zbarimg")
	if err != nil {
		t.Log("zbarimg (package zbar-tools) is not installed; only gozxing has read the picture")
		return
	}
	g := gomega.NewWithT(t)
	file := filepath.Join(t.TempDir(), "code.png")
	g.Expect(os.WriteFile(file, picture, 0o600)).To(gomega.Succeed())
	out, err := exec.Command(tool, "--quiet", "--raw", file).Output()
	g.Expect(err).NotTo(gomega.HaveOccurred())
	g.Expect(strings.TrimSpace(string(out))).To(gomega.Equal(want))
}

func TestNoDeviceNoCode(t *testing.T) {
	g := gomega.NewWithT(t)
	_, err := qr.Payload{}.PNG(300)
	g.Expect(err).To(gomega.MatchError(qr.ErrNoZtdID))
	_, err = qr.Payload{}.Lines()
	g.Expect(err).To(gomega.MatchError(qr.ErrNoZtdID))
	_, err = qr.Parse("{}")
	g.Expect(err).To(gomega.MatchError(qr.ErrNoZtdID))
	_, err = qr.Parse("https://example.com")
	g.Expect(err).To(gomega.HaveOccurred())
}

func TestLines(t *testing.T) {
	g := gomega.NewWithT(t)
	lines, err := qr.New(ztdID, "S", "").Lines()
	g.Expect(err).NotTo(gomega.HaveOccurred())
	g.Expect(strings.Count(lines, "\n")).To(gomega.BeNumerically(">", 15))
}

func FuzzParse(f *testing.F) {
	f.Add(`{"ZtdId":"x"}`)
	f.Fuzz(func(t *testing.T, text string) {
		if p, err := qr.Parse(text); err == nil && p.ZtdID == "" {
			t.Fatal("no ZtdId and no error")
		}
	})
}
