// Package csp names the nodes of Windows' configuration service providers that enrolment, the enrolment status page and app
// delivery use, and gives their values types: LocURIs, lists, status enumerations and the MsiInstallJob document.
//
// It is not a management tree: no node lives here, and no rule of access. A server builds [Node] values with it and puts them
// into SyncML commands; the device parses URIs with [Parse] and values with the Parse functions.
//
// A LocURI's segments are percent-escaped where a character may not stand in a URI: a product code is written
// %7B...%7D and the provider "MS DM Server" is MS%20DM%20Server. [Join] escapes, [Parse] undoes it.
//
// Sources: the CSP reference on learn.microsoft.com (windows/client-management/mdm/<name>-csp), one page a provider, and
// OMA-TS-DM-StdObj 1.2 for DevInfo and DevDetail.
package csp
