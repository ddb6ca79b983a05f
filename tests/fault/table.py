#!/usr/bin/python3
"""The fault table: every way of failing, among healthy hosts, with the real program.

usage: table.py BUILD quick|all|memcheck

BUILD is a directory with the program, .build/release. `quick` needs no root and no server but
OpenSSH's; `all` adds what does, in namespaces of its own (it starts itself again in them);
`memcheck` is a run of 50 hosts, some of them broken, under valgrind. A healthy host is complete
where all of its probes are as in a run without faults. Exit status 1 where a row failed.
"""
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time

sys.dont_write_bytecode = True

import logins
import peers
import runs
from rows import LOGIN, LOGGING_IN, HOST, ROWS, SLACK
from world import ODD_ADDRESS, RECORDED, ROOT, USERS, Missing, World, write

TARGET = 'rm-intra.mysql.rds.aliyuncs.com'
HEALTHY_NAMES = 12


class Table:
    """Rows as they come, and the count of them."""

    def __init__(self):
        self.passed = self.failed = self.skipped = self.known = 0
        print(f'{"fault":42} {"status":18} {"seconds":>7}  healthy hosts complete')

    def row(self, name, status, seconds, healthy, problems, bug=''):
        print(f'{name:42} {status:18} {seconds:7.1f}  {healthy}', flush=True)
        if bug:
            problems = [] if problems else ['passes: rows.py still calls it a bug']
            print(f'    known bug: {bug}', flush=True)
        for problem in problems:
            print(f'    FAILED: {problem}', flush=True)
        if problems:
            self.failed += 1
        elif bug:
            self.known += 1
        else:
            self.passed += 1

    def skip(self, name, why):
        print(f'{name:42} {"skipped":18} {"":7}  {why}', flush=True)
        self.skipped += 1

    def close(self):
        print(f'{self.passed} passed, {self.failed} failed, {self.skipped} skipped, '
              f'{self.known} known bugs')
        return 1 if self.failed else 0


def probes_of(record):
    """Each probe's status, exit status and output; a host's clock is read, but it is never the same."""
    return {p['name']: (p['status'], p['exit'],
                        re.sub(r'(?m)^clock: .*', 'clock', p.get('stdout', p.get('stdout_b64'))),
                        p.get('stderr', p.get('stderr_b64'))) for p in record['probes']}


class Lab:
    """The servers, the program, and what its runs wrote."""

    def __init__(self, build, level):
        self.build, self.level = os.path.abspath(build), level
        self.program = [f'{self.build}/oddhost']
        self.slow = 1.0 if re.search(r'/(release|dev)$', self.build) else 4.0
        self.world = World(f'{self.build}/fault.d')
        self.peers = peers.Peers(self.world)
        self.missing = {}
        self.numbers = iter(range(20, 200))
        self.expected = {}
        self.agent = None
        self.help = subprocess.run(self.program + ['run', '--help'], check=True, text=True,
                                   stdout=subprocess.PIPE).stdout
        self.resumes = '--resume' in subprocess.run(
            self.program + ['collect', '--help'], check=True, text=True,
            stdout=subprocess.PIPE).stdout
        self.retries = '--retries' in self.help
        # The word of a program that can do it; the rows are skipped until then.
        self.jumps = re.search(r'-J\b|[Pp]roxyJump|--ssh-common-args', self.help) is not None

    def path(self, name):
        return os.path.join(self.world.dir, name)

    def start(self):
        world = self.world
        world.sshd('main', [*RECORDED, ODD_ADDRESS], users=USERS)
        self.odd = {'odd': ODD_ADDRESS}
        for name, settings, key in (
                ('nokex', 'KexAlgorithms sntrup761x25519-sha512@openssh.com', 'host_key'),
                ('nocipher', 'Ciphers chacha20-poly1305@openssh.com', 'host_key'),
                ('rsa', '', 'rsa_key'), ('keys', '', 'host_key')):
            addresses = [self.address() for _ in range(5 if name == 'keys' else 1)]
            world.sshd(name, addresses, settings, key)
            self.odd[name] = addresses[0]
            if name == 'keys':
                self.change_keys(addresses)
        if self.level == 'all':
            self.start_others()

    def change_keys(self, addresses):
        self.odd.update(zip(('unknown', 'changed', 'revoked', 'known-by-rsa', 'known-by-ecdsa'),
                            addresses))
        del self.world.known[-5:]
        self.world.trust(self.odd['known-by-rsa'], 'rsa_key')
        self.world.trust(self.odd['known-by-ecdsa'], 'ecdsa_key')
        self.world.trust(self.odd['changed'], 'other_host_key')
        self.world.trust(self.odd['revoked'], 'host_key', '@revoked ')

    def start_others(self):
        for name, start in (('dropbear', self.world.dropbear), ('asyncssh', self.world.asyncssh),
                            ('clock', self.start_clock)):
            self.odd[name] = self.address()
            try:
                start(self.odd[name])
            except Missing as program:
                self.missing[name] = f'there is no {program}'

    def start_clock(self, address):
        """Commands of this host live by a clock that jumps while they run."""
        library = runs.find_faketime()
        self.clock = f'{self.world.state}/clock'
        write(self.clock, '+0\n')
        self.world.sshd('clock', [address], FAKETIME_TIMESTAMP_FILE=self.clock,
                        FAKETIME_NO_CACHE='1', FAKETIME_DONT_FAKE_MONOTONIC='1',
                        LD_PRELOAD=f'{library}:{self.world.wrapper}')

    def address(self):
        return f'127.0.74.{next(self.numbers)}'

    def healthy(self):
        return {f'healthy-{n:02}': list(RECORDED)[n % len(RECORDED)] for n in range(HEALTHY_NAMES)}

    def why_not(self, row):
        """Why a row cannot be asked here, or None."""
        if row.level == 'all' and self.level != 'all':
            return 'make check-all has it'
        if row.server in self.missing:
            return self.missing[row.server]
        shell = {'fish': '/usr/bin/fish', 'csh': '/usr/bin/tcsh'}.get(row.user)
        if shell and not os.path.exists(shell):
            return f'there is no {shell}'
        if row.address.startswith('10.') and os.geteuid() != 0:
            return 'needs root'
        return None

    def place(self, row):
        """Make the row's peer, and say where it is."""
        if row.address == 'deaf':
            address = self.address()
            self.peers.deaf(address)
        elif row.address:
            address = row.address
        elif row.peer:
            address = self.address()
            self.world.trust(address)
            self.peers.add(address, row.peer)
        else:
            address = self.odd[row.server]
        return address

    def inventory(self, name, hosts):
        """`hosts`: name to (address, Row or None)."""
        self.world.write_known_hosts()
        lines = ['[api]']
        for host, (address, row) in hosts.items():
            user, key, args = (row.user, row.key, row.args) if row else ('demo', 'id_ed25519', '')
            lines.append(f"{host} ansible_host={address} ansible_user={user}"
                         f" ansible_ssh_private_key_file={self.path(key)}"
                         f" ansible_ssh_common_args='-o UserKnownHostsFile="
                         f"{self.path('known_hosts')} {args}'"
                         f" {row.vars if row else ''}")
        lines += ['[api:vars]', f'ansible_port={self.world.port}', f'oddhost_targets={TARGET}',
                  'oddhost_reserved=192.168.0.0/16=rds-vpc']
        path = self.path(f'{name}.ini')
        write(path, '\n'.join(lines) + '\n')
        return path

    def command(self, name, inventory, *options, verb='run'):
        return [*self.program, verb, '-i', inventory, '-l', 'api', '-o', self.path(name), '-T',
                str(LOGIN), '--host-timeout', str(HOST), '--color', 'never', *options]

    def env(self):
        env = {k: v for k, v in os.environ.items() if k != 'SSH_AUTH_SOCK'}
        env['HOME'] = self.world.dir
        if self.agent:
            env['SSH_AUTH_SOCK'] = self.agent
        env.setdefault('TSAN_OPTIONS', 'exitcode=66')
        env.setdefault('ASAN_OPTIONS', 'exitcode=66')
        return env

    def popen(self, name, command):
        """Start the program; its stderr goes to NAME.err."""
        with open(self.path(f'{name}.out'), 'wb') as out, \
                open(self.path(f'{name}.err'), 'wb') as err:
            return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=err,
                                    env=self.env(), cwd=ROOT)

    def run(self, name, inventory, *options, verb='run', limit=90.0):
        """Run the program; its exit status (None: it had to be killed), seconds, problems."""
        began = time.monotonic()
        process = self.popen(name, self.command(name, inventory, *options, verb=verb))
        try:
            code = process.wait(limit * self.slow)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            return None, limit, [f'not done in {limit * self.slow:.0f} s: killed']
        return code, time.monotonic() - began, self.complaints(name)

    def text(self, name):
        with open(self.path(name), encoding='utf-8', errors='replace') as text:
            return text.read()

    def complaints(self, name):
        """What a sanitizer or valgrind said."""
        text = self.text(f'{name}.err')
        at = re.search(r'.*Sanitizer|runtime error:|==\d+==', text)
        return [text[at.start():at.start() + 3000]] if at else []

    def records(self, name):
        with open(self.path(f'{name}/hosts.jsonl'), encoding='utf-8') as lines:
            return {r['host']: r for r in map(json.loads, lines)}

    def learn(self):
        """What a healthy host gives, from a run of nobody else."""
        hosts = {host: (address, None) for address, host in RECORDED.items()}
        code, _, problems = self.run('healthy', self.inventory('healthy', hosts))
        if code != 1 or problems:  # 1: the recorded incident is found
            raise RuntimeError(f'healthy hosts: exit {code} {problems} {self.text("healthy.err")}')
        for host, record in self.records('healthy').items():
            if record['status'] != 'ok' or any(p['exit'] < 0 for p in record['probes']):
                raise RuntimeError(f'{host} is not healthy: {record["status"]} {record["error"]}')
            self.expected[host] = probes_of(record)

    def is_complete(self, record, host='host-02'):
        return record['status'] == 'ok' and probes_of(record) == self.expected[host]

    def count_healthy(self, records):
        """"12/12", and what is wrong with those that are missing."""
        names = self.healthy()
        bad = [name for name, address in names.items() if name not in records or
               not self.is_complete(records[name], RECORDED[address])]
        problems = [f'healthy hosts not complete: {", ".join(bad)}'] if bad else []
        return f'{len(names) - len(bad)}/{len(names)}', problems

    def slack(self, records):
        """What a limit may be missed by: more where this machine is so busy that healthy hosts wait."""
        waits = [records[h]['elapsed_ms'] / 1000 for h in self.healthy() if h in records]
        return SLACK * self.slow + max(waits, default=0)

    def judge(self, row, records, findings):
        """What is wrong with a host's record."""
        record = records.get(row.host)
        problems = []
        if record is None:
            return ['no record']
        if record['status'] not in row.status.split():
            problems.append(f'expected {row.status}, says: {record["error"]}')
        if not re.search(row.says, record['error'], re.I):
            problems.append(f'says nothing like "{row.says}": {record["error"]}')
        if record['status'] != 'ok' and len(record['error']) < 8:
            problems.append('its error says nothing')
        limit = row.seconds * (2 if self.retries and row.seconds <= LOGGING_IN else 1)
        if record['elapsed_ms'] / 1000 > min(limit, HOST) + self.slack(records):
            problems.append(f'took longer than {limit:g} s')
        if row.complete and not self.is_complete(record):
            problems.append(f'not complete: {record["error"]}')
        probes = probes_of(record)
        for name in row.kept:
            if probes.get(name) != self.expected['host-02'][name]:
                problems.append(f'{name} was lost: {str(probes.get(name))[:100]}')
        for name, statuses in row.probes.items():
            if probes.get(name, ('none',))[0] not in statuses.split():
                problems.append(f'{name} is {probes.get(name, ("none",))[0]}, not {statuses}')
        if not record['probes'] and not advice_for(findings, record['host']):
            problems.append('no finding says what to do about it')
        return problems

    def close(self):
        self.peers.close()
        self.world.close()


def advice_for(findings, host):
    return [step for f in findings['findings']
            if f['rule'] == 'host-unreachable' and host in f['hosts'] for step in f['fix']]


def faults(lab, table):
    """All broken hosts and the healthy ones in one run."""
    rows = [row for row in ROWS if lab.why_not(row) is None]
    hosts = {name: (address, None) for name, address in lab.healthy().items()}
    for row in rows:
        hosts[row.host] = (lab.place(row), row)
    inventory = lab.inventory('faults', hosts)
    done = threading.Event()
    if hasattr(lab, 'clock'):
        threading.Thread(target=runs.jump_clock, args=(lab, done), daemon=True).start()
    code, seconds, problems = lab.run('faults', inventory, '--deadline', '60')
    done.set()
    if code is None:
        table.row('the run', 'hangs', seconds, '-', problems)
        return
    records = lab.records('faults')
    healthy, worse = lab.count_healthy(records)
    problems += worse
    if code != 1:
        problems.append(f'exit status {code}: {lab.text("faults.err")[-300:]}')
    if seconds > HOST + 2 + lab.slack(records):
        problems.append('the run took longer than its longest host may')
    findings = json.loads(lab.text('faults/findings.json')) if code == 1 else {'findings': []}
    for row in ROWS:
        why = lab.why_not(row)
        if why is not None:
            table.skip(row.name, why)
            continue
        record = records.get(row.host)
        table.row(row.name, record['status'] if record else 'none',
                  record['elapsed_ms'] / 1000 if record else 0, healthy,
                  lab.judge(row, records, findings), row.bug)
    for name, asked in (('sudo', 1), ('sudo-one', 1), ('sudo-once', 2)):
        with open(f'{lab.world.state}/{name}.log', encoding='ascii') as log:
            if log.read() != asked * 'asked\n':
                problems.append(f'{name}: sudo was not asked {asked} times')
    table.row('all of these in one run', f'exit {code}', seconds, healthy, problems)


def memcheck(lab, table):
    """50 hosts under valgrind, one in five of them broken."""
    hosts = {f'host-{n:02}': (list(RECORDED)[n % 4], None) for n in range(40)}
    picked = [r for r in ROWS if r.level == 'quick' and (r.seconds <= 2 or r.peer is peers.silent)
              and (r.peer or r.server != 'odd' or r.user != 'demo')]
    for row in picked[::len(picked) // 10][:10]:
        hosts[row.host] = (lab.place(row), row)
    inventory = lab.inventory('memcheck', hosts)
    lab.program = ['valgrind', '-q', '--leak-check=full', '--errors-for-leak-kinds=definite',
                   '--error-exitcode=66', *lab.program]
    lab.slow = 4.0
    code, seconds, problems = lab.run('memcheck', inventory, '-T', '15', '--host-timeout', '60')
    records = lab.records('memcheck')
    good = sum(lab.is_complete(records[name], RECORDED[address])
               for name, (address, row) in hosts.items() if row is None)
    if code != 1 or good != 40 or len(records) != 50:
        problems.append(f'exit status {code}, {len(records)} records')
    table.row('50 hosts under valgrind', f'exit {code}', seconds, f'{good}/40', problems)


def main():
    if len(sys.argv) < 3 or sys.argv[2] not in ('quick', 'all', 'memcheck'):
        sys.exit(__doc__)
    build, level = sys.argv[1:3]
    if level == 'all' and os.geteuid() == 0 and 'inside' not in sys.argv:
        os.execvp('unshare', ['unshare', '-n', '-m', sys.executable, __file__, build, level,
                              'inside'])
    # One that is ignored where this is started (in the background, by nohup) would be so in there.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda n, _: sys.exit(128 + n))
    if 'inside' in sys.argv:
        runs.prepare_namespaces()
    try:
        lab = Lab(build, level)
    except Missing as program:
        sys.exit(f'table.py: there is no {program}: .ci/deps check installs it')
    table = Table()
    try:
        lab.start()
        if level != 'memcheck':
            lab.learn()
            faults(lab, table)
            runs.run_all(lab, table)
            logins.run_all(lab, table)
        else:
            lab.learn()
            memcheck(lab, table)
    finally:
        lab.close()
    sys.exit(table.close())


if __name__ == '__main__':
    main()
