package catalog

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"windtunnel.test/sim/hresult"
)

// Filter chooses entries. Empty members choose all.
type Filter struct {
	Phase, Class, Code string
	State              State
}

// Check says which member of a filter no entry can have.
func (f Filter) Check() error {
	within := func(p string) bool { return phaseIs(p, f.Phase) }
	if f.Phase != "" && !slices.ContainsFunc(Phases, within) {
		return fmt.Errorf("no phase is called %q (%s)", f.Phase, strings.Join(Phases, ", "))
	}
	if f.Class != "" && !slices.ContainsFunc(Classes, func(c string) bool { return strings.EqualFold(c, f.Class) }) {
		return fmt.Errorf("no class is called %q (%s)", f.Class, strings.Join(Classes, ", "))
	}
	if f.State != "" && !slices.Contains(States, f.State) {
		return fmt.Errorf("no state is called %q (%v)", f.State, States)
	}
	if _, ok := codeOf(f.Code); f.Code != "" && !ok {
		return fmt.Errorf("%q is no code: one is written 0x80180014, -2145910764, or as its symbol", f.Code)
	}
	return nil
}

// Where gives the entries that a filter chooses. A phase that is the first part
// of another, T of T-PREP, stands for it.
func (l *List) Where(f Filter) (chosen []*Entry) {
	wanted, _ := codeOf(f.Code)
	for _, e := range l.Entries {
		if f.State != "" && f.State != e.State {
			continue
		}
		if f.Class != "" && !slices.ContainsFunc(e.Class, func(c string) bool { return strings.EqualFold(c, f.Class) }) {
			continue
		}
		if f.Phase != "" && !slices.ContainsFunc(e.Phase, func(p string) bool { return p == "ANY" || phaseIs(p, f.Phase) }) {
			continue
		}
		if f.Code != "" && !slices.Contains(codesIn(strings.Join(e.Seen.Codes, " ")), wanted) {
			continue
		}
		chosen = append(chosen, e)
	}
	return chosen
}

func phaseIs(p, wanted string) bool {
	p, wanted = strings.ToUpper(p), strings.ToUpper(wanted)
	return p == wanted || strings.HasPrefix(p, wanted+"-")
}

// Hit is an entry that fits what somebody has seen.
type Hit struct {
	Entry *Entry
	By    []string // what of it fits, best first
	score int
}

var (
	codeForm  = regexp.MustCompile(`(?i)-[0-9]{9,10}\b|\b[2-4][0-9]{9}\b|\b(?:0x)?[0-9a-f]{8}\b|\b[a-z]+_[a-z0-9_]+\b`)
	hexForm   = regexp.MustCompile(`^[0-9A-Fa-f]+$`)
	eventForm = regexp.MustCompile(`(?i)\bevent(?:\s+id)?[ :=#]*([0-9]{1,5})\b`)
	wordForm  = regexp.MustCompile(`[\p{L}\p{N}_]{3,}`)
)

// Search finds what fits a code, the number of an event, a screen, or a text
// from a log or a page; best first. Whoever looks has the codes of many failures
// in front of them: one entry's code counts more than any number of words.
func (l *List) Search(text string) (hits []Hit) {
	codes := codesIn(text)
	var events []int
	for _, m := range eventForm.FindAllStringSubmatch(text, -1) {
		n, _ := strconv.Atoi(m[1]) // digits
		events = append(events, n)
	}
	if n, err := strconv.Atoi(strings.TrimSpace(text)); err == nil {
		events = append(events, n)
	}
	words := wordsOf(text)
	for _, e := range l.Entries {
		h := Hit{Entry: e}
		h.codes(codes)
		h.events(events)
		h.texts(text, words)
		if h.score > 0 {
			hits = append(hits, h)
		}
	}
	slices.SortStableFunc(hits, func(a, b Hit) int { return cmp.Compare(b.score, a.score) })
	if len(hits) > 0 { // what has a few words in common is no find beside one that has the code
		least := hits[0].score / 4
		hits = slices.DeleteFunc(hits, func(h Hit) bool { return h.score < least })
	}
	return hits
}

func (h *Hit) add(score int, by string) {
	h.score += score
	if !slices.Contains(h.By, by) {
		h.By = append(h.By, by)
	}
}

func (h *Hit) codes(codes []hresult.Code) {
	for _, c := range h.Entry.Seen.Codes {
		if code, ok := codeOf(c); ok && slices.Contains(codes, code) {
			h.add(1000, "code "+c)
		}
	}
}

func (h *Hit) events(ids []int) {
	for _, e := range h.Entry.Seen.Events {
		if slices.Contains(ids, e.ID) {
			h.add(600, "event "+strconv.Itoa(e.ID))
		}
	}
}

func (h *Hit) texts(text string, words []string) {
	lower := strings.ToLower(strings.TrimSpace(text))
	if len(lower) >= 3 {
		for _, t := range slices.Concat(h.Entry.Seen.Text, h.Entry.Seen.Screens) {
			if x := strings.ToLower(t); strings.Contains(x, lower) || within(lower, x) {
				h.add(800, "text \""+t+"\"")
			}
		}
		if strings.EqualFold(lower, h.Entry.ID) {
			h.add(2000, "id")
		}
	}
	all := []string{h.Entry.Title, h.Entry.Cause}
	for _, c := range h.Entry.Seen.Codes {
		if code, ok := codeOf(c); ok {
			all = append(all, code.Meaning())
		}
	}
	of := wordsOf(strings.Join(append(all, h.Entry.Seen.Text...), " "))
	common := 0
	for _, w := range words {
		if slices.Contains(of, w) {
			common++
		}
	}
	if common > 0 && common*2 >= len(words) {
		h.add(100*common/len(words), "words")
	}
}

// within tells whether a text has another in it, not as a part of a word: the
// screen esp is not in ESPProgress.
func within(text, part string) bool {
	for at := 0; part != ""; at++ {
		i := strings.Index(text[at:], part)
		if i < 0 {
			break
		}
		at += i
		before, _ := utf8.DecodeLastRuneInString(text[:at])
		after, _ := utf8.DecodeRuneInString(text[at+len(part):])
		if !inWord(before) && !inWord(after) {
			return true
		}
	}
	return false
}

func inWord(r rune) bool {
	return r != utf8.RuneError && (unicode.IsLetter(r) || unicode.IsDigit(r) || r == '_')
}

func wordsOf(text string) []string {
	words := wordForm.FindAllString(strings.ToLower(text), -1)
	slices.Sort(words)
	return slices.Compact(words)
}

// codesIn gives the codes that a text names.
func codesIn(text string) (codes []hresult.Code) {
	for _, s := range codeForm.FindAllString(text, -1) {
		if c, ok := codeOf(s); ok {
			codes = append(codes, c)
		}
	}
	return codes
}

// codeOf reads a code as hresult.Parse does, and eight digits without 0x, as
// pages and people write them.
func codeOf(s string) (hresult.Code, bool) {
	if len(s) == len("80180014") && hexForm.MatchString(s) {
		s = "0x" + s
	}
	c, err := hresult.Parse(s)
	return c, err == nil
}
