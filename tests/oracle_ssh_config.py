#!/usr/bin/python3
"""Compare how oddhost reads ssh's configuration with `ssh -G` on the same files and hosts.

usage: oracle_ssh_config.py ODDHOST [SEED [COUNT]]

COUNT generated configurations (with Include, Match, quotes, tokens), two hosts each, some with
options on the command line. Compared are address, port, user, identities, agent, known_hosts, the
name in known_hosts, the policy, family, local address, time limits, and the jump hosts, each of which must be what `ssh -G` says about it.
A ConnectTimeout counts up to an hour, the longest that -T takes.
What ssh refuses, oddhost must refuse too (exit code 2). Leaves with 77 where there is no ssh.
"""
import json
import os
import pwd
import random
import re
import shlex
import shutil
import socket
import subprocess
import sys
import tempfile

if shutil.which("ssh") is None:
    print("oracle_ssh_config: skipped, ssh is not installed (Debian: openssh-client)")
    sys.exit(77)

ME = pwd.getpwuid(os.getuid())
os.environ.update(HOME=ME.pw_dir, LC_ALL="C.UTF-8", ODDHOST_ORACLE="here")
USUAL_KEYS = {f"~/.ssh/id_{t}" for t in "rsa ecdsa ecdsa_sk ed25519 ed25519_sk xmss dsa".split()}
DEEPEST = 16
HOSTS = ["h1", "h2", "web-1.example.org", "Web-2", "10.0.0.5", "2001:DB8::0:5", "db_3", "j1", "j2"]
PATTERNS = ["*", "*", "*", "*", "h*", "h*", "h?", "web-*", "Web-2", "web-2", "*.example.org", "10.0.0.*", "!h1", "!h2", "!web*",
            "j1", "j2", "h1", "h2", "db_3", "nope", "2001:*", "?1", "!*.org", "10.0.0.5", "**", "h1*"]
LISTS = ["h*", "h1,h2", "*,!h1", "!h2,*", "web-*", "*.example.org,10.*", "j?", "WEB-2", "nope", "*.internal", "!*"]
UNREAD = {"LogLevel", "Compression", "ControlPath", "SendEnv", "Foobar", "XFoo"}  # what ssh alone checks
USERS = ["ops", "root", ME.pw_name, "al ice", "de%ploy", "a@b", "svc"]


def pick_words(rnd, pool, most):
    return rnd.sample(pool, rnd.randrange(1, most + 1))


def quoted(rnd, word):
    """A word as a line may write it."""
    if re.search(r"[\s#]", word):
        return rnd.choice((f'"{word}"', f"'{word}'", word.replace(" ", "\\ ") if "#" not in word else f'"{word}"'))
    return rnd.choice((word, word, word, word, f'"{word}"', f"'{word}'"))


def path(rnd):
    return rnd.choice(("~/.ssh/", "/keys/", "~/", "%d/.ssh/", "${ODDHOST_ORACLE}/", "rel/", "~root/")) + rnd.choice(
        ("k1", "k2", "%h", "%n-%p", "%r@%h", "%u.%i", "%%x", "two words", "%k", "%L", "%l", "a#b", "x=y"))


def jump(rnd):
    def hop():
        host = rnd.choice(("j1", "j2", "j3", "edge", "j1", "j2", "edge", "[::1]", "[2001:db8::9]", "h1", "10.0.0.5"))
        uri = rnd.random() < .1 and not host.startswith("[")  # 9.2 refuses ssh://[::1]:22
        return (("ssh://" if uri else "") + rnd.choice(("", "", "ju@", "ju@" if uri else "a@b@")) + host +
                rnd.choice(("", "", ":22", ":2022", ":ssh")) + ("/" if uri and rnd.random() < .5 else ""))
    if rnd.random() < .15:
        return rnd.choice(("none", "NONE", "None"))
    return ",".join(hop() for _ in range(rnd.choice((1, 1, 1, 2, 3))))


def option(rnd):
    kind = rnd.choice([k for k in range(13) if k != 10 or rnd.random() < .2])
    if kind == 0:
        return "HostName", quoted(rnd, rnd.choice(("%h", "%h.internal", "10.1.2.3", "h2", "REAL.example.org", "%%h", "2001:DB8::0:7",
                                                  "0x7f.1", "1.2.3", "010.0.0.1", "17", "1.2.3.256", "0xG.1")))
    if kind == 1:
        return "Port", quoted(rnd, rnd.choice(("22", "2222", "ssh", "65535", "8022")))
    if kind == 2:
        return "User", quoted(rnd, rnd.choice(USERS))
    if kind in (3, 4):
        return rnd.choice(("IdentityFile", "IdentityFile", "IdentityFile2")), quoted(rnd, path(rnd) if rnd.random() < .9 else "none")
    if kind == 5:
        return "UserKnownHostsFile", rnd.choice((" ".join(quoted(rnd, path(rnd)) for _ in range(rnd.randrange(1, 4))), "none"))
    if kind == 6:
        return "GlobalKnownHostsFile", rnd.choice(("/etc/a /etc/b", "none", "~/g", '"/etc/x y"'))
    if kind == 7:
        return "HostKeyAlias", quoted(rnd, rnd.choice(("alias", "Alias.Org", "other")))
    if kind == 8:
        return "StrictHostKeyChecking", rnd.choice(("yes", "no", "ask", "off", "accept-new", "YES", "Accept-New", "true"))
    if kind in (9, 10):
        return "ProxyJump", jump(rnd)
    if kind == 11:
        return "ProxyCommand", rnd.choice(("none", "nc %h %p # no comment", 'ssh -W "[%h]:%p" -i k gw'))
    return rnd.choice((("IdentitiesOnly", rnd.choice(("yes", "no", "TRUE"))), ("ConnectTimeout", rnd.choice(("1m30", "7", "none", "2H"))),
                       ("AddressFamily", rnd.choice(("inet6", "INET", "any"))), ("ServerAliveInterval", rnd.choice(("15", "1M", "0"))),
                       ("BindAddress", rnd.choice(("::1", "127.0.0.1", "name"))),
                       ("IdentityAgent", rnd.choice(("none", "SSH_AUTH_SOCK", "~/a.sock", "/run/%u-%h", "$ODDHOST_ORACLE", "${ODDHOST_ORACLE}/s"))),
                       ("CertificateFile", "~/c"), ("Compression", "yes"), ("LogLevel", "QUIET"),
                       ("ControlPath", "~/c-%C"), ("SendEnv", "LANG LC_*"), ("Foobar", "1 2"), ("XFoo", "'x y'")))


def spelt(rnd, keyword):
    return rnd.choice((keyword, keyword, keyword.lower(), keyword.upper(), f'"{keyword}"'))


def line(rnd, keyword, value):
    gap = rnd.choice((" ", " ", " ", "=", " = ", "\t", "  "))
    tail = rnd.choice(("", "", "", "", " # c", "  ", "\t")) if not keyword.startswith("Proxy") else rnd.choice(("", " "))
    name = spelt(rnd, keyword) if keyword not in UNREAD else keyword
    if name.startswith('"') and "=" in gap and rnd.random() < .95:
        gap = " "  # behind a quote '=' is a part of the value
    return f"{rnd.choice(('', '', '  ', chr(9)))}{name}{gap}{value}{tail}{rnd.choice(('', '', '', '', chr(13)))}"


def bad(rnd):
    return rnd.choice(("Port 0", "Port x", "XFoo 'x", "ProxyJump ssh://a@b@h1", "Port 22 33", "Port", 'User "x', "StrictHostKeyChecking maybe", "ProxyJump a, b",
                       "Match", "Match foo", "Match host", "Match all host h1", "Host", 'Host ""', "IdentitiesOnly maybe",
                       "UserKnownHostsFile none /x", "AddressFamily inet5", 'User ""', "ProxyJump ,a", "ConnectTimeout x"))


def condition(rnd):
    parts = []
    for _ in range(rnd.randrange(1, 4)):
        name = rnd.choice(("host", "originalhost", "user", "localuser", "final", "canonical"))
        negate = rnd.choice(("", "", "!"))
        if name in ("final", "canonical"):
            parts.append(negate + name)
        else:
            patterns = rnd.choice(LISTS) if "host" in name else rnd.choice(("*", "ops", "root,svc", "!root,*", ME.pw_name, '"al ice"', "a*"))
            parts.append(negate + name + rnd.choice((" ", "=", " = ")) + patterns)
    return rnd.choice(("all", "ALL", "!all")) if rnd.random() < .15 else " ".join(parts)


def config(rnd, directory, depth=0):
    lines = ["IgnoreUnknown foo*,X*"] if depth == 0 else []
    for _ in range(rnd.randrange(1, 18)):
        kind = rnd.randrange(15)
        if kind < 2:
            lines.append(line(rnd, "Host", " ".join(quoted(rnd, p) for p in pick_words(rnd, PATTERNS, 3))))
        elif kind < 4:
            lines.append(line(rnd, "Match", condition(rnd)))
        elif kind == 5 and depth < 2:
            inner = os.path.join(directory, f"{rnd.randrange(10**9)}.{depth}.inc")
            with open(inner, "w", encoding="utf-8") as out:
                out.write(config(rnd, directory, depth + 1))
            lines.append(line(rnd, "Include", rnd.choice((inner, f'"{inner}"', inner[:-4] + "*", f"/nowhere/* {inner}"))))
        elif kind == 6:
            lines.append(rnd.choice(("", "  ", "# note", "   # Port 1", "\t")))
        else:
            lines.append(line(rnd, *option(rnd)))
    if depth == 0 and rnd.randrange(20) == 0:
        lines.insert(rnd.randrange(1, len(lines) + 1), bad(rnd))
    if depth == 0 and rnd.random() < .5:
        lines[1:1] = [line(rnd, "Host", "j? edge *::*"), line(rnd, "ProxyJump", rnd.choice(("none", "outer", "gate:24,outer"))),
                      line(rnd, "Host", "outer gate"), line(rnd, "ProxyJump", "none"),
                      line(rnd, "Host", rnd.choice(("h? web-* We*", "*", "10.* db*"))), line(rnd, "ProxyJump", jump(rnd))]
    return "\n".join(lines) + rnd.choice(("\n", ""))


def arguments(rnd):
    """Options for ssh's command line."""
    words = []
    while rnd.random() < .3:
        words += rnd.choice((["-p", "2345"], ["-l", "given"], ["-i", "/etc/passwd"], ["-o", "User=opt"], ["-oPort 99"],
                             ["-o", "hostname=opt.example"], ["-o", "StrictHostKeyChecking=accept-new"],
                             ["-o", "UserKnownHostsFile=/o1 /o2"], ["-o", "HostKeyAlias=OptAlias"],
                             ["-o", "ProxyJump=j2"]))
    return words


class Refused(Exception):
    pass


class Ssh:
    def __init__(self, file):
        self.file, self.cache = file, {}

    def ask(self, host, args):
        key = (host, *args)
        if key not in self.cache:
            done = subprocess.run(["ssh", "-G", "-T", "-F", self.file, *args, "--", host], capture_output=True, text=True,
                                  stdin=subprocess.DEVNULL, timeout=60)
            self.cache[key] = done.stdout if done.returncode == 0 else Refused(done.stderr)
        answer = self.cache[key]
        if isinstance(answer, Refused):
            raise answer
        said = {}
        for text in answer.splitlines():
            name, _, value = text.partition(" ")
            said.setdefault(name, []).append(value)
        return said

    def connection(self, host, args):
        said = self.ask(host, args)
        get = lambda name, other="": said.get(name, [other])[0]
        alias = get("hostkeyalias", None)
        tokens = {"h": get("hostname"), "n": host, "p": get("port"), "r": get("user"), "u": ME.pw_name, "d": ME.pw_dir,
                  "i": str(os.getuid()), "L": socket.gethostname().split(".")[0], "l": socket.gethostname(),
                  "k": alias if alias is not None else host, "%": "%"}

        def expand(text):
            text = re.sub(r"^~root", pwd.getpwnam("root").pw_dir, text)
            text = re.sub(r"^~(?=/|$)", lambda m: ME.pw_dir, text)
            text = re.sub(r"\$\{(\w+)\}|%(.)", lambda m: os.environ[m[1]] if m[1] else tokens[m[2]], text)
            return text

        def agent(text):
            if text is None or text == "SSH_AUTH_SOCK":
                return None
            if re.fullmatch(r"\$\w+", text):
                return os.environ[text[1:]]
            return "" if text == "none" else expand(text)

        keys = said.get("identityfile", [])
        usual = set(keys) <= USUAL_KEYS
        keys = [] if usual else [expand(k) for k in keys if k != "none"]
        known = [re.sub(r"^none$", "/dev/null", get("userknownhostsfile")), re.sub(r"(^| )~", rf"\1{ME.pw_dir}", get("globalknownhostsfile"))]
        return {"address": get("hostname"), "port": int(get("port")), "user": get("user"), "identities": keys,
                "known_hosts": " ".join(k for k in known if k != "none"), "known_as": alias,
                "usual_keys": usual, "identities_only": get("identitiesonly") == "yes", "family": get("addressfamily"),
                "agent": agent(get("identityagent", None)),
                "bind_address": None if get("bindaddress", "name") == "name" else get("bindaddress"),
                "connect_timeout": min(int(get("connecttimeout").replace("none", "0")), 3600), "alive_interval": int(get("serveraliveinterval")),
                "host_key": {"true": "strict", "ask": "strict", "false": "off"}.get(get("stricthostkeychecking"), get("stricthostkeychecking"))
                }, get("proxyjump", None)

    def way(self, jumps, depth):
        """The hops of a ProxyJump, and those before the first one."""
        if jumps is None:
            return []
        if depth > DEEPEST:
            raise Refused("too deep")
        found = []
        for number, hop in enumerate(jumps.split(",")):
            hop = re.sub(r"^ssh://(.*?)/?$", r"\1", hop)
            user, at, host = hop.rpartition("@")
            host, port = re.fullmatch(r"\[?(.*?)\]?(?::(\w+))?", host if host.startswith("[") or host.count(":") < 2 else f"[{host}]").groups()
            args = (["-l", user] if at else []) + (["-p", str(socket.getservbyname(port) if not port.isdigit() else port)] if port else [])
            before = jumps.split(",")[:number]
            this, own = self.connection(host, args + (["-J", ",".join(before)] if before else []))
            if number == 0:
                found += self.way(own, depth + 1)
            found.append(this)
        return found


def theirs(file, host, args):
    ssh = Ssh(file)
    try:
        this, jumps = ssh.connection(host, args)
        return {**this, "jumps": ssh.way(jumps, 1)}, ""
    except Refused as why:
        return None, str(why)


def ours(program, file, host, args):
    done = subprocess.run([program, "inventory", "-i", host + ",", "-F", file, "--host", host, "--ssh-common-args", shlex.join(args)],
                          capture_output=True, text=True, timeout=60)
    if done.returncode not in (0, 2):
        raise SystemExit(f"oddhost ended with {done.returncode} on {file}:\n{done.stderr}")
    if done.returncode == 2:
        return None, done.stderr
    said = json.loads(done.stdout)["connection"]

    def plain(spec):
        usual = [os.path.join(ME.pw_dir, ".ssh/known_hosts"), os.path.join(ME.pw_dir, ".ssh/known_hosts2"),
                 "/etc/ssh/ssh_known_hosts", "/etc/ssh/ssh_known_hosts2"]
        spec = {k: spec[k] for k in ("address", "port", "user", "identities", "known_hosts", "known_as", "host_key",
                                    "usual_keys", "identities_only", "agent", "bind_address", "family", "connect_timeout", "alive_interval")}
        return {**spec, "user": spec["user"] or ME.pw_name, "known_hosts": " ".join(spec["known_hosts"] or usual)}

    return {**plain(said), "jumps": [plain(j) for j in said["jumps"]]}, done.stderr


def main():
    program = os.path.abspath(sys.argv[1])
    seed = sys.argv[2] if len(sys.argv) > 2 else os.environ.get("ODDHOST_SEED") or str(random.randrange(10**9))
    count = int(sys.argv[3]) if len(sys.argv) > 3 else 150
    print(f"oracle_ssh_config: seed {seed}, {count} generated configurations")
    different = refused = jumped = 0
    with tempfile.TemporaryDirectory() as directory:
        for i in range(count):
            rnd = random.Random(f"{seed} {i}")
            file = os.path.join(directory, str(i))
            text = config(rnd, directory)
            with open(file, "w", encoding="utf-8") as out:
                out.write(text)
            for host in rnd.sample(HOSTS, 2):
                args = arguments(rnd)
                expected, why = theirs(file, host, args)
                got, errors = ours(program, file, host, args)
                refused += expected is None
                jumped += bool(expected and expected["jumps"])
                if expected != got:
                    different += 1
                    print(f"DIFFERENT: seed {seed}, number {i}, host {host} {args}\nssh:     {expected}\noddhost: {got}\n{why}{errors}{text}\n-----")
            if different >= 5:
                break
    print(f"oracle_ssh_config: {count} configurations, {refused} answers refused, {jumped} with jump hosts, {different} different")
    return 1 if different else 0


sys.exit(main())
