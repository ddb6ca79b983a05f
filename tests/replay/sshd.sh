#!/bin/sh
# The recorded hosts behind a real sshd on loopback, for the demo and the end-to-end tests.
#
#   sshd.sh start DIR            make keys and known_hosts in DIR, start sshd, wait until it answers
#   sshd.sh stop DIR             stop that sshd and what it started, and nothing else
#   sshd.sh run DIR COMMAND...   start, run the command, stop (also on Ctrl-C); its exit status,
#                                or 75 where somebody else has the port
#
# One sshd serves all hosts: it listens on 127.0.73.10 (host-pre), .11, .12 and .13 (host-01 to 03),
# port $ODDHOST_REPLAY_PORT (47222), and each address has its own recording. Who may log in is
# `demo`, with the key DIR/id_ed25519 and nothing else. That user need not exist: nss_wrapper makes
# the name known to this sshd alone. sshd runs without privileges: as the user who starts it, or as
# nobody where that is root. What it reads lies in a temporary directory, since nobody may not be
# able to reach the checkout.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
port=${ODDHOST_REPLAY_PORT:-47222}
addresses="127.0.73.10 127.0.73.11 127.0.73.12 127.0.73.13"

die() {
	printf 'sshd.sh: %s\n' "$*" >&2
	exit 1
}

host_of() {
	case $1 in
	*.10) echo host-pre ;;
	*.11) echo host-01 ;;
	*.12) echo host-02 ;;
	*.13) echo host-03 ;;
	esac
}

find_sshd() {
	for sshd in /usr/sbin/sshd "$here/../../.build/sshd/usr/sbin/sshd"; do
		[ ! -x "$sshd" ] || return 0
	done
	die "there is no sshd: 'make deps' unpacks one under .build"
}

find_wrapper() {
	for wrapper in /usr/lib/*/libnss_wrapper.so /usr/lib64/libnss_wrapper.so \
		/usr/lib/libnss_wrapper.so; do
		[ ! -e "$wrapper" ] || return 0
	done
	die "there is no libnss_wrapper.so: 'make deps' installs it"
}

# A temporary directory from which scripts can be run.
make_state() {
	for parent in "${TMPDIR:-/tmp}" /var/tmp /dev/shm; do
		state=$(mktemp -d "$parent/oddhost-replay.XXXXXX" 2>/dev/null) || continue
		printf '#!/bin/sh\n' >"$state/try" && chmod 0755 "$state" "$state/try"
		if "$state/try" 2>/dev/null; then
			rm "$state/try"
			return 0
		fi
		rm -rf "$state"
	done
	die "programs cannot be run from $parent (mounted noexec?): set TMPDIR"
}

# The user that sshd runs as, and how to become it.
choose_user() {
	uid=$(id -u) gid=$(id -g) become=
	if [ "$uid" -eq 0 ]; then
		uid=$(id -u nobody) gid=$(id -g nobody)
		become="setpriv --reuid=$uid --regid=$gid --clear-groups --no-new-privs"
	fi
}

write_config() {
	cat <<END
Port $port
$(for address in $addresses; do echo "ListenAddress $address"; done)
HostKey $state/host_key
PidFile none
AuthorizedKeysFile $state/authorized_keys
StrictModes no
AllowUsers demo
AuthenticationMethods publickey
PasswordAuthentication no
KbdInteractiveAuthentication no
UsePAM no
UseDNS no
AllowTcpForwarding no
AllowAgentForwarding no
AllowStreamLocalForwarding no
X11Forwarding no
MaxStartups 200
PrintMotd no
LogLevel VERBOSE
END
	# Options that only newer versions know, or need.
	if [ -e "$state/sshd-session" ]; then
		echo "SshdSessionPath $state/sshd-session"
		[ ! -e "$state/sshd-auth" ] || echo "SshdAuthPath $state/sshd-auth"
		echo "PerSourcePenalties no"
	fi
	for address in $addresses; do
		cat <<END
Match LocalAddress $address
	SetEnv "ODDHOST_REPLAY=$state/hosts/$(host_of "$address")" "PATH=$state/bin:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin"
END
	done
}

# as_demo COMMAND...: in this shell's place, where the system's users are those of $state/passwd.
as_demo() {
	exec env -i LD_PRELOAD="$wrapper" NSS_WRAPPER_PASSWD="$state/passwd" \
		NSS_WRAPPER_GROUP="$state/group" PATH=/usr/bin:/bin "$@"
}

# fill_state DIR: keys, users, recordings and configuration.
fill_state() {
	cp -R "$here/bin" "$here/hosts" "$here/answer" "$state/"
	case $sshd in
	/usr/sbin/*) helpers=/usr/lib/openssh ;;
	*)
		cp "$sshd" "$state/sshd"
		helpers=${sshd%/sbin/sshd}/lib/openssh
		sshd=$state/sshd
		;;
	esac
	for helper in sshd-session sshd-auth; do
		[ ! -e "$helpers/$helper" ] || cp "$helpers/$helper" "$state/"
	done
	mkdir "$state/home"
	# A person's shell: /etc/profile has just replaced the PATH.
	cat >"$state/home/.profile" <<END
PATH=$state/bin:\$PATH
PS1='\${ODDHOST_REPLAY##*/}:~# '
END
	echo "demo:x:$uid:$gid:recorded host:$state/home:/bin/sh" >"$state/passwd"
	[ -z "$become" ] || echo "root:x:0:0::/:/bin/sh" >>"$state/passwd"
	echo "demo:x:$gid:" >"$state/group"

	rm -f "$1/id_ed25519" "$1/id_ed25519.pub"
	(as_demo ssh-keygen -q -t ed25519 -N '' -C demo -f "$1/id_ed25519")
	(as_demo ssh-keygen -q -t ed25519 -N '' -C replay -f "$state/host_key")
	cp "$1/id_ed25519.pub" "$state/authorized_keys"
	for address in $addresses; do
		printf '[%s]:%s %s\n' "$address" "$port" "$(cut -d' ' -f1,2 "$state/host_key.pub")"
	done >"$1/known_hosts"
	write_config >"$state/sshd_config"
	chmod -R go+rX,go-w "$state"
	chmod 0600 "$state/host_key"
	[ -z "$become" ] || chown -R "$uid:$gid" "$state"
}

# Waits until sshd listens on every address, or says why it does not.
await() {
	tries=0
	while [ "$(grep -c '^Server listening on ' "$1/sshd.log")" -lt 4 ]; do
		if grep -q 'Address already in use' "$1/sshd.log"; then
			stop "$1"
			echo "sshd.sh: port $port of 127.0.73.x is taken: is another demo running on" \
				"this machine? (ss -ltnp 'sport = :$port' tells)" >&2
			exit 75
		fi
		if [ $tries -ge 200 ] || ! kill -0 "$pid" 2>/dev/null; then
			tail -n 5 "$1/sshd.log" >&2
			stop "$1"
			die "sshd did not start; its last words are above"
		fi
		tries=$((tries + 1))
		sleep 0.05
	done
}

start() {
	stop "$1"
	find_sshd
	find_wrapper
	mkdir -p "$1"
	chmod 0700 "$1"
	choose_user
	make_state
	echo "$state" >"$1/state"
	fill_state "$1"
	: >"$1/sshd.log"
	# shellcheck disable=SC2086 # a command and its options, or nothing
	as_demo setsid $become \
		"$sshd" -D -e -f "$state/sshd_config" >"$1/sshd.log" 2>&1 </dev/null &
	pid=$!
	await "$1"
}

# Prints the process and all that it started, children before their parents.
tree() {
	for stat in /proc/[0-9]*/stat; do
		# PID (NAME) STATE PARENT ...; a name may hold anything, but the last ')' ends it.
		read -r line 2>/dev/null <"$stat" || continue
		rest=${line##*) }
		rest=${rest#* }
		if [ "${rest%% *}" = "$1" ]; then
			(tree "${line%% *}")
		fi
	done
	echo "$1"
}

# Prints the process id of the sshd that was started with this state. The name of its
# configuration stands in its command line and in no other: no process is ever hit by mistake.
listener() {
	# shellcheck disable=SC2062 # the pattern comes from stdin
	echo "$1/sshd_config" | grep -laF -f - /proc/[0-9]*/cmdline 2>/dev/null | cut -d/ -f3
}

stop() {
	[ -e "$1/state" ] || return 0
	old=$(cat "$1/state")
	for pid in $(listener "$old"); do
		# shellcheck disable=SC2046 # a list of process ids
		kill $(tree "$pid") 2>/dev/null || true
	done
	tries=0
	while [ -n "$(listener "$old")" ] && [ $tries -lt 100 ]; do
		tries=$((tries + 1))
		sleep 0.02
	done
	[ -n "$(listener "$old")" ] || wait # where it was a child of this shell
	case $old in
	*/oddhost-replay.??????) rm -rf "$old" ;;
	esac
	rm -f "$1/state"
}

run() {
	dir=$1
	shift
	trap 'stop "$dir"' EXIT
	trap 'exit 130' INT
	trap 'exit 143' TERM
	trap 'exit 129' HUP
	start "$dir"
	status=0
	"$@" || status=$?
	exit "$status"
}

[ $# -ge 2 ] || die "usage: sshd.sh start DIR | stop DIR | run DIR COMMAND..."
case $1 in
start | stop) "$1" "$2" ;;
run) shift && run "$@" ;;
*) die "usage: sshd.sh start DIR | stop DIR | run DIR COMMAND..." ;;
esac
