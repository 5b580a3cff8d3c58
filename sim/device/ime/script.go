package ime

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"windtunnel.test/sim/device"
	"windtunnel.test/sim/wire/installer"
)

// scriptRun is a PowerShell script that AgentExecutor is to run.
type scriptRun struct {
	name  string // of the log, and of the count of runs
	text  string
	sid   string // user whom it runs as, "" the system
	limit time.Duration
}

// scriptResult is how it ended.
type scriptResult struct {
	exit     int
	output   string
	timedOut bool
}

var errScriptLimit = errors.New("the script ran longer than it may")

// runScript runs a script. The error is a script that cannot be read, or the
// end of the boot.
func (a *agent) runScript(s scriptRun) (scriptResult, error) {
	script, err := installer.ParseScript(s.text)
	if err != nil {
		a.executor("Powershell script %s could not be read: %v", s.name, err)
		return scriptResult{}, err
	}
	ctx, cancel := a.w.Clock.WithTimeout(a.w.Ctx, s.limit, errScriptLimit)
	defer cancel()
	w := a.w.Under(ctx)
	if script.Hangs {
		err = w.Clock.NewCond("script on " + w.Name).Wait(w.Ctx)
	} else {
		err = w.Sleep(max(script.Duration, w.Timing.IME.AgentScriptStart), "script "+s.name)
	}
	if cause := context.Cause(a.w.Ctx); cause != nil {
		return scriptResult{}, cause
	}
	if errors.Is(context.Cause(ctx), errScriptLimit) {
		a.executor("Powershell execution of %s is timed out after %s", s.name, s.limit)
		return scriptResult{timedOut: true}, nil
	}
	if err != nil {
		return scriptResult{}, err
	}
	return a.effects(s, script)
}

// effects is what a script does, all at its end.
func (a *agent) effects(s scriptRun, script installer.Script) (scriptResult, error) {
	run := 1
	if len(script.ExitCodes) > 1 {
		run = a.w.CountRun("script " + s.name)
	}
	res := scriptResult{exit: script.Exit(run)}
	var out []string
	for _, p := range prints(s.text, script) {
		if text, ok := a.print(p, s.sid); ok {
			out = append(out, text)
		}
	}
	res.output = strings.Join(out, "\n")
	for _, f := range script.Files {
		a.w.Disk.Files.Write(f, []byte("script "+s.name))
	}
	a.w.WriteValues(script.Registry, s.sid)
	a.executor("Powershell exit code is %d", res.exit)
	a.executor("length of out=%d", len(res.output))
	if script.Restarts {
		a.w.Restart("script " + s.name)
		return res, device.ErrReboot
	}
	return res, nil
}

// prints are what a script may write to STDOUT; one without directives of ours
// is taken to look for its mark.
func prints(text string, s installer.Script) []installer.Print {
	if s.Marked {
		return s.Prints
	}
	mark := installer.Mark(text)
	return []installer.Print{{Key: mark.Key, Name: mark.Name}}
}

func (a *agent) print(p installer.Print, sid string) (string, bool) {
	switch {
	case p.File != "":
		_, found := a.w.FileInfo(expandPath(p.File))
		return p.File, found
	case p.Key != "":
		key := device.ExpandHive(p.Key, sid)
		if p.Name == "" {
			return p.Key, a.w.Registry().Has(key)
		}
		if v, ok := a.w.Registry().DWORD(key, p.Name); ok {
			return strconv.FormatUint(uint64(v), 10), true
		}
		return a.w.Registry().String(key, p.Name), a.w.Registry().HasValue(key, p.Name)
	}
	return p.Text, true
}

// executor writes a line of AgentExecutor's log.
func (a *agent) executor(format string, args ...any) {
	a.w.WriteLog(device.LogAgentExecutor, "AgentExecutor", fmt.Sprintf(format, args...))
}
