package sim

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"windtunnel.test/fakead/connector"
	"windtunnel.test/sim/device"
	"windtunnel.test/sim/scenario"
)

// changeDomain carries out an action about the domain and what belongs to it;
// done is false where the action is another.
func (w *World) changeDomain(ctx context.Context, do scenario.Action) (done bool, err error) {
	switch {
	case do.StopConnector != nil:
		return true, w.onConnector(do.StopConnector.Connector, (*connector.Connector).Stop)
	case do.StartConnector != nil:
		return true, w.onConnector(do.StartConnector.Connector, (*connector.Connector).Start)
	case do.SyncNow != nil, do.StopEntraConnect != nil, do.StartEntraConnect != nil:
		return true, w.changeConnect(ctx, do)
	case do.SetSCP != nil, do.Delegate != nil, do.DisableAccount != nil, do.EnableAccount != nil, do.UnlockAccount != nil,
		do.ResetPassword != nil, do.DeleteComputer != nil:
		a, err := w.DomainAdministrator(ctx)
		if err != nil {
			return true, err
		}
		return true, errors.Join(a.change(do), a.Close())
	}
	return false, nil
}

func (w *World) onConnector(name string, f func(*connector.Connector)) error {
	for _, c := range w.Connectors {
		if strings.EqualFold(c.Name(), name) {
			f(c)
			return nil
		}
	}
	return fmt.Errorf("there is no connector %q", name)
}

// change carries out what is done to the directory.
func (a *DomainAdministrator) change(do scenario.Action) error {
	switch {
	case do.SetSCP != nil:
		name, id, ok := a.w.connectionPoint(do.SetSCP)
		if !ok {
			return a.RemoveSCP()
		}
		return a.SetSCP(name, id)
	case do.Delegate != nil:
		for i, c := range a.w.hybrid.Connectors {
			if strings.EqualFold(c.Name, do.Delegate.Connector) {
				return a.Delegate(do.Delegate.OrganizationalUnit, c.ServiceAccount(i))
			}
		}
		return fmt.Errorf("there is no connector %q", do.Delegate.Connector)
	case do.DisableAccount != nil:
		return a.SetEnabled(do.DisableAccount.User, false)
	case do.EnableAccount != nil:
		return a.SetEnabled(do.EnableAccount.User, true)
	case do.UnlockAccount != nil:
		return a.Unlock(do.UnlockAccount.User)
	case do.ResetPassword != nil:
		return a.ResetPassword(do.ResetPassword.User, do.ResetPassword.Password, do.ResetPassword.MustChange)
	}
	return a.w.each(do.DeleteComputer.Device, func(pc *device.PC) error { return a.DeleteComputer(pc) })
}
