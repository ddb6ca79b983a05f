"""The fault table: what is wrong with a host, and what the program must make of it."""
import dataclasses
import re

import peers

LOGIN, HOST, SLACK = 4, 16, 1.5  # -T, --host-timeout; what a row may take longer than its limit

# Seconds that a fault may take: none but its own, a limit on logging in, the limit on a host.
AT_ONCE, LOGGING_IN, WHOLE_HOST = 2, LOGIN, HOST


@dataclasses.dataclass
class Row:
    name: str
    status: str  # accepted statuses, separated by spaces
    says: str = ''  # a pattern in the host's error
    seconds: float = AT_ONCE
    user: str = 'demo'
    peer: object = None  # a function of peers.py
    server: str = 'odd'  # the sshd that it is a user of
    address: str = ''  # one that is not a server's
    key: str = 'id_ed25519'
    complete: bool = False  # all that a healthy host gives
    kept: tuple = ()  # probes that must be whole
    probes: dict = dataclasses.field(default_factory=dict)  # and their statuses
    level: str = 'quick'
    args: str = ''  # ansible_ssh_common_args, more of them
    vars: str = ''  # and further variables of the inventory
    bug: str = ''  # what the program gets wrong as yet; take it off once the row passes

    @property
    def host(self):
        return re.sub(r'[^a-z0-9]+', '-', self.name.lower()).strip('-')


OK = {'status': 'ok', 'complete': True}
QUICK_PROBES = ('routes', 'addrs', 'rules')
DOCKER = 'docker_networks'

ROWS = [
    # Before there is a connection.
    Row('name that does not resolve', 'resolve-failed', 'no..such', address='no..such'),
    Row('refused', 'connect-refused', 'refused', address='127.0.74.200'),
    Row('no answer to SYN', 'connect-timeout', 'no answer|timed out', LOGGING_IN,
        address='deaf'),
    Row('no answer to SYN, namespace', 'connect-timeout', 'no answer|timed out', LOGGING_IN,
        address='10.97.0.9', level='all'),
    Row('no route to the host', 'unreachable', 'o route|unreachable', address='10.98.0.9',
        level='all'),
    Row('name server without an answer', 'resolve-failed', '', LOGGING_IN,
        address='host.example', level='all'),
    # Before the key exchange.
    Row('connects, says nothing', 'banner-timeout', 'no SSH banner', LOGGING_IN,
        peer=peers.silent),
    Row('closes at once', 'protocol-error disconnected', 'closed', peer=peers.close),
    # The reset may come before the connection is looked at.
    Row('resets at once', 'protocol-error disconnected connect-refused unreachable',
        'reset|closed', peer=peers.reset),
    Row('banner without end', 'protocol-error', 'without end|banner',
        peer=peers.banner_without_end),
    Row('lines without end', 'protocol-error', 'without end', peer=peers.lines_without_end),
    Row('lines without end, slowly', 'banner-timeout protocol-error', 'banner', LOGGING_IN,
        peer=peers.lines_slowly),
    Row('banner, two bytes a second', 'banner-timeout', 'banner', LOGGING_IN,
        peer=peers.banner_slowly),
    Row('blank lines before the banner', peer=peers.blank_lines, **OK),
    Row('text before the banner', peer=peers.lines_before, **OK),
    Row('banner of 8 KB', 'protocol-error', 'banner', peer=peers.banner_of_8k),
    Row('HTTP server', 'protocol-error', 'HTTP/1.1 400', peer=peers.http),
    Row('HTTP server that speaks first', 'protocol-error', 'HTTP/1.1 408',
        peer=peers.http_at_once),
    Row('SSH 1', 'protocol-error', 'SSH-1|version|banner', peer=peers.ssh1),
    # Tried again until the time is over.
    Row('says Exceeded MaxStartups', 'protocol-error', 'Exceeded MaxStartups', LOGGING_IN,
        peer=peers.max_startups),
    # In the key exchange.
    Row('closes after the banner', 'protocol-error', 'key exchange|closed',
        peer=peers.close_after_banner),
    Row('stalls after the banner', 'protocol-error', 'stalled', LOGGING_IN,
        peer=peers.stall_after_banner),
    Row('stalls in key exchange', 'protocol-error', 'stalled', LOGGING_IN,
        peer=peers.stall_in_kex),
    Row('stalls before its key', 'protocol-error', 'stalled', LOGGING_IN,
        peer=peers.stall_before_reply),
    Row('noise after the banner', 'protocol-error', '', LOGGING_IN,
        peer=peers.noise_after_banner),
    Row('packet of 2 GB', 'protocol-error', '', LOGGING_IN, peer=peers.huge_packet),
    Row('no common key exchange', 'protocol-error', 'algorithm|method|exchange', server='nokex'),
    Row('no common cipher', 'protocol-error', 'algorithm|method|exchange|cipher',
        server='nocipher'),
    # libssh2 before 1.11 has no rsa-sha2; from there on the host works.
    Row('RSA host key only', 'protocol-error ok', 'libssh2|^$', server='rsa'),
    Row('unknown host key', 'hostkey-unknown', 'SHA256:', server='unknown'),
    Row('changed host key', 'hostkey-changed', 'SHA256:', server='changed'),
    # Agreed on is a key of a known type, if libssh2 can: 1.10 cannot with an RSA key.
    Row('host known by its RSA key', 'hostkey-unknown hostkey-changed',
        'only ssh-rsa keys.*ssh-keyscan -t ed25519|other types', server='known-by-rsa'),
    Row('host known by its ecdsa key', 'hostkey-changed', 'other types', server='known-by-ecdsa'),
    Row('revoked host key', 'hostkey-revoked', 'SHA256:', server='revoked'),
    # Logging in.
    Row('stalls in the login', 'deadline', 'login.*-T', LOGGING_IN, peer=peers.stall_in_login),
    Row('key refused', 'auth-failed', r'refused with the key \S*id_ed25519 \(ssh-ed25519 SHA256:',
        user='refused'),
    Row('key, then a password', 'auth-failed', r'knows the key.*password \(-k', user='both'),
    Row('RSA user key', key='user_rsa', **OK),
    Row('RSA user key, refused', 'auth-failed', 'refused with the key [^,;]*user_rsa[^,;]*$',
        user='refused', key='user_rsa'),
    # libssh2 before 1.11 signs for them with SHA-1 alone.
    Row('RSA user key, dropbear', 'auth-failed ok', 'need libssh2 1.11|^$',
        server='dropbear', key='user_rsa', level='all'),
    Row('RSA user key, asyncssh', 'auth-failed ok', 'need libssh2 1.11|^$', server='asyncssh',
        key='user_rsa', level='all'),
    Row('too many authentication failures', 'auth-failed', 'after 1 key: Too many authentication failures',
        user='one-try'),
    Row('another key', 'auth-failed', 'refused|offered', key='other_key'),
    Row('key file that is not there', 'auth-failed', 'no_key', key='no_key'),
    Row('passwords only', 'auth-failed', 'password|offered', user='password'),
    Row('user that is not known', 'auth-failed', 'refused|offered', user='nobody-we-know'),
    Row('sudo wants a password', 'sudo-failed', 'sudo.*a password is required', user='no-sudo',
        vars='ansible_become=yes', kept=QUICK_PROBES),
    Row('sudo wants a password, MaxSessions 1', 'sudo-failed', 'sudo.*a password is required',
        user='no-sudo-one', vars='ansible_become=yes', kept=QUICK_PROBES),
    Row('sudo works once', 'sudo-failed', 'no more today', user='sudo-once',
        vars='ansible_become=yes', kept=QUICK_PROBES),
    # Starting a shell.
    Row('login shell nologin', 'channel-failed', 'not available', user='nologin'),
    # sshd refuses a user whose shell is not there, like a wrong key.
    Row('login shell that is not there', 'auth-failed channel-failed', '', user='noshell'),
    Row('forced command', 'channel-failed', 'only backups are taken here', user='forced'),
    Row('login shell ends by signal', 'channel-failed', '', user='crasher'),
    Row('MaxSessions 0', 'channel-failed', 'channel', user='no-session'),
    Row('MaxSessions 1, a process that stays', user='one-session', **OK),
    Row('login shell with a banner', user='greeter', **OK),
    # The shell runs; that it never comes to the script shows by what it sends alone.
    Row('start-up file without end', 'channel-failed partial deadline', '', WHOLE_HOST,
        user='flooder'),
    Row('login shell fish', user='fish', level='all', **OK),
    Row('login shell csh', user='csh', level='all', **OK),
    # In the middle of output.
    Row('reset in the output', 'disconnected', 'reset|closed', WHOLE_HOST, user='big',
        peer=peers.cut(peers.reset), kept=QUICK_PROBES),
    Row('closed in the output', 'disconnected', 'closed', WHOLE_HOST, user='big',
        peer=peers.cut(peers.close), kept=QUICK_PROBES),
    Row('silence in the output', 'deadline disconnected', '', WHOLE_HOST, user='big',
        peer=peers.cut(peers.pause), kept=QUICK_PROBES),
    Row('a byte a second', 'deadline', '', WHOLE_HOST, peer=peers.trickle_after_login),
    # The probe that floods is cut short, or the host is once it has sent 64 MiB.
    Row('output without end, stdout', 'partial ok deadline', '', WHOLE_HOST, user='endless-out',
        kept=QUICK_PROBES, probes={DOCKER: 'truncated timeout'}),
    Row('output without end, stderr', 'partial ok deadline', '', WHOLE_HOST, user='endless-err',
        kept=QUICK_PROBES, probes={DOCKER: 'truncated timeout'}),
    Row('probe that never ends', 'ok', '^$', WHOLE_HOST, user='sleeper',
        kept=QUICK_PROBES + ('docker_inspect', 'host'), probes={DOCKER: 'timeout'}),
    Row('probe that never ends, no timeout(1)', 'deadline partial', '', WHOLE_HOST,
        user='untimed', kept=QUICK_PROBES, probes={DOCKER: 'timeout', 'host': 'skipped'}),
    Row('shell killed by a signal', 'partial', 'ended before', WHOLE_HOST, user='killed',
        kept=QUICK_PROBES),
    Row('RekeyLimit 256K', 'ok', '^$', WHOLE_HOST, user='rekey', kept=QUICK_PROBES + ('host',),
        probes={DOCKER: 'ok'}),
    Row('large output', 'ok', '^$', WHOLE_HOST, user='big', kept=QUICK_PROBES + ('host',),
        probes={DOCKER: 'ok'}),
    Row('clock an hour ahead, then back', seconds=WHOLE_HOST, server='clock', level='all', **OK),
    # Interoperability.
    Row('OpenSSH', server='odd', **OK),
    Row('dropbear', server='dropbear', level='all', **OK),
    Row('asyncssh', server='asyncssh', level='all', **OK),
]
