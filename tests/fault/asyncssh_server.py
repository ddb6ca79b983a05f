"""An SSH server that is neither OpenSSH nor dropbear: asyncssh, running commands by sh.

usage: asyncssh_server.py ADDRESS PORT HOST_KEY AUTHORIZED_KEYS [METHODS PASSWORD | flood]

With METHODS (password, keyboard-interactive, or both with a comma) any user may log in with PASSWORD,
or with a key; each password that comes in is logged as "attempt by METHOD". With flood it forwards,
and sends packets without end that nobody has asked for.
"""
import asyncio
import logging
import sys

import asyncssh


async def run(process):
    child = await asyncio.create_subprocess_exec(
        'sh', '-c', process.command or 'exit 0', stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE)
    await process.redirect(stdin=child.stdin, stdout=child.stdout, stderr=child.stderr)
    process.exit(await child.wait())


class Passwords(asyncssh.SSHServer):
    def __init__(self, methods, password):
        self.methods, self.password = methods.split(','), password

    def begin_auth(self, _):
        return True

    def judge(self, method, said):
        print(f'attempt by {method}', file=sys.stderr, flush=True)
        return said == self.password

    def password_auth_supported(self):
        return 'password' in self.methods

    def validate_password(self, _, password):
        return self.judge('password', password)

    def kbdint_auth_supported(self):
        return 'keyboard-interactive' in self.methods

    def get_kbdint_challenge(self, _user, _lang, _submethods):
        return '', '', '', [('Password: ', False)]

    def validate_kbdint_response(self, _, responses):
        return self.judge('keyboard-interactive', ''.join(responses))


class Flood(asyncssh.SSHServer):
    def connection_made(self, conn):
        self.conn, self.task = conn, None

    def connection_requested(self, *_):
        self.task = asyncio.get_running_loop().create_task(self.flood())
        return True

    async def flood(self):
        while True:
            self.conn.send_packet(61, b'x' * 30000)  # an answer to no question, RFC 4256
            await asyncio.sleep(0.001)


logging.basicConfig(level=logging.DEBUG)  # says why a connection ended


async def main():
    address, port, host_key, authorized_keys, *passwords = sys.argv[1:]
    factory = Flood if passwords == ['flood'] else \
        (lambda: Passwords(*passwords)) if passwords else None
    await asyncssh.listen(address, int(port), server_host_keys=[host_key], encoding=None,
                          server_factory=factory, authorized_client_keys=authorized_keys,
                          process_factory=run)
    await asyncio.Event().wait()


asyncio.run(main())
