package main

import (
	"fmt"
	"slices"
	"strings"
)

// word finds one of a group's verbs by its own word: "build" of "tpm build".
func (v *verb) word(word string) (*verb, error) {
	var words []string
	for _, sub := range v.verbs {
		own := strings.TrimPrefix(sub.name, v.name+" ")
		if own == word {
			return sub, nil
		}
		words = append(words, own)
	}
	if strings.HasPrefix(word, "-") {
		return nil, inputErrorf("%s: which verb? windtunnel %s %s", v.name, v.name, strings.Join(words, "|"))
	}
	return nil, inputErrorf("%s: unknown verb %q%s; there are %s", v.name, word, suggestion(word, words, ""), strings.Join(words, ", "))
}

// runGroup does what the word after a group's name says.
func runGroup(sh *shell) (int, error) {
	args := slices.DeleteFunc(slices.Clone(sh.args), func(a string) bool { return strings.TrimLeft(a, "-") == "json" && a[0] == '-' })
	if len(args) == 0 || slices.Contains([]string{"-h", "-help", "--help", "help"}, args[0]) {
		return exitMet, sh.groupOverview()
	}
	v, err := sh.verb.word(args[0])
	if err != nil {
		return 0, err
	}
	of := *sh
	of.verb, of.args = v, args[1:]
	return v.run(&of)
}

// groupOverview is the help text of a group.
func (sh *shell) groupOverview() error {
	g := sh.verb
	if sh.json {
		return sh.listVerbs(g.verbs)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "Usage: %s\n\n%s.\n\n%s\n\n", usage(g), upperFirst(g.short), strings.TrimSpace(g.long))
	for _, v := range g.verbs {
		fmt.Fprintf(&b, "  %-20s %s\n", strings.TrimSpace(strings.TrimPrefix(v.name, g.name+" ")+" "+v.args), v.short)
	}
	fmt.Fprintf(&b, "\n`windtunnel %s VERB --help` tells more.\n", g.name)
	_, err := fmt.Fprint(sh.out, b.String())
	return err
}
