// Package join is the identity of a PC and of who signs in to it: the device
// ticket of the Microsoft account service, the proof that the TPM is genuine,
// the join to Entra ID as a device or as a user, and the tokens that follow.
//
// What it keeps is on the disk: certificates in the store, wrapped keys in
// their containers, the rest below [device.KeyIdentityStore]. Nothing is held
// in memory from one boot to the next.
//
// Protocols: [MS-DVRJ] and [MS-DVRD] (registration), [MS-OAPXBC] (primary
// refresh token), [MS-WCCE] (attestation statements). The device ticket's
// content and what Entra ID is shown as proof of the TPM are our model.
//
// Not here: hybrid join by a federation service, Windows Hello keys, and version 3 and 4 of the
// primary refresh token protocol.
package join
