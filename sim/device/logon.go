package device

import "time"

// Registry keys of signing in, and of what is to be done at the next start.
const (
	// KeyWinlogon: AutoAdminLogon "0" keeps Windows from signing anybody in by
	// itself (learn.microsoft.com, "Configure Windows to automate logon").
	KeyWinlogon = `HKLM\SOFTWARE\Microsoft\Windows NT\CurrentVersion\Winlogon`
	// KeyPoliciesSystem: legalnoticecaption, legalnoticetext, scforceoption and
	// the settings of User Account Control.
	KeyPoliciesSystem = `HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\Policies\System`
	// KeyEAS has the rules about passwords that are in force.
	KeyEAS = `HKLM\SYSTEM\CurrentControlSet\Control\EAS`
	// KeyReset: Pending says how Windows is to be reset at its next start (our
	// model): wipe, wipeKeepUserData, autopilotReset, clean or retire.
	KeyReset = `HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\OOBE\Reset`
)

// Account is who signs in.
type Account struct {
	SID, Name, UPN string
	Default        bool // defaultuser0, the account that setup runs under
}

type logonKey struct{}

// LoggedOn is who has signed in in this boot, false where nobody has.
func (w *Windows) LoggedOn() (Account, bool) {
	w.session.mu.Lock()
	defer w.session.mu.Unlock()
	a, on := w.local[logonKey{}].(Account)
	return a, on
}

// LogOn signs somebody in, in the place of whoever was. Signal "logon" tells.
func (w *Windows) LogOn(a Account) {
	w.session.mu.Lock()
	before, on := w.local[logonKey{}].(Account)
	w.local[logonKey{}] = a
	w.session.mu.Unlock()
	if on && before == a {
		return
	}
	w.Event("logon", field("name", a.Name), field("sid", a.SID))
	w.Signal("logon").Broadcast()
}

type loadingKey struct{}

// LoadingProfile says that Windows is still making the profile of who has signed
// in, or that it is through with it.
func (w *Windows) LoadingProfile(yes bool) {
	w.session.mu.Lock()
	defer w.session.mu.Unlock()
	w.local[loadingKey{}] = yes
}

// ProfileLoading tells whether who has signed in has no profile yet: nothing can
// be set for that user.
func (w *Windows) ProfileLoading() bool {
	w.session.mu.Lock()
	defer w.session.mu.Unlock()
	yes, _ := w.local[loadingKey{}].(bool)
	return yes
}

// LogOff signs whoever is there out.
func (w *Windows) LogOff() {
	w.session.mu.Lock()
	a, on := w.local[logonKey{}].(Account)
	delete(w.local, logonKey{})
	w.session.mu.Unlock()
	if on {
		w.Event("logoff", field("name", a.Name))
		w.Signal("logon").Broadcast()
	}
}

// Idle is for how long nobody has pressed anything.
func (pc *PC) Idle() time.Duration {
	pc.mu.Lock()
	defer pc.mu.Unlock()
	return pc.Clock.Now().Sub(pc.touched)
}
