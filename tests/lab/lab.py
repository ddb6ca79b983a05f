"""The lab: a small cloud of hosts, each with a kernel's own routes, a real sshd and a real dockerd.

    bastion 10.99.0.10 ── router ── database 192.168.0.166
                            │
    host-pre host-01 host-02 host-03, 192.168.73.10 on, gateway 192.168.73.253

Each of these is a Node: a network, mount, host name and process namespace. enter() first starts
the program again in private namespaces of its own, so that nothing is seen from outside and all of
it ends with the program, however that ends: processes by the process namespace, networks with
them, files since they are on a tmpfs of the mount namespace. Only the control groups of containers
outlive that; a watcher outside removes them.

    import lab
    lab.enter()
    with lab.Lab('/mnt/mine', hosts=['a', 'b']) as cloud:
        cloud.start()
        cloud.hosts['a'].network('app', '172.20.0.0/16')
        print(cloud.hosts['a'].sh('ip route get 172.20.0.9'))

Thread rule: several Labs may be used by several threads, each by one.
"""
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(1, os.path.join(os.path.dirname(HERE), 'fault'))

from world import ROOT, Missing, find, helper_settings, public, write

TARGET = 'rm-intra.mysql.rds.aliyuncs.com'
DATABASE = '192.168.0.166'
BASTION = '10.99.0.10'
GATEWAY = '192.168.73.253'
HOSTS = ('host-pre', 'host-01', 'host-02', 'host-03')
MYSQL = 3306
CGROUP = 'oddhost-lab'
STATE = '/mnt'  # a tmpfs of our own once enter() was there
UNPACKED = f'{ROOT}/.build/docker'  # where .ci/deps puts docker and a static busybox
BUSYBOX = f'{UNPACKED}/bin/busybox'
PATH = f'{UNPACKED}/usr/sbin:{UNPACKED}/usr/bin:/usr/sbin:/usr/bin:/sbin:/bin'
PRIVATE = ['setpriv', '--pdeathsig', 'KILL', 'unshare', '-n', '-m', '-p', '-f', '--kill-child',
           '--mount-proc']
# Waits until whoever held its standard input is gone, and with it every process of the lab.
WATCHER = f'''trap '' INT TERM HUP
cat >/dev/null
for again in 1 2 3 4 5 6 7 8 9 10; do
	left=$(find /sys/fs/cgroup -depth -type d -path '*/{CGROUP}*' 2>/dev/null)
	[ -n "$left" ] || exit 0
	echo "$left" | xargs -r rmdir 2>/dev/null
	sleep 0.2
done'''


class Failed(Exception):
    """A command in the lab did not do what it must."""


def why_not():
    """Why this machine can have no lab, or None."""
    if os.geteuid() != 0:
        return 'it needs root'
    for program in ('unshare', 'nsenter', 'setpriv', 'ip', 'ping', 'iptables'):
        if shutil.which(program, path=PATH) is None:
            return f'there is no {program}'
    try:
        find(f'{UNPACKED}/usr/sbin/dockerd')
        find(BUSYBOX)
        find('/usr/sbin/sshd', f'{ROOT}/.build/sshd/usr/sbin/sshd')
    except Missing as program:
        return f'there is no {program}: .ci/deps lab gets it'
    tried = subprocess.run([*PRIVATE, 'true'], check=False, text=True, stderr=subprocess.PIPE)
    return None if tried.returncode == 0 else f'no namespaces here: {tried.stderr.strip()}'


def enter():
    """Go on in private namespaces: in there it returns, out here it ends with that one's status."""
    if 'ODDHOST_LAB' not in os.environ:
        with subprocess.Popen(['sh', '-c', WATCHER], stdin=subprocess.PIPE,
                              start_new_session=True):
            inside = subprocess.run([*PRIVATE, sys.executable, *sys.argv], check=False,
                                    env={**os.environ, 'ODDHOST_LAB': 'inside'})
        sys.exit(inside.returncode if inside.returncode >= 0 else 128 - inside.returncode)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda n, _: sys.exit(128 + n))
    for command in ('mount --make-rprivate /', f'mount -t tmpfs -o mode=755 lab {STATE}',
                    'ip link set lo up'):
        subprocess.run(command.split(), check=True)


class Node:
    """A machine of the lab: namespaces of its own, held by a process that does nothing.

    Its files are the machine's, but /etc and /run are its own. `dir` is its state on the lab's
    tmpfs, `pid` its first process as seen from the lab. kill() ends all that runs in it.
    """

    def __init__(self, lab, name):
        self.lab, self.name, self.dir = lab, name, f'{lab.dir}/{name}'
        for part in ('etc', 'work', 'run'):
            os.makedirs(f'{self.dir}/{part}')
        hold = f'''
mount -t overlay -o lowerdir=/etc,upperdir={self.dir}/etc,workdir={self.dir}/work etc /etc
mount --bind {self.dir}/run /run
hostname {name}
ip link set lo up
echo ready
exec sleep infinity'''
        self.holder = subprocess.Popen(
            ['unshare', '-n', '-m', '-u', '-p', '-f', '--kill-child', '--mount-proc', 'sh', '-eu',
             '-c', hold], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True,
            env={'PATH': PATH})
        if self.holder.stdout.readline() != 'ready\n':
            raise Failed(f'{name} does not start')
        with open(f'/proc/{self.holder.pid}/task/{self.holder.pid}/children',
                  encoding='ascii') as children:
            self.pid = int(children.read().split()[0])

    def command(self, *words, spaces=('-n', '-m', '-u', '-p')):
        """What runs `words` in this node, for subprocess."""
        return ['nsenter', '-t', str(self.pid), *spaces, '--', *words]

    def sh(self, script, check=True, **spaces):
        """Run a shell script in the node as root; its output. Raises Failed unless not `check`."""
        done = subprocess.run(self.command('sh', '-eu', '-c', script, **spaces), check=False,
                              text=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, env={'PATH': PATH, 'LC_ALL': 'C'})
        if check and done.returncode != 0:
            raise Failed(f'{self.name}: {script.strip()}: {done.stderr.strip()[-500:]}')
        return done.stdout

    def spawn(self, log, *words):
        """Start a server that ends with the node; what it says goes to `log` in the node's dir."""
        with open(f'{self.dir}/{log}', 'ab') as out:
            return subprocess.Popen(self.command(*words), stdin=subprocess.DEVNULL, stdout=out,
                                    stderr=out, env={'PATH': PATH})

    def log(self, name):
        with open(f'{self.dir}/{name}', encoding='utf-8', errors='replace') as text:
            return text.read()

    def etc(self, name, text):
        """Write /etc/NAME in the node."""
        path = f'{self.dir}/run/file'
        write(path, text)
        self.sh(f'mkdir -p "$(dirname /etc/{name})"; cat /run/file >/etc/{name}')

    def names(self, *names):
        """What names mean in this node: pairs of address and name, which may have several."""
        self.etc('hosts', '127.0.0.1 localhost\n' +
                 ''.join(f'{address} {name}\n' for address, name in names))

    def kill(self):
        self.holder.kill()
        self.holder.wait()
        self.holder.stdout.close()


class Host(Node):
    """A node with an engine and an sshd. Users: root, and `plain`, who may not use docker."""

    def __init__(self, lab, name, address):
        super().__init__(lab, name)
        self.address = address
        self.socket = f'{self.dir}/run/docker.sock'
        self.process = None

    def start(self, daemon=None):
        """Users, sshd, and the engine with that daemon.json."""
        self.etc('passwd', f'root:x:0:0::{self.dir}/run:/bin/sh\nplain:x:7001:7001::/:/bin/sh\n'
                           'sshd:x:7000:7000::/run/sshd:/usr/sbin/nologin\n')
        self.etc('group', 'root:x:0:\nsshd:x:7000:\nplain:x:7001:\ndocker:x:7002:\n')
        self.names((self.lab.database, TARGET))
        self.sshd()
        self.engine(daemon)

    def sshd(self):
        program = find('/usr/sbin/sshd', f'{ROOT}/.build/sshd/usr/sbin/sshd')
        os.makedirs(f'{self.dir}/run/sshd', mode=0o755)
        lines = ['HostKey ' + self.lab.key('host_key'), f'SetEnv PATH={PATH}', 'StrictModes no',
                 'AuthorizedKeysFile ' + self.lab.key('id_ed25519.pub'), 'UsePAM no', 'UseDNS no',
                 'AuthenticationMethods publickey', 'PrintMotd no', 'PidFile none',
                 *helper_settings(program)]
        write(f'{self.dir}/sshd.conf', '\n'.join(lines) + '\n')
        self.spawn('sshd.log', program, '-D', '-e', '-f', f'{self.dir}/sshd.conf')

    def engine(self, daemon=None):
        """(Re)start dockerd. `daemon`: daemon.json as a dict, None: there is no such file."""
        self.stop_engine()
        if daemon is None:
            self.sh('rm -f /etc/docker/daemon.json')
        else:
            self.etc('docker/daemon.json', json.dumps(daemon, indent=2) + '\n')
        self.restart_engine()

    def restart_engine(self):
        """What `systemctl restart docker` does: the daemon.json that is there counts."""
        self.stop_engine()
        self.process = self.spawn(
            'dockerd.log', 'dockerd', '--data-root', f'{self.dir}/data', '--exec-root',
            f'{self.dir}/exec', '-H', f'unix://{self.socket}', '-p', f'{self.dir}/run/docker.pid',
            '--cgroup-parent', f'/{CGROUP}')
        self.await_engine()

    def await_engine(self):
        for _ in range(400):
            if self.process.poll() is not None:
                break
            try:
                with socket.socket(socket.AF_UNIX) as s:
                    s.settimeout(10)
                    s.connect(self.socket)
                    s.sendall(b'GET /_ping HTTP/1.0\r\n\r\n')
                    if s.recv(64).startswith(b'HTTP/1.'):
                        return
            except OSError:
                time.sleep(0.025)
        raise Failed(f'{self.name}: no engine: {self.log("dockerd.log")[-500:]}')

    def stop_engine(self):
        """Stop dockerd as a restart does: networks and docker0 stay, containers do not."""
        if self.process is not None:
            self.sh(f'kill "$(cat /run/docker.pid)"', check=False)
            self.process.wait(20)
            self.process = None

    def network(self, name, subnet=None, *options):
        """`docker network create`; without a subnet docker picks one. Returns its interface."""
        subnet = [f'--subnet {subnet}'] if subnet else []
        made = self.sh(' '.join(['docker network create', *subnet, *options, name]))
        return f'br-{made.strip()[:12]}'

    def container(self, name, network='bridge', *options):
        """Run a container of busybox that sleeps."""
        if not self.sh('docker image ls -q box'):
            self.sh(f'docker import {self.lab.image()} box >/dev/null')
        self.sh(f'docker run -d --name {name} --network {network} {" ".join(options)} box '
                '/bin/sleep 9999')


class Lab:
    """Hosts, router, database and bastion. `dir` must not exist yet; close() removes all of it."""

    def __init__(self, directory, hosts=HOSTS, database=DATABASE, bastion=BASTION):
        self.dir, self.database, self.nodes = directory, None, []
        os.makedirs(directory)
        for name in ('id_ed25519', 'host_key'):
            subprocess.run(['ssh-keygen', '-q', '-t', 'ed25519', '-N', '', '-C', 'lab', '-f',
                            self.key(name)], check=True)
        try:
            self.router, self.db, self.bastion = (self.add(Node(self, name)) for name in
                                                  ('router', 'db', 'bastion'))
            self.hosts = {name: self.add(Host(self, name, f'192.168.73.{10 + i}'))
                          for i, name in enumerate(hosts)}
            self.connect(bastion)
            self.move_database(database)
        except BaseException:
            self.close()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def add(self, node):
        self.nodes.append(node)
        return node

    def key(self, name):
        return f'{self.dir}/{name}'

    def connect(self, bastion):
        """Cables and addresses. The database may have any address: its routes are host routes."""
        lines = [f'''
echo 1 >/proc/sys/net/ipv4/ip_forward
ip link add lan type bridge
ip addr add {GATEWAY}/24 dev lan
ip link set lan up
ip link add db type veth peer name eth0 netns {self.db.pid}
ip link add bastion type veth peer name eth0 netns {self.bastion.pid}
for cable in db bastion; do
	echo 1 >/proc/sys/net/ipv4/conf/$cable/proxy_arp
	echo 0 >/proc/sys/net/ipv4/neigh/$cable/proxy_delay
	ip link set $cable up
done
ip route add {bastion} dev bastion''']
        lines += [f'ip link add port{i} master lan type veth peer name eth0 netns {host.pid}\n'
                  f'ip link set port{i} up' for i, host in enumerate(self.hosts.values())]
        # Not in the router's process namespace: the ids are those that the lab sees.
        self.router.sh('\n'.join(lines), spaces=('-n',))
        for node, address in ((self.db, None), (self.bastion, bastion)):
            node.sh((f'ip addr add {address}/32 dev eth0\n' if address else '') +
                    'ip link set eth0 up\nip route add default dev eth0')
        for host in self.hosts.values():
            host.sh(f'ip addr add {host.address}/24 dev eth0\nip link set eth0 up\n'
                    f'ip route add default via {GATEWAY}')
        self.db.spawn('mysql.log', BUSYBOX, 'nc', '-ll', '-p', str(MYSQL), '-e', '/bin/true')

    def move_database(self, address):
        """Give the database another address; names keep what they meant: see point_names()."""
        if self.database is not None:
            self.router.sh(f'ip route del {self.database}/32 dev db')
        self.db.sh(f'ip addr flush dev eth0 scope global\nip addr add {address}/32 dev eth0\n'
                   'ip route replace default dev eth0')
        self.router.sh(f'ip route add {address}/32 dev db')
        self.database = address

    def point_names(self):
        """All hosts know the database by the address that it has."""
        for host in self.hosts.values():
            host.names((self.database, TARGET))

    def start(self, daemons=None):
        """Start all hosts at once. `daemons`: daemon.json by host, where there is one."""
        daemons = daemons or {}
        with ThreadPoolExecutor() as pool:
            list(pool.map(lambda h: h.start(daemons.get(h.name)), self.hosts.values()))

    def image(self):
        """A file for `docker import`: busybox and nothing else."""
        path = f'{self.dir}/box.tar'
        if not os.path.exists(path):
            os.makedirs(f'{self.dir}/box/bin')
            shutil.copy(BUSYBOX, f'{self.dir}/box/bin/')
            for name in ('sh', 'sleep'):
                os.symlink('busybox', f'{self.dir}/box/bin/{name}')
            subprocess.run(['tar', '-C', f'{self.dir}/box', '-cf', path, '.'], check=True)
        return path

    def inventory(self, path, targets=TARGET, reserved='', variables=()):
        """An inventory of the hosts as group api; `variables`: more lines for all of them."""
        lines = ['[api]', *(f'{h.name} ansible_host={h.address}' for h in self.hosts.values()),
                 '[api:vars]', 'ansible_user=root', f'oddhost_targets={targets}', *variables]
        if reserved:
            lines.append(f'oddhost_reserved={reserved}')
        write(path, '\n'.join(lines) + '\n')
        return path

    def run(self, program, *options):
        """Run the program on the bastion as a user would; (exit status, stdout, stderr)."""
        known = f'{self.dir}/known_hosts'
        write(known, ''.join(f'{h.address} {public(self.key("host_key"))}\n'
                             for h in self.hosts.values()))
        env = {'PATH': PATH, 'HOME': self.dir, 'LC_ALL': 'C.UTF-8'}
        login = []
        if options[0] in ('run', 'collect'):
            login = ['--private-key', self.key('id_ed25519'), '--known-hosts', known, '-F', 'none']
        done = subprocess.run(self.bastion.command(program, *options, *login), check=False,
                              text=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, env=env, cwd=ROOT)
        return done.returncode, done.stdout, done.stderr

    def close(self):
        for node in self.nodes:
            node.kill()
        shutil.rmtree(self.dir, ignore_errors=True)
