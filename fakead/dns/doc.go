// Package dns is the name service of one domain controller: authoritative for
// the domain's zone and the _msdcs zone below it, with the records by which
// clients find controllers ([MS-ADTS] 6.3.2.3). It answers from a function, so
// that a zone is always what the forest is now.
//
//	s := &dns.Server{Domain: "corp.contoso.com", Controllers: list, TTL: 10 * time.Minute}
//	network.ServePacket("dc1.corp.contoso.com", 53, s.HandlePacket)
//	listener.Serve(ctx, "dns", func(ctx context.Context, c *vnet.Conn) { s.ServeStream(ctx, c) })
//
// It does not recurse: names outside the zone are refused, as by a server
// without forwarders. Not there: dynamic update, zone transfer, DNSSEC, reverse
// zones.
package dns
