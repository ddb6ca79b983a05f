"""Rows of the fault table about logging in from a terminal: passwords, passphrases, order of keys."""
import fcntl
import os
import pty
import select
import shutil
import signal
import subprocess
import termios
import time

from rows import OK, Row
from world import Missing, write

PASSWORD = 'Tr0ub4dor & a battery staple'


class Terminal:
    """The program on a terminal, whose other end stays open so that its state can be looked at."""

    def __init__(self, lab, name, inventory, *options, home=None, agent=None):
        master, slave = pty.openpty()
        self.master, self.slave, self.said = master, slave, b''
        env = {**lab.env(), 'HOME': home or '/nonexistent'}
        if agent:
            env['SSH_AUTH_SOCK'] = agent

        def take_terminal():
            os.setsid()
            fcntl.ioctl(slave, termios.TIOCSCTTY, 0)

        with open(lab.path(f'{name}.err'), 'wb') as err:
            self.process = subprocess.Popen(
                lab.command(name, inventory, '-q', '--known-hosts', lab.path('known_hosts'),
                            *options, verb='collect'),
                stdin=slave, stdout=slave, stderr=err, env=env, preexec_fn=take_terminal)

    def await_text(self, text, seconds, times=1):
        end = time.monotonic() + seconds
        while self.said.count(text) < times and time.monotonic() < end:
            if select.select([self.master], [], [], 0.05)[0]:
                self.said += os.read(self.master, 4096)
        return self.said.count(text) >= times

    def type(self, text):
        os.write(self.master, text.encode())

    def echoes(self):
        return bool(termios.tcgetattr(self.slave)[3] & termios.ECHO)

    def close(self, seconds):
        """The exit status; None: it had to be killed."""
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            return None
        finally:
            os.close(self.master)
            os.close(self.slave)


def without_keys(lab, name, hosts):
    """An inventory that names no key."""
    inventory = lab.inventory(name, hosts)
    text = ''.join(line.replace(f' ansible_ssh_private_key_file={lab.path("id_ed25519")}', '')
                   for line in lab.text(f'{name}.ini').splitlines(keepends=True))
    write(inventory, text)
    return inventory


def judge(lab, name, rows):
    """What is wrong with the hosts of (address, Row)."""
    records, problems = lab.records(name), []
    for _, row in rows:
        findings = {'findings': [{'rule': 'host-unreachable', 'hosts': [row.host], 'fix': ['-']}]}
        problems += [f'{row.host}: {problem}' for problem in lab.judge(row, records, findings)]
    return problems + lab.complaints(name)


def passwords(lab, table):
    """-k, with servers that take passwords in either way, and count how often they come."""
    wanted = (('keyboard-interactive', PASSWORD, OK), ('password', PASSWORD, OK),
              ('password,keyboard-interactive', PASSWORD, OK),
              ('password,keyboard-interactive', 'another',
               {'status': 'auth-failed', 'says': 'login as [^ ]*: the password was refused$'}),
              ('keyboard-interactive', 'another',
               {'status': 'auth-failed', 'says': 'login as [^ ]*: the password was refused$'}))
    rows = []
    for n, (methods, password, result) in enumerate(wanted):
        address = lab.address()
        try:
            lab.world.asyncssh(address, log=f'passwords-{n}', passwords=(methods, password))
        except Missing as program:
            table.skip('passwords', f'there is no {program}')
            return
        rows.append((address, Row(f'password {n}', user=f'user-{n}', **result)))
    rows.append((lab.odd['odd'], Row('password where keys are wanted', 'auth-failed',
                                     'takes no password, only: publickey')))
    inventory = without_keys(lab, 'passwords', {row.host: at_row for at_row in rows
                                                for row in at_row[1:]})
    began = time.monotonic()
    terminal = Terminal(lab, 'passwords', inventory, '-k')
    problems = [] if terminal.await_text(b'password: ', 5 * lab.slow) else ['does not ask']
    terminal.type(PASSWORD + '\n')
    code = terminal.close(30 * lab.slow)
    if not problems and code == 3:
        problems = judge(lab, 'passwords', rows)
    else:
        problems.append(f'exit status {code}: {lab.text("passwords.err")[-300:]}')
    for n in range(len(wanted)):
        sent = lab.text(f'passwords-{n}.log').count('attempt by')
        if sent != 1:
            problems.append(f'{wanted[n][0]}: the password was sent {sent} times')
    table.row('passwords, 5 servers', f'exit {code}', time.monotonic() - began, '-', problems)


def unverified(lab, table):
    """-k with --host-key off: whoever shows another key than the known one gets no password."""
    refused = Row('known', 'auth-failed', 'the password was refused$', user='password')
    withheld = 'the password was not sent, since known_hosts has another key'
    addresses = [lab.address() for _ in range(3)]
    lab.world.sshd('unverified', addresses, users=['password'])
    del lab.world.known[-2:]
    lab.world.trust(addresses[1], 'other_host_key')
    lab.world.trust(addresses[2], marker='@revoked ')
    rows = list(zip(addresses, (
        refused, Row('known by another key', 'auth-failed', withheld, user='password'),
        Row('revoked', 'auth-failed', withheld, user='password'))))
    inventory = without_keys(lab, 'unverified', {row.host: (at, row) for at, row in rows})
    began = time.monotonic()
    terminal = Terminal(lab, 'unverified', inventory, '-k', '--host-key', 'off')
    problems = [] if terminal.await_text(b'password: ', 5 * lab.slow) else ['does not ask']
    terminal.type(PASSWORD + '\n')
    code = terminal.close(30 * lab.slow)
    problems += judge(lab, 'unverified', rows)
    sent = lab.text('unverified.log').count('Failed password')
    if sent != 1:
        problems.append(f'the password was sent {sent} times')
    table.row('password, host keys not verified', f'exit {code}', time.monotonic() - began, '-',
              problems)


def tries(lab, table):
    """An RSA key costs one try of the server's, and the password's is told from those of keys."""
    address = lab.address()
    lab.world.sshd('tries', [address], users=['four-tries', 'one-try'])
    home = make_home(lab, 'home-4', id_ecdsa=('spare_1', ''), id_rsa=('user_rsa', ''))
    rows = [(address, Row('four tries', 'auth-failed', 'id_rsa .*; the password was refused$',
                          user='four-tries')),
            (address, Row('one try', 'auth-failed', 'after 1 key: Too many', user='one-try'))]
    inventory = without_keys(lab, 'tries', {row.host: (at, row) for at, row in rows})
    terminal = Terminal(lab, 'tries', inventory, '-k', home=home)
    problems = [] if terminal.await_text(b'password: ', 5 * lab.slow) else ['does not ask']
    terminal.type(PASSWORD + '\n')
    code = terminal.close(30 * lab.slow)
    problems += judge(lab, 'tries', rows)
    for what, times in ('Failed publickey for four-tries', 2), ('Failed password', 1), \
            ('not in PubkeyAcceptedAlgorithms', 0):
        if lab.text('tries.log').count(what) != times:
            problems.append(f'not {times} times: {what}')
    table.row('tries of the server', f'exit {code}', 0, '-', problems)


def make_home(lab, name, **keys):
    """A home directory with usual files: copies of other keys, encrypted where a word is given."""
    home = f'{lab.world.dir}/{name}'
    os.makedirs(f'{home}/.ssh', mode=0o700)
    for usual, (source, word) in keys.items():
        path = f'{home}/.ssh/{usual}'
        shutil.copy(lab.path(source), path)
        os.chmod(path, 0o600)
        subprocess.run(['ssh-keygen', '-q', '-p', '-P', '', '-N', word, '-f', path], check=True,
                       env=lab.world.wrapped(), stdout=subprocess.DEVNULL)
    return home


def passphrase(lab, table):
    """Of a usual file: asked for before the first connection, three times where it is wrong."""
    home = make_home(lab, 'home-1', id_ed25519=('id_ed25519', 'right'))
    row = Row('passphrase', **OK)
    inventory = without_keys(lab, 'passphrase', {row.host: (lab.odd['odd'], row)})
    terminal = Terminal(lab, 'passphrase', inventory, home=home)
    problems = []
    for n, word in enumerate(('wrong', 'wrong, too', 'right'), 1):
        if not terminal.await_text(b'Passphrase for ', 5 * lab.slow, n):
            problems.append(f'does not ask for the passphrase: {terminal.said}')
        terminal.type(word + '\n')
    began = time.monotonic()
    code = terminal.close(20 * lab.slow)
    problems += judge(lab, 'passphrase', [(None, row)]) if code == 0 else [f'exit status {code}']
    table.row('passphrase, the third is right', f'exit {code}', time.monotonic() - began, '-',
              problems)


def prompts_interrupted(lab, table):
    """The terminal has its echo back, whatever ends the question."""
    home = make_home(lab, 'home-2', id_ed25519=('id_ed25519', 'right'),
                     id_rsa=('other_key', 'right'))
    row = Row('prompt', 'interrupted')
    inventory = without_keys(lab, 'prompt', {row.host: (lab.odd['odd'], row)})
    problems = []
    for n, (prompt, number, expected) in enumerate((
            (b'password: ', signal.SIGINT, -signal.SIGINT),
            (b'password: ', signal.SIGTERM, -signal.SIGTERM),
            (b'password: ', signal.SIGHUP, -signal.SIGHUP),
            (b'Passphrase for ', signal.SIGINT, 130), (b'Passphrase for ', signal.SIGTERM, 130))):
        options = ('-k',) if prompt.startswith(b'password') else ()
        terminal = Terminal(lab, f'prompt-{n}', inventory, *options, home=home)
        if not terminal.await_text(prompt, 5 * lab.slow):
            problems.append(f'does not ask: {terminal.said}')
        silent = not terminal.echoes()
        if number == signal.SIGINT:
            terminal.type('\x03')
        else:
            terminal.process.send_signal(number)
        end = time.monotonic() + 5 * lab.slow
        while terminal.process.poll() is None and time.monotonic() < end:
            time.sleep(0.02)
        echoes = terminal.echoes()
        code = terminal.close(1)
        if (silent, echoes, code) != (True, True, expected):
            problems.append(f'{prompt} {number.name}: silent {silent}, echo {echoes}, exit {code}')
    table.row('prompts interrupted', '', 0, '-', problems)


def order_of_keys(lab, table):
    """The agent's key comes before usual files that the host does not know, and after the limit."""
    home = make_home(lab, 'home-3', id_ed25519=('other_key', ''), id_ecdsa=('spare_1', ''),
                     id_rsa=('spare_2', ''))
    path = f'{lab.world.state}/agent-of-keys'
    process = lab.world.spawn(['ssh-agent', '-D', '-a', path], 'agent-of-keys')
    while not os.path.exists(path):
        time.sleep(0.02)
    subprocess.run(['ssh-add', '-q', lab.path('id_ed25519')], check=True,
                   env={**os.environ, 'SSH_AUTH_SOCK': path})
    problems = []
    for name, agent, row in (
            ('agent-first', path, Row('order', **OK)),
            ('files-only', None, Row('order', 'auth-failed', 'refused with the keys .*id_rsa'))):
        inventory = without_keys(lab, name, {row.host: (lab.odd['odd'], row)})
        code = Terminal(lab, name, inventory, home=home, agent=agent).close(20 * lab.slow)
        problems += judge(lab, name, [(None, row)]) if code is not None else ['hangs']
    row = Row('order', 'auth-failed', '1 more was not tried, since --max-keys is 2')
    inventory = without_keys(lab, 'limit', {row.host: (lab.odd['odd'], row)})
    Terminal(lab, 'limit', inventory, '--max-keys', '2', home=home).close(20 * lab.slow)
    problems += judge(lab, 'limit', [(None, row)])
    process.terminate()
    table.row('order and number of keys', '', 0, '-', problems)


def run_all(lab, table):
    for spare in 'spare_1', 'spare_2':
        lab.world.keygen(lab.path(spare))
    passphrase(lab, table)
    prompts_interrupted(lab, table)
    order_of_keys(lab, table)
    unverified(lab, table)
    tries(lab, table)
    if lab.level == 'all':
        passwords(lab, table)
    else:
        table.skip('passwords, 5 servers', 'make check-all has it')
