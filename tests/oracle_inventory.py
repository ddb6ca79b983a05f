#!/usr/bin/python3
"""Compare `oddhost inventory --list` with Ansible's own reading of the same inventories.

usage: oracle_inventory.py ODDHOST [SEED [COUNT]]

First the fixtures, through the program ansible-inventory; then COUNT generated inventories (INI,
scripts, JSON files, lists of hosts, directories of those, and several -i) through Ansible's Python
modules in this process, which is what makes hundreds of them quick. What Ansible refuses, oddhost must refuse too (exit code 2). Leaves with 77 where Ansible
is not installed.
"""
import ast
import glob
import json
import math
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile

# Nobody's own configuration: an empty one.
SCRATCH = tempfile.TemporaryDirectory()
CONFIG = os.path.join(SCRATCH.name, "ansible.cfg")
open(CONFIG, "w").close()
os.environ.update(ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED="1", ANSIBLE_LOCALHOST_WARNING="0",
                  ANSIBLE_CONFIG=CONFIG, ANSIBLE_INVENTORY_ENABLED="host_list,script,yaml,ini",
                  LC_ALL="C.UTF-8", PYTHONWARNINGS="ignore")
HERE = os.path.dirname(os.path.abspath(__file__))
FIXTURES = os.path.join(HERE, "fixtures", "inventory")

if shutil.which("ansible-inventory") is None:
    print("oracle_inventory: skipped, ansible-inventory is not installed (Debian: ansible-core)")
    sys.exit(77)


def same(a, b):
    """Equal values of equal types: 1 is neither 1.0 nor true."""
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(same(a[k], b[k]) for k in a)
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(same(x, y) for x, y in zip(a, b))
    return type(a) is type(b) and a == b


def ours(program, sources):
    args = [x for s in sources for x in ("-i", s)]
    done = subprocess.run([program, "inventory", "--list", *args], capture_output=True, text=True,
                          timeout=60)
    if done.returncode not in (0, 2):
        raise SystemExit(f"oddhost ended with {done.returncode} on {sources}:\n{done.stderr}")
    return (json.loads(done.stdout) if done.returncode == 0 else None), done.stderr


class Ansible:
    """Ansible's reader in this process: None for what it refuses."""

    def __init__(self):
        from ansible import constants, context
        from ansible.cli.inventory import InventoryCLI
        from ansible.module_utils.common.collections import ImmutableDict
        from ansible.parsing.ajson import AnsibleJSONEncoder
        from ansible.utils.display import Display
        constants.INVENTORY_ANY_UNPARSED_IS_FAILED = True
        context.CLIARGS = ImmutableDict(export=False, basedir=None, yaml=False, toml=False)
        Display.warning = Display.error = lambda *a, **k: None
        self.encoder, self.cli = AnsibleJSONEncoder, InventoryCLI

    def list(self, sources):
        from ansible.errors import AnsibleError
        from ansible.inventory.manager import InventoryManager
        from ansible.parsing.dataloader import DataLoader
        from ansible.vars.manager import VariableManager
        cli = self.cli.__new__(self.cli)
        cli.loader = DataLoader()
        try:
            cli.inventory = InventoryManager(cli.loader, sources=sources)
        except AnsibleError as e:
            return None, str(e)
        cli.vm = VariableManager(cli.loader, cli.inventory)
        tree = cli.json_inventory(cli.inventory.groups["all"])
        return json.loads(json.dumps(tree, cls=self.encoder, preprocess_unsafe=True)), ""


def carried(value, top=True):
    """Can JSON carry it, so that both sides have something to say?"""
    if value is None or isinstance(value, int):
        return True
    if isinstance(value, float):
        return math.isfinite(value)
    if isinstance(value, str):
        return "\0" not in value and not any(0xD800 <= ord(c) < 0xE000 for c in value)
    if isinstance(value, bytes):
        try:
            return top and "\0" not in value.decode()
        except UnicodeDecodeError:
            return False
    if isinstance(value, (list, tuple)):
        return all(carried(v, False) for v in value)
    if isinstance(value, dict):
        return all(not isinstance(k, (tuple, bytes)) and carried(k, False) and carried(v, False)
                   for k, v in value.items())
    return False


def usable(text):
    """
    Left out: '\\N{BULLET}', a character by its name. For it we would carry Unicode's table of 30,000
    names; nobody writes an inventory so, and the value stays the text as it was written.
    """
    if "\\N" in text:
        return False
    try:
        return carried(ast.literal_eval(text))
    except (ValueError, SyntaxError):
        return True
    except (TypeError, MemoryError, RecursionError):
        return False


SOUP = ["0xffffffffffffffffffff", "0o" + "7" * 40, "0b1" + "01" * 60, "0x" + "f" * 900, "\u2003", "\u00a0", "1", "0", "00", "07", "8", "0x1F", "0b11", "0o17", "1_0", "1__0", "_1", "1.", ".5", "1e3",
        "1E-2", "1.5e+3", "2j", "True", "False", "None", "true", "Truex", "yes", "a", "abc", "'", '"',
        "'a'", '"b c"', "'''t'''", "b'x'", "r'\\n'", "u'é'", "'\\x41'", "'\\n'", "'\\q'", "'\\101'",
        "[", "]", "(", ")", "{", "}", ",", ":", "-", "+", " ", "#", "=", "\\", "[1, 2]", "(1)", "(1,)",
        "{'k': 1}", "{1: 'x'}", "[]", "{}", "()", "é", "中", ".", "/", "10.0.0.1", "192.168.0.0/16"]


def value(rnd):
    while True:
        n = rnd.choice((1, 1, 1, 2, 3, 5, 8))
        text = "".join(rnd.choice(SOUP) for _ in range(n)).strip()
        if usable(text):
            return text


def host_value(rnd):
    """What a host line can carry as one word: quoted, or a plain one."""
    while True:
        text = value(rnd)
        kind = rnd.randrange(4)
        if kind == 0 and "'" not in text:
            return "'" + text + "'"
        if kind == 1 and not set(text) & set('"\\'):
            return '"' + text + '"'
        if kind == 2 and not set(text) & set(" '\"#\\"):
            return text
        if kind == 3:
            text = rnd.choice(("plain", "8080", "x#y", "a\\ b", "x';'y", "a\"b c\"d", "True", "1,2"))
            if usable(text):
                return text


def host(rnd):
    return rnd.choice((f"h{rnd.randrange(12)}", f"web-{rnd.randrange(4)}.example.org",
                       f"n[{rnd.randrange(3)}:{rnd.randrange(3, 6)}]", "r[01:03]", "s[a:c]x[1:5:2]",
                       f"p{rnd.randrange(5)}:{rnd.choice((22, 2222, 65000))}", f"10.0.0.{rnd.randrange(9)}",
                       "10.0.1.[1:3]", "fe80::1", "[fe80::2]:2200", "中文", "h_", "a_:22", "x:y",
                       "v[08:11]:8022", "2001:db8::[1:3]", "z[:3]", "q[A:C]", "u@h"))


def comment(rnd):
    return rnd.choice(("",) * 6 + ("  # c", " #c"))


def ini(rnd):
    groups = [f"g{i}" for i in range(rnd.randrange(1, 7))] + rnd.choice(([], ["ungrouped"], ["all"], ["h1"]))
    lines, declared = [], set()
    order = {g: i for i, g in enumerate(groups)}
    for _ in range(rnd.randrange(1, 12)):
        group = rnd.choice(groups)
        kind = rnd.choice(("", "", ":vars", ":children", ":hosts"))
        lines.append(f"[{group}{kind}]{comment(rnd)}")
        if kind != ":vars":
            declared.add(group)
        for _ in range(rnd.randrange(4)):
            if kind == ":vars":
                name = rnd.choice(("a", "b", "c", "ansible_port", "ansible_group_priority"))
                text = str(rnd.randrange(1, 30)) if name.startswith("ansible_") else value(rnd)
                if name == "ansible_group_priority":
                    text = rnd.choice(("", "-")) + text + rnd.choice(("", "", ".9", "e1"))
                lines.append(f"{name}{rnd.choice(('=', ' = '))}{text}")
            elif kind == ":children":
                below = [g for g in groups if order[g] > order[group] and g not in ("all", "ungrouped")]
                if below and group != "ungrouped":
                    child = rnd.choice(below)
                    lines.append(child + comment(rnd))
                    declared.add("+" + child)
            else:
                pairs = "".join(f" {rnd.choice('abc')}={host_value(rnd)}" for _ in range(rnd.randrange(4)))
                lines.append(host(rnd) + pairs + comment(rnd))
        if rnd.randrange(5) == 0:
            lines.append(rnd.choice(("", "; note", "# note", "\t")))
    for group in groups:
        if group not in declared and group not in ("all", "ungrouped"):
            lines.append(f"[{group}]")
    if rnd.randrange(12) == 0:
        lines.insert(rnd.randrange(len(lines) + 1), rnd.choice(
            ("[bad group]", "[x:stuff]", "h1 'open", "h2 novalue", "h3:", "[nowhere:vars]", "t[1:]", "h \\")))
    head = [host(rnd) for _ in range(rnd.randrange(3))]
    return strange_blanks(rnd, head + lines)


LINE_ENDS = ["\r\n", "\r", "\v", "\f", "\x1c", "\x1d", "\x1e", "\x85", "\u2028", "\u2029"]
BLANKS = [" ", "\t", "\x1f", "\xa0", "\u1680", "\u2003", "\u200a", "\u202f", "\u205f", "\u3000"]


def strange_blanks(rnd, lines):
    """Ends of lines and blanks around them as Python knows them; in one of three inventories."""
    text, strange = "", rnd.random() < .33
    for line in lines:
        if strange and "=" in line and rnd.random() < .2:  # within a value, perhaps between quotes
            at = rnd.randrange(line.index("=") + 1, len(line) + 1)
            line = line[:at] + rnd.choice(BLANKS + LINE_ENDS) + line[at:]
        around = [rnd.choice([""] * 9 + BLANKS) if strange else "" for _ in range(2)]
        end = rnd.choice(LINE_ENDS) if strange and rnd.random() < .3 else "\n"
        text += around[0] + line + around[1] + end
    return text


NUMBERS = ["1.0", "1e2", "1E-2", "-0", "-0.0", "0.1", "1.50", "9007199254740991", "9007199254740993",
           "12345678901234567890", "-12345678901234567890123", "1e400", "5e-324", "1" * 60]


class Twice(dict):
    """An object that names one of its members twice."""

    def __init__(self, rnd, data, value):
        super().__init__(data)
        self.pairs = list(data.items())
        if self.pairs and rnd.random() < .1:
            self.pairs.insert(rnd.randrange(len(self.pairs) + 1), (rnd.choice(self.pairs)[0], value()))

    def items(self):
        return self.pairs


def some(rnd):
    return rnd.choice((1, 2.5, True, None, "s", "é", [1, "x"], {"k": [None]}, -7, 10**15, "{{ t }}",
                       "@" + rnd.choice(NUMBERS) + "@", {"k": ["@" + rnd.choice(NUMBERS) + "@"]}))


def as_json(rnd, root):
    """What stands between @ is a number, written like that."""
    return re.sub(r'"@([^@"]*)@"', r"\1", json.dumps(root, ensure_ascii=rnd.random() < .5))


def tree(rnd):
    """What a script prints."""
    def variables(names):
        return Twice(rnd, {k: some(rnd) for k in names}, lambda: some(rnd))

    names = [f"g{i}" for i in range(rnd.randrange(1, 6))]
    root = {}
    for i, name in enumerate(names):
        hosts = [f"h{rnd.randrange(8)}" for _ in range(rnd.randrange(4))]
        if rnd.randrange(5) == 0:
            root[name] = hosts
        elif rnd.randrange(8) == 0:
            root[name] = {"v": some(rnd)}
        else:
            root[name] = {"hosts": hosts, "vars": variables(rnd.sample("abc", 2)),
                          "children": rnd.sample(names[i + 1:], min(len(names) - i - 1, 2))}
    root["_meta"] = {"hostvars": {f"h{i}": variables(rnd.sample("abcd", 2)) for i in range(8)}}
    root = Twice(rnd, root, lambda: {"hosts": [f"h{rnd.randrange(8)}"]})
    return "#!/bin/sh\ncat <<'END'\n" + as_json(rnd, root) + "\nEND\n"


def mapping(rnd):
    """
    A YAML inventory written as JSON. Without h1, which may be a group's name elsewhere: Ansible adds
    that group to `ungrouped` in place of a host of `all` that bears its name, and loses the host.
    """
    def variables():
        return Twice(rnd, {k: some(rnd) for k in rnd.sample("abc", rnd.randrange(3))}, lambda: some(rnd))

    def group(depth):
        data = {}
        if rnd.random() < .7:
            data["hosts"] = {rnd.choice((f"h{rnd.randrange(2, 9)}", "n[1:3]", "r[01:03].x", f"p{rnd.randrange(3)}:22", "10.0.0.1")):
                             rnd.choice((None, variables())) for _ in range(rnd.randrange(4))}
        if rnd.random() < .5:
            data["vars"] = variables()
        if rnd.random() < .5 and depth < 3:
            data["children"] = {f"g{depth}{rnd.randrange(3)}": rnd.choice((None, group(depth + 1))) for _ in range(rnd.randrange(3))}
        return {k: v or None if rnd.random() < .2 else v for k, v in data.items()}

    root = {name: group(0) for name in rnd.choice((["all"], ["all"], ["web", "all"], ["web", "db"]))}
    return as_json(rnd, Twice(rnd, root, lambda: group(0)))


def host_list(rnd):
    names = [rnd.choice((host(rnd), f"h{rnd.randrange(9)}", "web", " h1 ", "x[1:2]", "h2:2222", "")) for _ in range(rnd.randrange(1, 6))]
    return ",".join(names) + ","


KINDS = {"ini": ini, "sh": tree, "json": mapping}


def write_source(rnd, path, kind):
    with open(path, "w", encoding="utf-8", newline="") as out:
        out.write(KINDS[kind](rnd))
    os.chmod(path, 0o755 if kind == "sh" else 0o644)


def write_directory(rnd, path, depth=0):
    """What Ansible reads, and what it passes over."""
    os.mkdir(path)
    for _ in range(rnd.randrange(1, 5)):
        kind = rnd.choice(("ini", "ini", "sh", "json"))
        base = rnd.choice(("01-hosts", "b", "a", "Z", "h.d", "é"))
        end = {"json": ".json"}.get(kind) or rnd.choice(("", "", ".sh", ".hosts", ".ini", ".cfg", ".bak", "~", ".md", ".txt", ".orig",
                                                         ".retry", ".swp", ".rpm", ".rst", ".pyc"))
        write_source(rnd, os.path.join(path, rnd.choice(("", "", "", ".")) + base + end), kind)
    if depth < 2 and rnd.random() < .4:
        write_directory(rnd, os.path.join(path, rnd.choice(("sub", "a.d", "group_vars_too", "x.ini", ".hidden"))), depth + 1)


def differ(what, theirs, mine, extra):
    print(f"DIFFERENT: {what}\nansible: {json.dumps(theirs, sort_keys=True, ensure_ascii=False)}\n"
          f"oddhost: {json.dumps(mine, sort_keys=True, ensure_ascii=False)}\n{extra}")


def check_fixtures(program):
    bad = 0
    fixtures = sorted(glob.glob(os.path.join(FIXTURES, "ansible-*")))
    fixtures += [os.path.join(HERE, "..", "inventory", name) for name in ("demo.ini", "incident.ini", "example.ini")]
    for path in fixtures + ["h1,h2:2222,[fe80::1]:22"]:
        done = subprocess.run(["ansible-inventory", "-i", path, "--list"], capture_output=True, text=True)
        theirs = json.loads(done.stdout) if done.returncode == 0 else None
        mine, errors = ours(program, [path])
        if not same(theirs, mine):
            differ(path, theirs, mine, done.stderr + errors)
            bad += 1
    return bad, len(fixtures) + 1


YAML = """
all:
  children:
    web:
      hosts:
        "web-[01:03].example.org": {rack: 7, up: yes}
        web-04: {ansible_port: 2222, list: [1, two, null]}
      vars: {tier: front, mode: "0640"}
    site: {children: {web: {}}, vars: {tier: any}}
  hosts: {lone: }
"""


def check_conversion(program, directory):
    """What our messages say about YAML and group_vars: written as JSON by Ansible, it means the same."""
    os.makedirs(os.path.join(directory, "group_vars"))
    path, written = os.path.join(directory, "hosts.yml"), os.path.join(directory, "hosts.json")
    with open(path, "w", encoding="utf-8") as out:
        out.write(YAML)
    with open(os.path.join(directory, "group_vars", "web"), "w", encoding="utf-8") as out:
        out.write("from_group_vars: {a: 1.5}\ntier: file\n")
    refused, why = ours(program, [path])
    with open(written, "w", encoding="utf-8") as out:
        subprocess.run(["ansible-inventory", "-i", path, "--list", "--export"], stdout=out, check=True)
    mine, errors = ours(program, [written])
    theirs = json.loads(subprocess.run(["ansible-inventory", "-i", path, "--list"], capture_output=True, text=True, check=True).stdout)
    if refused is None and "--list --export" in why and same(theirs, mine):
        return 0
    differ("hosts.yml by way of hosts.json", theirs, mine, why + errors)
    return 1


def names_hosts(tree):
    return any(group.get("hosts") for name, group in tree.items() if name != "_meta")


def shown(sources):
    """The text of all of them, for whoever reads the difference."""
    text = ""
    for source in sources:
        paths = [source] if not os.path.isdir(source) else sorted(
            os.path.join(at, name) for at, _, names in os.walk(source) for name in names)
        for path in paths:
            text += f"--- {path}\n"
            if os.path.exists(path):
                text += open(path, encoding="utf-8").read()
    return text + "-----\n"


def check_generated(program, seed, count, directory):
    ansible, bad = Ansible(), 0
    for i in range(count):
        rnd = random.Random(f"{seed} {i}")
        kinds = rnd.choice((["ini"], ["ini"], ["ini"], ["sh"], ["json"], ["list"], ["dir"], ["dir"], ["ini", "ini"], ["ini", "sh"],
                            ["list", "ini"], ["dir", "ini"], ["json", "sh", "ini"]))
        sources = []
        for k, kind in enumerate(kinds):
            path = os.path.join(directory, f"{i}.{k}.{kind}")
            sources.append(host_list(rnd) if kind == "list" else path)
            if kind == "dir":
                write_directory(rnd, path)
            elif kind != "list":
                write_source(rnd, path, kind)
        theirs, why = ansible.list(sources)
        mine, errors = ours(program, sources)
        if mine is None and "no hosts" in errors and theirs is not None and not names_hosts(theirs):
            theirs = None  # to Ansible it means something that there is nothing
        if not same(theirs, mine):
            text = shown(sources)
            differ(f"seed {seed}, number {i}", theirs, mine, why + errors + text)
            bad += 1
            if bad == 5:
                break
    return bad


def main():
    program = os.path.abspath(sys.argv[1])
    seed = sys.argv[2] if len(sys.argv) > 2 else os.environ.get("ODDHOST_SEED") or str(random.randrange(10**9))
    count = int(sys.argv[3]) if len(sys.argv) > 3 else 300
    print(f"oracle_inventory: seed {seed}, {count} generated inventories")
    bad, fixtures = check_fixtures(program)
    bad += check_conversion(program, os.path.join(SCRATCH.name, "yaml"))
    bad += check_generated(program, seed, count, SCRATCH.name)
    print(f"oracle_inventory: {fixtures} fixtures and {count} generated ones, {bad} different")
    return 1 if bad else 0


sys.exit(main())
