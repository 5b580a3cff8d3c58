#!/usr/bin/env bash
# Runs every fuzz target of the module for $FUZZTIME each, one after the other.
set -euo pipefail
cd "$(dirname "$0")/../.."
time=${FUZZTIME:-30s}
failed=0
while IFS=: read -r file target; do
	dir=./$(dirname "$file")
	printf '%-44s %s\n' "$dir" "$target"
	go test "$dir" -run '^$' -fuzz "^$target\$" -fuzztime "$time" -parallel 2 >/tmp/fuzz.$$ 2>&1 || { failed=1; cat /tmp/fuzz.$$; }
done < <(grep -rhoHE '^func Fuzz[A-Za-z0-9_]+' --include='*_test.go' . | sed -E 's|^\./||; s/func //')
rm -f /tmp/fuzz.$$
exit $failed
