package graph

import (
	"slices"
	"strconv"
	"strings"
	"time"
)

// What rules may say (learn.microsoft.com/graph, win32LobAppRuleOperator and
// the operation types of the concrete rules).
var (
	ruleTypes     = []string{RuleFile, RuleRegistry, RuleProduct, RulePowerShell}
	ruleOperators = []string{"notConfigured", "equal", "notEqual", "greaterThan", "greaterThanOrEqual", "lessThan", "lessThanOrEqual"}
	ruleForms     = map[string][]string{
		RuleFile:       {"notConfigured", "exists", "modifiedDate", "createdDate", "version", "sizeInMB", "doesNotExist"},
		RuleRegistry:   {"notConfigured", "exists", "doesNotExist", "string", "integer", "version"},
		RulePowerShell: {"notConfigured", "string", "dateTime", "integer", "float", "version", "boolean"},
	}
	ruleHives = append([]string{"HKEY_CLASSES_ROOT", "HKEY_USERS", "HKEY_CURRENT_CONFIG"}, hives...)
)

// mistakes says what of a rule the agent could not work with.
func (r Rule) mistakes(to *Report, at string) {
	to.optional(at+".ruleType", r.RuleType, []string{RuleTypeDetection, RuleTypeRequirement})
	kind := slices.IndexFunc(ruleTypes, r.IsRule)
	if kind < 0 {
		to.wrong(at+".@odata.type", "%q is no rule; write one of %s", r.ODataType, strings.Join(ruleTypes, ", "))
		return
	}
	operation, value, name := r.OperationType, r.ComparisonValue, "comparisonValue"
	replace(&operation, r.DetectionType)
	if r.DetectionValue != "" {
		value, name = r.DetectionValue, "detectionValue"
	}
	to.optional(at+".operator", r.Operator, ruleOperators)
	to.optional(at+".operationType", operation, ruleForms[ruleTypes[kind]])
	switch ruleTypes[kind] {
	case RuleFile:
		if r.Path == "" || r.FileOrFolderName == "" {
			to.wrong(at, "a file system rule needs path and fileOrFolderName")
		} else if strings.ContainsAny(r.Path+r.FileOrFolderName, "<>|?*\"") {
			to.wrong(at, "%q has characters that no path has", r.Path+`\`+r.FileOrFolderName)
		}
	case RuleRegistry:
		hive, rest, _ := strings.Cut(r.KeyPath, `\`)
		if r.KeyPath == "" {
			to.wrong(at+".keyPath", "is missing")
		} else if !slices.Contains(ruleHives, strings.ToUpper(hive)) || rest == "" {
			to.wrong(at+".keyPath", "%q is no key; it begins with HKEY_LOCAL_MACHINE\\ or HKEY_CURRENT_USER\\", r.KeyPath)
		}
	case RuleProduct:
		if r.ProductCode == "" {
			to.wrong(at+".productCode", "is missing")
		} else if !productCode.MatchString(r.ProductCode) {
			to.wrong(at+".productCode", "%q is no product code; write the MSI's, a GUID in braces", r.ProductCode)
		}
		to.optional(at+".productVersionOperator", r.ProductVersionOperator, ruleOperators)
		if v := r.ProductVersion; v != "" && !fitsOperation("version", v) {
			to.wrong(at+".productVersion", "%q is no version; write up to four numbers with points between them, such as 4.2.0", v)
		}
	case RulePowerShell:
		text, err := r.Script()
		switch {
		case err != nil:
			to.wrong(at+".scriptContent", "is no base64; encode the script's text, as UTF-8, with base64")
		case strings.TrimSpace(text) == "":
			to.wrong(at+".scriptContent", "is empty")
		}
	}
	r.comparison(to, at, operation, name, value)
}

// comparison says what is wrong with the value that a rule compares with.
func (r Rule) comparison(to *Report, at, operation, name, value string) {
	what, compares := valueForms[operation]
	switch {
	case !compares:
	case r.Operator == "" || r.Operator == "notConfigured":
		to.wrong(at+".operator", "is missing; a rule of this operation (%s) compares: write equal, greaterThanOrEqual, ...", operation)
	case value == "":
		to.wrong(at+"."+name, "is missing; the rule compares with it")
	case !fitsOperation(operation, value):
		to.wrong(at+"."+name, "%q is no %s", value, what)
	}
}

// valueForms says, by operation, what its value must be.
var valueForms = map[string]string{
	"string": "text", "integer": "whole number", "version": "version; write up to four numbers with points between them, such as 4.2.0",
	"sizeInMB": "number of megabytes", "float": "number", "boolean": "boolean; write true or false",
	"modifiedDate": "date and time; write such as 2026-09-01T00:00:00Z", "createdDate": "date and time; write such as 2026-09-01T00:00:00Z",
	"dateTime": "date and time; write such as 2026-09-01T00:00:00Z",
}

// fitsOperation tells whether a value has the form that an operation compares.
func fitsOperation(operation, value string) bool {
	var err error
	switch operation {
	case "integer":
		_, err = strconv.ParseInt(value, 10, 64)
	case "sizeInMB":
		_, err = strconv.ParseUint(value, 10, 64)
	case "float":
		_, err = strconv.ParseFloat(value, 64)
	case "boolean":
		return strings.EqualFold(value, "true") || strings.EqualFold(value, "false")
	case "version":
		parts := strings.Split(value, ".")
		for _, p := range parts {
			if _, err := strconv.ParseUint(p, 10, 32); err != nil {
				return false
			}
		}
		return len(parts) <= 4
	case "modifiedDate", "createdDate", "dateTime":
		for _, layout := range []string{time.RFC3339, "2006-01-02T15:04:05", "2006-01-02", "1/2/2006"} {
			if _, err = time.Parse(layout, value); err == nil {
				break
			}
		}
	}
	return err == nil
}
