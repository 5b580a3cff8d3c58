package mdm

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"slices"
	"strings"
	"time"

	"windtunnel.test/sim/device"
	"windtunnel.test/sim/hresult"
	"windtunnel.test/sim/journal"
	"windtunnel.test/sim/wire/csp"
	"windtunnel.test/sim/wire/installer"
	"windtunnel.test/sim/wire/syncml"
)

// msi is the EnterpriseDesktopAppManagement CSP. DownloadInstall is executed
// in the background: the session gets 202 and a generic alert of a later
// session tells how it went.
var msi = &provider{
	set: func(t target, _ syncml.Verb, _ string) syncml.StatusCode {
		m, name, ok := csp.ParseMSI(t.uri)
		if !ok || (name != "" && name != "DownloadInstall") {
			return syncml.CommandNotAllowed
		}
		if _, known := t.w.Registry().DWORD(msiKey(t.sid, m.ProductCode), "Status"); !known {
			setMSI(t.w, t.sid, m, csp.MSIInitialized, 0)
		}
		return syncml.OK
	},
	get: func(t target) (string, syncml.StatusCode) {
		m, name, ok := csp.ParseMSI(t.uri)
		if !ok {
			return "", syncml.NotFound
		}
		r, key := t.w.Registry(), msiKey(t.sid, m.ProductCode)
		switch name {
		case "Status", "LastError":
			if v, known := r.DWORD(key, name); known {
				return decimal(v), syncml.OK
			}
		case "LastErrorDesc":
			if v, known := r.DWORD(key, "LastError"); known {
				return hresult.Code(v).String(), syncml.OK
			}
		case "Name", "Version":
			if s, _ := r.DWORD(key, "Status"); csp.MSIStatus(s) == csp.MSIEnforced {
				return r.String(key, name), syncml.OK
			}
		}
		return "", syncml.NotFound
	},
	exec: func(t target, value string) syncml.StatusCode {
		m, name, ok := csp.ParseMSI(t.uri)
		if !ok || name != "DownloadInstall" {
			return syncml.CommandNotAllowed
		}
		job, err := csp.ParseMsiInstallJob(value)
		if err != nil {
			return syncml.BadRequest
		}
		r, key := t.w.Registry(), msiKey(t.sid, m.ProductCode)
		if !r.HasValue(key, msiJob) {
			r.SetDWORD(key, msiOrder, lastMSI(r)+1)
		}
		r.SetString(key, msiJob, value)
		startMSI(t.w, t.sid, m, job)
		return syncml.AcceptedForProcessing
	},
}

// msiJob is the value that keeps a job's document until the job is over.
const msiJob = "DownloadInstall"

// msiAttempts counts those that failed: a restart does not give a job new ones.
const msiAttempts = "Attempts"

// startMSI lets a job run beside whatever asked for it.
func startMSI(w *device.Windows, sid string, m csp.MSI, job csp.MsiInstallJob) {
	key := msiKey(sid, m.ProductCode)
	msiTurns(w).join(key)
	w.Service("msi "+sid+m.ProductCode, func(ctx context.Context) {
		defer msiTurns(w).over(key)
		installMSI(w.Under(ctx), sid, m, job)
	})
}

// resumeMSI starts the jobs again that a restart or the loss of power broke off,
// in the order in which they were asked for.
func resumeMSI(w *device.Windows) {
	r := w.Registry()
	type pending struct {
		order uint32
		start func()
	}
	var jobs []pending
	for _, sid := range r.Subkeys(device.KeyMSI) {
		for _, product := range r.Subkeys(device.KeyMSI + `\` + sid + `\MSI`) {
			text := r.String(device.KeyMSI+`\`+sid+`\MSI\`+product, msiJob)
			m, scope := csp.MSI{Scope: csp.User, ProductCode: product}, sid
			if sid == device.DeviceSID {
				m.Scope, scope = csp.Device, ""
			}
			if job, err := csp.ParseMsiInstallJob(text); text != "" && err == nil {
				order, _ := r.DWORD(msiKey(scope, product), msiOrder)
				jobs = append(jobs, pending{order, func() { startMSI(w, scope, m, job) }})
			}
		}
	}
	slices.SortStableFunc(jobs, func(a, b pending) int { return cmp.Compare(a.order, b.order) })
	for _, j := range jobs {
		j.start()
	}
}

func msiKey(sid, product string) string {
	if sid == "" {
		sid = device.DeviceSID
	}
	return device.KeyMSI + `\` + sid + `\MSI\` + product
}

func setMSI(w *device.Windows, sid string, m csp.MSI, s csp.MSIStatus, code uint32) {
	key := msiKey(sid, m.ProductCode)
	w.Registry().SetDWORD(key, "Status", uint32(s))
	w.Registry().SetDWORD(key, "LastError", code)
	w.Event("msi.status", journal.F("product", m.ProductCode), journal.F("status", s.String()))
	progress(w)
}

var errHash = errors.New("the file's hash is not the one that the job names")

// installMSI is the job: download, check, run, as often as it allows.
func installMSI(w *device.Windows, sid string, m csp.MSI, job csp.MsiInstallJob) {
	if s, _ := w.Registry().DWORD(msiKey(sid, m.ProductCode), "Status"); csp.MSIStatus(s) == csp.MSIEnforced {
		finishMSI(w, sid, m, 1) // it is on the PC already; who asks again wants to hear so
		return
	}
	p := job.Product
	w.Registry().SetString(msiKey(sid, m.ProductCode), "CurrentDownloadUrl", p.ContentURLs[0])
	spent, _ := w.Registry().DWORD(msiKey(sid, m.ProductCode), msiAttempts)
	for try := int(spent); ; try++ {
		w.Registry().SetDWORD(msiKey(sid, m.ProductCode), msiAttempts, uint32(try))
		code, err := tryMSI(w, sid, m, p)
		if context.Cause(w.Ctx) != nil {
			return
		}
		if err == nil {
			w.Log(device.LogMDM, 1922, "Information", "MSI: installation of "+m.ProductCode+" finished")
			setMSI(w, sid, m, csp.MSIEnforced, 0)
			finishMSI(w, sid, m, 1)
			return
		}
		w.Log(device.LogMDM, 1924, "Error", "MSI: installation of "+m.ProductCode+" failed: "+err.Error())
		failed, again := csp.MSIEnforceFailed, csp.MSIPendingEnforceRetry
		if s, _ := w.Registry().DWORD(msiKey(sid, m.ProductCode), "Status"); csp.MSIStatus(s) == csp.MSIDownloading {
			failed, again = csp.MSIDownloadFailed, csp.MSIPendingRetry
		}
		if try >= p.RetryCount {
			setMSI(w, sid, m, failed, uint32(code))
			finishMSI(w, sid, m, uint32(code))
			return
		}
		setMSI(w, sid, m, again, uint32(code))
		if w.Sleep(time.Duration(p.RetryInterval)*time.Minute, "MSI retry") != nil {
			return
		}
	}
}

// tryMSI is one attempt. The package's own product and version are written down
// before it runs: where the power goes between its end and ours, it is found
// instead of installed again.
func tryMSI(w *device.Windows, sid string, m csp.MSI, p csp.Product) (hresult.Code, error) {
	key := msiKey(sid, m.ProductCode)
	j := job{w: w, sid: sid, key: key}
	if j.done() {
		return hresult.OK, nil
	}
	line := msiTurns(w)
	if err := line.turn(w.Ctx, key); err != nil {
		return hresult.Aborted, err
	}
	defer line.next(key)
	setMSI(w, sid, m, csp.MSIDownloading, 0)
	w.Log(device.LogMDM, 1905, "Information", "MSI: download of "+m.ProductCode+" started")
	body, size, err := w.Download("download MSI", p.ContentURLs[0])
	if err != nil {
		return codeOf(err), err
	}
	w.Log(device.LogMDM, 1906, "Information", "MSI: download of "+m.ProductCode+" finished")
	if sum := sha256.Sum256(body); !strings.EqualFold(hex.EncodeToString(sum[:]), p.FileHash) {
		return hresult.InvalidData, errHash
	}
	setMSI(w, sid, m, csp.MSIDownloaded, 0)
	manifest, err := installer.Decode(body)
	if err != nil {
		return hresult.InstallFailure, err
	}
	setMSI(w, sid, m, csp.MSIEnforcing, 0)
	w.Log(device.LogMDM, 1920, "Information", "MSI: installation of "+m.ProductCode+" started")
	// Windows Installer is told to leave a restart alone (REBOOT=ReallySuppress).
	err = j.install("install MSI", device.Setup{Manifest: manifest, Size: size, NoRestart: true, Limit: time.Duration(p.TimeOut) * time.Minute})
	if err != nil {
		return codeOf(err), err
	}
	return hresult.OK, nil
}

// finishMSI reports the end of a job, to the status page now and to the server
// at the next session.
func finishMSI(w *device.Windows, sid string, m csp.MSI, result uint32) {
	status, err := csp.Canonical(m.Status())
	if err == nil {
		processed(w, sid, status, result)
	}
	queueAlert(w, m.DownloadInstall(), result)
	put(w.Registry(), msiKey(sid, m.ProductCode), msiJob, result != 1)
	w.Registry().Delete(msiKey(sid, m.ProductCode), msiAttempts)
	w.Registry().Delete(msiKey(sid, m.ProductCode), msiJob) // last: a job that has one is taken up again
}
