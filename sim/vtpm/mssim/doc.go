// Package mssim offers a chip to other people's tools, over TCP, in the
// protocol of the TPM 2.0 reference simulator: what the tools of tpm2-tss call
// "mssim". Two ports next to each other: one for commands, one for the platform
// that the TPM is in, which switches its power.
//
//	command, platform, err := mssim.Listen(2321)
//	server := &mssim.Server{Chip: chip}
//	err = server.Serve(ctx, command, platform)
//
// and then, in a shell,
//
//	export TPM2TOOLS_TCTI=mssim:host=127.0.0.1,port=2321
//	tpm2_getcap properties-fixed
//
// # What it answers
//
// Any number of clients up to [Connections] may be there, one after the other
// or side by side. The chip runs their commands one at a time; it has no
// resource manager in front of it, so clients share its few slots for loaded
// keys and sessions, as they would on /dev/tpm0.
//
// Power on gives a chip without power its power and, as firmware does,
// TPM2_Startup; a chip that has power is left alone, since every client of
// tpm2-tss begins with it. Power off is a power cut, and the end of a command
// that hangs. NV on and off, physical
// presence, key cache and cancel are acknowledged and change nothing: NV
// memory of a chip is always there, and a command is over before a cancel
// could reach it.
//
// A request that is malformed, too large or not known ends the connection that
// it came on, and nothing else.
//
// # What it is not
//
// Not a TPM to keep secrets in, see package vtpm, and not for a network: it
// serves loopback addresses only. The chip is always at locality 0: a command
// from another one is answered with TPM_RC_LOCALITY. So there is no dynamic
// root of trust (_TPM_Hash_Start and the like end the connection), and no
// switch into failure mode.
//
// It lives in real time, outside of any run: its chip belongs to a wall clock.
//
// Source: the reference code's Simulator (TCG TPM 2.0 Library Part 4, annex D:
// TpmTcpProtocol.h, TcpServer.c).
package mssim
