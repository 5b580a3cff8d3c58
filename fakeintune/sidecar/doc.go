// Package sidecar is the service side of the Intune Management Extension: the
// location service on manage.microsoft.com, and the gateway that hands out Win32
// apps, says where their content is and what opens it, and takes reports.
//
// The agent finds the gateway with the device's MDM client certificate and gets
// a certificate of its own from it, which all else needs: six calendar months,
// our model of why Microsoft wants the user flow within that time. The API is
// private; what is here is what open-source clients use, and our model where
// they say nothing.
//
// Scripts, remediations, available apps, dependencies and supersedence are not
// here.
package sidecar
