package main

import (
	"errors"
	"fmt"

	"windtunnel.test/sim"
	"windtunnel.test/sim/scenario"
	"windtunnel.test/sim/serve"
	"windtunnel.test/sim/vclock"
	"windtunnel.test/sim/vtpm"
)

var serveVerb = &verb{
	name: "serve", args: "[FILE]", short: "offer a scenario's cloud to other programs, over TLS on this machine",
	long: `
The tenant of a scenario, or of the built-in one, for Microsoft's SDKs, for an
administrator's scripts, for a tool under test. They keep the names that they
know, such as graph.microsoft.com, and come by a proxy that knows exactly these
names; what it says at the start is what to set. It serves until Ctrl-C.

  windtunnel serve
  windtunnel serve office.yaml --state tenant       the tenant as it was left
  windtunnel serve --management 127.0.0.1:8280 --json
  windtunnel serve --fleet 20                       20 virtual PCs live in it as well

Time is real. The web certificates' authority is new at each start, and its key
is nowhere but in the process.

Sign-in pages and device codes work in a browser that uses the proxy. The second
factor of every account that needs one is 246810. Azure CLI, Azure PowerShell and
Microsoft Graph PowerShell are known in every tenant; a user who changes things
with them needs a role: "windtunnel: {roles: [Intune Administrator]}" in the file.
SCEP is at https://ndes.DOMAIN/certsrv/mscep/mscep.dll, and /certsrv/mscep_admin
gives a user a challenge for it.

A scenario with a domain brings its controllers: DNS, Kerberos, LDAP, LDAPS, the
global catalogue and kpasswd, each on a port of its own; KRB5_CONFIG names a file
with them. With --directory 127.0.0.1, which needs root, they are where clients
look by themselves. Connectors and directory synchronisation live beside them.

The management listener takes and gives JSON:

  GET    /v1/ready                    what was said at the start
  GET    /v1/journal                  what happened: ?since=N&kind=GLOB&device=GLOB
                                      &service=GLOB&limit=N, and &wait=30s to wait for more
  GET    /v1/faults                   fault rules, in the shape of a scenario's
  POST   /v1/faults                   one more, or a list; mistakes are told with their place
  DELETE /v1/faults, /v1/faults/NAME  all, or one
  GET    /v1/clock                    business time, and how far it is ahead
  POST   /v1/clock {"jump":"10m"}     move it forward: tokens, timers, device certificates,
                                      but never what TLS checks
  POST   /v1/reset                    the tenant and fault rules as the file says; business
                                      time stays
  GET    /v1/state, PUT /v1/state     export and import of the tenant; fault rules as the
                                      file says

Limits: HTTP/1.1 and HTTP/2, no HTTP/3. A body travels whole: answers are not
streamed. Names are told apart by SNI and Host alone, so a client must send them.
The journal keeps the last 65,536 events. A reset and an import let requests that
are under way end, for three seconds, and have new ones wait. What is in memory
for minutes only (challenges, nonces) is gone with them and with the process.
--state holds up to a kill of the process at any moment, not to a loss of power
of the machine, and not with --fleet. The folder's database and an export hold
passwords, secrets and keys as they are; other users cannot read the database.
Each row of a service's parity.yaml says what is modelled; what is absent answers
404 or 501.

It is ` + serve.Warning + `.`,
}

func init() { serveVerb.run = runServe }

func runServe(sh *shell) (int, error) {
	var o serve.Options
	var fleet int
	var seed *vclock.Seed
	var strict bool
	var tpmCache string
	fs := sh.flags()
	fs.StringVar(&o.TLS, "listen", serve.DefaultTLS, "`ADDR`: where TLS is; port 0 picks a free one, as for all of them (default: "+serve.DefaultTLS+")")
	fs.StringVar(&o.Proxy, "proxy", serve.DefaultProxy, "`ADDR`: where the proxy is (default: "+serve.DefaultProxy+")")
	fs.StringVar(&o.HTTP, "http", "", "`ADDR`: where plain HTTP is (default: a free port; the proxy carries it as well)")
	fs.StringVar(&o.Management, "management", "", "`ADDR`: where the management listener is (default: there is none)")
	fs.StringVar(&o.Directory, "directory", serve.DefaultDirectory, "`ADDR`: where the ports of the scenario's Active Directory domain are: 127.0.0.1 alone takes the standard ones (default: "+serve.DefaultDirectory+", free ones)")
	fs.StringVar(&o.StateDir, "state", "", "`DIR`: keep the tenant there from one start to the next")
	fs.StringVar(&o.CAFile, "ca", "", "`FILE`: where the web authority's certificate goes (default: ca.pem in --state, or windtunnel/serve in your cache folder until the end)")
	number(fs, &fleet, "fleet", 1, scenario.MaxDevices, "`N`: so many of the scenario's PCs live here as well (default: none)")
	seedFlag(fs, &seed)
	fs.BoolVar(&strict, "strict", false, "members of tenant objects that nothing reads are errors")
	cacheFlag(fs, &tpmCache)
	names, err := sh.parse(fs, 1)
	if err != nil {
		return helped(err)
	}
	file := ""
	if len(names) == 1 {
		file = names[0]
	}
	s, err := load(file, strict)
	if err != nil {
		return 0, err
	}
	flags := scenario.Flags{Seed: seed}
	if o.Fleet = fleet > 0; o.Fleet {
		flags.Devices, flags.Cells = fleet, 1
	}
	s, problems := s.Resolve(flags)
	if err := problems.Err(); err != nil {
		return 0, err
	}
	sh.warn(s)
	o.Scenario = s
	o.Warn = func(m string) { fmt.Fprintf(sh.err, "windtunnel: %s\n", m) }
	return exitMet, withFleet(sh, &o, tpmCache, func() error { return serveUntilEnd(sh, o) })
}

// withFleet has the TPMs of a fleet ready while f runs, if there is a fleet.
func withFleet(sh *shell, o *serve.Options, tpmCache string, f func() error) error {
	if !o.Fleet {
		return f()
	}
	lab, err := vtpm.Open(vtpm.Options{CacheDir: tpmCache, Warn: func(m string) { fmt.Fprintf(sh.err, "windtunnel: %s\n", m) }})
	if err != nil {
		return err
	}
	show := newProgress(sh)
	err = lab.Build(sh.ctx, sim.Chips(o.Scenario), func(done, total int) {
		show.update(sim.Progress{Stage: "tpm images", Done: done, Total: total})
	})
	show.end()
	switch {
	case sh.ctx.Err() != nil:
		err = errInterrupted
	case err == nil:
		o.Lab = lab
		err = f()
	}
	return errors.Join(err, lab.Close())
}

// serveUntilEnd says what to set once clients can come, and serves until
// Ctrl-C, which is how this ends well.
func serveUntilEnd(sh *shell, o serve.Options) error {
	server, err := serve.New(o)
	var wrong *serve.InputError
	switch {
	case errors.As(err, &wrong):
		return inputErrorf("serve: %w", err)
	case err != nil:
		return err
	}
	if sh.json {
		err = sh.printJSON(server.Ready())
	} else {
		err = server.Ready().WriteText(sh.out)
	}
	if err != nil {
		return errors.Join(err, server.Close())
	}
	return server.Run(sh.ctx)
}
