"""A Redis server for a test: AOF on, in a folder of its own, on a free port of the loopback. Ended by pid."""
import os
import shutil
import signal
import socket
import subprocess
import time

START_S = 60  # a limit for a machine that hangs, not a time that a test waits
SETTINGS = {
    "bind": "127.0.0.1",
    "save": '""',
    "appendonly": "yes",
    "appendfsync": "everysec",
    "maxmemory-policy": "noeviction",
    "logfile": "log",
    "daemonize": "no",
}


def missing():
    """Why there can be no server here, or None."""
    return None if shutil.which("redis-server") else "no Redis server is installed (Debian: redis-server)"


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def encoded(words):
    parts = [b"*%d\r\n" % len(words)]
    for word in words:
        data = word.encode()
        parts.append(b"$%d\r\n%s\r\n" % (len(data), data))
    return b"".join(parts)


def answer_read(file):
    """One answer as lines; an error is raised."""
    line = file.readline().decode()
    if not line.endswith("\r\n"):
        raise RuntimeError("the server has hung up")
    kind, rest = line[0], line[1:-2]
    if kind == "-":
        raise RuntimeError(rest)
    if kind == "$":
        return "" if rest == "-1" else file.read(int(rest) + 2)[:-2].decode(errors="replace")
    if kind == "*":
        return "\n".join(answer_read(file) for _ in range(int(rest)))
    return rest


class Server:
    """pid is the server's. settings override those above; an underscore in a name stands for a hyphen."""

    def __init__(self, directory, **settings):
        self.directory = os.path.join(os.path.abspath(directory), "redis")
        os.makedirs(self.directory)
        self.process = None
        self.port = free_port()
        lines = dict(SETTINGS, port=self.port, **{key.replace("_", "-"): value for key, value in settings.items()})
        with open(os.path.join(self.directory, "redis.conf"), "w", encoding="utf-8") as file:
            file.writelines(f"{key} {value}\n" for key, value in lines.items())
        self.start()

    @property
    def pid(self):
        return self.process.pid

    def sql(self, command):
        """Runs a command of Redis, its words apart by blanks; the answer, a line each."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=START_S) as connection:
            connection.sendall(encoded(command.split()))
            with connection.makefile("rb") as file:
                return answer_read(file)

    def answers(self):
        try:
            return self.sql("PING") == "PONG"
        except (OSError, RuntimeError):  # not there yet, or still reading its files
            return False

    def start(self):
        with open(os.path.join(self.directory, "output"), "ab") as output:
            self.process = subprocess.Popen(["redis-server", "redis.conf"], cwd=self.directory, stdin=subprocess.DEVNULL,
                                            stdout=output, stderr=output)
        limit = time.monotonic() + START_S
        while not self.answers():
            if self.process.poll() is not None or time.monotonic() > limit:
                with open(os.path.join(self.directory, "log"), encoding="utf-8", errors="replace") as log:
                    raise RuntimeError("Redis does not start: " + log.read()[-2000:])
            time.sleep(0.01)

    def kill(self):
        self.process.kill()
        self.process.wait()

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(timeout=START_S)
            except subprocess.TimeoutExpired:
                self.kill()

    def restart(self):
        self.stop()
        self.start()

    def settings(self, namespace):
        """What a gateway's configuration says of the store."""
        return {"host": "127.0.0.1", "port": self.port, "prefix": "trigate" + namespace}


def start(directory, **settings):
    """A running server with its files below directory; settings are lines of its redis.conf."""
    return Server(directory, **settings)
