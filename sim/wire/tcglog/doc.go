// Package tcglog is the event log of a measured boot: what firmware, boot
// loader and operating system extended into the TPM's registers, in order, and
// what it was about. Whoever has the log and a quote of the registers can
// replay the one against the other ([Log.Replay]) and then believe the log.
//
// The form is the crypto-agile one of the TCG PC Client Platform Firmware
// Profile 1.05, section 10: a first event in the old form that holds the
// "Spec ID Event03" structure, then TCG_PCR_EVENT2 records with one digest for
// each bank. Numbers are little-endian. Event data that are decoded are those
// that say something about a Windows PC's health: UEFI variables, and the
// tagged events that Windows' boot loader writes into registers 11 to 14
// (wbcl.h of the Windows SDK calls them SIPA events).
//
// It is not a policy: what a state of Secure Boot or BitLocker is worth is for
// others to say. The old SHA-1 log without a Spec ID event is not here, nor are
// logs of a dynamic root of trust.
package tcglog
