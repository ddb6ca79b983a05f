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
pid=$(cat /run/docker.pid)
tr '\\0' '\\n' </proc/$pid/cmdline >/run/dockerd.args
kill $pid
while kill -0 $pid 2>/dev/null; do sleep 0.1; done
xargs -d '\\n' setsid </run/dockerd.args >>/run/dockerd.log 2>&1 &
for i in $(seq 100); do docker version >/dev/null 2>&1 && exit 0; sleep 0.1; done
tail -5 /run/dockerd.log >&2
exit 1
'''


def expect(what, got):
    if not got:
        raise lab.Failed(f'not so: {what}')


def set_up(cloud):
    pre, one = cloud.hosts['host-pre'], cloud.hosts['host-01']
    for host, daemon in ((pre, {'log-level': 'warn', 'bip': '192.168.128.1/20', 'debug': False}),
                         (one, None)):
        host.start(daemon)
        lab.write(f'{host.dir}/run/systemctl', SYSTEMCTL)
        os.chmod(f'{host.dir}/run/systemctl', 0o755)
    pre.network('web')
    pre.network('project', '192.168.0.0/20', '--label', "'note=two words'", '--internal')
    quick = '--stop-signal KILL'
    pre.container('app', 'project', quick)
    pre.container('idle', 'project', quick)
    pre.sh('docker stop -t 0 idle')
    one.network('latent', '192.168.32.0/20')
    one.container('app', 'latent', quick)


def run(cloud, program, inventory, path, *options):
    status, out, err = cloud.run(program, 'run', '-i', inventory, '-l', 'api', '-T', '3', '-o', path,
                                 *options)
    with open(f'{path}/findings.json', encoding='utf-8') as text:
        return status, json.load(text), out + err


def advise(cloud, program, path):
    status, out, err = cloud.run(program, 'advise', '--json', path)
    expect(f'advise: {err}', status == 0)
    return json.loads(out)


def play(cloud, program):
    set_up(cloud)
    inventory = cloud.inventory(f'{cloud.dir}/hosts.ini', reserved='192.168.0.0/16=rds-vpc')
    first, second = f'{cloud.dir}/first', f'{cloud.dir}/second'
    status, found, said = run(cloud, program, inventory, first)
    expect(f'the first run finds the shadow: {said}', status == 1)
    advice = advise(cloud, program, first)
    pools = advice['pools']
    expect(f'one entry, outside 192.168: {pools}',
           len(pools) == 1 and not pools[0]['base'].startswith('192.168.'))
    for host in advice['hosts']:
        node = cloud.hosts[host['host']]
        path = f'PATH=/run:{lab.PATH}\n'
        node.sh(path + '\n'.join(host['commands']))
        for command in host['verify']:
            node.sh(path + command)
        with_daemon = json.loads(node.sh('cat /etc/docker/daemon.json'))
        expect(f'{host["host"]}: daemon.json as printed', with_daemon == host['daemon_json'])
    pre = cloud.hosts['host-pre']
    daemon = json.loads(pre.sh('cat /etc/docker/daemon.json'))
    expect(f'other members stay, in order: {daemon}',
           list(daemon) == ['log-level', 'bip', 'debug', 'default-address-pools'])
    network = json.loads(pre.sh('docker network inspect project'))[0]
    expect(f'settings stay: {network}',
           network['Internal'] and network['Labels'] == {'note': 'two words'})
    expect('the container runs, on its network',
           [c['Name'] for c in network['Containers'].values()] == ['app'])
    pre.sh('docker start idle')
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
