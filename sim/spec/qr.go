package spec

import (
	"bytes"
	"image/png"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/makiuchi-d/gozxing"
	"github.com/makiuchi-d/gozxing/qrcode"
	"github.com/onsi/ginkgo/v2"
	"github.com/onsi/gomega"

	"windtunnel.test/sim/device"
	"windtunnel.test/sim/wire/qr"
)

// ReadQR decodes the code on a screen from its picture alone. Where zbarimg is
// installed, it reads the picture as well, and must read the same.
func ReadQR(s device.Screen) qr.Payload {
	ginkgo.GinkgoHelper()
	gomega.Expect(s.Picture).NotTo(gomega.BeNil(), "screen %s has no picture", s.ID)
	picture, err := s.Picture()
	gomega.Expect(err).NotTo(gomega.HaveOccurred())
	img, err := png.Decode(bytes.NewReader(picture))
	gomega.Expect(err).NotTo(gomega.HaveOccurred())
	bitmap, err := gozxing.NewBinaryBitmapFromImage(img)
	gomega.Expect(err).NotTo(gomega.HaveOccurred())
	result, err := qrcode.NewQRCodeReader().Decode(bitmap, nil)
	gomega.Expect(err).NotTo(gomega.HaveOccurred())
	if zbarimg, err := exec.LookPath("zbarimg"); err == nil {
		file := filepath.Join(ginkgo.GinkgoT().TempDir(), "screen.png")
		gomega.Expect(os.WriteFile(file, picture, 0o600)).To(gomega.Succeed())
		out, err := exec.Command(zbarimg, "--quiet", "--raw", file).Output()
		gomega.Expect(err).NotTo(gomega.HaveOccurred())
		gomega.Expect(strings.TrimSpace(string(out))).To(gomega.Equal(result.GetText()), "what zbarimg reads")
	}
	payload, err := qr.Parse(result.GetText())
	gomega.Expect(err).NotTo(gomega.HaveOccurred())
	return payload
}
