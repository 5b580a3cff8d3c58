package device

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"

	"windtunnel.test/sim/hresult"
	"windtunnel.test/sim/journal"
	"windtunnel.test/sim/vclock"
	"windtunnel.test/sim/wire/hosts"
	"windtunnel.test/sim/wire/installer"
)

// Exit codes of installers that Windows itself gives.
const (
	ExitOK              = 0
	ExitDiskFull        = 112
	ExitInstallRunning  = 1618 // ERROR_INSTALL_ALREADY_RUNNING: somebody else has Windows Installer's lock
	ExitRebootInitiated = 1641
	ExitRebootRequired  = 3010
)

// copies of a package are on the disk while it installs: the archive, and what
// comes out of it.
const copies = 2

// Download fetches a file from the content network. The link is charged for
// its modelled size; a transfer that breaks off goes on where it stopped.
func (w *Windows) Download(op, address string) (body []byte, size int64, err error) {
	resp, err := w.Do(Request{Op: op, Method: http.MethodGet, URL: address})
	if err != nil {
		return nil, 0, err
	}
	if resp.Status != http.StatusOK {
		return nil, 0, hresult.New(op, hresult.FromHTTPStatus(resp.Status), errors.New(address))
	}
	size = int64(len(resp.Body))
	if v, err := strconv.ParseInt(resp.Header.Get(hosts.HeaderModelledSize), 10, 64); err == nil {
		size = max(size, v)
	}
	u, err := url.Parse(address)
	if err != nil {
		return nil, 0, hresult.New(op, hresult.InternetInvalidURL, err)
	}
	left := size - int64(len(resp.Body))
	for attempt := 1; left > 0; attempt++ {
		done, err := w.NIC.Transfer(w.Ctx, u.Hostname(), left)
		left -= done
		if cause := context.Cause(w.Ctx); cause != nil {
			return nil, 0, cause
		}
		if err != nil && (attempt >= w.Timing.Network.RetryAttempts || w.Sleep(w.Timing.Network.RetryAfter, op+" again") != nil) {
			return nil, 0, hresult.New(op, transportCode(err), err)
		}
	}
	return resp.Body, size, nil
}

// installerLock is Windows Installer's: one MSI at a time on a PC. Who comes
// while it is taken is turned away, not queued.
func (w *Windows) installerLock() vclock.Semaphore {
	type key struct{}
	return Once(w, key{}, func() vclock.Semaphore { return w.Clock.NewSemaphore("Windows Installer on "+w.Name, 1) })
}

// RunInstaller runs an installer of a modelled size and gives its exit code.
// Its effects are on the disk once it has ended well, and not before; an error
// is only the end of the boot.
func (w *Windows) RunInstaller(m installer.Manifest, size int64) (int, error) {
	if m.MSI {
		lock := w.installerLock()
		if !lock.TryAcquire(1) {
			return ExitInstallRunning, nil
		}
		defer lock.Release(1)
	}
	if !w.Disk.room(size * copies) {
		return ExitDiskFull, nil
	}
	if err := w.Sleep(m.Duration, "install "+m.Product); err != nil {
		return 0, err
	}
	switch m.ExitCode {
	case ExitOK, ExitRebootRequired, ExitRebootInitiated:
		w.installed(m, size)
	}
	return m.ExitCode, nil
}

func (w *Windows) installed(m installer.Manifest, size int64) {
	w.Disk.fill(size)
	w.Registry().SetString(KeyUninstall+`\`+m.Product, "DisplayVersion", m.Version)
	for _, f := range m.Files {
		w.Disk.Files.Write(f, []byte(m.Product+" "+m.Version))
	}
	w.Event("product.installed", journal.F("product", m.Product), journal.F("version", m.Version))
	if m.Service != "" {
		w.InstallService(m.Service)
	}
}

// ExitError words an exit code that stands for failure.
func ExitError(code int) error { return fmt.Errorf("the installer ended with %d", code) }
