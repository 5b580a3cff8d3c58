package scenario

import (
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"windtunnel.test/sim/wire/graph"
	"windtunnel.test/sim/wire/problem"
)

// resourceKind is how a collection of Graph resources is read.
type resourceKind struct {
	types     []string     // concrete OData types; nil where the resource has only one
	fallback  string       // type of a resource that does not name it
	target    reflect.Type // Graph's type
	extension []string     // members that are ours
	readOnly  []string     // members that only say what is so; not modelled, and no loss
}

var (
	everywhere = []string{"id", "deletedDateTime", "createdDateTime", "lastModifiedDateTime", "version", "supportsScopeTags", "roleScopeTagIds"}
	ofApps     = []string{"uploadState", "publishingState", "isAssigned", "dependentAppCount", "supersedingAppCount", "supersededAppCount", "committedContentVersion"}
	// What an export of app registrations says beside what the sign-in looks at.
	ofRegistrations = []string{"publisherDomain", "verifiedPublisher", "info", "optionalClaims", "tags", "addIns", "parentalControlSettings", "certification",
		"applicationTemplateId", "disabledByMicrosoftStatus", "isDeviceOnlyAuthSupported", "groupMembershipClaims", "defaultRedirectUri", "samlMetadataUrl",
		"serviceManagementReference", "tokenEncryptionKeyId", "uniqueName", "servicePrincipalLockConfiguration", "requestSignatureVerification", "nativeAuthenticationApisEnabled"}
	ofObjects = []string{"securityIdentifier", "createdByAppId", "renewedDateTime", "onPremisesLastSyncDateTime", "onPremisesProvisioningErrors", "serviceProvisioningErrors", "proxyAddresses", "signInSessionsValidFromDateTime", "refreshTokensValidFromDateTime", "licenseAssignmentStates", "provisionedPlans", "lastPasswordChangeDateTime"}
)

// resources gives the collections by their Go type.
var resources = map[reflect.Type]resourceKind{
	reflect.TypeFor[[]User]():                 {target: reflect.TypeFor[graph.User](), extension: []string{"password", "windtunnel"}, readOnly: ofObjects},
	reflect.TypeFor[[]graph.DirectoryGroup](): {target: reflect.TypeFor[graph.DirectoryGroup](), readOnly: ofObjects},
	reflect.TypeFor[[]graph.DeploymentProfile](): {target: reflect.TypeFor[graph.DeploymentProfile](),
		types: []string{graph.TypeEntraProfile, graph.TypeHybridProfile}, fallback: graph.TypeEntraProfile, readOnly: []string{"assignedDevices"}},
	reflect.TypeFor[[]graph.EnrollmentStatusPage](): {target: reflect.TypeFor[graph.EnrollmentStatusPage](),
		types: []string{graph.TypeESP}, fallback: graph.TypeESP},
	reflect.TypeFor[[]graph.EnrollmentRestriction](): {target: reflect.TypeFor[graph.EnrollmentRestriction](),
		types: []string{graph.TypePlatformRestriction, graph.TypeEnrollmentLimit}, readOnly: []string{"deviceEnrollmentConfigurationType"}},
	reflect.TypeFor[[]App](): {target: reflect.TypeFor[graph.MobileApp](),
		types: []string{graph.TypeWin32LobApp, graph.TypeCatalogApp, graph.TypeWinGetApp, graph.TypeMobileMSI, graph.TypeOfficeSuite, graph.TypeStoreApp}, extension: []string{"windtunnel"}, readOnly: ofApps},
	reflect.TypeFor[[]Application]():                   {target: reflect.TypeFor[graph.Application](), extension: []string{"secret"}, readOnly: ofRegistrations},
	reflect.TypeFor[[]graph.ConditionalAccessPolicy](): {target: reflect.TypeFor[graph.ConditionalAccessPolicy](), readOnly: []string{"modifiedDateTime", "templateId", "partialEnablementStrategy"}},
	reflect.TypeFor[[]graph.DeviceConfiguration](): {target: reflect.TypeFor[graph.DeviceConfiguration](),
		types: []string{graph.TypeCustomConfiguration, graph.TypePKCSCertificate, graph.TypeImportedPFX, graph.TypeTrustedRoot, graph.TypeDomainJoin,
			graph.TypeSCEPCertificate, graph.TypeWiFi, graph.TypeWiFiEnterprise, graph.TypeVPN, graph.TypeEndpointProtection, graph.TypeUpdateRing}},
	reflect.TypeFor[[]graph.ConfigurationPolicy](): {target: reflect.TypeFor[graph.ConfigurationPolicy](),
		readOnly: []string{"settingCount", "isAssigned", "creationSource", "priorityMetaData", "disableEntraGroupPolicyAssignment"}},
	reflect.TypeFor[[]Script](): {target: reflect.TypeFor[graph.DeviceManagementScript](), extension: []string{"windtunnel"}},
	reflect.TypeFor[[]graph.CompliancePolicy](): {target: reflect.TypeFor[graph.CompliancePolicy](),
		types: []string{graph.TypeCompliancePolicy}, fallback: graph.TypeCompliancePolicy},
}

const odataType = "@odata.type"

// resource reads a collection: a list, or what Graph answers. Resources of a
// type that is not modelled are left out and named.
func (d *decoder) resource(n *node, v reflect.Value, path string, kind resourceKind) {
	items, prefix := n, path
	if n.kind == kindMap && n.get("value") != nil {
		items, prefix = n.get("value"), path+".value"
		if more := n.get("@odata.nextLink"); more != nil {
			d.errorf(more, "%s: this is one page of several; paste the other pages' values as well and remove the link", path)
		}
	}
	if items.kind != kindList {
		d.wrongType(items, prefix, "a list, or an object with a list as value")
		return
	}
	for i, item := range items.list {
		at := fmt.Sprintf("%s[%d]", prefix, i)
		d.mark(item, at)
		if item.kind != kindMap {
			d.wrongType(item, at, "a resource")
			continue
		}
		e := reflect.New(v.Type().Elem()).Elem()
		if d.one(item, e, at, kind) {
			v.Set(reflect.Append(v, e))
			d.origins[path] = append(d.origins[path], at)
		} else {
			d.drop(item)
		}
	}
}

// mark notes the places of everything below a node.
func (d *decoder) mark(n *node, path string) {
	d.places[path] = place{n.line, n.col}
	for i, item := range n.list {
		d.mark(item, fmt.Sprintf("%s[%d]", path, i))
	}
	for _, p := range n.pairs {
		d.mark(p.value, path+"."+p.key)
	}
}

// drop remembers what an object was called, so that references to it are not
// mistakes of their own.
func (d *decoder) drop(n *node) {
	for _, key := range []string{"id", "displayName", "userPrincipalName"} {
		if name := n.get(key); name != nil {
			d.dropped[strings.ToLower(name.text)] = true
		}
	}
}

// one reads a resource into e; false leaves it out.
func (d *decoder) one(n *node, e reflect.Value, path string, kind resourceKind) bool {
	name, ok := d.typeOf(n, path, kind)
	if !ok {
		return false
	}
	members := plain(n).(map[string]any)
	before := len(d.problems)
	for _, key := range kind.extension {
		delete(members, key)
		d.extend(n, e, path, key)
	}
	if name != "" {
		members[odataType] = name
	}
	if list, ok := members["members"].([]any); ok && kind.target == reflect.TypeFor[graph.DirectoryGroup]() {
		members["members"] = shortMembers(list)
	}
	target, _ := graph.New(name)
	if target == nil {
		target = reflect.New(kind.target).Interface()
	}
	report := graph.Inspect(members, target)
	for _, m := range report.Mistakes {
		d.wrong(path+"."+m.Path, "%s", m.Message)
	}
	for _, m := range report.Unmodelled {
		if first, _, _ := strings.Cut(m, "."); !slices.Contains(kind.readOnly, first) && !slices.Contains(everywhere, first) {
			d.notModelled = append(d.notModelled, path+"."+m)
		}
	}
	if len(d.problems) > before {
		return false
	}
	if err := fill(target, members, name); err != nil {
		d.wrong(path, "%v", err)
		return false
	}
	if e.Type() == kind.target {
		e.Set(reflect.ValueOf(target).Elem())
	} else {
		e.FieldByName(kind.target.Name()).Set(reflect.ValueOf(target).Elem())
	}
	return true
}

// typeOf is the resource's OData type with its '#', "" where there is one only.
func (d *decoder) typeOf(n *node, path string, kind resourceKind) (string, bool) {
	if kind.types == nil {
		return "", true
	}
	given := n.get(odataType)
	if given == nil || given.kind == kindNull {
		if kind.fallback == "" {
			d.errorf(n, "%s: @odata.type is missing; it says what the resource is, such as %s", path, kind.types[0])
			return "", false
		}
		return kind.fallback, true
	}
	if given.kind != kindString {
		d.wrongType(given, path+"."+odataType, "a text")
		return "", false
	}
	name := "#" + strings.TrimPrefix(given.text, "#")
	if slices.Contains(kind.types, name) {
		return name, true
	}
	if wrong := near(name, kind.types); wrong != "" && problem.Distance(name, kind.types[0]) < 4 {
		d.errorf(given, "%s: there is no type %s%s", path, name, wrong)
		return "", false
	}
	d.notModelled = append(d.notModelled, fmt.Sprintf("%s (%s)", path, strings.TrimPrefix(name, "#microsoft.graph.")))
	return "", false
}

// extend reads the member that is ours.
func (d *decoder) extend(n *node, e reflect.Value, path, key string) {
	v := e.FieldByName(strings.ToUpper(key[:1]) + key[1:])
	if given := n.get(key); given != nil && given.kind != kindNull {
		d.value(given, v, path+"."+key)
	} else {
		fallback(v, field{key: key})
	}
}

// shortMembers turns names in a list of members into objects.
func shortMembers(list []any) []any {
	out := slices.Clone(list)
	for i, m := range out {
		if name, ok := m.(string); ok && strings.Contains(name, "@") {
			out[i] = map[string]any{"userPrincipalName": name}
		} else if ok {
			out[i] = map[string]any{"id": name}
		}
	}
	return out
}

// fill stores members that Inspect found right.
func fill(target any, members map[string]any, name string) error {
	body, err := json.Marshal(members)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(body, target); err != nil {
		return err
	}
	if fresh, ok := graph.New(name); ok {
		onlyParts(reflect.ValueOf(target).Elem(), reflect.ValueOf(fresh).Elem())
	}
	return nil
}

// onlyParts takes away what only other types of the family have.
func onlyParts(v, fresh reflect.Value) {
	for i := range v.NumField() {
		if f := v.Type().Field(i); f.Anonymous && f.Type.Kind() == reflect.Pointer && fresh.Field(i).IsNil() {
			v.Field(i).SetZero()
		}
	}
}

// plain is a node as the JSON value that it stands for.
func plain(n *node) any {
	switch n.kind {
	case kindString:
		return n.text
	case kindBool:
		return strings.EqualFold(n.text, "true")
	case kindNumber:
		text := strings.ReplaceAll(n.text, "_", "")
		if i, err := strconv.ParseInt(text, 0, 64); err == nil {
			return i
		}
		if f, err := strconv.ParseFloat(text, 64); err == nil && !math.IsInf(f, 0) && !math.IsNaN(f) {
			return f
		}
		return n.text
	case kindList:
		list := make([]any, len(n.list))
		for i, item := range n.list {
			list[i] = plain(item)
		}
		return list
	case kindMap:
		m := make(map[string]any, len(n.pairs))
		for _, p := range n.pairs {
			m[p.key] = plain(p.value)
		}
		return m
	}
	return nil
}
