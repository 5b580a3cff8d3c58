// Package ime is the Intune Management Extension: the agent that runs platform
// scripts and installs Win32 and WinGet apps. The MDM client installs it as an
// MSI; from then on it is a Windows service that asks its gateway for scripts
// and apps, runs the scripts, finds out which apps are missing and whether the
// PC is what they require, brings what they depend on, downloads, decrypts and
// installs them, and reports. What an app takes the place of, and what is to go,
// it uninstalls.
//
// There is no PowerShell and there are no real installers: package installer
// says what scripts and packages do.
//
// While the enrollment status page is up it works in the page's phases: it
// lists what it tracks before it installs anything, and device setup comes
// before account setup. Afterwards it looks again every hour.
//
// It keeps a client certificate of its own, valid for six calendar months, and
// cannot detect apps without it: our model of why Microsoft wants the user flow
// within six months. Apps that a user may choose, remediations, notifications and
// restart grace periods are not here: outside of the status page a restart that
// an app wants is registered, and somebody else's to make.
//
// What it knows is in the registry and on the disk, so that a restart or the
// loss of power at any moment costs at most the step that it was in: a download
// goes on where its progress was written down, content that is there is used,
// and an installer that was interrupted has left nothing.
package ime
