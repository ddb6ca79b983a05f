"""The programs that are compared: how each is told to do the same on the same hosts."""
import json
import os
import re
import shutil

from host import TARGET, address

CURVE = ["-o", "KexAlgorithms=curve25519-sha256"]


class Work:
    """N hosts: their names, inventory and known_hosts, and the commands, in a directory."""

    def __init__(self, directory, sshd, n, ports=None):
        self.directory, self.sshd, self.n = directory, sshd, n
        os.makedirs(directory, exist_ok=True)
        key = open(sshd.path("host_key.pub")).read().split()[:2]
        self.hosts = [address(i) for i in range(n)]
        with open(self.path("hosts"), "w") as f:
            f.writelines(f"{host}\n" for host in self.hosts)
        with open(self.path("known_hosts"), "w") as f:
            for i, host in enumerate(self.hosts):
                port = ports[i] if ports else sshd.port
                f.write(f"[{host}]:{port} {' '.join(key)}\n")
        with open(self.path("inventory"), "w") as f:
            f.write("[bench]\n")
            for i, host in enumerate(self.hosts):
                port = f" ansible_port={ports[i]}" if ports else ""
                f.write(f"h{i:05} ansible_host={host}{port}\n")
            f.write(f"[bench:vars]\nansible_user=demo\nansible_port={sshd.port}\n"
                    f"ansible_ssh_private_key_file={sshd.key}\noddhost_targets={TARGET}\n")

    def path(self, *names):
        return os.path.join(self.directory, *names)

    def out(self):
        """An empty directory for what comes out."""
        shutil.rmtree(self.path("out"), ignore_errors=True)
        os.mkdir(self.path("out"))
        return self.path("out")


def script_of(printed):
    """All that oddhost sends to a host, as one command, and the line that ends its last probe."""
    lines = [line for line in printed.splitlines()
             if line and not line.startswith("# sent to ") and line != "exit 0"]
    nonce = re.search(r"[0-9a-f]{32}", printed).group()
    last = max(int(n) for n in re.findall(r"^p (\d+) ", printed, re.M))
    return "\n".join(lines) + "\nexit 0\n", f"{nonce} e {last} 0"


def ssh_options(work, tuned):
    """As few files as ssh can do with: the system's configuration would slow it down."""
    return ["-F", "none", "-o", f"IdentityFile={work.sshd.key}", "-o", "IdentitiesOnly=yes",
            "-o", "BatchMode=yes", "-o", f"UserKnownHostsFile={work.path('known_hosts')}",
            "-o", "GlobalKnownHostsFile=/dev/null", "-o", "LogLevel=ERROR",
            "-o", f"Port={work.sshd.port}"] + (CURVE if tuned else [])


def oddhost(program):
    def command(work, forks, out, *more):
        return [program, "collect", "-q", "-i", work.path("inventory"), "-o", f"{out}/run",
                "-f", str(forks), "--known-hosts", work.path("known_hosts"),
                "--deadline", "600", *more], {}
    return command


def parallel_ssh(tuned, script):
    def command(work, forks, out):
        return ["parallel-ssh", "-h", work.path("hosts"), "-p", str(forks), "-l", "demo",
                "-t", "120", "-o", f"{out}/o", "-e", f"{out}/e",
                "-x", " ".join(ssh_options(work, tuned)), script], {}
    return command


def pdsh(tuned, script):
    def command(work, forks, out):
        return ["pdsh", "-R", "ssh", "-f", str(forks), "-l", "demo", "-w",
                f"^{work.path('hosts')}", script], {
            "PDSH_SSH_ARGS_APPEND": " ".join(ssh_options(work, tuned))}
    return command


def clush(tuned, script):
    def command(work, forks, out):
        return ["clush", "-n", "-f", str(forks), "-l", "demo", "--hostfile", work.path("hosts"),
                "-o", " ".join(ssh_options(work, tuned)), script], {}
    return command


def xargs(tuned, script):
    def command(work, forks, out):
        return ["xargs", "-a", work.path("hosts"), "-P", str(forks), "-I{}", "sh", "-c",
                'host=$1; shift; exec ssh "$@" -l demo "$host" "$SCRIPT" '
                '>"$OUT/$host" 2>"$OUT/$host.err"', "sh", "{}", *ssh_options(work, tuned)], {
            "SCRIPT": script, "OUT": out}
    return command


PEERS = {"parallel-ssh": parallel_ssh, "pdsh": pdsh, "clush": clush, "xargs ssh": xargs}


def complete_oddhost(out):
    """Hosts whose every probe came back, and how many there are of each status."""
    complete, statuses = 0, {}
    with open(f"{out}/run/hosts.jsonl") as f:
        for line in f:
            record = json.loads(line)
            statuses[record["status"]] = statuses.get(record["status"], 0) + 1
            complete += record["status"] == "ok" and len(record["probes"]) > 0 and all(
                probe["status"] == "ok" for probe in record["probes"])
    return complete, statuses


def complete_peer(out, stdout, last):
    """Hosts from which the end of the last probe came, wherever the program keeps output."""
    found = 0
    for directory, _, files in os.walk(out):
        for name in files:
            if directory.endswith("/e") or name.endswith(".err"):
                continue  # what the hosts sent to stderr
            with open(os.path.join(directory, name), errors="replace") as f:
                found += any(line.rstrip("\n") == last for line in f)
    with open(stdout, errors="replace") as f:
        found += sum(line.rstrip("\n").endswith(f": {last}") for line in f)
    return found
