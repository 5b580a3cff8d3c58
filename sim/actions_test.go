package sim_test

import (
	"context"
	"testing"
	"time"

	. "github.com/onsi/gomega"

	"windtunnel.test/sim"
	"windtunnel.test/sim/device"
	"windtunnel.test/sim/fault"
	"windtunnel.test/sim/scenario"
	"windtunnel.test/sim/vtpm"
	"windtunnel.test/sim/wire/graph"
	"windtunnel.test/sim/wire/installer"
)

// atEnd runs a scenario of one PC and calls f whenever its story has ended.
func atEnd(t *testing.T, s *scenario.Scenario, f func(g *WithT, ctx context.Context, w *sim.World, pc *device.PC)) *sim.Result {
	t.Helper()
	g := NewWithT(t)
	lab, err := vtpm.Open(vtpm.Options{})
	g.Expect(err).NotTo(HaveOccurred())
	t.Cleanup(func() { g.Expect(lab.Close()).To(Succeed()) })
	called := false
	r, err := sim.Run(t.Context(), sim.RunOptions{Scenario: s, Lab: lab, Parallel: 1,
		Ended: func(ctx context.Context, w *sim.World, pc *device.PC, _ sim.End) {
			called = true
			f(g, ctx, w, pc)
		}})
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(called).To(BeTrue())
	return r
}

const somePC = "PC-0001"

var one = &scenario.DeviceTarget{Device: somePC}

// TestActionsAreCarriedOut: each does what it says, at once or at the services.
func TestActionsAreCarriedOut(t *testing.T) {
	atEnd(t, small(t, 1), func(g *WithT, ctx context.Context, w *sim.World, pc *device.PC) {
		act := func(do scenario.Action) { g.ExpectWithOffset(1, w.Act(ctx, do)).To(Succeed()) }
		admin := w.Administrator()

		act(scenario.Action{SetClock: &scenario.ClockSet{Device: somePC, Offset: scenario.SignedDuration(-3 * time.Hour)}})
		g.Expect(pc.FirmwareTime().Sub(w.Clock.Now())).To(BeNumerically("~", -3*time.Hour, time.Second))
		act(scenario.Action{SetClock: &scenario.ClockSet{Device: somePC}})
		act(scenario.Action{MoveDevice: &scenario.DeviceTo{Device: pc.Hardware.Serial, Site: "bench"}})
		g.Expect(pc.NIC.Site()).To(BeIdenticalTo(w.Sites["bench"]), "by its serial number")
		act(scenario.Action{UpdateWindows: &scenario.DeviceBuild{Device: somePC, Build: "26200.6584"}})
		g.Expect(pc.Installation.Build).To(Equal("26200.6584"))
		act(scenario.Action{SetRegistry: &scenario.RegistrySet{Device: "PC-*", Value: installer.RegistryValue{Key: `HKLM\SOFTWARE\Maker`, Name: "Edition", Value: "8", DWORD: true}}})
		n, _ := pc.Disk.Registry.DWORD(`HKLM\SOFTWARE\Maker`, "Edition")
		g.Expect(n).To(Equal(uint32(8)))
		act(scenario.Action{DisableService: &scenario.ServiceOf{Device: somePC, Service: device.ServiceWLID}})
		n, _ = pc.Disk.Registry.DWORD(device.KeyServices+`\`+device.ServiceWLID, "Start")
		g.Expect(n).To(Equal(uint32(device.StartDisabled)))

		act(scenario.Action{SetGroupTag: &scenario.TagOf{Device: somePC, Tag: "Kiosk"}})
		r, err := admin.Identity(ctx, pc.Hardware.Serial)
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(r.GroupTag).To(Equal("Kiosk"))
		for _, do := range []scenario.Action{{SyncDevice: one}, {RestartDevice: one}, {Wipe: &scenario.RemoteWipe{Device: somePC, Keep: true}}} {
			act(do)
		}
		d, err := admin.ManagedDevice(ctx, pc.Hardware.Serial)
		g.Expect(err).NotTo(HaveOccurred())
		var asked []string
		for _, a := range d.DeviceActionResults {
			asked = append(asked, a.ActionName)
		}
		g.Expect(asked).To(ContainElements("syncDevice", "rebootNow", "wipe"))
		act(scenario.Action{Graph: &scenario.GraphCall{Method: "PATCH", Path: "/v1.0/deviceManagement/managedDevices/{managedDevice}", Device: somePC, Body: `{"notes":"loan"}`}})
		act(scenario.Action{Graph: &scenario.GraphCall{Method: "GET", Path: "/v1.0/devices/{entraDevice}", Device: somePC}})
		var back graph.ManagedDevice
		g.Expect(admin.Graph(ctx, "GET", "https://graph.microsoft.com/beta/deviceManagement/managedDevices/"+d.ID, nil, &back)).To(Succeed())
		g.Expect(back.Notes).To(Equal("loan"))

		rule := fault.Rule{Name: "closed", When: fault.When{Host: "graph.microsoft.com"}, Do: fault.Action{Status: 503}}
		act(scenario.Action{AddFault: &rule})
		g.Expect(w.Act(ctx, scenario.Action{SyncDevice: one})).To(MatchError(ContainSubstring("503")))
		act(scenario.Action{RemoveFault: &scenario.FaultRule{Name: "closed"}})
		act(scenario.Action{SyncDevice: one})

		act(scenario.Action{DeleteManagedDevice: one})
		_, err = admin.ManagedDevice(ctx, pc.Hardware.Serial)
		g.Expect(err).To(MatchError(sim.ErrNoSuchPC))
		act(scenario.Action{DeleteEntraDevice: one})

		if pc.On() {
			act(scenario.Action{CutPower: one})
			g.Expect(pc.AwaitOff(ctx)).To(Succeed())
		}
		chip, model, serial := pc.Chip, pc.Hardware.Model, pc.Hardware.Serial
		act(scenario.Action{ReplaceBoard: one})
		g.Expect(pc.Chip).NotTo(BeIdenticalTo(chip))
		g.Expect(pc.Hardware.Model + pc.Hardware.Serial).To(Equal(model + serial))
		act(scenario.Action{PowerOn: one})
		g.Expect(pc.On()).To(BeTrue())
		act(scenario.Action{Generalize: one})
		g.Expect(pc.AwaitOff(ctx)).To(Succeed())
		g.Expect(pc.Disk.Registry.String(device.KeyReset, "Pending")).NotTo(BeEmpty(), "its next start is a first one")
	})
}

// TestActionsAtAWrongMoment: what cannot be done says about which PC, and what
// is in the way.
func TestActionsAtAWrongMoment(t *testing.T) {
	atEnd(t, small(t, 1), func(g *WithT, ctx context.Context, w *sim.World, pc *device.PC) {
		if !pc.On() {
			g.Expect(w.Act(ctx, scenario.Action{PowerOn: one})).To(Succeed())
		}
		nobody := "PC-9999"
		target := &scenario.DeviceTarget{Device: nobody}
		for name, do := range map[string]scenario.Action{
			"redeploy": {Redeploy: &scenario.Redeployment{Device: nobody}}, "press": {Press: &scenario.PressedButton{Device: nobody, Button: "x"}},
			"powerOn": {PowerOn: target}, "cutPower": {CutPower: target}, "setClock": {SetClock: &scenario.ClockSet{Device: nobody}},
			"moveDevice": {MoveDevice: &scenario.DeviceTo{Device: nobody, Site: "bench"}}, "updateWindows": {UpdateWindows: &scenario.DeviceBuild{Device: nobody}},
			"replaceBoard": {ReplaceBoard: target}, "setRegistry": {SetRegistry: &scenario.RegistrySet{Device: nobody}}, "setGroupTag": {SetGroupTag: &scenario.TagOf{Device: nobody}},
			"wipe": {Wipe: &scenario.RemoteWipe{Device: nobody}}, "retire": {Retire: target}, "syncDevice": {SyncDevice: target}, "restartDevice": {RestartDevice: target},
			"graph": {Graph: &scenario.GraphCall{Path: "/v1.0/devices", Device: nobody}}, "setTPMState": {SetTPMState: &scenario.TPMStateOf{Device: nobody}},
			"generalize": {Generalize: target}, "disableService": {DisableService: &scenario.ServiceOf{Device: nobody}}, "import": {Import: target},
			"deleteManagedDevice": {DeleteManagedDevice: target}, "deleteEntraDevice": {DeleteEntraDevice: target}, "deleteRegistration": {DeleteRegistration: target},
			"allowNextEnrollment": {AllowNextEnrollment: target}, "assignUser": {AssignUser: &scenario.UserTo{Device: nobody}}, "unassignUser": {UnassignUser: target},
		} {
			err := w.Act(ctx, do)
			g.Expect(err).To(MatchError(sim.ErrNoSuchPC), name)
			g.Expect(err).To(MatchError(ContainSubstring(nobody)), name)
		}
		for what, do := range map[string]scenario.Action{
			"power on PC-0001: it is on already":    {PowerOn: one},
			"PC-0001: the PC is on; it must be off": {ReplaceBoard: one},
			`press "Reseal" on PC-0001, screen `:    {Press: &scenario.PressedButton{Device: somePC, Button: "Reseal"}},
			`there is no fault rule "x"`:            {RemoveFault: &scenario.FaultRule{Name: "x"}},
			"an empty action":                       {},
			"404":                                   {Graph: &scenario.GraphCall{Method: "GET", Path: "/v1.0/deviceManagement/managedDevices/none"}},
		} {
			g.Expect(w.Act(ctx, do)).To(MatchError(ContainSubstring(what)))
		}
		g.Expect(w.Act(ctx, scenario.Action{CutPower: one})).To(Succeed())
		g.Expect(pc.AwaitOff(ctx)).To(Succeed())
		g.Expect(w.Act(ctx, scenario.Action{Press: &scenario.PressedButton{Device: somePC, Button: "Next"}})).To(MatchError(device.ErrOff))
		g.Expect(w.Act(ctx, scenario.Action{DeleteManagedDevice: one})).To(Succeed())
		g.Expect(w.Act(ctx, scenario.Action{Retire: one})).To(MatchError("managed device " + pc.Hardware.Serial + ": no PC fits"))
	})
}

// TestActionsThatOthersCarryOut: what the services are asked for, the PC does.
func TestActionsThatOthersCarryOut(t *testing.T) {
	atEnd(t, small(t, 1), func(g *WithT, ctx context.Context, w *sim.World, pc *device.PC) {
		act := func(do scenario.Action) { g.ExpectWithOffset(1, w.Act(ctx, do)).To(Succeed()) }
		admin := w.Administrator()
		act(scenario.Action{AssignUser: &scenario.UserTo{Device: somePC, User: "alex@contoso.com"}})
		r, err := admin.Identity(ctx, pc.Hardware.Serial)
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(r.UserPrincipalName).To(Equal("alex@contoso.com"))
		act(scenario.Action{UnassignUser: one})
		r, err = admin.Identity(ctx, pc.Hardware.Serial)
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(r.UserPrincipalName).To(BeEmpty())

		if pc.On() {
			act(scenario.Action{CutPower: one})
			g.Expect(pc.AwaitOff(ctx)).To(Succeed())
		}
		act(scenario.Action{PowerOn: one})
		lock, err := pc.AwaitScreen(ctx, func(s device.Screen) bool { return len(s.Buttons) > 0 })
		g.Expect(err).NotTo(HaveOccurred())
		act(scenario.Action{Press: &scenario.PressedButton{Device: somePC, Button: lock.Buttons[0]}})

		act(scenario.Action{Retire: one})
		act(scenario.Action{SyncDevice: one})
		g.Expect(w.Clock.Sleep(ctx, 8*time.Hour, "a working day")).To(Succeed())
		_, err = admin.ManagedDevice(ctx, pc.Hardware.Serial)
		g.Expect(err).To(MatchError(sim.ErrNoSuchPC), "its record goes with its enrolment")
		act(scenario.Action{CutPower: one})
	})
}
