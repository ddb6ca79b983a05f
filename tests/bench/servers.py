#!/usr/bin/python3
"""Light servers of the benchmarks, on the loopback device only.

usage: servers.py fake                         send a banner, then nothing
       servers.py proxy HOST PORT MS           to HOST:PORT, MS milliseconds each way

Prints its port, and ends when its stdin does. The proxy answers the TCP handshake itself, at once;
all that follows comes as late as over a line of that delay: the connection behind it is made MS
later, when the client's ACK would have arrived.
"""
import asyncio
import os
import resource
import socket
import sys


def listen(address):
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b"lo\0")
    sock.bind((address, 0))
    sock.listen(4096)
    sock.setblocking(False)
    print(sock.getsockname()[1], flush=True)
    return sock


class Fake(asyncio.Protocol):
    def connection_made(self, transport):
        transport.write(b"SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u3\r\n")


async def pump(reader, get_writer, delay):
    """Every chunk comes out `delay` after it came in, in order."""
    loop = asyncio.get_running_loop()
    queue = asyncio.Queue()

    async def write():
        writer = await get_writer
        while True:
            due, data = await queue.get()
            await asyncio.sleep(max(0, due - loop.time()))
            if not data:
                break
            writer.write(data)
        writer.close()

    task = asyncio.create_task(write())
    try:
        while data := await reader.read(65536):
            queue.put_nowait((loop.time() + delay, data))
    except ConnectionError:
        pass
    queue.put_nowait((loop.time() + delay, b""))
    await asyncio.gather(task, return_exceptions=True)


async def proxy_one(host, port, delay, reader, writer):
    loop = asyncio.get_running_loop()
    near, far = loop.create_future(), loop.create_future()
    near.set_result(writer)
    to_server = asyncio.create_task(pump(reader, far, delay))
    await asyncio.sleep(delay)
    from_server, server = await asyncio.open_connection(host, port)
    far.set_result(server)
    await asyncio.gather(to_server, pump(from_server, near, delay), return_exceptions=True)


async def serve(mode, args):
    loop = asyncio.get_running_loop()
    if mode == "fake":
        await loop.create_server(Fake, sock=listen("0.0.0.0"), backlog=4096)
    else:
        host, port, delay = args[0], int(args[1]), float(args[2]) / 1000

        async def connected(reader, writer):
            await proxy_one(host, port, delay, reader, writer)

        await asyncio.start_server(connected, sock=listen("127.0.0.1"), backlog=4096)
    ended = asyncio.Event()
    loop.add_reader(0, lambda: sys.stdin.buffer.raw.read(4096) or ended.set())
    await ended.wait()
    os._exit(0)  # connections that are still open need no goodbye


if __name__ == "__main__":
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    asyncio.run(serve(sys.argv[1], sys.argv[2:]))
