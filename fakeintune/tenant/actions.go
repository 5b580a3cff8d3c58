package tenant

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"windtunnel.test/sim/journal"
	"windtunnel.test/sim/wire/graph"
)

// ActionName is the actionName of a remote action, as Graph shows it.
type ActionName string

// Remote actions (learn.microsoft.com/graph, managedDevice).
const (
	ActionSync           ActionName = "syncDevice"
	ActionReboot         ActionName = "rebootNow"
	ActionWipe           ActionName = "wipe"
	ActionRetire         ActionName = "retire"
	ActionClean          ActionName = "cleanWindowsDevice"
	ActionAutopilotReset ActionName = "automaticRedeployment"
	ActionRotateKeys     ActionName = "rotateBitLockerKeys"
	ActionRotatePassword ActionName = "rotateLocalAdminPassword"
)

// Action is what an administrator asked of a device. It waits until the
// device's next session takes it along.
type Action struct {
	ID      string
	Name    ActionName
	State   graph.ActionState
	Started time.Time // asked for
	Updated time.Time

	KeepEnrollmentData bool // wipe
	KeepUserData       bool // wipe, cleanWindowsDevice

	Logs     string // ActionLogs: id of the collection
	Document string // ActionLogs: what the device is to do
}

func (a Action) ended() bool {
	return a.State != graph.ActionPending && a.State != graph.ActionActive
}

// Result gives the action as Graph shows it.
func (a Action) Result() graph.DeviceActionResult {
	return graph.DeviceActionResult{ODataType: "#microsoft.graph.deviceActionResult", ActionName: string(a.Name), ActionState: a.State,
		StartDateTime: graph.At(a.Started), LastUpdatedDateTime: graph.At(a.Updated)}
}

// states that an action gives to managementState while it is under way, and
// when it failed.
var states = map[ActionName][2]string{
	ActionWipe:   {"wipePending", "wipeFailed"},
	ActionRetire: {"retirePending", "retireFailed"},
}

// Queue asks for an action. One of the same name that has not ended is
// replaced; a wipe or retire that is under way keeps other ones of its kind
// out, with ErrConflict.
func (t *Tenant) Queue(ctx context.Context, deviceID string, a Action) (Action, error) {
	now := t.s.Now()
	m, err := t.UpdateDevice(deviceID, func(m *ManagedDevice) error {
		if a.Name == ActionWipe || a.Name == ActionRetire {
			for _, o := range m.Actions {
				if !o.ended() && o.Name != a.Name && (o.Name == ActionWipe || o.Name == ActionRetire) {
					return fmt.Errorf("%s: %w: %s is under way", a.Name, ErrConflict, o.Name)
				}
			}
		}
		m.ActionCount++
		a.ID = t.s.Seed.UUID("action", t.ID, m.ID, strconv.Itoa(m.ActionCount))
		a.State, a.Started, a.Updated = graph.ActionPending, now, now
		// One result a name, as deviceActionResults has it.
		m.Actions = append(slices.DeleteFunc(slices.Clone(m.Actions), func(o Action) bool { return o.Name == a.Name }), a)
		if s, ok := states[a.Name]; ok {
			m.ManagementState = s[0]
		}
		return nil
	})
	if err != nil {
		return Action{}, err
	}
	if a.Name == ActionWipe && m.RegistrationID != "" && !a.KeepEnrollmentData {
		_, err = t.change(m.RegistrationID, func(r *Registration) error {
			r.EnrollmentState = graph.EnrollmentPendingReset
			return nil
		})
	}
	t.s.Record(ctx, "mdm.action.queued", journal.F("id", m.ID), journal.F("serial", m.SerialNumber), journal.F("action", string(a.Name)))
	return a, err
}

// Pending are a device's actions that have not ended, the oldest first.
func (t *Tenant) Pending(deviceID string) []Action {
	m, err := t.Device(deviceID)
	if err != nil {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(m.Actions), Action.ended)
}

// Sent tells that an action's command went to the device.
func (t *Tenant) Sent(deviceID, actionID string) error {
	_, _, err := t.action(deviceID, actionID, graph.ActionActive)
	return err
}

// Done tells how an action ended: ok is the device's word that it did, or does,
// what it was told. A wipe that keeps no enrolment, and a retirement, take the
// managed device away.
func (t *Tenant) Done(ctx context.Context, deviceID, actionID string, ok bool) error {
	state := graph.ActionDone
	if !ok {
		state = graph.ActionFailed
	}
	m, a, err := t.action(deviceID, actionID, state)
	if err != nil {
		return err
	}
	if a.Name == ActionLogs && !ok {
		if err := t.logsFailed(a.Logs); err != nil {
			return err
		}
	}
	t.s.Record(ctx, "mdm.action.ended", journal.F("id", m.ID), journal.F("serial", m.SerialNumber), journal.F("action", string(a.Name)), journal.F("state", string(state)))
	if ok && (a.Name == ActionRetire || a.Name == ActionWipe && !a.KeepEnrollmentData) {
		return t.DeleteDevice(ctx, deviceID)
	}
	return nil
}

func (t *Tenant) action(deviceID, actionID string, state graph.ActionState) (ManagedDevice, Action, error) {
	var changed Action
	now := t.s.Now()
	m, err := t.UpdateDevice(deviceID, func(m *ManagedDevice) error {
		i := slices.IndexFunc(m.Actions, func(a Action) bool { return strings.EqualFold(a.ID, actionID) })
		if i < 0 {
			return fmt.Errorf("action %q: %w", actionID, ErrNotFound)
		}
		m.Actions = slices.Clone(m.Actions)
		m.Actions[i].State, m.Actions[i].Updated = state, now
		changed = m.Actions[i]
		if s, ok := states[changed.Name]; ok && state == graph.ActionFailed {
			m.ManagementState = s[1]
		}
		return nil
	})
	return m, changed, err
}
