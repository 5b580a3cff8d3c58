package adclient

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"

	"windtunnel.test/sim/wire/ldap"
)

// ErrNoController says that no domain controller answered: ERROR_NO_SUCH_DOMAIN of DsGetDcName.
var ErrNoController = errors.New("no domain controller could be contacted")

// Controller is a domain controller as it answered a netlogon ping.
type Controller struct {
	Name       string // DNS name
	Domain     string // DNS name
	NetBIOS    string // of the domain
	Forest     string // DNS name
	Site       string // the controller's
	ClientSite string // the caller's by its address; "" where no subnet has it
	DomainGUID ldap.GUID
	Flags      uint32 // ldap.DS...
}

// Closest tells whether the controller stands in the caller's site.
func (c *Controller) Closest() bool { return c.Flags&ldap.DSClosest != 0 }

// Locate finds a controller of a domain, one of the caller's site first, as the locator does ([MS-ADTS] 6.3.6): SRV
// records by priority and weight, then a ping of each until one answers. A caller that does not know its site, or has
// moved, learns it from the first answer and asks once more there. The error is [ErrNoController] with what stood in the
// way.
func Locate(ctx context.Context, h Host, domain, site string) (*Controller, error) {
	c, err := locateIn(ctx, h, domain, site)
	if err != nil {
		return nil, err
	}
	if c.ClientSite == "" || c.Closest() || strings.EqualFold(c.ClientSite, site) {
		return c, nil
	}
	near, err := pingAll(ctx, h, domain, siteRecord(domain, c.ClientSite))
	if near == nil || err != nil {
		return c, context.Cause(ctx)
	}
	return near, nil
}

func siteRecord(domain, site string) string {
	return "_ldap._tcp." + site + "._sites.dc._msdcs." + domain
}

func domainRecord(domain string) string { return "_ldap._tcp.dc._msdcs." + domain }

func locateIn(ctx context.Context, h Host, domain, site string) (*Controller, error) {
	records := []string{domainRecord(domain)}
	if site != "" {
		records = []string{siteRecord(domain, site), domainRecord(domain)}
	}
	var why error
	for _, record := range records {
		c, err := pingAll(ctx, h, domain, record)
		if c != nil {
			return c, nil
		}
		if context.Cause(ctx) != nil {
			return nil, context.Cause(ctx)
		}
		if why = err; errors.Is(err, errNoNameServer) {
			break
		}
	}
	return nil, fmt.Errorf("locate %s: %w: %w", domain, ErrNoController, why)
}

// pingAll asks the controllers that a record names, several times round.
func pingAll(ctx context.Context, h Host, domain, record string) (*Controller, error) {
	list, err := lookupSRV(ctx, h, record)
	if err != nil {
		return nil, err
	}
	why := fmt.Errorf("%s names nobody", record)
	for range h.timing().Hybrid.PingRounds {
		for _, s := range list {
			c, err := ping(ctx, h, domain, s)
			if err == nil {
				return c, nil
			}
			if context.Cause(ctx) != nil {
				return nil, context.Cause(ctx)
			}
			why = err
		}
	}
	return nil, why
}

// Ping asks one controller whether it serves the domain. server may have a port with it.
func Ping(ctx context.Context, h Host, domain, server string) (*Controller, error) {
	host, port, err := net.SplitHostPort(server)
	if err != nil {
		return ping(ctx, h, domain, service{host: server, port: 389})
	}
	n, err := strconv.ParseUint(port, 10, 16)
	if err != nil {
		return nil, fmt.Errorf("ping %s: %w", server, err)
	}
	return ping(ctx, h, domain, service{host: host, port: uint16(n)})
}

func ping(ctx context.Context, h Host, domain string, s service) (*Controller, error) {
	c, err := h.Net.Dial(ctx, "udp", net.JoinHostPort(s.host, strconv.Itoa(int(s.port))))
	if err != nil {
		return nil, fmt.Errorf("ping %s: %w", s.host, err)
	}
	defer c.Close()
	if err := h.within(c, h.timing().Hybrid.PingWait); err != nil {
		return nil, fmt.Errorf("ping %s: %w", s.host, err)
	}
	ask := ldap.NetlogonRequest{DNSDomain: domain, Host: h.Name, NTVersion: ldap.NTVersion5 | ldap.NTVersion5EX | ldap.NTVersionWithClosestSite}
	m := ldap.Message{ID: 1, Op: &ldap.SearchRequest{Filter: ask.Filter(), Attributes: []string{ldap.NetlogonAttribute}}}
	if _, err := c.Write(m.Append(nil)); err != nil {
		return nil, fmt.Errorf("ping %s: %w", s.host, err)
	}
	b := make([]byte, 4096)
	for {
		n, err := c.Read(b)
		if err != nil {
			return nil, fmt.Errorf("ping %s: %w", s.host, err)
		}
		r, err := pong(b[:n])
		if err != nil {
			return nil, fmt.Errorf("ping %s: %w", s.host, err)
		}
		if strings.EqualFold(r.Domain, domain) && r.Flags&ldap.DSLDAP != 0 {
			return r.controller(), nil
		}
	}
}

type answer struct{ *ldap.NetlogonResponse }

// pong reads the answer to a ping: a search entry with one value, and the end of the search, in one packet.
func pong(b []byte) (answer, error) {
	entry, _, err := ldap.Split(b)
	if err != nil {
		return answer{}, err
	}
	m, err := ldap.Decode(entry, ldap.Limits{})
	if err != nil {
		return answer{}, err
	}
	switch op := m.Op.(type) {
	case *ldap.Entry:
		r, err := ldap.ParseNetlogonResponse(op.Bytes(ldap.NetlogonAttribute))
		return answer{r}, err
	case *ldap.SearchDone:
		if err := op.Err(); err != nil {
			return answer{}, err
		}
		return answer{}, errNotThisDomain
	}
	return answer{}, errUnexpected
}

var errNotThisDomain = errors.New("the server has no such domain")

func (a answer) controller() *Controller {
	return &Controller{
		Name: strings.ToLower(a.Host), Domain: a.Domain, NetBIOS: a.NetBIOSDomain, Forest: a.Forest,
		Site: a.Site, ClientSite: a.ClientSite, DomainGUID: a.DomainGUID, Flags: a.Flags,
	}
}
