#!/usr/bin/python3
"""Show "slots": four processes open RUNS (200) cycles each over one store and share a limit, while they are killed (-9),
put to sleep for longer than their leases last, and started again, and while the store's server goes away; on SQLite,
PostgreSQL and Redis. Now and then an operator gives back what a gateway that does not answer holds and does not need.

Each cycle is a line in a file as it opens and one as it closes, in the order in which it happened (slot_worker.c): what
is open is counted from that file alone, here, by nobody who has slots. One that a killed process had open stays open
until its successor closes it. Never more are open than the limits allow: four of a strategy, which two of the processes
have, and five together. In the end every slot is free, or waits for the process that was killed with it.

First the show looks whether it would see it: a worker that ignores the end of its lease must be one too many.
BUILD names the build folder, SEED repeats the moments as far as the machine lets them be repeated.
"""
import collections
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "../servers"))
sys.dont_write_bytecode = True
import postgres  # noqa: E402
import redis  # noqa: E402

BUILD = os.environ.get("BUILD") or os.path.join(HERE, "../../build")
WORKER = os.path.join(BUILD, "tests/slot_worker")
RUNS = int(os.environ.get("RUNS") or 200)
SEED = int(os.environ.get("SEED") or time.time_ns() % 1000000)
LIMIT, OF_STRATEGY = 5, 4
TTL_S = 1.0
KEPT = 3  # exit code of a worker that could not give everything back
DEADLINE_S = 120  # a limit for what hangs, not a time that is waited
OWNERS = {"0001": "one", "0002": "one", "0003": "two", "0004": "two"}  # gateways and their strategies


class Store:
    """Where the slots are, and who is on it."""

    def __init__(self, name, folder, server=None):
        self.name, self.folder, self.server = name, folder, server
        os.makedirs(folder, exist_ok=True)
        self.events = os.path.join(folder, "events")
        open(self.events, "w").close()
        self.environment = dict(
            os.environ, TRIGATE_PLUGIN_PATH=os.path.join(BUILD, "storage"), STORE_PLUGIN=name, STORE_FOLDER=folder,
            SLOT_TTL_MS=str(int(TTL_S * 1000)), STORE_SETTINGS=json.dumps(server.settings("slots") if server else {}))

    def command(self, *words, owner="0001", limit=LIMIT):
        groups = f"strategy:{OWNERS[owner]}={OF_STRATEGY} gateways:show={limit}"
        return [WORKER, *words], dict(self.environment, SLOT_GROUPS=groups)

    def ask(self, *words):
        arguments, environment = self.command(*words)
        return subprocess.run(arguments, env=environment, capture_output=True, text=True, timeout=DEADLINE_S, check=False)

    def slots(self):
        """[group, id, owner, state] of each; None while the store is away."""
        answer = self.ask("list")
        return [line.split() for line in answer.stdout.splitlines()] if answer.returncode == 0 else None


class Observer:
    """Reads what happened, in order."""

    def __init__(self, path):
        self.file = open(path, "rb", buffering=0)
        self.rest = b""
        self.open, self.wanting = collections.Counter(), collections.Counter()
        self.opened, self.most, self.most_of_strategy = 0, 0, 0
        self.ended = set()

    def look(self):
        *lines, self.rest = (self.rest + self.file.read()).split(b"\n")
        for line in lines:
            owner, what = line.decode().split()
            self.take(owner, what)

    def take(self, owner, what):
        self.wanting[owner] = what == "want"
        if what == "end":
            self.ended.add(owner)
        if what not in ("open", "close"):
            return
        self.open[owner] += 1 if what == "open" else -1
        self.opened += what == "open"
        self.most = max(self.most, sum(self.open.values()))
        of_strategy = collections.Counter()
        for other, count in self.open.items():
            of_strategy[OWNERS[other]] += count
        self.most_of_strategy = max(self.most_of_strategy, *of_strategy.values())

    def needs(self, owner):
        """Slots of a process that does not run now which may belong to something."""
        return self.open[owner] + self.wanting[owner]


class Gateway:
    """A worker and its successors."""

    def __init__(self, store, owner, tasks, *options, limit=LIMIT):
        self.store, self.owner, self.tasks, self.options, self.limit = store, owner, tasks, options, limit
        self.asleep_until = self.back_at = 0
        self.start()

    def start(self):
        arguments, environment = self.store.command("run", self.owner, str(self.tasks), self.store.events, *self.options,
                                                    owner=self.owner, limit=self.limit)
        self.log = open(os.path.join(self.store.folder, self.owner + ".log"), "ab")
        self.process = subprocess.Popen(arguments, env=environment, stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log)
        self.back_at = 0

    def done(self):
        return self.process.poll() == 0

    def runs(self):
        return self.process.poll() is None

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.asleep_until = 0

    def sleep(self, seconds):
        """Stopped for sure when it returns: what it wrote before stands in the file."""
        self.process.send_signal(signal.SIGSTOP)
        while self.runs():
            with open(f"/proc/{self.process.pid}/stat", encoding="utf-8") as file:
                if file.read().rpartition(")")[2].split()[0] in "TZ":
                    break
            time.sleep(0.001)
        self.asleep_until = time.monotonic() + seconds

    def wake(self):
        self.process.send_signal(signal.SIGCONT)
        self.asleep_until = 0


class Show:
    def __init__(self):
        self.random = random.Random(SEED)
        self.problems = []
        self.figures = collections.Counter()

    def violation(self, text):
        self.problems.append(text)
        print("  VIOLATION: " + text, flush=True)

    # ------------------------------------------------------------ an operator

    def operate(self, store, observer, silent, all_of_it=False):
        """Gives back what has expired of a process that does not run, but for what it has open."""
        observer.look()
        slots = store.slots() or []
        for group in {slot[0] for slot in slots if not slot[0].startswith("waiting:")}:
            own = [slot for slot in slots if slot[0] == group and slot[2] == silent]
            expired = [slot for slot in own if slot[3] == "expired"]
            for slot in expired[:len(own) if all_of_it else max(0, len(own) - observer.needs(silent))]:
                self.figures["given_back"] += store.ask("release", group, silent, slot[1]).returncode == 0

    # ------------------------------------------------------------ would it be seen?

    def cut_off(self, folder, trusts):
        """A gateway's way to the store is cut. When its slots have expired an operator takes it for dead and gives them
        back, and three others take all five. Most open at once."""
        store = Store("sqlite", folder)
        observer = Observer(store.events)
        first = Gateway(store, "0001", 10**9, *(["trust"] if trusts else []))
        others = []
        try:
            self.await_(observer, lambda: observer.opened >= 20, first)
            first.process.send_signal(signal.SIGUSR1)
            self.await_(observer, lambda: "held" not in {slot[3] for slot in store.slots()}, first)
            self.operate(store, observer, "0001", all_of_it=True)
            opened = observer.opened
            others = [Gateway(store, owner, 10**9) for owner in ("0002", "0003", "0004")]
            self.await_(observer, lambda: observer.opened >= opened + 300, first, *others)
        finally:
            for gateway in (first, *others):
                gateway.kill()
        return observer.most

    def await_(self, observer, reached, *gateways):
        ends = time.monotonic() + DEADLINE_S
        while not reached():
            observer.look()
            if time.monotonic() > ends or not all(gateway.runs() for gateway in gateways):
                raise RuntimeError("a worker does not get on; see its log in " + gateways[0].store.folder)
            time.sleep(0.002)

    def eyes(self, folder):
        trusting, careful = (self.cut_off(os.path.join(folder, name), name == "trusting") for name in ("trusting", "careful"))
        print(f"a gateway that ignores the end of its lease: {trusting} open at once; one that does not: {careful}", flush=True)
        if trusting <= LIMIT:
            self.violation("a gateway that ignores the end of its lease was not one too many: this show sees nothing")
        if careful > LIMIT:
            self.violation(f"{careful} were open when a gateway was cut off from the store")

    # ------------------------------------------------------------ on a store

    def strike(self, store, observer, gateways):
        """Something happens to one of them."""
        living = [gateway for gateway in gateways if gateway.runs() and not gateway.asleep_until]
        if not living:
            return
        gateway = self.random.choice(living)
        lasts_s = self.random.choice([0, self.random.uniform(0, TTL_S), self.random.uniform(TTL_S, 2 * TTL_S)])
        if self.random.random() < 0.6:
            gateway.kill()
            if gateway.process.returncode == 0:
                return  # it was quicker, and has its end
            gateway.back_at = time.monotonic() + lasts_s
            self.figures["kills"] += 1
            observer.look()
            self.figures["kills_with_open_cycles"] += observer.open[gateway.owner] > 0
        else:
            gateway.sleep(lasts_s)
            self.figures["sleeps"] += 1

    def mend(self, store, observer, gateways):
        """Who has been away for long enough comes back, some after an operator was there."""
        for gateway in gateways:
            due = gateway.asleep_until or gateway.back_at
            if not due or time.monotonic() < due:
                continue
            if self.random.random() < 0.5:
                self.operate(store, observer, gateway.owner)
            gateway.wake() if gateway.asleep_until else gateway.start()

    def server_gone(self, store):
        if not store.server:
            return
        self.figures["server_kills"] += 1
        store.server.kill()
        time.sleep(self.random.uniform(0, 1.6 * TTL_S))
        store.server.start()

    def trade(self, store, observer, gateways):
        ends = time.monotonic() + DEADLINE_S
        next_strike, server_at = time.monotonic(), {RUNS * 4 // 3, RUNS * 8 // 3}
        while not all(gateway.done() for gateway in gateways):
            observer.look()
            self.mend(store, observer, gateways)
            if time.monotonic() >= next_strike:
                self.strike(store, observer, gateways)
                next_strike = time.monotonic() + self.random.uniform(0.05, 0.4)
            if any(observer.opened >= at for at in server_at):
                server_at = {at for at in server_at if observer.opened < at}
                self.server_gone(store)
            for gateway in gateways:
                if gateway.process.poll() == KEPT and not gateway.back_at:  # the store was away as it ended
                    gateway.back_at = time.monotonic()
                if gateway.process.poll() not in (None, 0, KEPT, -signal.SIGKILL):
                    raise RuntimeError(f"{gateway.owner} ended with {gateway.process.returncode}; see {gateway.log.name}")
            if time.monotonic() > ends:
                raise RuntimeError(f"not done in {DEADLINE_S} s: {dict(observer.open)} open, {observer.opened} opened")
            time.sleep(0.002)

    def last_kill(self, store, observer):
        """One more, killed with something open: that waits for it, and for nobody else."""
        gateway = Gateway(store, "0001", RUNS + 100000)
        self.await_(observer, lambda: observer.open["0001"] > 0, gateway)
        gateway.kill()
        observer.look()
        time.sleep(1.2 * TTL_S)
        self.rest_check(store, observer, "in recovery")
        gateway.tasks = 0  # what is open, and no more
        gateway.start()
        gateway.process.wait(timeout=DEADLINE_S)
        observer.look()
        self.rest_check(store, observer, "free")

    def rest_check(self, store, observer, what):
        slots = store.slots()
        if slots is None:
            self.violation(f"{store.name}: the slots cannot be listed")
            return
        for group, number, owner, state in slots:
            if observer.open[owner] == 0 or state != "expired":
                self.violation(f"{store.name}: slot {number} of {group} is {state} for {owner}, who has nothing open")
        for owner, count in observer.open.items():
            for group in ("gateways:show", "strategy:" + OWNERS[owner]):
                held = sum(slot[0] == group and slot[2] == owner for slot in slots)
                if held < count:
                    self.violation(f"{store.name}: {owner} has {count} open, and {held} slots of {group}")
        print(f"{store.name}: every slot is {what}: {len(slots)} are listed, {sum(observer.open.values())} cycles are open", flush=True)

    def on(self, store):
        began = time.monotonic()
        observer = Observer(store.events)
        gateways = [Gateway(store, owner, RUNS) for owner in OWNERS]
        try:
            self.trade(store, observer, gateways)
            observer.look()
            self.rest_check(store, observer, "free")
            tasks = observer.opened
            self.last_kill(store, observer)
        finally:
            for gateway in gateways:
                if gateway.runs():
                    gateway.kill()
        if tasks != RUNS * len(OWNERS):
            self.violation(f"{store.name}: {tasks} were opened instead of {RUNS * len(OWNERS)}")
        if observer.most > LIMIT or observer.most_of_strategy > OF_STRATEGY:
            self.violation(f"{store.name}: {observer.most} were open at once, {observer.most_of_strategy} of one strategy")
        self.figures["tasks"] += tasks
        self.figures["most_open"] = max(self.figures["most_open"], observer.most)
        self.figures["most_of_strategy"] = max(self.figures["most_of_strategy"], observer.most_of_strategy)
        self.figures["stores"] += 1
        print(f"{store.name}: {tasks} cycles in {time.monotonic() - began:.1f} s, at most {observer.most} open, "
              f"{observer.most_of_strategy} of one strategy", flush=True)

    def summary(self):
        print(json.dumps({"event": "summary", "show": "slots", "violations": len(self.problems), **self.figures,
                          "seed": SEED}, separators=(",", ":")))


def stores(folder):
    """One after the other; a server runs only as long as it is needed."""
    yield Store("sqlite", os.path.join(folder, "sqlite"))
    for module in (postgres, redis):
        why = module.missing()
        if why:
            print(f"{module.__name__} is left out: {why}", flush=True)
            continue
        own = os.path.join(folder, module.__name__)
        os.makedirs(own)
        os.chmod(own, 0o755)
        server = module.start(own)
        try:
            yield Store(module.__name__, own, server)
        finally:
            server.stop()


def main():
    folder = tempfile.mkdtemp(prefix="trigate-slots-")
    os.chmod(folder, 0o755)  # a server that root starts runs as another user
    show = Show()
    print(f"seed {SEED}; 4 processes, {RUNS} cycles each, at most {LIMIT} at once", flush=True)
    try:
        show.eyes(folder)
        for store in stores(folder):
            show.on(store)
    except (RuntimeError, OSError, subprocess.SubprocessError) as error:
        show.violation(str(error))
    if show.problems:
        print(f"everything is kept in {folder}")
    else:
        shutil.rmtree(folder)
    show.summary()
    return 1 if show.problems else 0


sys.exit(main())
