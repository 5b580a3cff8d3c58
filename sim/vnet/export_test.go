package vnet

// Standing counts the idle connections that the next request could use.
func (nic *NIC) Standing() (n int) {
	nic.mu.Lock()
	defer nic.mu.Unlock()
	for _, list := range nic.idle {
		for _, c := range list {
			if !hungUp(c) {
				n++
			}
		}
	}
	return n
}
