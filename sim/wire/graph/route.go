package graph

import (
	"strings"
)

// API versions.
const (
	V1   = "v1.0"
	Beta = "beta"
)

// SplitPath cuts a decoded URL path into the API version and segments. A key in parentheses becomes a segment of its own,
// so that coll('a'), coll(a) and coll/a give the same; the namespace of an action (microsoft.graph.assign) is dropped.
// Segments keep their letter case, because keys do; names are compared without it. ok is false for a path of no
// version or with an unclosed key.
func SplitPath(path string) (version string, segments []string, ok bool) {
	parts := strings.Split(strings.Trim(path, "/"), "/")
	switch strings.ToLower(parts[0]) {
	case V1, Beta:
		version = strings.ToLower(parts[0])
	default:
		return "", nil, false
	}
	for _, p := range parts[1:] {
		if p == "" {
			continue
		}
		name, key, hasKey, ok := cutKey(p)
		if !ok {
			return "", nil, false
		}
		if len(name) > len(namespace) && strings.EqualFold(name[:len(namespace)], namespace) {
			name = name[len(namespace):]
		}
		segments = append(segments, name)
		if hasKey {
			segments = append(segments, key)
		}
	}
	return version, segments, true
}

const namespace = "microsoft.graph."

// cutKey splits coll('key'). Two quotes inside a key stand for one (OData 4.01 URL conventions 4.3.1).
func cutKey(segment string) (name, key string, hasKey, ok bool) {
	open := strings.IndexByte(segment, '(')
	if open <= 0 {
		return segment, "", false, true
	}
	if !strings.HasSuffix(segment, ")") {
		return "", "", false, false
	}
	key = segment[open+1 : len(segment)-1]
	if len(key) >= 2 && key[0] == '\'' && key[len(key)-1] == '\'' {
		key = strings.ReplaceAll(key[1:len(key)-1], "''", "'")
	}
	// An action or function without parameters is written with empty parentheses.
	return segment[:open], key, key != "", true
}

// Params are the values of a pattern's {names}.
type Params map[string]string

// Routes leads a method and path to a value, normally a handler. The zero value is empty and ready.
type Routes[T any] struct{ all []route[T] }

type route[T any] struct {
	method  string
	pattern []string
	value   T
}

// Add adds a pattern such as deviceManagement/windowsAutopilotDeviceIdentities/{id}/assignUserToDevice, without
// version. Patterns are tried in order.
func (r *Routes[T]) Add(method, pattern string, value T) {
	r.all = append(r.all, route[T]{method, strings.Split(pattern, "/"), value})
}

// Match is what Find found.
type Match[T any] struct {
	Value   T
	Version string
	Params  Params
}

// Find looks a request up. known tells whether the path exists under another method, which is 405 and not 404.
func (r *Routes[T]) Find(method, path string) (m Match[T], known, ok bool) {
	version, segments, ok := SplitPath(path)
	if !ok {
		return m, false, false
	}
	for _, e := range r.all {
		params, hit := matchPattern(e.pattern, segments)
		if !hit {
			continue
		}
		if known = true; e.method == method {
			return Match[T]{e.value, version, params}, true, true
		}
	}
	return m, known, false
}

func matchPattern(pattern, segments []string) (Params, bool) {
	if len(pattern) != len(segments) {
		return nil, false
	}
	params := Params{}
	for i, p := range pattern {
		if strings.HasPrefix(p, "{") {
			params[strings.Trim(p, "{}")] = segments[i]
		} else if !strings.EqualFold(p, segments[i]) {
			return nil, false
		}
	}
	return params, true
}
