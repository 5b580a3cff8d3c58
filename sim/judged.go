package sim

import (
	"context"
	"net/http"
	"time"

	"windtunnel.test/sim/device"
	"windtunnel.test/sim/outcome"
	"windtunnel.test/sim/scenario"
	"windtunnel.test/sim/wire/hosts"
)

// judgedAtEnd has a judge look into a PC when its story has ended, beside whoever
// does so already. A PC that is deployed once more is looked into again.
func judgedAtEnd(j *outcome.Judge, also func(context.Context, *World, *device.PC, End)) func(context.Context, *World, *device.PC, End) {
	return func(ctx context.Context, w *World, pc *device.PC, e End) {
		j.Registry(pc.Name, pc.Disk.Registry.Text)
		if also != nil {
			also(ctx, w, pc, e)
		}
	}
}

// judged tells a cell's judge how it all ended: how each PC's story did, what is
// in the registry of those that are not through, and what Graph answers now.
// Asking goes on in the world's own time, which nobody's story is part of any
// more.
func (w *World) judged(ctx context.Context, j *outcome.Judge, expect scenario.Expectations, until time.Time) error {
	ends := w.Ends()
	for _, e := range ends {
		j.End(outcome.End(e))
	}
	for i, pc := range w.PCs {
		if ends[i].Outcome == Unfinished {
			j.Registry(pc.Name, pc.Disk.Registry.Text)
		}
	}
	if ctx.Err() != nil || !asksGraph(expect) {
		return nil
	}
	admin := w.Administrator()
	w.Clock.Go(context.WithoutCancel(ctx), "judge", func(ctx context.Context) {
		j.Graph(func(path string) ([]map[string]any, error) { return admin.collection(ctx, path) })
	})
	return w.Run(ctx, until)
}

func asksGraph(expect scenario.Expectations) bool {
	for _, x := range expect {
		if x.Item != nil && x.Item.Graph != nil {
			return true
		}
	}
	return false
}

// collection reads all pages of a collection, or one object.
func (a *Administrator) collection(ctx context.Context, path string) (objects []map[string]any, err error) {
	for address := "https://" + hosts.Graph + path; address != ""; {
		var page map[string]any
		if err := a.Graph(ctx, http.MethodGet, address, nil, &page); err != nil {
			return nil, err
		}
		value, many := page["value"].([]any)
		if !many {
			return append(objects, page), nil
		}
		for _, v := range value {
			if o, ok := v.(map[string]any); ok {
				objects = append(objects, o)
			}
		}
		address, _ = page["@odata.nextLink"].(string)
	}
	return objects, nil
}
