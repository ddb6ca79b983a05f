#!/usr/bin/python3
"""Benchmarks, on loopback: oddhost beside the programs that do the same with ssh.

usage: bench.py ODDHOST BUILT [SECTION...]     see README.md; BUILT has what make built from here
"""
import json
import os
import platform
import re
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time

import files
import tools
from host import Light, Sshd, address

QUICK = os.environ.get("BENCH_QUICK", "") not in ("", "0")
SIZES = [int(n) for n in os.environ.get("BENCH_HOSTS", "50" if QUICK else "200 1000").split()]
ROUNDS = int(os.environ.get("BENCH_ROUNDS", 2 if QUICK else 3))
FORKS = int(os.environ.get("BENCH_FORKS", 64))
KINDS = os.environ.get("BENCH_SSH", "defaults curve25519").split()
PATIENT = ["-T", "200", "--host-timeout", "500"]  # where one sshd serves more than it can
MIB = 1 << 20


def spread(values, digits=2):
    """min / median / max"""
    shown = [min(values), statistics.median(values), max(values)]
    return " / ".join(f"{value:.{digits}f}" for value in shown)


def table(title, head, rows):
    widths = [max(len(str(row[i])) for row in [head] + rows) for i in range(len(head))]
    print(f"\n{title}")
    for row in [head] + rows:
        cells = [str(cell).ljust(width) if i == 0 else str(cell).rjust(width)
                 for i, (cell, width) in enumerate(zip(row, widths))]
        print("  " + "  ".join(cells).rstrip(), flush=True)


def said(text):
    print(f"  {text}", flush=True)


class Bench:
    def __init__(self, program, built, scratch):
        self.program, self.built, self.scratch = os.path.abspath(program), built, scratch
        self.sshd = None

    def run(self, command, limit=120, sample=0, nofile=0, more=None, name="stdout"):
        """The command's cost (see measure.c); stdout and stderr go to files in the scratch."""
        environment = {"PATH": os.environ["PATH"], "HOME": f"{self.scratch}/home",
                       "LC_ALL": "C.UTF-8", **(more or {})}
        reading, writing = os.pipe()

        def third():
            os.dup2(writing, 3)

        with open(f"{self.scratch}/{name}", "wb") as out, \
                open(f"{self.scratch}/stderr", "wb") as err:
            process = subprocess.Popen(
                [f"{self.built}/measure", str(limit), str(sample), str(nofile), *command],
                stdin=subprocess.DEVNULL, stdout=out, stderr=err, env=environment,
                close_fds=False, preexec_fn=third)
        os.close(writing)
        try:
            with os.fdopen(reading) as result:
                text = result.read()
        except BaseException:
            process.terminate()
            raise
        finally:
            process.wait()
        return json.loads(text)

    def collect(self, make, work, forks, **how):
        """One program once over the hosts; the cost also has sshd's share."""
        out = work.out()
        command, more = make(work, forks, out)
        settled = self.sshd.settle()
        before = self.sshd.cpu()
        cost = self.run(command, more=more, **how)
        if not self.sshd.settle() or not settled:
            said("(connections were left over and had to be ended)")
        cost["sshd"] = self.sshd.cpu() - before
        cost["out"] = out
        return cost

    def work(self, n, **how):
        return tools.Work(f"{self.scratch}/work{n}", self.sshd, n, **how)

    def script(self, work):
        printed = subprocess.run([self.program, "probes", "--script", "-i", work.path("inventory")],
                                 check=True, capture_output=True, text=True).stdout
        return tools.script_of(printed)


def complete_of(bench, name, cost, last):
    if name == "oddhost":
        return tools.complete_oddhost(cost["out"])[0]
    return tools.complete_peer(cost["out"], f"{bench.scratch}/stdout", last)


def peers(bench):
    """oddhost and its peers in turns, round after round."""
    if any(kind not in ("defaults", "curve25519") for kind in KINDS):
        sys.exit("bench: BENCH_SSH takes defaults and curve25519")
    for n in SIZES:
        work = bench.work(n)
        script, last = bench.script(work)
        contenders = {"oddhost": tools.oddhost(bench.program)}
        for kind in KINDS:
            for name, make in tools.PEERS.items():
                contenders[f"{name}, {kind}"] = make(kind == "curve25519", script)
        costs = {name: [] for name in contenders}
        for turn in range(ROUNDS):
            for name, make in contenders.items():
                if turn > 0 and n > 300 and "defaults" in name:
                    continue  # the slowest: once is enough
                cost = bench.collect(make, work, FORKS, limit=60 + n * 0.4, sample=250)
                cost["complete"] = complete_of(bench, name, cost, last)
                costs[name].append(cost)
        show_peers(n, costs)


def show_peers(n, costs):
    ours, rows, ratios = costs["oddhost"], [], []
    for name, runs in costs.items():
        memory = [max(run["pss"], run["maxrss"]) if name == "oddhost" else run["pss"]
                  for run in runs]
        rows.append([name, spread([run["cpu"] * 1000 / n for run in runs]),
                     spread([run["wall"] for run in runs], 1), f"{max(memory) / MIB:.0f}",
                     spread([100 * run["sshd"] / (run["sshd"] + run["cpu"]) for run in runs], 0),
                     f"{min(run['complete'] for run in runs)}/{n}"])
        if name != "oddhost":
            pairs = list(zip(runs, ours))
            ratios.append([name, spread([a["cpu"] / b["cpu"] for a, b in pairs], 1),
                           spread([a["wall"] / b["wall"] for a, b in pairs])])
    table(f"{n} hosts, {FORKS} at once, rounds: {ROUNDS}, in turns (min / median / max)",
          ["program", "client CPU ms/host", "wall s", "peak MiB", "sshd's % of CPU",
           "hosts complete"], rows)
    table("as a multiple of oddhost's, round by round", ["program", "client CPU", "wall"], ratios)


def scale(bench):
    """Cost against hosts, memory against sessions in flight."""
    sizes = [25, 50, 100] if QUICK else [100, 300, 1000, 3000]
    works = {n: bench.work(n) for n in sizes}
    make, rounds = patient(bench.program), min(ROUNDS, 2)
    runs = {n: [] for n in sizes}
    for _ in range(rounds):
        for n in sizes:
            runs[n].append(bench.collect(make, works[n], 256, limit=60 + n * 0.3))
            runs[n][-1]["complete"] = tools.complete_oddhost(runs[n][-1]["out"])[0]
    table(f"oddhost against hosts, 256 at once, rounds: {rounds} (min / median / max)",
          ["hosts", "client CPU ms/host", "wall s", "max RSS MiB", "hosts complete"],
          [[n, spread([run["cpu"] * 1000 / n for run in runs[n]]),
            spread([run["wall"] for run in runs[n]], 1),
            f"{max(run['maxrss'] for run in runs[n]) / MIB:.1f}",
            f"{min(run['complete'] for run in runs[n])}/{n}"] for n in sizes])


def patient(program):
    return lambda work, forks, out: tools.oddhost(program)(work, forks, out, *PATIENT)


def flight(bench, work, all_forks):
    rows, first = [], None
    for forks in all_forks:
        cost = bench.collect(patient(bench.program), work, forks, limit=100 + work.n * 0.4)
        first = first or (forks, cost["maxrss"])
        slope = (cost["maxrss"] - first[1]) / (forks - first[0]) if forks > first[0] else 0
        allowed = 20 + forks / 8
        rows.append([forks, f"{cost['maxrss'] / MIB:.1f}", f"{allowed:.1f}",
                     f"{slope / 1024:.0f}" if slope else "-",
                     f"{tools.complete_oddhost(cost['out'])[0]}/{work.n}"])
    table(f"oddhost's memory, {work.n} hosts",
          ["at once", "max RSS MiB", "20 MiB + 128 KiB each", f"KiB for each over {first[0]}",
           "hosts complete"], rows)


def fleet(bench):
    """Most hosts say a banner and no more, or refuse; with and without descriptors for them all."""
    n, real = (1000, 50) if QUICK else (10000, 200)
    refused = 9  # "discard": nobody listens
    with Light("fake") as fake:
        step = n // real
        ports = [bench.sshd.port if i % step == 0 else (fake.port, refused)[i % 2]
                 for i in range(n)]
        work = bench.work(n, ports=ports)
        rows = []
        for nofile in (0, 256):
            # Few at once: those that say no more must not hold up the others for long.
            login = ["-T", "3"] if nofile else ["-T", "60", "--host-timeout", "120"]
            cost = bench.collect(
                lambda w, f, o, login=login: tools.oddhost(bench.program)(w, f, o, *login),
                work, n, limit=400, nofile=nofile)
            complete, statuses = tools.complete_oddhost(cost["out"])
            with open(f"{bench.scratch}/stderr") as err:
                words = [line.strip() for line in err if "oddhost:" in line]
            rows.append([nofile or "as it is", f"{cost['cpu'] * 1000 / n:.2f}",
                         f"{cost['wall']:.1f}", f"{cost['maxrss'] / MIB:.1f}", cost["exit"],
                         f"{complete}/{len(range(0, n, step))}", f"{sum(statuses.values())}/{n}"])
            answers = ", ".join(f"{status} {count}" for status, count in sorted(statuses.items()))
            said(f"ulimit -n {nofile or 'as it is'}: {answers}"
                 + "".join(f"\n    {line}" for line in words[:3]))
    table(f"{n} hosts in one run, -f {n}",
          ["ulimit -n", "client CPU ms/host", "wall s", "max RSS MiB", "exit",
           "real ones complete", "records"], rows)


def trips(bench):
    """Times of answers on the host over two delays: the difference in trips."""
    delay, turns = 50, 3 if QUICK else 5
    with Light("proxy", "127.0.0.1", bench.sshd.port, delay) as near, \
            Light("proxy", "127.0.0.1", bench.sshd.port, 2 * delay) as far:
        work = {name: tools.Work(f"{bench.scratch}/{name}", bench.sshd, 1, ports=[light.port])
                for name, light in (("far", far), ("near", near))}
        for name, light in (("far", far), ("near", near)):
            for file in ("inventory", "known_hosts"):
                replace(work[name].path(file), address(0), "127.0.0.1")
        script, _ = bench.script(work["far"])
        contenders = {"oddhost": lambda w, f, o: tools.oddhost(bench.program)(w, 1, o)}
        for kind in ("defaults", "curve25519"):
            contenders[f"ssh, {kind}"] = ssh_once(kind == "curve25519", script)
        rows = []
        for name, make in contenders.items():
            seen = {place: [answers(bench, make, work[place]) for _ in range(turns)]
                    for place in work}
            best = {place: [min(values) for values in zip(*seen[place])] for place in seen}
            over = [(best["far"][i] - best["near"][i]) * 1000 / (2 * delay) for i in range(3)]
            # The last half trip brings the answer back; the first one is TCP's own.
            rows.append([name, f"{over[0] + 1.5:.1f}", f"{over[1] + 1.5:.1f}", f"{over[2] + 1:.1f}"]
                        + [f"{best['near'][i] * 1000 + (2 * delay if i == 2 else 3 * delay):.0f}"
                           for i in range(3)])
    table(f"one host, {2 * delay} ms away (best of {turns})",
          ["program", "trips to first output", "to all quick probes", "to its end",
           "ms to first output", "to all quick probes", "to its end"], rows)


def replace(path, old, new):
    with open(path) as f:
        text = f.read()
    with open(path, "w") as f:
        f.write(text.replace(old, new))


def ssh_once(tuned, script):
    def command(work, forks, out):
        port = re.search(r"ansible_port=(\d+)", open(work.path("inventory")).read()).group(1)
        options = [re.sub(r"^Port=.*", f"Port={port}", option)
                   for option in tools.ssh_options(work, tuned)]
        return ["ssh", *options, "-l", "demo", "127.0.0.1", script], {}
    return command


def answers(bench, make, work):
    """Seconds from the start to the first answer on the host, the last quick one, the end."""
    open(bench.sshd.stamps, "w").close()
    os.chmod(bench.sshd.stamps, 0o666)
    cost = bench.collect(make, work, 1, limit=30)
    with open(bench.sshd.stamps) as f:
        stamps = [line.split(" ", 2) for line in f]
    os.unlink(bench.sshd.stamps)
    quick = [float(line[0]) for line in stamps if not line[1].startswith("ping")]
    if not quick:
        sys.exit("bench: nothing was answered: " + open(f"{bench.scratch}/stderr").read())
    return quick[0] - cost["start"], quick[-1] - cost["start"], cost["wall"]


def first_line(*command):
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return f"no {command[0]}"
    return (done.stdout or done.stderr).strip().partition("\n")[0]


def package(name):
    return first_line("dpkg-query", "-W", "-f", "${Version}", name)


def header(bench):
    with open("/proc/cpuinfo") as f:
        model = re.search(r"model name\s*: (.*)", f.read())
    print(f"{first_line(bench.program, '--version')}; libssh2 {package('libssh2-1')}; "
          f"{first_line('ssh', '-V')}\n"
          f"parallel-ssh {package('pssh')}, pdsh {package('pdsh')}, clush "
          f"{package('clustershell')}, xargs {package('findutils')}\n"
          f"{os.cpu_count()} cores ({model.group(1) if model else platform.machine()}), "
          f"{platform.system()} {platform.release()}, load {os.getloadavg()[0]:.1f}, "
          f"{time.strftime('%Y-%m-%d')}\n"
          "Client CPU is user and system time of the program and all that it starts; peak memory "
          "the highest sum of\ntheir proportional set sizes, looked at four times a second; "
          "oddhost's, one process, at least its max RSS.")


def main():
    sections = {"peers": peers, "scale": scale, "flight": lambda bench: flight(
                    bench, bench.work(50 if QUICK else 1000), [10, 50] if QUICK else [50, 200, 1000]), "fleet": fleet, "trips": trips,
                "files": lambda bench: files.files(bench, table, QUICK)}
    if len(sys.argv) < 3 or any(name not in sections for name in sys.argv[3:]):
        sys.exit(f"usage: bench.py ODDHOST BUILT [{' | '.join(sections)}]...")
    for sig in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(sig, lambda *_: sys.exit(143))  # by way of every cleanup
    signal.signal(signal.SIGINT, signal.default_int_handler)
    scratch = tempfile.mkdtemp(prefix="oddhost-bench-work.")
    os.mkdir(f"{scratch}/home")
    bench = Bench(sys.argv[1], os.path.abspath(sys.argv[2]), scratch)
    header(bench)
    try:
        with Sshd(bench.built) as bench.sshd:
            for name in sys.argv[3:] or sections:
                sections[name](bench)
    except KeyboardInterrupt:
        sys.exit(130)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


if __name__ == "__main__":
    main()
