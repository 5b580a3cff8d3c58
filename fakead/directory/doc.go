// Package directory is the database of a fake Active Directory: one forest of
// one domain, kept by several controllers that learn of each other's changes
// after a while. It knows objects, attributes with their syntaxes, accounts
// with passwords and Kerberos keys, and who may do what. It speaks no
// protocol: fakead/ldap, fakead/kdc and fakead/dns do, each over a [Replica].
//
//	d, err := directory.New(directory.Options{Domain: "corp.contoso.com", Clock: clock, Seed: seed,
//		Controllers: []directory.Controller{{Name: "dc1"}, {Name: "dc2", Skew: 2 * time.Minute}}, Replication: 15 * time.Second})
//	dc1 := d.Replica("dc1")
//
// A [Replica] is what one controller knows. Its time is [Replica.Now], which
// is the network's with the controller's skew. All methods may be called from
// any goroutine and never wait.
//
// # Accounts, for Kerberos and binds
//
//	a, ok := dc1.AccountBySAM("PC-1$")      // or AccountByUPN, AccountBySPN ("cifs/..." finds "host/..."), AccountByName, AccountBySID
//	keys := dc1.Keys(a)                     // etypes 18, 17, 23 with kvno and salt; made of the password when first asked for
//	why := dc1.Restriction(a)               // disabled, locked, expired, password expired ...
//	dc1.Failed(ctx, a); dc1.Succeeded(ctx, a) // count towards lockout
//	id := dc1.Identify(a)                   // who it is to the operations below
//	err := dc1.SetPassword(ctx, id, a, "n") // by kpasswd; *PolicyError, or *ldap.Error where id may not
//	id, err := dc1.Authenticate(ctx, "CORP\\anna", "password") // simple bind: DN, UPN, DOMAIN\name, SID or GUID; *ldap.Error 49
//
// The controllers' own accounts are "DC1$", that of the ticket-granting service
// is "krbtgt"; [Replica.Self] is the controller's.
//
// # Operations, for LDAP
//
//	id.Confidential = true                  // set by who serves the connection: TLS, or sealed
//	res, err := dc1.Search(ctx, id, directory.Query{SearchRequest: request})
//	for e, ok := res.Next(); ok; e, ok = res.Next() { ... } // res.Len() are left: a paged search keeps res between pages
//	dc1.Add(ctx, id, dn, attributes); dc1.Modify(ctx, id, dn, changes); dc1.Delete(ctx, id, dn, false)
//	dc1.ModifyDN(ctx, id, request); dc1.Compare(ctx, id, dn, "cn", value)
//	dc1.RootDSE()                           // without what is the server's: supportedControl, supportedSASLMechanisms ...
//
// Errors are *ldap.Error worded as AD words them. The zero [Identity] is
// anonymous; [System] may do all.
//
// # Administration in Go
//
// [Directory.AddOU], [Directory.AddUser], [Directory.Delegate], [Directory.SetSCP]
// and others write at the first controller, as its administrator would.
//
// It is no security boundary: passwords are kept as given, and whoever has the
// seed has the keys. Rights are the few that domain join needs (see access.go),
// no security descriptors.
package directory
