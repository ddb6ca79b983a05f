#!/usr/bin/python3
"""The forecast against real engines: random hosts, then real networks, created in a row.

usage: forecast_oracle.py PROGRAM [ROUNDS]

A round makes a host as it may be found (networks, explicit subnets, routes, nameservers, pools, a
bip), collects from it, forecasts, and lets its engine create networks. Each must get the subnet that
was forecast, and where the forecast ends, the engine's pools must be used up. The last thing before
a round is a network that stays, a restart, one with a subnet of its own, or one that is removed again.
That last one cannot be seen from outside: there the forecast may be wrong, and must not call itself firm;
how often it was is counted.
FORECAST_SEED=N repeats. Exit status 1 where a forecast was wrong.
"""
import json
import os
import random
import sys
import threading
import traceback

sys.dont_write_bytecode = True

import lab

HOSTS = ('one', 'two', 'three')
ROUNDS = 150
LIFE = 6  # rounds between two configurations of an engine
AT_MOST = 4  # networks created in a round
USED_UP = 'could not find an available, non-overlapping IPv4 address pool'
# Where things are put, so that they meet: docker's own pools, and a few for configured ones.
DEFAULTS = [f'172.{n}.0.0/16' for n in range(16, 32)] + ['192.168.0.0/18', '172.20.0.0/14']
BASES = ['10.1.0.0/20', '10.1.32.0/22', '172.24.0.0/14', '192.168.128.0/18', '10.200.0.0/16']


class Wrong(Exception):
    """A forecast that its engine did not keep to."""


class Pool:
    """Rounds to play, taken by all hosts."""

    def __init__(self, rounds):
        self.left, self.created, self.kinds, self.lock = rounds, 0, {}, threading.Lock()
        self.failed = []

    def take(self):
        with self.lock:
            if self.failed or self.left == 0:
                return False
            self.left -= 1
            return True

    def count(self, kind, created):
        with self.lock:
            self.created += created
            self.kinds[kind] = self.kinds.get(kind, 0) + 1


class Player:
    """One host and what is done to it."""

    def __init__(self, host, program, seed):
        self.host, self.program = host, program
        self.random = random.Random(f'{seed} {host.name}')
        self.made = 0
        self.script = []  # for whoever looks into a failure
        self.bases = DEFAULTS
        self.sizes = {}  # of the subnets of configured pools
        self.drivers = None  # others that this kernel has
        self.stub = False  # an engine looks once in its life which resolv.conf counts

    def sh(self, script, check=True):
        self.script.append(script)
        return self.host.sh(script, check=check)

    def within(self, prefix, longest=30, shortest=0):
        """A random prefix inside this one, as long or longer."""
        address, length = prefix.split('/')
        new = self.random.randint(max(shortest, int(length)), longest)
        number = int.from_bytes(bytes(int(b) for b in address.split('.')), 'big')
        number |= self.random.getrandbits(32 - int(length)) >> (32 - new) << (32 - new)
        return '.'.join(str(b) for b in number.to_bytes(4, 'big')) + f'/{new}'

    def somewhere(self):
        return self.random.choice(self.bases if self.random.random() < .7 else DEFAULTS)

    def configure(self):
        """Stop the engine, forget all, and start it with other pools."""
        self.script = []
        self.stub = self.random.random() < .3
        self.clear()
        self.sh('docker network prune -f')
        self.host.stop_engine()
        if self.random.random() < .5:
            self.sh('ip link del docker0', check=False)
        daemon = {}
        self.bases, self.sizes = DEFAULTS, {}
        if self.random.random() < .6:
            pools = self.random.sample(BASES, self.random.randint(1, 3))
            daemon['default-address-pools'] = [
                {'base': base, 'size': self.random.randint(int(base.split('/')[1]) + 2, 26)}
                for base in pools]
            self.bases = pools
            self.sizes = {pool['base']: pool['size'] for pool in daemon['default-address-pools']}
            if self.random.random() < .3:
                daemon['bip'] = '10.77.0.1/24'
        self.script.append(json.dumps(daemon))
        self.host.engine(daemon)
        if self.drivers is None:
            self.drivers = [driver for driver in ('macvlan', 'ipvlan') if self.host.sh(
                f'docker network create -d {driver} -o parent=extra try && docker network rm try',
                check=False)]
            self.host.restart_engine()

    def clear(self):
        """No routes but the host's own, no nameserver that matters."""
        self.sh('ip link del extra 2>/dev/null || true\nip link add extra type veth peer name '
                'other\nip link set other up\nip link set extra up\nip addr add 10.66.0.1/24 dev extra\n'
                f'ip route flush root 0/0 via {lab.GATEWAY} proto static || true')
        self.serve_names('nameserver 192.0.2.1\n')

    def change_routes(self):
        kind = self.random.random()
        where = self.within(self.somewhere(), 32 if kind < .2 else 26)
        if kind < .7:
            self.sh(f'ip route replace {where} dev extra')
        elif kind < .9:
            self.sh(f'ip route replace {where} via {lab.GATEWAY} proto static')
        else:
            self.sh(f'ip route replace {where} dev extra table 100')

    def change_nameservers(self):
        servers = [self.within(self.somewhere(), 32).split('/')[0]
                   for _ in range(self.random.randint(1, 2))]
        text = ''.join(f'nameserver {server}\n' for server in servers)
        self.serve_names(text)

    def serve_names(self, text):
        """Nameservers, perhaps behind the stub of systemd-resolved."""
        self.script.append(text)
        if self.stub:
            self.host.etc('resolv.conf', 'nameserver 127.0.0.53\noptions edns0\n')
            self.sh(f"mkdir -p /run/systemd/resolve; printf '{text}' >/run/systemd/resolve/resolv.conf")
        else:
            self.host.etc('resolv.conf', text)

    def create(self, *options):
        """A network; returns its subnet, or None where the engine has none left."""
        self.made += 1
        name = f'net{self.made}'
        said = self.sh(f'docker network create {" ".join(options)} {name} 2>&1 || true')
        if USED_UP in said:
            return None
        if len(said.strip()) != 64:
            if '--subnet' in options:  # it overlaps another: as good as not asked for
                return None
            raise lab.Failed(f'network create: {said.strip()}')
        return self.host.sh("docker network inspect -f '{{range .IPAM.Config}}{{.Subnet}}{{end}}' "
                            + name).strip()

    def remove_some(self):
        names = self.host.sh("docker network ls -q --filter name=net").split()
        gone = [name for name in names if self.random.random() < .6 or len(names) > 14]
        if gone:
            self.sh('docker network rm ' + ' '.join(gone))

    def prepare(self):
        """Make the host as it may be found; says what a forecast has to go by."""
        if self.random.random() < .3:
            self.clear()
        for _ in range(self.random.randint(0, 4)):
            self.random.choice([
                self.change_routes, self.change_nameservers, self.remove_some, self.create,
                lambda: self.create('--subnet', self.within(self.somewhere(), 27)),
            ])()
        if self.random.random() < .25:
            try:
                self.script.append('restart')
                self.host.restart_engine()
                return 'restart'
            except lab.Failed:  # no room for docker0: docker's own pools have some
                self.clear()
                self.host.engine({})
                self.configure()
        return self.create_last()

    def create_last(self):
        options = self.options()
        if self.create(*options) is None:
            return 'used up'
        kind = self.random.choice(['newest', 'newest', 'explicit', 'removed'])
        if kind == 'newest' and 'parent' in ' '.join(options):
            return options[0].split()[1]
        if kind == 'explicit':
            self.create('--subnet', self.random.choice(
                [self.within(self.somewhere(), 27), self.of_the_pools()]))
        if kind == 'removed':
            self.create()
            self.sh(f'docker network rm net{self.made} || true')
        return kind

    def of_the_pools(self):
        """A subnet that docker might have chosen itself."""
        bases = self.sizes or {f'172.{n}.0.0/16': 16 for n in range(18, 32)}
        base = self.random.choice(sorted(bases))
        return self.within(base, bases[base], bases[base])

    def options(self):
        """Of a network: a device is the parent of one only, and a create that fails shows nothing."""
        drivers = [] if self.host.sh("docker network ls -q --filter name=net "
                                     "--filter driver=macvlan --filter driver=ipvlan") else [
            [f'-d {driver} -o parent=extra'] for driver in self.drivers]
        return self.random.choice([[], [], ['--internal'], *drivers])

    def forecast(self):
        path = f'{self.host.dir}/run/found'
        self.host.sh(f'rm -rf {path}; {self.program} collect -q -i {self.host.dir}/run/hosts.ini '
                     f'-o {path} || [ $? -eq 3 ]')
        return json.loads(self.host.sh(f'{self.program} forecast --json {path}'))[0]

    def play(self):
        kind = self.prepare()
        said = self.forecast()
        got = []
        for wanted in range(self.random.randint(1, AT_MOST)):
            subnet = self.create()
            got.append(subnet)
            forecast = said['next'][wanted] if wanted < len(said['next']) else None
            if subnet != forecast and kind == 'removed' and 'made and removed' in said['assumption']:
                return 'removed, which does not show', len(got)
            if subnet != forecast:
                raise Wrong('\n'.join([
                    f'{self.host.name}, {kind}: forecast {said["next"]}, the engine gave {got}',
                    said['assumption'], *self.script, self.host.sh('ip -4 route'),
                    self.host.sh('docker network inspect $(docker network ls -q) | grep -E '
                                 "'Name|Created|Subnet'")]))
            if subnet is None:
                break
        return kind, len(got)


def work(player, pool):
    try:
        lab.write(f'{player.host.dir}/run/hosts.ini',
                  f'[api]\n{player.host.name} ansible_connection=local\n')
        rounds = 0
        while pool.take():
            if rounds % LIFE == 0:
                player.configure()
            rounds += 1
            pool.count(*player.play())
    except Wrong as wrong:
        pool.failed.append(str(wrong))
    except Exception:
        pool.failed.append(f'{player.host.name}: {traceback.format_exc()}')


def main():
    why = lab.why_not()
    if why is not None:
        print(f'forecast: SKIPPED, the engine was not asked: {why}')
        return 0
    lab.enter()
    seed = (os.environ.get('FORECAST_SEED') or os.environ.get('ODDHOST_SEED') or
            str(random.SystemRandom().randrange(10**6)))
    print(f'FORECAST_SEED={seed}', flush=True)
    program = os.path.abspath(sys.argv[1])
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else ROUNDS
    pool = Pool(rounds)
    with lab.Lab(f'{lab.STATE}/forecast', hosts=HOSTS) as cloud:
        cloud.start()
        threads = [threading.Thread(target=work, args=(Player(host, program, seed), pool))
                   for host in cloud.hosts.values()]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    for text in pool.failed:
        print(text)
    if not pool.failed:
        print(f'forecast: {rounds} rounds, {pool.created} subnets as forecast; '
              + ', '.join(f'{kind}: {n}' for kind, n in sorted(pool.kinds.items())))
    return 1 if pool.failed else 0


if __name__ == '__main__':
    sys.exit(main())
