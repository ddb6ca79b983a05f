"""Peers that break the protocol: each is a function of a connection and of the world's settings.

A peer that needs a real server behind it forwards to one and breaks what comes back. Peers run in
threads of the test, one for each connection, and end when `Peers.close` shuts their sockets down.
"""
import select
import socket
import struct
import threading
import time

BANNER = b'SSH-2.0-OpenSSH_9.2p1\r\n'


def reset(conn, _=None):
    """Close with RST instead of FIN."""
    conn.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
    conn.close()


def linger(conn):
    """Read until the other side has had enough."""
    while conn.recv(65536):
        pass


def silent(conn, _):
    linger(conn)


def close(conn, _):
    conn.close()


def banner_without_end(conn, _):
    while True:
        conn.sendall(b'x' * 1024)


def lines_without_end(conn, _):
    while True:
        conn.sendall(b'a line before the banner\r\n' * 40)


def lines_slowly(conn, _):
    while True:
        conn.sendall(b'still starting\r\n')
        time.sleep(0.2)


def banner_slowly(conn, _):
    for byte in BANNER * 20:
        conn.sendall(bytes([byte]))
        time.sleep(0.5)


def banner_of_8k(conn, _):
    conn.sendall(b'SSH-2.0-' + b'x' * 8192 + b'\r\n')
    linger(conn)


def http(conn, _):
    conn.recv(4096)
    conn.sendall(b'HTTP/1.1 400 Bad Request\r\nServer: nginx/1.22.1\r\nConnection: close\r\n\r\n'
                 b'<html><h1>400 Bad Request</h1></html>\r\n')
    conn.close()


def http_at_once(conn, _):
    conn.sendall(b'HTTP/1.1 408 Request Timeout\r\nConnection: close\r\n\r\n')
    conn.close()


def close_after_banner(conn, _):
    conn.sendall(BANNER)
    conn.close()


def stall_after_banner(conn, _):
    conn.sendall(BANNER)
    linger(conn)


def noise_after_banner(conn, _):
    conn.sendall(BANNER + bytes(range(256)) * 400)
    linger(conn)


def huge_packet(conn, _):
    conn.sendall(BANNER + b'\x7f\xff\xff\xff\x04' + b'\x14' * 4096)
    linger(conn)


def ssh1(conn, _):
    conn.sendall(b'SSH-1.5-Cisco-1.25\r\n')
    linger(conn)


def max_startups(conn, _):
    conn.sendall(b'Exceeded MaxStartups\r\n')
    conn.close()


def upstream(world, address='127.0.74.12'):
    return socket.create_connection((address, world.port), 5)


def pump(source, sink):
    """Forward until either is closed. It never waits in recv, which would put off a close."""
    try:
        while True:
            if not select.select([source], [], [], 0.05)[0]:
                continue
            data = source.recv(65536)
            if not data:
                break
            sink.sendall(data)
        sink.shutdown(socket.SHUT_WR)
    except (OSError, ValueError):
        pass


def forward(conn, world, before=b'', limit=None, after=None, address='127.0.74.12'):
    """Forward to a real server; once `limit` bytes have come from it, `after` takes over."""
    with upstream(world, address) as server:
        threading.Thread(target=pump, args=(conn, server), daemon=True).start()
        if before:
            conn.sendall(before)
        sent = 0
        while limit is None or sent < limit:
            data = server.recv(65536 if limit is None else min(65536, limit - sent))
            if not data:
                return
            conn.sendall(data)
            sent += len(data)
        after(conn, server)


def blank_lines(conn, world):
    forward(conn, world, before=b'\r\n\r\n\n  \r\n')


def lines_before(conn, world):
    forward(conn, world, before=b'This is a private machine.\r\nGo away.\r\n')


def stall_in_kex(conn, world):
    forward(conn, world, limit=600, after=lambda c, s: linger(c))


def stall_in_login(conn, world):
    """Forward the key exchange and the request for the service, which has 64 bytes at most; what
    the client sends behind them gets no answer."""
    with upstream(world) as server:
        threading.Thread(target=pump, args=(server, conn), daemon=True).start()
        stream = conn.makefile('rb')
        server.sendall(stream.readline())
        kind = 0
        while kind != 21:  # SSH_MSG_NEWKEYS, RFC 4253 section 6
            head = stream.read(4)
            packet = stream.read(int.from_bytes(head, 'big'))
            kind = packet[1]
            server.sendall(head + packet)
        for _ in range(64):
            server.sendall(stream.read(1))
        while stream.read1(4096):
            pass


def stall_before_reply(conn, world):
    """Behind the list of algorithms: the client has made its keys, and waits for the server's."""
    forward(conn, world, limit=1200, after=lambda c, s: linger(c))


def cut(how):
    """In the middle of output: behind the login, which takes less than 4,000 bytes."""
    return lambda conn, world: forward(conn, world, limit=200000, after=how)


def trickle(conn, server):
    while True:
        conn.sendall(server.recv(1))
        time.sleep(1)


def pause(conn, _):
    time.sleep(600)
    conn.close()


def trickle_after_login(conn, world):
    forward(conn, world, limit=4500, after=trickle)


class Peers:
    def __init__(self, world):
        self.world = world
        self.listeners, self.connections = [], []
        self.lock = threading.Lock()

    def add(self, address, peer):
        listener = socket.create_server((address, self.world.port), backlog=64)
        self.listeners.append(listener)
        threading.Thread(target=self.accept, args=(listener, peer), daemon=True).start()

    def accept(self, listener, peer):
        while True:
            try:
                conn, _ = listener.accept()
            except OSError:
                return
            with self.lock:
                self.connections.append(conn)
            threading.Thread(target=self.serve, args=(conn, peer), daemon=True).start()

    def serve(self, conn, peer):
        try:
            peer(conn, self.world)
        except OSError:
            pass
        finally:
            conn.close()

    def deaf(self, address):
        """Accepts nobody, and its queue is full: the kernel drops each further SYN."""
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((address, self.world.port))
        listener.listen(0)
        self.listeners.append(listener)
        for _ in range(3):
            filler = socket.socket()
            filler.setblocking(False)
            filler.connect_ex((address, self.world.port))
            self.connections.append(filler)

    def close(self):
        for sock in self.listeners + self.connections:
            try:
                sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            sock.close()
