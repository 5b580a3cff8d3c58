// Package tenant is the directory of the fake Entra ID: tenants with their
// domains, users, groups, devices and applications, as rows of a store.
//
// It has a plain Go API for the world (load a tenant from Microsoft Graph
// resources, make the device object of an Autopilot registration) and for the
// surfaces beside it, which speak HTTP: sts, drs, directory. It is no
// http.Handler itself and checks no credentials of callers.
//
// Dynamic groups are evaluated when somebody asks: a device belongs to one
// after a delay of the timing profile, counted from the later change of the
// two, so an idle tenant needs no timers.
package tenant
