package scenario

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"windtunnel.test/sim/fault"
	"windtunnel.test/sim/timing"
	"windtunnel.test/sim/vclock"
)

// checker looks at what is right in form: whether names lead somewhere, numbers
// fit together, nothing is there twice. It also fills in what follows from the
// rest: ids, ids in place of names. What is wrong in form already (and so is
// zero here) it passes over.
type checker struct {
	*decoder
	s        *Scenario
	accounts map[string]User // named users by principal name and id, lower case
}

func (c *checker) all() {
	c.tenant()
	c.others()
	c.sites()
	c.domain()
	c.people()
	c.fleet()
	c.attestation()
	c.timeline()
	c.faults()
	c.timing()
	c.load()
}

// idOf makes the id of an object that has none: the same in every run.
func idOf(collection, name string) string {
	return vclock.Seed(0).UUID("scenario", collection, strings.ToLower(name))
}

func (c *checker) sites() {
	seen := map[string]bool{}
	c.notEmpty("sites", len(c.s.Sites))
	for i, s := range c.s.Sites {
		path := fmt.Sprintf("sites[%d]", i)
		c.name(path+".name", s.Name, seen, "site")
		if s.Loss >= 1 {
			c.wrong(path+".loss", "nothing would ever get through; below 100%%")
		}
		for k, b := range s.Block {
			c.hostGlob(fmt.Sprintf("%s.block[%d].host", path, k), b.Host)
		}
		if s.Proxy != nil {
			for k, host := range s.Proxy.Bypass {
				c.hostGlob(fmt.Sprintf("%s.proxy.bypass[%d]", path, k), host)
			}
		}
	}
}

// notEmpty refuses a list that is there and holds nothing.
func (c *checker) notEmpty(path string, n int) {
	if _, given := c.places[path]; given && n == 0 && !c.below(path) {
		c.wrong(path, "there must be at least one")
	}
}

// name checks that a thing has a name of its own.
func (c *checker) name(path, name string, seen map[string]bool, what string) {
	switch {
	case name == "" && c.places[path] != (place{}):
		c.wrong(path, "is empty")
	case name != strings.TrimSpace(name):
		c.wrong(path, "%q has spaces around it", name)
	case name != "" && seen[name]:
		c.wrong(path, "there is another %s %q", what, name)
	}
	seen[name] = true
}

func (c *checker) hostGlob(path, host string) {
	if strings.Contains(host, "/") || strings.ContainsAny(host, " :[]\\") {
		c.wrong(path, "%q is no host name; write the name alone, * for any run of characters", host)
	} else if host == "" && c.places[path] != (place{}) {
		c.wrong(path, "is empty")
	}
}

// site checks a reference to a site.
func (c *checker) site(path, name string) {
	if len(c.s.Sites) == 0 || name == "" {
		return
	}
	var names []string
	for _, s := range c.s.Sites {
		names = append(names, s.Name)
	}
	if !slices.Contains(names, name) {
		c.wrong(path, "there is no site %q%s", name, choose(name, names))
	}
}

func (c *checker) people() {
	p := &c.s.People
	for i, t := range p.Technicians {
		c.site(fmt.Sprintf("people.technicians[%d].site", i), t.Site)
	}
	if p.Users.Group != "" {
		p.Users.Group = c.group("people.users.group", p.Users.Group)
	}
	if as := p.Users.SignsInAs; as != "" {
		if _, ok := c.s.Account(as); !ok {
			c.wrong("people.users.signsInAs", "there is no account %q, neither in tenant.users nor in otherTenants", as)
		}
	}
	if _, given := c.places["people.users.language"]; given && !languageTag.MatchString(p.Users.Language) {
		c.wrong("people.users.language", "%q is no language; write a tag such as en-US", p.Users.Language)
	}
}

func (c *checker) faults() {
	seen := map[string]bool{}
	for i, r := range c.s.Faults {
		path := fmt.Sprintf("faults[%d]", i)
		c.name(path+".name", r.Name, seen, "fault")
		if r.Name != "" {
			c.faultRule(path, r)
		}
	}
}

func (c *checker) faultRule(path string, r fault.Rule) {
	err := r.Validate()
	list := []error{err}
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		list = joined.Unwrap()
	}
	for _, e := range list {
		if e != nil {
			_, text, _ := strings.Cut(e.Error(), fmt.Sprintf("fault %q: ", r.Name))
			c.wrong(path, "%s", text)
		}
	}
}

// limits are those of the scenario's timing profile; where that has mistakes, of
// which timing tells, those of the real services.
func (c *checker) limits() *timing.Profile {
	if p, err := c.s.Timing.NewProfile(); err == nil {
		return p
	}
	return timing.Default()
}

func (c *checker) timing() {
	t := &c.s.Timing
	if !slices.Contains(timing.Names(), t.Profile) {
		if t.Profile != "" {
			c.wrong("timing.profile", "there is no profile %q%s", t.Profile, choose(t.Profile, timing.Names()))
		}
		return
	}
	p, err := timing.Load(t.Profile)
	if err != nil {
		c.wrong("timing.profile", "%v", err)
		return
	}
	switches := map[string]bool{}
	for _, e := range p.Entries() {
		switches[e.Path] = e.Unit == "switch" || e.Unit == "choice"
	}
	for _, path := range t.Overrides.paths() {
		c.override(p, "timing.overrides", path, t.Overrides[path])
	}
	for _, path := range t.Switches.paths() {
		if is, known := switches[path]; known && !is {
			c.wrong("timing.switches."+path, "is a figure, no switch; write it below overrides")
			continue
		}
		if _, twice := t.Overrides[path]; twice {
			c.wrong("timing.switches."+path, "is set below overrides as well")
		}
		c.override(p, "timing.switches", path, t.Switches[path])
	}
}

func (c *checker) override(p *timing.Profile, section, path string, v any) {
	if err := p.Override(map[string]any{path: v}); err != nil {
		text := strings.TrimPrefix(err.Error(), "timing: ")
		c.wrong(section+"."+path, "%s", strings.TrimPrefix(text, path+": "))
	}
}

func (c *checker) timeline() {
	for i := range c.s.Timeline {
		change, path := &c.s.Timeline[i], fmt.Sprintf("timeline[%d]", i)
		at := change.At
		if at.Event == nil && at.After.After(c.s.Start).After(c.s.Until.After(c.s.Start)) {
			c.wrong(path+".at", "%s is after the end of the run (until: %s)", at.After, c.s.Until)
		}
		if at.Event != nil {
			if err := eventKind(at.Event.Event); err != nil {
				c.wrong(path+".at.event", "%v", err)
			}
		}
		c.action(path+".do", &change.Do)
	}
}

// action checks that there is exactly one, and its references.
func (c *checker) action(path string, a *Action) {
	var given []string
	v := reflect.ValueOf(a).Elem()
	for _, f := range fieldsOf(v.Type()) {
		if !v.FieldByIndex(f.index).IsNil() {
			given = append(given, f.key)
		}
	}
	if len(given) != 1 && c.places[path] != (place{}) && !c.below(path) {
		c.wrong(path, "want one action, have %d; write another entry for each", len(given))
	}
	if x := a.Assign; x != nil {
		c.assign(path+".assign", x)
	}
	if x := a.Unassign; x != nil {
		c.assign(path+".unassign", x)
	}
	for key, x := range map[string]*HostAt{"block": a.Block, "unblock": a.Unblock} {
		if x != nil {
			c.site(path+"."+key+".site", x.Site)
			c.hostGlob(path+"."+key+".host", x.Host)
		}
	}
	if x := a.AssignUser; x != nil {
		c.user(path+".assignUser.user", x.User)
	}
	c.domainAction(path, a)
	c.handsOn(path, a)
}

// assign finds the object among the tenant's collections.
func (c *checker) assign(path string, a *Assign) {
	if a.To != "" && a.To != AllDevices && a.To != AllUsers {
		a.To = c.group(path+".to", a.To)
	}
	if a.Object == "" {
		return
	}
	if c.dropped[strings.ToLower(a.Object)] {
		if len(c.problems) == 0 {
			c.wrong(path+".object", "%q is of a type that is not modelled", a.Object)
		}
		return
	}
	found := map[string]string{} // id to collection
	var names []string
	for _, o := range c.assignable() {
		names = append(names, *o.name)
		if strings.EqualFold(*o.id, a.Object) || strings.EqualFold(*o.name, a.Object) {
			found[*o.id] = o.collection
		}
	}
	switch len(found) {
	case 0:
		c.wrong(path+".object", "the tenant has no object %q%s", a.Object, near(a.Object, names))
	case 1:
		a.Object = slices.Collect(maps.Keys(found))[0]
		a.Collection = found[a.Object]
	default:
		c.wrong(path+".object", "%d objects are called %q; write the id", len(found), a.Object)
	}
}
