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


def write_routes(path, size):
    with open(path, "w") as f:
        f.write("default via 10.0.0.1 dev eth0 \n")
        i = 0
        while f.tell() < size:
            f.write(f"{11 + (i >> 16)}.{i >> 8 & 255}.{i & 255}.0/24 via 10.0.0.{i % 250 + 2} "
                    f"dev eth{i % 8} proto static metric {i % 1000}\n")
            i += 1
    return i + 1


def files(bench, table, quick):
    """Time and memory of what grows with its input."""
    hosts, reported, size = (10000, 500, MIB) if quick else (100000, 10000, 10 * MIB)
    scratch, rows = bench.scratch, []
    write_inventories(scratch, hosts)
    fleet.write(f"{scratch}/run", 1, reported, 20)
    routes = write_routes(f"{scratch}/routes", size)
    limit = f"host-[000000-{hosts - 1:06}]!lone"
    jobs = [(f"inventory --hosts, {hosts} hosts: {title}", f"{scratch}/{name}",
             ["inventory", "-F", "none", "-i", f"{scratch}/{name}", *more, "--hosts"])
            for title, name, more in (("INI", "large", []), ("INI, one range", "range", []),
                                      ("JSON", "json", []), ("INI, -l a node set of all", "large", ["-l", limit]))]
    jobs += [
        (f"report, {reported} hosts", f"{scratch}/run/hosts.jsonl",
         ["report", "-q", f"{scratch}/run"]),
        (f"parse routes, {routes} routes", f"{scratch}/routes",
         ["parse", "routes", f"{scratch}/routes"]),
    ]
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
