package invariant

import (
	"encoding/base64"
	"fmt"
	"time"

	"windtunnel.test/sim"
	"windtunnel.test/sim/device"
	"windtunnel.test/sim/device/oobe"
)

// forgery is a lie about a world.
type forgery struct {
	name, how string
	before    func(*forge) // what is true
	forge     func(*forge) // what cannot be
}

var forged = []forgery{
	{"time-goes-on", "time", nil, func(f *forge) { f.now = f.now.Add(-time.Hour); f.on("esp.note") }},
	{"time-goes-on", "number", nil, func(f *forge) { f.seq++; f.on("esp.note") }},
	{"off-is-off", "request", nil, func(f *forge) { f.event("PC-0002", "http.request", "n", 1) }},
	{"off-is-off", "TPM", nil, func(f *forge) { f.event("PC-0002", "tpm.command", "operation", "TPM2_Startup") }},
	{"off-is-off", "after power-off", nil, func(f *forge) { f.on("device.power.off"); f.on("http.request", "n", 2) }},
	{"off-is-dark", "screen", nil, func(f *forge) { f.light() }},
	{"starts-are-counted", "twice on", nil, func(f *forge) { f.on("device.power.on", "boot", 2) }},
	{"starts-are-counted", "left out", func(f *forge) { f.on("device.reboot") }, func(f *forge) { f.on("device.power.on", "boot", 3) }},
	{"tpm-starts-first", "quote", nil, func(f *forge) { f.on("tpm.command", "operation", "TPM2_Quote") }},
	{"requests-are-counted", "same", func(f *forge) { f.on("http.request", "n", 7) }, func(f *forge) { f.on("http.request", "n", 7) }},
	{"disk-has-an-end", "full", nil, func(f *forge) { f.eyes.room = func(*device.PC) int64 { return -1 }; f.on("esp.note") }},

	{"firmware-first", "language", func(f *forge) { f.on("device.reboot"); f.on("device.power.on", "boot", 2) }, func(f *forge) { f.shown("oobe.language") }},
	{"pages-in-order", "success", nil, func(f *forge) { f.shown(oobe.ScreenSuccess) }},
	{"pages-in-order", "desktop", func(f *forge) { f.shown(oobe.ScreenDesktop) }, func(f *forge) { f.shown(oobe.ScreenEULA) }},
	{"pages-in-order", "stopped", func(f *forge) { f.shown(stop) }, func(f *forge) { f.shown(oobe.ScreenESP) }},
	{"buttons-are-there", "button", func(f *forge) { f.on("person.pressed", "screen", "oobe.language", "button", button) }, func(f *forge) {
		f.on("person.pressed", "screen", "oobe.language", "button", "Reseal")
	}},
	{"reseal-after-success", "no page", nil, func(f *forge) { f.on("device.resealed") }},
	{"reseal-after-success", "not pressed", func(f *forge) { f.shown(oobe.ScreenESP); f.shown(oobe.ScreenSuccess) }, func(f *forge) { f.on("device.resealed") }},

	{"categories-in-order", "two", func(f *forge) { f.category("DevicePreparation", inProgress) }, func(f *forge) { f.category("DeviceSetup", inProgress) }},
	{"categories-in-order", "back", func(f *forge) { f.category("DeviceSetup", inProgress) }, func(f *forge) { f.category("DevicePreparation", inProgress) }},
	{"categories-in-order", "unknown", nil, func(f *forge) { f.category("Setup", inProgress) }},
	{"categories-in-order", "not begun", nil, func(f *forge) { f.category("DeviceSetup", succeeded) }},
	{"rows-stay-done", "again", func(f *forge) { f.category("DeviceSetup", inProgress); f.row(inProgress); f.row(succeeded) }, func(f *forge) { f.row(inProgress) }},
	{"rows-of-their-category", "closed", func(f *forge) { f.category("DeviceSetup", inProgress); f.category("DeviceSetup", failed) }, func(f *forge) { f.row(inProgress) }},

	{"one-installer", "two", nil, func(f *forge) { f.installs("A", "B"); f.on("esp.note") }},
	{"installer-needs-power", "restart", func(f *forge) { f.installs("A"); f.on("device.reboot") }, func(f *forge) { f.start(2) }},
	{"apps-step-by-step", "state", func(f *forge) { f.enrolled(); f.app("InProgress") }, func(f *forge) { f.app("InProgress") }},
	{"apps-in-their-phase", "not enrolled", nil, func(f *forge) { f.app("InProgress") }},
	{"apps-in-their-phase", "no agent", func(f *forge) {
		f.enrolled()
		f.pc.Disk.Registry.DeleteTree(device.KeyServices + `\` + device.ServiceIME)
	}, func(f *forge) { f.app("InProgress") }},
	{"apps-in-their-phase", "preparation", func(f *forge) { f.enrolled(); f.category("DevicePreparation", inProgress) }, func(f *forge) { f.app("InProgress") }},
	{"apps-in-their-phase", "no user", func(f *forge) { f.enrolled(); f.x.worlds[f.w].apps["App"] = true }, func(f *forge) { f.app("InProgress") }},

	{"enrolment-needs-a-token", "none", nil, func(f *forge) { f.on("mdm.enrolled.server") }},
	{"enrolment-needs-a-token", "another user", func(f *forge) { f.on("user.signedIn", "user", "a"); f.on("mdm.enrolled.server", "upn", "a") }, func(f *forge) {
		f.on("mdm.enrolled.server", "upn", "b")
	}},
	{"enrolment-needs-a-token", "expired", func(f *forge) { f.token(time.Minute); f.on("mdm.enrolled.server") }, func(f *forge) {
		f.now = f.now.Add(time.Hour)
		f.on("mdm.enrolled.server")
	}},
	{"ticket-in-its-life", "none", nil, func(f *forge) { f.on("ztd.profile") }},
	{"ticket-in-its-life", "expired", func(f *forge) { f.ticket(time.Minute); f.on("ztd.profile") }, func(f *forge) {
		f.now = f.now.Add(time.Hour)
		f.on("ztd.profile")
	}},
	{"tokens-have-a-life", "expired", func(f *forge) { f.on("token.acquired", "kind", "device", "expires", f.now.Add(time.Hour)) }, func(f *forge) {
		f.on("token.acquired", "kind", "device", "expires", f.pc.FirmwareTime())
	}},
	{"tokens-have-a-life", "ticket", func(f *forge) { f.on("msa.ticket", "expires", f.now.Add(time.Hour)) }, func(f *forge) { f.on("msa.ticket", "expires", f.now) }},
	{"user-tokens-have-a-user", "no PRT", nil, func(f *forge) { f.on("token.acquired", "kind", "user") }},
	{"user-tokens-have-a-user", "nobody", func(f *forge) { f.set(prt, "Token", "0.A-token") }, func(f *forge) { f.on("token.acquired", "kind", "user") }},
	{"one-prt-a-session", "two", func(f *forge) {
		f.certificate("entra-device", f.now)
		for range 2 { // the second after "Try again", with the password
			f.on("user.signedIn", "user", "a")
			f.on("prt.acquired", "user", "a")
		}
	}, func(f *forge) { f.on("prt.acquired", "user", "a") }},
	{"one-prt-a-session", "not joined", nil, func(f *forge) { f.on("prt.acquired", "user", "a") }},
	{"one-enrolment", "two", func(f *forge) { f.enrolled(); f.on("esp.note") }, func(f *forge) {
		f.set(device.KeyEnrollments+`\{2}`, "ProviderID", "MS DM Server")
		f.on("esp.note")
	}},
	{"one-join", "two", func(f *forge) { f.set(device.KeyJoinInfo+`\1`, "DeviceId", "1"); f.on("esp.note") }, func(f *forge) {
		f.set(device.KeyJoinInfo+`\2`, "DeviceId", "2")
		f.on("esp.note")
	}},
	{"one-record", "two", func(f *forge) { f.records(1, 1); f.on("esp.note") }, func(f *forge) { f.records(2, 1); f.on("esp.note") }},
	{"desktop-is-somebodys", "nobody", nil, func(f *forge) { f.on("desktop.reached") }},
	{"desktop-is-somebodys", "not joined", func(f *forge) { f.set(device.KeyOOBE, "UserSID", "S-1") }, func(f *forge) { f.on("desktop.reached") }},

	{"aik-of-its-tpm", "no TPM", nil, func(f *forge) { f.on("aik.certificate.issued", "serial", "1", "ek", "00") }},
	{"aik-of-its-own", "another's", nil, func(f *forge) { f.on("aik.certificate", "serial", "1") }},
	{"certificates-in-their-life", "none", nil, func(f *forge) { f.on("mdm.session.ended") }},
	{"certificates-in-their-life", "after", func(f *forge) { f.certificate("mdm", f.now); f.on("mdm.session.ended") }, func(f *forge) {
		f.now = f.now.Add(25 * time.Hour)
		f.on("mdm.session.ended")
	}},
	{"certificates-in-their-life", "before", func(f *forge) { f.certificate("ime", f.now.Add(time.Hour)) }, func(f *forge) { f.on("ime.apps.selected") }},
	{"no-secrets", "password", nil, func(f *forge) { f.on("esp.note", "text", "with "+f.w.Tenant.AllUsers()[0].Password) }},
	{"no-secrets", "token", nil, func(f *forge) { f.on("esp.note", "text", "eyJhbGciOiJSUzI1NiJ9.e30.AA") }},
	{"no-secrets", "machine's password", func(f *forge) { f.set(device.KeyLSASecrets, "CurrVal", "3f86a1b29c") }, func(f *forge) { f.on("esp.note", "list", []string{"3f86a1b29c"}) }},

	{"blob-once", "again", func(f *forge) { f.on("odj.ended", "request", "1", "state", "ready") }, func(f *forge) { f.on("odj.ended", "request", "1", "state", "ready") }},
	{"one-blob", "not asked for", nil, func(f *forge) { f.on("device.domain.staged", "computer", "A") }},
	{"one-blob", "another", func(f *forge) {
		f.on("odj.ended", "request", "1", "state", "ready")
		f.on("device.domain.staged", "computer", "A")
	}, func(f *forge) { f.on("device.domain.staged", "computer", "B") }},
	{"one-computer-each", "same", func(f *forge) { f.event("PC-0002", "device.domain.joined", "computer", "A") }, func(f *forge) { f.on("device.domain.joined", "computer", "A") }},
	{"members-have-a-password", "none", nil, func(f *forge) { f.pc.Disk.Registry.SetDWORD(device.KeyDomain, "Joined", 1); f.on("esp.note") }},

	{"outcomes-are-the-fleet", "one more", nil, func(f *forge) { f.event("PC-0003", "device.made"); f.on("phase.end", "phase", "registered") }},
	{"outcomes-are-the-fleet", "unknown", nil, func(f *forge) { f.outcome("lost"); f.on("phase.end", "phase", "registered") }},
	{"ends-are-final", "twice", func(f *forge) { f.on("story.ended", "outcome", sim.Resealed) }, func(f *forge) { f.on("story.ended", "outcome", sim.Resealed) }},
	{"ends-are-final", "after the desktop", func(f *forge) { f.on("phase.end", "phase", "user") }, func(f *forge) { f.on("story.ended", "outcome", sim.FailedEnd, "phase", "x") }},
	{"phases-in-order", "without", nil, func(f *forge) { f.on("phase.end", "phase", "shelf") }},
	{"phases-in-order", "twice", func(f *forge) { f.on("phase.end", "phase", "queue") }, func(f *forge) { f.on("phase.end", "phase", "queue") }},
	{"failures-have-a-reason", "none", nil, func(f *forge) { f.on("story.ended", "outcome", sim.FailedEnd) }},
}

func (f *forge) category(name, state string) { f.on("esp.category", "category", name, "state", state) }

func (f *forge) row(state string) {
	f.on("esp.row", "category", "DeviceSetup", "row", "Apps", "state", state)
}

func (f *forge) app(state string) { f.on("app.install", "app", "App", "state", state) }

func (f *forge) installs(products ...string) {
	f.eyes.installing = func(pc *device.PC) []string {
		if pc == f.pc {
			return products
		}
		return nil
	}
}

func (f *forge) records(managed, registered int) {
	f.eyes.records = func(*sim.World, *device.PC) (int, int) { return managed, registered }
}

func (f *forge) outcome(o string) {
	f.eyes.ends = func(*sim.World) []sim.End {
		return []sim.End{{Device: "PC-0001", Outcome: o}, {Device: "PC-0002", Outcome: o}}
	}
}

func (f *forge) token(life time.Duration) {
	claims := base64.RawURLEncoding.EncodeToString(fmt.Appendf(nil, `{"exp": %d}`, f.now.Add(life).Unix()))
	f.set(tokens+`\https://enrollment.manage.microsoft.com/`, "Token", "e30."+claims+".AA")
}

func (f *forge) ticket(life time.Duration) {
	f.pc.Disk.Files.Write(device.FileTicket, fmt.Appendf(nil, `{"Expires": %q}`, f.now.Add(life).Format(time.RFC3339)))
}

// light is a PC that shows something and has no power.
func (f *forge) light() {
	f.eyes.dark = func(*device.PC) bool { return true }
	f.on("esp.note")
}
