package mdm

import (
	"strconv"

	"windtunnel.test/sim/device"
	"windtunnel.test/sim/hresult"
	"windtunnel.test/sim/journal"
	"windtunnel.test/sim/wire/csp"
	"windtunnel.test/sim/wire/hosts"
	"windtunnel.test/sim/wire/installer"
	"windtunnel.test/sim/wire/syncml"
)

const keyOffice = `HKLM\SOFTWARE\Microsoft\OfficeCSP`

// office is the Office CSP: Microsoft 365 Apps by Click-to-Run, which brings its
// own installer, and the machine-wide installer of Teams, which is an MSI and
// wants Windows Installer's lock like all others.
var office = &provider{
	set: func(t target, _ syncml.Verb, _ string) syncml.StatusCode {
		if _, name, ok := csp.ParseOffice(t.uri); !ok || name != "" && name != csp.OfficeInstall {
			return syncml.CommandNotAllowed
		}
		return syncml.OK
	},
	get: func(t target) (string, syncml.StatusCode) {
		o, name, ok := csp.ParseOffice(t.uri)
		status, known := t.w.Registry().DWORD(officeJob(t.w, t.sid, o).key, jobStatus)
		switch {
		case !ok || !known:
		case name == csp.OfficeStatus, name == csp.OfficeFinalStatus && status != csp.OfficeUnderWay:
			return strconv.Itoa(int(int32(status))), syncml.OK
		}
		return "", syncml.NotFound
	},
	exec: func(t target, value string) syncml.StatusCode {
		o, name, ok := csp.ParseOffice(t.uri)
		if !ok || name != csp.OfficeInstall {
			return syncml.CommandNotAllowed
		}
		if _, err := csp.ParseOfficeConfiguration(value); err != nil {
			return syncml.BadRequest
		}
		j := officeJob(t.w, t.sid, o)
		t.w.Registry().SetDWORD(j.key, jobStatus, csp.OfficeUnderWay)
		j.begin(value, installOffice)
		return syncml.AcceptedForProcessing
	},
}

func officeJob(w *device.Windows, sid string, o csp.Office) job {
	return job{
		w: w, sid: sid, name: "office " + sid + o.ID, key: keyOffice + `\` + sidKey(sid) + `\` + o.ID, uri: o.Node(csp.OfficeInstall),
		lists: []string{o.Node(), o.Node(csp.OfficeStatus), o.Node(csp.OfficeFinalStatus), o.Node(csp.OfficeInstall)},
	}
}

// resumeOffice starts the jobs again that a restart broke off.
func resumeOffice(w *device.Windows) {
	r := w.Registry()
	for _, sid := range r.Subkeys(keyOffice) {
		for _, id := range r.Subkeys(keyOffice + `\` + sid) {
			scope, owner := scopeOf(sid)
			if j := officeJob(w, owner, csp.Office{Scope: scope, ID: id}); r.HasValue(j.key, jobDocument) {
				j.resume(installOffice)
			}
		}
	}
}

// installOffice is the job: each product that is added, then Teams.
func installOffice(j job) {
	const op = "install Microsoft 365 Apps"
	r := j.w.Registry()
	c, err := csp.ParseOfficeConfiguration(r.String(j.key, jobDocument))
	if err == nil && c.Add == nil {
		r.DeleteTree(device.KeyUninstall + `\` + r.String(j.key, jobProduct)) // all of it goes
	}
	if err == nil && c.Add != nil {
		j.state(csp.OfficeUnderWay, hresult.OK)
		channel := c.Add.Channel
		if channel == "" {
			channel = "Current"
		}
		for _, product := range c.Add.Products {
			if err = j.clickToRun(op, channel, product.ID); err != nil {
				break
			}
		}
	}
	if err == nil && c.Teams() {
		err = j.teams(op)
	}
	if j.gone() {
		return
	}
	code := hresult.OK
	if err != nil {
		code = codeOf(err)
	}
	j.state(uint32(code), code)
	j.over(code)
}

// clickToRun installs one product, unless it is there: who asks for the same
// again, as a server does after Reseal, gets no second download. What a product
// registers is written down before it is installed, as for every job.
//
// An installation that begins while Windows Installer works for a Win32 app that
// the status page waits for never ends, and holds the page up until its time is
// over (learn.microsoft.com, "Set up the Enrollment Status Page", Microsoft 365
// Apps). That it is that moment and that installer is our model.
func (j job) clickToRun(op, channel, id string) error {
	r, note := j.w.Registry(), j.key+`\Products\`+id
	if j.have(r.String(note, jobProduct), r.String(note, jobVersion)) {
		return nil
	}
	m, size, err := j.fetch(op, hosts.OfficePackage(channel, id))
	if err != nil {
		return err
	}
	r.SetString(note, jobVersion, m.Version)
	r.SetString(note, jobProduct, m.Product)
	if app := j.w.TrackedInstaller(); app != "" {
		j.w.Event("office.hangs", journal.F("product", id), journal.F("app", app))
		return j.w.Clock.NewCond("Click-to-Run on " + j.w.Name + ", behind " + app).Wait(j.w.Ctx)
	}
	return j.install(op, device.Setup{Manifest: m, Size: size})
}

// teamsProduct is what the machine-wide installer registers.
const teamsProduct = "Teams Machine-Wide Installer"

// teams runs the MSI that comes with the suite. While another MSI runs it is
// turned away, and with it the whole installation fails (learn.microsoft.com,
// "Windows Autopilot troubleshooting FAQ": Teams and a line-of-business app).
func (j job) teams(op string) error {
	m := installer.Manifest{Product: teamsProduct, Version: "1.0", MSI: true, Duration: j.w.Timing.MDM.TeamsInstall}
	if j.have(m.Product, m.Version) {
		return nil
	}
	product, version := j.w.Registry().String(j.key, jobProduct), j.w.Registry().String(j.key, jobVersion)
	err := j.install(op, device.Setup{Manifest: m, Size: int64(j.w.Timing.MDM.TeamsSize)})
	j.w.Registry().SetString(j.key, jobVersion, version)
	j.w.Registry().SetString(j.key, jobProduct, product)
	return err
}
