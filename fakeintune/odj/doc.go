// Package odj is the surface of Intune that Intune Connectors for Active
// Directory talk to, host hosts.ODJConnector: they enrol, fetch the requests
// for offline domain join of the customer's devices, and bring blobs for them.
// The protocol (sim/wire/connector) is our model.
//
// A connector sees the requests of its own customer and domain and nobody
// else's, and a request is one connector's at a time: who does not end it before
// its lease does leaves it to the next one. A blob is looked at only so far
// that it is one for this domain and computer: the password in it is none of
// Intune's business.
//
// The requests themselves are made by package mdm when a device that has a
// domain-join profile opens a session, and kept by package tenant.
package odj
