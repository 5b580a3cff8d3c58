package directory

import (
	"fmt"
	"strconv"
	"strings"
)

// Groups of a new domain, with their RIDs; the ones under Builtin belong to
// S-1-5-32 ([MS-ADTS] 6.1.1.4.12, 6.1.1.6).
var (
	builtinGroups = []struct {
		name string
		rid  uint32
	}{
		{"Administrators", 544}, {"Users", 545}, {"Guests", 546}, {"Account Operators", 548}, {"Server Operators", 549},
		{"Backup Operators", 551}, {"Pre-Windows 2000 Compatible Access", 554}, {"Remote Desktop Users", 555},
	}
	domainGroups = []struct {
		name      string
		rid       uint32
		universal bool
	}{
		{"Domain Admins", ridDomainAdmins, false}, {"Domain Users", ridDomainUsers, false}, {"Domain Guests", ridDomainGuests, false},
		{"Domain Computers", ridDomainComputers, false}, {"Domain Controllers", ridDomainControllers, false},
		{"Schema Admins", ridSchemaAdmins, true}, {"Enterprise Admins", ridEnterpriseAdmins, true},
	}
)

func (b *builder) groups() error {
	for _, g := range builtinGroups {
		kind := strconv.Itoa(int(int32(-1<<31 | groupBuiltin | groupLocal)))
		err := b.add("CN="+g.name+",CN=Builtin,"+b.d.domainDN, "group", "sAMAccountName", g.name, "objectSid", Builtin.With(g.rid).String(),
			"groupType", kind, "sAMAccountType", strconv.Itoa(samAlias), "isCriticalSystemObject", "TRUE")
		if err != nil {
			return err
		}
	}
	for _, g := range domainGroups {
		scope := groupGlobal
		if g.universal {
			scope = groupUniversal
		}
		err := b.add("CN="+g.name+",CN=Users,"+b.d.domainDN, "group", "sAMAccountName", g.name, "objectSid", b.d.sid.With(g.rid).String(),
			"groupType", strconv.Itoa(int(int32(-1<<31|scope))), "sAMAccountType", strconv.Itoa(samGroup), "isCriticalSystemObject", "TRUE")
		if err != nil {
			return err
		}
	}
	return nil
}

func (b *builder) memberships() error {
	users := ",CN=Users," + b.d.domainDN
	for _, g := range []struct {
		group   string
		members []string
	}{
		{"CN=Administrators,CN=Builtin," + b.d.domainDN, []string{"CN=Administrator" + users, "CN=Domain Admins" + users, "CN=Enterprise Admins" + users}},
		{"CN=Users,CN=Builtin," + b.d.domainDN, []string{"CN=Domain Users" + users}},
		{"CN=Domain Admins" + users, []string{"CN=Administrator" + users}},
		{"CN=Enterprise Admins" + users, []string{"CN=Administrator" + users}},
		{"CN=Schema Admins" + users, []string{"CN=Administrator" + users}},
	} {
		at := b.r.rows[b.d.guidOf(g.group)]
		d := at.obj.edit(b.since().UnixNano(), 0)
		var refs []string
		for _, m := range g.members {
			refs = append(refs, refTo(b.d.guidOf(m)))
		}
		d.set(atMember, refs...)
		o := d.done()
		for i := range b.objects {
			if b.objects[i].guid == o.guid {
				b.objects[i] = o
			}
		}
		b.r.put(o)
	}
	return nil
}

func (b *builder) users() error {
	for _, u := range []struct {
		name, password, description string
		rid                         uint32
		uac                         int
	}{
		{"Administrator", b.d.o.AdministratorPassword, "Built-in account for administering the computer/domain", ridAdministrator, UACNormal | UACNeverExpires},
		{"Guest", "", "Built-in account for guest access to the computer/domain", ridGuest, UACNormal | UACDisabled | UACPasswordNotRequired | UACNeverExpires},
		{"krbtgt", b.d.secretOf("krbtgt"), "Key Distribution Center Service Account", ridKrbtgt, UACNormal | UACDisabled},
	} {
		group := ridDomainUsers
		if u.rid == ridGuest {
			group = ridDomainGuests
		}
		pairs := b.account(u.name, u.rid, u.uac, samUser, group)
		pairs = append(pairs, "description", u.description)
		if u.password != "" {
			pairs = append(pairs, "unicodePwd", encodePassword(u.password))
		}
		if u.rid == ridKrbtgt {
			pairs = append(pairs, "servicePrincipalName", "kadmin/changepw")
		}
		if err := b.add("CN="+u.name+",CN=Users,"+b.d.domainDN, "user", pairs...); err != nil {
			return err
		}
	}
	return nil
}

func (b *builder) account(sam string, rid uint32, uac, kind, group int) []string {
	return []string{
		"sAMAccountName", sam, "objectSid", b.d.sid.With(rid).String(), "userAccountControl", strconv.Itoa(uac), "sAMAccountType", strconv.Itoa(kind),
		"primaryGroupID", strconv.Itoa(group), "pwdLastSet", fileTimeText(b.since()), "accountExpires", strconv.FormatInt(never, 10),
		"codePage", "0", "countryCode", "0", "isCriticalSystemObject", "TRUE",
	}
}

// Kinds of naming contexts in systemFlags of a crossRef ([MS-ADTS] 2.2.10).
const (
	flagForestNC = 1
	flagDomainNC = 2
)

func (b *builder) partitions() error {
	d := b.d
	in := "CN=Partitions," + d.configDN
	return all(
		func() error {
			return b.add(in, "crossRefContainer", "msDS-Behavior-Version", functionalLevel, "fSMORoleOwner", b.settings(0), "systemFlags", "-2147483648")
		},
		func() error {
			return b.add("CN="+d.o.NetBIOS+","+in, "crossRef", "nCName", d.domainDN, "dnsRoot", d.o.Domain, "nETBIOSName", d.o.NetBIOS,
				"systemFlags", strconv.Itoa(flagForestNC|flagDomainNC), "msDS-Behavior-Version", functionalLevel, "nTMixedDomain", "0")
		},
		func() error {
			return b.add("CN=Enterprise Configuration,"+in, "crossRef", "nCName", d.configDN, "dnsRoot", d.o.Domain, "systemFlags", strconv.Itoa(flagForestNC))
		},
		func() error {
			return b.add("CN=Enterprise Schema,"+in, "crossRef", "nCName", d.schemaDN, "dnsRoot", d.o.Domain, "systemFlags", strconv.Itoa(flagForestNC))
		},
	)
}

func (b *builder) sites() error {
	in := "CN=Sites," + b.d.configDN
	transport := "CN=Inter-Site Transports," + in
	err := all(
		func() error { return b.add(in, "sitesContainer") },
		func() error { return b.add("CN=Subnets,"+in, "subnetContainer") },
		func() error { return b.add(transport, "interSiteTransportContainer") },
		func() error { return b.add("CN=IP,"+transport, "interSiteTransport") },
	)
	if err != nil {
		return err
	}
	link := []string{"cost", "100", "replInterval", "180"}
	for _, s := range b.d.sites {
		at := "CN=" + s.Name + "," + in
		link = append(link, "siteList", at)
		if err := b.add(at, "site"); err != nil {
			return err
		}
		if err := b.add("CN=Servers,"+at, "serversContainer"); err != nil {
			return err
		}
		if err := b.add("CN=NTDS Site Settings,"+at, "nTDSSiteSettings"); err != nil {
			return err
		}
	}
	for _, s := range b.d.subnets {
		// The slash of a prefix is no special character of names.
		if err := b.add(fmt.Sprintf("CN=%s,CN=Subnets,%s", s.prefix, in), "subnet", "siteObject", "CN="+b.siteName(s.site)+","+in); err != nil {
			return err
		}
	}
	return b.add("CN=DEFAULTIPSITELINK,CN=IP,"+transport, "siteLink", link...)
}

// controllers are the domain controllers' accounts and their places in the
// sites ([MS-ADTS] 6.1.1.3).
func (b *builder) controllers() error {
	d := b.d
	for i, c := range d.o.Controllers {
		r, short := d.replicas[i], strings.ToUpper(c.Name)
		host, account := r.HostName(), "CN="+short+",OU=Domain Controllers,"+d.domainDN
		pairs := b.account(short+"$", uint32(ridFirst+i), UACServerTrust|UACTrustedDelegation, samMachine, ridDomainControllers)
		pairs = append(pairs, "dNSHostName", host, "unicodePwd", encodePassword(d.secretOf(short)), "msDS-SupportedEncryptionTypes", "28",
			"operatingSystem", "Windows Server 2022 Datacenter", "operatingSystemVersion", "10.0 (20348)")
		for _, spn := range controllerServices(host, short, d.o.Domain, d.o.NetBIOS, r.InvocationID()) {
			pairs = append(pairs, "servicePrincipalName", spn)
		}
		err := all(
			func() error { return b.add(account, "computer", pairs...) },
			func() error {
				return b.add(b.server(c), "server", "dNSHostName", host, "serverReference", account)
			},
			func() error {
				id := r.InvocationID()
				return b.add(b.settings(i), "nTDSDSA", "invocationId", string(id[:]), "options", "1", "dMDLocation", d.schemaDN,
					"hasMasterNCs", d.schemaDN, "hasMasterNCs", d.configDN, "hasMasterNCs", d.domainDN,
					"msDS-hasMasterNCs", d.schemaDN, "msDS-hasMasterNCs", d.configDN, "msDS-hasMasterNCs", d.domainDN,
					"msDS-Behavior-Version", functionalLevel)
			},
		)
		if err != nil {
			return err
		}
	}
	return nil
}

// controllerServices are a controller's service names ([MS-ADTS] 6.1.1.3.2.1;
// the GUID is that of its replication interface, [MS-DRSR] 2.2.3.2).
func controllerServices(host, short, domain, netbios string, settings GUID) []string {
	var out []string
	for _, service := range []string{"HOST", "ldap"} {
		out = append(out, service+"/"+host, service+"/"+short, service+"/"+host+"/"+domain, service+"/"+host+"/"+netbios)
	}
	return append(out, "GC/"+host+"/"+domain, "RestrictedKrbHost/"+host, "RestrictedKrbHost/"+short, "DNS/"+host,
		"E3514235-4B06-11D1-AB04-00C04FC2DCD2/"+settings.String()+"/"+domain)
}

func (b *builder) services() error {
	in := "CN=Services," + b.d.configDN
	life := strconv.Itoa(int(b.d.o.Timing.Domain.TombstoneLife.Hours() / 24))
	return all(
		func() error { return b.add(in, "container") },
		func() error { return b.add("CN=Windows NT,"+in, "container") },
		func() error {
			return b.add("CN=Directory Service,CN=Windows NT,"+in, "nTDSService", "tombstoneLifetime", life, "sPNMappings", spnMappings)
		},
		func() error { return b.add(registrationDN(b.d), "container") },
	)
}

func registrationDN(d *Directory) string {
	return "CN=Device Registration Configuration,CN=Services," + d.configDN
}
