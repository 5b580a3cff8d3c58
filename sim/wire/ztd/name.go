package ztd

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// MaxName is the longest computer name, the NetBIOS limit.
const MaxName = 15

var macro = regexp.MustCompile(`(?i)%(SERIAL|RAND:(\d+))%`)

// ValidateDeviceName checks a device name template as the profile editor does (learn.microsoft.com, "Configure Windows
// Autopilot profiles"): letters, digits and hyphens, not only digits, no spaces, at most 15 characters when expanded;
// %SERIAL% and %RAND:x% are the macros. An empty template means that no name is given.
func ValidateDeviceName(template string) error {
	if template == "" {
		return nil
	}
	length := 0
	for _, m := range macro.FindAllString(template, -1) {
		if right := strings.ToUpper(m); m != right {
			return fmt.Errorf("ztd: device name template %q: macros are in upper case; write %s", template, right)
		}
	}
	for _, m := range macro.FindAllStringSubmatch(template, -1) {
		if m[2] == "" {
			continue
		}
		n, err := strconv.Atoi(m[2])
		if err != nil || n < 1 || n > MaxName {
			return fmt.Errorf("ztd: device name template %q: %%RAND:x%% takes 1 to %d digits", template, MaxName)
		}
		length += n
	}
	fixed := macro.ReplaceAllString(template, "")
	if length += len(fixed); length > MaxName {
		return fmt.Errorf("ztd: device name template %q: it expands to more than %d characters", template, MaxName)
	}
	if strings.Contains(fixed, "%") {
		return fmt.Errorf("ztd: device name template %q: only %%SERIAL%% and %%RAND:x%% are macros", template)
	}
	if err := nameCharacters(fixed); err != nil {
		return fmt.Errorf("ztd: device name template %q: %w", template, err)
	}
	if fixed == template && onlyDigits(fixed) {
		return fmt.Errorf("ztd: device name template %q: a name cannot be only digits", template)
	}
	return nil
}

// ExpandDeviceName makes a computer name of a template. digits gives n decimal digits for %RAND:n%, from a seeded
// stream of the caller. Characters of the serial number that a name cannot hold are left out. What is longer than 15
// characters is an error: Windows refuses such a name and the device keeps its old one.
func ExpandDeviceName(template, serial string, digits func(n int) string) (string, error) {
	if err := ValidateDeviceName(template); err != nil {
		return "", err
	}
	clean := strings.Map(func(r rune) rune {
		if nameRune(r) {
			return r
		}
		return -1
	}, serial)
	name := macro.ReplaceAllStringFunc(template, func(m string) string {
		if n, ok := strings.CutPrefix(strings.ToUpper(strings.Trim(m, "%")), "RAND:"); ok {
			count, err := strconv.Atoi(n)
			if err != nil {
				return ""
			}
			return digits(count)
		}
		return clean
	})
	switch {
	case len(name) > MaxName:
		return "", fmt.Errorf("ztd: device name %q of template %q has more than %d characters", name, template, MaxName)
	case name != "" && onlyDigits(name):
		return "", fmt.Errorf("ztd: device name %q of template %q has only digits", name, template)
	}
	return name, nil
}

func nameRune(r rune) bool {
	return r == '-' || '0' <= r && r <= '9' || 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z'
}

func nameCharacters(s string) error {
	for _, r := range s {
		if !nameRune(r) {
			return fmt.Errorf("%q is not a letter, digit or hyphen", r)
		}
	}
	return nil
}

func onlyDigits(s string) bool { return strings.Trim(s, "0123456789") == "" }
