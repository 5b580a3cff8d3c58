// Package hresult names the HRESULTs that a Windows device shows, logs and reports on its way through Autopilot.
//
// It is a table and an error type. The table says for each [Code] the symbol that Microsoft's headers or pages give it,
// one line of meaning, and the page where both stand; families have a file each (enrolment 0x8018xxxx, device
// registration 0x801Cxxxx, attestation 0x8103xxxx, transport 0x8007xxxx, HTTP 0x8019xxxx, TPM and keys, apps 0x87D1xxxx).
// [Error] carries a code with the operation and the phase in which it came up.
//
// It is not a place for rules: which failure ends in which code is decided by the protocol tables and by the device's
// mapping of errors. Codes whose meaning differs from author to author say so in their line.
//
// Use it like this: a device-side function returns &Error{Op, Phase, Code, Err}; whoever draws the failure page or groups
// failures asks [CodeOf]; a scenario file's expectation is read by [Parse], which takes the number or the symbol.
package hresult
