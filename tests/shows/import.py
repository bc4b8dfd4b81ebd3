#!/usr/bin/python3
"""Show "import": files of the Python system, of both shapes and of both at once, with RUNS (10,000) cycles each, brought into every
backend that this machine has: by `trigate store import`, and by itself where such a file stands in place of the store.

Each comes out whole: every cycle and order member by member, sums and counts to the last digit by decimal from repr() of each float,
each oddity counted; the original's SHA-256 is what it was, that of its log too; kill -9 in between changes nothing of this. BUILD names
the build folder, SEED repeats the files and the moments (as far as the machine's scheduling lets them be repeated).
"""
import collections, hashlib, importlib.util, json, os, random, shutil, signal, subprocess, sys, tempfile, time
from decimal import Decimal

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "../integration"))
sys.dont_write_bytecode = True
import old_store, trigate
from trigate import run

RUNS = int(os.environ.get("RUNS") or 10000)
SEED = int(os.environ.get("SEED") or time.time_ns() % 1000000)
KILLS = 8  # of each import that is cut short
AMOUNTS = {"cycles": ("planned_in", "planned_out", "amount_in", "amount_out", "profit"),
           "orders": ("price", "qty", "filled_qty", "filled_quote")}
TIMES = {"cycles": ("opened", "closed"), "orders": ("created", "updated")}
KEYS = {"cycles": "cycle", "orders": "client_id"}
LOGS = "", "-wal"


def server_module(name):
    spec = importlib.util.spec_from_file_location(name, os.path.join(HERE, "../servers", name + ".py"))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def sums(path):
    """SHA-256 of a database and of its log."""
    return {end: hashlib.sha256(open(path + end, "rb").read()).hexdigest() for end in LOGS if os.path.exists(path + end)}


class Show:
    def __init__(self, folder):
        self.folder, self.random = folder, random.Random(SEED)
        self.violations = 0
        self.figures = collections.Counter()
        self.servers = {}

    def violation(self, text):
        self.violations += 1
        if self.violations <= 30:
            print("  VIOLATION: " + text, flush=True)

    # ------------------------------------------------------------ files

    def make(self, shape):
        """The file, and what must come of it, times as text. That of both shapes has its log beside it, as after kill -9."""
        path, old = self.make_file(shape)
        for what, members in TIMES.items():
            for row in getattr(old, what).values():
                row.update({member: trigate.time_text(row[member]) for member in members})
        return path, old

    def make_file(self, shape):
        folder = os.path.join(self.folder, "old-" + shape.replace(" ", "-"))
        os.mkdir(folder)
        path = os.path.join(folder, "trade_state.db")
        if shape != "both":
            return path, old_store.make(path, shape, RUNS, SEED)
        store = old_store.OldStore(path + ".alive", shape, SEED, log=True)
        store.fill(RUNS)
        connection = store.close(log=True)
        for end in LOGS:
            shutil.copyfile(path + ".alive" + end, path + end)
        connection.close()
        os.unlink(path + ".alive")
        return path, store

    def state(self, backend, name):
        """A state directory with a gateway file for this backend."""
        folder = os.path.join(self.folder, f"{backend}-{name.replace(' ', '-')}")
        os.mkdir(folder)
        os.mkdir(os.path.join(folder, "state"))
        settings = self.servers[backend].settings(f"import{len(os.listdir(self.folder))}") if backend in self.servers else {}
        with open(os.path.join(folder, "gateway.yaml"), "w") as file:
            file.write(f"state_dir: {folder}/state\nexchanges: {{sim: {{}}}}\n"
                       f"storage: {{plugin: {backend}, settings: {json.dumps(settings)}}}\n")
        return os.path.join(folder, "gateway.yaml"), os.path.join(folder, "state")

    # ------------------------------------------------------------ judging

    def rows(self, config, what):
        got = run("store", "export", "--what", what, "--config", config, timeout=600)
        if got.code != 0:
            raise RuntimeError(f"export of {what}: {got}")
        return got.lines()

    def judge_rows(self, name, what, rows, wanted):
        """Every row member by member; and the sums of all."""
        found = {row[KEYS[what]]: row for row in rows}
        if len(rows) != len(found) or found.keys() != wanted.keys():
            self.violation(f"{name}: {len(rows)} {what}, {len(wanted)} expected; not there: "
                           f"{sorted(wanted.keys() - found.keys())[:3]}, too many: {sorted(found.keys() - wanted.keys())[:3]}")
        for key in wanted.keys() & found.keys():
            for member, value in wanted[key].items():
                got = found[key][member]
                if member in AMOUNTS[what]:
                    got = Decimal(got)
                if member in TIMES[what]:
                    got = got or ""
                if got != value:
                    self.violation(f"{name}: {what} {key}: {member} is {got!r}, {value!r} expected")
        for member in AMOUNTS[what]:
            got, value = (sum(Decimal(row[member]) for row in some) for some in (rows, wanted.values()))
            if got != value:
                self.violation(f"{name}: {what}: {member} comes to {got}, {value} expected")
            self.figures["sums"] += 1

    def judge(self, name, config, old, odd=None):
        self.judge_rows(name, "cycles", self.rows(config, "cycles"), old.cycles)
        self.judge_rows(name, "orders", self.rows(config, "orders"), old.orders)
        events = self.rows(config, "events")
        kinds = dict(collections.Counter(event["kind"] for event in events))
        if kinds != old.events:
            self.violation(f"{name}: events {kinds}, {old.events} expected")
        if odd is not None and odd != old.odd:
            self.violation(f"{name}: {odd} oddities were told, {old.odd} put in")
        status = run("store", "status", "--config", config, "--json").lines()[0]
        if (status["cycles"], status["open_cycles"], status["orders"]) != (len(old.cycles), 0, len(old.orders)):
            self.violation(f"{name}: status says {status}")
        check = run("store", "check", "--config", config)
        if check.code != 0:
            self.violation(f"{name}: check: {check}")
        self.figures["imports"] += 1
        print(f"{name}: {len(old.cycles)} cycles, {len(old.orders)} orders, {len(events)} events, {old.odd} oddities", flush=True)

    def untouched(self, name, path, before):
        if sums(path) != before:
            self.violation(f"{name}: the original is {sums(path)}, it was {before}")

    # ------------------------------------------------------------ importing

    def killed(self, lasts_s, *words):
        """Run a command and kill it within the time that it takes; whether that hit."""
        process = subprocess.Popen([trigate.TRIGATE, *words], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                   stderr=subprocess.DEVNULL)
        time.sleep(self.random.uniform(0, lasts_s))
        process.send_signal(signal.SIGKILL)
        hit = process.wait() == -signal.SIGKILL
        self.figures["kills"] += hit
        return hit

    def by_command(self, backend, shape, path, old, lasts_s=None):
        """With `lasts_s`: killed some times before it may end. How long it took."""
        name = f"{shape} into {backend}" + (" with kills" if lasts_s else "")
        config, state = self.state(backend, name)
        before = sums(path)
        for _ in range(KILLS if lasts_s else 0):
            self.killed(lasts_s, "store", "import", path, "--config", config)
        began = time.monotonic()
        got = run("store", "import", path, "--config", config, "--json", timeout=600)
        took = time.monotonic() - began
        if got.code != 0:
            self.violation(f"{name}: {got}")
            return took
        self.judge(name, config, old, sum(line["event"] == "oddity" for line in got.lines()))
        again = run("store", "import", path, "--config", config, "--json", timeout=600).lines()[-1]
        if again["there_before"] != again["rows"]:
            self.violation(f"{name}: repeated, it brought in something: {again}")
        left = [entry for entry in os.listdir(state) if ".import-" in entry]
        if left:
            self.violation(f"{name}: left over: {left}")
        self.untouched(name, path, before)
        return took

    def by_itself(self, shape, path, old, kills):
        """The file in place of the store; killed some times, it is the old one or the new one whenever one looks."""
        name = f"{shape} on first open" + (" with kills" if kills else "")
        config, state = self.state("sqlite", name)
        place = os.path.join(state, "trigate.db")
        for end in LOGS:
            if os.path.exists(path + end):
                shutil.copyfile(path + end, place + end)
        before, lasts_s = sums(place), 0.2 + RUNS / 4000
        for _ in range(KILLS if kills else 0):
            self.killed(lasts_s, "store", "migrate", "--config", config)
            kept = place + ".python"
            if sums(place).get("") != before[""] and sums(kept) != before:
                self.violation(f"{name}: after a kill neither the old file nor the new one with the old beside it is there")
        got = run("store", "migrate", "--config", config, timeout=600)
        if got.code != 0:
            self.violation(f"{name}: {got}")
            return
        self.judge(name, config, old)
        self.untouched(name, place + ".python", before)
        left = sorted(set(os.listdir(state)) - {f"trigate.db{end}" for end in ("", "-wal", "-shm", ".python", ".python-wal")})
        if left:
            self.violation(f"{name}: left over: {left}")

    # ------------------------------------------------------------ all

    def start_servers(self):
        for name in ("postgres", "redis"):
            if not os.path.exists(os.path.join(HERE, "../servers", name + ".py")):
                continue
            module = server_module(name)
            why = module.missing()
            if why:
                print(f"not into {name}: {why}")
                continue
            folder = os.path.join(self.folder, "server-" + name)
            os.mkdir(folder)
            self.servers[name] = module.start(folder)

    def go(self):
        self.start_servers()
        for shape in old_store.SHAPES:
            path, old = self.make(shape)
            took = self.by_command("sqlite", shape, path, old)
            if shape == "1.3":
                self.by_command("sqlite", shape, path, old, lasts_s=took)
            self.by_itself(shape, path, old, kills=False)
            if shape == "both":
                self.by_itself(shape, path, old, kills=True)
            for backend in self.servers:
                took = self.by_command(backend, shape, path, old)
                if shape == "both":
                    self.by_command(backend, shape, path, old, lasts_s=took)
            self.figures["cycles"] += len(old.cycles)
            self.figures["orders"] += len(old.orders)
            self.figures["oddities"] += old.odd

    def end(self):
        for server in self.servers.values():
            server.stop()
        print(json.dumps({"event": "summary", "show": "import", "violations": self.violations, **self.figures,
                          "backends": ["sqlite", *self.servers], "seed": SEED}, separators=(",", ":")))


def main():
    folder = tempfile.mkdtemp(prefix="trigate-import-")
    os.chmod(folder, 0o755)  # a server of another user has its folder in it
    show = Show(folder)
    print(f"seed {SEED}; {RUNS} cycles a file", flush=True)
    try:
        show.go()
    finally:
        show.end()
        if show.violations == 0:
            shutil.rmtree(folder, ignore_errors=True)
    return show.violations > 0


sys.exit(main())
