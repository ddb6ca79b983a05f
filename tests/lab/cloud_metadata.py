#!/usr/bin/env python3
"""The cloud probe against small metadata servers on the clouds' own addresses.

usage: cloud_metadata.py ODDHOST    (root; goes into namespaces of its own)

Each row has a machine's DMI strings, a server that answers as that cloud's manual says, and what the
program must make of it: the facts, the reserved prefixes, and the requests, none of which may be for
anything else. The program runs on this machine itself, without ssh.
"""
import http.server
import json
import os
import shutil
import subprocess
import sys
import threading
import time

CLASSES = '/sys/class'
DMI = CLASSES + '/dmi/id'
WORK = '/run/oddhost-cloud'
BRIDGE = 'br-0123456789ab'  # with docker's form of a name: the probe must see it as a container's
MAC = '0a:01:02:03:04:05'
AWS = {
    'instance-id': 'i-0abc', 'instance-type': 'm5.large', 'placement/region': 'eu-west-1',
    'placement/availability-zone': 'eu-west-1a', 'mac': MAC,
    f'network/interfaces/macs/{MAC}/vpc-id': 'vpc-0def',
    f'network/interfaces/macs/{MAC}/vpc-ipv4-cidr-blocks': '172.16.0.0/12\n10.9.0.0/16',
    f'network/interfaces/macs/{MAC}/subnet-id': 'subnet-01',
    f'network/interfaces/macs/{MAC}/subnet-ipv4-cidr-block': '172.31.16.0/20',
}
ALIBABA = {
    'instance-id': 'i-bp13', 'instance/instance-type': 'ecs.g6e.large', 'region-id': 'cn-hangzhou',
    'zone-id': 'cn-hangzhou-i', 'vpc-id': 'vpc-bp1', 'vswitch-id': 'vsw-bp1', 'mac': MAC,
    f'network/interfaces/macs/{MAC}/vpc-cidr-block': '172.16.0.0/12',
    f'network/interfaces/macs/{MAC}/vswitch-cidr-block': '172.20.0.0/20',
}
GOOGLE = {
    'id': '4520031799277581759', 'machine-type': 'projects/42/machineTypes/e2-medium',
    'zone': 'projects/42/zones/europe-west1-b',
    'network-interfaces/0/network': 'projects/42/networks/default',
    'network-interfaces/0/ip': '172.20.128.5', 'network-interfaces/0/subnetmask': '255.255.240.0',
}
AZURE = {
    'compute/vmId': '02aab8a4-74ef-476e-8182-f6d2ba4166a6', 'compute/vmSize': 'Standard_A3',
    'compute/location': 'westeurope', 'compute/zone': '',
    'network/interface/0/ipv4/subnet/0/address': '172.20.0.0',
    'network/interface/0/ipv4/subnet/0/prefix': '16',
}
TENCENT = {
    'instance-id': 'ins-3g445roi', 'instance/instance-type': 'S5.MEDIUM4',
    'placement/region': 'ap-guangzhou', 'placement/zone': 'ap-guangzhou-3', 'mac': MAC,
    f'network/interfaces/macs/{MAC}/vpc-id': 'vpc-ja82n9op',
    f'network/interfaces/macs/{MAC}/subnet-id': 'subnet-ja82n9op', 'local-ipv4': '172.20.0.9',
    f'network/interfaces/macs/{MAC}/local-ipv4s/172.20.0.9/subnet-mask': '255.255.0.0',
}
AWS_FACTS = {'provider': 'aws', 'instance': 'i-0abc', 'type': 'm5.large', 'region': 'eu-west-1',
             'zone': 'eu-west-1a', 'vpc': 'vpc-0def', 'subnet': 'subnet-01',
             'prefixes': ['vpc 172.16.0.0/12', 'vpc 10.9.0.0/16', 'subnet 172.31.16.0/20']}
AMAZON = ('Amazon EC2', 'm5.large', 'i-0abc', 'Amazon EC2')
LINK_LOCAL = '169.254.169.254'

# Name, DMI (sys_vendor, product_name, chassis_asset_tag, bios_vendor), the server (address, path in
# front of its items, items, header that it wants, its token's path, how it is), the tool, the facts
# (None: no cloud), words of the finding on the bridge.
ROWS = [
    ('aws, token first', AMAZON, (LINK_LOCAL, '/latest/meta-data/', AWS, 'X-aws-ec2-metadata-token',
     '/latest/api/token', 'strict'), 'curl', AWS_FACTS, 'aws vpc-0def'),
    ('aws, no token', AMAZON, (LINK_LOCAL, '/latest/meta-data/', AWS, None, None, 'lax'), 'curl',
     AWS_FACTS, 'aws vpc-0def'),
    ('aws by wget', AMAZON, (LINK_LOCAL, '/latest/meta-data/', AWS, 'X-aws-ec2-metadata-token',
     '/latest/api/token', 'strict'), 'wget', AWS_FACTS, 'aws vpc-0def'),
    ('aws, switched off', AMAZON, (LINK_LOCAL, '/latest/meta-data/', {}, None, None, 'lax'), 'curl',
     {'provider': 'aws'}, None),
    ('aws, hanging', AMAZON, (LINK_LOCAL, '/latest/meta-data/', AWS, None, None, 'hangs'), 'curl',
     {'provider': 'aws'}, None),
    ('aws, neither curl nor wget', AMAZON, (LINK_LOCAL, '/latest/meta-data/', AWS, None, None,
     'lax'), None, None, None),
    ('alibaba', ('Alibaba Cloud', 'Alibaba Cloud ECS', '', 'SeaBIOS'),
     ('100.100.100.200', '/latest/meta-data/', ALIBABA, 'X-aliyun-ecs-metadata-token',
      '/latest/api/token', 'strict'), 'curl',
     {'provider': 'alibaba', 'instance': 'i-bp13', 'type': 'ecs.g6e.large', 'region': 'cn-hangzhou',
      'zone': 'cn-hangzhou-i', 'vpc': 'vpc-bp1', 'subnet': 'vsw-bp1',
      'prefixes': ['vpc 172.16.0.0/12', 'subnet 172.20.0.0/20']}, 'alibaba vpc-bp1'),
    ('google', ('Google', 'Google Compute Engine', '', 'Google'),
     (LINK_LOCAL, '/computeMetadata/v1/instance/', GOOGLE, 'Metadata-Flavor', None, 'Google'), 'curl',
     {'provider': 'google', 'instance': '4520031799277581759', 'type': 'e2-medium', 'region': None,
      'zone': 'europe-west1-b', 'vpc': 'default', 'subnet': None,
      'prefixes': ['subnet 172.20.128.0/20']}, 'google subnet'),
    ('azure', ('Microsoft Corporation', 'Virtual Machine', '7783-7084-3265-9085-8269-3286-77',
               'Microsoft Corporation'),
     (LINK_LOCAL, '/metadata/instance/', AZURE, 'Metadata', None, 'true'), 'curl',
     {'provider': 'azure', 'instance': '02aab8a4-74ef-476e-8182-f6d2ba4166a6', 'type': 'Standard_A3',
      'region': 'westeurope', 'zone': None, 'vpc': None, 'prefixes': ['subnet 172.20.0.0/16']},
     'azure subnet'),
    ('tencent', ('Tencent Cloud', 'CVM', '', 'SeaBIOS'),
     ('169.254.0.23', '/latest/meta-data/', TENCENT, None, None, 'lax'), 'curl',
     {'provider': 'tencent', 'instance': 'ins-3g445roi', 'type': 'S5.MEDIUM4',
      'region': 'ap-guangzhou', 'zone': 'ap-guangzhou-3', 'vpc': 'vpc-ja82n9op',
      'subnet': 'subnet-ja82n9op', 'prefixes': ['subnet 172.20.0.0/16']},
     'tencent subnet-ja82n9op'),
    ('a machine of one\'s own', ('Dell Inc.', 'PowerEdge R640', '', 'Dell Inc.'),
     (LINK_LOCAL, '/', AWS, None, None, 'lax'), 'curl', None, None),
    ('Hyper-V is not Azure', ('Microsoft Corporation', 'Virtual Machine', 'None',
                              'Microsoft Corporation'),
     (LINK_LOCAL, '/metadata/instance/', AZURE, None, None, 'lax'), 'curl', None, None),
    ('a laptop of Google\'s', ('Google', 'Eve', '', 'coreboot'),
     (LINK_LOCAL, '/computeMetadata/v1/instance/', GOOGLE, None, None, 'lax'), 'curl', None, None),
]


class Server(http.server.BaseHTTPRequestHandler):
    row = None     # the server of the row
    asked = []     # method and path of each request
    trouble = []   # what it was asked and must not be

    def answer(self, status, text=''):
        self.send_response(status)
        self.send_header('Content-Length', str(len(text)))
        self.end_headers()
        self.wfile.write(text.encode())

    def do_PUT(self):
        _, _, _, header, token, _ = self.row
        self.asked.append(f'PUT {self.path}')
        if token is None:
            self.answer(403)
        elif self.path == token and self.headers.get(f'{header}-ttl-seconds') == '60':
            self.answer(200, 'a-token')
        else:
            self.answer(400)

    def do_GET(self):
        _, front, items, header, token, how = self.row
        self.asked.append(f'GET {self.path}')
        path = self.path.split('?')[0]
        item = path[len(front):] if path.startswith(front) else None
        if how == 'hangs':
            time.sleep(30)
            return
        wanted = 'a-token' if token else how
        if header and self.headers.get(header) != wanted:
            self.trouble.append(f'{self.path} without {header}')
            self.answer(401)
        elif item in items:
            self.answer(200, items[item])
        else:
            if items:
                self.trouble.append(f'{self.path} was asked for')
            self.answer(404)

    def log_message(self, *_):
        pass


def sh(command):
    subprocess.run(command, shell=True, check=True)


def prepare():
    """A network with the clouds' addresses on it, and a tmpfs where the kernel shows classes."""
    sh('mount --make-rprivate /')
    sh(f'mount -t tmpfs none {CLASSES} && mkdir -p {DMI} && mount -t tmpfs none /run && mkdir {WORK}')
    sh('ip link set lo up')
    for address in (LINK_LOCAL, '100.100.100.200', '169.254.0.23'):
        sh(f'ip address add {address}/32 dev lo')
    sh(f'ip link add {BRIDGE} type bridge && ip address add 172.20.128.1/24 dev {BRIDGE} && '
       f'ip link set {BRIDGE} up')
    with open(f'{WORK}/hosts', 'w', encoding='utf-8') as hosts:
        hosts.write('127.0.0.1 localhost\n169.254.0.23 metadata.tencentyun.com\n')
    sh(f'mount --bind {WORK}/hosts /etc/hosts')
    with open(f'{WORK}/inventory.ini', 'w', encoding='utf-8') as inventory:
        inventory.write('me ansible_connection=local\n')


def leave_only(tool):
    """Of the programs that can ask, hide the others: what is no file of a program is not found."""
    for path in [f'{d}/{n}' for d in ('/usr/bin', '/bin', '/usr/local/bin') for n in ('curl', 'wget')]:
        if os.path.ismount(path):
            sh(f'umount {path}')
        if os.path.exists(path) and not path.endswith(f'/{tool}') and not os.path.ismount(path):
            sh(f'mount --bind /dev/null {path}')


def run(program):
    shutil.rmtree(f'{WORK}/run', ignore_errors=True)
    done = subprocess.run(
        [program, 'run', '-q', '-F', 'none', '-i', f'{WORK}/inventory.ini', '-o', f'{WORK}/run'],
        check=False, env={**os.environ, 'PATH': '/usr/sbin:/usr/bin:/sbin:/bin', 'http_proxy': 'http://127.0.0.1:9'})
    with open(f'{WORK}/run/findings.json', encoding='utf-8') as findings:
        report = json.load(findings)
    with open(f'{WORK}/run/hosts.jsonl', encoding='utf-8') as hosts:
        probes = {p['name']: p for p in json.loads(hosts.readline())['probes']}
    with open(f'{WORK}/run/report.html', encoding='utf-8') as page:
        return done.returncode, report, probes['cloud'], page.read()


def facts_of(cloud):
    if cloud is None:
        return None
    return {**cloud, 'prefixes': [f"{p['of']} {p['prefix']}" for p in cloud['prefixes']]}


def problems(row, program):
    _, dmi, server, tool, facts, words = row
    for name, text in zip(('sys_vendor', 'product_name', 'chassis_asset_tag', 'bios_vendor'), dmi):
        with open(f'{DMI}/{name}', 'w', encoding='utf-8') as file:
            file.write(text + '\n')
    Server.row, Server.asked, Server.trouble = server, [], []
    leave_only(tool)
    began = time.monotonic()
    _, report, probe, page = run(program)
    elapsed = time.monotonic() - began
    found = [*Server.trouble]
    got = facts_of(report['hosts'][0]['cloud'])
    if facts is None and tool is not None and (got is not None or Server.asked):
        found.append(f'no cloud, but {got} and {Server.asked}')
    for key, value in (facts or {}).items():
        if got is None or got[key] != value:
            found.append(f'{key}: {value} wanted, got {got and got[key]} ({probe})')
    if facts and facts.get('instance') and facts['instance'] not in page:
        found.append('report.html does not have the instance')
    overlaps = [f['summary'] for f in report['findings'] if f['rule'] == 'reserved-overlap']
    if [words is not None] * bool(words) != [words in s for s in overlaps]:
        found.append(f'{words} wanted, got {overlaps}')
    if elapsed > 10:
        found.append(f'{elapsed:.1f} s')
    return found


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    if os.geteuid() != 0:
        print(f'cloud: skipped, it needs root\n0 passed, 0 failed, {len(ROWS)} skipped')
        return
    if 'ODDHOST_CLOUD' not in os.environ:
        os.environ['ODDHOST_CLOUD'] = 'inside'
        os.execvp('unshare', ['unshare', '-n', '-m', sys.executable, *sys.argv])
    prepare()
    for address in (LINK_LOCAL, '100.100.100.200', '169.254.0.23'):
        server = http.server.ThreadingHTTPServer((address, 80), Server)
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
    failed = 0
    for row in ROWS:
        found = problems(row, os.path.abspath(sys.argv[1]))
        failed += bool(found)
        print(f"{'FAILED' if found else 'ok':7}{row[0]}")
        for problem in found:
            print(f'       {problem}')
    print(f'{len(ROWS) - failed} passed, {failed} failed, 0 skipped')
    sys.exit(1 if failed else 0)


if __name__ == '__main__':
    main()
