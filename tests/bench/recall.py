#!/usr/bin/python3
"""Does oddhost find every fault of synthetic fleets, and accuse nobody else?

usage: recall.py ODDHOST [--seeds N] [--first SEED] [--hosts N]

For each seed a fleet of that many hosts with 1 to 20 planted faults (fleet.py). A fault is found
where a finding of its rule names the host (kinds that have no rule: where it is ranked so), and the
host stands among the first K of all hosts, of K planted ones, by its worst finding and then its
outlier score. A host is accused by a finding of low severity or above. And the same fleet is read again
with all that differs by nature renumbered: between the two runs nothing may differ. Exit status 1
where one of these does not hold.
"""
import argparse
import collections
import json
import os
import subprocess
import sys
import tempfile

import fleet

RULES = {"shadow": "target-shadowed", "overlap": "reserved-overlap", "no-default": "target-unreachable",
         "blackhole": "target-unreachable", "wrong-gateway": "target-unreachable",
         "policy-rule": "target-unreachable", "odd-route": "route-outlier", "dns": "dns-differs",
         "loss": "ping-outlier", "docker-down": "docker-down", "unreachable": "host-unreachable"}
SEVERITIES = ("none", "info", "low", "medium", "high", "critical")


def judge(found, truth):
    """The faults not found; the findings that name a healthy host; the healthy hosts that stand
    among the first."""
    named, worst = collections.defaultdict(set), collections.Counter()
    accused = []
    for finding in found["findings"]:
        if finding["target"] in truth["down"] and 2 * len(finding["hosts"]) > len(found["hosts"]):
            continue  # down for all: that is said of the target, and of no host
        severity = SEVERITIES.index(finding["severity"])
        for host in finding["hosts"]:
            named[finding["rule"]].add(host)
            if severity >= SEVERITIES.index("low"):
                worst[host] = max(worst[host], severity)
                if host not in truth["faults"]:
                    accused.append((finding["rule"], host, finding["summary"]))
    rank = sorted(found["hosts"], key=lambda h: (-worst[h["host"]], -h["outlier"]["score"]))
    first = {h["host"] for h in rank[:len(truth["faults"])]}
    missed = [(kind, host) for host, kind in truth["faults"].items()
              if host not in first or (kind in RULES and host not in named[RULES[kind]])]
    intruders = [(h["host"], round(h["outlier"]["score"], 1)) for h in rank[:len(truth["faults"])]
                 if h["host"] not in truth["faults"]]
    return missed, accused, intruders


def differing(oddhost, scratch):
    """What differs between the two runs, by facet and key."""
    done = subprocess.run([oddhost, "diff", "--json", f"{scratch}/run", f"{scratch}/again"],
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    if done.returncode not in (0, 3):  # 3: not all of it is known, by intent
        sys.exit(f"recall: diff: exit status {done.returncode}")
    return sorted({f"{d['host']} {d['facet']} {d['key']}: {d['a']} | {d['b']}" for d in json.loads(done.stdout)})


def main():
    parser = argparse.ArgumentParser(description="precision and recall on synthetic fleets")
    parser.add_argument("oddhost")
    for name, default in (("seeds", 50), ("first", 1), ("hosts", 1000)):
        parser.add_argument(f"--{name}", type=int, default=default)
    o = parser.parse_args()
    planted, missed_of, accused_of = (collections.Counter() for _ in range(3))
    ill = changes = 0
    for seed in range(o.first, o.first + o.seeds):
        with tempfile.TemporaryDirectory(prefix="oddhost-fleet-") as scratch:
            n_faults = 1 + (seed * 7 + 12) % 20
            truth = fleet.write(f"{scratch}/run", seed, o.hosts, n_faults)
            fleet.write(f"{scratch}/again", seed, o.hosts, n_faults, epoch=1)
            # 1: findings; 3: hosts that did not answer. 2 would be trouble.
            done = subprocess.run([o.oddhost, "report", "-q", "--format", "json", f"{scratch}/run"],
                                  stdin=subprocess.DEVNULL)
            if done.returncode not in (0, 1, 3):
                sys.exit(f"recall: seed {seed}: exit status {done.returncode}")
            with open(os.path.join(scratch, "run", "findings.json")) as f:
                missed, accused, intruders = judge(json.load(f), truth)
            changed = differing(o.oddhost, scratch)
        planted.update(truth["faults"].values())
        missed_of.update(kind for kind, _ in missed)
        accused_of.update(rule for rule, _, _ in accused)
        for kind, host in missed:
            print(f"  seed {seed}: missed {kind} on {host}; healthy before it: {intruders[:3]}")
        for rule, host, summary in accused[:1]:
            print(f"  seed {seed}: {rule} accuses healthy {host}: {summary}")
        for line in changed[:3]:
            print(f"  seed {seed}: differs by nature: {line}")
        changes += len(changed)
        ill += bool(missed or accused or changed)
    print(f"{o.seeds} fleets of {o.hosts} hosts, seeds {o.first} to {o.first + o.seeds - 1}")
    print(f"  {'kind':<14}{'planted':>8}{'found':>8}{'recall':>8}{'precision':>11}")
    for kind in fleet.KINDS:
        if planted[kind] == 0:
            continue
        found = planted[kind] - missed_of[kind]
        wrong = accused_of[RULES[kind]] if kind in RULES else 0
        share = found / (found + wrong) if found + wrong else 0
        print(f"  {kind:<14}{planted[kind]:>8}{found:>8}{found / planted[kind]:>8.3f}{share:>11.3f}")
    total, found = sum(planted.values()), sum(planted.values()) - sum(missed_of.values())
    wrong = sum(accused_of.values())
    print(f"  {'all':<14}{total:>8}{found:>8}{found / total:>8.3f}{found / max(1, found + wrong):>11.3f}")
    print(f"  {changes} differences between runs of one fleet, all of it renumbered")
    sys.exit(ill > 0)


if __name__ == "__main__":
    main()
