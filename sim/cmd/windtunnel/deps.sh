#!/usr/bin/env bash
# The TPM is the reference implementation in C: building it takes gcc and
# OpenSSL's headers. Looks for them by compiling, and installs what is missing.
set -euo pipefail
probe='#include <openssl/rand.h>
int main(void){unsigned char b; return RAND_bytes(&b,1)!=1;}'
out=$(mktemp)
trap 'rm -f "$out"' EXIT
if command -v gcc >/dev/null && gcc -x c - -lcrypto -o "$out" <<<"$probe" 2>/dev/null; then
	exit 0
fi
install="apt-get install -y --no-install-recommends gcc libc6-dev libssl-dev"
if ! command -v apt-get >/dev/null; then
	echo "windtunnel needs gcc and the OpenSSL headers (openssl/rand.h); install them with your package manager" >&2
	exit 1
fi
echo "windtunnel needs gcc and the OpenSSL headers; installing them: $install"
if [ "$(id -u)" = 0 ]; then
	apt-get update -q && DEBIAN_FRONTEND=noninteractive $install
elif command -v sudo >/dev/null && sudo -n true 2>/dev/null || { [ -t 0 ] && command -v sudo >/dev/null; }; then
	sudo apt-get update -q && sudo DEBIAN_FRONTEND=noninteractive $install
else
	echo "this needs root. Run this one command, then make again:" >&2
	echo "    su -c 'apt-get update && $install'" >&2
	exit 1
fi
