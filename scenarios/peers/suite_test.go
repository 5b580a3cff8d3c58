// Package peers lets other people's tools judge: Debian's tpm2-tools against a
// chip that `windtunnel tpm serve` offers, and our verifiers against keys that
// the same tools made in swtpm, a TPM that is not ours. It is a module of its
// own, so that what a witness needs never becomes what the product needs.
//
// It runs the built binary as a process of its own, and needs tpm2-tools,
// swtpm, libtss2-tcti-mssim0, libtss2-tcti-swtpm0 and openssl, and for Windows'
// logs libevtx-utils, python3-evtx, chntpw (reged), libxml2-utils, unzip and
// zstd; a spec without its tools fails.
package peers_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

func TestPeers(t *testing.T) {
	RegisterFailHandler(Fail)
	RunSpecs(t, "peers")
}

// windtunnel is the binary, and images the folder of its TPM images: both made
// once for all specs.
var windtunnel, images string

var _ = BeforeSuite(func() {
	dir, err := os.MkdirTemp("", "peers")
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(os.RemoveAll, dir)
	windtunnel, images = filepath.Join(dir, "windtunnel"), filepath.Join(dir, "images")
	build := exec.Command("go", "build", "-o", windtunnel, "./sim/cmd/windtunnel")
	build.Dir = filepath.Join("..", "..")
	if out, err := build.CombinedOutput(); err != nil {
		Fail(fmt.Sprintf("%v: %v\n%s", build, err, out))
	}
})

// infineon is the model that a spec serves when any would do.
const infineon = "infineon-slb9670"
