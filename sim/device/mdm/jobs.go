package mdm

import (
	"context"
	"errors"

	"windtunnel.test/sim/device"
	"windtunnel.test/sim/hresult"
	"windtunnel.test/sim/journal"
	"windtunnel.test/sim/wire/csp"
	"windtunnel.test/sim/wire/installer"
)

// job is an installation that a server executed a node for. All that it has to
// know after a restart is in its registry key.
type job struct {
	w    *device.Windows
	sid  string // whose it is, "" for the device's
	name string // of the service that runs it
	key  string
	uri  string // the node that was executed, for the alert
	// lists are the nodes by which the status page's lists may name it.
	lists []string
}

// Values of a job's key that are the same for all kinds.
const (
	jobDocument = "Document" // what the node was executed with; it goes when the job is over
	jobProduct  = "Name"     // what is being installed, once it is known
	jobVersion  = "Version"
	jobStatus   = "Status"
	jobError    = "LastError"
)

// fetch downloads a package and reads what it does.
func (j job) fetch(op, address string) (installer.Manifest, int64, error) {
	body, size, err := j.w.Download(op, address)
	if err != nil {
		return installer.Manifest{}, 0, err
	}
	m, err := installer.Decode(body)
	if err != nil {
		return installer.Manifest{}, 0, hresult.New(op, hresult.InvalidData, err)
	}
	return m, size, nil
}

// have tells whether a product is on the PC: the loss of power can come between
// the end of an installation and the job's own note of it.
func (j job) have(product, version string) bool {
	r := j.w.Registry()
	return product != "" && r.HasValue(device.KeyUninstall+`\`+product, "DisplayVersion") && r.String(device.KeyUninstall+`\`+product, "DisplayVersion") == version
}

// done tells the same of what the job wrote down about its product.
func (j job) done() bool {
	r := j.w.Registry()
	return j.have(r.String(j.key, jobProduct), r.String(j.key, jobVersion))
}

// install runs a package, unless it is on the PC already. An error is the
// outcome, or the end of the boot.
func (j job) install(op string, s device.Setup) error {
	r := j.w.Registry()
	r.SetString(j.key, jobVersion, s.Version)
	r.SetString(j.key, jobProduct, s.Product)
	if j.have(s.Product, s.Version) {
		return nil
	}
	exit, err := j.w.RunSetup(s)
	if err != nil {
		if code, ok := hresult.CodeOf(err); ok {
			return hresult.New(op, code, err)
		}
		return hresult.New(op, hresult.Aborted, err)
	}
	if code := exitCode(exit); code != hresult.OK {
		return hresult.New(op, code, device.ExitError(exit))
	}
	return nil
}

// exitCode is what an installer's exit code is as an HRESULT. A restart that it
// wants is left to whoever restarts Windows next.
func exitCode(exit int) hresult.Code {
	switch exit {
	case device.ExitOK, device.ExitRebootRequired, device.ExitRebootInitiated:
		return hresult.OK
	case device.ExitInstallRunning:
		return hresult.InstallAlreadyRunning
	case device.ExitDiskFull:
		return hresult.OutOfDisk
	default:
		return hresult.InstallFailure
	}
}

// state writes down how far the job is.
func (j job) state(status uint32, code hresult.Code) {
	r := j.w.Registry()
	r.SetDWORD(j.key, jobError, uint32(code))
	r.SetDWORD(j.key, jobStatus, status)
	j.w.Event("mdm.job", journal.F("node", j.uri), journal.F("status", status), journal.F("code", code.Hex()))
	progress(j.w)
}

// over reports the end of a job, to the status page now and to the server at
// the next session. The document goes last: a job that has one is taken up
// again.
func (j job) over(code hresult.Code) {
	result := uint32(1)
	if code != hresult.OK {
		result = uint32(code)
	}
	for _, node := range j.lists {
		if c, err := csp.Canonical(node); err == nil {
			processed(j.w, j.sid, c, result)
		}
	}
	queueAlert(j.w, j.uri, result)
	put(j.w.Registry(), j.key, jobDocument, code != hresult.OK)
	j.w.Registry().Delete(j.key, jobDocument)
}

// begin keeps the document and lets the job run beside whatever asked for it.
func (j job) begin(document string, run func(job)) {
	j.w.Registry().SetString(j.key, jobDocument, document)
	j.resume(run)
}

func (j job) resume(run func(job)) {
	j.w.Service(j.name, func(ctx context.Context) {
		under := j
		under.w = j.w.Under(ctx)
		run(under)
	})
}

// gone tells whether the boot is over: then nothing may be made of a failure.
func (j job) gone() bool { return context.Cause(j.w.Ctx) != nil }

// codeOf is a failure's code, never that of success.
func codeOf(err error) hresult.Code {
	var known *hresult.Error
	if errors.As(err, &known) {
		return known.Code
	}
	return hresult.Unexpected
}

// scopeOf is the scope of a registry key's SID, and how this package names it.
func scopeOf(key string) (scope csp.Scope, sid string) {
	if key == device.DeviceSID {
		return csp.Device, ""
	}
	return csp.User, key
}

func sidKey(sid string) string {
	if sid == "" {
		return device.DeviceSID
	}
	return sid
}
