package mde

import (
	"fmt"
	"strconv"
)

// DecodeProvisioning reads the document in either layout. It refuses one without a client certificate, and a certificate
// whose name is not its thumbprint.
func DecodeProvisioning(data []byte) (*Provisioning, error) {
	top, err := DecodeWAP(data)
	if err != nil {
		return nil, err
	}
	p := &Provisioning{}
	for i := range top {
		c := &top[i]
		switch c.Type {
		case "CertificateStore":
			err = p.readStore(c)
		case "APPLICATION":
			err = p.App.read(c)
		case "DMClient":
			err = p.DM.read(c)
		}
		if err != nil {
			return nil, fmt.Errorf("mde: provisioning document: %s: %w", c.Type, err)
		}
	}
	if p.Client.DER == nil {
		return nil, errNoCertificate
	}
	return p, nil
}

func (p *Provisioning) readStore(c *Characteristic) error {
	var err error
	if root := c.Child("Root").Child("System"); root != nil {
		if p.Roots, err = readCertificates(root); err != nil {
			return err
		}
	}
	if ca := c.Child("CA").Child("System"); ca != nil {
		if p.CAs, err = readCertificates(ca); err != nil {
			return err
		}
	}
	my := c.Child("My")
	if my == nil {
		return nil
	}
	for _, store := range []KeyStore{StoreUser, StoreSystem} {
		if held := my.Child(string(store)); held != nil {
			certificates, err := readCertificates(held)
			if err != nil {
				return err
			}
			if len(certificates) > 0 {
				p.Client.Store, p.Client.DER = store, certificates[0]
			}
		}
	}
	return p.Client.readRenewal(my.Child("WSTEP").Child("Renew"))
}

func readCertificates(store *Characteristic) ([][]byte, error) {
	var certificates [][]byte
	for i := range store.Children {
		c := &store.Children[i]
		text, ok := c.Parm("EncodedCertificate")
		if !ok {
			continue
		}
		der, err := decodeBase64(text)
		if err != nil {
			return nil, fmt.Errorf("certificate %s: %w", c.Type, err)
		}
		if name := thumbprint(der); name != c.Type {
			return nil, fmt.Errorf("certificate %s has the thumbprint %s", c.Type, name)
		}
		certificates = append(certificates, der)
	}
	return certificates, nil
}

func (c *ClientCertificate) readRenewal(renew *Characteristic) error {
	if err := readBool(renew, "ROBOSupport", &c.ROBOSupport); err != nil {
		return err
	}
	if err := readInt(renew, "RenewPeriod", &c.RenewPeriod); err != nil {
		return err
	}
	return readInt(renew, "RetryInterval", &c.RetryInterval)
}

func (a *Application) read(c *Characteristic) error {
	for _, t := range []struct {
		name string
		to   *string
	}{
		{"PROVIDER-ID", &a.ProviderID}, {"NAME", &a.Name}, {"ADDR", &a.Addr}, {"DEFAULTENCODING", &a.DefaultEncoding},
		{"SSLCLIENTCERTSEARCHCRITERIA", &a.CertSearch},
	} {
		*t.to, _ = c.Parm(t.name)
	}
	a.BackCompatRetryDisabled = c.has("BACKCOMPATRETRYDISABLED")
	for i := range c.Children {
		auth := &c.Children[i]
		level, _ := auth.Parm("AAUTHLEVEL")
		switch {
		case auth.Type == "APPAUTH" && level == "CLIENT":
			a.Client.read(auth)
		case auth.Type == "APPAUTH" && level == "APPSRV":
			a.Server.read(auth)
		}
	}
	for _, n := range []struct {
		name string
		to   *int
	}{{"CONNRETRYFREQ", &a.ConnRetryFreq}, {"INITIALBACKOFFTIME", &a.InitialBackoff}, {"MAXBACKOFFTIME", &a.MaxBackoff}} {
		if err := readInt(c, n.name, n.to); err != nil {
			return err
		}
	}
	return nil
}

func (a *Auth) read(c *Characteristic) {
	a.Type, _ = c.Parm("AAUTHTYPE")
	a.Name, _ = c.Parm("AAUTHNAME")
	a.Secret, _ = c.Parm("AAUTHSECRET")
	a.Data, _ = c.Parm("AAUTHDATA")
}

func (d *DMClient) read(c *Characteristic) error {
	providers := c.Child("Provider")
	if providers == nil || len(providers.Children) == 0 {
		return nil
	}
	provider := &providers.Children[0]
	for _, p := range provider.Parms {
		to := map[string]*string{"UPN": &d.UPN, "EntDeviceName": &d.EntDeviceName, "EntDMID": &d.EntDMID}[p.Name]
		if to != nil && p.Value != nil {
			*to = *p.Value
			continue
		}
		d.Extra = append(d.Extra, p)
	}
	poll := provider.Child("Poll")
	for _, f := range d.Poll.fields() {
		var err error
		if f.number != nil {
			err = readInt(poll, f.name, f.number)
		} else {
			err = readBool(poll, f.name, f.flag)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// readInt and readBool leave to alone where the parameter is absent.
func readInt(c *Characteristic, name string, to *int) error {
	text, ok := c.Parm(name)
	if !ok {
		return nil
	}
	n, err := strconv.ParseInt(text, 10, 32)
	if err != nil {
		return fmt.Errorf("%s: %q is not a number", name, text)
	}
	*to = int(n)
	return nil
}

func readBool(c *Characteristic, name string, to *bool) error {
	text, ok := c.Parm(name)
	if !ok {
		return nil
	}
	value, err := strconv.ParseBool(text)
	if err != nil {
		return fmt.Errorf("%s: %q is neither true nor false", name, text)
	}
	*to = value
	return nil
}
