#!/usr/bin/python3
"""make lab: every scenario in a cloud of its own, on real engines and kernels.

usage: run.py PROGRAM [-k] [SCENARIO...]

Sets the scenario up (see README.md for its file), runs the program on the bastion as a user would,
and compares what it found with what the scenario says must be found: nothing less, and of what is
above info nothing more. Beside that, on each host that was examined, `lookup` must say what the
kernel says for some random addresses of both families. -k keeps the reports: .build/lab/SCENARIO.
Exit status 1 where a scenario failed.
"""
import configparser
import glob
import json
import os
import queue
import random
import re
import shutil
import sys
import threading
import time
import traceback

sys.dont_write_bytecode = True

import lab

SCENARIOS = os.path.join(lab.HERE, 'scenarios')
KEPT = f'{lab.ROOT}/.build/lab'
AT_ONCE = 4  # a scenario mostly waits for pings
SEED = int(os.environ.get('LAB_SEED', '1'))
ADDRESSES = 16  # for `lookup`, on each host
SEVERITIES = ('critical', 'high', 'medium', 'low', 'info')
STAGES = ('', 'then ')


def lines_of(text):
    return [' '.join(line.split()) for line in (text or '').splitlines() if line.strip()]


class Scenario:
    """A file of scenarios/: sections of what there is, and of what must be found."""

    def __init__(self, path):
        self.name = os.path.splitext(os.path.basename(path))[0]
        self.config = configparser.ConfigParser(delimiters='=', comment_prefixes='#',
                                                interpolation=None)
        with open(path, encoding='utf-8') as text:
            self.config.read_file(text)

    def get(self, section, key, default=''):
        return self.config.get(section, key, fallback=default)

    def lines(self, section, key):
        return lines_of(self.get(section, key))

    def expected(self, stage):
        """(severity, rule, hosts, words) of each finding that must be there."""
        for key in self.config[f'{stage}found']:
            severity, _, rule = key.partition(' ')
            if severity not in SEVERITIES:
                continue
            for line in self.lines(f'{stage}found', key):
                hosts, *words = line.split()
                yield severity, rule, set(hosts.split(',')), words

    def check_words(self):
        """A word that means nothing here is a mistake in the file."""
        known = {'lab': 'hosts database bastion reserved targets inventory user',
                 'host': 'daemon networks containers names do',
                 'found': 'says never ruled exit status', 'run': 'options', 'db': 'address do',
                 'router': 'do'}
        for section in self.config.sections():
            kind = section.removeprefix('then ')
            kind = kind if kind in known else 'host'
            for key in self.config[section]:
                if key not in known[kind].split() and not (
                        kind == 'found' and key.split()[0] in SEVERITIES):
                    raise lab.Failed(f'[{section}] {key}: no such word')


class Play:
    """One scenario on its way: its cloud, what was found, and what is wrong with that."""

    def __init__(self, scenario, program, directory):
        self.scenario, self.program, self.dir = scenario, program, directory
        self.found, self.problems, self.compared = [], [], 0
        self.random = random.Random(f'{SEED} {scenario.name}')
        self.cloud = None

    def play(self):
        get = self.scenario.get
        self.scenario.check_words()
        with lab.Lab(self.dir, hosts=get('lab', 'hosts', ' '.join(lab.HOSTS)).split(),
                     database=get('lab', 'database', lab.DATABASE),
                     bastion=get('lab', 'bastion', lab.BASTION)) as self.cloud:
            self.cloud.start({name: json.loads(get(name, 'daemon')) for name in self.cloud.hosts
                              if get(name, 'daemon')})
            for stage in STAGES:
                self.set_up(stage)
                if f'{stage}found' in self.scenario.config:
                    self.run(stage)
            if os.path.isdir(KEPT):
                shutil.copytree(f'{self.dir}/runs', f'{KEPT}/{self.scenario.name}')

    def set_up(self, stage):
        scenario, cloud = self.scenario, self.cloud
        address = scenario.get(f'{stage}db', 'address')
        if address:
            cloud.move_database(address)
            cloud.point_names()
        for name, host in cloud.hosts.items():
            section = stage + name
            if stage and scenario.get(section, 'daemon'):
                host.engine(json.loads(scenario.get(section, 'daemon')))
            for line in scenario.lines(section, 'networks'):
                host.network(*line.split())
            for line in scenario.lines(section, 'containers'):
                host.container(*line.split())
            names = [line.split() for line in scenario.lines(section, 'names')]
            if names:
                host.names(*names)
        for node in cloud.nodes:
            if scenario.get(stage + node.name, 'do'):
                node.sh(scenario.get(stage + node.name, 'do'))

    def run(self, stage):
        get, path = self.scenario.get, f'{self.dir}/runs/{stage.strip() or "first"}'
        targets = get('lab', 'targets', lab.TARGET)
        reserved = get('lab', 'reserved', '192.168.0.0/16=rds-vpc')
        user = self.scenario.lines('lab', 'user')
        inventory = self.cloud.inventory(f'{self.dir}/hosts.ini', targets, reserved,
                                         self.scenario.lines('lab', 'inventory') +
                                         [f'ansible_user={name}' for name in user])
        options = get(f'{stage}run', 'options').replace('FIRST', f'{self.dir}/runs/first').split()
        status, out, err = self.cloud.run(self.program, 'run', '-i', inventory, '-l', 'api', '-T',
                                          '3', '-o', path, *options)
        lab.write(f'{path}.txt', out + err)
        if not os.path.exists(f'{path}/findings.json'):
            self.problems.append(f'{stage}no report: exit {status}: {err[-300:]}')
            return
        with open(f'{path}/findings.json', encoding='utf-8') as text:
            report = json.load(text)
        self.judge(stage, report, status, ' '.join(out.split()))
        self.report_again(stage, path, options)
        for host in report['hosts']:
            if host['status'] in ('ok', 'partial'):
                self.ask_kernel(path, self.cloud.hosts[host['host']])

    def report_again(self, stage, path, options):
        """The same run gives the same reports, to the byte."""
        before = {}
        for name in ('findings.json', 'report.md', 'report.html'):
            with open(f'{path}/{name}', 'rb') as text:
                before[name] = text.read()
        self.cloud.run(self.program, 'report', path, *options)
        for name, bytes_ in before.items():
            with open(f'{path}/{name}', 'rb') as text:
                if text.read() != bytes_:
                    self.problems.append(f'{stage}{name} is another one when made again')

    def judge(self, stage, report, status, said):
        wrong = lambda text: self.problems.append(stage + text)
        findings = [f for f in report['findings'] if f.get('state') != 'resolved']
        self.found.append('; '.join(brief(f) for f in findings if f['severity'] != 'info') or
                          'nothing')
        for severity, rule, hosts, words in self.scenario.expected(stage):
            fit = [f for f in findings if f['rule'] == rule and set(f['hosts']) == hosts
                   and all(holds(f, word) for word in words)]
            if not fit:
                wrong(f'missing: {severity} {rule} {",".join(sorted(hosts))} {" ".join(words)}')
            elif fit[0]['severity'] != severity:
                wrong(f'{fit[0]["severity"]}, not {severity}: {fit[0]["summary"]}')
            findings = [f for f in findings if f not in fit[:1]]
        for finding in (f for f in findings if f['severity'] != 'info'):
            wrong(f'too much: {brief(finding)}: {finding["summary"]}')
        section = f'{stage}found'
        for line in self.scenario.lines(section, 'says'):
            if line not in said:
                wrong(f'does not say "{line}"')
        for line in self.scenario.lines(section, 'never'):
            if line in said:
                wrong(f'says "{line}"')
        claims = ' '.join(c['claim'] for c in report['ruled_out'])
        for line in self.scenario.lines(section, 'ruled'):
            if line not in claims:
                wrong(f'does not rule out "{line}"')
        states = dict(line.split() for line in self.scenario.lines(section, 'status'))
        for host in report['hosts']:
            if host['status'] != states.get(host['host'], 'ok'):
                wrong(f'{host["host"]} is {host["status"]}')
        severe = any(s in SEVERITIES[:2] for s, *_ in self.scenario.expected(stage))
        if str(status) != self.scenario.get(section, 'exit', '1' if severe else '0'):
            wrong(f'exit status {status}')

    def ask_kernel(self, run, host):
        """`lookup` against the kernel's own answer."""
        addresses = [self.cloud.database, lab.GATEWAY, host.address, '172.17.0.9', '172.18.0.9',
                     '192.168.0.1', 'fd00:db::166', 'fd00:73::fd', '2001:db8::1',
                     f'fd00:db::{self.random.randrange(1, 9999)}']
        while len(addresses) < ADDRESSES:
            addresses.append('{}.{}.{}'.format(self.random.choice(('192.168', '172.20', '10.8')),
                                               self.random.randrange(256),
                                               self.random.randrange(1, 255)))
        status, out, err = self.cloud.run(self.program, 'lookup', '--json', run, host.name,
                                          *addresses)
        if status not in (0, 3) or not out:
            self.problems.append(f'lookup on {host.name}: exit {status}: {err[-200:]}')
            return
        kernel = host.sh('\n'.join(f'ip -j route get {a} 2>&1 | tr -d "\\n"; echo'
                                   for a in addresses), check=False).splitlines()
        for answer, words in zip(json.loads(out), kernel):
            self.compared += 1
            ours, theirs = way_of(answer), way_of_kernel(words)
            if ours != theirs:
                self.problems.append(f'{host.name}: lookup {answer["address"]} is {ours}, '
                                     f'the kernel says {theirs}')


def way_of(answer):
    """(gateway, interface) by `lookup`, or why there is none; an own address is one on lo."""
    route = answer['route']
    if answer['reason'] is not None:
        return answer['reason']
    return ('', 'lo') if route['type'] == 'local' else (route['gateway'] or '', route['dev'])


def way_of_kernel(words):
    if not words.startswith('['):
        errors = {'Network is unreachable': 'no-route', 'Invalid argument': 'blackhole',
                  'No route to host': 'unreachable', 'Permission denied': 'prohibit'}
        return next((errors[e] for e in errors if e in words), words)
    route = json.loads(words)[0]
    return (route.get('gateway', ''), route['dev'])


def holds(finding, word):
    """Does the finding name it: its subject, what it says or advises, or a line it quotes?"""
    said = [finding.get(key) or '' for key in ('summary', 'why', 'target', 'address', 'prefix',
                                               'confidence')]
    said += finding['fix'] + [line['text'] for line in finding['evidence']]
    whole = re.compile(rf'(?<![\w.-]){re.escape(word)}(?![\w-]|\.\w)')
    return any(whole.search(text) for text in said)


def brief(finding):
    return f'{finding["severity"]} {finding["rule"]} {",".join(finding["hosts"])}'


class Table:
    """Rows as they come, and the count of them; any thread may add one."""

    def __init__(self):
        self.lock = threading.Lock()
        self.passed = self.failed = self.compared = 0
        print(f'{"scenario":28} {"result":7} {"seconds":>7}  found', flush=True)

    def row(self, play, seconds):
        with self.lock:
            self.compared += play.compared
            self.passed += not play.problems
            self.failed += bool(play.problems)
            print(f'{play.scenario.name:28} {"FAILED" if play.problems else "passed":7} '
                  f'{seconds:7.1f}  {", then: ".join(play.found)}', flush=True)
            for problem in play.problems:
                print(f'    {problem}', flush=True)


def work(table, todo, program):
    while True:
        try:
            path = todo.get_nowait()
        except queue.Empty:
            return
        began = time.monotonic()
        name = os.path.splitext(os.path.basename(path))[0]
        play = Play(Scenario(path), program, f'{lab.STATE}/{name}')
        try:
            play.play()
        except lab.Failed as failed:
            play.problems.append(str(failed))
        except Exception:
            play.problems.append(traceback.format_exc())
        table.row(play, time.monotonic() - began)


def main():
    names = [a for a in sys.argv[2:] if a != '-k']
    if len(sys.argv) < 2 or sys.argv[1].startswith('-'):
        sys.exit(__doc__)
    paths = [f'{SCENARIOS}/{n}.ini' for n in names] or sorted(glob.glob(f'{SCENARIOS}/*.ini'))
    reason = lab.why_not()
    if reason is not None:
        print(f'lab: skipped, {reason}\n0 passed, 0 failed, {len(paths)} skipped')
        return
    if 'ODDHOST_LAB' not in os.environ:
        shutil.rmtree(KEPT, ignore_errors=True)
        if '-k' in sys.argv:
            os.makedirs(KEPT)
    lab.enter()
    began = time.monotonic()
    table, todo = Table(), queue.Queue()
    for path in paths:
        todo.put(path)
    workers = [threading.Thread(target=work, args=(table, todo, os.path.abspath(sys.argv[1])),
                                daemon=True) for _ in range(AT_ONCE)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    print(f'lookup and kernel compared on {table.compared} addresses (LAB_SEED={SEED}), '
          f'{time.monotonic() - began:.0f} s')
    print(f'{table.passed} passed, {table.failed} failed, 0 skipped')
    sys.exit(1 if table.failed else 0)


if __name__ == '__main__':
    main()
