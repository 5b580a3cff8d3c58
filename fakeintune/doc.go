// Package fakeintune is a fake Microsoft Intune with the Windows Autopilot
// deployment service: enough of both for a PC to be registered, to find its
// profile, to enrol and to be managed.
//
// [New] puts the surfaces together over one state; each is an http.Handler that
// can be served alone, and the caller owns listener and TLS. What Intune asks of
// its neighbours (Entra ID, Microsoft accounts) it asks through [Directory],
// [Tokens] and [Tickets]; it never reaches into them.
//
// What each surface answers, and how faithfully, stands in its parity.yaml.
package fakeintune
