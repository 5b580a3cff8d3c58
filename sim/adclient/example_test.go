package adclient_test

import (
	"context"
	"errors"
	"fmt"

	"windtunnel.test/sim/adclient"
	"windtunnel.test/sim/vclock"
	"windtunnel.test/sim/wire/ldap"
)

// A computer writes its certificate into its own object, where there is a controller.
func Example() {
	write := func(ctx context.Context, h adclient.Host, machine string, password string, certificate []byte) error {
		dc, err := adclient.Locate(ctx, h, "corp.contoso.com", "")
		if err != nil {
			return err
		}
		creds, err := adclient.Logon(ctx, h, dc.Name, "CORP.CONTOSO.COM", machine+"$", adclient.Secret{Password: password})
		if err != nil {
			return err
		}
		c, err := adclient.DialLDAP(ctx, h, dc.Name)
		if err != nil {
			return err
		}
		defer c.Close()
		if err := c.BindGSSAPI(ctx, creds); err != nil {
			return err
		}
		return c.Modify("CN="+machine+",CN=Computers,DC=corp,DC=contoso,DC=com", adclient.Replace(ldap.Binary("userCertificate", certificate)))
	}

	clock := vclock.NewWall()
	defer clock.Stop()
	athome := adclient.Host{Net: &card{}, Clock: clock} // no network has told it of a name server
	err := write(context.Background(), athome, "PC-1", "secret", nil)
	fmt.Println(errors.Is(err, adclient.ErrNoController))
	// Output: true
}
