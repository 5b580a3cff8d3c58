package main

import (
	"flag"
	"fmt"
	"slices"
	"strings"
)

var helpVerb = &verb{
	name: "help", args: "[VERB]", short: "this text, or more about a verb",
	run: func(sh *shell) (int, error) {
		fs := sh.flags()
		names, err := sh.parse(fs, 2)
		switch {
		case err == errHelp:
			return exitMet, nil
		case err != nil:
			return 0, err
		case len(names) == 0:
			return exitMet, sh.overview()
		}
		i := slices.IndexFunc(verbs, func(v *verb) bool { return v.name == names[0] })
		if i < 0 {
			return 0, unknownVerb(names[0])
		}
		v := verbs[i]
		switch {
		case len(names) == 1:
		case v == loadVerb && names[1] == "compare":
			v = loadCompareVerb
		case len(v.verbs) == 0:
			return 0, inputErrorf("help: one argument too many: %q; usage: %s", names[1], usage(sh.verb))
		default:
			if v, err = v.word(names[1]); err != nil {
				return 0, err
			}
		}
		of := &shell{ctx: sh.ctx, out: sh.out, err: sh.err, json: sh.json, verb: v, args: []string{"--help"}}
		return v.run(of)
	},
}

const about = `A wind tunnel for Windows Autopilot: a fleet of virtual PCs, each with its own
software TPM 2.0, is pre-provisioned by technicians, resealed, shipped and handed
to users, in virtual time.
`

const exits = `Exit codes: 0 all expectations met; 1 one was missed, or a replay differed;
2 unusable input; 3 the run itself broke; 130 interrupted.
`

// overview is the help text of the binary.
func (sh *shell) overview() error {
	if sh.json {
		return sh.listVerbs(verbs)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s\nUsage: windtunnel VERB [ARGUMENTS] [FLAGS]\n\n", about)
	for _, v := range verbs {
		fmt.Fprintf(&b, "  %-16s %s\n", strings.TrimSpace(v.name+" "+v.args), v.short)
	}
	fmt.Fprintf(&b, "\nBegin with:\n\n  windtunnel run                   the PCs of one company, from the bench to the desktop\n  windtunnel run --devices 1 -v    one PC, and the story of its life\n\n%s\n`windtunnel help VERB` tells more.\n", exits)
	_, err := fmt.Fprint(sh.out, b.String())
	return err
}

func (sh *shell) listVerbs(of []*verb) error {
	type entry struct {
		Name  string `json:"name"`
		Usage string `json:"usage"`
		Short string `json:"short"`
	}
	list := []entry{}
	for _, v := range of {
		list = append(list, entry{v.name, usage(v), v.short})
	}
	return sh.printJSON(map[string]any{"verbs": list})
}

func usage(v *verb) string {
	s := "windtunnel " + v.name
	if v.args != "" {
		s += " " + v.args
	}
	return s + " [FLAGS]"
}

// help is the help text of a verb, with the flags that it has declared.
func (sh *shell) help(fs *flag.FlagSet) {
	type option struct {
		Name  string `json:"name"`
		Value string `json:"value,omitempty"`
		Help  string `json:"help"`
	}
	var list []option
	fs.VisitAll(func(f *flag.Flag) {
		value, help := flag.UnquoteUsage(f)
		help = strings.TrimPrefix(help, value+": ")
		if b, ok := f.Value.(interface{ IsBoolFlag() bool }); ok && b.IsBoolFlag() {
			value = ""
		}
		list = append(list, option{"--" + f.Name, value, help})
	})
	if sh.json {
		_ = sh.printJSON(map[string]any{"usage": usage(sh.verb), "short": sh.verb.short, "flags": list}) // help that cannot be written helps nobody
		return
	}
	var b strings.Builder
	fmt.Fprintf(&b, "Usage: %s\n\n%s\n", usage(sh.verb), upperFirst(sh.verb.short)+".")
	if sh.verb.long != "" {
		fmt.Fprintf(&b, "\n%s\n", strings.TrimSpace(sh.verb.long))
	}
	fmt.Fprintf(&b, "\nFlags:\n")
	for _, o := range list {
		if len(o.Name) == len("--v") {
			o.Name = o.Name[1:]
		}
		fmt.Fprintf(&b, "  %-20s %s\n", strings.TrimSpace(o.Name+" "+o.Value), o.Help)
	}
	fmt.Fprint(sh.out, b.String())
}

func upperFirst(s string) string { return strings.ToUpper(s[:1]) + s[1:] }
