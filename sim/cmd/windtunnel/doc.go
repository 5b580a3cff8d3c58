// Command windtunnel runs fleets of virtual PCs, each with a software TPM of
// its own, through Windows Autopilot in virtual time.
//
//	windtunnel run                      the built-in fleet of 1,000 PCs, or 200 at first
//	windtunnel run --devices 1 -v       one PC, and the story of its life
//	windtunnel run office.yaml --out o  a scenario of one's own, kept in a folder
//	windtunnel replay o                 the same again: does it take the same way?
//	windtunnel validate office.yaml     all mistakes of a file, with their place
//	windtunnel load attestation.yaml    a load test, on the wall clock
//	windtunnel load compare A B         by how much two load tests differ
//	windtunnel tpm build --devices 1000 the TPMs of so many PCs, ahead of time
//	windtunnel tpm serve --model M      a TPM for other people's tools, over TCP
//
// It is verbs only: what they do is in sim, sim/scenario, sim/load and sim/report.
//
// Exit codes: 0 all expectations met; 1 one was missed, or a replay differed;
// 2 unusable input; 3 the run itself broke; 130 interrupted, with what was done
// so far kept.
package main
