// Package cloud lets other people's clients judge the cloud: Microsoft's SDKs,
// curl, openssl, XML tools and SCEP clients against `windtunnel serve`, which
// runs as a process of its own on real ports and is reached through its proxy,
// by the names that the clients have built in.
//
//	cloud := start()                     // or start("--state", dir, "office.yaml")
//	cloud.Client().Get("https://graph.microsoft.com/...")
//	cloud.Run("curl", "-sS", "https://...")
//	cloud.AddFault(`{name: busy, when: {host: graph.*}, do: {status: 429, retryAfter: 1s}}`)
//	cloud.Jump(2 * time.Hour)
//	Expect(cloud.Journal("refused")).To(...)
//
// It needs curl, openssl, xmllint, xmlsec1, sqlite3 and certmonger's
// scep-submit; a spec without its tool fails.
package cloud_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

func TestCloud(t *testing.T) {
	RegisterFailHandler(Fail)
	RunSpecs(t, "cloud")
}

// windtunnel is the binary, made once for all specs. It is what a user has:
// without the race detector.
var windtunnel string

var _ = BeforeSuite(func() {
	dir, err := os.MkdirTemp("", "cloud")
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(os.RemoveAll, dir)
	windtunnel = filepath.Join(dir, "windtunnel")
	build := exec.Command("go", "build", "-o", windtunnel, "./sim/cmd/windtunnel")
	build.Dir = root
	if out, err := build.CombinedOutput(); err != nil {
		Fail(fmt.Sprintf("%v: %v\n%s", build, err, out))
	}
})

// root is the repository's.
var root = filepath.Join("..", "..", "..")
