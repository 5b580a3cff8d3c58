package invariant

import (
	"time"

	"windtunnel.test/sim"
	"windtunnel.test/sim/device/oobe"
)

// past is what was seen of a world.
type past struct {
	pcs     map[string]*memory
	seq     uint64
	last    time.Time
	made    int
	good    map[string]bool   // PCs that got where they were to go
	secrets []string          // passwords of the tenant's accounts
	serials map[string]string // AIK certificates: PC by serial number
	names   map[string]string // members of the domain: PC by computer
	blobs   map[string]bool   // requests for a domain join that were answered
	apps    map[string]bool   // names of the tenant's apps: whether they are the users'
}

func newPast(w *sim.World) *past {
	p := &past{
		pcs: map[string]*memory{}, good: map[string]bool{}, serials: map[string]string{}, names: map[string]string{}, blobs: map[string]bool{}, apps: map[string]bool{},
	}
	known := map[string]bool{}
	for _, u := range w.Tenant.AllUsers() {
		if len(u.Password) >= 8 && !known[u.Password] {
			known[u.Password] = true
			p.secrets = append(p.secrets, u.Password)
		}
	}
	for _, a := range w.Tenant.Apps {
		p.apps[a.DisplayName] = !a.DeviceContext()
	}
	return p
}

func (p *past) of(name string) *memory {
	if p.pcs[name] == nil {
		p.pcs[name] = &memory{}
		p.pcs[name].forget()
		p.pcs[name].lives()
	}
	return p.pcs[name]
}

// memory is what was seen of a PC.
type memory struct {
	on      bool
	boots   int
	begun   bool // its firmware has shown itself in this boot
	started bool // its TPM was started in this boot
	screen  string
	n       map[string]bool // its HTTP requests

	success  bool // it has shown the page of success
	reseal   bool // Reseal was pressed there
	resealed bool
	users    map[string]bool
	prts     map[string]int // by user, since Windows started or the user gave the password
	account  string         // signed in to Windows, in this boot
	ended    bool
	phases   map[string]bool
	category map[string]string // of the status page, since Windows was set up
	rows     map[string]string
	apps     map[string]string
	staged   string // the computer that it was given a domain join as
}

// forget is what a reset leaves.
func (m *memory) forget() {
	m.category, m.rows, m.apps = map[string]string{}, map[string]string{}, map[string]string{}
	m.success, m.reseal = false, false
	if m.n == nil {
		m.n = map[string]bool{}
	}
}

// lives is the beginning of a story.
func (m *memory) lives() { m.ended, m.phases = false, map[string]bool{} }

// start is a start of Windows.
func (m *memory) start(boots int) {
	m.on, m.boots, m.begun, m.started = true, boots, false, false
	m.users, m.prts, m.account = map[string]bool{}, map[string]int{}, ""
}

// remember takes an event in.
func (p *past) remember(l *look) {
	p.seq, p.last = l.Seq, l.Time
	switch l.Kind {
	case "device.made":
		p.made++
	case "aik.certificate.issued":
		p.serials[l.Text("serial")] = l.Device
	case "device.domain.joined":
		p.names[l.Text("computer")] = l.Device
	case "odj.ended":
		p.blobs[l.Text("request")] = true
	}
	if l.m == nil {
		return
	}
	if l.Kind == "phase.end" && l.Text("phase") == "user" {
		p.good[l.Device] = true
	}
	l.m.remember(l)
}

func (m *memory) remember(l *look) {
	switch l.Kind {
	case "device.power.on":
		boot, _ := l.Get("boot")
		n, _ := boot.(int)
		m.start(n)
	case "device.power.off", "device.reboot":
		m.on = false
	case "screen.shown":
		m.begun = true
		m.screen = l.Text("screen")
		m.success = m.success || m.screen == oobe.ScreenSuccess
	case "person.pressed":
		m.reseal = m.reseal || l.Text("screen") == oobe.ScreenSuccess && l.Text("button") == oobe.ButtonReseal
	case "tpm.command":
		m.started = true
	case "http.request":
		m.n[l.Text("n")] = true
	case "user.signedIn":
		m.users[l.Text("user")] = true
		delete(m.prts, l.Text("user")) // a password, typed again, earns another
	case "prt.acquired":
		m.prts[l.Text("user")]++
	case "logon":
		m.account = l.Text("name")
	case "logoff":
		m.account = ""
	case "esp.category":
		m.category[l.Text("category")] = l.Text("state")
		if l.Text("state") == inProgress {
			clear(m.rows)
		}
	case "esp.row":
		m.rows[l.Text("category")+"/"+l.Text("row")] = l.Text("state")
	case "app.install":
		m.apps[l.Text("app")] = l.Text("state")
	case "device.resealed":
		m.forget()
		m.resealed = true
	case "device.reset", "device.retired":
		m.forget()
		m.staged, m.resealed = "", false
	case "device.domain.staged":
		m.staged = l.Text("computer")
	case "story.ended":
		m.ended = true
	case "phase.end":
		m.phases[l.Text("phase")] = true
	}
}
