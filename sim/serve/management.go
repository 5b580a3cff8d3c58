package serve

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"windtunnel.test/sim/fault"
	"windtunnel.test/sim/scenario"
	"windtunnel.test/sim/vclock"
	"windtunnel.test/sim/wire/problem"
)

// Paths of the management listener.
const (
	pathReady   = "/v1/ready"
	pathJournal = "/v1/journal"
	pathFaults  = "/v1/faults"
	pathClock   = "/v1/clock"
	pathReset   = "/v1/reset"
	pathState   = "/v1/state"
)

// Limits of what may be asked for.
const (
	usualPage   = 1000
	longestPage = 10_000
	longestWait = time.Minute
	longestJump = 10 * 365 * 24 * time.Hour
)

// management is the handler of the management listener.
func (s *Server) management() http.Handler {
	mux := http.NewServeMux()
	mux.Handle(pathReady, methods{"GET": s.getReady})
	mux.Handle(pathJournal, methods{"GET": s.getJournal})
	mux.Handle(pathFaults, methods{"GET": s.getFaults, "POST": s.postFaults, "DELETE": s.deleteFaults})
	mux.Handle(pathFaults+"/{name}", methods{"DELETE": s.deleteFault})
	mux.Handle(pathClock, methods{"GET": s.getClock, "POST": s.postClock})
	mux.Handle(pathReset, methods{"POST": s.postReset})
	mux.Handle(pathState, methods{"GET": s.getState, "PUT": s.putState})
	mux.Handle("/", endpoint(func(_ http.ResponseWriter, r *http.Request) (any, error) {
		return nil, refuse(http.StatusNotFound, "there is no %s; there are %s, %s, %s, %s, %s and %s",
			r.URL.Path, pathReady, pathJournal, pathFaults, pathClock, pathReset, pathState)
	}))
	return guard(mux)
}

func (s *Server) getReady(http.ResponseWriter, *http.Request) (any, error) { return s.Ready(), nil }

// getJournal takes since, kind, device, service, limit and wait.
func (s *Server) getJournal(_ http.ResponseWriter, r *http.Request) (any, error) {
	form, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return nil, refuse(http.StatusBadRequest, "the query is not well-formed: %v", err)
	}
	q := query{kind: form.Get("kind"), device: form.Get("device"), service: form.Get("service"), limit: usualPage}
	var wait time.Duration
	for name, values := range form {
		var err error
		switch name {
		case "kind", "device", "service":
		case "since":
			q.since, err = strconv.ParseUint(values[0], 10, 64)
		case "limit":
			q.limit, err = strconv.Atoi(values[0])
		case "wait":
			wait, err = time.ParseDuration(values[0])
		default:
			return nil, refuse(http.StatusBadRequest, "unknown parameter %q; there are since, kind, device, service, limit and wait", name)
		}
		if err != nil {
			return nil, refuse(http.StatusBadRequest, "%s is %q; want a number, for wait a duration such as 30s", name, values[0])
		}
	}
	switch {
	case q.limit < 1 || q.limit > longestPage:
		return nil, refuse(http.StatusBadRequest, "limit is from 1 to %d", longestPage)
	case wait < 0 || wait > longestWait:
		return nil, refuse(http.StatusBadRequest, "wait is at most %s", longestWait)
	case wait == 0:
		p, _ := s.log.find(q)
		return p, nil
	}
	ctx, cancel := context.WithTimeout(r.Context(), wait) // of real time, which the client waits in
	defer cancel()
	return s.log.await(ctx, q), nil
}

type faultList struct {
	Faults []fault.Rule `json:"faults"`
}

func (s *Server) getFaults(http.ResponseWriter, *http.Request) (any, error) {
	list := faultList{s.now().world.Faults.Rules()}
	if list.Faults == nil {
		list.Faults = []fault.Rule{}
	}
	return list, nil
}

// postFaults adds rules, all or none.
func (s *Server) postFaults(w http.ResponseWriter, r *http.Request) (any, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	rules, problems := scenario.LoadFaults("", body)
	if problems != nil {
		return nil, &refusal{status: http.StatusBadRequest, Message: "the rules have mistakes", Problems: problems[:min(len(problems), problem.Max)]}
	}
	s.changing.Lock()
	defer s.changing.Unlock()
	injector := s.now().world.Faults
	for _, have := range injector.Rules() {
		for _, rule := range rules {
			if have.Name == rule.Name {
				return nil, refuse(http.StatusConflict, "there is a rule %q already; delete it first", rule.Name)
			}
		}
	}
	injector.Add(rules...)
	return s.getFaults(w, r)
}

func (s *Server) deleteFaults(http.ResponseWriter, *http.Request) (any, error) {
	s.changing.Lock()
	defer s.changing.Unlock()
	s.now().world.Faults.SetRules(nil)
	return nil, nil
}

func (s *Server) deleteFault(_ http.ResponseWriter, r *http.Request) (any, error) {
	s.changing.Lock()
	defer s.changing.Unlock()
	if name := r.PathValue("name"); !s.now().world.Faults.Remove(name) {
		return nil, refuse(http.StatusNotFound, "there is no rule %q", name)
	}
	return nil, nil
}

// clockState is what there is to know about time.
type clockState struct {
	Now    time.Time `json:"now"`  // business time: tokens, certificates of devices, timers
	Real   time.Time `json:"real"` // the machine's: TLS
	Offset string    `json:"offset"`
}

func (s *Server) getClock(http.ResponseWriter, *http.Request) (any, error) {
	clock := s.now().clock
	return clockState{clock.Now().UTC(), vclock.RealNow().UTC().Round(0), clock.Ahead().String()}, nil
}

func (s *Server) postClock(w http.ResponseWriter, r *http.Request) (any, error) {
	var in struct {
		Jump *string `json:"jump"`
	}
	if err := readJSON(r, &in); err != nil {
		return nil, err
	}
	if in.Jump == nil {
		return nil, refuse(http.StatusBadRequest, `say how far: {"jump": "10m"}`)
	}
	d, err := time.ParseDuration(*in.Jump)
	if err != nil {
		return nil, refuse(http.StatusBadRequest, "jump is %q; want a duration such as 10m or 36h", *in.Jump)
	}
	s.changing.Lock()
	defer s.changing.Unlock()
	switch clock := s.now().clock; {
	case d <= 0:
		return nil, refuse(http.StatusBadRequest, "jump is %s; time goes forward only", d)
	case d > longestJump || clock.Ahead()+d > longestJump:
		return nil, refuse(http.StatusBadRequest, "jump is %s; business time is at most %s ahead", d, longestJump)
	}
	if err := s.jump(d); err != nil {
		return nil, err
	}
	return s.getClock(w, r)
}

func (s *Server) postReset(http.ResponseWriter, *http.Request) (any, error) {
	s.changing.Lock()
	defer s.changing.Unlock()
	return nil, s.reset()
}

func (s *Server) getState(w http.ResponseWriter, _ *http.Request) (any, error) {
	s.changing.Lock()
	state, err := s.export()
	s.changing.Unlock()
	if err != nil {
		return nil, err
	}
	return state, nil
}

func (s *Server) putState(_ http.ResponseWriter, r *http.Request) (any, error) {
	var state json.RawMessage
	if err := readJSON(r, &state); err != nil {
		return nil, err
	}
	s.changing.Lock()
	defer s.changing.Unlock()
	return nil, s.load(state)
}
