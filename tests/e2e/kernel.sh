#!/bin/sh
# Asks the kernel where packets go on each recorded host: in a network namespace with the host's
# interfaces and routes. usage: kernel.sh DIR ADDRESS...
# Writes DIR/HOST.routes (`ip route show table all`), DIR/HOST.json (the same of `ip -j`),
# DIR/HOST.rules (`ip rule`) and DIR/HOST.get: a JSON array a line, in the order of the addresses, as
# `ip -j route get` prints it.
set -eu
hosts=$(cd "$(dirname "$0")/../replay/hosts" && pwd)

if [ "${1:-}" != inside ]; then
	# Root needs no user namespace, and in a chroot there is none.
	flags=-rn
	[ "$(id -u)" -ne 0 ] || flags=-n
	for host in "$hosts"/*; do
		unshare $flags "$0" inside "${host##*/}" "$@"
	done
	exit
fi
host=$2 dir=$3
shift 3

ip link set lo up
# The interfaces with their IPv4 addresses; the kernel then adds the routes to their networks.
while read -r _ dev family address _; do
	case $family:$dev in
	inet:lo | inet6:*) continue ;;
	esac
	ip link add "$dev" type bridge
	ip link set "$dev" up
	ip addr add "$address" dev "$dev"
done <"$hosts/$host/derived/ip-addr.txt"
# The others, the default route last: its gateway must be reachable before it can be named.
sort "$hosts/$host/derived/ip-route.txt" | while read -r route; do
	case $route in
	*'proto kernel'*) ;;
	*)
		# shellcheck disable=SC2086 # a route's words
		ip route add $route
		;;
	esac
done

ip -4 route show table all >"$dir/$host.routes"
ip -4 -j route show table all >"$dir/$host.json"
ip -4 rule show >"$dir/$host.rules"
for address in "$@"; do
	ip -j route get "$address" | tr -d '\n'
	echo
done >"$dir/$host.get"
