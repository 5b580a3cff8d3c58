#!/usr/bin/env bash
# Runs every fuzz target of the module for $FUZZTIME each: one instrumented
# binary a package, two targets side by side, while the next binaries are built.
set -euo pipefail
cd "$(dirname "$0")/../.."
export FUZZTIME=${FUZZTIME:-30s}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export FUZZCACHE=$work/cache
mkdir -p "$FUZZCACHE" "$work/jobs"

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
export -f run

n=0
for dir in $(grep -rlE '^func Fuzz' --include='*_test.go' . | xargs -n1 dirname | sort -u); do
	n=$((n + 1))
	binary=$work/$n.test
	go test -c -fuzz=. -o "$binary" "$dir"
	for target in $(grep -hoE '^func Fuzz[A-Za-z0-9_]+' "$dir"/*_test.go | sed 's/func //' | sort -u); do
		printf '%s %s %s\n' "$dir" "$binary" "$target"
	done
done | tee "$work/list" | xargs -P 2 -L 1 bash -c 'run "$0" "$1" "$2"'
printf '%s fuzz targets, %s each\n' "$(wc -l <"$work/list")" "$FUZZTIME"
