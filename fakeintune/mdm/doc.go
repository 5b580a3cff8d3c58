// Package mdm is the device management gateway of the fake Intune: OMA-DM
// sessions by [MS-MDM] on r.manage.microsoft.com.
//
// A device proves itself with its MDM client certificate in TLS; a session is a
// user's when a user's access token comes with it, else the device's own. The
// first sessions of each carry the contract of the enrolment status page: what
// to wait for, how long, and at the end that the server has sent everything.
// Later sessions carry what has changed, ask for states that were open, and
// take stock.
//
// What is due comes from package delivery. Win32 apps are not delivered here:
// the gateway installs the management extension, which fetches them.
//
// A device that says how large its messages may be gets no larger ones, and
// values that do not fit in pieces; its own may come so as well. It may speak
// XML or WBXML. What an administrator asks of a device, such as a wipe, goes out
// in its next session. Where Options.Credentials wants them, a device proves a
// name and a secret in the SyncML header too.
//
// Push is not here. The parity table says what else is not.
package mdm
