"""Rows of the fault table that need a run of their own: signals, disks, limits, retries, jumps."""
import json
import os
import pty
import re
import signal
import socket
import subprocess
import sys
import threading
import time

import peers
from rows import DOCKER, HOST, LOGGING_IN, LOGIN, OK, QUICK_PROBES, Row
from world import RECORDED, Missing, find, write


GOOD_NAMES = [f'good-{n:02}.example' for n in range(20)]


def find_faketime():
    try:
        return find('/usr/lib/*/faketime/libfaketime.so.1')
    except Missing as missing:
        raise Missing('libfaketime') from missing


def jump_clock(lab, done):
    """An hour on, and back again, while probes run."""
    while not done.wait(0.2):
        for offset in ('+1h', '+0'):
            write(lab.clock + '.new', offset + '\n')
            os.rename(lab.clock + '.new', lab.clock)
            done.wait(0.2)


def prepare_namespaces():
    """A network that drops what goes to 10.97/24, and a name server that says nothing."""
    for command in ('mount --make-rprivate /', 'ip link set lo up',
                    'ip tuntap add dev drop mode tun', 'ip link set drop up',
                    'ip addr add 10.97.0.1/24 dev drop',
                    'ip route add unreachable 10.98.0.0/24',
                    'mount -t tmpfs none /mnt'):
        subprocess.run(command.split(), check=True)
    with open('/etc/hosts', encoding='utf-8') as hosts:
        known = hosts.read()
    write('/mnt/resolv.conf', 'nameserver 10.97.0.53\n')
    write('/mnt/hosts', known + ''.join(f'127.0.74.12 {name}\n' for name in GOOD_NAMES))
    for name in 'resolv.conf', 'hosts':
        subprocess.run(['mount', '--bind', f'/mnt/{name}', os.path.realpath(f'/etc/{name}')],
                       check=True)


def wait_for(check, seconds):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if check():
            return True
        time.sleep(0.02)
    return False


def lines_of(lab, name):
    try:
        with open(lab.path(f'{name}/hosts.jsonl'), 'rb') as lines:
            return lines.read().count(b'\n')
    except OSError:
        return 0


def with_slow_hosts(lab, name):
    """Healthy hosts, one whose probe never ends, and one that says nothing."""
    hosts = {host: (address, None) for host, address in lab.healthy().items()}
    hosts['slow'] = (lab.odd['odd'], Row('slow', 'interrupted', user='untimed'))
    silent = lab.address()
    lab.peers.add(silent, peers.silent)
    hosts['silent'] = (silent, None)
    return lab.inventory(name, hosts)


def finish(lab, process, limit):
    """The exit status, or None where it had to be killed."""
    try:
        return process.wait(limit * lab.slow)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        return None


def judge_interrupted(lab, name, code, records, seconds):
    problems = lab.complaints(name) if os.path.exists(lab.path(f'{name}.err')) else []
    if code != 130:
        problems.append(f'exit status {code}, not 130')
    for report in ('report.html', 'report.md', 'findings.json'):
        if not os.path.exists(lab.path(f'{name}/{report}')):
            problems.append(f'there is no {report}')
    for host in ('slow', 'silent'):
        status = records.get(host, {}).get('status', 'none')
        if status != 'interrupted':
            problems.append(f'{host} is {status}, not interrupted')
    if seconds > 1.5 + lab.slack(records):
        problems.append(f'took {seconds:.1f} s to end')
    return problems


def interrupted(lab, table, number):
    name = number.name.lower()
    process = lab.popen(name, lab.command(name, with_slow_hosts(lab, name), '-T', '12'))
    wait_for(lambda: lines_of(lab, name) >= len(lab.healthy()), 10 * lab.slow)
    began = time.monotonic()
    process.send_signal(number)
    code = finish(lab, process, 20)
    seconds = time.monotonic() - began
    records = lab.records(name)
    healthy, problems = lab.count_healthy(records)
    problems += judge_interrupted(lab, name, code, records, seconds)
    table.row(number.name, f'exit {code}', seconds, healthy, problems)


def terminal_closed(lab, table):
    """The program runs on a terminal that goes away: the kernel sends SIGHUP, writes fail."""
    name = 'terminal'
    command = lab.command(name, with_slow_hosts(lab, name), '-T', '12')
    pid, master = pty.fork()
    if pid == 0:
        os.execve(command[0], command, lab.env())
    threading.Thread(target=drain, args=(master,), daemon=True).start()
    wait_for(lambda: lines_of(lab, name) >= len(lab.healthy()), 10 * lab.slow)
    began = time.monotonic()
    os.close(master)
    ended = []
    if not wait_for(lambda: ended.append(os.waitpid(pid, os.WNOHANG)) or ended[-1][0] != 0,
                    20 * lab.slow):
        os.kill(pid, signal.SIGKILL)
        ended.append(os.waitpid(pid, 0))
    code = os.waitstatus_to_exitcode(ended[-1][1])
    seconds = time.monotonic() - began
    records = lab.records(name)
    healthy, problems = lab.count_healthy(records)
    problems += judge_interrupted(lab, name, code, records, seconds)
    table.row('terminal closed', f'exit {code}', seconds, healthy, problems)


def drain(master):
    try:
        while os.read(master, 4096):
            pass
    except OSError:
        pass


def killed(lab, table):
    """SIGKILL: whole lines up to the last host, and --resume does the rest."""
    name = 'sigkill'
    inventory = with_slow_hosts(lab, name)
    process = lab.popen(name, lab.command(name, inventory, '-f', '3', '-T', '12'))
    wait_for(lambda: lines_of(lab, name) >= 4, 20 * lab.slow)
    process.kill()
    process.wait()
    problems = []
    with open(lab.path(f'{name}/hosts.jsonl'), 'rb') as text:
        lines = text.read()
    if not lines.endswith(b'\n') and lines:
        problems.append('the last line is not whole')
    records = lab.records(name) if not problems else {}
    names = lab.healthy()
    good = sum(host in names and lab.is_complete(r, RECORDED[names[host]])
               for host, r in records.items())
    if good != len(records) or good < 4:
        problems.append(f'{good} of {len(records)} hosts complete')
    table.row('SIGKILL', 'killed', 0, f'{good}/{len(records)} that had ended', problems)
    resume(lab, table, name, inventory)


def resume(lab, table, name, inventory):
    if not lab.resumes:
        table.skip('collect --resume', 'no --resume yet')
        return
    began = time.monotonic()
    process = lab.popen(name, [*lab.program, 'collect', '-i', inventory, '-l', 'api', '--resume',
                               lab.path(name), '-T', '3', '--host-timeout', '6'])
    code = finish(lab, process, 30)
    problems = lab.complaints(name)
    healthy, worse = lab.count_healthy(lab.records(name))
    if lines_of(lab, name) != len(lab.records(name)):
        problems.append('a host has two records')
    if code not in (0, 3):
        problems.append(f'exit status {code}: {lab.text(f"{name}.err")[-200:]}')
    table.row('collect --resume', f'exit {code}', time.monotonic() - began, healthy,
              problems + worse)


def deadline(lab, table):
    """--deadline ends a run whose hosts would go on."""
    name = 'deadline'
    code, seconds, problems = lab.run(name, with_slow_hosts(lab, name), '-T', '12',
                                      '--deadline', '6')
    records = lab.records(name)
    healthy, worse = lab.count_healthy(records)
    for host in ('slow', 'silent'):
        if records[host]['status'] != 'deadline':
            problems.append(f'{host} is {records[host]["status"]}, not deadline')
    if seconds > 7 + lab.slack(records) or code != 1:
        problems.append(f'exit status {code} after {seconds:.1f} s')
    table.row('deadline of the run', f'exit {code}', seconds, healthy, problems + worse)


def disk(lab, table, name, options, said):
    """A run directory that cannot be written, in a file system of its own."""
    place = lab.path(f'{name}.d')
    os.makedirs(place)
    subprocess.run(['mount', '-t', 'tmpfs', '-o', options, 'none', place], check=True)
    code, seconds, problems = lab.run(name, lab.inventory(name, {
        host: (address, None) for host, address in lab.healthy().items()}), '-o', f'{place}/run')
    text = lab.text(f'{name}.err') + lab.text(f'{name}.out')
    if code != 2:
        problems.append(f'exit status {code}, not 2')
    if not re.search(said, text):
        problems.append(f'does not say "{said}": {text[-200:]}')
    if os.path.exists(f'{place}/run/hosts.jsonl'):
        with open(f'{place}/run/hosts.jsonl', 'rb') as lines:
            problems += whole_lines(lines.read())
    subprocess.run(['umount', '-l', place], check=True)
    table.row(f'run directory: {name}', f'exit {code}', seconds, '-', problems)


def whole_lines(text):
    try:
        for line in text.splitlines():
            json.loads(line)
    except ValueError:
        return ['hosts.jsonl holds a line that is not whole']
    return []


def max_startups(lab, table):
    """sshd refuses seven of ten; with time enough, all come through."""
    address = lab.address()
    lab.world.sshd('startups', [address], 'MaxStartups 2:70:100\nLoginGraceTime 60')
    held = [socket.create_connection((address, lab.world.port)) for _ in range(2)]
    hosts = {f'limited-{n:02}': (address, None) for n in range(8)}
    hosts.update({host: (at, None) for host, at in lab.healthy().items()})
    code, seconds, problems = lab.run('startups', lab.inventory('startups', hosts), '-T', '30',
                                      '--host-timeout', '40')
    records = lab.records('startups')
    healthy, worse = lab.count_healthy(records)
    through = [host for host in hosts if host.startswith('limited') and
               lab.is_complete(records[host])]
    refused = lab.text('startups.log').count('Exceeded MaxStartups') + \
        lab.text('startups.log').count('drop connection')
    if len(through) < 8:
        problems.append(f'{8 - len(through)} did not get through')
    if refused == 0:
        problems.append('sshd refused nobody')
    table.row('MaxStartups 2:70:100', f'exit {code}', seconds, healthy, problems + worse)
    for connection in held:
        connection.close()


def many_targets(lab, table):
    """Scripts of 15 KB: with the command to OpenSSH, behind it to the others."""
    hosts = {f'{server}-targets': (lab.odd[server], None)
             for server in ('odd', 'dropbear', 'asyncssh') if server in lab.odd}
    hosts = {host: at for host, at in hosts.items() if host.split('-')[0] not in lab.missing}
    hosts.update({host: (at, None) for host, at in lab.healthy().items()})
    inventory = lab.inventory('targets', hosts)
    targets = ','.join(f'db{n:03}.example' for n in range(60))
    write(inventory, re.sub('(?m)^oddhost_targets=.*', f'oddhost_targets={targets}',
                            lab.text('targets.ini')))
    code, seconds, problems = lab.run('targets', inventory)
    records = lab.records('targets')
    good = {host for host, record in records.items() if record['status'] == 'ok' and
            all(probe['exit'] is not None for probe in record['probes'])}
    for host in hosts:
        if host not in good:
            problems.append(f'{host} is {records[host]["status"]}: {records[host]["error"]}')
    table.row('60 targets', f'exit {code}', seconds, f'{len(good)}/{len(hosts)}', problems)


# Runs a program with 130 descriptors, of which others hold some.
FEW = """import os, resource, sys
resource.setrlimit(resource.RLIMIT_NOFILE, (130, 130))
for _ in range(int(sys.argv[1])):
    os.set_inheritable(os.dup(0), True)
os.execv(sys.argv[2], sys.argv[2:])"""


def descriptors(lab, table):
    """Fewer than workers and hosts would have: said, where it can be known, and nobody's fault."""
    at = list(RECORDED)
    hosts = {f'many-{n:02}': (at[n % len(at)], None) for n in range(40)}
    inventory = lab.inventory('descriptors', hosts)
    program = lab.program
    for name, held, said in (('few', 0, '27 hosts at once instead of 40'), ('held', 100, '')):
        lab.program = [sys.executable, '-c', FEW, str(held), *program]
        code, seconds, problems = lab.run(name, inventory, '-f', '60', '--workers', '24', '-T',
                                          '20', '--host-timeout', '40')
        records = lab.records(name)
        good = sum(lab.is_complete(records[host], RECORDED[address])
                   for host, (address, _) in hosts.items())
        if good < len(hosts):
            problems += sorted({f'not complete: {r["status"]} {r["error"]}'
                                for r in records.values()})
        if said not in lab.text(f'{name}.err'):
            problems.append(f'does not say "{said}": {lab.text(f"{name}.err")}')
        table.row(f'130 descriptors, {held} of them held', f'exit {code}', seconds,
                  f'{good}/{len(hosts)}', problems)
    lab.program = program


def delay_signatures(listener, real, seconds):
    """An agent that takes its time to sign, as one that asks its user does."""
    while True:
        try:
            client, _ = listener.accept()
        except OSError:
            return
        with client, socket.socket(socket.AF_UNIX) as agent:
            agent.connect(real)
            while request := read_message(client):
                if request[4] == 13:  # SSH_AGENTC_SIGN_REQUEST
                    time.sleep(seconds)
                agent.sendall(request)
                client.sendall(read_message(agent))


def read_message(connection):
    head = connection.recv(4, socket.MSG_WAITALL)
    if len(head) < 4:
        return b''
    return head + connection.recv(int.from_bytes(head, 'big'), socket.MSG_WAITALL)


def slow_agent(lab, table):
    """While the agent thinks about one host, the others go on."""
    real, wait = f'{lab.world.state}/agent', 3 * lab.slow
    lab.agent = f'{lab.world.state}/slow-agent'
    process = lab.world.spawn(['ssh-agent', '-D', '-a', real], 'agent')
    wait_for(lambda: os.path.exists(real), 10)
    subprocess.run(['ssh-add', '-q', lab.path('id_ed25519')], check=True,
                   env={**os.environ, 'SSH_AUTH_SOCK': real})
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(lab.agent)
        listener.listen()
        threading.Thread(target=delay_signatures, args=(listener, real, wait), daemon=True).start()
        hosts = {host: (at, None) for host, at in lab.healthy().items()}
        hosts['by-agent'] = (lab.odd['odd'], None)
        inventory = lab.inventory('agent', hosts)
        write(inventory, re.sub('(?m)^(by-agent .*) ansible_ssh_private_key_file=\\S+', r'\1',
                                lab.text('agent.ini')))
        code, seconds, problems = lab.run('agent', inventory, '-T', f'{4 * wait:.0f}', '--host-timeout',
                                          f'{8 * wait:.0f}', '--workers', '1')
        listener.shutdown(socket.SHUT_RDWR)
    lab.agent = None
    process.terminate()
    records = lab.records('agent')
    healthy, worse = lab.count_healthy(records)
    late = [host for host in lab.healthy() if records[host]['elapsed_ms'] >= wait * 1000]
    if late:
        problems.append(f'waited for the agent: {", ".join(late)}')
    asked = records['by-agent']
    if not lab.is_complete(asked) or asked['elapsed_ms'] < wait * 1000:
        problems.append(f'by-agent is {asked["status"]}: {asked["error"]}')
    table.row(f'agent that signs in {wait:.0f} s', f'exit {code}', seconds, healthy,
              problems + worse)


def dead_names(lab, table):
    """More names than threads to resolve them whose server does not answer, before 20 good ones."""
    hosts = {f'dead-{n:02}': (f'dead-{n:02}.example', None) for n in range(60)}
    hosts.update({name: (name, None) for name in GOOD_NAMES})
    for name in GOOD_NAMES:
        lab.world.trust(name)
    code, seconds, problems = lab.run('names', lab.inventory('names', hosts), '--workers', '1')
    records = lab.records('names')
    good = sum(lab.is_complete(records[name]) for name in GOOD_NAMES)
    if good < len(GOOD_NAMES):
        problems.append(f'not complete: {records[GOOD_NAMES[0]]["error"]}')
    table.row('60 names without an answer', f'exit {code}', seconds, f'{good}/{len(GOOD_NAMES)}',
              problems)


def jump_rows(lab):
    """Targets behind jump hosts: name to (address, Row); 127.0.74.250 is nobody."""
    via = f'-J demo@{lab.odd["jump"]}:{lab.world.port}'
    two = f'{via},demo@{lab.odd["jump2"]}:{lab.world.port}'
    away = f'-J demo@127.0.74.250:{lab.world.port}'
    closed = f'-J demo@{lab.odd["closed"]}:{lab.world.port}'
    login = f'-J refused@{lab.odd["odd"]}:{lab.world.port}'
    silent, deaf = lab.address(), lab.address()
    lab.peers.add(silent, peers.silent)
    lab.peers.deaf(deaf)
    rows = [
        ('127.0.74.12', Row('one jump host', args=via, **OK)),
        ('127.0.74.12', Row('two jump hosts', args=two, **OK)),
        ('127.0.74.250', Row('target refuses its jump host', 'unreachable', 'refused', args=via)),
        (silent, Row('target says nothing to its jump host', 'banner-timeout',
                     f'behind jump host {lab.odd["jump"]}$', LOGGING_IN, args=via)),
        (deaf, Row('target does not answer its jump host', 'connect-timeout', 'no answer to jump',
                   LOGGING_IN, args=via)),
        ('127.0.74.12', Row('jump host refuses', 'connect-refused', 'jump host .*refused',
                            args=away)),
        ('127.0.74.12', Row('jump host refuses the login', 'auth-failed',
                            'jump host .*login as refused', args=login)),
        ('127.0.74.12', Row('jump host forbids forwarding', 'channel-failed', 'forbids forwarding',
                            args=closed)),
        (lab.odd['odd'], Row('MaxSessions 1 behind a jump host', user='one-session', args=via,
                             **OK)),
        # A probe of its own that says nothing for long, so that nothing else moves the way to it.
        (lab.odd['odd'], Row('quiet behind two jump hosts', 'ok', '^$', HOST, user='sleeper',
                             kept=QUICK_PROBES, probes={DOCKER: 'timeout'}, args=two)),
    ]
    return rows + [('127.0.74.12', Row(f'jump target {n} of 5, 3 dead', args=via, **OK))
                   for n in (4, 5)]


def jumps(lab, table):
    if not lab.jumps:
        table.skip('jump hosts: 14 rows', 'no ProxyJump yet')
        return
    for name, forwarding in ('jump', 'yes'), ('jump2', 'yes'), ('closed', 'no'):
        lab.odd[name] = lab.address()
        lab.world.sshd(name, [lab.odd[name]], f'AllowTcpForwarding {forwarding}')
    hosts = {host: (address, None) for host, address in lab.healthy().items()}
    rows = jump_rows(lab)
    hosts.update({row.host: (address, row) for address, row in rows})
    # As with ssh, options of the target's command line are not the jump host's: a file is for all.
    config = lab.path('jumps.config')
    write(config, f"IdentityFile {lab.path('id_ed25519')}\n")
    code, seconds, problems = lab.run('jumps', lab.inventory('jumps', hosts),
                                      '--known-hosts', lab.path('known_hosts'), '-F', config)
    records = lab.records('jumps')
    healthy, worse = lab.count_healthy(records)
    findings = json.loads(lab.text('jumps/findings.json'))
    for _, row in rows:
        record = records.get(row.host)
        table.row(row.name, record['status'], record['elapsed_ms'] / 1000, healthy,
                  lab.judge(row, records, findings))
    table.row('all behind jump hosts in one run', f'exit {code}', seconds, healthy,
              problems + worse)
    dead_first(lab, table, config)
    jump_lost(lab, table, config, 'jump host resets once', peers.reset)
    jump_lost(lab, table, config, 'jump host falls silent once', peers.pause)
    jump_refuses(lab, table, config)
    if lab.level == 'all':
        jump_floods(lab, table, config)
    jump_aliases(lab, table)


def behind(lab, table, title, jump, config, targets):
    """Healthy targets, and the others in `targets` before them, behind one jump host."""
    name = re.sub(r'\W+', '-', title)
    args = f'-J demo@{jump}:{lab.world.port}'
    hosts = {f'other-{n:02}': (at, Row('', '', args=args)) for n, at in enumerate(targets)}
    hosts.update({host: (at, Row('', '', args=args)) for host, at in lab.healthy().items()})
    code, seconds, problems = lab.run(name, lab.inventory(name, hosts), '--known-hosts',
                                      lab.path('known_hosts'), '-F', config, '--workers', '1')
    healthy, worse = lab.count_healthy(lab.records(name))
    table.row(title, f'exit {code}', seconds, healthy, problems + worse)


def dead_first(lab, table, config):
    """More targets than there are jump sessions do not answer."""
    dead = [lab.address() for _ in range(20)]
    for address in dead:
        lab.peers.deaf(address)
    behind(lab, table, '20 dead targets before 12 healthy', lab.odd['jump'], config, dead)


def jump_lost(lab, table, config, title, after):
    """The first connection to the jump host breaks while ways are opened through it."""
    first = [True]

    def peer(conn, world):
        limit = 4500 if first else None
        first.clear()
        peers.forward(conn, world, limit=limit, after=after, address=lab.odd['jump'])

    address = lab.address()
    lab.world.trust(address)
    lab.peers.add(address, peer)
    behind(lab, table, title, address, config, ())
    if first:
        table.row(title, 'none', 0, '-', ['it was not asked'])


def jump_refuses(lab, table, config):
    """It carries one connection, refuses others for a while, and carries again. Meanwhile a target
    without an answer takes up that one."""
    address, dead = lab.address(), lab.address()
    lab.world.trust(address)
    lab.peers.deaf(dead)

    def peer(conn, world):
        peers.forward(conn, world, address=lab.odd['jump'])

    def play(listener):
        conn = listener.accept()[0]
        listener.close()
        threading.Thread(target=lab.peers.serve, args=(conn, peer), daemon=True).start()
        time.sleep(LOGIN / 2 + 1)
        lab.peers.add(address, peer)

    listener = socket.create_server((address, lab.world.port))
    threading.Thread(target=play, args=(listener,), daemon=True).start()
    behind(lab, table, 'jump host refuses for a while', address, config, [dead])


def jump_floods(lab, table, config):
    """What a jump host sends that is for nobody is kept by libssh2: up to a limit."""
    address = lab.address()
    try:
        lab.world.asyncssh(address, log='flood', passwords=['flood'])
    except Missing as program:
        table.skip('jump host floods', f'there is no {program}')
        return
    row = Row('jump host floods', 'unreachable disconnected', 'jump host .* MiB that was for nobody',
              HOST, user='sleeper', args=f'-J demo@{address}:{lab.world.port}')
    _, seconds, problems = lab.run('floods', lab.inventory('floods', {row.host: (
        lab.odd['odd'], row)}), '--known-hosts', lab.path('known_hosts'), '-F', config)
    record = lab.records('floods')[row.host]
    problems += lab.judge(row, lab.records('floods'), json.loads(lab.text('floods/findings.json')))
    table.row(row.name, record['status'], seconds, '-', problems)


def jump_aliases(lab, table):
    """Several names of one jump host: each is trusted and logged in to by its own rules alone."""
    config = lab.path('aliases.config')
    own = {'lax': 'StrictHostKeyChecking no',
           'strict': f"UserKnownHostsFile {lab.path('no_hosts')}",
           'refused': f"IdentityFile {lab.path('other_key')}\n  IdentitiesOnly yes",
           'good': f"IdentityFile {lab.path('id_ed25519')}"}
    write(config, ''.join(f'Host {name}\n  {lines}\n' for name, lines in own.items())
          + f"Host {' '.join(own)}\n  HostName {lab.odd['jump']}\n  Port {lab.world.port}\n"
          f"  User demo\n  UserKnownHostsFile {lab.path('known_hosts')}\n"
          f"Host lax strict\n  IdentityFile {lab.path('id_ed25519')}\n")
    rows = [Row('jump host, key not checked', args='-J lax', **OK),
            Row('the same one, key checked', 'hostkey-unknown', 'jump host .*SHA256:',
                args='-J strict'),
            Row('the same one, with another key', 'auth-failed', 'jump host .*other_key',
                args='-J refused'),
            Row('the same one, with the right key', args='-J good', **OK)]
    lab.run('aliases', lab.inventory('aliases', {row.host: ('127.0.74.12', row) for row in rows}),
            '-F', config, '--workers', '1')
    records, findings = lab.records('aliases'), json.loads(lab.text('aliases/findings.json'))
    for row in rows:
        record = records[row.host]
        table.row(row.name, record['status'], record['elapsed_ms'] / 1000, '-',
                  lab.judge(row, records, findings))


def by_agent(lab, table):
    """The agent's answer comes while nothing else moves the way through the jump host."""
    lab.agent = f'{lab.world.state}/plain-agent'
    process = lab.world.spawn(['ssh-agent', '-D', '-a', lab.agent], 'plain-agent')
    wait_for(lambda: os.path.exists(lab.agent), 10)
    subprocess.run(['ssh-add', '-q', lab.path('id_ed25519')], check=True,
                   env={**os.environ, 'SSH_AUTH_SOCK': lab.agent})
    way = Row('', '', args=f'-J demo@{lab.odd["jump"]}:{lab.world.port}')
    inventory = lab.inventory('by-agent', {'by-agent': ('127.0.74.12', way)})
    write(inventory, re.sub(' ansible_ssh_private_key_file=\\S+', '', lab.text('by-agent.ini')))
    code, seconds, problems = lab.run('by-agent', inventory, '--known-hosts',
                                      lab.path('known_hosts'))
    lab.agent = None
    process.terminate()
    record = lab.records('by-agent')['by-agent']
    if not lab.is_complete(record):
        problems.append(f'{record["status"]}: {record["error"]}')
    table.row('agent behind a jump host', f'exit {code}', seconds, '-', problems)


def run_all(lab, table):
    for number in (signal.SIGINT, signal.SIGTERM):
        interrupted(lab, table, number)
    terminal_closed(lab, table)
    killed(lab, table)
    deadline(lab, table)
    max_startups(lab, table)
    many_targets(lab, table)
    descriptors(lab, table)
    slow_agent(lab, table)
    jumps(lab, table)
    by_agent(lab, table)
    if lab.level == 'all' and os.geteuid() == 0:
        dead_names(lab, table)
        disk(lab, table, 'full disk', 'size=64k', 'No space left')
        disk(lab, table, 'read-only', 'ro', 'Read-only')
    else:
        table.skip('names without an answer; run directory: full disk, read-only',
                   'needs root' if lab.level == 'all' else 'make check-all has it')
