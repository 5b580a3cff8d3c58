package scenario

import (
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"

	"windtunnel.test/sim/wire/graph"
	"windtunnel.test/sim/wire/installer"
)

// What happens to PCs, and by whose hands.

// Redeployment is a PC's story lived once more.
type Redeployment struct {
	Device string   `yaml:"device" need:"yes" doc:"Glob over PC names (PC-0001) and serial numbers."`
	Disk   DiskThen `yaml:"disk" default:"keep" doc:"keep: as it is; reinstall: Windows is installed anew, as the maker delivered it."`
	From   StartAt  `yaml:"from" default:"bench" doc:"bench: the technician has it first, where it has one; user: the user starts it."`
}

// DiskThen is what becomes of a disk.
type DiskThen string

func (DiskThen) choices() []string { return []string{"keep", "reinstall"} }

// StartAt is where a story begins again.
type StartAt string

func (StartAt) choices() []string { return []string{"bench", "user"} }

// PressedButton is a button of a PC's present screen.
type PressedButton struct {
	Device string `yaml:"device" need:"yes" doc:"Glob over PC names (PC-0001) and serial numbers."`
	Button string `yaml:"button" need:"yes" doc:"What stands on it."`
}

// ClockSet is another time in a PC's firmware.
type ClockSet struct {
	Device string         `yaml:"device" need:"yes" doc:"Glob over PC names (PC-0001) and serial numbers."`
	Offset SignedDuration `yaml:"offset" need:"yes" doc:"How far it is ahead of the true time then, or behind it: -3h."`
}

// DeviceTo is a site for PCs.
type DeviceTo struct {
	Device string `yaml:"device" need:"yes" doc:"Glob over PC names (PC-0001) and serial numbers."`
	Site   string `yaml:"site" need:"yes" doc:"Where it stands then."`
}

// DeviceBuild is another build of Windows.
type DeviceBuild struct {
	Device string `yaml:"device" need:"yes" doc:"Glob over PC names (PC-0001) and serial numbers."`
	Build  Build  `yaml:"build" need:"yes" doc:"Build of Windows from its next start on."`
}

// RegistrySet is a value that somebody writes.
type RegistrySet struct {
	Device string                  `yaml:"device" need:"yes" doc:"Glob over PC names (PC-0001) and serial numbers."`
	Value  installer.RegistryValue `yaml:"value" need:"yes" doc:"Key, name, type and data, as in fleet.groups.registry."`
}

// TagOf is a group tag.
type TagOf struct {
	Device string `yaml:"device" need:"yes" doc:"Glob over PC names (PC-0001) and serial numbers."`
	Tag    string `yaml:"tag" doc:"The new one; missing: none."`
}

// RemoteWipe is Intune's action.
type RemoteWipe struct {
	Device string `yaml:"device" need:"yes" doc:"Glob over PC names (PC-0001) and serial numbers."`
	Keep   bool   `yaml:"keepEnrollmentData" doc:"Keep the enrolment and the user's account."`
}

// SiteProxy is another proxy of a site.
type SiteProxy struct {
	Site  string `yaml:"site" need:"yes" doc:"Site."`
	Proxy *Proxy `yaml:"proxy" doc:"The proxy that all traffic passes from now on; missing: none."`
}

// FaultRule is a rule by its name.
type FaultRule struct {
	Name string `yaml:"name" need:"yes" doc:"The rule's name."`
}

// GraphCall is what an administrator does by Microsoft Graph.
type GraphCall struct {
	Method GraphMethod `yaml:"method" default:"POST" doc:"GET, POST, PATCH, PUT or DELETE."`
	Path   string      `yaml:"path" need:"yes" doc:"With its version: /v1.0/deviceManagement/managedDevices/{managedDevice}/retire. {registration}, {managedDevice} and {entraDevice} stand for the PC's own."`
	Device string      `yaml:"device" doc:"Glob over PC names and serial numbers: the call is made for each of them."`
	Body   JSONBody    `yaml:"body" doc:"What is sent."`
}

// GraphMethod is a method of HTTP.
type GraphMethod string

func (GraphMethod) choices() []string { return []string{"GET", "POST", "PATCH", "PUT", "DELETE"} }

// JSONBody is any mapping, as JSON.
type JSONBody string

func (b *JSONBody) decodeNode(d *decoder, n *node, path string) {
	if n.kind != kindMap {
		d.wrongType(n, path, "a mapping")
		return
	}
	text, err := json.Marshal(plain(n))
	if err != nil {
		d.errorf(n, "%s: %v", path, err)
	}
	*b = JSONBody(text)
}

// tree writes it as a mapping again.
func (b JSONBody) tree() any {
	var v any
	if json.Unmarshal([]byte(b), &v) != nil { // what decodeNode wrote
		return string(b)
	}
	return treeOf(v)
}

// treeOf is a JSON value as the encoder takes it, members sorted.
func treeOf(v any) any {
	switch x := v.(type) {
	case map[string]any:
		m := mapping{}
		for _, k := range slices.Sorted(maps.Keys(x)) {
			m = append(m, entry{k, treeOf(x[k])})
		}
		return m
	case []any:
		list := make([]any, len(x))
		for i := range x {
			list[i] = treeOf(x[i])
		}
		return list
	case float64:
		return bare(strconv.FormatFloat(x, 'f', -1, 64))
	case nil:
		return bare("null")
	}
	return v
}

// handsOn checks the actions of this file.
func (c *checker) handsOn(path string, a *Action) {
	if x := a.MoveDevice; x != nil {
		c.site(path+".moveDevice.site", x.Site)
	}
	if x := a.SetProxy; x != nil {
		c.site(path+".setProxy.site", x.Site)
	}
	if x := a.SetRegistry; x != nil && x.Value.Key != "" {
		problems := graph.AppExtension{Registry: []installer.RegistryValue{x.Value}}.Problems()
		for _, member := range slices.Sorted(maps.Keys(problems)) {
			c.wrong(path+".setRegistry.value"+strings.TrimPrefix(member, "registry[0]"), "%s", problems[member])
		}
	}
	if x := a.RemoveFault; x != nil && x.Name != "" {
		c.faultNamed(path+".removeFault.name", x.Name)
	}
	if x := a.AddFault; x != nil {
		if err := x.Validate(); err != nil {
			c.wrong(path+".addFault", "%v", err)
		}
	}
	if x := a.Graph; x != nil {
		if !strings.HasPrefix(x.Path, "/v1.0/") && !strings.HasPrefix(x.Path, "/beta/") {
			c.wrong(path+".graph.path", "%q begins with no version; write one such as /v1.0/users", x.Path)
		}
		if strings.Contains(x.Path, "{") && x.Device == "" {
			c.wrong(path+".graph.device", "is missing: of which PC is what the path has in braces?")
		}
		for _, part := range strings.Split(x.Path, "{")[1:] {
			name, _, _ := strings.Cut(part, "}")
			if !strings.Contains(" registration managedDevice entraDevice ", " "+name+" ") {
				c.wrong(path+".graph.path", "{%s} stands for nothing; there are {registration}, {managedDevice} and {entraDevice}", name)
			}
		}
	}
}

// faultNamed: a rule that is taken away is one of the file's, or one that another
// entry of the timeline adds.
func (c *checker) faultNamed(path, name string) {
	var names []string
	for _, r := range c.s.Faults {
		names = append(names, r.Name)
	}
	for _, change := range c.s.Timeline {
		if change.Do.AddFault != nil {
			names = append(names, change.Do.AddFault.Name)
		}
	}
	if !slices.Contains(names, name) {
		c.wrong(path, "there is no fault rule %q%s", name, choose(name, names))
	}
}
