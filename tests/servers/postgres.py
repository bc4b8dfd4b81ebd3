"""A PostgreSQL server for a test: a cluster of its own in a folder, on a free port of the loopback and a socket below that
folder, with fsync on. Ended by pid. PostgreSQL refuses to run as root, so root starts it as another user."""
import glob
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time

USER, DATABASE = "trigate", "trigate"
START_S = 60  # a limit for a machine that hangs, not a time that a test waits
SETTINGS = """
listen_addresses = '127.0.0.1'
unix_socket_directories = '{folder}'
port = {port}
max_connections = 60
shared_buffers = 32MB
max_wal_size = 256MB
fsync = on
full_page_writes = on
synchronous_commit = on
log_line_prefix = '%m [%p] '
"""


def binary(name):
    """Debian keeps the server's programs out of PATH. None if there are none."""
    found = sorted(glob.glob(f"/usr/lib/postgresql/*/bin/{name}"), key=lambda path: int(path.split("/")[4].split(".")[0]))
    return found[-1] if found else shutil.which(name)


def missing():
    """Why there can be no server here, or None."""
    if not (binary("initdb") and binary("postgres")):
        return "no PostgreSQL server is installed (Debian: postgresql)"
    return None


def other_user():
    """Keywords for subprocess: whom to run as."""
    if os.geteuid() != 0:
        return {}
    for name in ("postgres", "nobody"):
        try:
            entry = pwd.getpwnam(name)
            return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}
        except KeyError:
            continue
    raise RuntimeError("as root a user 'postgres' or 'nobody' is needed to run PostgreSQL as")


def children(pid):
    """The processes that pid has started and that still run."""
    found = []
    for path in glob.glob("/proc/[0-9]*/stat"):
        try:
            with open(path, encoding="utf-8") as file:
                fields = file.read().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[1]) == pid and fields[0] != "Z":
            found.append(int(path.split("/")[2]))
    return found


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Server:
    """pid is the postmaster's."""

    def __init__(self, directory, **settings):
        self.directory = os.path.join(os.path.abspath(directory), "postgres")
        self.data = os.path.join(self.directory, "data")
        self.user = other_user()
        self.process = None
        os.makedirs(self.directory)
        if self.user:
            os.chown(self.directory, self.user["user"], self.user["group"])
            self.open_way()
        self.port = free_port()
        self.run("initdb", "--pgdata", self.data, "--auth", "trust", "--username", USER, "--encoding", "UTF8",
                 "--locale", "C", "--no-sync")
        with open(os.path.join(self.data, "postgresql.conf"), "a", encoding="utf-8") as file:
            file.write(SETTINGS.format(folder=self.directory, port=self.port))
            file.writelines(f"{key} = {value}\n" for key, value in settings.items())
        self.start()
        self.sql(f"CREATE DATABASE {DATABASE}", database="postgres")

    def open_way(self):
        """A folder that root made for itself alone is closed to the other user."""
        folder = os.path.dirname(self.directory)
        while folder.startswith(tempfile.gettempdir() + "/"):
            os.chmod(folder, os.stat(folder).st_mode | 0o011)
            folder = os.path.dirname(folder)

    def run(self, name, *arguments, text=None):
        done = subprocess.run([binary(name), *arguments], input=text, capture_output=True, text=True, cwd="/", check=False,
                              timeout=START_S, **self.user)
        if done.returncode != 0:
            raise RuntimeError(f"{name} failed: {done.stderr.strip() or done.stdout.strip()}")
        return done.stdout

    @property
    def pid(self):
        return self.process.pid

    def sql(self, statement, database=DATABASE):
        """Runs it as the cluster's owner; the rows, a line each."""
        return self.run("psql", "-XAtq", "-v", "ON_ERROR_STOP=1", "-h", self.directory, "-p", str(self.port), "-U", USER,
                        "-d", database, text=statement)

    def answers(self):
        try:
            self.sql("SELECT 1", database="postgres")
            return True
        except RuntimeError:
            return False

    def start(self):
        """Again and again: after kill -9 the last of the old processes may hold the shared memory for a moment."""
        limit = time.monotonic() + START_S
        while True:
            if self.process is None or self.process.poll() is not None:
                with open(os.path.join(self.directory, "log"), "ab") as log:
                    self.process = subprocess.Popen([binary("postgres"), "-D", self.data], stdin=subprocess.DEVNULL,
                                                    stdout=log, stderr=log, cwd="/", **self.user)
            if self.answers():
                return
            if time.monotonic() > limit:
                with open(os.path.join(self.directory, "log"), encoding="utf-8", errors="replace") as log:
                    raise RuntimeError("PostgreSQL does not start: " + log.read()[-2000:])
            time.sleep(0.02)

    def kill(self):
        """kill -9 of all its processes at once, as far as that goes: the first to go cannot start others."""
        pids = [self.pid] + children(self.pid)
        for pid in pids:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        self.process.wait()

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)  # a fast shutdown
            try:
                self.process.wait(timeout=START_S)
            except subprocess.TimeoutExpired:
                self.kill()

    def restart(self):
        self.stop()
        self.start()

    def settings(self, namespace):
        """What a gateway's configuration says of the store."""
        return {"host": "127.0.0.1", "port": self.port, "database": DATABASE, "user": USER, "schema": namespace,
                "sslmode": "disable"}


def start(directory, **settings):
    """A running server with its files below directory; settings are lines of its postgresql.conf."""
    return Server(directory, **settings)
