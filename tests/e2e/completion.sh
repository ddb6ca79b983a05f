#!/usr/bin/env bash
# Does bash offer what it should? usage: completion.sh ODDHOST
set -eu
PATH=$(cd "$(dirname "$1")" && pwd):$PATH
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
eval "$(oddhost completion)"
# The last name would run a command, if it were ever expanded.
# shellcheck disable=SC2016
printf '[web]\nweb-1\nweb-2\n[web:vars]\nx=1\n[$(touch hit)]\n`touch${IFS}hit` y=1\n' >hosts
printf '#!/bin/sh\ntouch hit\n' >script
chmod +x script

status=0
# offers EXPECTED WORD...: what is offered behind these words, in one line.
offers() {
	local expected=$1
	shift
	COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) COMPREPLY=()
	_oddhost || : # nothing to offer is no fault
	local got="${COMPREPLY[*]-}"
	[ "$got" = "$expected" ] && return
	printf 'completion of %s: expected "%s", got "%s"\n' "$*" "$expected" "$got"
	status=1
}

offers "run report" oddhost r
offers "critical high medium low info none" oddhost run --fail-on ''
offers "accept-new" oddhost run --host-key a
offers "always" oddhost run --color = al
offers "auto always never" oddhost run --color =
offers "html html,md,json" oddhost run --format h
offers "routes" oddhost parse rout
offers "hosts" oddhost parse routes h
offers "--host-key --host-timeout" oddhost run --host-
offers "web web-1 web-2" oddhost run -i hosts -l web
offers "web-1 web-2" oddhost inventory --inventory = hosts --host web
offers "hosts script" oddhost run -i ''
offers "" oddhost run -i script -l web
if [ -e hit ]; then
	echo "completion: a name of the inventory was run as a command"
	status=1
fi
exit $status
