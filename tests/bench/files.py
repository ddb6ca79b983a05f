"""What oddhost does without hosts: reading inventories and outputs, and reporting."""
import json
import os

import fleet

MIB = 1 << 20


def write_inventories(scratch, n):
    """The same hosts three times: written out in INI, as one range, and in JSON."""
    def address(i):
        return f"10.{i >> 16}.{i >> 8 & 255}.{i & 255}"

    names = [f"host-{i:06}" for i in range(n)]
    with open(f"{scratch}/range", "w") as f:
        f.write(f"[all_of_them]\nhost-[000000:{n - 1:06}] rack=r1\n[all_of_them:vars]\nansible_user=ops\n")
    with open(f"{scratch}/json", "w") as f:
        json.dump({"all_of_them": {"hosts": names, "vars": {"ansible_user": "ops"}},
                   "_meta": {"hostvars": {name: {"ansible_host": address(i), "rack": f"r{i % 97}"}
                                          for i, name in enumerate(names)}}}, f)
    with open(f"{scratch}/large", "w") as f:
        f.write("[all_of_them]\n")
        for i in range(n):
            f.write(f"{names[i]} ansible_host={address(i)} rack=r{i % 97}\n")
        f.write("[all_of_them:vars]\nansible_user=ops\noddhost_targets=db.example:5432\n")


def routes(i):
    return (f"{11 + (i >> 16)}.{i >> 8 & 255}.{i & 255}.0/24 via 10.0.0.{i % 250 + 2} "
            f"dev eth{i % 8} proto static metric {i % 1000}\n")


def neigh(i):
    state = ("REACHABLE", "STALE", "FAILED")[i % 3]
    return f"10.{i >> 16 & 255}.{i >> 8 & 255}.{i & 255} dev eth{i % 8} lladdr 02:00:00:00:00:{i & 255:02x} {state}\n"


def ping(i):
    if i % 7 == 3:
        return f"From 192.168.0.1 icmp_seq={i % 65536} Destination Host Unreachable\n"
    return f"64 bytes from db.example (192.168.0.166): icmp_seq={i % 65536} ttl=63 time=0.{i % 900 + 100} ms\n"


def containers(i):
    return json.dumps({"ID": f"{i:012x}", "Image": "app:1", "Names": f"app_{i}", "Status": "Up 4 months (healthy)",
                       "Networks": f"shop_{i % 31}", "Ports": "80/tcp", "Project": "shop"}) + "\n"


def networks(i):
    return json.dumps({"Name": f"shop_{i}", "Id": f"{i:064x}", "Created": "2020-05-05T16:42:08.517320944+08:00",
                       "Scope": "local", "Driver": "bridge", "IPAM": {"Driver": "default", "Options": None,
                       "Config": [{"Subnet": f"10.{i >> 8 & 255}.{i & 255}.0/24", "Gateway": f"10.{i >> 8 & 255}.{i & 255}.1"}]},
                       "Containers": {f"{i:063x}{k}": {"Name": f"app_{i}_{k}", "IPv4Address": ""} for k in range(9)},
                       "Options": {}, "Labels": {"com.docker.compose.project": "shop"}}, indent=4)


# What `parse KIND` is given: what stands before the items, one item, what is between two, behind.
OUTPUTS = [
    ("routes", "default via 10.0.0.1 dev eth0 \n", routes, "", ""),
    ("neigh", "", neigh, "", ""),
    ("ping", "PING db.example (192.168.0.166) 56(84) bytes of data.\n", ping, "", ""),
    ("docker-ps", "", containers, "", ""),
    ("docker-networks", "[\n", networks, ",\n", "\n]\n"),
]

# And by whom means ill: a search within each item that goes on to the end would show here.
HOSTILE = [
    ("ping: brackets", "PING db ", lambda i: "(", "", "\n"),
    ("ping: dots", "PING db ", lambda i: "1.", "", "\n"),
    ("docker-networks: values, then blanks", "", lambda i: "[]\n" + 20 * " ", "", ""),
    ("docker-networks: blanks behind all values", "", lambda i: "[]\n", "", 5 * MIB * " "),
    ("docker-networks: an array each", "",
     lambda i: f'[{{"Id":"{i:012x}","Name":"n{i}","Driver":"bridge"}}]\n', "", ""),
    ("docker-networks: again and again", "", lambda i: f"{i % 4096:012x}   n{i % 4096}   bridge   local\n", "", ""),
    ("docker-ps: cut off", "", lambda i: '{"ID":[\n', "", ""),
    ("routes: from prefixes", "", lambda i: f"2001:db8::/32 from 2001:db8:{i & 0xffff:x}::/48 dev eth0\n", "", ""),
    ("routes: values in a row", "", lambda i: '[{"dst":"10.0.0.0/8","dev":"a"}]\n', "", ""),
]


def write_output(path, size, before, item, between, behind):
    """Items up to this size; returns how many."""
    with open(path, "w") as f:
        written, n = f.write(before), 0
        while written < size:
            written += f.write((between if n else "") + item(n))
            n += 1
        f.write(behind)
    return n


def files(bench, table, quick):
    """Time and memory of what grows with its input."""
    hosts, reported, size = (10000, 500, MIB) if quick else (100000, 10000, 10 * MIB)
    scratch, rows = bench.scratch, []
    write_inventories(scratch, hosts)
    fleet.write(f"{scratch}/run", 1, reported, 20)
    limit = f"host-[000000-{hosts - 1:06}]!lone"
    jobs = [(f"inventory --hosts, {hosts} hosts: {title}", f"{scratch}/{name}",
             ["inventory", "-F", "none", "-i", f"{scratch}/{name}", *more, "--hosts"])
            for title, name, more in (("INI", "large", []), ("INI, one range", "range", []),
                                      ("JSON", "json", []), ("INI, -l a node set of all", "large", ["-l", limit]))]
    jobs += [
        (f"report, {reported} hosts", f"{scratch}/run/hosts.jsonl",
         ["report", "-q", f"{scratch}/run"]),
    ]
    for title, *parts in OUTPUTS + HOSTILE:
        kind = title.split(":")[0]
        for half in (2, 1):  # half as much takes half as long
            path = f"{scratch}/{title}-{half}"
            n = write_output(path, size // half, *parts)
            jobs.append((f"parse {title}, {n} items", path, ["parse", kind, path]))
    for title, source, arguments in jobs:
        for attempt in range(2):
            cost = bench.run([bench.program, *arguments], limit=120)
            if not attempt:
                first = cost
        best = min(first, cost, key=lambda c: c["cpu"])
        written = os.path.getsize(f"{scratch}/stdout")
        if "report" in arguments:
            written = sum(os.path.getsize(f"{scratch}/run/{name}")
                          for name in ("report.html", "report.md", "findings.json")
                          if os.path.exists(f"{scratch}/run/{name}"))
        rows.append([title, f"{os.path.getsize(source) / MIB:.1f}", f"{best['cpu']:.2f}",
                     f"{best['wall']:.2f}", f"{best['maxrss'] / MIB:.0f}",
                     f"{written / MIB:.1f}", best["exit"]])
        if "hosts" in arguments[-1]:
            with open(f"{scratch}/stdout") as f:
                assert sum(1 for _ in f) == hosts, "inventory --hosts: not every host"
    table("reading and reporting (the better of two)",
          ["oddhost", "input MiB", "CPU s", "wall s", "max RSS MiB", "output MiB", "exit"], rows)
