#!/usr/bin/env bash
# Runs the tools that building and testing use, and says for each what it
# answered or how to get it. Exit 1 where one that `make run` needs is missing.
cd "$(dirname "$0")/../.." || exit 1
missing=0
try() { # name, needed-by, how to get it, command...
	local name=$1 by=$2 how=$3; shift 3
	if out=$("$@" 2>&1); then
		printf 'ok       %-14s %s\n' "$name" "$(head -n1 <<<"$out")"
	else
		printf 'missing  %-14s for %s; %s\n' "$name" "$by" "$how"
		[[ $by == *run* ]] && missing=1
	fi
}
try go "make run" "https://go.dev/dl, 1.26 or later" go version
try gcc "make run" "apt install gcc" gcc --version
try openssl-dev "make run" "apt install libssl-dev" sh -c 'echo "#include <openssl/rand.h>" | gcc -E -x c - >/dev/null && echo "openssl/rand.h found"'
try libcrypto "make run" "apt install libssl-dev" sh -c 'd=$(mktemp -d) && echo "int main(void){return 0;}" | gcc -x c - -lcrypto -o $d/a && $d/a && echo "links"; r=$?; rm -rf $d; exit $r'
try simulator "make run" "go mod download" sh -c 'go build -o /dev/null ./sim/vtpm && echo "the reference TPM builds"'
try openssl "make test" "apt install openssl" openssl version
try zbarimg "make test" "apt install zbar-tools" zbarimg --version
try xmllint "make test" "apt install libxml2-utils" xmllint --version
try xmlsec1 "make test" "apt install xmlsec1" xmlsec1 --version
try curl "make test" "apt install curl" curl --version
try xml2wbxml "make test" "apt install libwbxml2-utils" sh -c "command -v xml2wbxml"
try sqlite3 "make test" "apt install sqlite3" sqlite3 -version
try scep-submit "make test" "apt install certmonger" sh -c 'test -x /usr/lib/certmonger/scep-submit && echo "certmonger has it"'
try tpm2-tools "make test" "apt install tpm2-tools" tpm2_getcap --version
try swtpm "make test" "apt install swtpm" swtpm --version
try tcti "make test" "apt install libtss2-tcti-mssim0 libtss2-tcti-swtpm0" sh -c 'ls /usr/lib/*/libtss2-tcti-mssim.so.0 && ls /usr/lib/*/libtss2-tcti-swtpm.so.0'
try evtxexport "make test" "apt install libevtx-utils" evtxexport -V
try python-evtx "make test" "apt install python3-evtx" /usr/bin/python3 -c 'import Evtx.Evtx; print("python-evtx imports")'
try reged "make test" "apt install chntpw" sh -c 'reged 2>&1 | grep version'
try chromium "make test" "apt install chromium" chromium --version
try unzip "make test" "apt install unzip" unzip -v
try zstd "make test" "apt install zstd" zstd --version
try samba "make test" "apt install samba samba-ad-provision samba-dsdb-modules samba-vfs-modules winbind, without starting them" samba --version
try net "make test" "apt install samba-common-bin" net --version
try kinit "make test" "apt install krb5-user" sh -c 'klist -V'
try ldapsearch "make test" "apt install ldap-utils" sh -c 'ldapsearch -VV 2>&1 | head -n1'
try sasl-gssapi "make test" "apt install libsasl2-modules-gssapi-mit" sh -c 'ls /usr/lib/*/sasl2/libgssapiv2.so | head -n1'
try adcli "make test" "apt install adcli" sh -c 'command -v adcli'
try dig "make test" "apt install bind9-dnsutils" dig -v
try faketime "make test" "apt install faketime" sh -c 'faketime --version | grep -i version'
try ip "make test" "apt install iproute2" ip -V
try namespaces "make test" "run as root, or allow user namespaces" sh -c 'unshare --user --map-root-user --net --mount true && echo "user, network and mount namespaces"'
exit $missing
