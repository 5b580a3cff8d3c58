#!/usr/bin/env bash
# Runs every fuzz target of the module for $FUZZTIME each: one instrumented
# binary a package, two targets side by side, while the next two binaries are
# built.
set -euo pipefail
cd "$(dirname "$0")/../.."
export FUZZTIME=${FUZZTIME:-30s}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export FUZZCACHE=$work/cache
mkdir -p "$FUZZCACHE"

build() { # folder of binaries, package folder
	local binary
	binary=$1/$(tr / _ <<<"$2").test
	go test -c -vet=off -fuzz=. -o "$binary" "$2" >&2
	for target in $(grep -hoE '^func Fuzz[A-Za-z0-9_]+' "$2"/*_test.go | sed 's/func //' | sort -u); do
		printf '%s %s %s\n' "$2" "$binary" "$target"
	done
}
run() { # package folder, binary, target
	if (cd "$1" && "$2" -test.run '^$' -test.fuzz "^$3\$" -test.fuzztime "$FUZZTIME" -test.fuzzcachedir "$FUZZCACHE" -test.fuzzminimizetime 50x -test.parallel 1) >"$2.$3.out" 2>&1; then
		printf 'ok    %-28s %s\n' "$1" "$3"
	elif grep -q 'context deadline exceeded' "$2.$3.out" && ! grep -qE 'Failing input|panic' "$2.$3.out"; then
		# the fuzzing engine can overrun its own time limit on a busy machine; no input failed
		printf 'ok    %-28s %s (stopped late)\n' "$1" "$3"
	else
		printf 'FAIL  %-28s %s\n' "$1" "$3"
		tail -n 60 "$2.$3.out"
		exit 1
	fi
}
export -f build run

grep -rlE '^func Fuzz' --include='*_test.go' . | xargs -n1 dirname | sort -u |
	xargs -P 2 -L 1 bash -c 'build "$0" "$1"' "$work" | tee "$work/list" |
	xargs -P 2 -L 1 bash -c 'run "$0" "$1" "$2"'
printf '%s fuzz targets, %s each\n' "$(wc -l <"$work/list")" "$FUZZTIME"
