// Package provisioning is where Microsoft Entra Connect exports what it finds in
// Active Directory: computers with a userCertificate, which become pending
// device objects, and users, who are marked as synchronised.
//
// It checks that the token is of an account with the Directory Synchronization
// Accounts role, and that a device object belongs to a directory sync before it
// changes or deletes it. The protocol is our model; see package dirsync.
//
// A server that was started asks which computers the tenant has already.
//
// Not here: other imports, password hashes, writeback, soft matches, quotas. Accounts
// of users are in the tenant from the start.
package provisioning
