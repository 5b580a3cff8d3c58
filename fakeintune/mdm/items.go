package mdm

import (
	"context"
	"hash/fnv"

	"windtunnel.test/fakeintune/delivery"
	"windtunnel.test/sim/wire/csp"
	"windtunnel.test/sim/wire/graph"
	"windtunnel.test/sim/wire/syncml"
)

// item is something that a device is to have: a setting, a certificate, or an
// installation job.
type item struct {
	owner  string // configuration or app
	uri    string // canonical; the node whose answer tells whether it is there
	digest uint64 // of what it is to be
	format syncml.Format
	value  string // of a setting

	also []string // other configurations that want the same

	pfx   bool   // a certificate that comes with its key
	enrol bool   // one that the device asks for itself
	needs string // the certificate profile that it uses; "" for none
	nodes []csp.Node
	make  func(ctx context.Context) ([]csp.Node, error) // of a certificate: made when it is sent

	job     string // the document of a job
	msi     csp.MSI
	exec    string // the node that a job of another kind is started at
	tracked bool   // the status page waits for the app
	version string
}

func digest(parts ...string) uint64 {
	h := fnv.New64a()
	for _, p := range parts {
		// A hash in memory does not fail.
		_, _ = h.Write([]byte(p))
		_, _ = h.Write([]byte{0})
	}
	return h.Sum64()
}

// settings are those of a custom configuration that belong to this session: a
// device's session has no user, so it cannot set ./User nodes; what is meant
// for the user may be about the device.
func settings(c graph.DeviceConfiguration, scope csp.Scope, mine bool) []item {
	var items []item
	for _, o := range c.OmaSettings {
		path, err := csp.Parse(o.OmaURI)
		if err != nil {
			continue // checked when it was configured; a device would answer 404
		}
		if !belongs(path.String(), scope, mine) {
			continue
		}
		format, value, err := o.Data()
		if err != nil {
			continue
		}
		items = append(items, item{owner: c.ID, uri: path.String(), digest: digest(format, value), format: syncml.Format(format), value: value})
	}
	return items
}

// commands that bring an item, the one whose answer counts last.
func (i item) commands(ctx context.Context) ([]syncml.Command, error) {
	switch {
	case i.pfx:
		nodes, err := i.make(ctx)
		if err != nil {
			return nil, err
		}
		return set(syncml.Add, nodes...), nil
	case i.enrol:
		return i.enrolment(ctx)
	case i.nodes != nil:
		return set(syncml.Replace, i.nodes...), nil
	case i.exec != "":
		return []syncml.Command{syncml.NewExec(i.exec, syncml.Chr, i.job)}, nil
	case i.job != "":
		return []syncml.Command{
			syncml.NewSet(syncml.Add, i.msi.DownloadInstall(), "", ""),
			syncml.NewExec(i.msi.DownloadInstall(), syncml.XML, i.job),
		}, nil
	}
	return []syncml.Command{syncml.NewSet(syncml.Replace, i.uri, i.format, i.value)}, nil
}

func set(verb syncml.Verb, nodes ...csp.Node) []syncml.Command {
	out := make([]syncml.Command, len(nodes))
	for i, n := range nodes {
		out[i] = syncml.NewSet(verb, n.URI, syncml.Format(n.Format), n.Value)
	}
	return out
}

// contract is what a scope's first sessions set before anything else: the
// status page's settings, its lists, and the policy provider to wait for.
func (s *Service) contract(sub delivery.Subject, due delivery.Due, items []item) []syncml.Command {
	if sub.User != nil {
		out := set(syncml.Add, csp.Interior(csp.FirstSyncStatus(csp.User)))
		lists := expected(items)
		for _, app := range due.Counted {
			msi := csp.MSI{Scope: csp.Device, ProductCode: app.ProductCode}
			lists.MSIs = append(lists.MSIs, csp.Counted{URI: canonical(msi.Status()), Count: 1})
		}
		return append(out, set(syncml.Replace, lists.Nodes(csp.User)...)...)
	}
	f := firstSync(due.Page)
	agent := false
	var listed []item
	for _, i := range items {
		if i.owner == agentOwner {
			agent = true
			continue // a policy provider, not an app of the page's
		}
		listed = append(listed, i)
	}
	f.Expected = expected(listed)
	out := set(syncml.Replace, f.Nodes(csp.Device)...)
	if !agent {
		return out
	}
	tracking := csp.Tracking{Scope: csp.Device, Provider: csp.Sidecar}
	timeout := int(s.Tenants.Timing.ESP.ProviderTimeout.Minutes())
	return append(out, set(syncml.Add,
		csp.Int(tracking.InstallationState(), int(csp.ProviderNotInstalled)),
		csp.Int(tracking.Timeout(), timeout), csp.Bool(tracking.TracksApps(), true))...)
}

// inventory is what a first session asks for.
var inventory = []string{
	csp.DevDetailSwV, csp.DevDetailOEM, csp.DevDetailType, csp.DevDetailFwV, csp.DevDetailDeviceName, csp.DevDetailOSPlatform,
	csp.DevDetailSMBIOSSerial, csp.DevDetailMACAddress,
}
