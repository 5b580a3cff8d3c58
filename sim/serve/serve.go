package serve

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"windtunnel.test/fakead"
	"windtunnel.test/sim"
	"windtunnel.test/sim/journal"
	"windtunnel.test/sim/pki"
	"windtunnel.test/sim/store"
	"windtunnel.test/sim/vclock"
	"windtunnel.test/sim/vnet"
)

// Server is a scenario's cloud on ports of this machine. [New] makes it and
// binds its ports; [Server.Run] or [Server.Close] ends it.
type Server struct {
	o     Options
	log   *log
	root  *pki.CA // signs web certificates; its key is in this process only
	ready Endpoints

	gateway  *vnet.Gateway
	cur      atomic.Pointer[current]
	changing sync.Mutex // of what is served; guards kept
	kept     kept

	manager *http.Server // nil: no management listener
	serving sync.WaitGroup
	ended   chan error // what ends Run before its context does
	once    sync.Once
	closed  error
}

// current is what is served now. A reset and an import put another in its
// place.
type current struct {
	world *sim.World
	clock *vclock.Wall
	db    *store.DB
	kept  *store.Table[kept]
	// directory is the domain's ports; nil: there is no domain of ours.
	directory *fakead.Listeners

	once   sync.Once
	closed error
}

func (s *Server) now() *current { return s.cur.Load() }

// grace is how long requests that are under way may take at the end. It is
// ours.
const grace = 3 * time.Second

// New binds the ports and begins to serve.
func New(o Options) (_ *Server, err error) {
	if err := o.check(); err != nil {
		return nil, err
	}
	s := &Server{o: o, log: &log{warn: o.Warn}, ended: make(chan error, 1)}
	if s.root, err = vnet.NewRealRoot(); err != nil {
		return nil, err
	}
	t := o.Scenario.Tenant
	s.kept = kept{TenantID: t.ID, Domain: t.Domain, Seed: o.Scenario.Seed, Since: vclock.RealNow().UTC().Round(0)}
	cur, err := s.open(nil)
	if err != nil {
		return nil, err
	}
	s.cur.Store(cur)
	defer func() {
		if err != nil {
			err = errors.Join(err, s.Close())
		}
	}()
	if err := s.listen(); err != nil {
		return nil, err
	}
	if err := s.listenDirectory(cur, nil); err != nil {
		return nil, err
	}
	if err := s.manage(); err != nil {
		return nil, err
	}
	if err := s.announce(); err != nil {
		return nil, err
	}
	s.begin()
	return s, nil
}

// open makes the services over what is kept or, in memory, over a dump; nil is
// none.
func (s *Server) open(dump []byte) (_ *current, err error) {
	c := &current{clock: vclock.NewWall()}
	if c.db, err = s.openStore(dump); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, c.close())
		}
	}()
	if c.kept, err = s.remember(c.db); err != nil {
		return nil, err
	}
	c.clock.Jump(s.kept.Ahead)
	live := *s.o.Scenario
	live.Seed = s.kept.Seed
	var sinks []journal.Sink
	if s.log != nil {
		sinks = append(sinks, s.log)
	}
	c.world, err = sim.NewLive(sim.LiveOptions{
		Scenario: &live, Clock: c.clock, Lab: s.o.Lab, Web: s.root, State: c.db, Since: s.kept.Since, Sinks: sinks, Fleet: s.o.Fleet,
	})
	if err != nil {
		return nil, err
	}
	if err := c.db.Err(); err != nil {
		return nil, inputError("--state: %w", err)
	}
	return c, nil
}

// listen puts the services on their ports.
func (s *Server) listen() (err error) {
	s.gateway, err = s.now().world.Network.Gateway(vnet.GatewayOptions{ListenTLS: s.o.TLS, ListenProxy: s.o.Proxy, ListenHTTP: s.o.HTTP, RealRoot: s.root})
	var wrong *vnet.ListenError
	if errors.As(err, &wrong) {
		return inputError("--%s: %w; port 0 picks a free one", map[string]string{"TLS": "listen", "proxy": "proxy", "HTTP": "http"}[wrong.Listener], wrong.Err)
	}
	return err
}

// begin lets the fleet live, if there is one, until the world is closed.
func (s *Server) begin() {
	if s.o.Fleet {
		s.now().world.Start(context.Background())
	}
}

func (c *current) close() error {
	c.once.Do(func() {
		c.closed = c.still()
		if c.db != nil {
			c.closed = errors.Join(c.closed, c.db.Close())
		}
	})
	return c.closed
}

// still ends all that could change something.
func (c *current) still() error {
	if c.directory != nil {
		if err := c.directory.Close(); err != nil {
			return err
		}
	}
	if c.world != nil {
		return c.world.Close()
	}
	c.clock.Stop()
	return nil
}

// emptied is a dump of nothing.
const emptied = `{"version":1,"seq":0,"tables":[]}`

// restart ends the services and starts them over a dump, nil for nothing, behind
// the same ports. Clients wait as long as it takes. A failure ends the server:
// there is nothing to serve.
func (s *Server) restart(dump []byte) error {
	content := dump
	if dump == nil {
		content = []byte(emptied)
	}
	ctx, cancel := context.WithTimeout(context.Background(), grace)
	defer cancel()
	err := s.gateway.Replace(ctx, func() (*vnet.Network, error) {
		old := s.now()
		err := old.still()
		if err == nil {
			err = old.db.Restore(bytes.NewReader(content))
		}
		if err = errors.Join(err, old.close()); err != nil { // before the others open the same file
			return nil, err
		}
		cur, err := s.open(dump)
		if err != nil {
			return nil, err
		}
		s.cur.Store(cur)
		if err := s.listenDirectory(cur, old.directory); err != nil {
			return nil, err
		}
		s.begin()
		return cur.world.Network, nil
	})
	if err == nil {
		return nil
	}
	err = fmt.Errorf("start the services anew: %w", err)
	select {
	case s.ended <- err:
	default: // it ends already
	}
	return err
}

// manage starts the management listener, if there is to be one.
func (s *Server) manage() error {
	if s.o.Management == "" {
		return nil
	}
	l, err := net.Listen("tcp", s.o.Management)
	if err != nil {
		return inputError("--management: %w; port 0 picks a free one", err)
	}
	s.o.Management = l.Addr().String()
	asked, stop := context.WithCancel(context.Background())
	s.manager = &http.Server{
		Handler: s.management(), ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute,
		BaseContext: func(net.Listener) context.Context { return asked },
	}
	s.manager.RegisterOnShutdown(stop) // whoever waits for events
	s.serving.Go(func() { _ = s.manager.Serve(l) })
	return nil
}

// Run serves until ctx ends, or something breaks, and closes the server.
func (s *Server) Run(ctx context.Context) error {
	var broken error
	select {
	case <-ctx.Done():
	case broken = <-s.ended:
	}
	return errors.Join(broken, s.Close())
}

// Close lets requests that are under way come to their end, for a short while,
// and gives everything back.
func (s *Server) Close() error {
	s.once.Do(func() {
		var errs []error
		if s.manager != nil {
			ctx, cancel := context.WithTimeout(context.Background(), grace)
			defer cancel()
			if err := s.manager.Shutdown(ctx); err != nil {
				errs = append(errs, s.manager.Close())
			}
			s.serving.Wait()
		}
		if s.gateway != nil {
			ctx, cancel := context.WithTimeout(context.Background(), grace)
			defer cancel()
			if err := s.gateway.Close(ctx); !errors.Is(err, context.DeadlineExceeded) { // whoever has not ended by then is cut off
				errs = append(errs, err)
			}
		}
		s.changing.Lock()
		defer s.changing.Unlock()
		s.closed = errors.Join(append(errs, s.now().close(), s.forget())...)
	})
	return s.closed
}
