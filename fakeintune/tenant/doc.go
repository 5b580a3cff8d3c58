// Package tenant is the state of the fake Intune: what a customer configured
// (deployment profiles, enrolment status pages, apps, configurations,
// compliance policies with their assignments), the devices that are registered
// with the Autopilot deployment service, and the devices that are enrolled.
//
// A [Service] holds several customers; [Service.Tenant] gives one. The surfaces
// of fakeintune (Graph, deployment service, enrolment, device management,
// management extension) are handlers over it and hold nothing themselves.
//
// What takes the real service minutes takes minutes here too: rows of an
// import are looked at one by one, a registration appears in Intune after a
// sync, a profile is assigned some time after it is targeted. Each of these is
// one timer; a tenant that has nothing to do has none.
//
// It is not the directory: users, groups and device objects are Entra ID's,
// which is asked through [Directory], never while the store is locked.
// Assignment filters, scope tags and policy sets are not modelled.
package tenant
