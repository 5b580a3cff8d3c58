package cloud_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
	abstractions "github.com/microsoft/kiota-abstractions-go"
	kiotaauth "github.com/microsoft/kiota-authentication-azure-go"
	khttp "github.com/microsoft/kiota-http-go"
	msgraph "github.com/microsoftgraph/msgraph-sdk-go"
	msgraphcore "github.com/microsoftgraph/msgraph-sdk-go-core"
	"github.com/microsoftgraph/msgraph-sdk-go/devicemanagement"
	"github.com/microsoftgraph/msgraph-sdk-go/devices"
	"github.com/microsoftgraph/msgraph-sdk-go/models"
	"github.com/microsoftgraph/msgraph-sdk-go/models/odataerrors"
	"github.com/microsoftgraph/msgraph-sdk-go/users"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"windtunnel.test/sim/wire/hwhash"
)

// sdk is Microsoft's SDK against a cloud: nothing of it is changed but the
// transport below its middleware, which is pointed at the proxy.
type sdk struct {
	*msgraph.GraphServiceClient
	adapter *msgraph.GraphRequestAdapter
}

// SDK signs the administrator's application in.
func (c *cloud) SDK() sdk {
	GinkgoHelper()
	cred, err := azidentity.NewClientSecretCredential(c.Ready.TenantID, c.App().ClientID, c.App().Secret,
		&azidentity.ClientSecretCredentialOptions{ClientOptions: azcore.ClientOptions{Transport: c.Client()}})
	Expect(err).NotTo(HaveOccurred())
	auth, err := kiotaauth.NewAzureIdentityAuthenticationProviderWithScopes(cred, []string{"https://graph.microsoft.com/.default"})
	Expect(err).NotTo(HaveOccurred())
	options := msgraph.GetDefaultClientOptions()
	client := &http.Client{Transport: khttp.NewCustomTransportWithParentTransport(c.proxy, msgraphcore.GetDefaultMiddlewaresWithOptions(&options)...)}
	adapter, err := msgraph.NewGraphRequestAdapterWithParseNodeFactoryAndSerializationWriterFactoryAndHttpClient(auth, nil, nil, client)
	Expect(err).NotTo(HaveOccurred())
	return sdk{msgraph.NewGraphServiceClient(adapter), adapter}
}

// Beta sends a request that the SDK for v1.0 has no type for.
func (s sdk) Beta(ctx context.Context, method abstractions.HttpMethod, path string, in, out any) error {
	address, err := url.Parse("https://graph.microsoft.com/beta/" + path)
	if err != nil {
		return err
	}
	info := abstractions.NewRequestInformation()
	info.Method = method
	info.SetUri(*address)
	info.Headers.Add("Accept", "application/json")
	if in != nil {
		body, err := json.Marshal(in)
		if err != nil {
			return err
		}
		info.SetStreamContentAndContentType(body, "application/json")
	}
	answer, err := s.adapter.SendPrimitive(ctx, info, "[]byte", abstractions.ErrorMappings{"XXX": odataerrors.CreateODataErrorFromDiscriminatorValue})
	if err != nil || out == nil {
		return err
	}
	body, _ := answer.([]byte)
	return json.Unmarshal(body, out)
}

// newHash is the hardware hash of a PC that nobody has.
func newHash(serial string) []byte {
	GinkgoHelper()
	sum := sha256.Sum256([]byte(serial))
	ek := bytes.Repeat(sum[:], 8)
	ek[0] |= 0x80
	hash, err := hwhash.Encode(hwhash.Hardware{
		OSVersion: hwhash.Version{Major: 10, Build: 26100}, OSType: hwhash.OSFull, OSArch: hwhash.ArchX64, ToolFormat: 5,
		SMBIOS:    hwhash.SMBIOS{UUID: hwhash.UUID(sum[:16]), Serial: serial, Manufacturer: "Contoso Devices", Product: "Aero 14 G3"},
		EKModulus: ek, OfflineID: hwhash.OfflineIDFromEK(ek),
	})
	Expect(err).NotTo(HaveOccurred())
	return hash
}

func ptr[T any](v T) *T { return &v }

// imported makes a row of an import.
func imported(serial string) models.ImportedWindowsAutopilotDeviceIdentityable {
	d := models.NewImportedWindowsAutopilotDeviceIdentity()
	d.SetSerialNumber(&serial)
	d.SetHardwareIdentifier(newHash(serial))
	d.SetGroupTag(ptr("peers"))
	return d
}

// register imports PCs and waits, in business time, until they have a profile.
func (c *cloud) register(ctx context.Context, s sdk, serials ...string) []models.WindowsAutopilotDeviceIdentityable {
	GinkgoHelper()
	for _, serial := range serials {
		_, err := s.DeviceManagement().ImportedWindowsAutopilotDeviceIdentities().Post(ctx, imported(serial), nil)
		Expect(err).NotTo(HaveOccurred())
	}
	c.Jump(time.Minute)
	Expect(s.Beta(ctx, abstractions.POST, "deviceManagement/windowsAutopilotSettings/sync", nil, nil)).To(Succeed())
	var all []models.WindowsAutopilotDeviceIdentityable
	Eventually(func(g Gomega) {
		c.Jump(5 * time.Minute)
		page, err := c.SDK().DeviceManagement().WindowsAutopilotDeviceIdentities().Get(ctx, nil)
		g.Expect(err).NotTo(HaveOccurred())
		all = page.GetValue()
		g.Expect(all).To(HaveLen(len(serials)))
	}, patience).Should(Succeed())
	return all
}

var _ = Describe("Microsoft Graph, by msgraph-sdk-go", func() {
	It("reads typed resources", func(ctx SpecContext) {
		c := start()
		s := c.SDK()
		people, err := s.Users().Get(ctx, &users.UsersRequestBuilderGetRequestConfiguration{QueryParameters: &users.UsersRequestBuilderGetQueryParameters{
			Filter: ptr("startswith(displayName,'Megan')"), Select: []string{"id", "displayName", "userPrincipalName"}}})
		Expect(err).NotTo(HaveOccurred())
		Expect(people.GetValue()).To(HaveLen(1))
		Expect(*people.GetValue()[0].GetUserPrincipalName()).To(HavePrefix("megan@"))

		groups, err := s.Groups().Get(ctx, nil)
		Expect(err).NotTo(HaveOccurred())
		staff := slices.IndexFunc(groups.GetValue(), func(g models.Groupable) bool { return *g.GetDisplayName() == "Staff" })
		Expect(staff).To(BeNumerically(">=", 0))
		members, err := s.Groups().ByGroupId(*groups.GetValue()[staff].GetId()).Members().Get(ctx, nil)
		Expect(err).NotTo(HaveOccurred())
		Expect(members.GetValue()).NotTo(BeEmpty())
		_, isUser := members.GetValue()[0].(models.Userable)
		Expect(isUser).To(BeTrue(), "the @odata.type says so")

		pc := c.register(ctx, s, "PEER-0001")[0]
		Expect(*pc.GetManufacturer()).To(Equal("Contoso Devices"))
		Expect(*pc.GetEnrollmentState()).To(Equal(models.NOTCONTACTED_ENROLLMENTSTATE))
		objects, err := s.Devices().Get(ctx, &devices.DevicesRequestBuilderGetRequestConfiguration{QueryParameters: &devices.DevicesRequestBuilderGetQueryParameters{
			Filter: ptr("deviceId eq '" + *pc.GetAzureActiveDirectoryDeviceId() + "'")}})
		Expect(err).NotTo(HaveOccurred())
		Expect(objects.GetValue()).To(HaveLen(1))

		managed, err := s.DeviceManagement().ManagedDevices().Get(ctx, &devicemanagement.ManagedDevicesRequestBuilderGetRequestConfiguration{
			QueryParameters: &devicemanagement.ManagedDevicesRequestBuilderGetQueryParameters{Filter: ptr("serialNumber eq 'PEER-0001'")}})
		Expect(err).NotTo(HaveOccurred())
		Expect(managed.GetValue()).To(BeEmpty(), "nobody has enrolled it")
		apps, err := s.DeviceAppManagement().MobileApps().Get(ctx, nil)
		Expect(err).NotTo(HaveOccurred())
		Expect(apps.GetValue()).NotTo(BeEmpty())
		_, isWin32 := apps.GetValue()[0].(models.Win32LobAppable)
		Expect(isWin32).To(BeTrue())
		_, err = s.DeviceManagement().DeviceConfigurations().Get(ctx, nil)
		Expect(err).NotTo(HaveOccurred())
	})

	It("pages through a collection", func(ctx SpecContext) {
		c := start()
		s := c.SDK()
		first, err := s.Users().Get(ctx, &users.UsersRequestBuilderGetRequestConfiguration{QueryParameters: &users.UsersRequestBuilderGetQueryParameters{Top: ptr(int32(50))}})
		Expect(err).NotTo(HaveOccurred())
		pages, err := msgraphcore.NewPageIterator[models.Userable](first, s.adapter, models.CreateUserCollectionResponseFromDiscriminatorValue)
		Expect(err).NotTo(HaveOccurred())
		seen := map[string]bool{}
		Expect(pages.Iterate(ctx, func(u models.Userable) bool {
			seen[*u.GetId()] = true
			return true
		})).To(Succeed())
		Expect(seen).To(HaveLen(200))

		c.register(ctx, s, "PEER-0001", "PEER-0002", "PEER-0003")
		page, err := c.SDK().DeviceManagement().WindowsAutopilotDeviceIdentities().Get(ctx, &devicemanagement.WindowsAutopilotDeviceIdentitiesRequestBuilderGetRequestConfiguration{
			QueryParameters: &devicemanagement.WindowsAutopilotDeviceIdentitiesRequestBuilderGetQueryParameters{Top: ptr(int32(2))}})
		Expect(err).NotTo(HaveOccurred())
		Expect(page.GetValue()).To(HaveLen(2))
		Expect(page.GetOdataNextLink()).NotTo(BeNil())
	})

	It("sends a batch", func(ctx SpecContext) {
		c := start()
		s := c.SDK()
		batch := msgraphcore.NewBatchRequest(s.adapter)
		who, err := s.Users().ByUserId("megan@"+c.Ready.Domain).ToGetRequestInformation(ctx, nil)
		Expect(err).NotTo(HaveOccurred())
		nobody, err := s.Users().ByUserId("nobody@"+c.Ready.Domain).ToGetRequestInformation(ctx, nil)
		Expect(err).NotTo(HaveOccurred())
		row, err := s.DeviceManagement().ImportedWindowsAutopilotDeviceIdentities().ToPostRequestInformation(ctx, imported("PEER-0001"), nil)
		Expect(err).NotTo(HaveOccurred())
		var ids []string
		for _, info := range []*abstractions.RequestInformation{who, nobody, row} {
			item, err := batch.AddBatchRequestStep(*info)
			Expect(err).NotTo(HaveOccurred())
			ids = append(ids, *item.GetId())
		}
		answer, err := batch.Send(ctx, s.adapter)
		Expect(err).NotTo(HaveOccurred())
		megan, err := msgraphcore.GetBatchResponseById[models.Userable](answer, ids[0], models.CreateUserFromDiscriminatorValue)
		Expect(err).NotTo(HaveOccurred())
		Expect(*megan.GetDisplayName()).To(Equal("Megan Bowen"))
		Expect(answer.GetStatusCodes()).To(Equal(map[string]int32{ids[0]: 200, ids[1]: 404, ids[2]: 201}))
	})

	It("tries again after 429, when Retry-After says", func(ctx SpecContext) {
		c := start()
		s := c.SDK()
		c.AddFault(`{name: busy, when: {host: graph.microsoft.com, nth: 1}, do: {status: 429, retryAfter: 2s}}`)
		began := time.Now()
		_, err := s.Organization().Get(ctx, nil)
		Expect(err).NotTo(HaveOccurred())
		Expect(time.Since(began)).To(BeNumerically(">=", 2*time.Second))
		Expect(c.Journal("fault.fired")).To(HaveLen(1))
	})

	It("gives errors as typed ones, with code and message", func(ctx SpecContext) {
		c := start()
		s := c.SDK()
		_, err := s.DeviceManagement().ManagedDevices().ByManagedDeviceId("00000000-0000-4000-8000-000000000001").Get(ctx, nil)
		var odata *odataerrors.ODataError
		Expect(errors.As(err, &odata)).To(BeTrue(), "%v", err)
		Expect(odata.ResponseStatusCode).To(Equal(404))
		Expect(*odata.GetErrorEscaped().GetCode()).To(Equal("ResourceNotFound"))
		var message struct{ Message string }
		Expect(json.Unmarshal([]byte(*odata.GetErrorEscaped().GetMessage()), &message)).To(Succeed(), "Intune's message is JSON text")
		Expect(*odata.GetErrorEscaped().GetInnerError().GetRequestId()).NotTo(BeEmpty())

		Expect(errors.As(s.Beta(ctx, abstractions.GET, "deviceManagement/reports", nil, nil), &odata)).To(BeTrue())
		Expect(odata.ResponseStatusCode).To(Equal(501))
		Expect(*odata.GetErrorEscaped().GetCode()).To(Equal("NotImplemented"))
	})

	It("changes beta resources", func(ctx SpecContext) {
		c := start()
		s := c.SDK()
		var profile struct{ ID, DisplayName string }
		Expect(s.Beta(ctx, abstractions.POST, "deviceManagement/windowsAutopilotDeploymentProfiles", map[string]any{
			"@odata.type": "#microsoft.graph.azureADWindowsAutopilotDeploymentProfile", "displayName": "Kiosk", "preprovisioningAllowed": true}, &profile)).To(Succeed())
		path := "deviceManagement/windowsAutopilotDeploymentProfiles/" + profile.ID
		Expect(s.Beta(ctx, abstractions.PATCH, path, map[string]any{"displayName": "Kiosks"}, &profile)).To(Succeed())
		Expect(profile.DisplayName).To(Equal("Kiosks"))
		Expect(s.Beta(ctx, abstractions.DELETE, path, nil, nil)).To(Succeed())
		var list struct{ Value []map[string]any }
		for _, name := range []string{"autopilotEvents", "domainJoinConnectors", "deviceManagementScripts", "configurationPolicies", "deviceEnrollmentConfigurations"} {
			Expect(s.Beta(ctx, abstractions.GET, "deviceManagement/"+name, nil, &list)).To(Succeed(), name)
		}
		Expect(list.Value).NotTo(BeEmpty(), "every tenant has default enrolment configurations")
	})

	// As Get-WindowsAutopilotInfo -Online does with a CSV of Windows'
	// (powershellgallery.com/packages/Get-WindowsAutopilotInfo).
	It("imports a CSV to an assigned profile", func(ctx SpecContext) {
		c := start()
		s := c.SDK()
		file := "Device Serial Number,Windows Product ID,Hardware Hash,Group Tag\r\n"
		for _, serial := range []string{"PEER-0001", "PEER-0002"} {
			file += serial + ",," + base64.StdEncoding.EncodeToString(newHash(serial)) + ",peers\r\n"
		}
		file += "PEER-BAD,," + base64.StdEncoding.EncodeToString([]byte("not a hash")) + ",\r\n"
		rows, err := csv.NewReader(strings.NewReader(file)).ReadAll()
		Expect(err).NotTo(HaveOccurred())

		imports := s.DeviceManagement().ImportedWindowsAutopilotDeviceIdentities()
		ids := map[string]string{}
		for _, row := range rows[1:] {
			hash, err := base64.StdEncoding.DecodeString(row[2])
			Expect(err).NotTo(HaveOccurred())
			d := models.NewImportedWindowsAutopilotDeviceIdentity()
			d.SetSerialNumber(&row[0])
			d.SetHardwareIdentifier(hash)
			d.SetGroupTag(&row[3])
			made, err := imports.Post(ctx, d, nil)
			Expect(err).NotTo(HaveOccurred())
			ids[row[0]] = *made.GetId()
		}
		registrations := map[string]string{}
		Eventually(func(g Gomega) {
			c.Jump(30 * time.Second)
			for serial, id := range ids {
				d, err := imports.ByImportedWindowsAutopilotDeviceIdentityId(id).Get(ctx, nil)
				g.Expect(err).NotTo(HaveOccurred())
				state := d.GetState()
				if serial == "PEER-BAD" {
					g.Expect(*state.GetDeviceImportStatus()).To(Equal(models.ERROR_IMPORTEDWINDOWSAUTOPILOTDEVICEIDENTITYIMPORTSTATUS))
					g.Expect(fmt.Sprintf("%d %s", *state.GetDeviceErrorCode(), *state.GetDeviceErrorName())).To(Equal("802 InvalidZtdHardwareHash"))
					continue
				}
				g.Expect(*state.GetDeviceImportStatus()).To(Equal(models.COMPLETE_IMPORTEDWINDOWSAUTOPILOTDEVICEIDENTITYIMPORTSTATUS))
				registrations[serial] = *state.GetDeviceRegistrationId()
			}
		}, patience).Should(Succeed())
		for _, id := range ids {
			Expect(imports.ByImportedWindowsAutopilotDeviceIdentityId(id).Delete(ctx, nil)).To(Succeed())
		}

		Expect(s.Beta(ctx, abstractions.POST, "deviceManagement/windowsAutopilotSettings/sync", nil, nil)).To(Succeed())
		var odata *odataerrors.ODataError
		Expect(errors.As(s.Beta(ctx, abstractions.POST, "deviceManagement/windowsAutopilotSettings/sync", nil, nil), &odata)).To(BeTrue())
		Expect(odata.ResponseStatusCode).To(Equal(409))
		var identity struct {
			SerialNumber, DeploymentProfileAssignmentStatus string
			DeploymentProfile                               struct{ DisplayName string }
		}
		Eventually(func(g Gomega) {
			c.Jump(5 * time.Minute)
			for serial, id := range registrations {
				path := "deviceManagement/windowsAutopilotDeviceIdentities/" + id + "?$expand=deploymentProfile"
				g.Expect(c.SDK().Beta(ctx, abstractions.GET, path, nil, &identity)).To(Succeed())
				g.Expect(identity.SerialNumber).To(Equal(serial))
				g.Expect(identity.DeploymentProfileAssignmentStatus).To(HavePrefix("assigned"))
			}
		}, patience).Should(Succeed())
		Expect(identity.DeploymentProfile.DisplayName).To(Equal("Office PCs"))
	})

	// The calls of github.com/microsoft/WindowsAutopilotCompanion, with its letter
	// case, its token without a scheme, and the codes that it looks for.
	It("answers the companion app's calls", func(ctx SpecContext) {
		c := start()
		pc := c.register(ctx, c.SDK(), "PEER-0001")[0]
		id := *pc.GetId()
		token := c.Token("https://graph.microsoft.com")
		call := func(method, path, body string) (int, string) {
			GinkgoHelper()
			req, err := http.NewRequestWithContext(ctx, method, "https://graph.microsoft.com/"+path, strings.NewReader(body))
			Expect(err).NotTo(HaveOccurred())
			req.Header.Set("Authorization", token)
			if body != "" {
				req.Header.Set("Content-Type", "application/json")
			}
			resp, err := c.Client().Do(req)
			Expect(err).NotTo(HaveOccurred())
			defer resp.Body.Close()
			answer, err := io.ReadAll(resp.Body)
			Expect(err).NotTo(HaveOccurred())
			Expect(resp.Header.Get("request-id")).NotTo(BeEmpty(), path)
			return resp.StatusCode, string(answer)
		}
		const identities = "beta/deviceManagement/windowsAutopilotDeviceIdentities"
		for _, step := range []struct {
			method, path, body string
			status             int
			holds              string
		}{
			{"GET", identities + "/" + id + "?$expand=deploymentProfile,intendedDeploymentProfile", "", 200, "PEER-0001"},
			{"GET", identities + "?$filter=contains(serialNumber,'peer-00')", "", 200, id},
			{"GET", "beta/users", "", 200, "userPrincipalName"},
			{"GET", "v1.0/organization", "", 200, "verifiedDomains"},
			{"GET", "v1.0/devices?$filter=deviceId%20eq%20'" + *pc.GetAzureActiveDirectoryDeviceId() + "'", "", 200, "[ZTDID]:" + id},
			{"GET", "v1.0/deviceManagement/managedDevices/" + *pc.GetManagedDeviceId(), "", 404, "ResourceNotFound"},
			{"POST", identities + "/" + id + "/UpdateDeviceProperties", "{ groupTag: 'lab', displayName: \"DESK-7\" }", 200, ""},
			{"POST", "beta/devicemanagement/windowsAutopilotDeviceIdentities/" + id + "/assignUserToDevice", `{"userPrincipalName":"megan@` + c.Ready.Domain + `","addressableUserName":"Megan"}`, 200, ""},
			{"POST", identities + "/" + id + "/unassignUserFromDevice", "", 200, ""},
			{"GET", identities + "/" + id, "", 200, "DESK-7"},
			{"POST", "beta/deviceManagement/windowsAutopilotSettings/sync", "", 0, ""},
		} {
			status, answer := call(step.method, step.path, step.body)
			if step.status == 0 { // one was asked for a short while ago, or long enough
				Expect(status).To(BeElementOf(204, 409, 429), step.path)
				continue
			}
			Expect(status).To(Equal(step.status), "%s: %s", step.path, answer)
			Expect(answer).To(ContainSubstring(step.holds), step.path)
		}
	})
})
