package peers_test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

// tools are tpm2-tools with one TPM and a folder of their own, where they leave
// files for each other.
type tools struct{ dir, tcti string }

func newTools(tcti string) *tools {
	GinkgoHelper()
	return &tools{dir: GinkgoT().TempDir(), tcti: tcti}
}

// try runs a program in the folder.
func (t *tools) try(name string, args ...string) (string, error) {
	cmd := exec.Command(name, args...)
	cmd.Dir = t.dir
	cmd.Env = append(os.Environ(), "TPM2TOOLS_TCTI="+t.tcti, "TSS2_LOG=all+error")
	out, err := cmd.CombinedOutput()
	GinkgoWriter.Printf("$ %s %q: %v\n%s", name, args, err, out)
	return string(out), err
}

// run runs a program that must succeed.
func (t *tools) run(name string, args ...string) string {
	GinkgoHelper()
	out, err := t.try(name, args...)
	if err != nil {
		Fail(fmt.Sprintf("%s %q: %v\n%s", name, args, err, out))
	}
	return out
}

// refused runs a program that must not succeed, and gives what it says.
func (t *tools) refused(name string, args ...string) string {
	GinkgoHelper()
	out, err := t.try(name, args...)
	var exit *exec.ExitError
	if !errors.As(err, &exit) {
		Fail(fmt.Sprintf("%s %q must be refused: %v\n%s", name, args, err, out))
	}
	return out
}

// flush unloads transient keys and sessions: there is no resource manager, and
// a chip has three places.
func (t *tools) flush() {
	GinkgoHelper()
	t.run("tpm2_flushcontext", "-t")
	t.run("tpm2_flushcontext", "-l")
	t.run("tpm2_flushcontext", "-s")
}

func (t *tools) path(name string) string { return filepath.Join(t.dir, name) }

func (t *tools) read(name string) []byte {
	GinkgoHelper()
	b, err := os.ReadFile(t.path(name))
	Expect(err).NotTo(HaveOccurred())
	return b
}

func (t *tools) write(name string, b []byte) {
	GinkgoHelper()
	Expect(os.WriteFile(t.path(name), b, 0o600)).To(Succeed())
}

// endorse loads the default endorsement key of an algorithm, "rsa" or "ecc", as
// ek.ctx, its public area as ek.pub.
func (t *tools) endorse(algorithm string) {
	GinkgoHelper()
	t.run("tpm2_createek", "-G", algorithm, "-c", "ek.ctx", "-u", "ek.pub")
	t.run("tpm2_flushcontext", "-t")
}

// session opens a policy session that may use the endorsement key.
func (t *tools) session() {
	GinkgoHelper()
	t.run("tpm2_startauthsession", "--policy-session", "-S", "session.ctx")
	t.run("tpm2_policysecret", "-S", "session.ctx", "-c", "e")
}

// activate opens a credential challenge with keys ak.ctx and ek.ctx.
func (t *tools) activate(blob string) ([]byte, error) {
	GinkgoHelper()
	t.session()
	out, err := t.try("tpm2_activatecredential", "-c", "ak.ctx", "-C", "ek.ctx", "-i", blob, "-o", "secret.out", "-P", "session:session.ctx")
	t.run("tpm2_flushcontext", "session.ctx")
	t.run("tpm2_flushcontext", "-t")
	if err != nil {
		GinkgoWriter.Println(out)
		return nil, err
	}
	return t.read("secret.out"), nil
}
