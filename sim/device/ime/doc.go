// Package ime is the Intune Management Extension: the agent that installs
// Win32 apps. The MDM client installs it as an MSI; from then on it is a
// Windows service that asks its gateway for apps, finds out which are missing,
// downloads, decrypts and installs them, and reports.
//
// While the enrollment status page is up it works in the page's phases: it
// lists what it tracks before it installs anything, and device setup comes
// before account setup. Afterwards it looks again every hour.
//
// It keeps a client certificate of its own, valid for six calendar months, and
// cannot detect apps without it: our model of why Microsoft wants the user flow
// within six months. Requirement rules beyond free disk space, dependencies,
// scripts, remediations and Store apps are not here.
package ime
