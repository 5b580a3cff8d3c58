// Package pcs is a load's world of PCs: real ones, with TPMs of their own, on
// the wall clock, which are made ready to just before what is measured and do
// exactly that when they are taken.
//
// What is measured is a scope. Each runs the same code that Windows runs:
//
//	activation  from the request for an AIK certificate to the secret of the challenge recovered by the TPM
//	            (TPM2_ActivateCredential). It is not sent back. Before: booted, EK and service known.
//	aik         the whole exchange: what the service can do, the request, the challenge, its secret, the certificate.
//	            Before: booted, EK known.
//	join        the join that the technician flow does: discovery, new keys, their attestation, the certificate. Before:
//	            attested, device ticket and Autopilot profile there.
//	enrolment   MDM enrolment with the device's own token: discovery, policy, key, certificate. Before: joined, token there.
//	technician  from power-on to resealed and off. Before: registered, profile assigned, off.
//	life        the same, then its user at the PC's destination until the desktop is there. The time between the two
//	            has passed, but nobody waited for it.
//
// Every HTTP exchange of a PC is a step, named as its service names the operation; the two PKI operations of the AIK
// service are told apart as aik.request and aik.answer. "tpm.certify" and "tpm.activate" are what the TPM does in
// activation and aik. In technician and life there are larger steps as well: technician.profile (power-on until the
// Autopilot profile is there), technician.attestation, technician.join, technician.enrolment, technician.setup (until
// resealed), and user (from the user's power-on to the desktop).
//
// A PC that is given back is put back to its snapshot and made ready again, outside of what is measured: disk and TPM
// as they were; the managed device's record deleted by an administrator where the service would refuse a second
// enrolment. Services keep what they have learnt otherwise. So a pool of PCs serves any number of arrivals.
//
// PCs of scope aik can be told to misbehave: see WrongEK and the others.
//
// There is no journal: PCs would wait for one another's events. Nor are there hands to queue for: each PC has a
// technician and a user of its own, who take no time.
package pcs
