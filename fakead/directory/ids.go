package directory

import "windtunnel.test/sim/wire/ldap"

// What the wire has too.
type (
	GUID = ldap.GUID
	SID  = ldap.SID
)

// Well-known SIDs ([MS-DTYP] 2.4.2.4).
var (
	Everyone           = ldap.NewSID(1, 0)
	AnonymousLogon     = ldap.NewSID(5, 7)
	PrincipalSelf      = ldap.NewSID(5, 10)
	AuthenticatedUsers = ldap.NewSID(5, 11)
	LocalSystem        = ldap.NewSID(5, 18)
	Builtin            = ldap.NewSID(5, 32)
	Administrators     = Builtin.With(544)
)

// Well-known RIDs of a domain (the same section).
const (
	ridAdministrator     = 500
	ridGuest             = 501
	ridKrbtgt            = 502
	ridDomainAdmins      = 512
	ridDomainUsers       = 513
	ridDomainGuests      = 514
	ridDomainComputers   = 515
	ridDomainControllers = 516
	ridSchemaAdmins      = 518
	ridEnterpriseAdmins  = 519
	ridFirst             = 1000 // of the controllers' own accounts
)
