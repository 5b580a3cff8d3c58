package mdm

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"windtunnel.test/fakeintune/tenant"
	"windtunnel.test/sim/wire/csp"
	"windtunnel.test/sim/wire/graph"
	"windtunnel.test/sim/wire/syncml"
)

// parsed is a policy of the settings catalogue that was read. The policy's own
// list is kept to tell whether it is still the same one.
type parsed struct {
	from  []json.RawMessage
	items []item
}

// settingsOf are the nodes that a policy of the settings catalogue sets. It is
// read once, however many devices it reaches.
func (s *Service) settingsOf(t *tenant.Tenant, p graph.ConfigurationPolicy) []item {
	if len(p.Settings) == 0 {
		return nil
	}
	key := t.ID + "/" + p.ID
	s.mu.Lock()
	known, ok := s.catalogue[key]
	s.mu.Unlock()
	if ok && len(known.from) == len(p.Settings) && &known.from[0] == &p.Settings[0] {
		return known.items
	}
	fresh := parsed{from: p.Settings}
	for _, raw := range p.Settings {
		var one struct {
			SettingInstance instance `json:"settingInstance"`
		}
		if json.Unmarshal(raw, &one) == nil {
			fresh.items = one.SettingInstance.items(p.ID, fresh.items, 0)
		}
	}
	s.mu.Lock()
	s.catalogue[key] = fresh
	s.mu.Unlock()
	return fresh.items
}

// instance is deviceManagementConfigurationSettingInstance with its concrete
// types, as far as values go.
type instance struct {
	DefinitionID string         `json:"settingDefinitionId"`
	Choice       *choice        `json:"choiceSettingValue"`
	Simple       *simple        `json:"simpleSettingValue"`
	Simples      []simple       `json:"simpleSettingCollectionValue"`
	Group        *instanceGroup `json:"groupSettingValue"`
	Groups       []struct {
		Children []instance `json:"children"`
	} `json:"groupSettingCollectionValue"`
}

type choice struct {
	Value    string     `json:"value"` // the id of an option: the definition's and a suffix
	Children []instance `json:"children"`
}

type simple struct {
	Value any `json:"value"`
}

type instanceGroup struct {
	Children []instance `json:"children"`
}

// maxNesting bounds groups in groups; Graph's own are two deep.
const maxNesting = 8

// items adds the nodes of an instance and of those below it.
func (i instance) items(owner string, out []item, depth int) []item {
	if depth > maxNesting {
		return out
	}
	children := []instance{}
	if i.Group != nil {
		children = append(children, i.Group.Children...)
	}
	for _, g := range i.Groups {
		children = append(children, g.Children...)
	}
	if n, ok := csp.NodeOfSetting(i.DefinitionID); ok {
		if format, value, ok := i.value(n); ok {
			out = append(out, item{owner: owner, uri: canonical(n.URI), digest: digest(string(format), value), format: format, value: value})
		}
	}
	if i.Choice != nil {
		for _, c := range i.Choice.Children {
			if _, ok := csp.NodeOfSetting(c.DefinitionID); ok && !strings.HasPrefix(c.DefinitionID, i.DefinitionID+"_") {
				children = append(children, c) // a setting of its own, not a part of this one's value
			}
		}
	}
	for _, c := range children {
		out = c.items(owner, out, depth+1)
	}
	return out
}

// value is what an instance sets its node to.
func (i instance) value(n csp.SettingNode) (format syncml.Format, value string, ok bool) {
	switch {
	case i.Choice != nil && n.Template:
		return syncml.Chr, i.Choice.template(i.DefinitionID), true
	case i.Choice != nil:
		option := strings.TrimPrefix(strings.TrimPrefix(i.Choice.Value, i.DefinitionID), "_")
		if _, err := strconv.Atoi(option); err == nil {
			return syncml.Int, option, true
		}
		return syncml.Chr, option, option != ""
	case i.Simple != nil:
		return i.Simple.text()
	case len(i.Simples) > 0:
		texts := make([]string, len(i.Simples))
		for n, s := range i.Simples {
			_, texts[n], _ = s.text()
		}
		return syncml.Chr, csp.JoinList(texts), true
	}
	return "", "", false
}

func (s simple) text() (syncml.Format, string, bool) {
	switch v := s.Value.(type) {
	case string:
		return syncml.Chr, v, true
	case float64:
		return syncml.Int, strconv.FormatFloat(v, 'f', -1, 64), true
	case bool:
		return syncml.Bool, strconv.FormatBool(v), true
	}
	return "", "", false
}

// template is the value of a policy that comes from an administrative template
// (learn.microsoft.com, "Understanding ADMX policies").
func (c choice) template(definition string) string {
	if !strings.HasSuffix(c.Value, "_1") {
		return "<disabled/>"
	}
	var b strings.Builder
	b.WriteString("<enabled/>")
	for _, child := range c.Children {
		id := strings.TrimPrefix(child.DefinitionID, definition+"_")
		if _, value, ok := child.value(csp.SettingNode{}); ok {
			fmt.Fprintf(&b, `<data id="%s" value="%s"/>`, escape.Replace(id), escape.Replace(value))
		}
	}
	return b.String()
}

var escape = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&quot;")
