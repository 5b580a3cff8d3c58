// Package fakeentra is a fake of Entra ID and of the Microsoft services around
// it that a PC needs before it can join: device tickets (msa), AIK certificates
// (aik), registration (drs), tokens (sts), and the directory's part of
// Microsoft Graph (directory), over one directory (tenant). Beside them stands
// the attestation service that says how a PC started (health).
//
// Each surface is an http.Handler by itself and can be served or loaded alone.
// New puts them together and knows under which names they answer:
//
//	entra := fakeentra.New(fakeentra.Options{Options: service.Options{Clock: clock, Seed: seed}, EKRoots: roots})
//	for _, h := range entra.Hosts() { network.Serve(h.Name, h.Handler, ...) }
//	entra.Directory.LoadOrganization(org)
//
// It is no identity provider to put in front of anything real: passwords are
// kept as given, and whoever has the seed has the keys. What is modelled, and
// how well, stands in parity.yaml of each package.
package fakeentra
