package graph

import (
	"encoding/json"
	"fmt"
	"strings"
	"unicode/utf8"
)

// Strict rewrites JavaScript-like text to JSON: keys without quotes, strings in single quotes, a comma before a
// closing bracket. The WindowsAutoPilotIntune PowerShell module posts such bodies to updateDeviceProperties and the real
// service takes them. What is already JSON comes back unchanged.
func Strict(body []byte) ([]byte, error) {
	if json.Valid(body) {
		return body, nil
	}
	s := strictener{in: string(body)}
	for s.at < len(s.in) {
		if err := s.step(); err != nil {
			return nil, err
		}
	}
	out := []byte(s.out.String())
	if !json.Valid(out) {
		var v any
		return nil, fmt.Errorf("graph: body is not JSON: %w", json.Unmarshal(out, &v))
	}
	return out, nil
}

type strictener struct {
	in  string
	at  int
	out strings.Builder
}

func (s *strictener) step() error {
	c := s.in[s.at]
	switch {
	case c == '"' || c == '\'':
		return s.text(c)
	case c == ',':
		rest := strings.TrimLeft(s.in[s.at+1:], " \t\r\n")
		if !strings.HasPrefix(rest, "}") && !strings.HasPrefix(rest, "]") {
			s.out.WriteByte(c)
		}
		s.at++
	case nameByte(c):
		start := s.at
		for s.at < len(s.in) && nameByte(s.in[s.at]) {
			s.at++
		}
		word := s.in[start:s.at]
		if strings.HasPrefix(strings.TrimLeft(s.in[s.at:], " \t\r\n"), ":") {
			fmt.Fprintf(&s.out, "%q", word)
		} else {
			s.out.WriteString(word)
		}
	default:
		_, n := utf8.DecodeRuneInString(s.in[s.at:])
		s.out.WriteString(s.in[s.at : s.at+n])
		s.at += n
	}
	return nil
}

// nameByte covers identifiers and also numbers, which are copied as they are when no colon follows.
func nameByte(c byte) bool {
	return c == '_' || c == '$' || c == '@' || c == '.' || c == '-' || c == '+' || '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
}

func (s *strictener) text(quote byte) error {
	start := s.at
	s.out.WriteByte('"')
	for s.at++; s.at < len(s.in); s.at++ {
		switch c := s.in[s.at]; {
		case c == quote:
			s.at++
			s.out.WriteByte('"')
			return nil
		case c == '\\' && s.at+1 < len(s.in):
			s.at++
			if s.in[s.at] != '\'' {
				s.out.WriteByte('\\')
			}
			s.out.WriteByte(s.in[s.at])
		case c == '"':
			s.out.WriteString(`\"`)
		default:
			s.out.WriteByte(c)
		}
	}
	return fmt.Errorf("graph: body is not JSON: the string at character %d has no end", start+1)
}
