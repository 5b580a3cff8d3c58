// Package connect is Microsoft Entra Connect Sync on a server of the domain: it
// reads computers and users of a forest by LDAP and exports them to Entra ID.
//
//	c, err := connect.New(connect.Options{Clock: clock, Net: nic, Domain: "corp.contoso.com",
//		Account: "MSOL_1", Password: "...", TenantID: tenantID, CloudUser: "Sync_1@contoso.com", CloudPassword: "..."})
//	clock.GoDaemon(ctx, "connect", c.Run)
//	c.SyncNow()
//
// A computer becomes a device object only once its userCertificate has one whose
// subject is its own objectGUID (learn.microsoft.com, "Microsoft Entra Connect:
// enable device writeback" and "How Microsoft Entra device registration works").
// A cycle is a delta by uSNChanged, which counts at one controller; the first,
// and the first at another controller, is a full import.
//
// Not here: the sync rules' editor, password hash sync, writeback, groups,
// several forests. What travels to Entra ID is our model; see package dirsync.
package connect
