// Package enrollee is a user's PC as the cloud sees it, without Windows and without a TPM: it joins Entra ID with the
// user's token, takes a primary refresh token, and enrols in Intune, with RSA keys of a shared pool. It is for specs and
// benchmarks that need thousands of devices and mean the services; what Windows does is in sim/device.
//
// Each step makes a [Message]; who sends it, and how, is the caller's affair ([Handlers], [Dial]).
package enrollee
