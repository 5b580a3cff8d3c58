// Package ztd is the Windows Autopilot deployment service: it tells a PC, which
// proves with its device ticket what hardware it is, which deployment profile
// it has, or why it has none.
//
// The real call is not public; path, headers and bodies are our model (see
// sim/wire/ztd). The outcomes are those that Windows logs: 807 not registered,
// 809 profile deleted, 815 no profile, 908 hardware not the registered one any
// more. Every call answers from the present assignment, so that what was
// assigned after a PC's last download shows at its next one.
//
// Registration and assignment live in [windtunnel.test/fakeintune/tenant].
package ztd
