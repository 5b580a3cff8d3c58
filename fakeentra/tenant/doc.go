// Package tenant is the directory of the fake Entra ID: tenants with their
// domains, users, groups, devices, applications with their consents, keys of
// Windows Hello, and conditional access policies, as rows of a store.
//
// Sign-in asks it three things: [Directory.Authenticate] (is this the user's
// password), [Directory.App] (who is this client, and what may it do: Delegated
// and Granted) and [Directory.Decide] (what do the tenant's policies say).
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
