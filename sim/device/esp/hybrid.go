package esp

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"windtunnel.test/sim/adclient"
	"windtunnel.test/sim/device"
	"windtunnel.test/sim/device/defects"
	"windtunnel.test/sim/device/join"
	"windtunnel.test/sim/device/mdm"
	"windtunnel.test/sim/hresult"
	"windtunnel.test/sim/journal"
)

// JoinWait is what setup waits for before it goes on as a member of a domain.
type JoinWait struct {
	Controller bool   // a domain controller too, not only the offline domain join
	Phase      string // that a failure names
}

var (
	errNoBlob       = errors.New("the offline domain join did not arrive in time")
	errNoController = errors.New("no domain controller was found in time")
	errDeafToJoin   = errors.New("setup did not hear in time that the domain join was applied")
	errJoinOver     = errors.New("the time for the domain join is over")
	errAssigned     = errors.New("a user is assigned to the device")
)

// AwaitDomainJoin waits for the offline domain join, which a management session
// brings, and, where that is wanted, for a domain controller. Both have one
// budget, which a start of Windows does not set back. Without either in time
// Windows says 0x80070774 (learn.microsoft.com, "Troubleshoot Windows device
// enrollment errors in Intune").
func AwaitDomainJoin(w *device.Windows, j JoinWait) error {
	t := startWatch(w, "DomainJoin", false)
	heard := Joining(w)
	if !heard {
		setJoinState(w, device.ODJWaiting)
		w.Log(device.LogMDM, 111, "Information", "Offline domain join: waiting for the blob")
	}
	w.Event("domain.wait", journal.F("blob", heard), journal.F("controller", j.Controller))
	told := false // that there is no controller
	next := w.Clock.Now()
	for {
		seen := w.Signal(SignalProgress).Count()
		t.look(false)
		left := w.Timing.Hybrid.ConnectivityBudget - t.spent
		if left <= 0 {
			t.stop()
			return joinTimedOut(w, j, heard)
		}
		if !heard {
			heard = Joining(w) && !w.Has(defects.DeafToJoin)
		}
		if heard && (!j.Controller || sees(w, left, &told)) {
			t.stop()
			if mdm.ODJState(w) == device.ODJTimedOut { // which a retry finds to be over
				mdm.SetODJState(w, device.ODJProcessed)
			}
			return context.Cause(w.Ctx)
		}
		if err := context.Cause(w.Ctx); err != nil {
			return err
		}
		if heard {
			if err := w.Sleep(min(w.Timing.Hybrid.ConnectivityRetry, left), "domain controller"); err != nil {
				return err
			}
			continue
		}
		if wait := min(next.Sub(w.Clock.Now()), left); wait > 0 {
			if err := pause(w, wait, seen); err != nil {
				return err
			}
			continue
		}
		if err := joinSession(w, left); err != nil {
			return err
		}
		next = w.Clock.Now().Add(w.Timing.ESP.SessionInterval)
	}
}

// Joining tells whether the offline domain join was applied, be it in force
// already or from the next start on.
func Joining(w *device.Windows) bool {
	_, staged := w.DomainStaged()
	_, member := w.Domain()
	return staged || member
}

// domain is the membership that Windows has or will have.
func domain(w *device.Windows) (device.Membership, bool) {
	if m, staged := w.DomainStaged(); staged {
		return m, true
	}
	return w.Domain()
}

// joinSession asks the server for the blob, no longer than d.
func joinSession(w *device.Windows, d time.Duration) error {
	ctx, cancel := w.Clock.WithTimeout(w.Ctx, d, errJoinOver)
	defer cancel()
	return gone(w, mdm.Sync(w.Under(ctx), deviceSession()))
}

// sees looks for a controller of the domain, over a VPN where one is up to it.
func sees(w *device.Windows, d time.Duration, told *bool) bool {
	m, _ := domain(w)
	w.ConnectVPN()
	ctx, cancel := w.Clock.WithTimeout(w.Ctx, d, errJoinOver)
	defer cancel()
	c, err := adclient.Locate(ctx, w.ADHost(), m.Domain, m.Site)
	if err == nil {
		w.Event("domain.controller", journal.F("domain", m.Domain), journal.F("controller", c.Name), journal.F("site", c.ClientSite))
		return true
	}
	if !*told && context.Cause(w.Ctx) == nil {
		*told = true
		w.Event("domain.noController", journal.F("domain", m.Domain), journal.F("error", err.Error()))
		w.Log(device.LogMDM, 100, "Warning", "Offline domain join: no connectivity to a domain controller of "+m.Domain)
	}
	return false
}

// joinTimedOut words the end of the wait: what did not come has an error of its
// own, anything else that kept setup from going on has none.
func joinTimedOut(w *device.Windows, j JoinWait, heard bool) error {
	setJoinState(w, device.ODJTimedOut)
	code, why := hresult.DomainControllerNone, errNoBlob
	switch {
	case heard:
		why = errNoController
	case Joining(w):
		code, why = hresult.Fail, errDeafToJoin
	}
	w.Event("domain.timeout", journal.F("code", code.Hex()), journal.F("error", why.Error()))
	return &hresult.Error{Op: "domain join", Phase: j.Phase, Code: code, Err: why}
}

// setJoinState writes how far the join is, and logs it as the event whose first
// property is that number (Get-AutopilotDiagnostics reads it).
func setJoinState(w *device.Windows, s device.ODJState) {
	w.Registry().SetDWORD(device.KeyODJ, "State", uint32(s))
	w.Log(device.LogMDM, 109, "Information", "Offline domain join state", fmt.Sprint(uint32(s)))
}

// joinDomain is the row of the network in a technician flow that leads into a
// domain: the packages, then the offline domain join. Neither a controller nor a
// restart belongs to it (learn.microsoft.com, "Windows Autopilot for
// pre-provisioned deployment": the restart is postponed); what others have
// observed are switches.
func (p *page) joinDomain(w *device.Windows, plan Plan) error {
	if err := applyPackages(w); err != nil {
		return err
	}
	on := w.Timing.Switches.Hybrid
	if on.AssignedUserBlocks && plan.Assigned {
		return &hresult.Error{Op: "domain join", Code: hresult.DomainControllerNone, Err: errAssigned}
	}
	_, member := w.Domain()
	if !member || on.TechnicianDCCheck {
		if err := AwaitDomainJoin(w, JoinWait{Controller: on.TechnicianDCCheck}); err != nil {
			return err
		}
	}
	if _, staged := w.DomainStaged(); staged && on.TechnicianReboot {
		return restartNow(w, "domain join")
	}
	return nil
}

// registerHybrid enrols by the device's own token. That token wants a device
// that is joined to Entra ID; this one leaves it again, because it will be a
// domain's, and comes back to Entra ID from there.
func registerHybrid(w *device.Windows, plan Plan) error {
	if !mdm.Enrolled(w) {
		if err := register(w, plan); err != nil {
			return err
		}
	}
	return join.Leave(w)
}

var errRegistration = errors.New("the device was not registered with Entra ID in time")

// awaitRegistration is the row of account setup in which a domain's PC waits to
// be known to Entra ID, which the directory sync brings about. It has the
// registration task run at once and every few minutes, and a clock of its own:
// the page's time and 40 minutes (learn.microsoft.com, "Set up the Enrollment
// Status Page").
func (c category) awaitRegistration(p *page) error {
	w := p.w
	if _, member := w.Domain(); !member {
		p.set(StepRegistration, notRequired, "No setup needed")
		return nil
	}
	if p.state(StepRegistration) == succeeded {
		return nil
	}
	p.set(StepRegistration, inProgress, "Working on it...")
	t := startWatch(w, "Registration", !p.resumed)
	limit := readSettings(w, c.sid).timeout + w.Timing.Hybrid.ESPExtension
	for {
		begin := w.Clock.Now()
		err := join.RegisterHybrid(w)
		if over := gone(w, err); over != nil {
			return over
		}
		if err == nil {
			t.stop()
			p.set(StepRegistration, succeeded, "Complete")
			return nil
		}
		t.look(false)
		left := limit - t.spent
		if left <= 0 {
			t.stop()
			p.set(StepRegistration, failed, "Error ("+hresult.WaitTimeout.Hex()+")")
			return &hresult.Error{Op: RowNetwork, Phase: p.category + "." + StepRegistration, Code: hresult.WaitTimeout, Err: errors.Join(errRegistration, err)}
		}
		wait := w.Timing.Hybrid.RegistrationForce - w.Clock.Now().Sub(begin)
		if err := w.Sleep(max(0, min(wait, left)), "registration with Entra ID"); err != nil {
			return context.Cause(w.Ctx)
		}
		t.look(false)
	}
}

// Unfinished tells whether the account setup of a domain's user is to be done
// again at the next logon: a session without the user's token has told the
// server nothing of the user, so that the server has never said that it is
// through (reported of users without a primary refresh token). It clears the way
// for it.
func Unfinished(w *device.Windows, sid string) bool {
	if _, member := w.Domain(); !member || !mdm.Enrolled(w) || skipsUser(w) {
		return false
	}
	if set := readSettings(w, sid); set.sent || set.syncDone {
		return false
	}
	r := w.Registry()
	r.Delete(setupKey(sid), "HasProvisioningCompleted")
	r.Delete(device.KeySettings, statusName("AccountSetup"))
	return true
}

func skipsUser(w *device.Windows) bool {
	v, _ := w.Registry().DWORD(firstSync(w, ""), "SkipUserStatusPage")
	return v != 0
}

// Where the MDM client remembers what became of a policy, and the policies whose
// accounts it has to merge.
const (
	processedPolicies = device.KeyESPInfo + `\Processed`
	userRights        = "/policy/config/userrights/" // in small letters
)

// failedMerge finds a policy whose accounts could not be merged because no
// domain controller could be asked.
func failedMerge(w *device.Windows) (uri string, code hresult.Code) {
	for _, uri := range w.Registry().ValueNames(processedPolicies) {
		if v, _ := w.Registry().DWORD(processedPolicies, uri); v > 1 && strings.Contains(strings.ToLower(uri), userRights) {
			return uri, hresult.Code(v)
		}
	}
	return "", 0
}

// mergeAgain gives the policies that could not be merged another chance.
func mergeAgain(w *device.Windows) {
	for uri, _ := failedMerge(w); uri != ""; uri, _ = failedMerge(w) {
		w.Registry().Delete(processedPolicies, uri)
	}
}
