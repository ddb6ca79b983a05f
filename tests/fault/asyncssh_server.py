"""An SSH server that is neither OpenSSH nor dropbear: asyncssh, running commands by sh.

usage: asyncssh_server.py ADDRESS PORT HOST_KEY AUTHORIZED_KEYS
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


logging.basicConfig(level=logging.DEBUG)  # says why a connection ended


async def main():
    address, port, host_key, authorized_keys = sys.argv[1:]
    await asyncssh.listen(address, int(port), server_host_keys=[host_key], encoding=None,
                          authorized_client_keys=authorized_keys, process_factory=run)
    await asyncio.Event().wait()


asyncio.run(main())
