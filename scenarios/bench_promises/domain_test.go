package bench_promises

import (
	"bytes"
	"context"
	"fmt"
	"testing"
	"time"
	"unicode/utf16"

	"windtunnel.test/fakead"
	"windtunnel.test/fakead/directory"
	"windtunnel.test/sim/adclient"
	"windtunnel.test/sim/house/promise"
	"windtunnel.test/sim/vclock"
	"windtunnel.test/sim/vnet"
	"windtunnel.test/sim/wire/krb5"
	"windtunnel.test/sim/wire/ldap"
)

// What a computer's way into its directory takes of both ends: logon, ticket
// for the directory, sealed bind, and its certificate written. The keys are
// made before, on both sides: that is meant to be slow.
func BenchmarkPromiseDomainLogonAndWrite(b *testing.B) {
	const computers = 500
	twoCores(b)
	for range b.N {
		clock := vclock.NewVirtual(vclock.Options{Seed: 6})
		forest, err := fakead.New(fakead.Options{Clock: clock, Seed: 6, Domain: "corp.contoso.com"})
		if err != nil {
			b.Fatal(err)
		}
		network := vnet.New(clock, vnet.Options{Seed: 6})
		site, err := network.AddSite(vnet.SiteConfig{Name: "office", Latency: 5 * time.Millisecond, SeesDC: true})
		if err != nil {
			b.Fatal(err)
		}
		if err := forest.Attach(network); err != nil {
			b.Fatal(err)
		}
		var keys [computers]krb5.Key
		for n := range computers {
			keys[n] = joined(b, forest, computerName(n))
		}
		written := 0
		for n := range computers {
			nic := network.Attach(vnet.NICOptions{Device: computerName(n), Site: site})
			clock.Go(b.Context(), computerName(n), func(ctx context.Context) {
				if err := writeCertificate(ctx, clock, nic, computerName(n), forest.DN(), keys[n]); err != nil {
					b.Error(err)
					return
				}
				written++
			})
		}
		begin := usage(b)
		if err := clock.Run(b.Context(), time.Time{}); err != nil {
			b.Fatal(err)
		}
		_, cpu := begin.since(b)
		clock.Stop()
		if written != computers {
			b.Fatalf("%d of %d computers wrote", written, computers)
		}
		board.Hold(b, promise.Promise{Text: "AS, TGS and LDAP write of a computer, both ends", Unit: "ms", Measured: cpu.Seconds() * 1000 / computers, Limit: 1.5})
	}
}

func computerName(n int) string { return fmt.Sprintf("PC-%04d", n) }

// joined makes a computer's account and the keys of its password.
func joined(b *testing.B, forest *fakead.Forest, name string) krb5.Key {
	b.Helper()
	const password = "Correct-Horse-7"
	var quoted []byte
	for _, u := range utf16.Encode([]rune(`"` + password + `"`)) {
		quoted = append(quoted, byte(u), byte(u>>8))
	}
	err := forest.Primary().Add(b.Context(), directory.System, "CN="+name+",CN=Computers,"+forest.DN(), []ldap.Attribute{
		ldap.Text("objectClass", "computer"), ldap.Text("sAMAccountName", name+"$"), ldap.Text("userAccountControl", "4096"), ldap.Binary("unicodePwd", quoted),
	})
	if err != nil {
		b.Fatal(err)
	}
	account, _ := forest.Primary().AccountBySAM(name + "$")
	list := forest.Primary().Keys(account)
	if len(list) == 0 {
		b.Fatalf("%s has no keys", name)
	}
	return krb5.Key{Type: list[0].EType, Value: list[0].Value}
}

func writeCertificate(ctx context.Context, clock vclock.Clock, nic *vnet.NIC, name, domain string, key krb5.Key) error {
	const dc, realm = "dc1.corp.contoso.com", "CORP.CONTOSO.COM"
	random := vclock.Seed(6).Reader(name)
	h := adclient.Host{Net: nic, Clock: clock, Name: name, Random: func(n int) []byte {
		b := make([]byte, n)
		_, _ = random.Read(b) // a seed's stream has no end
		return b
	}}
	creds, err := adclient.Logon(ctx, h, dc, realm, name+"$", adclient.Secret{Keys: []krb5.Key{key}})
	if err != nil {
		return err
	}
	l, err := adclient.DialLDAP(ctx, h, dc)
	if err != nil {
		return err
	}
	defer l.Close()
	if err := l.BindGSSAPI(ctx, creds); err != nil {
		return err
	}
	certificate := bytes.Repeat([]byte{0x30}, 800)
	return l.Modify("CN="+name+",CN=Computers,"+domain, ldap.Change{Op: ldap.ReplaceValues, Attribute: ldap.Binary("userCertificate", certificate)})
}
