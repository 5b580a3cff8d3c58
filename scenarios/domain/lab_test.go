package domain_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"windtunnel.test/fakead"
)

// administrator is the forest's and its password.
const (
	administrator = "Administrator"
	password      = "Passw0rd!"
)

// lab is a forest of our own that listens on the standard ports of loopback,
// the first controller on 127.0.0.1 and the next ones on the addresses after
// it, and a machine that asks it.
type lab struct {
	*fakead.Forest
	dir string   // the spec's own, empty at first
	env []string // of commands, beside the process's
}

// newForest starts a forest for the running spec, with one controller dc1
// unless changed.
func newForest(changes ...func(*fakead.Options)) *lab {
	GinkgoHelper()
	o := fakead.Options{
		Clock: wall, Seed: seed, Domain: domainName, NetBIOS: "CORP", Controllers: []fakead.Controller{{Name: "dc1"}},
		AdministratorPassword: password, CA: ca,
	}
	for _, change := range changes {
		change(&o)
	}
	forest, err := fakead.New(o)
	Expect(err).NotTo(HaveOccurred())
	listeners, err := forest.Listen(fakead.ListenOptions{})
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(listeners.Close)
	l := newLab()
	l.Forest = forest
	return l
}

// newLab is a machine without a domain.
func newLab() *lab {
	GinkgoHelper()
	dir, err := os.MkdirTemp(home, "spec")
	Expect(err).NotTo(HaveOccurred())
	// One ticket cache, keytab and home a spec.
	return &lab{dir: dir, env: []string{"KRB5CCNAME=FILE:" + filepath.Join(dir, "ccache"), "KRB5_KTNAME=FILE:" + filepath.Join(dir, "keytab"), "HOME=" + dir, "LC_ALL=C"}}
}

// path is a file of the spec's own directory.
func (l *lab) path(name string) string { return filepath.Join(l.dir, name) }

// commandLimit is how long a command may take in real time: none waits for
// anything but its own time-outs.
const commandLimit = time.Minute

// try runs a command with a text on its standard input, and gives what it said
// on both outputs.
func (l *lab) try(input string, command ...string) (string, error) {
	GinkgoHelper()
	ctx, cancel := wall.WithTimeout(context.Background(), commandLimit, context.DeadlineExceeded)
	defer cancel()
	c := exec.CommandContext(ctx, command[0], command[1:]...)
	var said bytes.Buffer
	c.Env, c.Dir, c.Stdin, c.Stdout, c.Stderr = append(os.Environ(), l.env...), l.dir, strings.NewReader(input), &said, &said
	c.WaitDelay = time.Second
	err := c.Run()
	AddReportEntry(strings.Join(command, " "), said.String(), ReportEntryVisibilityFailureOrVerbose)
	return said.String(), err
}

// run is try for a command that has to succeed. Without a text, its standard
// input is empty.
func (l *lab) run(command ...string) string {
	GinkgoHelper()
	return l.feed("", command...)
}

// feed is run with a text on standard input.
func (l *lab) feed(input string, command ...string) string {
	GinkgoHelper()
	out, err := l.try(input, command...)
	Expect(err).NotTo(HaveOccurred(), "%s\n%s", strings.Join(command, " "), out)
	return out
}

// refused runs a command that has to fail, and gives what it said.
func (l *lab) refused(input string, command ...string) string {
	GinkgoHelper()
	out, err := l.try(input, command...)
	Expect(err).To(BeAssignableToTypeOf(&exec.ExitError{}), "%s\n%s", strings.Join(command, " "), out)
	return out
}

// kinit logs somebody on, so that later commands have tickets.
func (l *lab) kinit(principal, password string) {
	GinkgoHelper()
	l.feed(password+"\n", "kinit", principal)
}

// asAdministrator is kinit of the forest's administrator.
func (l *lab) asAdministrator() {
	GinkgoHelper()
	l.kinit(administrator+"@"+realm, password)
}

// ldapsearch asks the first controller with the tickets that there are, and
// gives LDIF without comments or folded lines.
func (l *lab) ldapsearch(base, filter string, attributes ...string) string {
	GinkgoHelper()
	return l.run(append([]string{"ldapsearch", "-Q", "-LLL", "-o", "ldif-wrap=no", "-Y", "GSSAPI", "-H", "ldap://dc1." + domainName, "-b", base, filter}, attributes...)...)
}

// at runs a command under faketime, at another time than this machine's.
func at(offset time.Duration, command ...string) []string {
	return append([]string{"faketime", "-f", fmt.Sprintf("%+ds", int(offset.Seconds()))}, command...)
}
