#!/usr/bin/env bash
# A Samba Active Directory domain controller on loopback whose time follows a
# file. Needs Debian's samba, samba-dsdb-modules, samba-vfs-modules, winbind,
# ldap-utils and libfaketime, and a network namespace of its own with loopback
# up, where it is root.
#
#   samba.sh provision DIR DOMAIN NETBIOS PASSWORD   make the domain in DIR
#   samba.sh serve DIR                               serve it until stdin closes or SIGTERM
#   samba.sh with DIR COMMAND...                     all of it, in new namespaces, for a command
#
# FAKETIME_TIMESTAMP_FILE names the file: an offset to real time in seconds with
# a sign, "+86400.5"; without it, time is real. `serve` prints "ready" when the
# directory and Kerberos answer. `with` writes DIR/domain.yaml: what a scenario
# says under `domain.samba`.
set -euo pipefail

# Not 127.0.0.1: samba-tool takes that for no address and leaves the name service without it.
address=127.0.0.11
preload=$(compgen -G '/usr/lib/*/faketime/libfaketime.so.1' || true)

# Runs a command at the file's time. ldb's modules are loaded so that they bind to their own libraries first, and would
# read the real time; the variable has them bind as everything else does. Monotonic clocks are for waiting, and stay true.
faked() {
	if [ -z "${FAKETIME_TIMESTAMP_FILE:-}" ]; then "$@"; return; fi
	[ -n "$preload" ] || { echo "samba.sh: libfaketime is missing: apt install libfaketime" >&2; exit 1; }
	LD_PRELOAD=$preload FAKETIME_NO_CACHE=1 FAKETIME_DONT_FAKE_MONOTONIC=1 LDB_MODULES_DISABLE_DEEPBIND=1 "$@"
}

need() {
	for tool in "$@"; do
		command -v "$tool" >/dev/null || { echo "samba.sh: $tool is missing: apt install samba winbind ldap-utils" >&2; exit 1; }
	done
}

provision() { # dir domain netbios password
	need samba samba-tool samba_spnupdate
	local dir=$1 domain=$2 netbios=$3 password=$4
	mkdir -p "$dir/run" "$dir/log"
	faked samba-tool domain provision --realm="${domain^^}" --domain="$netbios" --adminpass="$password" \
		--server-role=dc --dns-backend=SAMBA_INTERNAL --targetdir="$dir" --host-name=dc1 --host-ip=$address \
		--option="interfaces=$address/8" --option="bind interfaces only=yes" \
		--option="pid directory=$dir/run" --option="ncalrpc dir=$dir/run/ncalrpc" \
		--option="winbindd socket directory=$dir/run/winbindd" --option="ntp signd socket directory=$dir/run/ntp" \
		--option="log file=$dir/log/%m" --option="usershare path=" \
		>"$dir/log/provision" 2>&1 || { tail -n 20 "$dir/log/provision" >&2; exit 1; }
	# A run lasts years of its own time: nobody there would change the administrator's password.
	# A controller gives itself its service principal names when it has run for a while; ldap/... is one of them.
	faked samba_spnupdate -s "$dir/etc/smb.conf" >>"$dir/log/provision" 2>&1
	faked samba-tool user setexpiry Administrator --noexpiry -H "tdb://$dir/private/sam.ldb" >>"$dir/log/provision" 2>&1
}

serve() { # dir
	need samba ldapsearch
	local dir=$1 services=${SAMBA_SERVICES:-ldap, cldap, kdc, dns} server
	rm -rf "$dir"/run/*
	# A pipe as standard input: samba ends when it closes.
	faked samba -F --no-process-group --debug-stdout -d "${SAMBA_DEBUG:-1}" -s "$dir/etc/smb.conf" \
		--option="server services=$services" --option="rpc_server:spoolss=disabled" >"$dir/log/samba" 2>&1 &
	server=$!
	trap 'kill $server 2>/dev/null; wait $server 2>/dev/null || true' EXIT
	trap 'exit 0' TERM INT
	for _ in $(seq 300); do
		kill -0 $server 2>/dev/null || break
		if answers "$address"; then
			echo ready
			wait $server || true
			exit 0
		fi
		sleep 0.05
	done
	echo "samba.sh: no answer" >&2
	tail -n 20 "$dir/log/samba" >&2
	exit 1
}

# answers tells whether the directory and Kerberos are served.
answers() {
	ldapsearch -x -LLL -o nettimeout=2 -H "ldap://$1" -s base -b '' defaultNamingContext >/dev/null 2>&1 &&
		(: <"/dev/tcp/$1/88") 2>/dev/null && (: <"/dev/tcp/$1/53") 2>/dev/null
}

with() { # dir command...
	local dir=$1; shift
	dir=$(mkdir -p "$dir" && cd "$dir" && pwd)
	export FAKETIME_TIMESTAMP_FILE=$dir/time
	exec unshare --net --mount --uts --pid --ipc --fork --mount-proc --kill-child "$(realpath "$0")" inside "$dir" "$@"
}

inside() { # dir command...
	local dir=$1; shift
	ip link set lo up
	printf '127.0.0.1 localhost\n' >"$dir/hosts"
	mount --bind "$dir/hosts" /etc/hosts
	printf '+0\n' >"$FAKETIME_TIMESTAMP_FILE"
	local password=Passw0rd!
	[ -e "$dir/etc/smb.conf" ] || provision "$dir" corp.contoso.com CORP "$password"
	coproc server { serve "$dir"; }
	read -r _ <&"${server[0]}"
	cat >"$dir/domain.yaml" <<-YAML
	domain:
	  name: corp.contoso.com
	  netbios: CORP
	  type: samba
	  samba: {address: $address, controller: dc1, password: $password, faketime: $FAKETIME_TIMESTAMP_FILE}
	YAML
	env -u FAKETIME_TIMESTAMP_FILE "$@"
}

case ${1:-} in
provision | serve | with | inside) "$@" ;;
*) sed -n '2,/^set/{/^#/s/^# \{0,1\}//p}' "$0"; exit 2 ;;
esac
