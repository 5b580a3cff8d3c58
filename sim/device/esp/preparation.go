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

// Resource is what a token for MDM enrolment and management is asked for.
const Resource = "https://enrollment.manage.microsoft.com/"

// Plan is what the page needs to know of the flow that it holds up.
type Plan struct {
	Technician bool        // pre-provisioning: the page does the joining and enrolling itself
	Tenant     join.Tenant // from the Autopilot profile
	ZtdID      string      // registration id, "" where the device has none
	UserSID    string      // whose account is set up; "" in the technician flow
	UPN        string      // for enrolment as a user

	Hybrid   bool // the profile leads into a domain
	Assigned bool // to a user, before the technician flow
	// WorkAccount asks the user whose account is set up for Entra credentials;
	// nil: nobody is asked.
	WorkAccount func(sid string) error
}

// DevicePreparation brings the PC under management. In the technician flow it
// is four visible rows; a user-driven PC is joined and enrolled before the page
// comes up, so that only the wait for the policy providers is left.
//
// A start of Windows in the middle comes back to here: what was done is done.
func DevicePreparation(w *device.Windows, plan Plan) error {
	state, _ := stored(w, preparation)
	if state == succeeded && mdm.Enrolled(w) {
		return nil
	}
	if state == inProgress && w.Has(defects.HangsOnRestart) {
		open(w, preparation, RowPreparing).set(RowPreparing, inProgress, "Working on it...")
		return w.Clock.NewCond("device preparation of " + w.Name + " after a restart").Wait(w.Ctx)
	}
	if !plan.Technician {
		p := open(w, preparation, RowPreparing, StepSync, StepVisibility)
		return p.run(step{RowPreparing, p.waitForProviders}, step{StepVisibility, showContinue})
	}
	if plan.Hybrid { // enrolled first: the domain join comes by a management session
		p := open(w, preparation, RowHardware, RowRegistering, RowNetwork, RowPreparing, StepSync, StepVisibility)
		return p.run(
			step{RowHardware, attest},
			step{RowRegistering, func(w *device.Windows) error { return registerHybrid(w, plan) }},
			step{RowNetwork, func(w *device.Windows) error { return p.joinDomain(w, plan) }},
			step{RowPreparing, p.waitForProviders},
			step{StepVisibility, showContinue},
		)
	}
	p := open(w, preparation, RowHardware, RowNetwork, RowRegistering, RowPreparing, StepSync, StepVisibility)
	return p.run(
		step{RowHardware, attest},
		step{RowNetwork, applyPackages},
		step{RowRegistering, func(w *device.Windows) error { return register(w, plan) }},
		step{RowPreparing, p.waitForProviders},
		step{StepVisibility, showContinue},
	)
}

const preparation = "DevicePreparation"

// AttestationFailed tells whether the row of the attestation is the one that
// failed.
func AttestationFailed(w *device.Windows) bool {
	_, rows := stored(w, preparation)
	return rows[subcategories[RowHardware]].State == failed
}

type step struct {
	row string
	do  func(*device.Windows) error
}

// run takes the rows one after the other and stops at the first that fails.
// Those that were done before Windows stopped are passed over.
func (p *page) run(steps ...step) error {
	for _, s := range steps {
		if p.state(s.row) == succeeded {
			continue
		}
		p.set(s.row, inProgress, "Working on it...")
		if err := s.do(p.w); err != nil {
			if cause := context.Cause(p.w.Ctx); cause != nil {
				return cause
			}
			if errors.Is(err, device.ErrReboot) || errors.Is(err, vclock.ErrStopped) {
				return err
			}
			code, ok := hresult.CodeOf(err)
			if !ok {
				code = hresult.Fail
			}
			text := code.Hex()
			if d, ok := errors.AsType[*disposition](err); ok {
				text = fmt.Sprintf("%d, %s", d.stage, text)
			}
			p.fail(s.row, "Failed: "+text, code)
			return &hresult.Error{Op: s.row, Phase: p.category + "." + row{name: s.row}.key(), Code: code, Err: err}
		}
		p.set(s.row, succeeded, "Complete")
	}
	p.close(succeeded, "Complete")
	return nil
}

var errAttestationWait = errors.New("the TPM was not attested in time")

// attest waits for the proof that this PC's TPM is genuine. Windows gives it
// so long and no longer.
func attest(w *device.Windows) error {
	ctx, cancel := w.Clock.WithTimeout(w.Ctx, w.Timing.TPM.AttestationWait, errAttestationWait)
	defer cancel()
	err := join.Attest(w.Under(ctx))
	if errors.Is(context.Cause(ctx), errAttestationWait) {
		if !errors.Is(err, errAttestationWait) { // it was at something that has a name of its own
			err = errors.Join(errAttestationWait, err)
		}
		return &hresult.Error{Op: "wait for attestation", Code: hresult.WaitTimeout, Err: err}
	}
	return err
}

// applyPackages is the row named after the network: it applies the provisioning
// packages that the factory left, takes its minimum of time, and restarts
// Windows where a package wants that.
func applyPackages(w *device.Windows) error {
	begin := w.Clock.Now()
	restart, err := mdm.ApplyPackages(w)
	if err != nil {
		return err
	}
	if restart {
		return restartNow(w, "provisioning package")
	}
	return w.Sleep(max(0, w.Timing.OOBE.PPKGMinimum-w.Clock.Now().Sub(begin)), "provisioning packages")
}

// restartNow has Windows restart and gives what ends the boot.
func restartNow(w *device.Windows, why string) error {
	w.Restart(why)
	if cause := context.Cause(w.Ctx); cause != nil {
		return cause
	}
	return device.ErrReboot
}

// Stages of the device's enrolment as the failed row numbers them. The
// numbers follow the order in which Windows' own messages name the stages.
const (
	stageJoin      = 3
	stageDiscovery = 4
	stageTicket    = 5
	stageEnrol     = 6
)

// disposition says at which stage the enrolment failed.
type disposition struct {
	stage int
	err   error
}

func (d *disposition) Error() string { return d.err.Error() }
func (d *disposition) Unwrap() error { return d.err }

func at(stage int, err error) error {
	if err == nil {
		return nil
	}
	return &disposition{stage, err}
}

// register joins with the TPM's proof and enrols with the device's own token.
func register(w *device.Windows, plan Plan) error {
	if !join.Status(w).Joined {
		if err := join.JoinAsDevice(w, plan.Tenant); err != nil {
			return at(stageJoin, err)
		}
	}
	if mdm.Enrolled(w) {
		return nil // an earlier try got this far
	}
	if err := join.OneMDM(w); err != nil {
		return at(stageDiscovery, err)
	}
	token, err := join.TokenFor(w, Resource)
	if err != nil {
		return at(stageTicket, err)
	}
	return at(stageEnrol, mdm.Enroll(w, mdm.Enrollment{Token: token.Raw, WhiteGlove: true, Hybrid: plan.Hybrid, ZtdID: plan.ZtdID}))
}

// showContinue opens the way past the page, where its settings have one.
func showContinue(w *device.Windows) error {
	visible := uint32(0)
	if readSettings(w, "").block&blockContinue != 0 {
		visible = 1
	}
	w.Registry().SetDWORD(device.KeyTracking, continueVisible, visible)
	return nil
}

func deviceSession() mdm.Session {
	return mdm.Session{Origin: mdm.OriginEnrolled, Login: mdm.LoginNone}
}

// pause waits until something that the page tracks has changed since the look
// at which the signal's count was seen, at most d.
func pause(w *device.Windows, d time.Duration, seen uint64) error {
	ctx, cancel := w.Clock.WithTimeout(w.Ctx, d, errPauseOver)
	defer cancel()
	if err := w.Signal(SignalProgress).After(ctx, seen); err != nil && !errors.Is(context.Cause(ctx), errPauseOver) {
		return err
	}
	return context.Cause(w.Ctx)
}

var errPauseOver = errors.New("nothing happened")
