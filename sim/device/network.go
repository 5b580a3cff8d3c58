package device

// keyNetworks has the names of the wireless networks that Windows knows.
const keyNetworks = `HKLM\SOFTWARE\Microsoft\Windows NT\CurrentVersion\NetworkList\Profiles`

// Connect joins the network of the place where the PC is, as somebody does who
// chooses it and types its key. Windows joins it by itself at later boots there.
func (w *Windows) Connect() {
	if name := w.network(); name != "" {
		w.Registry().SetDWORD(keyNetworks, name, 1)
	}
	w.NIC.Up()
}

func (pc *PC) knowsNetwork() bool { return pc.Disk.Registry.HasValue(keyNetworks, pc.network()) }

// network is the name of the network that the PC is in reach of.
func (pc *PC) network() string {
	if site := pc.NIC.Site(); site != nil {
		return site.Name()
	}
	return ""
}

// Metered tells whether what passes over the PC's present network costs money.
func (pc *PC) Metered() bool {
	site := pc.NIC.Site()
	return site != nil && site.Metered()
}
