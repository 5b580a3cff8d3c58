package report

import (
	"strings"
	"unicode"

	"windtunnel.test/sim/hresult"
	"windtunnel.test/sim/journal"
)

// wording is how one kind of event is put into words.
type wording struct {
	who    string // whose doing it is: the column before the sentence
	detail int    // shown from this level of detail on
	state  string // name of the field whose subject's state this is: told in a Story when it changes
	text   string // template for fill
	// say is used in place of text where a template is not enough. It may move
	// the event to another level of detail.
	say func(journal.Event) (text string, detail int)
}

// in puts an event into words. Kinds that no table knows are printed with
// their fields, so that nothing is lost with a new kind.
func in(e journal.Event) (who, text string, detail int) {
	w, known := kinds[e.Kind]
	switch {
	case !known:
		return generic(e)
	case w.say != nil:
		text, detail = w.say(e)
		return w.who, text, detail
	}
	return w.who, fill(w.text, e), w.detail
}

// fill puts fields into a template: {name} is a field's text, and what stands
// in [ ] is left out when none of the fields in it has one. HRESULTs in a field
// named code get their symbolic name.
func fill(template string, e journal.Event) string {
	var out strings.Builder
	for template != "" {
		i := strings.IndexAny(template, "{[")
		if i < 0 {
			out.WriteString(template)
			break
		}
		out.WriteString(template[:i])
		closing := map[byte]string{'{': "}", '[': "]"}[template[i]]
		inner, rest, ok := strings.Cut(template[i+1:], closing)
		if !ok {
			out.WriteString(template[i:])
			break
		}
		if template[i] == '{' {
			out.WriteString(field(e, inner))
		} else if part := fill(inner, e); part != fill(inner, journal.Event{}) {
			out.WriteString(part)
		}
		template = rest
	}
	return out.String()
}

func field(e journal.Event, key string) string {
	s := e.Text(key)
	if key == "code" {
		return codeName(s)
	}
	return s
}

// codeName adds the symbolic name to an HRESULT written in hexadecimal:
// "0x80180014 (MENROLL_E_DEVICENOTSUPPORTED)". Other codes stay as they are.
func codeName(s string) string {
	if !strings.HasPrefix(s, "0x") || len(s) != len("0x80180014") {
		return s
	}
	c, err := hresult.Parse(s)
	if err != nil || c.Name() == "" {
		return s
	}
	return c.String()
}

// generic is an event of a kind that has no words of its own:
// "mdm.wipe.requested" of "mdm", "wipe requested (by=admin)".
func generic(e journal.Event) (who, text string, detail int) {
	who, what, ok := strings.Cut(e.Kind, ".")
	if !ok {
		what = who
	}
	var details []string
	for _, f := range e.Fields {
		if v := e.Text(f.Key); v != "" && !f.Loose {
			details = append(details, f.Key+"="+v)
		}
	}
	text = words(what)
	if len(details) > 0 {
		text += " (" + strings.Join(details, ", ") + ")"
	}
	return title(who), text, 0
}

// words takes a name apart: "user.wrongTenant" is "user wrong tenant".
func words(name string) string {
	var b strings.Builder
	for i, r := range name {
		switch {
		case r == '.' || r == '-' || r == '_':
			b.WriteByte(' ')
		case unicode.IsUpper(r) && i > 0:
			b.WriteByte(' ')
			b.WriteRune(unicode.ToLower(r))
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

// title is a room's name as the column shows it.
func title(s string) string {
	switch s {
	case "mdm", "ime", "aik", "msa", "ztd", "tpm", "prt", "msi", "http":
		return strings.ToUpper(s)
	case "":
		return ""
	}
	return strings.ToUpper(s[:1]) + s[1:]
}
