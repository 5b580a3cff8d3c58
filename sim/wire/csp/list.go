package csp

import (
	"fmt"
	"strconv"
	"strings"
)

// ListSeparator stands between the items of a list node: U+F000, of the private use area (DMClient CSP, ExpectedPolicies).
const ListSeparator = "\uF000"

// Counted is an item of ExpectedMSIAppPackages and ExpectedModernAppPackages, "LocURI;count".
type Counted struct {
	URI   string
	Count int
}

// JoinList writes a list node's value.
func JoinList(items []string) string { return strings.Join(items, ListSeparator) }

// SplitList reads one; an empty value is an empty list, and empty items are passed over.
func SplitList(value string) []string {
	var items []string
	for item := range strings.SplitSeq(value, ListSeparator) {
		if item != "" {
			items = append(items, item)
		}
	}
	return items
}

// JoinCounted writes a list of counted items.
func JoinCounted(items []Counted) string {
	texts := make([]string, len(items))
	for i, item := range items {
		texts[i] = item.URI + ";" + strconv.Itoa(item.Count)
	}
	return JoinList(texts)
}

// SplitCounted reads one. An item without a count counts once.
func SplitCounted(value string) ([]Counted, error) {
	var items []Counted
	for _, text := range SplitList(value) {
		item := Counted{URI: text, Count: 1}
		if i := strings.LastIndexByte(text, ';'); i >= 0 {
			n, err := strconv.ParseUint(text[i+1:], 10, 16)
			if err != nil {
				return nil, fmt.Errorf("csp: counted item %q: %w", text, err)
			}
			item = Counted{URI: text[:i], Count: int(n)}
		}
		items = append(items, item)
	}
	return items, nil
}
