package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"

	"windtunnel.test/sim/wire/problem"
)

// Exit codes.
const (
	exitMet         = 0
	exitMissed      = 1
	exitInput       = 2
	exitBroken      = 3
	exitInterrupted = 130
)

func main() { os.Exit(command(os.Args[1:], os.Stdout, os.Stderr)) }

// shell is what a verb is given: its arguments, and where it may write.
type shell struct {
	ctx      context.Context // ends at Ctrl-C
	args     []string
	out, err io.Writer
	verb     *verb
	json     bool
}

// verb is one thing that the binary does.
type verb struct {
	name  string
	args  string // as the usage line shows them
	short string
	long  string // with examples
	run   func(*shell) (exit int, err error)
	verbs []*verb // of a group, whose run is runGroup; each has the group's name before its own word
}

// verbs in the order of the help text. It is filled by init, because help
// lists it.
var verbs []*verb

func init() {
	verbs = []*verb{runVerb, validateVerb, replayVerb, explainVerb, shrinkVerb, walkVerb, diagVerb, serveVerb, loadVerb, issuesVerb, initVerb, exportVerb, tpmVerb, schemaVerb, versionVerb, helpVerb}
}

// command is the whole program.
func command(args []string, out, errOut io.Writer) int {
	ctx, stop := interruptible(errOut)
	defer stop()
	sh := &shell{ctx: ctx, out: out, err: errOut, json: wantsJSON(args)}
	name := "help"
	if len(args) > 0 {
		name, sh.args = args[0], args[1:]
	}
	switch name {
	case "-h", "-help", "--help":
		name = "help"
	case "-version", "--version":
		name = "version"
	}
	i := slices.IndexFunc(verbs, func(v *verb) bool { return v.name == name })
	if i < 0 {
		return sh.fail(unknownVerb(name))
	}
	sh.verb = verbs[i]
	exit, err := sh.verb.run(sh)
	if err != nil {
		return sh.fail(err)
	}
	return exit
}

// interruptible is a context that ends at the first Ctrl-C or SIGTERM, or when
// the terminal is closed, unless we were told to outlive it (nohup). The second
// one finds no handler any more and ends the process.
func interruptible(w io.Writer) (context.Context, func()) {
	ctx, cancel := context.WithCancel(context.Background())
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	if !signal.Ignored(syscall.SIGHUP) {
		signal.Notify(signals, syscall.SIGHUP)
	}
	done := make(chan struct{})
	go func() {
		select {
		case <-signals:
			signal.Stop(signals)
			fmt.Fprintln(w, "\nInterrupted: coming to an orderly end. Ctrl-C again ends at once.")
			cancel()
		case <-done:
		}
	}()
	return ctx, func() { signal.Stop(signals); close(done); cancel() }
}

// isScenario guesses by a name what is in the file.
func isScenario(name string) bool {
	return strings.HasSuffix(name, ".yaml") || strings.HasSuffix(name, ".yml") || strings.HasSuffix(name, ".json")
}

func unknownVerb(name string) error {
	var names []string
	for _, v := range verbs {
		names = append(names, v.name)
	}
	if strings.HasPrefix(name, "-") {
		return inputErrorf("the verb comes first: windtunnel run %s", name)
	}
	if isScenario(name) {
		return inputErrorf("unknown verb %q; to run a scenario file: windtunnel run %s", name, name)
	}
	return inputErrorf("unknown verb %q%s; `windtunnel help` lists the verbs", name, suggestion(name, names, ""))
}

// suggestion names the word that was perhaps meant.
func suggestion(word string, among []string, prefix string) string {
	best, least := "", 1+max(1, len(word)/3)
	for _, w := range among {
		if d := problem.Distance(word, w); d < least || strings.HasPrefix(w, word) && len(word) >= 2 && best == "" {
			best, least = w, d
		}
	}
	if best == "" {
		return ""
	}
	return fmt.Sprintf(" (did you mean %q?)", prefix+best)
}
