package tenant

import (
	"context"
	"errors"
	"time"

	"windtunnel.test/sim/journal"
	"windtunnel.test/sim/wire/graph"
)

// Why a registered device has no profile.
var (
	ErrNoProfile   = errors.New("no deployment profile is assigned")
	ErrProfileGone = errors.New("the assigned deployment profile was deleted")
)

// Profile is the deployment profile that a registered device gets now.
// ErrNoProfile or ErrProfileGone.
func (t *Tenant) Profile(r Registration) (graph.DeploymentProfile, error) {
	return t.profile(r.ProfileID)
}

// IntendedProfile is the one that it is to get; the same once it is assigned.
func (t *Tenant) IntendedProfile(r Registration) (graph.DeploymentProfile, error) {
	return t.profile(r.IntendedID)
}

func (t *Tenant) profile(id string) (graph.DeploymentProfile, error) {
	if id == "" {
		return graph.DeploymentProfile{}, ErrNoProfile
	}
	p, err := t.Profiles().Get(id)
	if err != nil {
		return p, ErrProfileGone
	}
	return p, nil
}

// EvaluateProfiles decides anew which profile each registered device is to get.
func (t *Tenant) EvaluateProfiles(ctx context.Context) {
	for _, r := range t.Registrations() {
		t.evaluate(ctx, r.ID)
	}
}

// GroupsChanged tells that devices (by device id) are in other groups than
// before. A directory that fills GroupsDue need not call it.
func (t *Tenant) GroupsChanged(ctx context.Context, deviceIDs ...string) {
	for _, id := range deviceIDs {
		if r, ok := t.ByEntraDevice(id); ok {
			t.evaluate(ctx, r.ID)
		}
	}
}

// evaluate decides which profile a device is to get, and has it assigned after
// the service's delay.
func (t *Tenant) evaluate(ctx context.Context, id string) {
	r, err := t.Registration(id)
	if err != nil || r.Deleting {
		return
	}
	a := t.Audience(ctx, r.EntraDeviceID, "")
	intended, explicit := choose(t.s.profiles.of(t), a)
	_, gone := t.Profile(r)
	now := t.s.Now()
	var generation int
	recheck := false
	_, err = t.change(id, func(r *Registration) error {
		if due := a.Device.GroupsDue; due.After(now) && !due.Equal(r.Recheck) {
			r.Recheck, recheck = due, true
		}
		if intended == r.IntendedID && explicit == r.IntendExpl {
			return nil
		}
		if intended == "" && errors.Is(gone, ErrProfileGone) {
			// Nothing takes the deleted profile's place: the device will be told so.
			r.Status, r.IntendedID = graph.AssignmentNone, r.ProfileID
			return nil
		}
		r.IntendedID, r.IntendExpl, r.Status = intended, explicit, graph.AssignmentPending
		r.Generation++
		generation = r.Generation
		return nil
	})
	if err != nil {
		return
	}
	if recheck {
		t.evaluateAfter(ctx, id, a.Device.GroupsDue.Sub(now))
	}
	if generation == 0 {
		return
	}
	t.assignLater(ctx, id, generation)
}

// assign lets the intention become what the device gets, unless a later one has
// taken its place.
func (t *Tenant) assign(ctx context.Context, id string, generation int) {
	now := t.s.Now()
	r, err := t.change(id, func(r *Registration) error {
		if r.Generation != generation {
			return ErrConflict
		}
		r.ProfileID, r.Explicit, r.AssignedAt = r.IntendedID, r.IntendExpl, now
		r.Status = graph.AssignmentInSync
		if r.ProfileID == "" {
			r.Status, r.AssignedAt = graph.AssignmentNone, time.Time{}
		}
		r.Version++
		return nil
	})
	if err != nil {
		return // deleted, or overtaken
	}
	p, _ := t.Profile(r)
	t.s.Record(ctx, "autopilot.profile.assigned", journal.F("serial", r.Serial), journal.F("profile", p.DisplayName), journal.F("explicit", r.Explicit))
}

// choose takes the oldest profile that is assigned to a group of the device,
// else the oldest that is the default for all devices
// (learn.microsoft.com/autopilot/profiles). Profiles come oldest first.
func choose(profiles []graph.DeploymentProfile, a Audience) (id string, explicit bool) {
	for _, all := range []bool{false, true} {
		for _, p := range profiles {
			var targets []graph.AssignmentTarget
			for _, as := range p.Assignments {
				switch as.Target.ODataType {
				case graph.TargetExclusion:
					targets = append(targets, as.Target)
				case graph.TargetAllDevices:
					if all {
						targets = append(targets, as.Target)
					}
				case graph.TargetGroup:
					if !all {
						targets = append(targets, as.Target)
					}
				}
			}
			if a.reach(targets).Has(ViaDevice) {
				return p.ID, !all
			}
		}
	}
	return "", false
}
