#!/bin/sh
# make demo: serves the recorded hosts, does the main job on them, stops them. usage: demo.sh ODDHOST
cd "$(dirname "$0")/../.." || exit 2

mkdir -p .build
exec 9>.build/demo.lock
flock -n 9 || { echo "demo: it runs already in this directory" >&2; exit 75; }

# The program's exit status goes into a file: 1, for findings, must not be taken for sshd.sh's own.
status=.build/demo.status
rm -f "$status"
echo "Four recorded hosts answer on loopback; on them runs:"
echo "  $1 run -i inventory/demo.ini -l api"
echo
# shellcheck disable=SC2016 # the inner shell expands them
tests/replay/sshd.sh run .build/demo sh -c '"$1" run -i inventory/demo.ini -l api; echo $? >"$2"' \
	demo "$1" "$status"
served=$?
[ -s "$status" ] || { echo "demo: the recorded hosts could not be served" >&2; exit $((served ? served : 1)); }
case $(cat "$status") in
1) exit 0 ;; # findings, as there should be
0) echo "demo: nothing was found, though host-pre cannot reach its database" >&2 && exit 1 ;;
*) echo "demo: oddhost ended with exit status $(cat "$status")" >&2 && exit "$(cat "$status")" ;;
esac
