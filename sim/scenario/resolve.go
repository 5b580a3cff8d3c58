package scenario

import (
	"slices"
	"strings"

	"windtunnel.test/sim/vclock"
	"windtunnel.test/sim/wire/problem"
	"windtunnel.test/sim/wire/ztd"
)

// Flags are what a command line changes about a scenario.
type Flags struct {
	Devices int          // size of the fleet; 0 leaves it
	Cells   int          // 0 leaves it
	Seed    *vclock.Seed // nil leaves it
	Import  []ztd.Row    // the fleet is these devices, or has them among Devices
	File    string       // the file that Import was read from, for messages
}

// Resolve gives the scenario as it will run: a copy with the flags worked in.
// Written with Marshal it is what a replay needs. s is not changed.
//
// Another size scales the groups; those that would be empty are gone, and so
// are overrides of PCs that are not there. A fleet has never fewer PCs than
// cells. Imported devices go the way of the first group, and the other groups
// are left out.
func (s *Scenario) Resolve(f Flags) (*Scenario, problem.List) {
	var problems problem.List
	r := *s
	r.Fleet.Groups, r.Fleet.Devices = slices.Clone(s.Fleet.Groups), slices.Clone(s.Fleet.Devices)
	if f.Seed != nil {
		r.Seed = *f.Seed
	}
	switch {
	case f.Devices < 0 || f.Devices > MaxDevices:
		problems.Addf("--devices", 0, 0, "%d is not between 1 and %d", f.Devices, MaxDevices)
	case f.Devices > 0 && f.Devices < len(f.Import):
		problems.Addf("--devices", 0, 0, "%d is less than the %d devices of --import", f.Devices, len(f.Import))
	case f.Import == nil && s.Fleet.Import != nil && f.Devices > 0 && f.Devices < len(s.Fleet.Import.Rows):
		problems.Addf("--devices", 0, 0, "%d is less than the %d imported devices of the scenario", f.Devices, len(s.Fleet.Import.Rows))
	}
	problems = append(problems, s.strangers(f)...)
	if len(problems) > 0 {
		return nil, problems
	}
	if len(f.Import) > 0 {
		r.importRows(f.Import)
		f.Devices = max(f.Devices, len(f.Import))
	}
	if f.Devices > 0 {
		r.scale(f.Devices)
	}
	if f.Cells > 0 {
		r.Cells = f.Cells
	}
	r.Cells = min(r.Cells, r.Fleet.Count())
	if f.Cells > 0 {
		problems = r.crewsFor()
	}
	return &r, problems
}

// strangers are the rows whose assigned user is nobody in the tenant: the
// portal refuses them one by one, long after.
func (s *Scenario) strangers(f Flags) (problems problem.List) {
	users := map[string]bool{}
	for _, row := range f.Import {
		if row.AssignedUser == "" {
			continue
		}
		if len(users) == 0 {
			for _, u := range s.Tenant.AllUsers() {
				users[strings.ToLower(u.UserPrincipalName)] = true
			}
		}
		if !users[strings.ToLower(row.AssignedUser)] {
			problems.Addf(f.File, row.Line, row.UserColumn, "the tenant has no user %q; add one to tenant.users, or leave the column empty", row.AssignedUser)
		}
	}
	return problems
}

// crewsFor says at which benches there are not enough technicians for the
// number of cells.
func (s *Scenario) crewsFor() (problems problem.List) {
	at := map[string]int{}
	for _, t := range s.People.Technicians {
		at[t.Site] += t.Count
	}
	told := map[string]bool{}
	for _, d := range s.Devices() {
		if n := at[d.Bench]; d.Flow == Preprovision && n < s.Cells && !told[d.Bench] {
			told[d.Bench] = true
			problems.Addf("--cells", 0, 0, "%d cells are too many for %d technicians at %q; each cell needs one", s.Cells, n, d.Bench)
		}
	}
	return problems
}

func (s *Scenario) importRows(rows []ztd.Row) {
	s.Fleet.Groups = s.Fleet.Groups[:1]
	im := &Import{Group: s.Fleet.Groups[0].Name}
	for _, row := range rows {
		im.Rows = append(im.Rows, rowOf(row))
	}
	s.Fleet.Import = im
	s.Fleet.Devices = slices.DeleteFunc(s.Fleet.Devices, func(o Override) bool {
		return o.Index == 0 && !slices.ContainsFunc(im.Rows, func(r Row) bool { return r.Serial == o.Serial })
	})
}

func (s *Scenario) scale(devices int) {
	weights := make([]float64, len(s.Fleet.Groups))
	for i, g := range s.Fleet.Groups {
		weights[i] = float64(g.Count)
	}
	counts := apportion(devices, weights)
	if im := s.Fleet.Import; im != nil {
		at := slices.IndexFunc(s.Fleet.Groups, func(g Group) bool { return g.Name == im.Group })
		for i := range counts { // the group of the rows is never smaller than they are
			for i != at && counts[i] > 0 && counts[at] < len(im.Rows) {
				counts[i]--
				counts[at]++
			}
		}
	}
	kept := s.Fleet.Groups[:0]
	for i, g := range s.Fleet.Groups {
		if g.Count = counts[i]; g.Count > 0 {
			kept = append(kept, g)
		}
	}
	s.Fleet.Groups = kept
	s.Fleet.Devices = slices.DeleteFunc(s.Fleet.Devices, func(o Override) bool { return o.Index > devices })
}
