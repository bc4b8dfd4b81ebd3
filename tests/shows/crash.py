#!/usr/bin/python3
"""Show "crash": gateways and store servers are killed, disks fail; in the end nothing that was acknowledged is missing.

On SQLite, PostgreSQL and Redis, each on a state directory of its own: RUNS (50) kills -9 at random moments under load, on a
server every third one its own. Now and then, and in the end, the store is read from outside: no order without its cycle,
each order's fills come to what it says is filled, `trigate store check` finds nothing. After the last, clean run each order
of the venue's ledger stands in the store and in the journal with its true end, and nothing is open. Then a disk that is full,
broken or read-only under the journal and under the store (tests/shows/bad_disk.c): trading stops by itself where it must,
says why, goes on by itself when the disk is well again, and the ledger explains all. And a journal and a store with a
thousand open cycles are loaded in less than a second. A backend whose server is not installed is left out, which is said.
BUILD names the build folder, BACKENDS=redis,... some of them alone, SEED repeats the moments as far as the machine lets them be.
"""
import json, os, random, shutil, signal, subprocess, sys, tempfile, time
from collections import defaultdict
from decimal import Decimal

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "../integration"), os.path.join(HERE, "../servers")]
import postgres, redis, trigate
from trigate import run
from victim import SPEEDS, Victim, configure

RUNS = int(os.environ.get("RUNS") or 50)
SEED = int(os.environ.get("SEED") or time.time_ns() % 1000000)
SERVERS = {"sqlite": None, "postgres": postgres, "redis": redis}
BACKENDS = [name for name in os.environ.get("BACKENDS", "").split(",") if name] or list(SERVERS)
AIMS = ["start", "trade", "trade", "trade", "end"]
LOOK_EVERY = 10  # kills between two looks into the store
TELL_EVERY = 50  # kills between two lines of progress
JOURNAL = "journal:\n  file_mib: 1\n  keep_files: 1000\n"  # all of the journal is evidence
LOAD_LIMIT_MS = 1000
BAD_DISK = os.path.join(trigate.BUILD, "tests/bad_disk.so")
LOAD = os.path.join(trigate.BUILD, "tests/crash_load")


class Show:
    def __init__(self):
        self.problems, self.figures = [], defaultdict(int)

    def check(self, what, problems):
        for problem in problems:
            self.problems.append(problem)
            if len(self.problems) <= 30:
                print(f"  VIOLATION: {what}: {problem}", flush=True)


show = Show()


# ---------------------------------------------------------------- a store and what is in it

class Store:
    """A backend with its server, if it has one, and a state directory."""

    def __init__(self, name, folder, **settings):
        self.name, self.folder, self.state_dir = name, os.path.join(folder, name), os.path.join(folder, name, "state")
        os.makedirs(self.folder)
        self.server = SERVERS[name].start(self.folder) if SERVERS[name] else None
        settings = json.dumps(self.server.settings("crash") if self.server else settings)
        configure(self.folder, f"  plugin: {name}\n  settings: {settings}\n", JOURNAL)

    def gateway(self, *words, environment=None):
        return Victim(self.folder, self.state_dir, SEED, *words, environment=environment)

    def rows(self, kind):
        got = run("store", "export", "--what", kind, "--config", os.path.join(self.folder, "demo.yaml"), "-d", self.state_dir)
        if got.code != 0:
            raise RuntimeError(f"trigate store export: {got}")
        return got.lines()

    def torn(self):
        """What in the store does not fit together. Read from the leaves up, so that a writer beside does no harm."""
        filled = defaultdict(Decimal)
        orders, cycles = self.rows("orders"), {cycle["cycle"] for cycle in self.rows("cycles")}
        for fill in self.rows("fills"):
            filled[fill["client_id"]] += Decimal(fill["qty"])
        problems = [f"order {order['client_id']} is of cycle {order['cycle']}, which is not there"
                    for order in orders if order["cycle"] not in cycles]
        problems += [f"order {order['client_id']}: filled {order['filled_qty']}, its fills come to {filled[order['client_id']]}"
                     for order in orders if Decimal(order["filled_qty"]) != filled[order["client_id"]]]
        got = run("store", "check", "--config", os.path.join(self.folder, "demo.yaml"), "-d", self.state_dir)
        return problems + ([] if got.code == 0 else [f"store check: {got}"])

    def judge(self, told):
        """After a clean run."""
        ledger, state = trigate.Ledger(self.state_dir, check_crc=True), trigate.State(self.state_dir)
        stored = {order["client_id"]: order for order in self.rows("orders")}
        show.check(f"{self.name}: orders and their ends", trigate.orders_problems(state, ledger))
        show.check(f"{self.name}: the journal", trigate.journal_problems(state, ledger))
        show.check(f"{self.name}: balances", trigate.money_problems(state, ledger))
        show.check(f"{self.name}: open", trigate.open_problems(state))
        show.check(f"{self.name}: the store", self.torn())
        show.check(f"{self.name}: orders in the store", [
            problem for order in ledger.orders for problem in
            (trigate.order_problems(stored[order.client_id], order) if order.client_id in stored
             else [f"the store lacks {order.client_id}"])])
        show.check(f"{self.name}: orders that were told of", [f"{one} is not in the store" for one in told - stored.keys()])
        show.figures["orders"] += len(ledger.orders)
        show.figures["fills"] += sum(len(order.fills) for order in ledger.orders)
        print(f"{self.name}: {len(ledger.orders)} orders at the venue, {len(stored)} in the store, "
              f"{len(state.cycles)} cycles, {len(state.of_type('start'))} starts: judged", flush=True)

    def clean_run(self):
        got = run("run", "--config", os.path.join(self.folder, "demo.yaml"), "--seed", SEED, "--state-dir", self.state_dir, "--json",
                  "--speed", "max", "--cycles", 5)
        show.check(f"{self.name}: the last, clean run", [] if got.code == 0 else [str(got)])

    def close(self):
        if self.server:
            self.server.stop()


# ---------------------------------------------------------------- kills

class Kills:
    def __init__(self, store):
        self.store, self.random, self.told, self.startup_s = store, random.Random(SEED), set(), 0.05

    def gateway_kill(self):
        aim, victim = self.random.choice(AIMS), self.store.gateway("--speed", self.random.choice(SPEEDS))
        if aim == "start":
            time.sleep(self.random.uniform(0, 1.3 * self.startup_s))
        else:
            self.startup_s = victim.wait_trading()
            time.sleep(self.random.uniform(0, 0.2))
        if aim == "end":
            victim.process.send_signal(signal.SIGTERM)
            time.sleep(self.random.choice([0, self.random.uniform(0, 0.003), self.random.uniform(0, 0.03)]))
        code, _ = victim.kill()
        return self.after(victim, code)

    def server_kill(self):
        """The gateway lives on: it waits for the server, and tells it then what came meanwhile."""
        victim = self.store.gateway("--speed", 30)
        victim.wait_trading()
        time.sleep(self.random.uniform(0, 0.2))
        self.store.server.kill()
        time.sleep(self.random.uniform(0, 0.3))
        self.store.server.start()
        time.sleep(self.random.uniform(0, 0.2))
        if victim.process.poll() is not None:
            show.check(f"{self.store.name}: a gateway whose server was killed",
                       [f"ended by itself, exit code {victim.process.returncode}: {victim.errors()[-500:]}"])
        code, _ = victim.end() if self.random.random() < 0.5 else victim.kill()
        show.figures["server_kills"] += 1
        self.told |= victim.told()
        show.check(f"{self.store.name}: end after the server was killed",
                   [] if code in (0, -signal.SIGKILL) else [f"exit code {code}: {victim.errors()[-500:]}"])
        return True

    def after(self, victim, code):
        self.told |= victim.told()
        if code != -signal.SIGKILL and code != 0:
            show.check(f"{self.store.name}: a gateway", [f"ended by itself, exit code {code}: {victim.errors()[-500:]}"])
        show.figures["kills"] += code == -signal.SIGKILL
        return code == -signal.SIGKILL

    def run(self):
        hits = tries = told = 0
        while hits < RUNS and tries < 3 * RUNS + 20:
            tries += 1
            server = self.store.server and tries % 3 == 0
            hits += self.server_kill() if server else self.gateway_kill()
            if hits % LOOK_EVERY == 0 and os.path.exists(os.path.join(self.store.state_dir, trigate.JOURNAL)):
                show.check(f"{self.store.name}: after kill {hits}", self.store.torn())
            if hits // TELL_EVERY > told:
                told = hits // TELL_EVERY
                print(f"{self.store.name}: {hits} of {RUNS} kills, {len(show.problems)} violations", flush=True)
        if hits < RUNS:
            show.check(self.store.name, [f"only {hits} of {RUNS} kills hit"])
        print(f"{self.store.name}: {hits} kills", flush=True)


# ---------------------------------------------------------------- disks

FAULTS = [(code, calls, where) for where in ("journal-", trigate.STORE) for code, calls in
          (("ENOSPC", "write"), ("EIO", "write"), ("EROFS", "all"), ("EIO", "sync"))]
TOLD = {"journal-": ("journal.stalled", "journal.resumed"), trigate.STORE: ("storage_failing", "storage_recovered")}


class Disk:
    """A gateway on a disk that fails when told to."""

    def __init__(self, folder, code, calls, where):
        self.name = f"{code} on {calls} of {'the journal' if where == 'journal-' else 'the store'}"
        self.order, self.where = f"{code} {calls} {where}\n", where
        # else SQLite syncs now and then only, and only then it could tell
        self.store = Store("sqlite", folder, **({"synchronous": "full"} if calls == "sync" else {}))
        self.control = os.path.join(self.store.folder, "bad")
        self.tell("")

    def tell(self, order):
        with open(self.control + ".new", "w") as file:
            file.write(order)
        os.rename(self.control + ".new", self.control)

    def orders_at_venue(self):
        with open(os.path.join(self.store.state_dir, trigate.LEDGER), "rb") as file:
            return sum(b'"kind":"order"' in line for line in file)

    def run(self):
        stalled, resumed = TOLD[self.where]
        gateway = self.store.gateway("--speed", 30, environment={"LD_PRELOAD": BAD_DISK, "BAD_DISK": self.control})
        gateway.wait_trading()
        self.tell(self.order)
        place = gateway.wait_told(stalled)
        ended = place is None and gateway.process.poll() is not None
        problems = [] if place or ended else [f"never told of it ({stalled})"]
        if place and self.where == "journal-":
            before = self.orders_at_venue()
            time.sleep(0.3)
            problems += [] if self.orders_at_venue() == before else ["orders left while the journal could not be written"]
        self.tell("")
        if place:
            place = gateway.wait_told(resumed, place)
            ended = place is None and gateway.process.poll() is not None
            problems += [] if place or ended else [f"never told that it is over ({resumed})"]
        if ended:  # allowed where going on could not be proven safe: it must say so, and come back
            code, _ = gateway.close()
            text = gateway.errors() + gateway.bytes().decode(errors="replace")
            problems += [] if code == 1 and self.where in text else [f"ended with {code}: {text[-500:]}"]
            show.figures["ended"] += 1
        else:
            before = self.orders_at_venue()
            limit = time.monotonic() + 60
            while self.orders_at_venue() == before and time.monotonic() < limit:
                time.sleep(0.01)
            problems += [] if self.orders_at_venue() > before else ["does not trade again"]
            code, _ = gateway.end()
            problems += [] if code == 0 else [f"ended with {code}: {gateway.errors()[-500:]}"]
            show.figures["resumed"] += 1
        show.check(self.name, problems)
        print(f"{self.name}: {'ended, says why' if ended else 'told, went on by itself'}", flush=True)
        self.store.clean_run()
        self.store.judge(gateway.told())
        show.figures["disk_faults"] += 1


# ---------------------------------------------------------------- a thousand open cycles

def load(store):
    """The time that it takes to read them back, by the gateway's own code."""
    settings = json.dumps(store.server.settings("load")) if store.server else "{}"
    folder = os.path.join(store.folder, "load")
    os.mkdir(folder)
    got = subprocess.run([LOAD, store.name, folder], capture_output=True,
                         text=True, env=dict(os.environ, TRIGATE_STORAGE_SETTINGS=settings), timeout=120, check=False)
    if got.returncode != 0:
        show.check(f"{store.name}: a thousand open cycles", [got.stderr or got.stdout])
        return
    figures = json.loads(got.stdout)
    took = figures["journal_ms"] + figures["store_ms"]
    print(f"{store.name}: {figures['cycles']} open cycles with {figures['orders']} orders: journal {figures['journal_ms']:.1f} ms, "
          f"store {figures['store_ms']:.1f} ms", flush=True)
    show.check(f"{store.name}: loading", [] if took < LOAD_LIMIT_MS else [f"took {took:.0f} ms"])
    show.figures["load_ms_most"] = max(show.figures["load_ms_most"], round(took, 1))


def main():
    folder, left_out = tempfile.mkdtemp(prefix="trigate-crash-"), []
    os.chmod(folder, 0o755)
    print(f"seed {SEED}; {RUNS} kills a backend, below {folder}", flush=True)
    for name in BACKENDS:
        module = SERVERS[name]
        why = module.missing() if module else None
        if why:
            left_out.append(name)
            print(f"{name} is left out: {why}", flush=True)
            continue
        store = Store(name, folder)
        try:
            kills = Kills(store)
            kills.run()
            store.clean_run()
            store.judge(kills.told)
            load(store)
        finally:
            store.close()
    for number, fault in enumerate(FAULTS):
        Disk(os.path.join(folder, f"disk-{number}"), *fault).run()
    if show.problems:
        print(f"all is kept: {folder}")
    else:
        shutil.rmtree(folder)
    print(json.dumps({"event": "summary", "show": "crash", "violations": len(show.problems), **show.figures,
                      "left_out": left_out, "seed": SEED}, separators=(",", ":")))
    return 1 if show.problems else 0


sys.exit(main())
