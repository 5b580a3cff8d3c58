package sim

import (
	"context"
	"errors"
	"fmt"

	"windtunnel.test/fakead/connect"
	entra "windtunnel.test/fakeentra/tenant"
	"windtunnel.test/sim/scenario"
	"windtunnel.test/sim/wire/dirsync"
	"windtunnel.test/sim/wire/graph"
)

// The server of directory synchronisation, its account in the domain, and the
// first part of its account in Entra ID, as Entra Connect's setup calls them
// (learn.microsoft.com/entra/identity/hybrid/connect/reference-connect-accounts-permissions).
const (
	connectServer  = "entra-connect"
	connectAccount = "MSOL_windtunnel"
	connectCloud   = "Sync_ENTRA-CONNECT_windtunnel"
)

// addConnect makes the server of directory synchronisation, and its account in
// Entra ID.
func (w *World) addConnect(h Hybrid) error {
	if h.Connect == nil {
		return nil
	}
	cloud, secret := connectCloud+"@"+w.Tenant.Domain, w.servicePassword(connectCloud)
	err := w.once("Entra Connect", func() error {
		row, err := w.Entra.Directory.PutUser(w.Tenant.ID, graph.User{UserPrincipalName: cloud, DisplayName: "On-Premises Directory Synchronization Service Account"}, secret)
		if err != nil {
			return err
		}
		_, err = w.Entra.Directory.UpdateUser(w.Tenant.ID, row.Resource.ID, func(r *entra.User) error {
			r.Roles = []string{dirsync.Role}
			return nil
		})
		return err
	})
	if err != nil {
		return fmt.Errorf("account of Entra Connect: %w", err)
	}
	w.Connect, err = connect.New(connect.Options{
		Clock: w.Clock, Journal: w.Journal, Timing: w.Timing, Seed: w.Seed.Derive("domain"), Net: w.server(connectServer, h.Connect.Site),
		Name: connectServer, Domain: h.Domain.Name, OUs: h.Connect.OrganizationalUnits, Cycle: h.Connect.Cycle,
		Account: connectAccount, Password: w.servicePassword(connectServer), CloudUser: cloud, CloudPassword: secret, TenantID: w.Tenant.ID,
	})
	if err != nil {
		return err
	}
	if h.Connect.Stopped {
		w.Connect.Stop()
	}
	return nil
}

var errNotSynced = errors.New("nothing is synchronised: the world has no Entra Connect")

// changeConnect carries out an action about directory synchronisation.
func (w *World) changeConnect(ctx context.Context, do scenario.Action) error {
	switch {
	case w.Connect == nil:
		return errNotSynced
	case do.StopEntraConnect != nil:
		w.Connect.Stop()
	case do.StartEntraConnect != nil:
		w.Connect.Start()
	default:
		return w.Connect.SyncNow(ctx)
	}
	return nil
}
