// Package bench_cloud holds what the README promises about the cloud's speed, as benchmarks; each promise is a limit, and
// one that is missed fails its benchmark. All of it is CPU time of the process that serves, so that a machine that is busy
// with other things does not count.
package bench_cloud

import (
	"fmt"
	"net/http"
	"os"
	"runtime"
	"syscall"
	"testing"
	"time"

	"windtunnel.test/scenarios/enrollee"
	"windtunnel.test/scenarios/quickstart"
	"windtunnel.test/sim"
	"windtunnel.test/sim/house/promise"
	"windtunnel.test/sim/scenario"
	"windtunnel.test/sim/vclock"
	"windtunnel.test/sim/wire/oauth"
)

var board promise.Board

func TestMain(m *testing.M) {
	if at := os.Getenv(clientAt); at != "" {
		actAsClient(at)
		return
	}
	os.Exit(board.Main(m))
}

// twoCores gives the process the two cores that the promises are about.
func twoCores(b *testing.B) {
	b.Helper()
	before := runtime.GOMAXPROCS(2)
	b.Cleanup(func() { runtime.GOMAXPROCS(before) })
}

// cpu is what the process has used so far.
func cpu(b *testing.B) time.Duration {
	b.Helper()
	var r syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &r); err != nil {
		b.Fatal(err)
	}
	return time.Duration(r.Utime.Nano() + r.Stime.Nano())
}

// perUser is how many devices each user has.
const perUser = 5

// cloud is the built-in scenario's tenant on a wall clock, with more users.
type cloud struct {
	b     *testing.B
	world *sim.World
	send  enrollee.Send // in the process
	users []scenario.User
	made  int // devices so far
}

func newCloud(b *testing.B, devices int) *cloud {
	b.Helper()
	s, problems := scenario.Load(quickstart.Name, quickstart.YAML, scenario.Options{})
	if len(problems) > 0 {
		b.Fatal(problems)
	}
	s.Tenant.MoreUsers = &scenario.MoreUsers{Count: (devices + perUser - 1) / perUser}
	w, err := sim.NewWorld(sim.Options{Tenant: s.Tenant, Seed: s.Seed, Clock: vclock.NewWall()})
	if err != nil {
		b.Fatal(err)
	}
	byHost := map[string]http.Handler{}
	for _, h := range w.Entra.Hosts() {
		byHost[h.Name] = h.Handler
	}
	for _, h := range w.Intune.Hosts() {
		byHost[h.Name] = h.Handler
	}
	users := s.Tenant.AllUsers()
	return &cloud{b: b, world: w, send: enrollee.Handlers(byHost), users: users[len(users)-s.Tenant.MoreUsers.Count:]}
}

func (c *cloud) close() {
	if err := c.world.Close(); err != nil {
		c.b.Error(err)
	}
}

// devices are the next n.
func (c *cloud) devices(n int) []*enrollee.Device {
	list := make([]*enrollee.Device, n)
	for i := range list {
		user := c.users[c.made/perUser]
		c.made++
		list[i] = &enrollee.Device{Name: fmt.Sprintf("PC-%05d", c.made), UPN: user.UserPrincipalName, Password: user.Password}
	}
	return list
}

// cost is the server's CPU time of each step, of so many devices.
type cost struct {
	devices              int
	token, join, enrol   time.Duration
	documents, documentB int
}

func (c *cost) add(o cost) {
	c.devices += o.devices
	c.token, c.join, c.enrol = c.token+o.token, c.join+o.join, c.enrol+o.enrol
	c.documents, c.documentB = c.documents+o.documents, c.documentB+o.documentB
}

func (c cost) each(d time.Duration) float64 { return d.Seconds() * 1000 / float64(c.devices) }

func (c cost) all() float64 { return c.each(c.token + c.join + c.enrol) }

// run sends a step's messages and gives the last answer of each device.
type run func(step [][]enrollee.Message) (answers [][]byte, used time.Duration)

// live lets the next n devices come in, step by step: a token each, then a join each, then, with tokens by a primary
// refresh token, an enrolment each. What the devices themselves compute lies between the steps.
func (c *cloud) live(n int, run run) cost {
	c.b.Helper()
	out, devices := cost{devices: n}, c.devices(n)
	step := func(of func(i int) ([]enrollee.Message, error)) (answers [][]byte, used time.Duration) {
		messages := make([][]enrollee.Message, n)
		for i := range messages {
			var err error
			if messages[i], err = of(i); err != nil {
				c.b.Fatal(err)
			}
		}
		return run(messages)
	}
	var answers [][]byte
	answers, out.token = step(func(i int) ([]enrollee.Message, error) { return []enrollee.Message{devices[i].SignIn()}, nil })
	answers, out.join = step(func(i int) ([]enrollee.Message, error) {
		token, err := enrollee.AccessToken(answers[i])
		if err != nil {
			return nil, err
		}
		m, err := devices[i].Join(token)
		return []enrollee.Message{m}, err
	})
	answers, out.enrol = step(func(i int) ([]enrollee.Message, error) {
		d := devices[i]
		if err := d.Joined(answers[i]); err != nil {
			return nil, err
		}
		if err := d.TakePRT(c.send); err != nil {
			return nil, err
		}
		token, err := d.TokenByPRT(c.send, oauth.ResourceMDM, c.world.Clock.Now())
		if err != nil {
			return nil, err
		}
		return d.Enrol(token)
	})
	for i, d := range devices {
		if err := d.Document(answers[i]); err != nil {
			c.b.Fatal(err)
		}
		out.documents++
		out.documentB += len(answers[i])
	}
	return out
}

// direct runs a step in this process: the figure has the service's handlers in it, and making the request and keeping the
// answer.
func (c *cloud) direct(step [][]enrollee.Message) (answers [][]byte, used time.Duration) {
	c.b.Helper()
	answers = make([][]byte, len(step))
	before := cpu(c.b)
	for i, messages := range step {
		for _, m := range messages {
			status, body, err := c.send(m)
			if err != nil || status != http.StatusOK {
				c.b.Fatalf("%s: %d %s %v", m.URL, status, body, err)
			}
			answers[i] = body
		}
	}
	return answers, cpu(c.b) - before
}

// inBatches lets n devices come in, 100 at a time.
func (c *cloud) inBatches(n int, run run) (total cost) {
	for n > 0 {
		now := min(n, 100)
		total.add(c.live(now, run))
		n -= now
	}
	return total
}
