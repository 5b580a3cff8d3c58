// Package ztd is what an administrator's tool, a PC and the Windows Autopilot deployment service ("zero-touch
// deployment") say to each other: the CSV file of Get-WindowsAutopilotInfo, the profile that a PC downloads, the
// call that fetches it, the answers that refuse it, and device name templates.
//
// The CSV follows learn.microsoft.com, "Manually register devices with Windows Autopilot". The profile's keys are
// those of the file AutopilotDDSZTDFile.json that Windows caches and of AutopilotConfigurationFile.json ("Windows
// Autopilot for existing devices"). Path, headers and bodies of the call itself are not public: Path, Request and
// Negative are our model.
//
// It is not the service: registration, assignment and matching live where the state is.
package ztd
