package explain

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"windtunnel.test/sim/fault"
	"windtunnel.test/sim/scenario"
)

// settings are the places of the scenario that had a part in it: walls that the
// PC's requests met, what is not as usual about the PC, and what the timeline had
// changed before.
func (c *collector) settings(scene *scenario.Scenario) (list []Ground) {
	if scene == nil {
		return nil
	}
	devices := scene.Devices()
	i := slices.IndexFunc(devices, func(d scenario.Device) bool { return d.Name == c.pc.Device })
	if i >= 0 {
		d := devices[i]
		for _, site := range scene.Sites {
			if site.Name == d.Bench || site.Name == d.Destination {
				list = append(list, c.walls(site)...)
			}
		}
		list = append(list, peculiar(d)...)
	}
	for _, e := range c.world {
		switch e.Kind {
		case "timeline.changed", "timeline.failed":
			n, _ := e.Get("change")
			k, _ := n.(int)
			if k < 1 || k > len(scene.Timeline) {
				continue
			}
			text := fmt.Sprintf("timeline, entry %d: %s", k, actionName(scene.Timeline[k-1].Do))
			if why := e.Text("error"); why != "" {
				text += " failed: " + why
			}
			list = append(list, Ground{"change", text, e.Time})
		case "registration.failed":
			list = append(list, Ground{"change", "the import failed: " + e.Text("error"), e.Time})
		}
	}
	return list
}

// walls are the rules of a site's firewall that a failed request has met, and
// its proxy where TLS was opened.
func (c *collector) walls(site scenario.Site) (list []Ground) {
	told := map[string]bool{}
	for _, e := range c.events {
		host := e.Text("host")
		if e.Kind != "http.request" || e.Text("status") != "0" || c.after(e) {
			continue
		}
		for n, b := range site.Block {
			if !fault.Match(b.Host, host) {
				continue
			}
			text := fmt.Sprintf("sites, %q, block %d: %s (%s)", site.Name, n+1, b.Host, b.Mode)
			if b.Mode != "allow" && !told[text] {
				told[text], c.walled = true, true
				list = append(list, Ground{Kind: "setting", Text: text, At: e.Time})
			}
			break // the first rule that fits decides
		}
		if p := site.Proxy; p != nil && p.TLSIntercept && !told["proxy"] && !slices.ContainsFunc(p.Bypass, func(g string) bool { return fault.Match(g, host) }) {
			told["proxy"], c.walled = true, true
			list = append(list, Ground{Kind: "setting", Text: fmt.Sprintf("sites, %q, proxy: opens TLS to %s", site.Name, host), At: e.Time})
		}
	}
	return list
}

// peculiar is what a PC has that an ordinary one has not.
func peculiar(d scenario.Device) (list []Ground) {
	add := func(is bool, format string, args ...any) {
		if is {
			list = append(list, Ground{Kind: "setting", Text: fmt.Sprintf(format, args...)})
		}
	}
	add(d.TPMState != scenario.TPMReady && d.TPMState != "", "fleet, %s: tpmState %s", d.Group, d.TPMState)
	add(d.TPM == "none", "fleet, %s: tpm none", d.Group)
	add(!d.SecureBoot, "fleet, %s: secureBoot false", d.Group)
	add(d.Unregistered, "fleet, %s: the PC is not registered", d.Group)
	add(d.Clock != (scenario.ClockOffset{}), "fleet, devices, %s: clock %v ahead, drift %v a day", d.Name, time.Duration(d.Clock.Offset), time.Duration(d.Clock.Drift))
	return list
}

// actionName is an action as the file has it: "block", with what it is about.
func actionName(do scenario.Action) string {
	text, err := scenario.MarshalAction(do)
	if err != nil {
		return "an action"
	}
	return strings.Join(strings.Fields(strings.ReplaceAll(text, "\n", " ")), " ")
}
