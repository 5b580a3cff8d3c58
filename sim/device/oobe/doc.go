// Package oobe is what a person meets on a new Windows PC: the out-of-box
// experience with its first screens, the technician flow of Windows Autopilot
// for pre-provisioned deployment, the user flow, and the desktop.
//
// [Program] is the device.Program of a PC that leaves the factory. It keeps
// where it stopped on the disk, so that every boot goes on from there.
//
// The flows follow learn.microsoft.com "Windows Autopilot for pre-provisioned
// deployment" and are meant to be read next to it: technician.go and user.go.
// Texts of screens are ours; identifiers of screens are stable.
//
// A profile that leads into an Active Directory domain takes other turns
// (domain.go, domainlogon.go): no Entra sign-in after pre-provisioning, a wait
// for the domain, one restart into it, and the domain's own logon screen.
//
// Not here: self-deploying mode as a profile of its own, Windows Hello, privacy
// pages beyond the profile's switches, and OOBE updates.
package oobe
