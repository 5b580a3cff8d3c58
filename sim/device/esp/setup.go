package esp

import (
	"context"
	"errors"
	"time"

	"windtunnel.test/sim/device"
	"windtunnel.test/sim/device/join"
	"windtunnel.test/sim/device/mdm"
	"windtunnel.test/sim/hresult"
	"windtunnel.test/sim/vclock"
)

// DeviceSetup holds the PC until what is targeted at the device is on it. It
// runs in the technician flow, and again in the user flow, so that what was
// assigned in between arrives too.
func DeviceSetup(w *device.Windows, plan Plan) error {
	session := func() (mdm.Session, error) { return deviceSession(), nil }
	if err := firstSession(w, "", session); err != nil {
		return err
	}
	if err := hold(w, "DeviceSetup", "", session); err != nil || !plan.Technician {
		return err
	}
	return leaveToken(w)
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

// AccountSetup does the same for what is targeted at the user who signed in.
func AccountSetup(w *device.Windows, plan Plan) error {
	session := func() (mdm.Session, error) {
		token, err := join.TokenFor(w, Resource)
		if err != nil {
			return mdm.Session{}, err
		}
		s := mdm.Session{Origin: mdm.OriginLogin, UserSID: plan.UserSID, Token: token.Raw, Login: "user"}
		if token.Kind != "user" {
			// The broker still had the device's own token: the session is the
			// device's, whoever sits in front of it.
			s = mdm.Session{Origin: mdm.OriginLogin, Token: token.Raw, Login: "others"}
		}
		return s, nil
	}
	if err := firstSession(w, plan.UserSID, session); err != nil {
		return err
	}
	return hold(w, "AccountSetup", plan.UserSID, session)
}

// firstSession asks the server what there is, before the page says whether it
// is shown at all. A failed session is not the end: the page goes on trying.
func firstSession(w *device.Windows, sid string, session func() (mdm.Session, error)) error {
	if readSettings(w, sid).sent {
		return nil
	}
	return gone(w, sync(w, session))
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

var errPageTimeout = errors.New("installing took longer than the enrollment status page allows")

// hold shows one category and tracks it to its end.
func hold(w *device.Windows, category, sid string, session func() (mdm.Session, error)) error {
	set := readSettings(w, sid)
	if set.skip {
		leave(w)
		return nil // nothing holds the PC; what is pending goes on behind it
	}
	again(w, sid)
	p := open(w, category, RowPolicies, RowCertificates, RowConnections, RowApps)
	ctx, cancel := w.Clock.WithTimeout(w.Ctx, set.timeout, errPageTimeout)
	defer cancel()
	err := p.track(w.Under(ctx), sid, session)
	switch {
	case context.Cause(w.Ctx) != nil:
		return context.Cause(w.Ctx)
	case err == nil:
		return p.finish(sid, session)
	case errors.Is(context.Cause(ctx), errPageTimeout):
		err = p.timedOut(errPageTimeout)
	}
	p.close(failed)
	if readSettings(w, sid).block == 0 {
		leave(w) // "block device use until all is installed" is off: the failure holds nobody
		return nil
	}
	return err
}

// leave tells the management extension that the page holds nobody any more.
func leave(w *device.Windows) {
	w.Registry().SetString(device.KeyTracking, "Phase", "NotInEsp")
	w.Signal(SignalPhase).Broadcast()
}

// again makes the tracked apps that had failed count as not installed: a page
// that comes up anew, after Retry or a restart, gives them another chance.
func again(w *device.Windows, sid string) {
	r, key := w.Registry(), trackingKey(sid)+`\Apps\Tracking\Sidecar`
	for _, app := range r.Subkeys(key) {
		if state, _ := r.DWORD(key+`\`+app, "InstallationState"); state == appError {
			r.SetDWORD(key+`\`+app, "InstallationState", appNotInstalled)
			r.SetDWORD(key+`\`+app, "LastError", 0)
		}
	}
}

// track watches the four trackers until all are through or one has failed,
// and keeps management sessions going meanwhile.
func (p *page) track(w *device.Windows, sid string, session func() (mdm.Session, error)) error {
	next := w.Clock.Now()
	for {
		seen := w.Signal(SignalProgress).Count()
		set := readSettings(w, sid)
		done := true
		for _, t := range []struct {
			row, verb string
			progress
		}{
			{RowPolicies, "applied", policies(w, sid, set)},
			{RowCertificates, "applied", certificates(w, sid, set)},
			{RowConnections, "added", listed(w, sid, "ExpectedNetworkProfiles")},
			{RowApps, "installed", apps(w, sid, set)},
		} {
			state, text := t.status(t.verb)
			p.set(t.row, state, text)
			if t.failure != 0 {
				return &hresult.Error{Op: t.row + ": " + t.item, Phase: p.category + "." + subcategories[t.row], Code: t.failure}
			}
			done = done && t.finished()
		}
		if done {
			return nil
		}
		if !w.Clock.Now().Before(next) {
			next = w.Clock.Now().Add(w.Timing.ESP.SessionInterval)
			if err := sync(w, session); gone(w, err) != nil {
				return gone(w, err)
			}
			continue
		}
		if err := pause(w, next.Sub(w.Clock.Now()), seen); err != nil {
			return err
		}
	}
}

func sync(w *device.Windows, session func() (mdm.Session, error)) error {
	s, err := session()
	if err != nil {
		return err
	}
	return mdm.Sync(w, s)
}

// certificates counts SCEP and PFX profiles.
func certificates(w *device.Windows, sid string, set settings) progress {
	p := listed(w, sid, "ExpectedSCEPCerts", "ExpectedPFXCerts")
	p.identifying = !set.sent
	return p
}

// timedOut words the failure of the rows that were not through in time.
func (p *page) timedOut(cause error) error {
	for i := len(p.rows) - 1; i >= 0; i-- {
		if r := p.rows[i]; r.state == inProgress {
			p.set(r.name, failed, "Error ("+hresult.WaitTimeout.Hex()+")")
			return &hresult.Error{Op: r.name, Phase: p.category + "." + subcategories[r.name], Code: hresult.WaitTimeout, Err: cause}
		}
	}
	return &hresult.Error{Op: p.category, Phase: p.category, Code: hresult.WaitTimeout, Err: cause}
}

// finish does the silent end of a category: results go to the server, and the
// first sync is marked as done, once and for good.
func (p *page) finish(sid string, session func() (mdm.Session, error)) error {
	p.w.Registry().SetDWORD(firstSync(p.w, sid), "IsSyncDone", 1)
	p.w.Registry().SetDWORD(trackingKey(sid), "HasProvisioningCompleted", 1)
	p.close(succeeded)
	if err := gone(p.w, sync(p.w, session)); err != nil {
		return err
	}
	leave(p.w)
	return nil
}

// Elapsed words a duration as the result pages do: hours and minutes.
func Elapsed(d time.Duration) string {
	return d.Round(time.Second).String()
}
