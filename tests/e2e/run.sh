#!/bin/sh
# Runs an end-to-end test program against the recorded hosts, on a port and with inventories of its
# own. usage: run.sh BUILD_DIRECTORY PROGRAM
set -eu
cd "$(dirname "$0")/../.."

dir=$1/e2e.d program=$2
rm -rf "$dir"
mkdir -p "$dir"

attempt=0
while :; do
	ODDHOST_REPLAY_PORT=$((20000 + ($$ + attempt * 7919) % 10000))
	sed -e "s/47222/$ODDHOST_REPLAY_PORT/" -e "s#\.build/demo#$dir#" inventory/demo.ini >"$dir/demo.ini"
	# shellcheck disable=SC2030,SC2031
	export ODDHOST_REPLAY_PORT ODDHOST="$1/oddhost" ODDHOST_TEST_DIR="$dir"
	status=0
	tests/replay/sshd.sh run "$dir" "$program" || status=$?
	attempt=$((attempt + 1))
	# 75: somebody else has the port.
	[ $status -eq 75 ] && [ $attempt -lt 5 ] || exit $status
done
