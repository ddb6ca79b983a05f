#include "oddhost/collect/commands.h"

#include <string.h>

#include "oddhost/base/text.h"

/*
 * Tools differ in their exit statuses and agree on the kernel's words, so what they print counts.
 * curl stays connected to an open port until its limit; bash has no limit of its own, so without
 * timeout(1) it fails in a way that decides nothing. busybox's nc ends at once with -e true.
 */
const char command_tcp[] =
    "c() {\n"
    "case $3 in\n"
    "bash) timeout 2 bash -c 'exec 3<>\"/dev/tcp/$0/$1\"' \"$1\" \"$2\" ;;\n"
    "nc) nc -z -v -w 2 \"$1\" \"$2\" ;;\n"
    "python3) python3 -c 'import socket, sys; "
    "socket.create_connection((sys.argv[1], int(sys.argv[2])), 2)' \"$1\" \"$2\" ;;\n"
    "curl) case $1 in *:*) set -- \"[$1]\" \"$2\" ;; esac\n"
    "curl -sv --noproxy '*' -m 2 \"telnet://$1:$2\" ;;\n"
    "busybox) busybox nc -w 2 \"$1\" \"$2\" -e true ;;\n"
    "esac </dev/null 2>&1\n"
    "}\n"
    "r() {\n"
    "for w in bash nc python3 curl busybox; do\n"
    "command -v $w >/dev/null 2>&1 || continue\n"
    "o=$(c \"$1\" \"$2\" $w)\n"
    "case $?,$o in\n"
    "0,* | *'onnected to '* | *'stablished connection'*) s=open ;;\n"
    "*refused*) s=refused ;;\n"
    "*'o route to host'* | *nreachable*) s=unreachable ;;\n"
    "124,* | 143,* | *'imed out'* | *TIMEOUT*) s=timeout ;;\n"
    "*) continue ;;\n"
    "esac\n"
    "echo \"$1 port $2: $s ($w)\"\n"
    "return 0\n"
    "done\n"
    "echo \"$1 port $2: unknown\"\n"
    "return 1\n"
    "}\n"
    "if command -v getent >/dev/null 2>&1; then\n"
    "l=$(getent ahosts %T | cut -d' ' -f1 | sort -u | head -n 3)\n"
    "[ \"$l\" ] || exit 2\n"
    "else l=%T; fi\n"
    "n=127\n"
    "for a in $l; do r \"$a\" %P && n=0; done\n"
    "exit $n";

/* v NAME URL prints one item, of a path such as "projects/1/zones/us-central1-a" the last part. */
const char command_cloud[] =
    "d=/sys/class/dmi/id\n"
    "s=\"|$(cat $d/sys_vendor $d/product_name $d/chassis_asset_tag $d/bios_vendor 2>/dev/null | tr '\\n' '|')\"\n"
    "case $s in\n"
    "'|') echo 'cloud: unknown'; exit 0 ;;\n"
    "*'|Alibaba Cloud|'* | *'|Alibaba Cloud ECS|'*) c=alibaba ;;\n"
    "*'|Amazon EC2|'*) c=aws ;;\n"
    "*'|Google Compute Engine|'*) c=google ;;\n"
    "*'|7783-7084-3265-9085-8269-3286-77|'*) c=azure ;;\n"
    "*'|Tencent Cloud|'*) c=tencent ;;\n"
    "*) echo 'cloud: none'; exit 0 ;;\n"
    "esac\n"
    "echo \"cloud: $c\"\n"
    "unset http_proxy HTTP_PROXY all_proxy ALL_PROXY\n"
    "h=\n"
    "if command -v curl >/dev/null 2>&1; then\n"
    "g() { curl -sf -m 1 ${h:+-H \"$h\"} \"$1\"; }\n"
    "t() { curl -sf -m 1 -X PUT -H \"$2: 60\" \"$1\"; }\n"
    "elif command -v wget >/dev/null 2>&1; then\n"
    "g() { wget -q -T 1 -O - ${h:+--header \"$h\"} \"$1\"; }\n"
    "t() { wget -q -T 1 -O - --method PUT --header \"$2: 60\" \"$1\" 2>/dev/null; }\n"
    "else exit 127; fi\n"
    "v() {\n"
    "o=$(g \"$2\") && [ \"$o\" ] || return 1\n"
    "printf '%s: %s\\n' \"$1\" \"$(printf %s \"${o##*/[a-z]*/}\" | tr '\\n' ' ')\"\n"
    "}\n"
    "case $c in\n"
    "aws) b=http://169.254.169.254/latest k=X-aws-ec2-metadata-token ;;\n"
    "alibaba) b=http://100.100.100.200/latest k=X-aliyun-ecs-metadata-token ;;\n"
    "google) b=http://169.254.169.254/computeMetadata/v1/instance h='Metadata-Flavor: Google' ;;\n"
    "azure) b=http://169.254.169.254/metadata/instance h='Metadata: true' ;;\n"
    "tencent) b=http://metadata.tencentyun.com/latest/meta-data ;;\n"
    "esac\n"
    "case $c in\n"
    "aws | alibaba)\n"
    "h=\"$k: $(t $b/api/token $k-ttl-seconds)\" || h=\n"
    "b=$b/meta-data\n"
    "v instance-id $b/instance-id || exit 1\n"
    "m=$b/network/interfaces/macs/$(g $b/mac) ;;\n"
    "esac\n"
    "case $c in\n"
    "aws)\n"
    "v instance-type $b/instance-type\n"
    "v region $b/placement/region\n"
    "v zone $b/placement/availability-zone\n"
    "v vpc-id $m/vpc-id\n"
    "v vpc-cidr $m/vpc-ipv4-cidr-blocks\n"
    "v subnet-id $m/subnet-id\n"
    "v subnet-cidr $m/subnet-ipv4-cidr-block ;;\n"
    "alibaba)\n"
    "v instance-type $b/instance/instance-type\n"
    "v region $b/region-id\n"
    "v zone $b/zone-id\n"
    "v vpc-id $b/vpc-id\n"
    "v vpc-cidr $m/vpc-cidr-block\n"
    "v subnet-id $b/vswitch-id\n"
    "v subnet-cidr $m/vswitch-cidr-block ;;\n"
    "google)\n"
    "v instance-id $b/id || exit 1\n"
    "v instance-type $b/machine-type\n"
    "v zone $b/zone\n"
    "n=$b/network-interfaces/0\n"
    "v vpc-id $n/network\n"
    "a=$(g $n/ip) && l=$(g $n/subnetmask) && echo \"subnet-cidr: $a/$l\" ;;\n"
    "azure)\n"
    "q='?api-version=2021-02-01&format=text'\n"
    "v instance-id \"$b/compute/vmId$q\" || exit 1\n"
    "v instance-type \"$b/compute/vmSize$q\"\n"
    "v region \"$b/compute/location$q\"\n"
    "v zone \"$b/compute/zone$q\"\n"
    "n=$b/network/interface/0/ipv4/subnet/0\n"
    "a=$(g \"$n/address$q\") && l=$(g \"$n/prefix$q\") && echo \"subnet-cidr: $a/$l\" ;;\n"
    "tencent)\n"
    "v instance-id $b/instance-id || exit 1\n"
    "v instance-type $b/instance/instance-type\n"
    "v region $b/placement/region\n"
    "v zone $b/placement/zone\n"
    "m=$b/network/interfaces/macs/$(g $b/mac)\n"
    "v vpc-id $m/vpc-id\n"
    "v subnet-id $m/subnet-id\n"
    "a=$(g $b/local-ipv4) && l=$(g $m/local-ipv4s/$a/subnet-mask) && echo \"subnet-cidr: $a/$l\" ;;\n"
    "esac\n"
    "exit 0";

/* Busybox's wget prints no status; wget -S prints that of each answer, the last one counts. */
const char command_http[] =
    "u=%T\n"
    "if command -v curl >/dev/null 2>&1; then\n"
    "w=curl\n"
    "o=$(curl -s -o /dev/null -m 3 --noproxy '*' -w '%{http_code}' \"$u\")\n"
    "case $?,$o in\n"
    "0,*) ;;\n"
    "7,*) o=refused ;;\n"
    "28,*) o=timeout ;;\n"
    "*) o=unknown ;;\n"
    "esac\n"
    "elif command -v wget >/dev/null 2>&1; then\n"
    "w=wget\n"
    "unset http_proxy HTTP_PROXY https_proxy HTTPS_PROXY\n"
    "o=$(wget -S -O /dev/null -T 3 \"$u\" 2>&1)\n"
    "case $o in\n"
    "*' HTTP/'*) o=${o##* HTTP/}; o=${o#* }; o=${o%%[!0-9]*} ;;\n"
    "*refused*) o=refused ;;\n"
    "*'imed out'*) o=timeout ;;\n"
    "*) o=unknown ;;\n"
    "esac\n"
    "else exit 127; fi\n"
    "echo \"$u: $o ($w)\"";

const char command_host[] =
    "uname -srm; grep PRETTY_NAME= /etc/os-release; uptime\n"
    "date -u '+clock: %Y-%m-%dT%H:%M:%SZ'\n"
    "if command -v dpkg >/dev/null; then\n"
    "cat /var/log/dpkg.log.1 /var/log/dpkg.log 2>/dev/null | tail -n 5000 |\n"
    "sed -n 's/^\\([0-9-]*\\) [0-9:]* upgrade \\([^ ]*\\) .*/upgraded: \\1 \\2/p' | tail -n 3\n"
    "elif command -v rpm >/dev/null; then\n"
    "rpm -qa --qf 'upgraded: @%{INSTALLTIME} %{NAME}\\n' | sort | tail -n 3\n"
    "fi";

const char *command_fill(struct arena *arena, const char *text, const char *word, uint16_t port)
{
	struct buf out = {0};

	for (; *text != '\0'; text++) {
		if (strncmp(text, "%T", 2) == 0)
			text_shell_quote(view_of(word), &out);
		else if (strncmp(text, "%P", 2) == 0)
			buf_printf(&out, "%u", port);
		else {
			buf_putc(&out, *text);
			continue;
		}
		text++;
	}
	const char *copy = arena_dup(arena, buf_str(&out));
	buf_free(&out);
	return copy;
}
