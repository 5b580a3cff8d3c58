package sim

import (
	"context"
	"fmt"
	"reflect"
	"time"

	entra "windtunnel.test/fakeentra/tenant"
	intune "windtunnel.test/fakeintune/tenant"
	"windtunnel.test/sim/scenario"
	"windtunnel.test/sim/store"
	"windtunnel.test/sim/wire/graph"
	"windtunnel.test/sim/wire/sidecar"
)

// loadTenantOnce puts the world's customer into the services, unless the state
// that they go on with has it: what administrators changed since stays.
func (w *World) loadTenantOnce(t scenario.Tenant) error {
	if w.options.State == nil {
		return w.loadTenant(t)
	}
	loaded := store.NewTable[time.Time](w.options.State, "sim.loaded")
	known := false
	err := w.options.State.View(func(tx *store.Tx) error {
		_, known = loaded.Get(tx, t.ID)
		return nil
	})
	if err != nil || known {
		return err
	}
	if err := w.loadTenant(t); err != nil {
		return err
	}
	return w.options.State.Update(func(tx *store.Tx) error {
		loaded.Put(tx, t.ID, w.Clock.Now())
		return nil
	})
}

// loadTenant puts a customer into the services: organisation, accounts and
// groups into the directory, what is configured into Intune.
func (w *World) loadTenant(t scenario.Tenant) error {
	if err := w.loadEnrolment(t); err != nil {
		return fmt.Errorf("tenant %s: %w", t.Domain, err)
	}
	d := w.Entra.Directory
	org, err := d.LoadOrganization(t.Organization())
	if err != nil {
		return fmt.Errorf("tenant %s: %w", t.Domain, err)
	}
	if t.DevicesPerUser > 0 || t.Enrolment != nil {
		org.DevicesPerUser = t.DevicesPerUser
		mobility(&org, t.Enrolment)
		if err := d.SetTenant(org); err != nil {
			return fmt.Errorf("tenant %s: %w", t.Domain, err)
		}
	}
	if err := w.loadAccounts(t); err != nil {
		return err
	}
	for _, g := range t.AllGroups() {
		if _, err := d.PutGroup(t.ID, g); err != nil {
			return fmt.Errorf("group %s: %w", g.DisplayName, err)
		}
	}
	if err := d.PutApp(entra.App{TenantID: t.ID, ClientID: adminClientID, Name: "windtunnel administrator", Secret: adminSecret}); err != nil {
		return fmt.Errorf("administrator's application: %w", err)
	}
	if err := w.loadAccess(t); err != nil {
		return err
	}
	resources := intune.Resources{Profiles: t.Profiles, StatusPages: t.StatusPages, Configurations: t.Configurations, CompliancePolicies: t.Policies, SettingsPolicies: t.Catalogue}
	for _, a := range t.Apps {
		resources.Apps = append(resources.Apps, a.MobileApp)
	}
	for _, s := range t.Scripts {
		script := s.DeviceManagementScript
		script.ScriptContent = w.paced(s.Windtunnel).Body(script.ScriptContent)
		resources.Scripts = append(resources.Scripts, script)
	}
	if err := w.Intune.Tenant().Load(context.Background(), resources); err != nil {
		return fmt.Errorf("tenant %s: %w", t.Domain, err)
	}
	for _, r := range t.Restrictions {
		if _, err := w.Intune.Tenant().Restrictions().Add(context.Background(), r); err != nil {
			return fmt.Errorf("tenant %s: %w", t.Domain, err)
		}
	}
	for _, a := range t.Apps {
		if err := w.upload(a); err != nil {
			return fmt.Errorf("app %s: %w", a.DisplayName, err)
		}
	}
	return nil
}

// paced is what a script does in a world whose long waits pass faster; nil where
// the file says nothing.
func (w *World) paced(x graph.ScriptExtension) *graph.ScriptExtension {
	x.Duration = w.hurried(x.Duration)
	if reflect.ValueOf(x).IsZero() {
		return nil
	}
	return &x
}

// upload makes an app's content: an archive with an installer that does what
// the scenario says.
func (w *World) upload(a scenario.App) error {
	setup := a.Manifest()
	setup.Duration = w.hurried(setup.Duration)
	manifest, err := setup.Encode()
	if err != nil {
		return err
	}
	name := setupFile(a.MobileApp)
	plain := manifest
	if a.Win32LobApp != nil && a.WinGetApp == nil {
		if plain, err = sidecar.WriteSetup(name, manifest); err != nil {
			return err
		}
	}
	return w.Intune.Tenant().PutContent(intune.Content{AppID: a.ID, Version: "1", FileName: name, Plain: plain})
}

func setupFile(a graph.MobileApp) string {
	if a.Win32LobApp != nil && a.SetupFilePath != "" {
		return a.SetupFilePath
	}
	return "setup.exe"
}
