// Package sidecar is the service side of the Intune Management Extension: the
// location service on manage.microsoft.com, and the gateway that hands out Win32
// apps with what they depend on, WinGet apps and scripts, says where their
// content is and what opens it, and takes reports.
//
// The agent finds the gateway with the device's MDM client certificate and gets
// a certificate of its own from it: six calendar months, our model of why
// Microsoft wants the user flow within that time. Agents that show the MDM
// certificate instead, as open-source ones do, are served too. The API is
// private; what is here is what open-source clients use, and our model where
// they say nothing.
//
// Remediations are not here.
package sidecar
