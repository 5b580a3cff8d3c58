// Package problem is the form in which Windtunnel says what is wrong with a file that a person wrote: every mistake
// at once, each with its place, in the shape that editors and compilers share.
//
//	devices.csv:3:12: the hardware hash is not base64: pad it with '=' to a multiple of four characters
//
// It is not for errors of a run: those carry an operation and an HRESULT.
package problem
