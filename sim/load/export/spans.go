package export

import (
	"context"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"windtunnel.test/sim/load/figure"
)

// work makes spans of arrivals and sends them, until the end.
func (t *Traces) work() {
	defer close(t.done)
	for {
		select {
		case a := <-t.queue:
			t.take(a)
		case <-t.stop:
			for {
				select {
				case a := <-t.queue:
					t.take(a)
				default:
					t.send()
					return
				}
			}
		}
	}
}

// take puts an arrival into the batch, and sends that when it is full or when
// it is time.
func (t *Traces) take(a *figure.Arrival) {
	if a == nil {
		t.send()
		return
	}
	if t.ctx.Err() != nil {
		t.dropped.Add(1)
		return
	}
	t.span(*a)
	t.pending++
	if len(t.batch) >= batchSpans {
		t.send()
	}
}

func (t *Traces) send() {
	if len(t.batch) == 0 {
		return
	}
	err := t.exporter.ExportSpans(t.ctx, t.batch)
	switch {
	case err == nil:
		t.sent.Add(t.pending)
	case t.ctx.Err() != nil:
		t.dropped.Add(t.pending)
	default:
		t.failed.Add(t.pending)
		if !t.told && t.o.Told != nil {
			t.o.Told(err)
		}
		t.told = true
	}
	t.batch, t.pending = nil, 0
}

// span makes an arrival's span, with its steps below. It begins when the
// arrival was to come, so that what it waited is seen.
func (t *Traces) span(a figure.Arrival) {
	ctx, span := t.tracer.Start(context.Background(), a.Scope, trace.WithNewRoot(), trace.WithTimestamp(a.Intended), trace.WithAttributes(
		attribute.Int("windtunnel.arrival", a.N),
		attribute.String("windtunnel.scope", a.Scope),
		attribute.String("windtunnel.device", a.Device),
		attribute.String("windtunnel.bad", a.Bad),
		attribute.Bool("windtunnel.refused", a.Refused),
		attribute.Bool("windtunnel.warmup", a.Warm),
	))
	span.AddEvent("started", trace.WithTimestamp(a.Started))
	ended(span, a.Outcome)
	for _, s := range a.Steps {
		_, step := t.tracer.Start(ctx, s.Name, trace.WithTimestamp(s.Begin), trace.WithSpanKind(trace.SpanKindClient), trace.WithAttributes(
			attribute.Int64("http.request.body.size", s.Sent),
			attribute.Int64("http.response.body.size", s.Received),
		))
		ended(step, s.Outcome)
		step.End(trace.WithTimestamp(s.End))
	}
	span.End(trace.WithTimestamp(a.Ended))
}

// ended puts an outcome onto a span.
func ended(span trace.Span, o figure.Outcome) {
	span.SetAttributes(attribute.String("windtunnel.outcome", o.Class()))
	if o.HRESULT != "" {
		span.SetAttributes(attribute.String("windtunnel.hresult", o.HRESULT))
	}
	if o.Status != 0 {
		span.SetAttributes(attribute.Int("http.response.status_code", o.Status))
	}
	if !o.OK() {
		why := o.Error
		if why == "" {
			why = o.Class()
		}
		span.SetStatus(codes.Error, why)
	}
}

// collected puts spans that ended into the worker's batch: the worker alone
// makes spans, so there is no queue between.
type collected struct{ t *Traces }

func (collected) OnStart(context.Context, sdk.ReadWriteSpan) {}
func (c collected) OnEnd(s sdk.ReadOnlySpan)                 { c.t.batch = append(c.t.batch, s) }
func (collected) Shutdown(context.Context) error             { return nil }
func (collected) ForceFlush(context.Context) error           { return nil }
