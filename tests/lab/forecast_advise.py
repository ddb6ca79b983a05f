#!/usr/bin/python3
"""The advice on real engines: applied as printed, it mends the incident.

usage: forecast_advise.py PROGRAM

Two hosts, one of which has lost the database to a container network, and both of which have more in
the way of the group: what `oddhost advise` prints is typed in on each, its verifying commands must
pass, and a second run must find nothing and call the findings resolved. Exit status 1 where not.
"""
import json
import os
import sys

sys.dont_write_bytecode = True

import lab

NEVER = ('critical', 'high', 'medium', 'low')
# In place of systemd: dockerd stops and starts again as it was started.
SYSTEMCTL = '''#!/bin/sh -e
[ "$*" = "restart docker" ]
PATH=${PATH#/run:}
pid=$(cat /run/docker.pid 2>/dev/null || true)
if [ -d "/proc/${pid:-none}" ]; then
	tr '\\0' '\\n' </proc/$pid/cmdline >/run/dockerd.args
	kill $pid
	while kill -0 $pid 2>/dev/null; do sleep 0.1; done
fi
xargs -d '\\n' setsid </run/dockerd.args >>/run/dockerd.log 2>&1 &
while kill -0 $! 2>/dev/null; do
	docker version >/dev/null 2>&1 && exit 0
	sleep 0.1
done
exit 1
'''
COMPOSE_FILE = 'networks:\n  default:\n    ipam:\n      config:\n      - subnet: 192.168.64.0/20\n'
LABELS = ' '.join(f'--label com.docker.compose.{name}' for name in (
    'project=shop', 'version=1.27.4', 'project.working_dir=/run/shop',
    'project.config_files=prod.yml'))
# In place of version 1 of compose, whose projects the advice has to leave to it.
COMPOSE = f'''#!/bin/sh -e
[ "$1 $2 $(pwd) $COMPOSE_FILE" = "-p shop /run/shop prod.yml" ]
case $3 in
config) [ "$4" = -q ] || cat prod.yml ;;
down) docker rm -f shop_web_1; docker network rm shop_default ;;
up)
	docker network create {LABELS} $(sed -n 's/.*- subnet:/--subnet/p' prod.yml) shop_default
	docker run -d --name shop_web_1 --network shop_default {LABELS} box /bin/sleep 9999 ;;
esac
'''
# With a number that is no double.
DAEMON = {'log-level': 'warn', 'bip': '192.168.128.1/20', 'debug': False,
          'max-download-attempts': 2**53 + 1}


def expect(what, got):
    if not got:
        raise lab.Failed(f'not so: {what}')


def set_up(cloud):
    pre, one = cloud.hosts['host-pre'], cloud.hosts['host-01']
    for host, daemon in ((pre, DAEMON), (one, None)):
        host.start(daemon)
        for name, text in (('systemctl', SYSTEMCTL), ('docker-compose', COMPOSE)):
            lab.write(f'{host.dir}/run/{name}', text)
            os.chmod(f'{host.dir}/run/{name}', 0o755)
    pre.network('web')
    pre.network('project', '192.168.0.0/20', '--label', "'note=two words'", '--internal')
    quick = '--stop-signal KILL'
    pre.container('app', 'project', quick, '--network-alias db --network-alias cache')
    pre.container('idle', 'project', quick)
    pre.container('fixed', 'project', quick, '--ip 192.168.0.77')
    pre.container('passing', 'project', quick, '--rm')
    pre.sh('docker stop -t 0 idle')
    pre.network('app6', None, '--ipv6 --subnet fd00:db::/64')
    pre.container('six', 'app6', quick)
    for tool in ('xargs', 'tr', 'grep'):  # as on Alpine
        os.symlink(lab.BUSYBOX, f'{one.dir}/run/{tool}')
    one.network('latent', '192.168.32.0/20')
    one.container('app', 'latent', quick)
    one.sh('mkdir /run/shop')
    lab.write(f'{one.dir}/run/shop/prod.yml', COMPOSE_FILE)
    one.sh(f'cd /run/shop; export COMPOSE_FILE=prod.yml; /run/docker-compose -p shop up')


def apply(node, commands):
    """Type the commands in, in a shell that goes on where one fails; what it says."""
    script = '\n'.join(commands) + '\necho status $?'
    return node.sh(f'set +e; PATH=/run:{lab.PATH}\nexec 2>&1\n{script}', check=False)


def run(cloud, program, inventory, path, *options):
    status, out, err = cloud.run(program, 'run', '-i', inventory, '-l', 'api', '-T', '3', '-o', path,
                                 *options)
    with open(f'{path}/findings.json', encoding='utf-8') as text:
        return status, json.load(text), out + err


def advise(cloud, program, path):
    status, out, err = cloud.run(program, 'advise', '--json', path)
    expect(f'advise: {err}', status == 0)
    return json.loads(out)


def spoil(pre, advice):
    """Where docker does not start with the new daemon.json, all is as before."""
    commands = next(h['commands'] for h in advice['hosts'] if h['host'] == 'host-pre')
    before = pre.sh('cat /etc/docker/daemon.json; docker network ls --format {{.Name}}')
    said = apply(pre, [c.replace('"size": 24', '"size": 8') for c in commands])
    expect(f'what does not start is put back: {said}', 'status 1' in said and 'put back' in said and
           before == pre.sh('cat /etc/docker/daemon.json; docker network ls --format {{.Name}}'))
    running = pre.sh("docker ps --format '{{.Names}}'").split()
    expect(f'containers run again, but for the one with --rm: {running}',
           sorted(running) == ['app', 'fixed', 'six'])
    pre.container('passing', 'project', '--stop-signal KILL', '--rm')


def check_pre(pre):
    """All is as it was, but for the subnets."""
    daemon = json.loads(pre.sh('cat /etc/docker/daemon.json'))
    expect(f'other members stay, in order: {daemon}',
           list(daemon) == [*DAEMON, 'default-address-pools'] and
           daemon['max-download-attempts'] == DAEMON['max-download-attempts'])
    network = json.loads(pre.sh('docker network inspect project'))[0]
    expect(f'settings stay: {network}',
           network['Internal'] and network['Labels'] == {'note': 'two words'})
    expect('the containers run, on their network',
           {c['Name'] for c in network['Containers'].values()} == {'app', 'fixed'})
    names = pre.sh("docker inspect -f '{{.NetworkSettings.Networks.project.Aliases}}' app")
    expect(f'aliases stay: {names}', {'db', 'cache'} <= set(names.strip(' []\n').split()))
    pre.sh('docker start idle')
    network = json.loads(pre.sh('docker network inspect app6'))[0]
    expect(f'IPv6 stays, elsewhere: {network}', network['EnableIPv6'] and
           [c['Name'] for c in network['Containers'].values()] == ['six'] and
           not any(c['Subnet'].startswith('fd00:db:') for c in network['IPAM']['Config']))


def play(cloud, program):
    set_up(cloud)
    inventory = cloud.inventory(f'{cloud.dir}/hosts.ini',
                                reserved='192.168.0.0/16=rds-vpc, fd00:db::/48=six')
    first, second = f'{cloud.dir}/first', f'{cloud.dir}/second'
    status, found, said = run(cloud, program, inventory, first)
    expect(f'the first run finds the shadow: {said}', status == 1)
    advice = advise(cloud, program, first)
    pools = advice['pools']
    expect(f'one entry, outside 192.168: {pools}',
           len(pools) == 1 and not pools[0]['base'].startswith('192.168.'))
    one = cloud.hosts['host-01']
    commands = next(h['commands'] for h in advice['hosts'] if h['host'] == 'host-01')
    said = apply(one, commands)
    expect(f'a compose file that names the subnet stops it all: {said}', 'status 1' in said and
           'set in the compose file' in said and not one.sh('ls /etc/docker/daemon.json 2>/dev/null || true'))
    lab.write(f'{one.dir}/run/shop/prod.yml', 'networks:\n  default: {}\n')
    spoil(cloud.hosts['host-pre'], advice)
    for host in advice['hosts']:
        node = cloud.hosts[host['host']]
        said = apply(node, host['commands'])
        expect(f'{host["host"]}: the commands end well: {said}', 'status 0' in said)
        for command in host['verify']:
            node.sh(f'PATH=/run:{lab.PATH}\n' + command)
        with_daemon = json.loads(node.sh('cat /etc/docker/daemon.json'))
        expect(f'{host["host"]}: daemon.json as printed', with_daemon == host['daemon_json'])
        expect('a fixed address is named', host['host'] != 'host-pre' or
               'fixed had the fixed address 192.168.0.77' in said)
    check_pre(cloud.hosts['host-pre'])
    network = json.loads(one.sh('docker network inspect shop_default'))[0]
    expect(f'compose has made its network anew: {network}',
           [c['Name'] for c in network['Containers'].values()] == ['shop_web_1'])
    status, found, said = run(cloud, program, inventory, second, '--baseline', first)
    worse = [f for f in found['findings'] if f['severity'] in NEVER]
    expect(f'the second run is clean: {worse or said}', status == 0 and not worse)
    expect(f'the findings are resolved: {found["baseline"]}',
           {'target-shadowed', 'reserved-overlap'} <=
           {f['rule'] for f in found['baseline']['resolved']})
    again = advise(cloud, program, second)
    expect(f'nothing is left to do: {again}',
           again['pools'] == pools and not any(h['commands'] for h in again['hosts']))


def main():
    why = lab.why_not()
    if why is not None:
        print(f'advise: SKIPPED, nothing was applied: {why}')
        return 0
    lab.enter()
    program = os.path.abspath(sys.argv[1])
    try:
        with lab.Lab(f'{lab.STATE}/advise', hosts=('host-pre', 'host-01')) as cloud:
            play(cloud, program)
    except lab.Failed as problem:
        print(f'advise: {problem}')
        return 1
    print('advise: applied as printed on real engines, and the second run is clean')
    return 0


if __name__ == '__main__':
    sys.exit(main())
