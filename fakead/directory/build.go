package directory

import (
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"windtunnel.test/sim/store"
	"windtunnel.test/sim/wire/ldap"
)

// spnMappings is the value of sPNMappings that a new forest has
// ([MS-ADTS] 6.1.1.2.4.1.2).
const spnMappings = "host=alerter,appmgmt,cisvc,clipsrv,browser,dhcp,dnscache,replicator,eventlog,eventsystem,policyagent,oakley,dmserver,dns,mcsvc,fax,msiserver,ias,messenger,netlogon,netman,netdde,netddedsm,nmagent,plugplay,protectedstorage,rasman,rpclocator,rpc,rpcss,remoteaccess,rsvp,samss,scardsvr,scesrv,seclogon,scm,dcom,cifs,spooler,snmp,schedule,tapisrv,trksvr,trkwks,ups,time,wins,www,http,w3svc,iisadmin,msdtc"

// functionalLevel is Windows Server 2016, the newest before 2025
// ([MS-ADTS] 6.1.4.2).
const functionalLevel = "7"

// schemaVersion is that of Windows Server 2022 ([MS-ADTS] 3.1.1.2.1).
const schemaVersion = "88"

// builder makes the objects of a new forest at the first controller.
type builder struct {
	d       *Directory
	r       *Replica
	objects []*object
}

// build makes a new forest; all controllers know it.
func (d *Directory) build() error {
	b := &builder{d: d, r: d.replicas[0]}
	for _, step := range []func() error{b.heads, b.containers, b.groups, b.users, b.partitions, b.sites, b.controllers, b.services, b.memberships} {
		if err := step(); err != nil {
			return err
		}
	}
	err := d.o.DB.Update(func(tx *store.Tx) error {
		for _, o := range b.objects {
			d.rows.Put(tx, o.guid.String(), o)
		}
		d.changes = d.rows.Changes(tx)
		return nil
	})
	if err != nil {
		return err
	}
	for _, r := range d.replicas[1:] {
		for _, o := range b.objects {
			r.put(o)
		}
	}
	return nil
}

// guidOf is the GUID of an object that a new forest has.
func (d *Directory) guidOf(dn string) GUID {
	switch {
	case strings.EqualFold(dn, d.domainDN):
		return d.guid
	case strings.EqualFold(dn, "CN=LostAndFound,"+d.domainDN):
		return d.lostAndFound
	}
	return d.newGUID("object", strings.ToLower(dn))
}

func (d *Directory) classGUID(category string) GUID {
	return d.guidOf("CN=" + category + "," + d.schemaDN)
}

// category is the value of objectCategory of a class.
func (d *Directory) category(c *classType) string {
	v, ok := d.categories[c]
	if !ok {
		v = refTo(d.classGUID(c.category))
		d.categories[c] = v
	}
	return v
}

// add makes an object from pairs of attribute and value; names of objects may
// be of ones that come later.
func (b *builder) add(dn, class string, pairs ...string) error {
	name, err := ldap.ParseDN(dn)
	if err != nil {
		return err
	}
	c := classTypes[strings.ToLower(class)]
	now := b.d.o.Since.UnixNano()
	d := &draft{at: now}
	d.guid, d.created, d.changed = b.d.guidOf(dn), now, now
	if parent, _ := b.r.walk(name.Parent()); parent != nil && !b.head(dn) {
		d.rename(parent.obj.guid, name.RDN().String(), name.RDN().Key())
	} else {
		d.rename(GUID{}, dn, name.Key())
	}
	d.set(atObjectClass, c.chain...)
	d.set(atObjectCategory, b.d.category(c))
	d.set(atInstanceType, "4")
	for i := 0; i < len(pairs); i += 2 {
		def := must(pairs[i])
		v := pairs[i+1]
		switch def.syntax {
		case dnSyntax:
			v = refTo(b.d.guidOf(v))
		case sidSyntax:
			sid, err := ldap.ParseSID(v)
			if err != nil {
				return err
			}
			v = string(sid)
		}
		if have := d.stored(def); !def.is(single) && len(have) > 0 {
			d.set(def, append(slices.Clone(have), v)...)
		} else {
			d.set(def, v)
		}
	}
	// One version each: that the builder set a value twice is nobody's business.
	for i := range d.attrs {
		d.attrs[i].stamp.version = 1
	}
	o := d.done()
	b.objects = append(b.objects, o)
	b.r.put(o)
	return nil
}

func (b *builder) head(dn string) bool {
	return dn == b.d.domainDN || dn == b.d.configDN || dn == b.d.schemaDN
}

func (b *builder) settings(i int) string {
	c := b.d.o.Controllers[i]
	return "CN=NTDS Settings," + b.server(c)
}

func (b *builder) server(c Controller) string {
	return fmt.Sprintf("CN=%s,CN=Servers,CN=%s,CN=Sites,%s", strings.ToUpper(c.Name), b.siteName(c.Site), b.d.configDN)
}

func (b *builder) siteName(name string) string {
	for _, s := range b.d.sites {
		if strings.EqualFold(s.Name, name) {
			return s.Name
		}
	}
	return name
}

// all runs steps until one fails.
func all(steps ...func() error) error {
	for _, s := range steps {
		if err := s(); err != nil {
			return err
		}
	}
	return nil
}

// Well-known containers of a domain ([MS-ADTS] 6.1.1.4).
var wellKnown = []struct{ guid, rdn string }{
	{"A9D1CA15768811D1ADED00C04FD8D5CD", "CN=Users"},
	{"AA312825768811D1ADED00C04FD8D5CD", "CN=Computers"},
	{"A361B2FFFFD211D1AA4B00C04FD7D83A", "OU=Domain Controllers"},
	{"AB1D30F3768811D1ADED00C04FD8D5CD", "CN=System"},
	{"AB8153B7768811D1ADED00C04FD8D5CD", "CN=LostAndFound"},
	{"2FBAC1870ADE11D297C400C04FD8D5CD", "CN=Infrastructure"},
	{"22B70C67D56E4EFB91E9300FCA3DC1AA", "CN=ForeignSecurityPrincipals"},
	{"09460C08AE1E4A4EA0F64AEE7DAA1E5A", "CN=Program Data"},
}

// managedAccounts is GUID_MANAGED_SERVICE_ACCOUNTS_CONTAINER_W.
const managedAccounts = "1EB93889E40C45DF9F0C64D23BBB6237"

func (b *builder) heads() error {
	d, p := b.d, b.d.o.Policy
	properties := "1"
	if p.Simple {
		properties = "0"
	}
	lockout := interval(p.LockoutDuration)
	domain := []string{
		"objectSid", d.sid.String(), "ms-DS-MachineAccountQuota", strconv.Itoa(*d.o.MachineAccountQuota),
		"minPwdLength", strconv.Itoa(p.MinLength), "pwdHistoryLength", strconv.Itoa(p.History), "pwdProperties", properties,
		"maxPwdAge", interval(p.MaxAge), "minPwdAge", interval(p.MinAge), "lockoutThreshold", strconv.Itoa(p.LockoutThreshold),
		"lockoutDuration", lockout, "lockOutObservationWindow", interval(p.LockoutWindow), "forceLogoff", strconv.Itoa(-1 << 63),
		"msDS-Behavior-Version", functionalLevel, "nTMixedDomain", "0", "fSMORoleOwner", b.settings(0), "instanceType", "5",
		"systemFlags", strconv.Itoa(-1946157056), "isCriticalSystemObject", "TRUE", "modifiedCount", "1", "nextRid", "1000",
		"serverState", "1", "uASCompat", "1", "msDS-AllUsersTrustQuota", "1000", "msDS-PerUserTrustQuota", "1",
		"msDS-PerUserTrustTombstonesQuota", "10", "rIDManagerReference", "CN=RID Manager$,CN=System," + d.domainDN, "subRefs", d.configDN,
		"otherWellKnownObjects", "B:32:" + managedAccounts + ":CN=Managed Service Accounts," + d.domainDN,
	}
	for _, w := range wellKnown {
		domain = append(domain, "wellKnownObjects", "B:32:"+w.guid+":"+w.rdn+","+d.domainDN)
	}
	for i := range d.o.Controllers {
		domain = append(domain, "masteredBy", b.settings(i), "msDs-masteredBy", b.settings(i))
	}
	return all(
		func() error { return b.add(d.domainDN, "domainDNS", domain...) },
		func() error { return b.add(d.configDN, "configuration", "instanceType", "13", "subRefs", d.schemaDN) },
		func() error {
			return b.add(d.schemaDN, "dMD", "instanceType", "13", "objectVersion", schemaVersion, "fSMORoleOwner", b.settings(0))
		},
		b.classes,
	)
}

// classes puts the classes of the schema in, by which objectCategory names
// them; attributes are not listed.
func (b *builder) classes() error {
	for line := range strings.Lines(classTable) {
		f := strings.Fields(line)
		if len(f) == 0 {
			continue
		}
		c := classTypes[strings.ToLower(f[0])]
		err := b.add("CN="+c.cn+","+b.d.schemaDN, "classSchema", "lDAPDisplayName", c.name, "subClassOf", f[1],
			"defaultObjectCategory", "CN="+c.category+","+b.d.schemaDN, "systemFlags", "16")
		if err != nil {
			return err
		}
	}
	return nil
}

func (b *builder) containers() error {
	critical := []string{"isCriticalSystemObject", "TRUE", "systemFlags", strconv.Itoa(-1946157056), "showInAdvancedViewOnly", "FALSE"}
	for _, c := range []struct{ rdn, class, description string }{
		{"CN=Users", "container", "Default container for upgraded user accounts"},
		{"CN=Computers", "container", "Default container for upgraded computer accounts"},
		{"OU=Domain Controllers", "organizationalUnit", "Default container for domain controllers"},
		{"CN=System", "container", "Builtin system settings"},
		{"CN=LostAndFound", "lostAndFound", "Default container for orphaned objects"},
		{"CN=Infrastructure", "infrastructureUpdate", ""},
		{"CN=ForeignSecurityPrincipals", "container", "Default container for security identifiers (SIDs) associated with objects from external, trusted domains"},
		{"CN=Program Data", "container", "Default location for storage of application data."},
		{"CN=Managed Service Accounts", "container", "Default container for managed service accounts"},
		{"CN=Builtin", "builtinDomain", ""},
		{"CN=RID Manager$,CN=System", "rIDManager", ""},
		{"CN=Policies,CN=System", "container", ""},
	} {
		pairs := slices.Clone(critical)
		if c.description != "" {
			pairs = append(pairs, "description", c.description)
		}
		switch c.class {
		case "builtinDomain":
			pairs = append(pairs, "objectSid", Builtin.String())
		case "infrastructureUpdate", "rIDManager":
			pairs = append(pairs, "fSMORoleOwner", b.settings(0))
		}
		if err := b.add(c.rdn+","+b.d.domainDN, c.class, pairs...); err != nil {
			return err
		}
	}
	return nil
}

// secretOf is a password that nobody is told.
func (d *Directory) secretOf(account string) string {
	k := d.o.Seed.Key("fakead", "password", d.o.Domain, account)
	return hex.EncodeToString(k[:])
}

func (b *builder) since() time.Time { return b.d.o.Since }
