package main

import (
	"crypto/rand"
	"encoding/binary"
	"errors"
	"flag"
	"fmt"
	"io"
	"strconv"
	"strings"

	"windtunnel.test/sim/vclock"
	"windtunnel.test/sim/vnet"
)

// errHelp: the person asked for a verb's help, and has got it.
var errHelp = errors.New("help")

// wantsJSON looks for --json before flags are parsed, so that a wrong flag is
// told in JSON as well.
func wantsJSON(args []string) bool {
	for _, a := range args {
		switch a {
		case "--":
			return false
		case "--json", "-json", "--json=true", "-json=true":
			return true
		}
	}
	return false
}

// flags makes a verb's flag set. The set's own messages are not printed.
func (sh *shell) flags() *flag.FlagSet {
	fs := flag.NewFlagSet(sh.verb.name, flag.ContinueOnError)
	fs.SetOutput(io.Discard)
	fs.Usage = func() {}
	fs.BoolVar(&sh.json, "json", sh.json, "JSON on standard output instead of text")
	return fs
}

// parse reads flags and arguments in any order; at most so many arguments.
func (sh *shell) parse(fs *flag.FlagSet, most int) ([]string, error) {
	var names []string
	args := sh.args
	for {
		switch err := fs.Parse(args); {
		case errors.Is(err, flag.ErrHelp):
			sh.help(fs)
			return nil, errHelp
		case err != nil && negative(err) != "":
			names, args = append(names, negative(err)), fs.Args()
			continue
		case err != nil:
			return nil, sh.badFlag(fs, err)
		}
		rest := fs.Args()
		if ended := len(args) - len(rest); ended > 0 && args[ended-1] == "--" || len(rest) == 0 {
			names = append(names, rest...)
			break
		}
		names, args = append(names, rest[0]), rest[1:]
	}
	if len(names) > most {
		return nil, inputErrorf("%s: one argument too many: %q; usage: %s", sh.verb.name, names[most], usage(sh.verb))
	}
	return names, nil
}

// negative is the argument that a flag set took for a flag and is a number: a code
// as event logs write it, -2145910764. It is "" for other mistakes.
func negative(err error) string {
	name, _ := strings.CutPrefix(err.Error(), "flag provided but not defined: ")
	if n, err := strconv.Atoi(name); err != nil || n >= 0 {
		return ""
	}
	return name
}

// badFlag says what is wrong with a flag in our own words.
func (sh *shell) badFlag(fs *flag.FlagSet, err error) error {
	msg := err.Error()
	if name, ok := strings.CutPrefix(msg, "flag provided but not defined: -"); ok {
		name, _, _ = strings.Cut(name, "=")
		var known []string
		fs.VisitAll(func(f *flag.Flag) { known = append(known, f.Name) })
		return inputErrorf("%s: unknown flag --%s%s; `windtunnel help %s` lists the flags", sh.verb.name, strings.TrimPrefix(name, "-"), suggestion(name, known, "--"), sh.verb.name)
	}
	for _, old := range []string{"flag needs an argument: -", "for flag -", "for -"} {
		msg = strings.Replace(msg, old, strings.TrimSuffix(old, "-")+"--", 1)
	}
	return inputErrorf("%s: %s", sh.verb.name, strings.TrimSuffix(msg, ": parse error"))
}

// counter is a flag that counts how often it is given: -v -v.
type counter int

func (c *counter) String() string   { return strconv.Itoa(int(*c)) }
func (c *counter) IsBoolFlag() bool { return true }
func (c *counter) Set(s string) error {
	on, err := strconv.ParseBool(s)
	if err != nil {
		return errors.New("it takes no value")
	}
	if on {
		*c++
	} else {
		*c = 0
	}
	return nil
}

// value is a flag that checks its text and remembers it.
type value struct {
	text string
	set  func(string) error
}

func (v *value) String() string { return v.text }
func (v *value) Set(s string) error {
	v.text = s
	return v.set(s)
}

// number is a flag that takes a whole number within limits.
func number(fs *flag.FlagSet, to *int, name string, least, most int, help string) {
	fs.Var(&value{set: func(s string) error {
		n, err := strconv.Atoi(s)
		if err != nil || n < least || n > most {
			return fmt.Errorf("want a whole number from %d to %d", least, most)
		}
		*to = n
		return nil
	}}, name, help)
}

// seedFlag is --seed: a number, or "random" for one that nobody has chosen.
func seedFlag(fs *flag.FlagSet, to **vclock.Seed) {
	fs.Var(&value{set: func(s string) error {
		if s == "random" {
			var b [8]byte
			if _, err := rand.Read(b[:]); err != nil {
				return err
			}
			drawn := vclock.Seed(binary.BigEndian.Uint64(b[:]) >> 32) // short enough to be typed again
			*to = &drawn
			return nil
		}
		n, err := strconv.ParseUint(s, 0, 64)
		if err != nil {
			return errors.New("want a whole number from 0 to 18446744073709551615, or random")
		}
		seed := vclock.Seed(n)
		*to = &seed
		return nil
	}}, "seed", "`S`: where all randomness comes from, a number, or \"random\" (default: the scenario's, which is 1)")
}

// homes are the values of --home that a run in virtual time can have.
var homes = map[string]vnet.Home{vnet.Direct.String(): vnet.Direct, vnet.TLS.String(): vnet.TLS}

func homeFlag(fs *flag.FlagSet, to *vnet.Home) {
	fs.Var(&value{set: func(s string) error {
		h, ok := homes[s]
		if !ok {
			return errors.New("want direct or tls")
		}
		*to = h
		return nil
	}}, "home", "`HOME`: how requests travel: direct (default) or tls, with real TLS records")
}
