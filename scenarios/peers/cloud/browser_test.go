package cloud_test

import (
	"fmt"
	"html"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"strings"

	. "github.com/onsi/gomega"
)

// browser is a person's: it keeps cookies, reads forms as they are written, and
// stops where a page sends it off to an application.
type browser struct {
	http  http.Client
	title string
	body  string
	at    *url.URL
	left  *url.URL // where it was sent to, outside of the login host
}

func (c *cloud) browser() *browser {
	jar, err := cookiejar.New(nil)
	Expect(err).NotTo(HaveOccurred())
	return &browser{http: http.Client{Transport: c.proxy, Jar: jar, Timeout: patience,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
}

var (
	titles  = regexp.MustCompile(`<title>(.*?)</title>`)
	actions = regexp.MustCompile(`<form[^>]* action="([^"]*)"`)
	inputs  = regexp.MustCompile(`<input type="([^"]*)"[^>]*? name="([^"]*)" value="([^"]*)"`)
)

func (b *browser) open(address string) {
	resp, err := b.http.Get(address)
	Expect(err).NotTo(HaveOccurred())
	b.read(resp)
}

func (b *browser) read(resp *http.Response) {
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	Expect(err).NotTo(HaveOccurred())
	b.at, b.body, b.left = resp.Request.URL, string(body), nil
	b.title = ""
	if m := titles.FindStringSubmatch(b.body); m != nil {
		b.title = html.UnescapeString(m[1])
	}
	if where := resp.Header.Get("Location"); where != "" {
		b.left, err = url.Parse(where)
		Expect(err).NotTo(HaveOccurred())
	}
}

// form is what the page would send, and where.
func (b *browser) form() (string, url.Values) {
	m := actions.FindStringSubmatch(b.body)
	Expect(m).NotTo(BeNil(), "no form: %s", b.body)
	action, err := b.at.Parse(html.UnescapeString(m[1]))
	Expect(err).NotTo(HaveOccurred())
	values := url.Values{}
	for _, m := range inputs.FindAllStringSubmatch(b.body, -1) {
		values.Set(html.UnescapeString(m[2]), html.UnescapeString(m[3]))
	}
	return action.String(), values
}

// press fills in fields, as name and value in turn, and presses a button.
func (b *browser) press(button string, fields ...string) {
	action, values := b.form()
	for i := 0; i < len(fields); i += 2 {
		Expect(values).To(HaveKey(fields[i]), "%s: %s", b.title, b.body)
		values.Set(fields[i], fields[i+1])
	}
	values.Set("action", button)
	resp, err := b.http.PostForm(action, values)
	Expect(err).NotTo(HaveOccurred())
	b.read(resp)
}

// approve types a device's code, signs in and says yes.
func (b *browser) approve(page, code, upn, password string) {
	b.open(page)
	b.press("next", "otc", code)
	b.press("next", "login", upn, "passwd", password)
	Expect(b.title).To(HavePrefix("Are you trying to sign in to"), b.body)
	b.press("next")
	Expect(b.title).To(Equal("You have signed in"), b.body)
}

// signIn is the whole of an interactive sign-in: it gives what the application
// is sent at its redirect address.
func (b *browser) signIn(address, upn, password string) (url.Values, error) {
	b.open(address)
	if !strings.Contains(b.body, `name="passwd"`) {
		return nil, fmt.Errorf("%s: %s", b.title, b.body)
	}
	b.press("next", "login", upn, "passwd", password)
	for b.left == nil && b.title == "Permissions requested" {
		b.press("next")
	}
	if b.left == nil {
		return nil, fmt.Errorf("%s: %s", b.title, b.body)
	}
	return b.left.Query(), nil
}
