#!/usr/bin/python3
"""A synthetic fleet: a run directory with faults planted in it, and truth.json that says where.

usage: fleet.py DIRECTORY [--hosts N] [--faults N] [--seed N] [--epoch N]

The same seed gives the same hosts and faults. The epoch changes what differs by nature: addresses,
ids, interface names, times, orders. Healthy hosts are no copies of one another: they have roles,
docker networks and containers of their own, a VPN or none, IPv6 or none, a place in the database's
own subnet; a name with many addresses gives each of them others; a queue may be down for all; and
some lack an answer or have half of one.
"""
import argparse
import ipaddress
import json
import os
import random
import sys

KINDS = ("shadow", "overlap", "no-default", "blackhole", "wrong-gateway", "odd-route", "dns",
         "loss", "old-system", "pools", "policy-rule", "old-image", "unhealthy", "docker-down", "unreachable")
COMMANDS = {
    "routes": "if command -v ip >/dev/null 2>&1; then ip -4 route show table all; else route -n; fi",
    "routes6": "ip -6 route show table all", "rules": "ip -4 rule show",
    "rules6": "ip -6 rule show", "addrs": "ip -o addr show", "neigh": "ip neigh show",
    "resolv": "cat /etc/resolv.conf",
    "docker_networks": "docker network ls",
    "docker_inspect": "docker network inspect $(docker network ls -q)",
    "docker_ps": "docker ps -a --format '{\"ID\":{{json .ID}}}'",
    "docker_info": "docker info", "docker_daemon": "cat /etc/docker/daemon.json",
    "host": "uname -srm; grep PRETTY_NAME= /etc/os-release; uptime"}
PROJECTS = ("shop", "billing", "search", "mail", "ledger", "stock", "audit", "wiki", "chat", "gate")
ADJECTIVES = ("brave", "calm", "dull", "eager", "fancy", "grave", "happy", "icy", "jolly", "keen")
SURNAMES = ("bohr", "curie", "darwin", "euler", "fermi", "gauss", "hopper", "kepler", "lamarr")
DOWN = ("Cannot connect to the Docker daemon at unix:///var/run/docker.sock. "
        "Is the docker daemon running?\n")


def hexes(rng, n):
    return f"{rng.getrandbits(4 * n):0{n}x}"


class Fleet:
    """What all hosts share."""

    def __init__(self, seed, n, n_faults, epoch=0):
        self.seed, self.n, self.epoch = seed, n, epoch
        rng = random.Random(f"{seed}/fleet")
        self.moves_into = "192.168" if rng.random() < 0.5 else "10.80"
        self.declares_pools = self.moves_into == "192.168" or rng.random() < 0.5
        self.targets = {"db.internal.example:5432": f"{self.moves_into}.5.166",
                        "cache.internal.example:6379": f"{self.moves_into}.9.20"}
        self.reserved = [(f"{self.moves_into}.0.0/16", "db-vpc"), ("10.90.0.0/16", "office")]
        self.lans = [ipaddress.ip_network(f"10.{20 + i}.0.0/18")
                     for i in range(rng.choice((1, 1, 2, 4, 7)))]
        self.shares = [rng.uniform(0.2, 1) for _ in self.lans]
        self.be_unlike(random.Random(f"{seed}/unlike"))
        self.gateway_last = rng.random() < 0.5
        self.roles = rng.sample(PROJECTS, 3)
        self.role_shares = rng.choice(((5, 3, 2), (6, 2.5, 1.5), (1, 1, 1)))
        self.offsets = random.Random(f"{seed}/{epoch}/offsets").sample(range(10, 16000), n)
        self.faults = self.plant(rng, n_faults)
        self.db_neighbours = self.choose_neighbours()

    def plant(self, rng, n_faults):
        kinds = list(KINDS)
        rng.shuffle(kinds)
        hosts = rng.sample(range(self.n), n_faults)
        return {host: kinds[i % len(kinds)] for i, host in enumerate(hosts)}

    def be_unlike(self, rng):
        """In what ways the healthy hosts of this fleet differ."""
        self.v6 = rng.random() < 0.5
        self.many = [f"198.51.100.{i}" for i in rng.sample(range(1, 250), 12)]
        self.rotates = rng.choice(("", "window", "single"))
        self.vpn = rng.random() < 0.5
        self.down = rng.choice(("", "", "silent", "unreachable"))
        if self.rotates:
            self.targets["cdn.internal.example:443"] = None  # each host's own
        if self.down:
            self.targets["queue.internal.example:5672"] = "10.90.7.7"
        self.db_lan = ipaddress.ip_network(f"{self.moves_into}.5.0/24")
        self.beside_db = rng.random() < 0.3

    def choose_neighbours(self):
        """Healthy hosts in the database's own subnet, and their addresses there."""
        if not self.beside_db or self.n < 100:
            return {}
        rng = random.Random(f"{self.seed}/{self.epoch}/neighbours")
        free = [i for i in range(3, 250) if i not in (77, 166)]
        hosts = random.Random(f"{self.seed}/neighbours").sample(
            [i for i in range(self.n) if i not in self.faults], min(self.n // 7, 150))
        return dict(zip(hosts, rng.sample(free, len(hosts))))

    def gateway(self, lan):
        return lan[-2] if self.gateway_last else lan[1]

    def name(self, i):
        return f"host-{i:05}"


class Host:
    """One host: what it is, and the outputs that say so."""

    def __init__(self, fleet, i):
        self.fleet, self.fault = fleet, fleet.faults.get(i)
        self.name = fleet.name(i)
        self.rng = rng = random.Random(f"{fleet.seed}/host/{i}")
        self.volatile = random.Random(f"{fleet.seed}/{fleet.epoch}/{i}")
        self.lan = rng.choices(fleet.lans, fleet.shares)[0]
        self.own = self.lan[fleet.offsets[i]]
        if i in fleet.db_neighbours:
            self.lan = fleet.db_lan
            self.own = self.lan[fleet.db_neighbours[i]]
        self.gateway = fleet.gateway(self.lan)
        self.dev = "eth0" if rng.random() < 0.7 else "ens5"
        self.role = rng.choices(fleet.roles, fleet.role_shares)[0]
        self.kernel = rng.choices(("5.10.0-28-amd64", "5.10.0-29-amd64"), (6, 4))[0]
        self.os = "Debian GNU/Linux 11 (bullseye)"
        self.pools = [{"base": "172.20.0.0/14", "size": 24}] if fleet.declares_pools else None
        self.containers = self.make_containers()
        self.networks = self.make_networks()
        self.addresses = {target: [address] for target, address in fleet.targets.items()}
        if fleet.rotates:
            n = 4 if fleet.rotates == "window" else 1
            self.addresses["cdn.internal.example:443"] = rng.sample(fleet.many, n)
        self.v6 = fleet.v6 and rng.random() < 0.7
        self.lan6 = ipaddress.ip_network(f"2001:db8:{self.lan[0].packed[1]}::/64")
        self.own6 = self.lan6[int(self.own) & 0xffff]
        if self.v6:
            self.addresses[next(iter(fleet.targets))].append("2001:db8:ffff::5:166")
        self.rules = []
        self.routes = [(f"default via {self.gateway} dev {self.dev} proto dhcp src {self.own} metric 100",
                        "0.0.0.0/0", self.gateway, self.dev)]
        if self.role == fleet.roles[2]:
            self.routes.append((f"10.66.0.0/16 via {self.lan[2]} dev {self.dev} proto static",
                                "10.66.0.0/16", self.lan[2], self.dev))
        if fleet.vpn and rng.random() < 0.1:
            self.routes.append((f"10.88.0.0/16 dev wg0 scope link", "10.88.0.0/16", None, "wg0"))
        self.tables = []
        self.reach = {t: fleet.down for t in fleet.targets if fleet.down and t.startswith("queue.")}
        self.suffer()
        self.finish_routes()

    def make_containers(self):
        rng, role, up = self.rng, self.role, f"Up {self.volatile.randint(2, 11)} days"
        found = [("node-exporter", "prom/node-exporter:v1.7.0", up, ""),
                 ("log-agent", "internal/log-agent:4.2", up + " (healthy)", ""),
                 (f"{role}-api-1", f"internal/{role}:2.18.3", up + " (healthy)", role),
                 (f"{role}-worker-1", f"internal/{role}:2.18.3", up, role)]
        if rng.random() < 0.1:
            found.append((f"{role}-migrate-1", f"internal/{role}:2.18.3", "Exited (0) 3 days ago", role))
        if rng.random() < 0.15:
            found.append((f"{rng.choice(ADJECTIVES)}_{rng.choice(SURNAMES)}", "busybox:1.36",
                          "Exited (0) 5 weeks ago", ""))
        return found

    def make_networks(self):
        """(name, subnet, id, driver): docker hands out subnets in the order of creation."""
        rng = self.rng
        names = [f"{self.role}_default", "edge"]
        names += rng.sample([f"{p}_backend" for p in PROJECTS], rng.randint(0, 3))
        names += [f"ci-{hexes(rng, 6)}_default" for _ in range(rng.choice((0, 0, 0, 1, 2)))]
        rng.shuffle(names)
        skip = rng.randint(0, 3)
        found = [("bridge", "172.17.0.0/16", hexes(self.volatile, 64), "bridge")]
        for i, name in enumerate(names):
            subnet = f"172.20.{i + skip}.0/24" if self.pools else f"172.{18 + i + skip}.0.0/16"
            found.append((name, subnet, hexes(self.volatile, 64), "bridge"))
        return found

    def bridge(self, network):
        return "docker0" if network[0] == "bridge" else f"br-{network[2][:12]}"

    def add_network(self, name, subnet):
        self.networks.append((name, subnet, hexes(self.volatile, 64), "bridge"))

    def suffer(self):
        """The planted fault, as it would show in the outputs."""
        fleet, rng = self.fleet, self.rng
        names = list(fleet.targets)[:2]  # not those that differ by intent
        target = rng.choice(names)
        block = f"{fleet.moves_into}.0.0"
        wrong = self.lan[77]
        if self.fault == "shadow":
            self.add_network(f"{self.role}-v2_default", block + rng.choice(("/20", "/16")))
        elif self.fault == "overlap":
            self.add_network(f"{self.role}-v2_default", f"{fleet.moves_into}.{rng.choice((32, 48, 64))}.0/20")
        elif self.fault == "no-default":
            self.routes.pop(0)
        elif self.fault == "blackhole":
            self.routes.append((f"blackhole {block}/16", f"{block}/16", None, None))
        elif self.fault == "wrong-gateway":
            self.routes.append((f"{block}/16 via {wrong} dev {self.dev} proto static",
                                f"{block}/16", wrong, self.dev))
            self.reach.update({t: rng.choice(("unreachable", "silent")) for t in names})
        elif self.fault == "odd-route":
            self.routes.append((f"10.77.0.0/16 via {wrong} dev {self.dev} proto static",
                                "10.77.0.0/16", wrong, self.dev))
        elif self.fault == "dns":
            self.addresses[target][0] = f"{fleet.moves_into}.{rng.randint(100, 250)}.{rng.randint(2, 250)}"
            self.reach[target] = rng.choice(("ok", "silent"))
        elif self.fault == "loss":
            self.reach[target] = rng.choice(("loss 1", "loss 2"))
        elif self.fault == "old-system":
            self.kernel, self.os = "4.19.0-25-amd64", "Debian GNU/Linux 10 (buster)"
        elif self.fault == "pools":
            self.pools = [{"base": "10.201.0.0/16", "size": 24}]
        elif self.fault == "policy-rule":
            self.rules.append(f"100:\tfrom all to {block}/16 lookup 100")
            self.tables.append((f"default via {wrong} dev {self.dev} table 100 proto static", wrong))
            self.reach.update({t: "silent" for t in names})
        elif self.fault in ("old-image", "unhealthy"):
            k = rng.randrange(2, 4) if self.fault == "old-image" else 2
            name, image, status, project = self.containers[k]
            if self.fault == "old-image":
                image = f"internal/{self.role}:2.17.9"
            else:
                status = status.replace("(healthy)", "(unhealthy)")
            self.containers[k] = (name, image, status, project)

    def finish_routes(self):
        """The kernel's own routes behind those that somebody set."""
        if self.routes and self.routes[0][1] == "0.0.0.0/0":
            self.routes.append((f"{self.gateway} dev {self.dev} proto dhcp scope link src {self.own} metric 100",
                                f"{self.gateway}/32", None, self.dev))
        self.routes.append((f"{self.lan} dev {self.dev} proto kernel scope link src {self.own}",
                            str(self.lan), None, self.dev))
        for network in self.networks:
            first = ipaddress.ip_network(network[1])[1]
            down = " linkdown" if network[0] == "bridge" else ""
            self.routes.append((f"{network[1]} dev {self.bridge(network)} proto kernel scope link "
                                f"src {first}{down}", network[1], None, self.bridge(network)))
        if self.role == self.fleet.roles[2]:  # a route for each container, as some CNIs have it
            for _ in range(3):
                pod = f"10.244.{self.volatile.randint(0, 255)}.{self.volatile.randint(1, 254)}"
                dev = f"cali{hexes(self.volatile, 11)}"
                self.routes.append((f"{pod} dev {dev} scope link", f"{pod}/32", None, dev))
        head = self.routes[:1]
        rest = self.routes[1:]
        self.volatile.shuffle(rest)
        self.routes = head + rest

    def way(self, address):
        """(text, dev) of the winning route, or the kernel's refusal."""
        ip = ipaddress.ip_address(address)
        if ip.version == 6:
            return (f"{address} from :: via fe80::1 dev {self.dev} proto ra src {self.own6} metric 100 pref medium",
                    self.dev)
        if self.rules and ip in ipaddress.ip_network(f"{self.fleet.moves_into}.0.0/16"):
            return f"{address} via {self.tables[0][1]} dev {self.dev} src {self.own} uid 0", self.dev
        fits = [r for r in self.routes if ip in ipaddress.ip_network(r[1])]
        if not fits:
            return "RTNETLINK answers: Network is unreachable", None
        text, prefix, gateway, dev = max(fits, key=lambda r: ipaddress.ip_network(r[1]).prefixlen)
        if dev is None:
            return "RTNETLINK answers: Invalid argument", None
        source = self.own if dev == self.dev else ipaddress.ip_network(prefix)[1]
        via = f"via {gateway} " if gateway else ""
        return f"{address} {via}dev {dev} src {source} uid 0", dev

    # One probe each: (status, exit, stdout, stderr).

    def say_routes(self):
        own = [("127.0.0.1", "lo", "127.0.0.0/8", ""), (self.own, self.dev, self.lan, "")]
        own += [(ipaddress.ip_network(n[1])[1], self.bridge(n), n[1], "") for n in self.networks]
        lines = [route[0] for route in self.routes] + [text for text, _ in self.tables]
        for address, dev, prefix, _ in own:
            network = ipaddress.ip_network(str(prefix))
            lines.append(f"local {address} dev {dev} table local proto kernel scope host src {address}")
            lines.append(f"broadcast {network[-1]} dev {dev} table local proto kernel scope link src {address}")
        return "ok", 0, "".join(f"{line} \n" for line in lines), ""

    def say_routes6(self):
        rng = self.volatile
        devs = [self.dev] + [self.bridge(n) for n in self.networks[1:]]
        devs += [f"veth{hexes(rng, 7)}" for _ in self.containers]
        rng.shuffle(devs)
        lines = [f"fe80::/64 dev {dev} proto kernel metric 256 pref medium" for dev in devs]
        if self.v6:
            lines += [f"{self.lan6} dev {self.dev} proto ra metric 100 pref medium",
                      f"default via fe80::1 dev {self.dev} proto ra metric 100 pref medium",
                      f"local {self.own6} dev {self.dev} table local proto kernel metric 0 pref medium"]
        lines += ["local ::1 dev lo table local proto kernel metric 0 pref medium"]
        lines += [f"local fe80::{hexes(rng, 4)}:{hexes(rng, 2)}ff:fe{hexes(rng, 2)}:{hexes(rng, 4)} dev {dev} "
                  "table local proto kernel metric 0 pref medium" for dev in devs]
        lines += [f"multicast ff00::/8 dev {dev} table local proto kernel metric 256 pref medium" for dev in devs]
        return "ok", 0, "\n".join(lines) + "\n", ""

    def say_rules(self):
        lines = ["0:\tfrom all lookup local", *self.rules, "32766:\tfrom all lookup main",
                 "32767:\tfrom all lookup default"]
        return "ok", 0, "\n".join(lines) + "\n", ""

    def say_rules6(self):
        return "ok", 0, "0:\tfrom all lookup local\n32766:\tfrom all lookup main\n", ""

    def say_resolv(self):
        return "ok", 0, "nameserver 10.90.0.53\nsearch internal.example\n", ""

    def say_neigh(self):
        mac = "02:00:00:" + ":".join(hexes(self.volatile, 2) for _ in range(3))
        return "ok", 0, f"{self.gateway} dev {self.dev} lladdr {mac} REACHABLE\n", ""

    def say_addrs(self):
        left = f"valid_lft {self.volatile.randint(1, 86400)}sec preferred_lft {self.volatile.randint(1, 86400)}sec"
        ever = "valid_lft forever preferred_lft forever"
        lines = [f"1: lo    inet 127.0.0.1/8 scope host lo\\       {ever}",
                 f"2: {self.dev}    inet {self.own}/{self.lan.prefixlen} brd {self.lan[-1]} scope global "
                 f"dynamic {self.dev}\\       {left}"]
        for i, n in enumerate(self.networks):
            network = ipaddress.ip_network(n[1])
            lines.append(f"{i + 3}: {self.bridge(n)}    inet {network[1]}/{network.prefixlen} brd {network[-1]} "
                         f"scope global {self.bridge(n)}\\       {ever}")
        return "ok", 0, "\n".join(lines) + "\n", ""

    def say_docker_networks(self):
        if self.fault == "docker-down":
            return "failed", 1, "", DOWN
        rows = [(n[2][:12], n[0], n[3]) for n in self.networks]
        rows += [(hexes(self.volatile, 12), "host", "host"), (hexes(self.volatile, 12), "none", "null")]
        rows.sort(key=lambda row: row[1])
        lines = [f"{'NETWORK ID':15}{'NAME':26}{'DRIVER':10}SCOPE"]
        lines += [f"{i:15}{name:26}{driver:10}local" for i, name, driver in rows]
        return "ok", 0, "\n".join(lines) + "\n", ""

    def say_docker_inspect(self):
        if self.fault == "docker-down":
            return "failed", 1, "[]\n", DOWN
        found = []
        for name, subnet, identity, driver in self.networks:
            members = {hexes(self.volatile, 64): {"Name": c[0], "MacAddress": "02:42:ac:12:00:02"}
                       for c in self.containers if c[3] and name == f"{self.role}_default"}
            default = {"com.docker.network.bridge.name": "docker0",
                       "com.docker.network.bridge.default_bridge": "true"}
            found.append({
                "Name": name, "Id": identity, "Created": "2026-01-03T23:04:13.040466954+08:00",
                "Scope": "local", "Driver": driver, "EnableIPv6": False,
                "IPAM": {"Driver": "default", "Options": None, "Config": [{"Subnet": subnet}]},
                "Internal": False, "Attachable": False, "Containers": members,
                "Options": default if name == "bridge" else {}, "Labels": {}})
        return "ok", 0, json.dumps(found, indent=4) + "\n", ""

    def say_docker_ps(self):
        if self.fault == "docker-down":
            return "failed", 1, "", DOWN
        rows = list(self.containers)
        self.volatile.shuffle(rows)
        lines = [json.dumps({"ID": hexes(self.volatile, 12), "Image": image, "Names": name, "Status": status,
                             "Networks": f"{self.role}_default" if project else "bridge",
                             "Ports": f"0.0.0.0:{self.volatile.randint(32768, 60999)}->9000/tcp",
                             "Project": project}, separators=(",", ":"))
                 for name, image, status, project in rows]
        return "ok", 0, "\n".join(lines) + "\n", ""

    def say_docker_info(self):
        if self.fault == "docker-down":
            return "failed", 1, "", DOWN
        info = {"ServerVersion": "20.10.24+dfsg1", "LiveRestoreEnabled": False, "DefaultAddressPools":
                [{"Base": p["base"], "Size": p["size"]} for p in self.pools] if self.pools else None}
        return "ok", 0, json.dumps(info, separators=(",", ":")) + "\n", ""

    def say_docker_daemon(self):
        if self.pools is None:
            return "ok", 1, "", "cat: /etc/docker/daemon.json: No such file or directory\n"
        return "ok", 0, json.dumps({"log-driver": "json-file", "default-address-pools": self.pools}, indent=2) + "\n", ""

    def say_host(self):
        rng = self.volatile
        up = f"{rng.randint(1, 600)} days, {rng.randint(1, 23):2}:{rng.randint(0, 59):02}"
        return "ok", 0, (f"Linux {self.kernel} x86_64\nPRETTY_NAME=\"{self.os}\"\n"
                         f" 03:12:{rng.randint(10, 59)} up {up},  {rng.randint(0, 3)} users,  load average: "
                         f"0.{rng.randint(10, 99)}, 0.14, 0.10\n"), ""

    def say_dns(self, target):
        name = target.split(":")[0]
        return "ok", 0, "".join(f"{address:<15} STREAM {name}\n{address:<15} DGRAM  \n{address:<15} RAW    \n"
                                for address in self.addresses[target]), ""

    def say_egress(self, target):
        lines, errors = [], []
        for address in sorted(self.addresses[target]):
            text, _ = self.way(address)
            (errors if text.startswith("RTNETLINK") else lines).append(text)
        return ("ok", 2 if errors else 0, "".join(f"{text} \n    cache \n" for text in lines),
                "".join(f"{text}\n" for text in errors))

    def say_tcp(self, target):
        port, lines = target.split(":")[1], []
        for address in sorted(self.addresses[target])[:3]:
            text, dev = self.way(address)
            how = self.reach.get(target, "ok") if ":" not in address else "ok"
            state = {"silent": "timeout", "unreachable": "unreachable"}.get(how, "open")
            if text.startswith("RTNETLINK") or dev != self.dev:
                state = "unreachable"
            lines.append(f"{address} port {port}: {state} (bash)\n")
        return "ok", 0, "".join(lines), ""

    def say_ping(self, target):
        name, address = target.split(":")[0], self.addresses[target][0]
        text, dev = self.way(address)
        how = self.reach.get(target, "ok")
        if text.startswith("RTNETLINK"):
            return "ok", 2, "", f"ping: connect: {text.split(': ')[1]}\n"
        source = text.split(" src ")[1].split()[0]
        if dev != self.dev:
            how = "unreachable"
        elif target.startswith("queue."):
            source = self.gateway
        lines = [f"PING {name} ({address}) 56(84) bytes of data."]
        times = []
        for seq in (1, 2, 3):
            if how == "unreachable":
                lines.append(f"From {source} icmp_seq={seq} Destination Host Unreachable")
            elif how == "ok" or (how.startswith("loss") and seq > int(how[5:])):
                times.append(self.volatile.gauss(0.9, 0.05) + (self.volatile.random() < 0.02) * 4)
                lines.append(f"64 bytes from {address}: icmp_seq={seq} ttl=62 time={times[-1]:.3f} ms")
        lost = round(100 * (3 - len(times)) / 3)
        errors = " +3 errors," if how == "unreachable" else ""
        lines += ["", f"--- {name} ping statistics ---",
                  f"3 packets transmitted, {len(times)} received,{errors} {lost}% packet loss, time 1003ms"]
        if times:
            lines.append(f"rtt min/avg/max/mdev = {min(times):.3f}/{sum(times) / len(times):.3f}/"
                         f"{max(times):.3f}/0.010 ms")
        return "ok", 0 if times else 1, "\n".join(lines) + "\n", ""

    def probes(self):
        asked = [(name, command, getattr(self, f"say_{name}")()) for name, command in COMMANDS.items()]
        for target in self.fleet.targets:
            name = target.split(":")[0]
            asked += [(f"dns:{target}", f"getent ahosts '{name}'", self.say_dns(target)),
                      (f"egress:{target}", f"getent ahosts '{name}' | …", self.say_egress(target)),
                      (f"ping:{target}", f"ping -n -c 3 '{name}'", self.say_ping(target)),
                      (f"tcp:{target}", f"connect to {target}", self.say_tcp(target))]
        found = [{"name": name, "command": command, "status": status, "exit": code,
                  "elapsed_ms": self.volatile.randint(3, 80), "stdout": out, "stderr": err, "truncated": False}
                 for name, command, (status, code, out, err) in asked]
        if self.fault is None and self.rng.random() < 0.02:
            self.spoil(self.rng.choice(found))
        return found

    def spoil(self, probe):
        """A healthy host's answer that did not come, or not whole."""
        if self.rng.random() < 0.5:
            probe.update(status="timeout", exit=124, stdout="", stderr="")
        else:
            probe.update(status="truncated", stdout=probe["stdout"][:len(probe["stdout"]) * 2 // 3],
                         truncated=True)

    def record(self):
        fleet = self.fleet
        lost = self.fault == "unreachable"
        probes = [] if lost else self.probes()
        whole = all(probe["status"] == "ok" for probe in probes)
        return {
            "host": self.name, "address": str(self.own), "port": 22, "user": "ops",
            "status": "connect-timeout" if lost else "ok" if whole else "partial",
            "error": "connect: no answer within 10 s" if lost else "",
            "started": f"2026-11-2{fleet.epoch % 10}T03:13:55Z", "elapsed_ms": self.volatile.randint(400, 3000),
            "ssh": {"hostkey": None if lost else "ssh-ed25519 SHA256:P3MS8u7xA+0QP/K75rwhIBv0zyRK6PyJpfvqeAlOqDw",
                    "kex": None if lost else "curve25519-sha256 aes128-ctr hmac-sha2-256"},
            "vars": {"ansible_host": str(self.own), "ansible_user": "ops", "role": self.role}, "probes": probes}


def write(directory, seed, n=1000, n_faults=10, epoch=0):
    """A run directory; returns what truth.json says."""
    fleet = Fleet(seed, n, n_faults, epoch)
    os.makedirs(directory, exist_ok=True)
    order = list(range(n))
    random.Random(f"{seed}/{epoch}/order").shuffle(order)
    with open(f"{directory}/hosts.jsonl", "w") as f:
        for i in order:
            f.write(json.dumps(Host(fleet, i).record(), separators=(",", ":"), ensure_ascii=False) + "\n")
    day = f"2026-11-2{epoch % 10}"
    with open(f"{directory}/run.json", "w") as f:
        json.dump({"schema": "oddhost.run/1", "version": "0.1.0", "group": "fleet", "limit": "fleet",
                   "started": f"{day}T03:13:55Z", "finished": f"{day}T03:14:20Z", "bastion": "10.99.0.5",
                   "targets": list(fleet.targets), "hosts": n, "options": {},
                   "reserved": [{"prefix": p, "name": name} for p, name in fleet.reserved]}, f)
    truth = {"seed": seed, "down": [t for t in fleet.targets if fleet.down and t.startswith("queue.")], "faults": {fleet.name(i): kind for i, kind in fleet.faults.items()}}
    with open(f"{directory}/truth.json", "w") as f:
        json.dump(truth, f)
    return truth


def main():
    parser = argparse.ArgumentParser(description="a synthetic fleet with planted faults")
    parser.add_argument("directory")
    for name, default in (("hosts", 1000), ("faults", 10), ("seed", 1), ("epoch", 0)):
        parser.add_argument(f"--{name}", type=int, default=default)
    o = parser.parse_args()
    if not 1 <= o.hosts <= 15000 or not 0 <= o.faults <= o.hosts:
        sys.exit("fleet: 1 to 15000 hosts, and no more faults than hosts")
    truth = write(o.directory, o.seed, o.hosts, o.faults, o.epoch)
    for host, kind in sorted(truth["faults"].items()):
        print(f"{host} {kind}")


if __name__ == "__main__":
    main()
