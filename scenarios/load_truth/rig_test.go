package load_truth

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"

	. "github.com/onsi/gomega"

	"windtunnel.test/sim/load"
	"windtunnel.test/sim/load/figure"
	"windtunnel.test/sim/pki"
	"windtunnel.test/sim/vclock"
	"windtunnel.test/sim/vnet"
)

// seed is that of all loads here.
const seed vclock.Seed = 11

// targetHost is the name of what is loaded.
const targetHost = "target.contoso.com"

// Headers by which a target knows an arrival: its number, and how often it asked
// before.
const (
	arrivalHeader = "X-Arrival"
	tryHeader     = "X-Try"
)

// answer is what a target does with one request; it may wait in the clock. The
// time is since the load began.
type answer func(ctx context.Context, clock vclock.Clock, since time.Duration, n, try int) (status, retryAfter int)

// rig is a load of a target on a network without latency, in virtual time.
type rig struct {
	home    vnet.Home
	devices int
	answer  answer
	plan    load.Plan
	stop    time.Duration // after which the load is interrupted; 0: it is not
	each    func(figure.Arrival)
}

// result is what came of it.
type result struct {
	*load.Outcome
	recorder *figure.Recorder
	seconds  []figure.Second
	free     int // devices that are back
}

// run does it. It returns an error rather than failing, for use in properties.
func (r rig) run() (*result, error) {
	clock := vclock.NewVirtual(vclock.Options{Seed: seed})
	defer clock.Stop()
	root, err := pki.NewRoot(clock.Now(), seed, "Web Root", pki.Options{})
	if err != nil {
		return nil, err
	}
	network := vnet.New(clock, vnet.Options{Home: r.home, Seed: seed, WebRoot: root})
	defer network.Close()
	site, err := network.AddSite(vnet.SiteConfig{Name: "near"})
	if err != nil {
		return nil, err
	}
	begin := clock.Now()
	network.Serve(targetHost, http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		n, _ := strconv.Atoi(q.Header.Get(arrivalHeader))
		try, _ := strconv.Atoi(q.Header.Get(tryHeader))
		status, after := r.answer(q.Context(), clock, clock.Now().Sub(begin), n, try)
		if after > 0 {
			w.Header().Set("Retry-After", strconv.Itoa(after))
		}
		w.WriteHeader(status)
	}))
	pool := newCallers(clock)
	for i := range r.devices {
		nic := network.Attach(vnet.NICOptions{Device: fmt.Sprintf("pc-%d", i), Site: site})
		pool.add(&caller{clock: clock, client: nic.Client(vnet.ClientOptions{}), url: "https://" + targetHost + "/", name: fmt.Sprintf("pc-%d", i), idle: nic.CloseIdle})
	}
	out := &result{recorder: figure.New(figure.Options{Begin: begin})}
	clock.Go(context.Background(), "load", func(ctx context.Context) {
		if r.stop > 0 {
			stopped, cancel := clock.WithTimeout(ctx, r.stop, context.Canceled)
			defer cancel()
			ctx = stopped
		}
		out.Outcome, err = load.Run(ctx, load.Options{
			Clock: clock, Plan: r.plan, Source: pool, Recorder: out.recorder, Seed: seed, Arrivals: r.each,
			Seconds: func(s figure.Second) { out.seconds = append(out.seconds, s) },
		})
		out.free = pool.Free("")
		pool.close()
	})
	if e := clock.Run(context.Background(), begin.Add(24*time.Hour)); e != nil {
		return nil, e
	}
	return out, err
}

// do is run where nothing may go wrong.
func (r rig) do() *result {
	out, err := r.run()
	ExpectWithOffset(1, err).NotTo(HaveOccurred())
	ExpectWithOffset(1, out.Tally.Came).To(Equal(out.Tally.Started+out.Tally.Dropped), "nothing is lost")
	ExpectWithOffset(1, out.Tally.Started).To(Equal(out.Tally.Finished+out.Tally.Interrupted), "nothing is lost")
	ExpectWithOffset(1, out.free).To(Equal(r.devices), "all devices are back")
	return out
}

// callers are devices that ask one thing each time.
type callers struct {
	free *vclock.Queue[*caller]
	all  []*caller
}

func newCallers(clock vclock.Clock) *callers {
	return &callers{free: vclock.NewQueue[*caller](clock, "callers", 0)}
}

func (p *callers) add(c *caller) {
	p.all = append(p.all, c)
	p.free.TryPut(c)
}

func (p *callers) Take(ctx context.Context, _, _ string) (load.Subject, error) {
	c, err := p.free.Get(ctx)
	if err != nil {
		return nil, err
	}
	return c, nil
}

func (p *callers) Give(s load.Subject) { p.free.TryPut(s.(*caller)) }
func (p *callers) Free(string) int     { return p.free.Len() }

func (p *callers) close() {
	for _, c := range p.all {
		c.idle()
	}
}

// caller is one device. It asks again where it is told to by Retry-After.
type caller struct {
	clock  vclock.Clock
	client *http.Client
	url    string
	name   string
	idle   func()
}

// Do asks until there is an answer that counts.
func (c *caller) Do(ctx context.Context, a *figure.Arrival) error {
	a.Device = c.name
	for try := 0; ; try++ {
		step := figure.Step{Name: "target.get", Begin: c.clock.Now()}
		status, after, err := c.ask(ctx, a.N, try)
		step.End = c.clock.Now()
		switch {
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case err != nil:
			step.Outcome = figure.Outcome{HRESULT: "0x80072EFD", Error: err.Error()}
		default:
			step.Outcome = figure.Outcome{Status: status}
		}
		a.Steps, a.Outcome = append(a.Steps, step), step.Outcome
		if after == "" {
			return nil
		}
		seconds, err := strconv.Atoi(after)
		if err != nil {
			return nil
		}
		if err := c.clock.Sleep(ctx, time.Duration(seconds)*time.Second, "Retry-After"); err != nil {
			return err
		}
	}
}

func (c *caller) ask(ctx context.Context, n, try int) (status int, after string, err error) {
	q, err := http.NewRequestWithContext(ctx, http.MethodGet, c.url, nil)
	if err != nil {
		return 0, "", err
	}
	q.Header.Set(arrivalHeader, strconv.Itoa(n))
	q.Header.Set(tryHeader, strconv.Itoa(try))
	resp, err := c.client.Do(q)
	if err != nil {
		return 0, "", err
	}
	_, err = io.Copy(io.Discard, resp.Body)
	return resp.StatusCode, resp.Header.Get("Retry-After"), cmp.Or(err, resp.Body.Close())
}

// takes is a target that needs so long for each request, however many there are.
func takes(d func(since time.Duration, n int) time.Duration) answer {
	return func(ctx context.Context, clock vclock.Clock, since time.Duration, n, _ int) (int, int) {
		if clock.Sleep(ctx, d(since, n), "service") != nil {
			return http.StatusServiceUnavailable, 0
		}
		return http.StatusOK, 0
	}
}
