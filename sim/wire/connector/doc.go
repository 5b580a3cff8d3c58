// Package connector is what the Intune Connector for Active Directory and
// Intune say to each other: JSON over HTTPS. All of it is our model, since the
// real protocol is not public; what the connector logs, the versions and what
// they cannot do are documented (learn.microsoft.com, "Deploy Microsoft Entra
// hybrid joined devices by using Intune and Windows Autopilot").
//
// A connector enrols once, with an access token of an Intune administrator and a
// certificate request, and from then on proves itself with the certificate. It
// polls, and Intune keeps the poll open until there is something, or for so long
// that it is time to ask again; the answer has the requests that it is to work on
// and that are its own until a lease ends. For each it either uploads a blob (package odj) or says
// why there is none.
package connector
