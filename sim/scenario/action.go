package scenario

import (
	"fmt"
	"reflect"
	"strings"
)

// MarshalAction writes one action as a timeline has it, such as
// "block: {site: bench, ...}" over several lines.
func MarshalAction(a Action) (string, error) {
	e := &encoder{}
	if err := e.write(tree(reflect.ValueOf(a)), 0); err != nil {
		return "", fmt.Errorf("scenario: write action: %w", err)
	}
	return strings.TrimRight(e.b.String(), "\n"), nil
}
