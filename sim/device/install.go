package device

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"windtunnel.test/sim/fault"
	"windtunnel.test/sim/hresult"
	"windtunnel.test/sim/journal"
	"windtunnel.test/sim/timing"
	"windtunnel.test/sim/vclock"
	"windtunnel.test/sim/wire/installer"
)

// Exit codes of installers that Windows itself gives.
const (
	ExitOK              = 0
	ExitDiskFull        = 112
	ExitNotInstalled    = 1605 // ERROR_UNKNOWN_PRODUCT: there is nothing to uninstall
	ExitInstallRunning  = 1618 // ERROR_INSTALL_ALREADY_RUNNING: somebody else has Windows Installer's lock
	ExitRebootInitiated = 1641
	ExitRebootRequired  = 3010
)

// copies of a package are on the disk while it installs: the archive, and what
// comes out of it.
const copies = 2

// keyRuns counts how often the packages whose runs differ have been run (our
// model).
const keyRuns = `HKLM\SOFTWARE\Windtunnel\Runs`

// Setup is one run of an installer.
type Setup struct {
	installer.Manifest
	Size int64 // bytes that the package weighs
	// SID is the user whom it runs as, "" for the system: where keys and values
	// of the current user go.
	SID string
	// Uninstall takes off what it installed, in the time that installing takes.
	Uninstall bool
	// Tracked is an app of the management extension that the status page waits for.
	Tracked bool
	// NoRestart is what Windows Installer is told so that it leaves restarting
	// to who started it; only an MSI heeds it.
	NoRestart bool
	// Limit is after how long it is ended; 0: never.
	Limit time.Duration
}

// ErrInstallLimit says that an installer ran longer than it may, and was ended.
var ErrInstallLimit = hresult.New("installer", hresult.WaitTimeout, errors.New("ran longer than it may"))

// installerLock is Windows Installer's: one MSI at a time on a PC. Who comes
// while it is taken is turned away, not queued.
func (w *Windows) installerLock() vclock.Semaphore {
	type key struct{}
	return Once(w, key{}, func() vclock.Semaphore { return w.Clock.NewSemaphore("Windows Installer on "+w.Name, 1) })
}

// owns notes who has Windows Installer's lock; what it gives takes the note away.
func (pc *PC) owns(product string) func() {
	pc.mu.Lock()
	defer pc.mu.Unlock()
	pc.installing = append(pc.installing, product)
	return func() {
		pc.mu.Lock()
		defer pc.mu.Unlock()
		if i := slices.Index(pc.installing, product); i >= 0 {
			pc.installing = slices.Delete(pc.installing, i, i+1)
		}
	}
}

// Installing are the products whose packages have Windows Installer's lock: one
// at most, in a Windows that keeps to it.
func (pc *PC) Installing() []string {
	pc.mu.Lock()
	defer pc.mu.Unlock()
	return slices.Clone(pc.installing)
}

// holds notes that Windows Installer works for an app that the status page waits
// for; what it gives takes the note away.
func (pc *PC) holds(product string) func() {
	pc.mu.Lock()
	defer pc.mu.Unlock()
	pc.tracked = product
	return func() {
		pc.mu.Lock()
		defer pc.mu.Unlock()
		pc.tracked = ""
	}
}

// TrackedInstaller is the app that Windows Installer works for at the moment,
// where the status page waits for it; "" for none.
func (pc *PC) TrackedInstaller() string {
	pc.mu.Lock()
	defer pc.mu.Unlock()
	return pc.tracked
}

// RunInstaller runs an installer of a modelled size for the whole PC.
func (w *Windows) RunInstaller(m installer.Manifest, size int64) (int, error) {
	return w.RunSetup(Setup{Manifest: m, Size: size})
}

// RunSetup runs an installer and gives its exit code. Its effects are on the
// disk once it has ended well, and not before; an error is ErrInstallLimit or
// the end of the boot.
func (w *Windows) RunSetup(s Setup) (int, error) {
	if s.Limit > 0 {
		ctx, cancel := w.Clock.WithTimeout(w.Ctx, s.Limit, ErrInstallLimit)
		defer cancel()
		w = w.Under(ctx)
	}
	code, err := w.runSetup(s)
	if cause := context.Cause(w.Ctx); err != nil && cause != nil {
		err = cause
	}
	return code, err
}

func (w *Windows) runSetup(s Setup) (int, error) {
	if s.MSI {
		lock := w.installerLock()
		if !lock.TryAcquire(1) {
			return ExitInstallRunning, nil
		}
		defer lock.Release(1)
		defer w.owns(s.Product)()
		if s.Tracked {
			defer w.holds(s.Product)()
		}
	}
	if !s.Uninstall && !w.Disk.room(s.Size*copies) {
		return ExitDiskFull, nil
	}
	if s.Hangs {
		return 0, w.Clock.NewCond("dialog of " + s.Product + " on " + w.Name).Wait(w.Ctx)
	}
	if err := w.Sleep(w.installTime(s.Manifest), "install "+s.Product); err != nil {
		return 0, err
	}
	code := s.Exit(w.countRun(s.Manifest))
	if a, ok := w.Faults.At(fault.Point{Layer: fault.Installer, Operation: s.Product, Device: w.Name}); ok {
		w.Suffer(a)
		if a.ExitCode != 0 {
			return int(int32(a.ExitCode)), nil
		}
	}
	if s.Uninstall {
		return w.uninstalled(s, code), nil
	}
	switch code {
	case ExitOK, ExitRebootRequired, ExitRebootInitiated:
		if !w.Disk.room(s.Size) { // it was there when it began
			return ExitDiskFull, nil
		}
		w.installed(s)
	}
	if s.Restarts && !(s.MSI && s.NoRestart) {
		w.Restart("package " + s.Product)
		return 0, ErrReboot
	}
	return code, nil
}

// installTime is how long a package takes on this PC: always the same, since
// what it takes longer than elsewhere is the PC's own.
func (w *Windows) installTime(m installer.Manifest) time.Duration {
	d := timing.Range{Min: m.Duration, Max: m.Duration + m.Spread}.Draw(w.Seed.Stream("installer", m.Product))
	if w.Hardware.tooSmall() {
		d *= swapping
	}
	return d
}

// swapping is how much longer installing takes on a PC that is too small; our
// model of why such a virtual machine does not get through device preparation.
const swapping = 50

// countRun counts a run, of packages that want to know.
func (w *Windows) countRun(m installer.Manifest) int {
	if len(m.ExitCodes) == 0 {
		return 1
	}
	return w.CountRun(m.Product)
}

// CountRun counts the runs of something on this PC, from 1. A run that the loss
// of power broke off does not count.
func (w *Windows) CountRun(name string) int {
	n, _ := w.Registry().DWORD(keyRuns, name)
	w.Registry().SetDWORD(keyRuns, name, n+1)
	return int(n) + 1
}

// uninstallKey is where a product is registered, for all users or one.
func uninstallKey(product, sid string) string {
	if sid != "" {
		return KeyUsers + `\` + sid + strings.TrimPrefix(KeyUninstall, "HKLM") + `\` + product
	}
	return KeyUninstall + `\` + product
}

func (w *Windows) installed(s Setup) {
	w.Disk.fill(s.Size)
	key := uninstallKey(s.Product, "")
	w.Registry().SetString(key, "DisplayVersion", s.Version)
	w.Registry().SetDWORD(key, "EstimatedSize", uint32(min(s.Size>>10, 1<<31)))
	w.Registry().SetString(key, "InstallDate", w.Now().Format("20060102"))
	for _, f := range s.Files {
		w.Disk.Files.Write(f, FileInfo{Product: s.Product, Version: s.Version, Size: s.Size, Written: w.Now()}.encode())
	}
	w.WriteValues(s.Registry, s.SID)
	if s.Service != "" {
		w.Registry().SetDWORD(KeyServices+`\`+s.Service, "Start", StartAutomatic)
	}
	w.Event("product.installed", journal.F("product", s.Product), journal.F("version", s.Version))
	if s.Service != "" {
		w.StartService(s.Service)
	}
}

// uninstalled takes a product off. What else the package would have returned
// counts where there was something to take off.
func (w *Windows) uninstalled(s Setup, code int) int {
	key := uninstallKey(s.Product, "")
	if !w.Registry().Has(key) {
		return ExitNotInstalled
	}
	switch code {
	case ExitOK, ExitRebootRequired, ExitRebootInitiated:
	default:
		return code
	}
	if kib, ok := w.Registry().DWORD(key, "EstimatedSize"); ok {
		w.Disk.fill(-int64(kib) << 10)
	}
	for _, f := range s.Files {
		w.Disk.Files.Remove(f)
	}
	for _, v := range s.Registry {
		w.Registry().Delete(ExpandHive(v.Key, s.SID), v.Name)
	}
	w.Registry().DeleteTree(key)
	w.Event("product.uninstalled", journal.F("product", s.Product))
	return code
}

// WriteValues writes what an installer or a script does to the registry; sid is
// whose HKEY_CURRENT_USER it is, "" the system's.
func (w *Windows) WriteValues(values []installer.RegistryValue, sid string) {
	for _, v := range values {
		key := ExpandHive(v.Key, sid)
		if n, err := strconv.ParseUint(v.Value, 10, 32); v.DWORD && err == nil {
			w.Registry().SetDWORD(key, v.Name, uint32(n))
		} else {
			w.Registry().SetString(key, v.Name, v.Value)
		}
	}
}

// KeyUsers is the hive of all users, by SID.
const KeyUsers = "HKU"

// sidSystem is the system's own account.
const sidSystem = "S-1-5-18"

// ExpandHive writes a key as this registry has it: hives by their short names,
// the current user's by SID; sid "" is the system's.
func ExpandHive(key, sid string) string {
	hive, rest, below := strings.Cut(strings.TrimPrefix(strings.TrimPrefix(key, `Registry::`), `Computer\`), `\`)
	switch strings.ToUpper(strings.TrimSuffix(hive, ":")) {
	case "HKEY_LOCAL_MACHINE", "HKLM":
		hive = "HKLM"
	case "HKEY_CURRENT_USER", "HKCU":
		if sid == "" {
			sid = sidSystem
		}
		hive = KeyUsers + `\` + sid
	case "HKEY_USERS", "HKU":
		hive = KeyUsers
	}
	if !below {
		return hive
	}
	return hive + `\` + rest
}

// FileInfo is what Windows knows of a file that an installer brought.
type FileInfo struct {
	Product, Version string
	Size             int64 // bytes; our model: a package's files weigh what it weighs
	Written          time.Time
}

func (f FileInfo) encode() []byte {
	return fmt.Appendf(nil, "%s %s\n%d\n%s\n", f.Product, f.Version, f.Size, f.Written.UTC().Format(time.RFC3339))
}

// FileInfo reads it; false where the file is not there. Of a file that no
// installer brought only its bytes count.
func (w *Windows) FileInfo(name string) (FileInfo, bool) {
	b, ok := w.Disk.Files.Read(name)
	if !ok {
		return FileInfo{}, false
	}
	f := FileInfo{Size: int64(len(b))}
	lines := strings.Split(string(b), "\n")
	if len(lines) != 4 {
		return f, true
	}
	size, serr := strconv.ParseInt(lines[1], 10, 64)
	at, terr := time.Parse(time.RFC3339, lines[2])
	if i := strings.LastIndex(lines[0], " "); i >= 0 && serr == nil && terr == nil {
		f = FileInfo{Product: lines[0][:i], Version: lines[0][i+1:], Size: size, Written: at}
	}
	return f, true
}

// ExitError words an exit code that stands for failure.
func ExitError(code int) error { return fmt.Errorf("the installer ended with %d", code) }
