// Package graph is the part of Microsoft Graph that Intune answers:
// deviceManagement and deviceAppManagement, as far as Windows Autopilot needs
// them, with the paths, shapes, states and errors of the Graph reference.
//
// A [Handler] serves /v1.0 and /beta. Paths are compared without letter case,
// and keys may stand in parentheses or behind a slash. A request needs an access
// token of the tenant it is about, with the permission that the reference names,
// as application role or delegated scope.
//
// What is not modelled answers 501 with a body that says so; parity.yaml lists
// it. Roles of Intune's own (RBAC), scope tags and assignment filters are not
// looked at. The state lives in [windtunnel.test/fakeintune/tenant].
package graph
