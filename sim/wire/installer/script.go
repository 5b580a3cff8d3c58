package installer

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Script says what a PowerShell script does to a PC and what it answers. There
// is no PowerShell here: a script's text tells in comments, one directive a
// line, and all else in it is passed over:
//
//	# windtunnel: takes 40s                                 how long it runs
//	# windtunnel: exit 1 0                                  exit codes, of the first run and of all later ones
//	# windtunnel: output some text                          writes to STDOUT
//	# windtunnel: file C:\Program Files\App\app.exe         writes the path to STDOUT where the file exists
//	# windtunnel: registry HKLM\SOFTWARE\App Version        writes the value's data to STDOUT where it exists
//	# windtunnel: creates C:\ProgramData\App\ready.txt      creates a file
//	# windtunnel: sets HKLM\SOFTWARE\App Ready 1            writes a value
//	# windtunnel: hangs                                     never ends by itself
//	# windtunnel: restarts                                  restarts the PC when it is done
//
// A key or a name with blanks stands in double quotes.
type Script struct {
	Marked    bool // it has a directive; one that has none does nothing and answers by its mark, see [Mark]
	Duration  time.Duration
	ExitCodes []int // of the PC's runs, the last of them from then on; none: 0
	Prints    []Print
	Files     []string
	Registry  []RegistryValue
	Hangs     bool
	Restarts  bool
}

// Print is a line that a script may write to STDOUT: Text, or where a file or
// a registry value exists what is there.
type Print struct {
	Text string
	File string
	Key  string
	Name string // of the value below Key; "": the key itself
}

// Exit gives the code of a PC's nth run, counted from 1.
func (s Script) Exit(run int) int {
	if len(s.ExitCodes) == 0 {
		return 0
	}
	return s.ExitCodes[min(max(run, 1), len(s.ExitCodes))-1]
}

const directive = "windtunnel:"

// ParseScript reads the directives of a script's text. Its error names the
// line that is none.
func ParseScript(text string) (Script, error) {
	var s Script
	for n, line := range strings.Split(text, "\n") {
		comment, ok := strings.CutPrefix(strings.TrimSpace(strings.TrimPrefix(line, "\ufeff")), "#")
		if !ok {
			continue
		}
		rest, ok := strings.CutPrefix(strings.TrimSpace(comment), directive)
		if !ok {
			continue
		}
		s.Marked = true
		if err := s.add(strings.TrimSpace(rest)); err != nil {
			return s, fmt.Errorf("installer: script, line %d: %w", n+1, err)
		}
	}
	return s, nil
}

func (s *Script) add(text string) error {
	verb, rest, _ := strings.Cut(text, " ")
	rest = strings.TrimSpace(rest)
	words := fields(rest)
	switch {
	case verb == "hangs" && rest == "":
		s.Hangs = true
	case verb == "restarts" && rest == "":
		s.Restarts = true
	case verb == "takes":
		d, err := time.ParseDuration(rest)
		if err != nil || d < 0 || d > maxDuration {
			return fmt.Errorf("takes %q: not a duration such as 40s or 5m", rest)
		}
		s.Duration = d
	case verb == "exit" && len(words) > 0:
		for _, w := range words {
			code, err := strconv.ParseInt(w, 10, 32)
			if err != nil {
				return fmt.Errorf("exit %q: not a number", w)
			}
			s.ExitCodes = append(s.ExitCodes, int(code))
		}
	case verb == "output" && rest != "":
		s.Prints = append(s.Prints, Print{Text: rest})
	case verb == "file" && rest != "":
		s.Prints = append(s.Prints, Print{File: unquote(rest)})
	case verb == "registry" && (len(words) == 1 || len(words) == 2):
		p := Print{Key: words[0]}
		if len(words) == 2 {
			p.Name = words[1]
		}
		s.Prints = append(s.Prints, p)
	case verb == "creates" && rest != "":
		s.Files = append(s.Files, unquote(rest))
	case verb == "sets" && len(words) == 3:
		s.Registry = append(s.Registry, RegistryValue{Key: words[0], Name: words[1], Value: words[2]})
	default:
		return fmt.Errorf("%q is no directive", text)
	}
	return nil
}

// Directives writes the script's comments, which [ParseScript] reads.
func (s Script) Directives() string {
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, "# "+directive+" "+format+"\n", args...) }
	if s.Duration > 0 {
		line("takes %s", s.Duration)
	}
	if len(s.ExitCodes) > 0 {
		line("exit %s", strings.Trim(fmt.Sprint(s.ExitCodes), "[]"))
	}
	for _, p := range s.Prints {
		switch {
		case p.File != "":
			line("file %s", p.File)
		case p.Key != "":
			line("registry %s", strings.Join(quoted(slices.DeleteFunc([]string{p.Key, p.Name}, func(s string) bool { return s == "" })), " "))
		default:
			line("output %s", p.Text)
		}
	}
	for _, f := range s.Files {
		line("creates %s", f)
	}
	for _, v := range s.Registry {
		line("sets %s", strings.Join(quoted([]string{v.Key, v.Name, v.Value}), " "))
	}
	if s.Hangs {
		line("hangs")
	}
	if s.Restarts {
		line("restarts")
	}
	return b.String()
}

func quoted(words []string) []string {
	out := make([]string, len(words))
	for i, w := range words {
		out[i] = w
		if w == "" || strings.ContainsAny(w, " \t") {
			out[i] = `"` + w + `"`
		}
	}
	return out
}

// fields splits at blanks outside of double quotes.
func fields(text string) []string {
	var out []string
	for text = strings.TrimSpace(text); text != ""; text = strings.TrimSpace(text) {
		if rest, ok := strings.CutPrefix(text, `"`); ok {
			word, after, _ := strings.Cut(rest, `"`)
			out, text = append(out, word), after
			continue
		}
		word, after := text, ""
		if i := strings.IndexAny(text, " \t"); i >= 0 {
			word, after = text[:i], text[i:]
		}
		out, text = append(out, word), after
	}
	return out
}

func unquote(text string) string {
	if inner, ok := strings.CutPrefix(text, `"`); ok && strings.HasSuffix(inner, `"`) {
		return strings.TrimSuffix(inner, `"`)
	}
	return text
}

// KeyMarks is where the marks of scripts without directives are.
const KeyMarks = `HKLM\SOFTWARE\Windtunnel\Scripts`

// Mark is the value that a script without directives is taken to look for: it
// writes "found" to STDOUT where it exists. The installer of an app that is
// detected by such a script leaves it, so that the export of a tenant, whose
// scripts know nothing of us, can be used.
func Mark(text string) RegistryValue {
	sum := sha256.Sum256([]byte(text))
	return RegistryValue{Key: KeyMarks, Name: hex.EncodeToString(sum[:16]), Value: "found"}
}
