"""The servers of the fault table: OpenSSH, dropbear and asyncssh, all unprivileged, on loopback.

Each server has an address of its own, 127.0.74.N; all have one port. Whoever logs in is a user of
nss_wrapper's, unknown to the machine, and each user name is one way of being odd: a login shell, a
setting of sshd's, or stand-ins for some commands (odd/NAME). Where nothing is odd the recordings
of tests/replay answer. What is started here is ended here, by process id.
"""
import glob
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
REPLAY = os.path.join(ROOT, 'tests', 'replay')
RECORDED = {'127.0.74.10': 'host-pre', '127.0.74.11': 'host-01', '127.0.74.12': 'host-02',
            '127.0.74.13': 'host-03'}
ODD_ADDRESS = '127.0.74.14'  # the same sshd, for users who are odd
SYSTEM_PATH = '/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin'

# Stand-ins for commands of a host, by user name.
ODD = {
    'endless-out': {'docker': 'exec yes "a line without end"'},
    'endless-err': {'docker': 'exec yes "a line without end" >&2'},
    'sleeper': {'docker': '''
[ "$*" = "network ls" ] && exec sleep 600
exec {state}/bin/docker "$@"'''},
    # A process that stays, and holds stderr.
    'one-session': {'docker': 'setsid sleep 9 >/dev/null &\nexec {state}/bin/docker "$@"'},
    # Never ends, on a host that has no timeout(1).
    'untimed': {'docker': 'exec sleep 600', 'timeout': 'exit 127'},
    # A process that ends the shells of its lane: by a signal, which sshd reports.
    'killed': {'docker': '''
p=$$ shells=
while read -r _ _ _ parent _ <"/proc/$p/stat"; do
	p=$parent
	case $(tr '\\0' ' ' <"/proc/$p/cmdline") in
	"sh -s " | "sh -c eval "*) shells="$shells $p" ;;
	esac
done
kill -KILL $shells'''},
    # Where sudo wants a password, and says more than that.
    'no-sudo': {'sudo': '''
echo asked >>{state}/sudo.log
printf '\\nWe trust you have received the usual lecture from the local System\\n' >&2
printf 'Administrator.\\n\\nsudo: a password is required\\n' >&2
exit 1'''},
    # 3 times 900 KB, all but what a probe may give.
    'big': {'docker': "head -c 900000 /dev/zero | tr '\\0' x"},
}
# sudo that works once: the quick probes have it, and the others do not.
ODD['sudo-once'] = {'sudo': '''
echo asked >>"{state}/sudo-once.log"
[ "$(grep -c . "{state}/sudo-once.log")" -gt 1 ] && echo "sudo: no more today" >&2 && exit 1
while [ "$1" != sh ]; do shift; done
exec "$@"'''}
ODD['rekey'] = ODD['big']
ODD['no-sudo-one'] = {'sudo': ODD['no-sudo']['sudo'].replace('sudo.log', 'sudo-one.log')}

# Login shells that are not /bin/sh; {state} is the world's directory.
SHELLS = {
    'fish': '/usr/bin/fish', 'csh': '/usr/bin/tcsh', 'greeter': '/bin/bash',
    'flooder': '/bin/bash', 'nologin': '/usr/sbin/nologin', 'crasher': '{state}/crash',
    'noshell': '{state}/no-such-shell',
}

# Start-up files, in the home directory.
STARTUP = {
    'greeter': {'.bashrc': 'echo "Welcome to host-02!"; echo "NOTICE: maintenance at 4" >&2\n'},
    'flooder': {'.bashrc': 'yes "start-up files that never end"\n'},
    'csh': {'.cshrc': 'echo "Welcome to csh"\n'},
    'fish': {'.config/fish/config.fish': 'echo "Welcome to fish"\n'},
}

# What sshd does for a user.
SETTINGS = {
    'forced': 'ForceCommand echo "only backups are taken here"',
    'one-session': 'MaxSessions 1',
    'no-sudo-one': 'MaxSessions 1',
    'no-session': 'MaxSessions 0',
    'rekey': 'RekeyLimit 256K',
    'one-try': 'MaxAuthTries 1\n\tAuthorizedKeysFile none',
    'four-tries': 'AuthenticationMethods publickey password\n\tPasswordAuthentication yes\n\t'
                  'MaxAuthTries 4\n\tAuthorizedKeysFile none',
    'refused': 'AuthorizedKeysFile none',
    'password': 'AuthenticationMethods password\n\tPasswordAuthentication yes',
    'both': 'AuthenticationMethods publickey,password\n\tPasswordAuthentication yes',
}

USERS = ['demo'] + sorted(set(ODD) | set(SHELLS) | set(STARTUP) | set(SETTINGS))


class Missing(Exception):
    """A program that a row needs is not on this machine."""


def find(*patterns):
    for pattern in patterns:
        for path in sorted(glob.glob(pattern)):
            return path
    raise Missing(os.path.basename(patterns[0]))


def write(path, text, mode=0o644):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, 'w', encoding='utf-8') as out:
        out.write(text)
    os.chmod(path, mode)


def public(path):
    with open(path + '.pub', encoding='utf-8') as key:
        return ' '.join(key.read().split()[:2])


def helper_settings(program, directory=None):
    """What an sshd that is not installed must be told from OpenSSH 9.8 on: where its other programs
    are. `directory`: they are copied to there first."""
    helpers = os.path.join(os.path.dirname(os.path.dirname(program)), 'lib/openssh')
    if not os.path.exists(f'{helpers}/sshd-session'):
        return []
    if directory is not None:
        for helper in glob.glob(f'{helpers}/sshd-*'):
            shutil.copy(helper, directory)
        helpers = directory
    lines = [f'SshdSessionPath {helpers}/sshd-session', 'PerSourcePenalties no']
    if os.path.exists(f'{helpers}/sshd-auth'):
        lines.append(f'SshdAuthPath {helpers}/sshd-auth')
    return lines


class World:
    def __init__(self, directory):
        self.dir = os.path.abspath(directory)  # what the client reads and writes
        self.state = tempfile.mkdtemp(prefix='oddhost-fault.')
        self.started = []
        self.known = []
        with socket.create_server(('127.0.74.1', 0)) as probe:
            self.port = probe.getsockname()[1]
        self.uid, self.gid = os.getuid(), os.getgid()
        self.become = []
        if self.uid == 0:
            nobody = pwd.getpwnam('nobody')
            self.uid, self.gid = nobody.pw_uid, nobody.pw_gid
            self.become = ['setpriv', f'--reuid={self.uid}', f'--regid={self.gid}',
                           '--clear-groups', '--no-new-privs']
        self.wrapper = find('/usr/lib/*/libnss_wrapper.so', '/usr/lib*/libnss_wrapper.so')
        try:
            self.fill()
        except Exception:
            self.close()
            raise

    def fill(self):
        state = self.state
        shutil.rmtree(self.dir, ignore_errors=True)
        os.makedirs(self.dir)
        for name in ('bin', 'hosts'):
            shutil.copytree(os.path.join(REPLAY, name), os.path.join(state, name), symlinks=True)
        shutil.copy(os.path.join(REPLAY, 'answer'), state)
        for user, commands in ODD.items():
            os.makedirs(f'{state}/odd/{user}')
            for name in os.listdir(f'{state}/bin'):
                os.symlink(f'{state}/answer', f'{state}/odd/{user}/{name}')
            for command, text in commands.items():
                path = f'{state}/odd/{user}/{command}'
                if os.path.islink(path):
                    os.unlink(path)
                write(path, f'#!/bin/sh\n{text.format(state=state)}\n', 0o755)
        for user, files in STARTUP.items():
            for name, text in files.items():
                write(f'{state}/home/{user}/{name}', text)
        write(f'{state}/crash', '#!/bin/sh\nkill -SEGV $$\n', 0o755)
        self.add_users()
        self.keygen(f'{self.dir}/id_ed25519')
        self.keygen(f'{self.dir}/other_key')
        self.keygen(f'{self.dir}/user_rsa', 'rsa')
        key = ''.join(public(f'{self.dir}/{name}') + '\n' for name in ('id_ed25519', 'user_rsa'))
        for user in USERS:
            write(f'{state}/home/{user}/.ssh/authorized_keys', key, 0o600)
        self.keygen(f'{state}/host_key')
        self.keygen(f'{state}/rsa_key', 'rsa')
        self.keygen(f'{state}/ecdsa_key', 'ecdsa')
        self.keygen(f'{state}/other_host_key')
        self.give_away()

    def add_users(self):
        passwd = ['root:x:0:0::/:/bin/sh\n'] if self.become else []
        for user in USERS:
            shell = SHELLS.get(user, '/bin/sh').format(state=self.state)
            home = f'{self.state}/home/{user}'
            passwd.append(f'{user}:x:{self.uid}:{self.gid}::{home}:{shell}\n')
        write(f'{self.state}/passwd', ''.join(passwd))
        write(f'{self.state}/group', f'demo:x:{self.gid}:\n')

    def wrapped(self):
        """The environment of a program for which our users exist."""
        return {'LD_PRELOAD': self.wrapper, 'NSS_WRAPPER_PASSWD': f'{self.state}/passwd',
                'NSS_WRAPPER_GROUP': f'{self.state}/group', 'PATH': SYSTEM_PATH}

    def keygen(self, path, kind='ed25519'):
        subprocess.run(['ssh-keygen', '-q', '-t', kind, '-N', '', '-C', 'demo', '-f', path],
                       check=True, env=self.wrapped())

    def give_away(self):
        os.chmod(self.state, 0o755)
        if self.become:
            subprocess.run(['chown', '-R', f'{self.uid}:{self.gid}', self.state], check=True)

    def environment(self, user, host):
        commands = f'odd/{user}' if user in ODD else 'bin'
        return {'ODDHOST_REPLAY': f'{self.state}/hosts/{host}',
                'PATH': f'{self.state}/{commands}:{SYSTEM_PATH}'}

    def set_env(self, user, host, **more):
        env = {**self.environment(user, host), **more}
        return 'SetEnv ' + ' '.join(f'"{k}={v}"' for k, v in env.items())

    def spawn(self, command, log, **env):
        """Start a server as the unprivileged user among nss_wrapper's users."""
        env = {**self.wrapped(), 'HOME': f'{self.state}/home/demo', **env}
        with open(f'{self.dir}/{log}.log', 'wb') as out:
            # By env(1): what becomes another user must not load libraries that only that one may.
            process = subprocess.Popen(
                [*self.become, '/usr/bin/env', *(f'{k}={v}' for k, v in env.items()), *command],
                stdin=subprocess.DEVNULL, stdout=out, stderr=out, env={'PATH': SYSTEM_PATH},
                cwd='/', start_new_session=True)
        self.started.append(process)
        return process

    def await_port(self, process, address, log):
        for _ in range(200):
            try:
                socket.create_connection((address, self.port), 1).close()
                return
            except OSError:
                if process.poll() is not None:
                    break
                time.sleep(0.05)
        with open(f'{self.dir}/{log}.log', encoding='utf-8', errors='replace') as text:
            raise RuntimeError(f'{log} did not start: {text.read()[-500:]}')

    def sshd(self, name, addresses, settings='', key='host_key', users=(), host='host-02', **env):
        """Start an sshd. `settings` come first: sshd takes the first value of each."""
        program = find('/usr/sbin/sshd', f'{ROOT}/.build/sshd/usr/sbin/sshd')
        own = f'{self.state}/sshd' if not program.startswith('/usr') else program
        if own != program and not os.path.exists(own):
            shutil.copy(program, own)
        lines = [settings, f'Port {self.port}', *(f'ListenAddress {a}' for a in addresses),
                 f'HostKey {self.state}/{key}', 'PidFile none', 'StrictModes no', 'UsePAM no',
                 f'AuthorizedKeysFile {self.state}/home/demo/.ssh/authorized_keys', 'UseDNS no',
                 'AuthenticationMethods publickey', 'PrintMotd no',
                 'KbdInteractiveAuthentication no', 'LogLevel VERBOSE']
        if 'MaxStartups' not in settings:  # of this one sshd takes the last
            lines.append('MaxStartups 300')
        lines += helper_settings(program, self.state)
        for user in set(users) - {'demo'}:
            lines += [f'Match User {user}', f'\t{SETTINGS.get(user, "Banner none")}',
                      f'\t{self.set_env(user, host)}']
        for address in addresses:
            lines += [f'Match LocalAddress {address}',
                      f'\t{self.set_env("demo", RECORDED.get(address, host), **env)}']
        config = f'{self.state}/{name}.conf'
        write(config, '\n'.join(lines) + '\n')
        process = self.spawn([own, '-D', '-e', '-f', config], name, **env)
        for address in addresses:
            self.await_port(process, address, name)
            self.trust(address, key)
        return process

    def dropbear(self, address, host='host-02'):
        program = find('/usr/sbin/dropbear')
        key = f'{self.state}/dropbear_key'
        if not os.path.exists(key):
            subprocess.run([find('/usr/bin/dropbearkey'), '-t', 'ed25519', '-f', key], check=True,
                           stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            text = subprocess.run(['dropbearkey', '-y', '-f', key], check=True, text=True,
                                  stdout=subprocess.PIPE).stdout
            write(key + '.pub', next(x for x in text.splitlines() if x.startswith('ssh-')) + '\n')
            self.give_away()
        env = self.environment('demo', host)
        forced = f'PATH={env["PATH"]}; export PATH; eval "$SSH_ORIGINAL_COMMAND"'
        process = self.spawn([program, '-F', '-E', '-e', '-s', '-m', '-r', key, '-P',
                              f'{self.state}/dropbear.pid', '-p', f'{address}:{self.port}',
                              '-c', forced], 'dropbear', **env)
        self.await_port(process, address, 'dropbear')
        self.trust(address, 'dropbear_key')

    def asyncssh(self, address, host='host-02', log='asyncssh', passwords=()):
        if subprocess.run(['/usr/bin/python3', '-W', 'ignore', '-c', 'import asyncssh'], check=False,
                          stderr=subprocess.DEVNULL).returncode != 0:
            raise Missing('python3-asyncssh')
        shutil.copy(f'{HERE}/asyncssh_server.py', self.state)
        process = self.spawn(['/usr/bin/python3', '-W', 'ignore', f'{self.state}/asyncssh_server.py',
                              address, str(self.port), f'{self.state}/host_key',
                              f'{self.state}/home/demo/.ssh/authorized_keys', *passwords],
                             log, **self.environment('demo', host))
        self.await_port(process, address, log)
        self.trust(address, 'host_key')

    def trust(self, address, key='host_key', marker=''):
        line = f'{marker}[{address}]:{self.port} {public(f"{self.state}/{key}")}'
        self.known.append(line)

    def write_known_hosts(self):
        write(f'{self.dir}/known_hosts', '\n'.join(self.known) + '\n', 0o600)
        write(f'{self.dir}/no_hosts', '', 0o600)

    def leftovers(self):
        """Processes that our servers started: our directory stands in their environment."""
        mark = self.state.encode()
        for entry in glob.glob('/proc/[0-9]*/environ'):
            try:
                with open(entry, 'rb') as environ:
                    if mark in environ.read():
                        yield int(entry.split('/')[2])
            except OSError:
                continue

    def close(self):
        for process in self.started:
            process.terminate()
        for process in self.started:
            try:
                process.wait(5)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        for pid in set(self.leftovers()) - {os.getpid()}:
            try:
                os.kill(pid, signal.SIGKILL)
            except OSError:
                pass
        shutil.rmtree(self.state, ignore_errors=True)
