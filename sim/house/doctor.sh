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
try sqlite3 "make test" "apt install sqlite3" sqlite3 -version
try scep-submit "make test" "apt install certmonger" sh -c 'test -x /usr/lib/certmonger/scep-submit && echo "certmonger has it"'
try tpm2-tools "make test" "apt install tpm2-tools" tpm2_getcap --version
try swtpm "make test" "apt install swtpm" swtpm --version
try tcti "make test" "apt install libtss2-tcti-mssim0 libtss2-tcti-swtpm0" sh -c 'ls /usr/lib/*/libtss2-tcti-mssim.so.0 && ls /usr/lib/*/libtss2-tcti-swtpm.so.0'
try evtxexport "make test" "apt install libevtx-utils" evtxexport -V
try python-evtx "make test" "apt install python3-evtx" /usr/bin/python3 -c 'import Evtx.Evtx; print("python-evtx imports")'
try reged "make test" "apt install chntpw" sh -c 'reged 2>&1 | grep version'
try unzip "make test" "apt install unzip" unzip -v
try zstd "make test" "apt install zstd" zstd --version
exit $missing
