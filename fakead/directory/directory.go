package directory

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"sync"
	"time"

	"windtunnel.test/sim/journal"
	"windtunnel.test/sim/store"
	"windtunnel.test/sim/timing"
	"windtunnel.test/sim/vclock"
	"windtunnel.test/sim/wire/ldap"
)

// Options describe a forest's directory. The zero value of each but Domain
// works.
type Options struct {
	Domain      string // DNS name, "corp.contoso.com"
	NetBIOS     string // "": the first label in upper case, at most 15 characters
	Controllers []Controller
	Sites       []Site
	Replication time.Duration // until a change is seen at the other controllers
	Policy      Policy
	// MachineAccountQuota is how many computers a user without other rights may
	// add; nil: the profile's.
	MachineAccountQuota   *int
	AdministratorPassword string // "": DefaultPassword

	Clock   vclock.Clock // only read
	Journal *journal.Journal
	Timing  *timing.Profile
	Seed    vclock.Seed
	DB      *store.DB // nil: one of its own, in memory
	Since   time.Time // when the forest was made; zero: now
	Starts  int       // processes that have served this state, this one included; what DB counts itself need not be told
}

// DefaultPassword is the administrator's where nothing else is said.
const DefaultPassword = "Passw0rd!"

// Controller is a domain controller. The first one holds all operations master
// roles.
type Controller struct {
	Name string        // "dc1"
	Site string        // "": the first site
	Skew time.Duration // of its clock
}

// Site is a site with the subnets it serves, "10.1.0.0/16".
type Site struct {
	Name    string
	Subnets []string
}

// DefaultSite is the name of the site that a new forest has.
const DefaultSite = "Default-First-Site-Name"

// Directory is a forest's database. Make it with [New].
type Directory struct {
	o            Options
	domainDN     string
	configDN     string
	schemaDN     string
	sid          SID
	guid         GUID
	lostAndFound GUID
	sites        []Site
	subnets      []subnet
	rows         *store.Table[*object]
	counters     *store.Table[counter]

	mu         sync.Mutex
	replicas   []*Replica
	log        []logged // changes that some replica has not seen yet
	logged     uint64   // number of log[0]
	keys       map[GUID]keyset
	logons     map[GUID]logons
	changes    uint64 // of the store, that the replicas know
	created    uint64 // objects made by this process
	categories map[*classType]string
}

type subnet struct {
	prefix netip.Prefix
	site   string
}

// Errors of New.
var errNoDomain = errors.New("directory: a domain needs a DNS name")

// New makes a forest, or goes on with the one that o.DB keeps.
func New(o Options) (*Directory, error) {
	if err := o.complete(); err != nil {
		return nil, err
	}
	d := &Directory{o: o, sites: o.Sites, keys: map[GUID]keyset{}, logons: map[GUID]logons{}, categories: map[*classType]string{}}
	d.domainDN = "DC=" + strings.ReplaceAll(o.Domain, ".", ",DC=")
	d.configDN = "CN=Configuration," + d.domainDN
	d.schemaDN = "CN=Schema," + d.configDN
	d.guid, d.lostAndFound = d.newGUID("domain"), d.newGUID("lost and found")
	k := o.Seed.Key("fakead", "domain SID", o.Domain)
	d.sid = ldap.NewSID(5, 21, sub(k[0:]), sub(k[4:]), sub(k[8:]))
	if err := d.readSubnets(); err != nil {
		return nil, err
	}
	for i, c := range o.Controllers {
		d.replicas = append(d.replicas, newReplica(d, i, c))
	}
	d.rows = store.NewTable[*object](o.DB, "directory.objects")
	d.counters = store.NewTable[counter](o.DB, "directory.counters")
	if err := d.o.DB.Err(); err != nil {
		return nil, fmt.Errorf("directory: %w", err)
	}
	if d.restore() {
		return d, nil
	}
	if err := d.build(); err != nil {
		return nil, fmt.Errorf("directory: new forest %s: %w", o.Domain, err)
	}
	return d, nil
}

func sub(b []byte) uint32 {
	return uint32(b[0]) | uint32(b[1])<<8 | uint32(b[2])<<16 | uint32(b[3]&0x7f)<<24
}

func (o *Options) complete() error {
	o.Domain = strings.ToLower(strings.TrimSuffix(o.Domain, "."))
	if o.Domain == "" {
		return errNoDomain
	}
	if o.NetBIOS == "" {
		label, _, _ := strings.Cut(o.Domain, ".")
		o.NetBIOS = label[:min(15, len(label))]
	}
	o.NetBIOS = strings.ToUpper(o.NetBIOS)
	if o.Clock == nil {
		o.Clock = vclock.NewWall()
	}
	if o.Timing == nil {
		o.Timing = timing.Default()
	}
	if o.DB == nil {
		o.DB = store.New()
	}
	if o.Since.IsZero() {
		o.Since = o.Clock.Now()
	}
	if o.AdministratorPassword == "" {
		o.AdministratorPassword = DefaultPassword
	}
	if o.MachineAccountQuota == nil {
		o.MachineAccountQuota = &o.Timing.Hybrid.JoinQuota
	}
	if len(o.Controllers) == 0 {
		o.Controllers = []Controller{{Name: "dc1"}}
	}
	if len(o.Sites) == 0 {
		o.Sites = []Site{{Name: DefaultSite}}
	}
	o.Policy = o.Policy.complete(o.Timing)
	return o.completeControllers()
}

func (o *Options) completeControllers() error {
	list := append([]Controller(nil), o.Controllers...)
	seen := map[string]bool{}
	for i := range list {
		c := &list[i]
		if c.Name == "" || len(c.Name) > 15 || strings.ContainsAny(c.Name, ". ,=\"") {
			return fmt.Errorf("directory: %q cannot be a controller's name", c.Name)
		}
		if name := strings.ToLower(c.Name); seen[name] {
			return fmt.Errorf("directory: two controllers %s", c.Name)
		} else {
			seen[name] = true
		}
		if c.Site == "" {
			c.Site = o.Sites[0].Name
		}
		if !hasSite(o.Sites, c.Site) {
			return fmt.Errorf("directory: controller %s: there is no site %q", c.Name, c.Site)
		}
	}
	o.Controllers = list
	return nil
}

func hasSite(sites []Site, name string) bool {
	for _, s := range sites {
		if strings.EqualFold(s.Name, name) {
			return true
		}
	}
	return false
}

func (d *Directory) readSubnets() error {
	for _, s := range d.sites {
		for _, text := range s.Subnets {
			p, err := netip.ParsePrefix(text)
			if err != nil {
				return fmt.Errorf("directory: site %s: %w", s.Name, err)
			}
			d.subnets = append(d.subnets, subnet{p.Masked(), s.Name})
		}
	}
	return nil
}

// newGUID is a GUID that belongs to the names.
func (d *Directory) newGUID(names ...string) GUID {
	// A UUID of the seed always parses.
	g, _ := ldap.ParseGUID(d.o.Seed.UUID(append([]string{"fakead", d.o.Domain}, names...)...))
	return g
}

// Domain is the domain's DNS name in lower case, which is the forest's too.
func (d *Directory) Domain() string { return d.o.Domain }

// Realm is the Kerberos realm.
func (d *Directory) Realm() string { return strings.ToUpper(d.o.Domain) }

// NetBIOS is the domain's short name.
func (d *Directory) NetBIOS() string { return d.o.NetBIOS }

// DN is the domain's distinguished name.
func (d *Directory) DN() string { return d.domainDN }

// ConfigurationDN is the distinguished name of the configuration.
func (d *Directory) ConfigurationDN() string { return d.configDN }

// GUID is the domain's objectGUID.
func (d *Directory) GUID() GUID { return d.guid }

// SID is the domain's.
func (d *Directory) SID() SID { return d.sid }

// Timing is the profile that the directory was made with.
func (d *Directory) Timing() *timing.Profile { return d.o.Timing }

// Sites are the forest's sites.
func (d *Directory) Sites() []Site { return d.sites }

// SiteOf is the site of a client by its address: that of the longest subnet,
// the only one there is, or "" ([MS-ADTS] 6.3.3.2 leaves the site out then).
func (d *Directory) SiteOf(a netip.Addr) string {
	best, bits := "", -1
	for _, s := range d.subnets {
		if s.prefix.Contains(a.Unmap()) && s.prefix.Bits() > bits {
			best, bits = s.site, s.prefix.Bits()
		}
	}
	if bits < 0 && len(d.sites) == 1 {
		return d.sites[0].Name
	}
	return best
}

// Replicas are what each controller knows, in the controllers' order.
func (d *Directory) Replicas() []*Replica { return d.replicas }

// Primary is the first controller's replica, which holds the operations master
// roles: wrong passwords are tried there again.
func (d *Directory) Primary() *Replica { return d.replicas[0] }

// Replica is that of a controller by its name, with or without the domain; nil
// where there is none.
func (d *Directory) Replica(name string) *Replica {
	name = strings.TrimSuffix(strings.ToLower(name), "."+d.o.Domain)
	for _, r := range d.replicas {
		if strings.ToLower(r.c.Name) == name {
			return r
		}
	}
	return nil
}
