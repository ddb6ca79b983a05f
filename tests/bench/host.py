"""One real sshd, without privileges, behind all of 127.0.0.0/8, and the light servers."""
import glob
import os
import pwd
import shutil
import socket
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
RECORDED = os.path.join(ROOT, "tests", "replay", "hosts", "host-01")
TARGET = "rm-intra.mysql.rds.aliyuncs.com"
STAND_INS = "cat docker getent grep ip ping timeout uname uptime".split()
TICKS = os.sysconf("SC_CLK_TCK")


def address(i):
    """The i-th host's: 127.66.0.1 and on."""
    return f"127.{66 + (i + 1) // 65536}.{(i + 1) // 256 % 256}.{(i + 1) % 256}"


def first_of(*patterns):
    for pattern in patterns:
        for path in sorted(glob.glob(pattern)):
            return path
    sys.exit(f"bench: there is no {patterns[0]}: '.ci/deps bench' installs it")


def stat_of(pid):
    with open(f"/proc/{pid}/stat") as f:
        return f.read().rpartition(")")[2].split()


class Sshd:
    """Who may log in is `demo`, by one key; it has an empty home and /bin/sh. What the commands
    print is one of the recorded hosts'."""

    def __init__(self, built):
        self.state = tempfile.mkdtemp(prefix="oddhost-bench.")
        os.chmod(self.state, 0o755)
        self.built, self.process = built, None
        self.key = os.path.join(self.state, "id_ed25519")
        self.stamps = os.path.join(self.state, "stamps")
        self.sshd = first_of("/usr/sbin/sshd", f"{ROOT}/.build/sshd/usr/sbin/sshd")
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
            self.port = s.getsockname()[1]

    def path(self, *names):
        return os.path.join(self.state, *names)

    def write(self, name, text):
        with open(self.path(name), "w") as f:
            f.write(text)

    def fill(self, uid, gid):
        for directory in ("bin", "home", "empty"):
            os.mkdir(self.path(directory))
        shutil.copytree(RECORDED, self.path("host"))
        shutil.copy(f"{self.built}/answer", self.path("bin", "answer"))
        shutil.copy(f"{self.built}/lo.so", self.path("lo.so"))
        for name in STAND_INS:
            os.symlink("answer", self.path("bin", name))
        self.write("passwd", f"demo:x:{uid}:{gid}::{self.path('home')}:/bin/sh\n"
                   + ("root:x:0:0::/:/bin/sh\n" if uid != os.getuid() else ""))
        self.write("group", f"demo:x:{gid}:\n")
        for name, comment in (("id_ed25519", "bench"), ("host_key", "host")):
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", comment, "-f",
                            self.path(name)], check=True, env=self.environment())
        shutil.copy(self.path("id_ed25519.pub"), self.path("authorized_keys"))
        self.write("sshd_config", self.config())

    def config(self):
        lines = f"""Port {self.port}
ListenAddress 0.0.0.0
HostKey {self.path('host_key')}
PidFile none
AuthorizedKeysFile {self.path('authorized_keys')}
StrictModes no
AllowUsers demo
AuthenticationMethods publickey
UsePAM no
UseDNS no
MaxStartups 20000
PrintMotd no
LogLevel ERROR
SetEnv "ODDHOST_BENCH={self.state}" "PATH={self.path('bin')}:/usr/bin:/bin"
"""
        helpers = "/usr/lib/openssh"
        if not self.sshd.startswith("/usr/"):
            helpers = self.sshd.replace("/sbin/sshd", "/lib/openssh")
            self.sshd = shutil.copy(self.sshd, self.path("sshd"))
        for option, name in (("SshdSessionPath", "sshd-session"), ("SshdAuthPath", "sshd-auth")):
            if os.path.exists(f"{helpers}/{name}"):
                lines += f"{option} {shutil.copy(f'{helpers}/{name}', self.path(name))}\n"
        return lines + ("PerSourcePenalties no\n" if "SshdSessionPath" in lines else "")

    def environment(self, *preload):
        wrapper = first_of("/usr/lib/*/libnss_wrapper.so", "/usr/lib64/libnss_wrapper.so")
        return {"LD_PRELOAD": ":".join([wrapper, *preload]), "PATH": "/usr/bin:/bin",
                "NSS_WRAPPER_PASSWD": self.path("passwd"),
                "NSS_WRAPPER_GROUP": self.path("group")}

    def __enter__(self):
        become, (uid, gid) = [], (os.getuid(), os.getgid())
        if uid == 0:
            uid, gid = pwd.getpwnam("nobody")[2:4]
            become = ["setpriv", f"--reuid={uid}", f"--regid={gid}", "--clear-groups",
                      "--no-new-privs"]
        try:
            self.fill(uid, gid)
            if become:
                for directory, _, files in os.walk(self.state):
                    for name in [directory] + [os.path.join(directory, f) for f in files]:
                        os.chown(name, uid, gid, follow_symlinks=False)
                os.chown(self.key, 0, 0)
            with open(self.path("log"), "w") as log:
                self.process = subprocess.Popen(
                    become + [self.sshd, "-D", "-e", "-f", self.path("sshd_config")],
                    stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
                    env=self.environment(self.path("lo.so")))
            self.wait()
        except BaseException:
            self.__exit__()
            raise
        return self

    def wait(self):
        for _ in range(100):
            try:
                socket.create_connection((address(0), self.port), 1).close()
                return
            except OSError:
                time.sleep(0.05)
            if self.process.poll() is not None:
                break
        with open(self.path("log")) as log:
            sys.exit(f"bench: sshd did not start: {log.read()}")

    def children(self):
        with open(f"/proc/{self.process.pid}/task/{self.process.pid}/children") as f:
            return [int(pid) for pid in f.read().split()]

    def settle(self):
        """Until every connection has ended; false where some have not after ten seconds."""
        for _ in range(500):
            if not self.children():
                return True
            time.sleep(0.02)
        for pid in self.children():
            os.kill(pid, 15)
        return False

    def cpu(self):
        """Seconds of sshd and all that it started and that has ended."""
        return sum(int(field) for field in stat_of(self.process.pid)[11:15]) / TICKS

    def __exit__(self, *_):
        if self.process:
            children = self.children() if self.process.poll() is None else []
            self.process.terminate()
            for pid in children:
                try:
                    os.kill(pid, 15)
                except ProcessLookupError:
                    pass
            self.process.wait()
        shutil.rmtree(self.state)


class Light:
    """servers.py in a process of its own; its port."""

    def __init__(self, *args):
        self.process = subprocess.Popen(
            [sys.executable, os.path.join(HERE, "servers.py"), *map(str, args)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.port = int(self.process.stdout.readline())

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()
