package mdm

import (
	"errors"
	"strconv"
	"strings"

	"windtunnel.test/sim/device"
	"windtunnel.test/sim/device/defects"
	"windtunnel.test/sim/hresult"
	"windtunnel.test/sim/wire/csp"
	"windtunnel.test/sim/wire/hosts"
	"windtunnel.test/sim/wire/syncml"
)

// keyModern is where the jobs of packaged apps are (our model of the deployment
// service's own state).
const keyModern = `HKLM\SOFTWARE\Microsoft\EnterpriseModernAppManagement\Jobs`

// modernKind is which node of an app's was executed.
const modernKind = "Kind"

// modern is the EnterpriseModernAppManagement CSP: packaged apps, from the Store
// or from an address of their own.
var modern = &provider{
	set: func(t target, _ syncml.Verb, _ string) syncml.StatusCode {
		_, managed, name, ok := csp.ParseModernApp(t.uri)
		if !ok || managed != "" || name != "" && name != csp.ModernStoreInstall && name != csp.ModernHostedInstall {
			return syncml.CommandNotAllowed
		}
		return syncml.OK
	},
	get: func(t target) (string, syncml.StatusCode) {
		m, managed, name, ok := csp.ParseModernApp(t.uri)
		j := modernJob(t.w, t.sid, m)
		status, known := t.w.Registry().DWORD(j.key, jobStatus)
		switch {
		case !ok || !known:
		case managed != "":
			if csp.ModernState(status) == csp.ModernInstalled {
				return m.FamilyName, syncml.OK
			}
		case name == csp.ModernStatus:
			return decimal(status), syncml.OK
		case name == csp.ModernLastError:
			code, _ := t.w.Registry().DWORD(j.key, jobError)
			return strconv.Itoa(int(int32(code))), syncml.OK
		case name == csp.ModernLastErrorDesc:
			code, _ := t.w.Registry().DWORD(j.key, jobError)
			return hresult.Code(code).String(), syncml.OK
		case name == csp.ModernProgress:
			if csp.ModernState(status) == csp.ModernInstalled {
				return "100", syncml.OK
			}
			return "0", syncml.OK
		}
		return "", syncml.NotFound
	},
	exec: func(t target, value string) syncml.StatusCode {
		m, managed, name, ok := csp.ParseModernApp(t.uri)
		if !ok || managed != "" {
			return syncml.CommandNotAllowed
		}
		if _, err := modernAddress(name, value); err != nil {
			return syncml.BadRequest
		}
		j := modernJob(t.w, t.sid, m)
		t.w.Registry().SetString(j.key, modernKind, name)
		j.begin(value, installModern)
		return syncml.AcceptedForProcessing
	},
	del: func(t target) syncml.StatusCode {
		m, managed, _, ok := csp.ParseModernApp(t.uri)
		j := modernJob(t.w, t.sid, m)
		if !ok || managed == "" || !t.w.Registry().Has(j.key) {
			return syncml.NotFound
		}
		t.w.Registry().DeleteTree(device.KeyUninstall + `\` + t.w.Registry().String(j.key, jobProduct))
		t.w.Registry().DeleteTree(j.key)
		return syncml.OK
	},
}

func modernJob(w *device.Windows, sid string, m csp.ModernApp) job {
	return job{
		w: w, sid: sid, name: "modern app " + sid + m.FamilyName,
		key:   keyModern + `\` + sidKey(sid) + `\` + strings.ReplaceAll(m.FamilyName, `\`, "_"),
		uri:   m.Node(csp.ModernStoreInstall),
		lists: []string{m.Node(), m.Node(csp.ModernStatus), m.Node(csp.ModernStoreInstall), m.Node(csp.ModernHostedInstall), m.Managed("AppStore"), m.Managed("nonStore")},
	}
}

// modernAddress is where the package comes from that a node is executed for.
func modernAddress(node, document string) (string, error) {
	if node == csp.ModernHostedInstall {
		a, err := csp.ParseHostedApp(document)
		return a.PackageURI, err
	}
	a, err := csp.ParseStoreApp(document)
	return hosts.StorePackage(a.ID), err
}

// resumeModern starts the jobs again that a restart broke off.
func resumeModern(w *device.Windows) {
	r := w.Registry()
	for _, sid := range r.Subkeys(keyModern) {
		for _, name := range r.Subkeys(keyModern + `\` + sid) {
			scope, owner := scopeOf(sid)
			if j := modernJob(w, owner, csp.ModernApp{Scope: scope, FamilyName: name}); r.HasValue(j.key, jobDocument) {
				j.resume(installModern)
			}
		}
	}
}

var errNoPackages = errors.New("the deployment service installs nothing as long as the status page is up")

// inSetup tells whether the enrollment status page is up.
func inSetup(w *device.Windows) bool {
	phase := w.Registry().String(device.KeyTracking, "Phase")
	return phase != "" && phase != "NotInEsp"
}

// installModern is the job. Whatever goes wrong after the download is a failed
// deployment (learn.microsoft.com, "Troubleshooting packaging, deployment, and
// query of Windows apps").
func installModern(j job) {
	const op = "install packaged app"
	r := j.w.Registry()
	kind := r.String(j.key, modernKind)
	if kind == csp.ModernHostedInstall {
		j.uri = strings.TrimSuffix(j.uri, csp.ModernStoreInstall) + csp.ModernHostedInstall
	}
	address, err := modernAddress(kind, r.String(j.key, jobDocument))
	if err == nil && !j.done() {
		j.state(uint32(csp.ModernInstalling), hresult.OK)
		m, size, ferr := j.fetch(op, address)
		if err = ferr; err == nil && inSetup(j.w) && j.w.Has(defects.InstallsNoPackages) {
			err = hresult.New(op, hresult.AppxInstallFailed, errNoPackages)
		}
		if err == nil {
			if err = j.install(op, device.Setup{Manifest: m, Size: size, SID: j.sid}); err != nil && codeOf(err) == hresult.InstallFailure {
				err = hresult.New(op, hresult.AppxInstallFailed, err)
			}
		}
	}
	if j.gone() {
		return
	}
	if err != nil {
		code := codeOf(err)
		j.w.Log(device.LogAppX, 404, "Error", "AppX Deployment operation failed with error "+code.Hex()+". The specific error text for this failure is: "+err.Error(), code.Hex())
		j.state(uint32(csp.ModernFailed), code)
		j.over(code)
		return
	}
	j.w.Log(device.LogAppX, 400, "Information", "Deployment Add operation on package "+r.String(j.key, jobProduct)+" finished successfully.")
	j.state(uint32(csp.ModernInstalled), hresult.OK)
	j.over(hresult.OK)
}
