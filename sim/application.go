package sim

import "windtunnel.test/sim/scenario"

// Application is one that can get tokens in a tenant.
type Application struct {
	Name     string `json:"name"`
	ClientID string `json:"clientId"`
	Secret   string `json:"secret,omitempty"` // "": it has none
}

// Applications are those that a scenario's tenant has for whoever writes
// clients: the administrator's own, which may do everything that is modelled,
// and the scenario's.
func Applications(t scenario.Tenant) []Application {
	list := []Application{{Name: "windtunnel administrator", ClientID: adminClientID, Secret: adminSecret}}
	for _, a := range t.Applications {
		list = append(list, Application{Name: a.DisplayName, ClientID: a.AppID, Secret: a.Secret})
	}
	return list
}
