// Package hwhash reads and writes the Windows hardware hash, also called the "4K HH": the 3,000 bytes
// (4,000 base64 characters) that Windows computes about a PC, that Get-WindowsAutopilotInfo exports and that
// Autopilot registers a device by.
//
// The layout is not documented by its maker. It follows public decoders (MrWyss/DecodeAutopilotHash, which builds on
// the AutopilotUtility PowerShell module, and the ImHex pattern 4khwhashdecipher):
//
//	"OA" | u16 total | record... | "CS" | u16 36 | SHA-256 of everything before "CS" | zeros up to 3,000 bytes
//	record = u16 type | u16 length, counted with these four bytes | data        all little-endian
//
// Decode keeps what it does not model: unknown records, the order of records, and known records whose bytes differ
// from the canonical form, so that Encode(Decode(b)) gives b again as long as no value is changed.
//
// It is not a fingerprint matcher of the real service, which is not public: Match is our model of "small changes are
// tolerated, a new board or TPM is not" (learn.microsoft.com, Autopilot motherboard replacement).
package hwhash
