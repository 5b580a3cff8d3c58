package esp

import (
	"context"
	"errors"
	"fmt"
	"time"

	"windtunnel.test/sim/device"
	"windtunnel.test/sim/device/defects"
	"windtunnel.test/sim/device/join"
	"windtunnel.test/sim/device/mdm"
	"windtunnel.test/sim/hresult"
	"windtunnel.test/sim/vclock"
)

// DeviceSetup holds the PC until what is targeted at the device is on it. It
// runs in the technician flow, and again in the user flow, so that what was
// assigned in between arrives too. device.ErrReboot says that the page restarts
// Windows; the next start comes back to here, and the page goes on.
func DeviceSetup(w *device.Windows, plan Plan) error {
	if through(w, "DeviceSetup", "") {
		return nil
	}
	c := category{name: "DeviceSetup", rows: deviceRows, session: func() (mdm.Session, error) { return deviceSession(), nil }}
	if err := c.firstSession(w); err != nil {
		return err
	}
	if plan.Technician && readSettings(w, "").skip && w.Has(defects.FailsUnseen) {
		return c.failUnseen(w)
	}
	if err := c.hold(w); err != nil || !plan.Technician {
		return err
	}
	return leaveToken(w)
}

var errUnseen = errors.New("device setup cannot be tracked where its page is not shown")

// failUnseen is the end of a category that some builds give it where the page is
// switched off.
func (c category) failUnseen(w *device.Windows) error {
	p := &page{w: w, category: c.name}
	for _, name := range c.rows {
		p.rows = append(p.rows, row{name: name, state: notStarted})
	}
	p.close(failed, "Failed ("+hresult.Fail.Hex()+")")
	return &hresult.Error{Op: c.name, Phase: c.name, Code: hresult.Fail, Err: errUnseen}
}

// AccountSetup does the same for what is targeted at the user who signed in.
func AccountSetup(w *device.Windows, plan Plan) error {
	if through(w, "AccountSetup", plan.UserSID) {
		return nil
	}
	c := category{name: "AccountSetup", sid: plan.UserSID, rows: accountRows, workAccount: plan.WorkAccount, session: func() (mdm.Session, error) {
		token, err := join.TokenFor(w, Resource)
		if err != nil {
			return mdm.Session{}, err
		}
		if token.Kind != "user" {
			// The broker still had the device's own token: the session is the
			// device's, whoever sits in front of it.
			return mdm.Session{Origin: mdm.OriginLogin, Token: token.Raw, Login: mdm.LoginOthers}, nil
		}
		return mdm.Session{Origin: mdm.OriginLogin, UserSID: plan.UserSID, Token: token.Raw, Login: mdm.LoginUser}, nil
	}}
	if _, member := w.Domain(); !member || skipsUser(w) { // who is there is asked for first, where it is a domain's account
		if err := c.firstSession(w); err != nil {
			return err
		}
	}
	return c.hold(w)
}

// category is one of the two that track: whose, and how it talks to the server.
type category struct {
	name    string
	sid     string // "" for the device
	rows    []string
	session func() (mdm.Session, error)

	workAccount func(sid string) error
}

// through tells whether a category was through before Windows started, or
// somebody had gone past it.
func through(w *device.Windows, category, sid string) bool {
	state, _ := stored(w, category)
	done, _ := w.Registry().DWORD(setupKey(sid), "HasProvisioningCompleted")
	if state != succeeded && state != failed || done == 0 {
		return false
	}
	leave(w)
	return true
}

// leaveToken is what the last sync of the technician flow leaves behind: a
// device token whose life begins now. It is our model of what Microsoft's 90
// minutes before the user flow are counted from; see join.TokenFor. Without it
// the user flow only has to get its own.
func leaveToken(w *device.Windows) error {
	if _, err := join.RenewToken(w, Resource); err != nil {
		return context.Cause(w.Ctx)
	}
	return nil
}

// firstSession asks the server what there is, before the page says whether it
// is shown at all. A failed session is not the end: the page goes on trying.
func (c category) firstSession(w *device.Windows) error {
	if readSettings(w, c.sid).sent {
		return nil
	}
	return gone(w, c.sync(w))
}

func (c category) sync(w *device.Windows) error {
	s, err := c.session()
	if err != nil {
		return err
	}
	return mdm.Sync(w, s)
}

// gone tells the end of the boot or of the whole clock from an error that
// another session may mend.
func gone(w *device.Windows, err error) error {
	if cause := context.Cause(w.Ctx); cause != nil {
		return cause
	}
	if errors.Is(err, vclock.ErrStopped) {
		return err
	}
	return nil
}

// hold shows one category and tracks it to its end.
func (c category) hold(w *device.Windows) error {
	set := readSettings(w, c.sid)
	if set.skip {
		leave(w)
		return nil // nothing holds the PC; what is pending goes on behind it
	}
	p := open(w, c.name, c.rows...)
	if !p.resumed {
		again(w, c.sid)
	}
	t := startWatch(w, c.name, !p.resumed)
	lock(w, c.sid, set.block != 0)
	c.provisioned(w, provisioningInProgress)
	err := p.identifySlowly()
	if err == nil && c.name == "AccountSetup" {
		if err = c.awaitRegistration(p); err == nil {
			t.rest()
			if err := c.identify(p); err != nil {
				return err
			}
		}
	}
	if err == nil {
		err = c.track(p, t)
	}
	if cause := context.Cause(w.Ctx); cause != nil {
		return cause
	}
	switch {
	case err == nil:
		err = c.finish(p)
		if err == nil {
			t.stop()
		}
		return err
	case errors.Is(err, device.ErrReboot) || errors.Is(err, vclock.ErrStopped):
		return err
	}
	t.stop()
	c.provisioned(w, provisioningFailed)
	code, _ := hresult.CodeOf(err)
	p.close(failed, "Failed ("+code.Hex()+")")
	if readSettings(w, c.sid).block == 0 {
		leave(w) // "block device use until all is installed" is off: the failure holds nobody
		return nil
	}
	return err
}

// identifySlowly is the time that some builds need before a category knows what
// it has to wait for.
func (p *page) identifySlowly() error {
	if p.resumed || !p.w.Has(defects.IdentifiesSlowly) {
		return nil
	}
	for _, r := range []string{RowPolicies, RowCertificates, RowConnections, RowApps} {
		p.set(r, inProgress, "Identifying")
	}
	return p.w.Sleep(p.w.Timing.ESP.SlowIdentifying, "identifying")
}

// identify is what account setup does before it tracks: the user's token is
// asked for. A broker that has none gets asked again by every session; a user of
// a domain whose logon brought none is asked for Entra credentials.
func (c category) identify(p *page) error {
	if p.state(StepToken) == succeeded {
		return nil
	}
	p.set(StepToken, inProgress, "Working on it...")
	if err := c.askForAccount(p); err != nil {
		return err
	}
	s, err := c.session()
	if over := gone(p.w, err); over != nil {
		return over
	}
	if err != nil || s.UserSID == "" {
		code, ok := hresult.CodeOf(err)
		if !ok {
			code = hresult.Fail
		}
		p.set(StepToken, failed, "Failed ("+code.Hex()+")")
		return nil
	}
	p.set(StepToken, succeeded, "Complete")
	if c.workAccount != nil {
		p.w.Signal(SignalPhase).Broadcast() // the management extension can speak for the user now
	}
	return nil
}

// askForAccount asks a user whose session has no primary refresh token for the
// credentials that bring one.
func (c category) askForAccount(p *page) error {
	if c.workAccount == nil || join.Status(p.w).UserSID == c.sid && join.Unlocked(p.w) {
		return nil
	}
	defer p.draw()
	return c.workAccount(c.sid)
}

// provisioned is the client's own word on how the first sync went.
func (c category) provisioned(w *device.Windows, outcome uint32) {
	w.Registry().SetDWORD(firstSync(w, c.sid), "WasDeviceSuccessfullyProvisioned", outcome)
}

// leave tells the management extension that the page holds nobody any more; a
// start of Windows does not bring it back.
func leave(w *device.Windows) {
	r := w.Registry()
	for _, scope := range r.Subkeys(device.KeyTracking) {
		if key := device.KeyTracking + `\` + scope + `\Setup\Apps`; r.HasValue(key, "Locked") {
			r.SetDWORD(key, "Locked", 0)
			r.SetDWORD(device.KeyTracking+`\`+scope+`\Setup`, "HasProvisioningCompleted", 1)
		}
	}
	if r.String(device.KeyTracking, "Phase") == notInESP {
		return
	}
	r.SetString(device.KeyTracking, "Phase", notInESP)
	w.Signal(SignalPhase).Broadcast()
}

const notInESP = "NotInEsp"

// lock says whether the page keeps people from the PC until it is through.
func lock(w *device.Windows, sid string, on bool) {
	v := uint32(0)
	if on {
		v = 1
	}
	w.Registry().SetDWORD(setupKey(sid)+`\Apps`, "Locked", v)
}

// Elapsed words a duration as the result pages do, in whole hours and minutes:
// "1 hours 5 minutes".
func Elapsed(d time.Duration) string {
	minutes := int(d / time.Minute)
	return fmt.Sprintf("%d hours %d minutes", minutes/60, minutes%60)
}
