package cloud_test

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/json"
	"math/big"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
	"github.com/AzureAD/microsoft-authentication-library-for-go/apps/confidential"
	"github.com/AzureAD/microsoft-authentication-library-for-go/apps/public"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

// Who is in testdata/entra.yaml.
const (
	adele, adelePassword = "adele@contoso.com", "correct horse 1"
	megan, meganPassword = "megan@contoso.com", "correct horse 2"

	daemon = "aaaaaaaa-0000-4000-8000-000000000001"
	tool   = "aaaaaaaa-0000-4000-8000-000000000002"
	webApp = "aaaaaaaa-0000-4000-8000-000000000003"
	apiApp = "aaaaaaaa-0000-4000-8000-000000000004"
	// azureCLI is Microsoft's own client, which stands in every tenant.
	azureCLI = "04b07795-8ddb-461a-bbee-02f9e1bf7b46"

	graphDefault = "https://graph.microsoft.com/.default"
	secondFactor = "246810"
)

// directory is a cloud with the applications of testdata/entra.yaml, and the
// certificate that one of them has.
type directory struct {
	*cloud
	cert      *x509.Certificate
	key       *rsa.PrivateKey
	authority string
}

func startDirectory() *directory {
	GinkgoHelper()
	d := &directory{}
	var err error
	d.key, err = rsa.GenerateKey(rand.Reader, 2048)
	Expect(err).NotTo(HaveOccurred())
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "daemon"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().AddDate(1, 0, 0)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &d.key.PublicKey, d.key)
	Expect(err).NotTo(HaveOccurred())
	d.cert, err = x509.ParseCertificate(der)
	Expect(err).NotTo(HaveOccurred())
	text, err := os.ReadFile(filepath.Join("testdata", "entra.yaml"))
	Expect(err).NotTo(HaveOccurred())
	file := filepath.Join(GinkgoT().TempDir(), "entra.yaml")
	text = []byte(strings.Replace(string(text), `"CERTIFICATE"`, `"`+base64.StdEncoding.EncodeToString(der)+`"`, 1))
	Expect(os.WriteFile(file, text, 0o600)).To(Succeed())
	d.cloud = start(file)
	d.authority = "https://login.microsoftonline.com/" + d.Ready.TenantID
	return d
}

// options point azidentity at the proxy, and at nothing else.
func (d *directory) options() azcore.ClientOptions {
	return azcore.ClientOptions{Transport: d.Client()}
}

// claims reads a token as it is.
func claims(token string) map[string]any {
	GinkgoHelper()
	parts := strings.Split(token, ".")
	Expect(parts).To(HaveLen(3))
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	Expect(err).NotTo(HaveOccurred())
	var c map[string]any
	Expect(json.Unmarshal(payload, &c)).To(Succeed())
	return c
}

// graph uses a token where it is for.
func (d *directory) graph(token, path string) int {
	GinkgoHelper()
	req, err := http.NewRequest(http.MethodGet, "https://graph.microsoft.com/v1.0"+path, nil)
	Expect(err).NotTo(HaveOccurred())
	req.Header.Set("Authorization", "Bearer "+token)
	resp, err := d.Client().Do(req)
	Expect(err).NotTo(HaveOccurred())
	defer resp.Body.Close()
	return resp.StatusCode
}

var _ = Describe("Entra ID, to azidentity", Ordered, func() {
	var d *directory
	ctx := context.Background()
	scopes := policy.TokenRequestOptions{Scopes: []string{graphDefault}}
	BeforeAll(func() { d = startDirectory() })

	It("ClientSecretCredential", func() {
		for _, discovery := range []bool{true, false} {
			cred, err := azidentity.NewClientSecretCredential(d.Ready.TenantID, daemon, "daemon secret",
				&azidentity.ClientSecretCredentialOptions{ClientOptions: d.options(), DisableInstanceDiscovery: !discovery})
			Expect(err).NotTo(HaveOccurred())
			token, err := cred.GetToken(ctx, scopes)
			Expect(err).NotTo(HaveOccurred())
			Expect(token.ExpiresOn).To(And(BeTemporally(">", time.Now().Add(59*time.Minute)), BeTemporally("<", time.Now().Add(91*time.Minute))))
			c := claims(token.Token)
			Expect(c).To(And(HaveKeyWithValue("appid", daemon), HaveKeyWithValue("idtyp", "app"), HaveKeyWithValue("ver", "1.0"), HaveKeyWithValue("appidacr", "1")))
			Expect(c["roles"]).To(ConsistOf("User.ReadWrite.All"))
			Expect(c).NotTo(HaveKey("scp"))
			Expect(d.graph(token.Token, "/users")).To(Equal(http.StatusOK))
		}
	})

	It("refusals come through with their AADSTS number", func() {
		for secret, number := range map[string]string{"wrong": "AADSTS7000215", "old secret": "AADSTS7000222"} {
			cred, err := azidentity.NewClientSecretCredential(d.Ready.TenantID, daemon, secret, &azidentity.ClientSecretCredentialOptions{ClientOptions: d.options()})
			Expect(err).NotTo(HaveOccurred())
			_, err = cred.GetToken(ctx, scopes)
			var failed *azidentity.AuthenticationFailedError
			Expect(err).To(BeAssignableToTypeOf(failed))
			Expect(err).To(MatchError(And(ContainSubstring(number), ContainSubstring("Correlation ID"))))
		}
		cred, err := azidentity.NewClientSecretCredential("99999999-9c0b-4b7e-8a64-0f2c51d7e9ab", daemon, "daemon secret", &azidentity.ClientSecretCredentialOptions{ClientOptions: d.options()})
		Expect(err).NotTo(HaveOccurred())
		_, err = cred.GetToken(ctx, scopes)
		Expect(err).To(MatchError(ContainSubstring("AADSTS90002")))
	})

	It("ClientCertificateCredential", func() {
		for _, chain := range []bool{false, true} {
			cred, err := azidentity.NewClientCertificateCredential(d.Ready.TenantID, daemon, []*x509.Certificate{d.cert}, d.key,
				&azidentity.ClientCertificateCredentialOptions{ClientOptions: d.options(), SendCertificateChain: chain})
			Expect(err).NotTo(HaveOccurred())
			token, err := cred.GetToken(ctx, scopes)
			Expect(err).NotTo(HaveOccurred())
			Expect(claims(token.Token)).To(HaveKeyWithValue("appidacr", "2"))
		}
		other, err := rsa.GenerateKey(rand.Reader, 2048)
		Expect(err).NotTo(HaveOccurred())
		template := &x509.Certificate{SerialNumber: big.NewInt(2), NotBefore: time.Now(), NotAfter: time.Now().AddDate(1, 0, 0)}
		der, err := x509.CreateCertificate(rand.Reader, template, template, &other.PublicKey, other)
		Expect(err).NotTo(HaveOccurred())
		stranger, err := x509.ParseCertificate(der)
		Expect(err).NotTo(HaveOccurred())
		cred, err := azidentity.NewClientCertificateCredential(d.Ready.TenantID, daemon, []*x509.Certificate{stranger}, other, &azidentity.ClientCertificateCredentialOptions{ClientOptions: d.options()})
		Expect(err).NotTo(HaveOccurred())
		_, err = cred.GetToken(ctx, scopes)
		Expect(err).To(MatchError(ContainSubstring("AADSTS700027")))
	})

	It("UsernamePasswordCredential", func() {
		ask := func(upn, password string) (azcore.AccessToken, error) {
			//nolint:staticcheck // deprecated, and used by every tool that is older than that
			cred, err := azidentity.NewUsernamePasswordCredential(d.Ready.TenantID, tool, upn, password, &azidentity.UsernamePasswordCredentialOptions{ClientOptions: d.options()})
			Expect(err).NotTo(HaveOccurred())
			return cred.GetToken(ctx, scopes)
		}
		token, err := ask(adele, adelePassword)
		Expect(err).NotTo(HaveOccurred())
		Expect(claims(token.Token)).To(And(HaveKeyWithValue("upn", adele), HaveKeyWithValue("scp", "User.Read"), HaveKeyWithValue("idtyp", "user")))
		Expect(d.graph(token.Token, "/me")).To(Equal(http.StatusOK))
		for upn, number := range map[string]string{adele: "AADSTS50126", megan: "AADSTS50076", "alex@contoso.com": "AADSTS50057", "diego@contoso.com": "AADSTS50055", "nobody@contoso.com": "AADSTS50034"} {
			password := map[string]string{megan: meganPassword, "alex@contoso.com": "correct horse 3", "diego@contoso.com": "correct horse 4"}[upn]
			if password == "" {
				password = "wrong"
			}
			_, err := ask(upn, password)
			Expect(err).To(MatchError(ContainSubstring(number)), upn)
		}
	})

	It("DeviceCodeCredential", func() {
		prompts := 0
		cred, err := azidentity.NewDeviceCodeCredential(&azidentity.DeviceCodeCredentialOptions{ClientOptions: d.options(), TenantID: d.Ready.TenantID, ClientID: azureCLI,
			UserPrompt: func(_ context.Context, m azidentity.DeviceCodeMessage) error {
				prompts++
				Expect(m.Message).To(And(ContainSubstring(m.UserCode), ContainSubstring(m.VerificationURL)))
				d.browser().approve(m.VerificationURL, m.UserCode, adele, adelePassword)
				return nil
			}})
		Expect(err).NotTo(HaveOccurred())
		token, err := cred.GetToken(ctx, scopes)
		Expect(err).NotTo(HaveOccurred())
		Expect(claims(token.Token)).To(HaveKeyWithValue("upn", adele))
		other, err := cred.GetToken(ctx, policy.TokenRequestOptions{Scopes: []string{"https://manage.microsoft.com//.default"}})
		Expect(err).NotTo(HaveOccurred())
		Expect(claims(other.Token)).To(HaveKeyWithValue("aud", "https://manage.microsoft.com/"))
		Expect(prompts).To(Equal(1), "the refresh token does it")
	})

	It("OnBehalfOfCredential", func() {
		//nolint:staticcheck // see above
		user, err := azidentity.NewUsernamePasswordCredential(d.Ready.TenantID, azureCLI, adele, adelePassword, &azidentity.UsernamePasswordCredentialOptions{ClientOptions: d.options()})
		Expect(err).NotTo(HaveOccurred())
		incoming, err := user.GetToken(ctx, policy.TokenRequestOptions{Scopes: []string{"api://contoso/access"}})
		Expect(err).NotTo(HaveOccurred())
		Expect(claims(incoming.Token)).To(And(HaveKeyWithValue("aud", apiApp), HaveKeyWithValue("ver", "2.0"), HaveKeyWithValue("azp", azureCLI), HaveKeyWithValue("scp", "access")))
		service, err := azidentity.NewOnBehalfOfCredentialWithSecret(d.Ready.TenantID, apiApp, incoming.Token, "api secret", &azidentity.OnBehalfOfCredentialOptions{ClientOptions: d.options()})
		Expect(err).NotTo(HaveOccurred())
		token, err := service.GetToken(ctx, scopes)
		Expect(err).NotTo(HaveOccurred())
		Expect(claims(token.Token)).To(And(HaveKeyWithValue("upn", adele), HaveKeyWithValue("appid", apiApp)))
	})
})

var _ = Describe("Entra ID, to MSAL", Ordered, func() {
	var d *directory
	ctx := context.Background()
	BeforeAll(func() { d = startDirectory() })

	client := func(id string, options ...public.Option) public.Client {
		c, err := public.New(id, append([]public.Option{public.WithAuthority(d.authority), public.WithHTTPClient(d.Client())}, options...)...)
		Expect(err).NotTo(HaveOccurred())
		return c
	}

	It("signs a user in by password and renews silently, for other resources too", func() {
		c := client(azureCLI)
		result, err := c.AcquireTokenByUsernamePassword(ctx, []string{"User.Read"}, adele, adelePassword)
		Expect(err).NotTo(HaveOccurred())
		Expect(result.Account.PreferredUsername).To(Equal(adele))
		Expect(result.DeclinedScopes).To(BeEmpty())
		Expect(result.Account.HomeAccountID).To(HaveSuffix("." + d.Ready.TenantID))
		cached, err := c.AcquireTokenSilent(ctx, []string{"User.Read"}, public.WithSilentAccount(result.Account))
		Expect(err).NotTo(HaveOccurred())
		Expect(cached.AccessToken).To(Equal(result.AccessToken))
		other, err := c.AcquireTokenSilent(ctx, []string{"https://manage.microsoft.com//.default"}, public.WithSilentAccount(result.Account))
		Expect(err).NotTo(HaveOccurred())
		Expect(claims(other.AccessToken)).To(HaveKeyWithValue("aud", "https://manage.microsoft.com/"))
	})

	It("without instance discovery, at organizations and at the domain's name", func() {
		for _, authority := range []string{"https://login.microsoftonline.com/organizations", "https://login.microsoftonline.com/contoso.com", "https://login.windows.net/" + d.Ready.TenantID} {
			c := client(tool, public.WithAuthority(authority), public.WithInstanceDiscovery(false))
			result, err := c.AcquireTokenByUsernamePassword(ctx, []string{"User.Read"}, adele, adelePassword)
			Expect(err).NotTo(HaveOccurred(), authority)
			Expect(result.IDToken.TenantID).To(Equal(d.Ready.TenantID))
		}
	})

	It("device code", func() {
		c := client(tool)
		code, err := c.AcquireTokenByDeviceCode(ctx, []string{"User.Read"})
		Expect(err).NotTo(HaveOccurred())
		d.browser().approve(code.Result.VerificationURL, code.Result.UserCode, adele, adelePassword)
		result, err := code.AuthenticationResult(ctx)
		Expect(err).NotTo(HaveOccurred())
		Expect(result.Account.PreferredUsername).To(Equal(adele))
		_, err = code.AuthenticationResult(ctx)
		Expect(err).To(HaveOccurred(), "a device code is good once")
	})

	It("device code that the user declines", func() {
		code, err := client(tool).AcquireTokenByDeviceCode(ctx, []string{"User.Read"})
		Expect(err).NotTo(HaveOccurred())
		b := d.browser()
		b.open(code.Result.VerificationURL)
		b.press("next", "otc", strings.ToLower(code.Result.UserCode))
		b.press("cancel")
		_, err = code.AuthenticationResult(ctx)
		Expect(err).To(MatchError(ContainSubstring("authorization_declined")))
	})

	It("a person signs in interactively, with the second factor that conditional access wants", func() {
		c := client(azureCLI)
		done := make(chan *browser, 1)
		result, err := c.AcquireTokenInteractive(ctx, []string{"User.Read"}, public.WithRedirectURI("http://localhost"), public.WithOpenURL(func(address string) error {
			b := d.browser()
			b.open(address)
			b.press("next", "login", megan, "passwd", meganPassword)
			Expect(b.title).To(Equal("Verify your identity"), b.body)
			b.press("next", "otc", "000000")
			Expect(b.body).To(ContainSubstring("AADSTS500121"))
			b.press("next", "otc", secondFactor)
			Expect(b.title).To(Equal("Working..."), b.body)
			application, values := b.form() // on this machine
			resp, err := http.PostForm(application, values)
			if err == nil {
				resp.Body.Close()
			}
			done <- b
			return err
		}))
		Expect(err).NotTo(HaveOccurred())
		Expect(done).To(Receive())
		Expect(claims(result.AccessToken)["amr"]).To(ConsistOf("pwd", "mfa"))
		Expect(claims(result.AccessToken)["scp"]).To(ContainSubstring("DeviceManagementManagedDevices.ReadWrite.All"), "what an administrator's role covers")
		silent, err := c.AcquireTokenSilent(ctx, []string{"https://graph.windows.net/.default"}, public.WithSilentAccount(result.Account))
		Expect(err).NotTo(HaveOccurred(), "the second factor is remembered")
		Expect(silent.AccessToken).NotTo(BeEmpty())
	})

	It("a confidential client by secret and by certificate, with its cache", func() {
		secret, err := confidential.NewCredFromSecret("daemon secret")
		Expect(err).NotTo(HaveOccurred())
		cert, err := confidential.NewCredFromCert([]*x509.Certificate{d.cert}, crypto.PrivateKey(d.key))
		Expect(err).NotTo(HaveOccurred())
		for _, cred := range []confidential.Credential{secret, cert} {
			c, err := confidential.New(d.authority, daemon, cred, confidential.WithHTTPClient(d.Client()))
			Expect(err).NotTo(HaveOccurred())
			result, err := c.AcquireTokenByCredential(ctx, []string{graphDefault})
			Expect(err).NotTo(HaveOccurred())
			again, err := c.AcquireTokenByCredential(ctx, []string{graphDefault})
			Expect(err).NotTo(HaveOccurred())
			Expect(again.AccessToken).To(Equal(result.AccessToken))
		}
		c, err := confidential.New(d.authority, daemon, secret, confidential.WithHTTPClient(d.Client()))
		Expect(err).NotTo(HaveOccurred())
		_, err = c.AcquireTokenByCredential(ctx, []string{"User.Read"})
		Expect(err).To(MatchError(ContainSubstring("AADSTS1002012")))
	})

	It("authorization code with PKCE, consent on the page, and on behalf of the user", func() {
		secret, err := confidential.NewCredFromSecret("web secret")
		Expect(err).NotTo(HaveOccurred())
		c, err := confidential.New(d.authority, webApp, secret, confidential.WithHTTPClient(d.Client()))
		Expect(err).NotTo(HaveOccurred())
		const redirect = "https://web.contoso.com/signin"
		scopes := []string{"User.Read"}
		address, err := c.AuthCodeURL(ctx, webApp, redirect, scopes)
		Expect(err).NotTo(HaveOccurred())
		verifier := strings.Repeat("v", 43)
		sum := sha256.Sum256([]byte(verifier))
		address += "&code_challenge_method=S256&code_challenge=" + base64.RawURLEncoding.EncodeToString(sum[:])
		answer, err := d.browser().signIn(address, adele, adelePassword)
		Expect(err).NotTo(HaveOccurred())
		Expect(answer.Get("code")).NotTo(BeEmpty())

		_, err = c.AcquireTokenByAuthCode(ctx, answer.Get("code"), redirect, scopes, confidential.WithChallenge(strings.Repeat("w", 43)))
		Expect(err).To(MatchError(ContainSubstring("AADSTS501481")))
		result, err := c.AcquireTokenByAuthCode(ctx, answer.Get("code"), redirect, scopes, confidential.WithChallenge(verifier))
		Expect(err).NotTo(HaveOccurred())
		Expect(result.Account.PreferredUsername).To(Equal(adele))
		_, err = c.AcquireTokenByAuthCode(ctx, answer.Get("code"), redirect, scopes, confidential.WithChallenge(verifier))
		Expect(err).To(MatchError(ContainSubstring("AADSTS54005")))

		d.Jump(2 * time.Hour) // the access token is over for the services, not for the client's cache
		Expect(d.graph(result.AccessToken, "/me")).To(Equal(http.StatusUnauthorized))

		incoming, err := client(azureCLI).AcquireTokenByUsernamePassword(ctx, []string{"api://contoso/access"}, adele, adelePassword)
		Expect(err).NotTo(HaveOccurred())
		apiSecret, err := confidential.NewCredFromSecret("api secret")
		Expect(err).NotTo(HaveOccurred())
		api, err := confidential.New(d.authority, apiApp, apiSecret, confidential.WithHTTPClient(d.Client()))
		Expect(err).NotTo(HaveOccurred())
		behalf, err := api.AcquireTokenOnBehalfOf(ctx, incoming.AccessToken, scopes)
		Expect(err).NotTo(HaveOccurred())
		Expect(d.graph(behalf.AccessToken, "/me")).To(Equal(http.StatusOK))
		_, err = api.AcquireTokenOnBehalfOf(ctx, result.AccessToken, scopes)
		Expect(err).To(MatchError(ContainSubstring("AADSTS50013")), "a token for Graph, and an old one, is no assertion for the service")
	})

	It("an authority that nobody knows", func() {
		c := client(tool, public.WithAuthority("https://login.contoso.example/"+d.Ready.TenantID))
		_, err := c.AcquireTokenByUsernamePassword(ctx, []string{"User.Read"}, adele, adelePassword)
		Expect(err).To(MatchError(ContainSubstring("invalid_instance")))
	})
})
