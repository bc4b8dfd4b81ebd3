"""How a running gateway is held back and ended: freeze, risk and resume, an end that cannot be reached, and readers of its
output that pause. Output is TAP; the binary is found by TRIGATE_BUILD_ROOT."""
import fcntl, json, os, shutil, signal, socket, sqlite3, subprocess, sys, tempfile, time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import trigate
from trigate import DEMO, Decimal, run

PATIENCE_S = 60
SLOW = "0.2"  # a cycle is open for some 200 ms of wall time then: long enough to be caught open
HERE = tempfile.mkdtemp(prefix="trigate-stop-")
tap = trigate.Tap()
ok = tap.ok


def place(name):
    return os.path.join(HERE, name)


def until(done, what):
    """Wait for something that happens by itself; the bound only ends a broken run."""
    end = time.monotonic() + PATIENCE_S
    while not done():
        if time.monotonic() > end:
            raise RuntimeError("in vain: " + what)
        time.sleep(0.002)


def hurried():
    """The demo's gateway file with a short deadline for its end."""
    text = open(DEMO).read().replace("demo-strategy.yaml", os.path.join(trigate.ROOT, "examples/demo-strategy.yaml"))
    with open(place("hurried.yaml"), "w") as file:
        file.write(text + "\nstop_deadline_ms: 300\n")
    return file.name


class Gateway:
    """A gateway that is up, and a line to it that is quicker than a process for each question."""
    all = []

    def __init__(self, state, *words, config=DEMO, stdout=None, stderr=None, environment=None):
        Gateway.all.append(self)
        self.state = place(state)
        self.out, self.err = self.state + ".out", self.state + ".err"
        self.process = subprocess.Popen([trigate.TRIGATE, "run", "--config", config, "--state-dir", self.state, *words],
                                        stdin=subprocess.DEVNULL, stdout=stdout or open(self.out, "wb"),
                                        stderr=stderr or open(self.err, "wb"), env={**os.environ, **(environment or {})})
        until(lambda: run("status", "-d", self.state).code == 0, "the gateway answers")
        self.line = socket.socket(socket.AF_UNIX)
        self.line.settimeout(PATIENCE_S)
        self.line.connect(os.path.join(self.state, "control.sock"))
        self.answers = self.line.makefile()

    def ask(self, command, **members):
        self.line.sendall(json.dumps({"command": command, **members}).encode() + b"\n")
        return json.loads(self.answers.readline())

    def status(self):
        return self.ask("status")

    def later(self):
        """Its status some hundred ticks from now."""
        ticks = self.status()["ticks"]
        until(lambda: self.status()["ticks"] > ticks + 300, "time goes on")
        return self.status()

    def hold(self, level):
        """Stop at this level, with a cycle open. Resumes for as long as none is."""
        def caught():
            if self.status()["open"] == 0:
                return False
            self.ask("stop", level=level)
            if self.status()["open"] > 0:
                return True
            self.ask("stop", level="none")
            return False
        until(caught, f"a cycle is open at {level}")

    def end(self):
        """Exit code, lines and errors of a run whose output went to files."""
        code = self.process.wait(timeout=PATIENCE_S)
        return code, [json.loads(line) for line in open(self.out)], open(self.err).read()


# ---------------------------------------------------------------- held back

def test_freeze():
    gateway = Gateway("freeze", "--json", "--speed", SLOW)
    gateway.hold("freeze")
    before = gateway.status()
    after = gateway.later()
    same = [key for key in ("orders", "executed", "open") if before[key] != after[key]]
    ok(not same and before["open"] > 0, "frozen, nothing is sent, and an open cycle stays open", same, before, after)
    got = run("stop", "--resume", "-d", gateway.state)
    ok(got.code == 0, "stop --resume", got)
    until(lambda: gateway.status()["executed"] > after["executed"], "new cycles are taken")
    until(lambda: gateway.status()["completed"] + gateway.status()["failed"] > after["completed"] + after["failed"] + after["open"],
          "what was open ends")
    ok(True, "resumed, it goes on")
    ok(run("stop", "-d", gateway.state).code == 0 and gateway.end()[0] == 0, "and ends")
    tap.none(trigate.all_problems(gateway.state), "the ledger agrees")


def test_risk():
    gateway = Gateway("risk", "--json", "--speed", SLOW)
    gateway.hold("risk")
    executed = gateway.status()["executed"]
    until(lambda: gateway.status()["open"] == 0, "open cycles end")
    ok(gateway.later()["executed"] == executed, "with stop --risk no cycle is taken, and open ones end")
    gateway.ask("stop", level="none")
    until(lambda: gateway.status()["executed"] > executed, "new cycles are taken")
    gateway.ask("stop", level="end")
    code, lines, errors = gateway.end()
    held, risky = False, []
    for line in lines:
        if line.get("what") == "stop.asked":
            held = line["fields"]["level"] == "risk"
        if held and line["event"] == "order" and line["state"] == "sent" and line["leg"] == 1 and line["purpose"] == "forward":
            risky.append(line)
    ok(code == 0 and not risky, "meanwhile no order left that begins a cycle", code, errors, risky[:2])
    tap.none(trigate.all_problems(gateway.state), "the ledger agrees")


def test_losses():
    """A strategy that takes losses: after three in a row it holds itself back, and does so anew when it is resumed."""
    text = open(os.path.join(trigate.ROOT, "examples/demo-strategy.yaml")).read()
    for old, new in (("min_profit_bps: 3", "min_profit_bps: -40"), ("losses: 0", "losses: 3"), ("open_cycles: 3", "open_cycles: 1")):
        assert text.count(old) == 1
        text = text.replace(old, new)
    with open(place("losing.yaml"), "w") as file:
        file.write(text)
    gateway = Gateway("losing", "--json", "--speed", "1", "--strategy", file.name)

    def ends():
        until(lambda: gateway.status()["stop_level"] == "cycles" and gateway.status()["open"] == 0, "three losses in a row")
        return gateway.status()["completed"] + gateway.status()["failed"]
    first = ends()
    gateway.ask("stop", level="none")
    second = ends()
    ok(first >= 3 and second >= first + 3, "three more losses are needed after a resume", first, second)
    gateway.ask("stop", level="end")
    code, lines, errors = gateway.end()
    profits = [Decimal(line["profit"]) for line in lines if line["event"] == "cycle" and line["final"]]
    some = lambda those: [profit for profit in those if profit != 0]
    ok(code == 0 and all(profit < 0 for profit in some(profits[:first])[-3:] + some(profits[first:second])[-3:]),
       "and they were losses", code, profits, errors)


def test_end_in_vain():
    """A frozen cycle cannot end, so neither would the gateway: the deadline counts however the end was asked for."""
    for how in ("command", "signal"):
        gateway = Gateway("vain-" + how, "--json", "--speed", SLOW, config=hurried())
        gateway.hold("freeze")
        if how == "command":
            gateway.ask("stop", level="end")
        else:
            gateway.process.send_signal(signal.SIGTERM)
        code, lines, errors = gateway.end()
        ok(code == 1 and "left open" in errors and lines[-1]["event"] == "summary" and lines[-1]["open"] > 0,
           f"told to end by {how} with a frozen cycle, it ends by the deadline and says so", code, errors, lines[-1:])
        got = run("run", "--config", DEMO, "--speed", "max", "--json", "--cycles", 1, "--state-dir", gateway.state)
        ok(got.code == 0, "the next start takes it up", got)
        tap.none(trigate.all_problems(gateway.state), "and nothing was lost")


def test_end_without_disk():
    """A gateway whose journal takes nothing waits for the disk; told to end, it does not wait for that."""
    def tell(order):
        with open(place("disk.new"), "w") as file:
            file.write(order)
        os.rename(file.name, place("disk"))
    preloaded = {"LD_PRELOAD": os.path.join(trigate.BUILD, "tests/bad_disk.so"), "BAD_DISK": place("disk"),
                 "ASAN_OPTIONS": os.environ.get("ASAN_OPTIONS", "") + ":verify_asan_link_order=0"}
    for how in ("command", "signal"):
        tell("")
        gateway = Gateway("stalled-" + how, "--json", "--speed", SLOW, config=hurried(), environment=preloaded)
        until(lambda: gateway.status()["executed"] > 0, "it trades")
        tell("ENOSPC write journal-")
        until(lambda: gateway.status()["journal"]["state"] == "stalled", "the journal waits")
        if how == "command":
            gateway.ask("stop", level="end")
        else:
            gateway.process.send_signal(signal.SIGTERM)
        code, lines, errors = gateway.end()
        ok(code == 1 and "free space on its disk, then start again" in errors and lines[-1]["event"] == "summary",
           f"told to end by {how} with a full disk, it ends by the deadline and says why", code, errors, lines[-1:])
        got = run("run", "--config", DEMO, "--speed", "max", "--json", "--cycles", 1, "--state-dir", gateway.state)
        ok(got.code == 0, "with room the next start goes on", got)
        tap.none(trigate.all_problems(gateway.state), "and nothing was lost")


def test_book():
    gateway = Gateway("book", "--json", "--speed", SLOW)
    until(lambda: gateway.ask("book", market="BTC-USDT").get("synced"), "there is a book")
    book = gateway.ask("book", market="BTC-USDT")
    bids, asks = ([Decimal(price) for price, _ in book[side]] for side in ("bids", "asks"))
    ok(book["ok"] and book["sequence"] > 0 and bids == sorted(bids, reverse=True) and asks == sorted(asks) and bids[0] < asks[0],
       "a book is told, best first", book)
    ok(all(Decimal(qty) > 0 for side in ("bids", "asks") for _, qty in book[side]), "with quantities", book)
    ok(not gateway.ask("book", market="NO-SUCH")["ok"] and not gateway.ask("book")["ok"], "of a market that there is")
    ok(run("stop", "-d", gateway.state).code == 0 and gateway.end()[0] == 0, "and it ends")


def test_cycle():
    """A cycle that the journal has no more is looked up by the gateway, and so is one that never was in it."""
    text = open(DEMO).read().replace("demo-strategy.yaml", os.path.join(trigate.ROOT, "examples/demo-strategy.yaml"))
    with open(place("trimmed.yaml"), "w") as file:
        file.write(text + "\njournal: {file_mib: 1}\n")
    gateway = Gateway("cycle", "--json", "--speed", "max", config=file.name)
    until(lambda: gateway.status()["journal"]["first_file"] > 1, "the journal's first file is gone")
    db = sqlite3.connect(f"file:{gateway.state}/{trigate.STORE}?mode=ro", uri=True)
    until(lambda: db.execute("select count(*) from cycles").fetchone()[0] > 500, "they are stored")
    first, state, deltas = db.execute("select id, state, deltas from cycles order by id limit 1").fetchone()
    orders = db.execute("select client_id, state from orders where cycle_id = ? order by client_id", (first,)).fetchall()
    fills = db.execute("select fill_id from fills join orders using (client_id) where cycle_id = ?", (first,)).fetchall()
    db.close()
    before = gateway.status()["store"]
    got = run("cycles", "show", first, "--json", "-d", gateway.state)
    cycle = got.lines()[0] if got.code == 0 else {}
    ok(cycle.get("cycle") == first and cycle["state"] == state and cycle["deltas"] == deltas, "cycles show: one that was trimmed", got)
    told = [(order["client_id"], order["state"]) for order in cycle.get("orders", [])]
    ids = [fill["fill_id"] for order in cycle.get("orders", []) for fill in order["fills"]]
    ok(sorted(told) == orders and sorted(ids) == sorted(fill for fill, in fills), "with its orders and fills", told, orders, ids, fills)
    shown = run("cycles", "show", first, "-d", gateway.state)
    ok(shown.code == 0 and all(text in shown.out for text in (first, orders[0][0], fills[0][0])), "for people, too", shown)
    after = gateway.status()["store"]
    ok(after["cache_hits"] + after["cache_misses"] > before["cache_hits"] + before["cache_misses"], "out of the cache or the store", after)
    db = sqlite3.connect(f"file:{gateway.state}/{trigate.STORE}?mode=ro", uri=True)
    last, = db.execute("select id from cycles order by id desc limit 1").fetchone()
    db.close()
    for nobody in ("000009-00000001", "1a8e5b4c-imported", "0002" + last[4:]):
        got = run("cycles", "show", nobody, "-d", gateway.state)
        ok(got.code == 1 and "the store has no cycle" in got.err, f"{nobody} is not there", got)
    ok(run("stop", "-d", gateway.state).code == 0 and gateway.end()[0] == 0, "and it ends")


# ---------------------------------------------------------------- paused readers

def small_pipe():
    reader, writer = os.pipe()
    fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, 4096)
    return reader, writer


def paused(name, both):
    """A run at full speed whose stdout, and stderr with it if `both`, nobody reads."""
    reader, writer = small_pipe()
    gateway = Gateway(name, "--json", "--speed", "max", config=hurried(), stdout=writer, stderr=writer if both else None)
    os.close(writer)
    return gateway, reader


def test_paused_reader():
    gateway, reader = paused("paused", False)
    until(lambda: gateway.status()["ticks"] > 0, "ticks come in")
    size = os.path.getsize
    journal = os.path.join(gateway.state, trigate.JOURNAL)
    for _ in range(3):
        before = size(journal)
        until(lambda: size(journal) > before + 3000000, "it trades on")
        got = run("status", "--json", "-d", gateway.state)
        ok(got.code == 0, "status is answered while nobody reads the output", got)
    got = run("stop", "--cycles", "-d", gateway.state)
    ok(got.code == 0, "and so is stop", got)
    gateway.process.send_signal(signal.SIGTERM)
    code = gateway.process.wait(timeout=PATIENCE_S)
    os.close(reader)
    ok(code == 1 and "bytes of output were dropped" in open(gateway.err).read(), "SIGTERM ends it; what was dropped is told",
       code, open(gateway.err).read())
    tap.none(trigate.open_problems(trigate.State(gateway.state)) + trigate.Ledger(gateway.state).problems,
             "the state is whole")


def test_paused_readers_of_both():
    gateway, reader = paused("both", True)
    until(lambda: gateway.status()["executed"] > 100, "it trades")
    gateway.process.send_signal(signal.SIGTERM)
    try:
        code = gateway.process.wait(timeout=PATIENCE_S)
    except subprocess.TimeoutExpired:
        code = "none: it hangs"
    os.close(reader)
    ok(code == 1, "with nobody to read even its complaints it ends all the same", code)


def cycles_stored(path):
    db = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    ids = {cycle for cycle, in db.execute("select id from cycles")}
    db.close()
    return ids


def test_store_put_back():
    """A backup is put back under a running gateway, as when a standby takes over that lags behind."""
    gateway = Gateway("put-back", "--json", "--speed", "50")
    path, copy = os.path.join(gateway.state, trigate.STORE), place("copy.db")
    until(lambda: len(cycles_stored(path)) > 20, "cycles are stored")
    got = run("store", "backup", copy, "-d", gateway.state)
    old = cycles_stored(copy)
    until(lambda: len(cycles_stored(path)) > len(old) + 20, "more than the copy has")
    for end in ("-wal", "-shm"):
        os.unlink(path + end)
    os.rename(copy, path)
    until(lambda: "store.told_again" in open(gateway.out).read(), "it sees that")
    until(lambda: "store_error" not in gateway.status(), "and takes what it is told")
    ok(got.code == 0 and run("stop", "-d", gateway.state).code == 0 and gateway.end()[0] == 0, "it goes on, and ends", got)
    told = {"0001-" + json.loads(line)["cycle"] for line in open(gateway.out) if line.startswith('{"event":"cycle"')}
    stored = cycles_stored(path)
    ok(len(told) > len(old) + 20 and told == stored, "the store has again what it lacked", told - stored, stored - told)
    tap.none(trigate.all_problems(gateway.state), "each row as the ledger has it")


def clean():
    for gateway in Gateway.all:
        gateway.process.kill()
    shutil.rmtree(HERE)


trigate.run_tests(tap, globals(), clean)
