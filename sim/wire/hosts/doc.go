// Package hosts has the names that Windows asks for during Autopilot
// provisioning. Most clients have them built in, so a fake must answer to
// exactly these.
//
// Source: learn.microsoft.com, "Windows Autopilot requirements: networking",
// "Network endpoints for Microsoft Intune". Where a service has one name a
// region or scale unit, one such name stands here.
package hosts
