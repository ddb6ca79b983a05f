#!/usr/bin/python3
"""Compare `oddhost inventory --hosts -l LIMIT` with Ansible's limits and with ClusterShell's node sets.

usage: oracle_limit.py ODDHOST [SEED [COUNT]]

COUNT generated limits of each kind, on generated inventories. Ansible's side is its own
InventoryManager in this process (what `ansible all --list-hosts -l` calls); the other side is
ClusterShell's NodeSet (what `nodeset -e` calls), cut down to the hosts of the inventory. What a
node set adds to Ansible's grammar (host-[01-03], a!b) is asked of ClusterShell only: Ansible sees
nothing in it. Where the oracle selects nothing or refuses, oddhost must refuse (exit code 2); and
lists of hosts are folded as `nodeset -f` does. Leaves with 77 where one of both is not installed.
"""
import os
import random
import subprocess
import sys
import tempfile

SCRATCH = tempfile.TemporaryDirectory()
CONFIG = os.path.join(SCRATCH.name, "ansible.cfg")
open(CONFIG, "w").close()
os.environ.update(ANSIBLE_LOCALHOST_WARNING="0", ANSIBLE_CONFIG=CONFIG, LC_ALL="C.UTF-8",
                  ANSIBLE_INVENTORY_ENABLED="ini", PYTHONWARNINGS="ignore", CLUSTERSHELL_CFGDIR=SCRATCH.name)
GROUPS = os.path.join(SCRATCH.name, "groups")
with open(os.path.join(SCRATCH.name, "groups.conf"), "w") as conf:
    conf.write(f"""[Main]
default: local
[local]
map: sed -n 's/^$GROUP: //p' {GROUPS}
all: sed -n 's/^all: //p' {GROUPS}
list: sed -n 's/:.*//p' {GROUPS}
""")

try:
    from ansible.inventory.manager import InventoryManager
    from ansible.parsing.dataloader import DataLoader
    from ansible.errors import AnsibleError
    from ansible.utils.display import Display
    from ClusterShell.NodeSet import NodeSet, NodeSetException, set_std_group_resolver_config
except ImportError as missing:
    print(f"oracle_limit: skipped, {missing} (Debian: ansible-core, clustershell)")
    sys.exit(77)

Display.warning = Display.error = lambda *a, **k: None


def ours(program, path, limit):
    done = subprocess.run([program, "inventory", "-i", path, "-F", "none", "--hosts", "-l", limit],
                          capture_output=True, text=True, timeout=60)
    if done.returncode not in (0, 2):
        raise SystemExit(f"oddhost ended with {done.returncode} on -l '{limit}':\n{done.stderr}")
    return sorted(done.stdout.split()) if done.returncode == 0 else None, done.stderr


def folded(program, path):
    done = subprocess.run([program, "inventory", "-i", path, "-F", "none", "--list-hosts"],
                          capture_output=True, text=True, timeout=60)
    return done.stdout.rstrip("\n").split(": ", 1)[1]


def write(name, text):
    path = os.path.join(SCRATCH.name, name)
    with open(path, "w", encoding="utf-8") as out:
        out.write(text)
    return path


# ---- Ansible ----

def ansible_inventory(rnd):
    names = ([f"web-{i}" for i in range(1, 6)] + [f"db{i:02}" for i in range(8, 13)] +
             ["lone", "a.example.org", "b.example.org", "10.0.0.5", "10.0.0.6", "fe80::1", "web",
              "web中", "étage2", "webe\u0301", "WEB-1"])
    groups = ["web", "db", "east", "west", "web-3", "site"]
    lines = rnd.sample(names, 3)
    for group in groups[:-1]:
        lines.append(f"[{group}]")
        lines += rnd.sample(names, rnd.randrange(5))
    lines.append("[site:children]")
    lines += rnd.sample(groups[:-1], 2)
    return "\n".join(lines) + "\n", names, groups


# Python's syntax, but for colons outside of brackets, blanks and commas, at which Ansible cuts; for
# \u0077 and (?a), which we refuse by name (test_limit.c: PCRE2 has them in later versions only); and for
# flags amid the expression, which Python refuses since 3.11 and we take.
ATOMS = ["web", "db", "w", "e", "a", "-", ".", "1", "[\\d]", "[^\\d]", "[^\\W\\d]", "[\\w-]", "[a-e]", "[^]w]", "[é-ü]", "\\d", "\\D",
         "\\w", "\\W", "\\s", "\\S", "\\b", "\\B", "\\x77", "\\.", "\\-", "中", "(a|w)", "(?P<n>e|b)", "(?!db)", "(?=w)", "(?<=e)",
         "(?<!w)", "(?P<c>.)(?P=c)", "\\Z", "$", "^", "(", ")", "[b-a]", "\\", "(?>we)"]
SUFFIXES = [""] * 8 + ["?", "*", "+", "{2}", "??", "*?", "+?", "*+", "{1}"]
GLOBS = ["*", "*", "?", "?", "[a-e]", "[!w]", "[é-ü]", "[c-a]", "[!c-a]", "[b-a-c]", "[]a]", "[^w]", "[-a]", "[a-]", "[\\d]",
         "[.]", "[&&]", "web", "db", "-", "1", "org", "中", "e", ".", "\\", "(", "|", "+", "$"]


def regex(rnd):
    return "~" + rnd.choice(("", "", "", "(?i)")) + "".join(rnd.choice(ATOMS) + rnd.choice(SUFFIXES) for _ in range(rnd.randrange(1, 6)))


def glob(rnd):
    return "".join(rnd.choice(GLOBS) for _ in range(rnd.randrange(1, 5)))


def ansible_term(rnd, names, groups, directory):
    name, group = rnd.choice(names), rnd.choice(groups + ["all", "ungrouped"])
    return rnd.choice((
        name, name, group, group, group, "nix", "*", "w*", "*.org", "*-[13]*", "db*", "d?08", "[!w]*", "10.0.0.*",
        f"{group}[0]", f"{group}[-1]", f"{group}[1:2]", f"{group}[1:]", f"{group}[9]", f"{group}[0-1]", "web*[0]",
        "~web-[12]", "~(a|b).*org", "~db\\d+$", "~[^w]", "*", f"{name}:{group}" if rnd.random() < .1 else name,
        f"@{directory}/terms", "~eb", "*[1]", regex(rnd), regex(rnd), regex(rnd), glob(rnd), glob(rnd), glob(rnd)))


def ansible_limit(rnd, names, groups, directory):
    separator = rnd.choice((",", ",", ", ", " , ", ":", ":"))
    if separator == ":":  # Ansible takes fe80::1:ANYTHING for one address; nobody can mean it
        names = [name for name in names if ":" not in name]
    terms = [rnd.choice(("", "", "", "!", "&")) + ansible_term(rnd, names, groups, directory)
             for _ in range(rnd.choice((1, 1, 2, 2, 3, 4)))]
    return separator.join(terms)


class Ansible:
    """A limit, an inventory for it, and what Ansible selects."""
    name = "Ansible"

    def ask(self, rnd, number):
        if number % 20 == 0:
            text, self.names, self.groups = ansible_inventory(rnd)
            self.path = write("hosts", text)
        write("terms", "\n".join(rnd.sample(self.names, 2) + ["!lone", "", "web-1"]) + "\n")
        limit = ansible_limit(rnd, self.names, self.groups, SCRATCH.name)
        try:
            manager = InventoryManager(DataLoader(), sources=[self.path])
            manager.subset(limit)
            return limit, [h.name for h in manager.list_hosts("all")], ""
        except AnsibleError as error:
            return limit, [], str(error)


# ---- ClusterShell ----

HOSTS = ([f"n{i}" for i in range(1, 16)] + [f"n{i:03}" for i in range(1, 12)] + [f"host-{i:02}" for i in range(1, 13)] +
         [f"dc{d}n{i}" for d in (1, 2, 3) for i in range(1, 6)] + [f"w{i}.example.org" for i in range(7, 13)] + ["lone", "10.0.0.5"])
CLUSTERS = {"web": "host-[01-06]", "db": "n[1-9/2],lone", "rack1": "dc1n[1-5]", "rack2": "dc[2-3]n[1-2],n003"}


def node_range(rnd):
    kind = rnd.randrange(7)
    low = rnd.randrange(0, 14)
    high = low + rnd.randrange(0, 8)
    if kind == 0:
        return f"{low:03}-{high:03}"
    if kind == 1:
        return f"{low:02}-{high:02}"
    if kind == 2:
        return f"{low}-{high}/{rnd.randrange(1, 4)}"
    if kind == 3:
        return rnd.choice((f"{low}-{low}", f"{low:02},{low + 1:02}", f"{low:03},9"))
    if kind == 4 and rnd.random() < .15:  # what both refuse
        return rnd.choice(("3-1", "1-", "9-011", "0-02", "1-3/0", "1-3,,4", "1-3,"))
    return f"{low}-{high}"


def node_operand(rnd):
    """
    Only one range behind a digit: ClusterShell joins n0[8-9,10] to n[08-010] and then refuses it.
    No lone number: w[09] is a glob of two names in Ansible. No letters in brackets: a glob as well.
    """
    def brackets():
        return "[" + ",".join(node_range(rnd) for _ in range(rnd.choice((1, 1, 1, 2, 3)))) + "]"
    return rnd.choice((rnd.choice(HOSTS), rnd.choice(HOSTS), "n" + brackets(), "n" + brackets(), "n0[" + node_range(rnd) + "]", "host-" + brackets(),
                       "dc" + brackets() + "n" + brackets(), "w" + brackets() + ".example.org", "dc[1-2]n3", "10.0.0." + brackets(),
                       "@web", "@db", "@rack1", "@rack2", "@rack[1-2]", "@*"))


def node_expression(rnd):
    text = node_operand(rnd)
    blank = rnd.choice(("", "", " "))
    operators = 0
    for _ in range(rnd.choice((0, 1, 1, 2, 3, 4))):
        operator = rnd.choice((",", ",", "!", "&", "^"))
        operators += operator != ","
        # Blanks around an operator are a list of Ansible's where there is no comma.
        text += (blank if "," in text else "") + operator + (blank if "," in text else "") + node_operand(rnd)
    return text


class ClusterShell:
    """The same with what nodeset(1) selects."""
    name = "ClusterShell"

    def __init__(self):
        text = "\n".join(HOSTS) + "\n"
        for name, nodes in CLUSTERS.items():
            text += f"[{name}]\n" + "\n".join(NodeSet(nodes)) + "\n"
        self.path = write("nodes", text)
        write("groups", "".join(f"{k}: {v}\n" for k, v in CLUSTERS.items()) + "all: " + ",".join(HOSTS) + "\n")
        set_std_group_resolver_config(os.path.join(SCRATCH.name, "groups.conf"))

    def ask(self, rnd, number):
        limit = node_expression(rnd)
        try:
            return limit, set(NodeSet(limit)) & set(HOSTS), ""
        except NodeSetException as error:
            return limit, [], str(error)


def check(program, seed, count, oracle):
    bad = empty = 0
    for i in range(count):
        limit, theirs, why = oracle.ask(random.Random(f"{seed} {oracle.name} {i}"), i)
        mine, errors = ours(program, oracle.path, limit)
        empty += not theirs
        if mine != (sorted(theirs) or None):
            bad += 1
            text = open(oracle.path, encoding="utf-8").read()
            print(f"DIFFERENT: seed {seed}, number {i}: -l '{limit}'\n{oracle.name}: {sorted(theirs)} {why}\noddhost: {mine} {errors}\n{text}-----")
            if bad == 5:
                break
    print(f"oracle_limit: {count} limits as {oracle.name}'s, {empty} of them empty, {bad} different")
    return bad


# ---- folding ----

def some_names(rnd):
    """Hosts as fleets name them; sometimes with gaps, paddings and several numbers."""
    heads = rnd.sample(["n", "host-", "web", "10.0.0.", "dc{}n", "r{}-s{}-", "x"], rnd.randrange(1, 4))
    names = set()
    for head in heads:
        while "{}" in head:
            head = head.replace("{}", str(rnd.randrange(1, 4)), 1) if rnd.random() < .5 else head.replace("{}", "7", 1)
        width = rnd.choice((0, 0, 2, 3))
        low = rnd.choice((0, 1, 8, 97))
        tail = rnd.choice(("", "", ".example.org", "-a", "b"))
        for n in range(low, low + rnd.randrange(1, 14)):
            if rnd.random() < .8:
                names.add(f"{head}{n:0{width if rnd.random() < .9 else rnd.randrange(4)}}{tail}")
    return sorted(names) or ["lone"]


def some_grid(rnd):
    """Names with two numbers: all of a grid, or a part of it."""
    rows, columns = rnd.randrange(1, 5), rnd.randrange(1, 5)
    names = [f"rack{r}n{c:02}" for r in range(8, 8 + rows) for c in range(columns)]
    whole = rnd.random() < .5
    return (names if whole else rnd.sample(names, rnd.randrange(1, len(names) + 1))), whole


def check_folding(program, seed, count):
    bad = 0
    for i in range(count):
        rnd = random.Random(f"{seed} f{i}")
        names, whole = (some_names(rnd), True) if i % 2 else some_grid(rnd)
        rnd.shuffle(names)
        theirs, mine = NodeSet.fromlist(names), folded(program, write("fold", "\n".join(names) + "\n"))
        # Of a grid with holes there are several shortest forms: only what it means is compared.
        if sorted(NodeSet(mine)) != sorted(names) or (whole and mine != str(theirs)):
            bad += 1
            print(f"DIFFERENT: seed {seed}, number f{i}: {' '.join(sorted(names))}\nnodeset: {theirs}\noddhost: {mine}\n-----")
            if bad == 5:
                break
    print(f"oracle_limit: {count} lists of hosts folded, {bad} different")
    return bad


def main():
    program = os.path.abspath(sys.argv[1])
    seed = sys.argv[2] if len(sys.argv) > 2 else os.environ.get("ODDHOST_SEED") or str(random.randrange(10**9))
    count = int(sys.argv[3]) if len(sys.argv) > 3 else 400
    print(f"oracle_limit: seed {seed}, {count} limits of each kind")
    bad = check(program, seed, count, Ansible()) + check(program, seed, count, ClusterShell())
    bad += check_folding(program, seed, count)
    return 1 if bad else 0


sys.exit(main())
