package scenario

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"windtunnel.test/sim/wire/installer"
	"windtunnel.test/sim/wire/ppkg"
)

// Device is one PC of the fleet: everything that the scenario decides about it.
// What it leaves open ("" and zero) the world draws.
type Device struct {
	Index        int    // from 1
	Name         string // PC-0001
	Cell         int    // from 0
	Group        string // fleet group
	Make         string // product line; "" any
	TPM          string // model; "" any
	TPMState     TPMState
	Chip         int    // the how-manyeth chip of its model in the fleet, from 0
	Named        int    // the most chips of one model that the fleet asks for by name
	Serial       string // "" drawn, or that of Imported
	Wireless     bool
	SecureBoot   bool
	BitLocker    bool
	Windows      Windows
	Flow         Flow
	GroupTag     string
	AssignedUser string // user principal name that it is registered with; "" none
	User         string // user principal name of who gets it
	Bench        string // site of the technician flow; "" in user-driven flow
	Destination  string // site of the user flow
	Clock        ClockOffset
	Imported     *Row
	Packages     map[string][]byte         // provisioning packages, by file name
	Registry     []installer.RegistryValue // what the maker's image brings
	Unregistered bool                      // its hash is not imported
	Cores        int                       // 0: its make's
	Memory       Size                      // 0: its make's
	Hasty        bool                      // it comes before a profile is assigned to it
	FreeSpace    int64                     // bytes on its disk; 0: what the disk has

	arrival, shelf SpanRange
	draw           [2]float64
}

// Arrives is when the PC comes to the bench, or in user-driven flow to its
// user, once it is registered.
func (d Device) Arrives(registered time.Time) time.Time {
	return d.arrival.After(registered, d.draw[0])
}

// Unpacked is when its user switches it on, once it was resealed.
func (d Device) Unpacked(resealed time.Time) time.Time { return d.shelf.After(resealed, d.draw[1]) }

// recipients are the users who get PCs, in turn.
func (s *Scenario) recipients() []User {
	all := s.Tenant.AllUsers()
	if s.People.Users.Group == "" {
		return all
	}
	members := map[string]bool{}
	for _, g := range s.Tenant.AllGroups() {
		if g.ID == s.People.Users.Group {
			for _, m := range g.Members {
				members[m.ID] = true
			}
		}
	}
	return slices.DeleteFunc(all, func(u User) bool { return !members[u.ID] })
}

// Devices deals the fleet out. Shares and weights are kept exactly, as far as
// whole PCs allow; which PC gets what is drawn from the seed. PCs go to the
// cells in turn.
func (s *Scenario) Devices() []Device {
	list := make([]Device, 0, s.Fleet.Count())
	for gi := range s.Fleet.Groups {
		list = s.dealGroup(list, &s.Fleet.Groups[gi])
	}
	s.dealPeople(list)
	s.applyOverrides(list)
	chips, named := map[string]int{}, 0
	for i := range list {
		list[i].Chip = chips[list[i].TPM]
		chips[list[i].TPM]++
		if list[i].TPM != "" {
			named = max(named, chips[list[i].TPM])
		}
	}
	for i := range list {
		list[i].Named = named
	}
	return list
}

func (s *Scenario) stream(names ...string) *rand.Rand {
	return s.Seed.Derive("fleet").Stream(names...)
}

// packages are the group's provisioning packages as files, nil for none.
func (g Group) packages() map[string][]byte {
	var out map[string][]byte
	for _, p := range g.Packages {
		if file, err := p.ppkg().Encode(); err == nil { // Load has refused others
			if out == nil {
				out = map[string][]byte{}
			}
			out[p.Name+ppkg.Extension] = file
		}
	}
	return out
}

func (s *Scenario) dealGroup(list []Device, g *Group) []Device {
	digits := max(4, len(fmt.Sprint(s.Fleet.Count())))
	packages := g.packages()
	makes := deal(s.stream(g.Name, "makes"), g.Count, g.Makes)
	tpms := deal(s.stream(g.Name, "tpms"), g.Count, g.TPMs)
	destinations := deal(s.stream(g.Name, "destinations"), g.Count, g.Destinations)
	wireless := chosen(s.stream(g.Name, "wireless"), g.Count, g.Wireless)
	var rows []Row
	if im := s.Fleet.Import; im != nil && im.Group == g.Name {
		rows = im.Rows
	}
	for i := range g.Count {
		n := len(list) + 1
		r := s.stream("times", fmt.Sprint(n))
		d := Device{Index: n, Name: fmt.Sprintf("PC-%0*d", digits, n), Cell: (n - 1) % s.Cells, Group: g.Name,
			Make: makes[i], TPM: tpms[i], TPMState: g.TPMState, Wireless: wireless[i], SecureBoot: g.SecureBoot, BitLocker: g.BitLocker, Windows: g.Windows, Flow: g.Flow, GroupTag: g.GroupTag,
			AssignedUser: g.AssignedUser, User: g.AssignedUser, Bench: g.Bench, Destination: destinations[i], Packages: packages, Registry: g.Registry, Unregistered: !g.Registered, Hasty: g.Hasty, Cores: g.Cores, Memory: g.Memory, FreeSpace: int64(g.FreeSpace),
			arrival: g.Arrival, shelf: g.Shelf, draw: [2]float64{r.Float64(), r.Float64()}}
		if i < len(rows) {
			row := rows[i]
			d.Imported, d.Serial, d.GroupTag = &row, row.Serial, row.GroupTag
			if row.AssignedUser != "" {
				d.AssignedUser = row.AssignedUser
			}
		}
		list = append(list, d)
	}
	return list
}

// dealPeople gives every PC its user, and registers some with theirs.
func (s *Scenario) dealPeople(list []Device) {
	users := s.recipients()
	if len(users) == 0 {
		return
	}
	known := map[string]string{}
	for _, u := range s.Tenant.AllUsers() {
		known[strings.ToLower(u.UserPrincipalName)] = u.UserPrincipalName
	}
	preassigned := chosen(s.stream("preassigned"), len(list), s.People.Users.Preassigned)
	for i := range list {
		d := &list[i]
		if d.User == "" {
			if d.User = known[strings.ToLower(d.AssignedUser)]; d.User == "" {
				d.User = users[i%len(users)].UserPrincipalName
			}
		}
		if preassigned[i] && d.AssignedUser == "" {
			d.AssignedUser = d.User
		}
	}
}

func (s *Scenario) applyOverrides(list []Device) {
	for _, o := range s.Fleet.Devices {
		i := o.Index - 1
		if o.Index == 0 {
			i = slices.IndexFunc(list, func(d Device) bool { return d.Imported != nil && d.Serial == o.Serial })
		}
		if i >= 0 && i < len(list) {
			o.apply(&list[i])
		}
	}
}

func (o Override) apply(d *Device) {
	set(&d.Make, o.Make)
	set(&d.TPM, o.TPM)
	set(&d.Serial, o.Serial)
	set(&d.Bench, o.Bench)
	set(&d.Destination, o.Destination)
	put(&d.TPMState, o.TPMState)
	put(&d.Wireless, o.Wireless)
	put(&d.SecureBoot, o.SecureBoot)
	put(&d.BitLocker, o.BitLocker)
	put(&d.Windows.Build, o.Build)
	put(&d.Windows.Edition, o.Edition)
	put(&d.Flow, o.Flow)
	put(&d.GroupTag, o.GroupTag)
	put(&d.arrival, o.Arrival)
	put(&d.shelf, o.Shelf)
	put(&d.Clock, o.Clock)
	if o.AssignedUser != nil {
		d.AssignedUser = *o.AssignedUser
		set(&d.User, *o.AssignedUser)
	}
	set(&d.User, o.User)
}

func set(to *string, v string) {
	if v != "" {
		*to = v
	}
}

func put[T any](to, v *T) {
	if v != nil {
		*to = *v
	}
}

// deal gives n names by weight, each as often as its weight says, in an order
// that is drawn; "" without weights.
func deal(r *rand.Rand, n int, w Weights) []string {
	list := make([]string, n)
	if len(w) == 0 {
		return list
	}
	weights := make([]float64, len(w))
	for i, x := range w {
		weights[i] = x.Weight
	}
	at := 0
	for i, count := range apportion(n, weights) {
		for range count {
			list[at], at = w[i].Name, at+1
		}
	}
	r.Shuffle(n, func(i, j int) { list[i], list[j] = list[j], list[i] })
	return list
}

// chosen marks a share of n.
func chosen(r *rand.Rand, n int, share Share) []bool {
	list := make([]bool, n)
	for i := range share.Of(n) {
		list[i] = true
	}
	r.Shuffle(n, func(i, j int) { list[i], list[j] = list[j], list[i] })
	return list
}

// apportion divides n by weights, largest remainders first.
func apportion(n int, weights []float64) []int {
	total := 0.0
	for _, w := range weights {
		total += w
	}
	counts, rest := make([]int, len(weights)), make([]float64, len(weights))
	left := n
	for i, w := range weights {
		exact := float64(n) * w / total
		counts[i] = int(exact)
		rest[i] = exact - float64(counts[i])
		left -= counts[i]
	}
	for ; left > 0; left-- {
		best := 0
		for i := range rest {
			if rest[i] > rest[best] {
				best = i
			}
		}
		counts[best]++
		rest[best]--
	}
	return counts
}
