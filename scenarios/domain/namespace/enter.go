package namespace

import (
	"context"
	"fmt"
	"golang.org/x/sys/unix"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// HostName is the machine's inside.
const HostName = "client"

// enter makes the namespaces habitable: nothing mounted inside is seen
// outside, /proc shows the processes inside, loopback is up.
func enter() error {
	if err := syscall.Mount("", "/", "", syscall.MS_REC|syscall.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("make mounts private: %w", err)
	}
	if err := syscall.Mount("proc", "/proc", "proc", syscall.MS_NOSUID|syscall.MS_NODEV|syscall.MS_NOEXEC, ""); err != nil {
		return fmt.Errorf("mount /proc: %w", err)
	}
	if err := syscall.Sethostname([]byte(HostName)); err != nil {
		return fmt.Errorf("set host name: %w", err)
	}
	return loopback()
}

func loopback() error {
	s, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("loopback: %w", err)
	}
	defer unix.Close(s)
	lo, err := unix.NewIfreq("lo")
	if err != nil {
		return fmt.Errorf("loopback: %w", err)
	}
	lo.SetUint16(unix.IFF_UP | unix.IFF_RUNNING)
	if err := unix.IoctlIfreq(s, unix.SIOCSIFFLAGS, lo); err != nil {
		return fmt.Errorf("loopback up: %w", err)
	}
	return nil
}

// Join makes the machine ask a domain's controller on loopback: it writes
// resolv.conf, hosts, nsswitch.conf, krb5.conf and ldap.conf into dir, puts
// the first three in the place of the system's, and names the last two in the
// environment of this process and of all that it starts. ca is the PEM of the
// root that LDAP clients trust, which may be empty.
func Join(dir, domain string, ca []byte) error {
	c := config{domain: domain, ca: filepath.Join(dir, "ca.pem")}
	files := map[string]string{
		"resolv.conf": c.resolv(), "hosts": c.hosts(), "nsswitch.conf": "passwd: files\ngroup: files\nhosts: files dns\nservices: files\n",
		"krb5.conf": c.krb5(), "ldap.conf": c.ldap(), "ca.pem": string(ca),
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			return err
		}
	}
	for _, name := range []string{"resolv.conf", "hosts", "nsswitch.conf"} {
		place, err := filepath.EvalSymlinks("/etc/" + name)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		if err := syscall.Mount(filepath.Join(dir, name), place, "", syscall.MS_BIND, ""); err != nil {
			return fmt.Errorf("put %s in place: %w", name, err)
		}
	}
	net.DefaultResolver = &net.Resolver{PreferGo: true, Dial: dialNameServer}
	for name, file := range map[string]string{"KRB5_CONFIG": "krb5.conf", "LDAPCONF": "ldap.conf"} {
		if err := os.Setenv(name, filepath.Join(dir, file)); err != nil {
			return err
		}
	}
	return nil
}

// dialNameServer asks whom resolv.conf names at this moment. Go looks at the
// file every five seconds only, and specs have it name another controller.
func dialNameServer(ctx context.Context, network, _ string) (net.Conn, error) {
	text, err := os.ReadFile("/etc/resolv.conf")
	if err != nil {
		return nil, err
	}
	_, rest, _ := strings.Cut(string(text), "nameserver ")
	server, _, _ := strings.Cut(rest, "\n")
	var d net.Dialer
	return d.DialContext(ctx, network, net.JoinHostPort(strings.TrimSpace(server), "53"))
}
