package scenario

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"windtunnel.test/sim/wire/csp"
	"windtunnel.test/sim/wire/graph"
	"windtunnel.test/sim/wire/hwhash"
	"windtunnel.test/sim/wire/problem"
)

func (c *checker) fleet() {
	f := &c.s.Fleet
	c.notEmpty("fleet.groups", len(f.Groups))
	if n := f.Count(); n > MaxDevices {
		c.wrong("fleet.groups", "%d PCs are too many; at most %d", n, MaxDevices)
	} else if n > 0 && c.s.Cells > n {
		c.wrong("cells", "%d cells are too many for %d PCs", c.s.Cells, n)
	}
	seen := map[string]bool{}
	for i := range f.Groups {
		g, path := &f.Groups[i], fmt.Sprintf("fleet.groups[%d]", i)
		c.name(path+".name", g.Name, seen, "fleet group")
		c.known(path+".makes", g.Makes, c.options.Makes, "product line")
		c.known(path+".tpms", g.TPMs, c.options.TPMModels, "TPM model")
		c.possible(path+".tpmState", g.TPMState, g.TPMs)
		c.image(path, g)
		for k, d := range g.Destinations {
			c.site(fmt.Sprintf("%s.destinations[%d]", path, k), d.Name)
		}
		g.AssignedUser = c.user(path+".assignedUser", g.AssignedUser)
		if g.Bench == "" && g.Flow == Preprovision {
			g.Bench = c.onlyBench(path)
		}
		c.site(path+".bench", g.Bench)
		if g.Flow == Preprovision {
			c.crew(path+".bench", g.Bench)
		}
	}
	c.imported()
	c.overrides()
	c.recipients()
}

// image checks what the maker put on the disk.
func (c *checker) image(path string, g *Group) {
	names := map[string]bool{}
	for i, p := range g.Packages {
		at := fmt.Sprintf("%s.provisioningPackages[%d]", path, i)
		c.name(at+".name", p.Name, names, "package")
		for k, s := range p.Settings {
			if _, err := csp.Parse(s.URI); err != nil && s.URI != "" {
				c.wrong(fmt.Sprintf("%s.settings[%d].uri", at, k), "%q is no LocURI; it starts with ./Device/, ./User/ or ./Vendor/", s.URI)
			}
		}
	}
	problems := graph.AppExtension{Registry: g.Registry}.Problems()
	for _, member := range slices.Sorted(maps.Keys(problems)) {
		c.wrong(path+"."+member, "%s", problems[member])
	}
}

// possible refuses a state that none of the TPMs can be in; where some can, they
// are the ones that are.
func (c *checker) possible(path string, state TPMState, tpms Weights) {
	can := func(w Weight) bool {
		return c.options.TPMCan(w.Name, state) || !slices.Contains(c.options.TPMModels, w.Name) // another mistake
	}
	if c.options.TPMCan != nil && len(tpms) > 0 && state != TPMReady && state != "" && !slices.ContainsFunc(tpms, can) {
		c.wrong(path, "no TPM of %s can be %s", strings.Join(tpms.Names(), ", "), state)
	}
}

func (c *checker) known(path string, w Weights, names []string, what string) {
	for i, x := range w {
		at := fmt.Sprintf("%s[%d]", path, i)
		if _, given := c.places[at]; !given {
			at = path
		}
		if names != nil && !slices.Contains(names, x.Name) {
			c.wrong(at, "there is no %s %q%s", what, x.Name, choose(x.Name, names))
		}
		if slices.ContainsFunc(w[:i], func(y Weight) bool { return y.Name == x.Name }) {
			c.wrong(at, "%q is there twice", x.Name)
		}
	}
}

// onlyBench is the site of the technicians where they have only one.
func (c *checker) onlyBench(path string) string {
	var sites []string
	for _, t := range c.s.People.Technicians {
		if !slices.Contains(sites, t.Site) {
			sites = append(sites, t.Site)
		}
	}
	switch {
	case len(sites) == 1:
		return sites[0]
	case len(sites) > 1:
		c.wrong(path, "bench is missing; technicians work at %s", strings.Join(sites, ", "))
	case c.places["people.technicians"] == (place{}):
		c.wrong(path, "PCs that are pre-provisioned need people.technicians, or flow: user-driven")
	}
	return ""
}

// crew checks that somebody works at a bench, in every cell.
func (c *checker) crew(path, bench string) {
	if _, ok := c.s.Site(bench); !ok {
		return
	}
	n := 0
	for _, t := range c.s.People.Technicians {
		if t.Site == bench {
			n += t.Count
		}
	}
	switch {
	case n == 0 && !c.below("people.technicians"):
		c.wrong(path, "no technician works at %q", bench)
	case n > 0 && n < c.s.Cells:
		c.wrong("cells", "%d cells are too many for %d technicians at %q; each cell needs one", c.s.Cells, n, bench)
	}
}

// below reports whether a mistake in a section was noted already, so that what
// follows from it is not.
func (c *checker) below(section string) bool {
	return slices.ContainsFunc(c.problems, func(p problem.Problem) bool { return strings.Contains(p.Message, section) })
}

func (c *checker) imported() {
	im := c.s.Fleet.Import
	if im == nil {
		return
	}
	groups := c.s.Fleet.Groups
	if im.Group == "" && len(groups) > 0 {
		im.Group = groups[0].Name
	}
	var names []string
	for _, g := range groups {
		names = append(names, g.Name)
		if g.Name == im.Group && len(im.Rows) > g.Count && g.Count > 0 {
			c.wrong("fleet.import", "%d rows are too many for the %d PCs of the group %q", len(im.Rows), g.Count, g.Name)
		}
	}
	if !slices.Contains(names, im.Group) && im.Group != "" {
		c.wrong("fleet.import.group", "there is no fleet group %q%s", im.Group, choose(im.Group, names))
	}
	serials, hashes := map[string]bool{}, map[string]bool{}
	for i, r := range im.Rows {
		path := fmt.Sprintf("fleet.import.rows[%d]", i)
		if c.name(path+".serial", r.Serial, serials, "row with the serial number"); hashes[r.Hash] && r.Hash != "" {
			c.wrong(path+".hash", "this hardware hash is there twice")
		}
		hashes[r.Hash] = true
		if _, err := hwhash.DecodeBase64(r.Hash); err != nil && r.Hash != "" {
			c.wrong(path+".hash", "%s", strings.TrimPrefix(err.Error(), "hwhash: "))
		}
	}
}

func (c *checker) overrides() {
	f := &c.s.Fleet
	indexes, serials := map[int]bool{}, map[string]bool{}
	for i := range f.Devices {
		o, path := &f.Devices[i], fmt.Sprintf("fleet.devices[%d]", i)
		switch n := f.Count(); {
		case o.Index == 0 && o.Serial == "":
			if !c.below(path) {
				c.wrong(path, "index is missing; it says which PC is meant (or serial, for an imported one)")
			}
		case o.Index == 0 && (f.Import == nil || !slices.ContainsFunc(f.Import.Rows, func(r Row) bool { return r.Serial == o.Serial })):
			c.wrong(path+".serial", "no imported PC has the serial number %q; with index it would be given to a PC", o.Serial)
		case o.Index > n && n > 0:
			c.wrong(path+".index", "the fleet has %d PCs only", n)
		case o.Index > 0 && indexes[o.Index]:
			c.wrong(path+".index", "PC %d is there twice", o.Index)
		}
		indexes[o.Index] = true
		if o.Serial != "" {
			c.name(path+".serial", o.Serial, serials, "PC with the serial number")
		}
		c.known(path+".make", one(o.Make), c.options.Makes, "product line")
		c.known(path+".tpm", one(o.TPM), c.options.TPMModels, "TPM model")
		if o.TPMState != nil {
			tpms := one(o.TPM)
			if g, ok := f.groupOf(o.Index); ok && tpms == nil {
				tpms = g.TPMs
			}
			c.possible(path+".tpmState", *o.TPMState, tpms)
		}
		o.User = c.user(path+".user", o.User)
		if o.AssignedUser != nil {
			name := c.user(path+".assignedUser", *o.AssignedUser)
			o.AssignedUser = &name
		}
		c.site(path+".destination", o.Destination)
		if o.Bench != "" {
			c.site(path+".bench", o.Bench)
			c.crew(path+".bench", o.Bench)
		}
	}
}

func one(name string) Weights {
	if name == "" {
		return nil
	}
	return Weights{{name, 1}}
}

// recipients checks that there is somebody to hand the PCs to.
func (c *checker) recipients() {
	t, group := &c.s.Tenant, c.s.People.Users.Group
	if c.s.Fleet.Count() == 0 || c.below("tenant") || c.below("people.users") {
		return
	}
	if group == "" {
		if len(t.Users) == 0 && t.MoreUsers == nil {
			c.wrong("tenant", "there are no users to hand the PCs to; add users or moreUsers")
		}
		return
	}
	members := t.MoreUsers != nil && slices.Contains(t.MoreUsers.Groups, group)
	for _, g := range t.Groups {
		members = members || g.ID == group && len(g.Members) > 0
	}
	if !members {
		c.wrong("people.users.group", "the group has no users to hand the PCs to")
	}
}
