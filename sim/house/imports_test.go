package house

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const module = "windtunnel.test/"

// room is one row of the table of rooms: packages that begin with one of the
// prefixes may import packages that begin with one of may, and themselves
// where the rooms are siblings that know each other.
type room struct {
	prefix string
	may    []string
}

// Floors, named as the table of rooms has them.
var (
	floor0  = []string{"sim/wire", "sim/hresult", "sim/vclock"}
	small   = []string{"sim/timing", "sim/journal", "sim/fault", "sim/store", "sim/pki"}
	low     = slices.Concat(floor0, small)                                 // floors 0 and 1
	beneath = slices.Concat(low, []string{"sim/vnet"})                     // what services may use
	machine = slices.Concat(beneath, []string{"sim/vtpm", "sim/adclient"}) // what a device may use
	windows = slices.Concat(machine, []string{"sim/device"})               //
	ground  = slices.Concat(windows, []string{"fakeintune", "fakeentra", "fakead", "sim/internet", "sim/graphfront"})
	world   = slices.Concat(ground, []string{"sim", "sim/scenario"})
)

// rooms is ordered: the first prefix that fits a package is its room.
var rooms = []room{
	{"sim/wire", []string{"sim/wire", "sim/hresult"}},
	{"sim/hresult", nil},
	{"sim/vclock", nil},
	{"sim/house", nil},
	{"sim/timing", []string{"sim/vclock", "sim/wire/problem"}},
	{"sim/pki", []string{"sim/vclock"}},
	{"sim/journal", []string{"sim/vclock", "sim/hresult", "sim/timing"}},
	{"sim/fault", []string{"sim/vclock", "sim/hresult", "sim/timing", "sim/journal"}},
	{"sim/store", []string{"sim/vclock", "sim/hresult", "sim/timing"}},
	{"sim/vnet", low},
	{"sim/vtpm/mssim", slices.Concat(low, []string{"sim/vtpm"})},
	{"sim/vtpm", low},
	{"fakeintune", slices.Concat(beneath, []string{"fakeintune"})},
	{"fakeentra", slices.Concat(beneath, []string{"fakeentra"})},
	{"fakead", slices.Concat(beneath, []string{"fakead", "sim/adclient"})},
	{"sim/adclient", low},
	{"sim/internet", beneath},
	{"sim/graphfront", beneath},
	{"sim/device/diag", windows},
	{"sim/device/defects", nil}, // a table
	{"sim/device/mdm", []string{"=sim/device", "sim/device/defects"}},
	{"sim/device/ime", []string{"=sim/device", "sim/device/defects"}},
	{"sim/device/join", []string{"=sim/device", "sim/device/defects"}},
	{"sim/device/esp", []string{"=sim/device", "sim/device/defects", "sim/device/mdm", "sim/device/ime", "sim/device/join"}},
	{"sim/device/oobe", []string{"=sim/device", "sim/device/defects", "sim/device/esp", "sim/device/mdm", "sim/device/ime", "sim/device/join", "sim/device/diag"}},
	{"sim/device", slices.Concat(machine, []string{"sim/device/defects"})},
	{"sim/scenario", slices.Concat(low, []string{"sim/vnet"})},
	{"sim/outcome", slices.Concat(low, []string{"sim/scenario"})},
	{"sim/catalog", slices.Concat(world, []string{"sim/outcome", "scenarios/knownissues"})},
	{"sim/load", slices.Concat(world, []string{"sim/outcome", "sim/report/chart"})},
	{"sim/report/chart", nil}, // numbers and names alone, for any page
	{"sim/report", slices.Concat(world, []string{"sim/outcome"})},
	{"sim/serve", slices.Concat(world, []string{"sim/outcome"})},
	{"sim/ending", world},
	{"sim/shrink", slices.Concat(world, []string{"sim/outcome"})},
	{"sim/explain", slices.Concat(world, []string{"sim/ending", "sim/outcome", "sim/catalog", "sim/report"})},
	{"sim/invariant", world},
	{"sim/walk", slices.Concat(world, []string{"sim/ending", "sim/invariant", "sim/outcome"})},
	{"sim/spec", slices.Concat(world, []string{"sim/outcome", "sim/report", "sim/ending"})},
	{"sim/expect", slices.Concat(world, []string{"sim/outcome", "sim/report"})},
	{"sim/cmd/windtunnel", []string{"=sim", "sim/walk", "sim/scenario", "sim/outcome", "sim/catalog", "sim/explain", "sim/shrink", "sim/load", "sim/report", "sim/serve", "sim/vtpm", "sim/vclock", "sim/vnet", "sim/journal", "sim/hresult", "sim/wire/problem", "scenarios/quickstart"}},
	{"scenarios/quickstart", nil},  // embedded data
	{"scenarios/knownissues", nil}, // embedded data
	{"scenarios", []string{"sim", "fakeintune", "fakeentra", "fakead", "scenarios"}},
	{"sim", slices.Concat(ground, []string{"sim/scenario", "sim/outcome"})},
}

// clientBase is what the acting parts of Windows may use beside their siblings.
var clientBase = machine

func TestImportsFollowTheTableOfRooms(t *testing.T) {
	for pkg, imports := range packages(t) {
		r, ok := roomOf(pkg)
		if !ok {
			t.Errorf("%s is in no room: add it to the table or move it", pkg)
			continue
		}
		for _, imp := range imports {
			if imp == pkg || allowed(r, imp) {
				continue
			}
			t.Errorf("%s may not import %s", pkg, imp)
		}
	}
}

func TestNoGinkgoInTheBinary(t *testing.T) {
	out, err := exec.Command("go", "list", "-deps", module+"sim/cmd/windtunnel").CombinedOutput()
	if err != nil {
		t.Fatalf("go list: %v\n%s", err, out)
	}
	for line := range strings.Lines(string(out)) {
		if strings.Contains(line, "onsi/ginkgo") || strings.Contains(line, "onsi/gomega") {
			t.Errorf("the binary links %s", strings.TrimSpace(line))
		}
	}
}

func roomOf(pkg string) (room, bool) {
	for _, r := range rooms {
		if below(pkg, r.prefix) {
			return r, true
		}
	}
	return room{}, false
}

func below(pkg, prefix string) bool { return pkg == prefix || strings.HasPrefix(pkg, prefix+"/") }

// allowed tells whether a room's package may import imp. A row that names
// "=room" allows that package alone, not what lies below it, and adds what any
// acting part of Windows may use.
func allowed(r room, imp string) bool {
	for _, m := range r.may {
		if exact, ok := strings.CutPrefix(m, "="); ok {
			if imp == exact || slices.ContainsFunc(clientBase, func(b string) bool { return below(imp, b) }) {
				return true
			}
			continue
		}
		if below(imp, m) {
			return true
		}
	}
	return below(imp, r.prefix) && r.prefix != "sim"
}

// packages lists the module's packages with their imports from the module,
// tests left out: a test may look at anything.
func packages(t *testing.T) map[string][]string {
	t.Helper()
	cmd := exec.Command("go", "list", "-json=ImportPath,Imports", module+"...")
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	pkgs := map[string][]string{}
	for dec := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p struct {
			ImportPath string
			Imports    []string
		}
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			return pkgs
		} else if err != nil {
			t.Fatal(err)
		}
		var own []string
		for _, i := range p.Imports {
			if rest, ok := strings.CutPrefix(i, module); ok {
				own = append(own, rest)
			}
		}
		pkgs[strings.TrimPrefix(p.ImportPath, module)] = own
	}
}
