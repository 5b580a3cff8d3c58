package join

import (
	"strings"

	"windtunnel.test/sim/device"
	"windtunnel.test/sim/wire/krb5"
)

// realm is a domain's name as Kerberos has it.
func realm(m device.Membership) string { return strings.ToUpper(m.Domain) }

// machineKey is the key of the computer's own account, made once a boot.
func machineKey(w *device.Windows, m device.Membership, etype int32) (krb5.Key, error) {
	type id struct {
		etype    int32
		password string
	}
	type made struct {
		key krb5.Key
		err error
	}
	k := device.Once(w, id{etype, m.Password}, func() made {
		key, err := krb5.StringToKey(etype, m.Password, krb5.MachineSalt(realm(m), m.Computer+"$"))
		return made{key, err}
	})
	return k.key, k.err
}
