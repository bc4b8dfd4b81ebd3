"""`trigate run` as a whole: seeded runs, the venue's ledger against everything that trigate says, recorded markets, signals
and commands, restarts, damaged state, hostile surroundings. Output is TAP; the binary is found by TRIGATE_BUILD_ROOT."""
import csv, functools, hashlib, json, os, re, resource, shutil, signal, stat, struct, subprocess, sys, tempfile, time
from fractions import Fraction

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import trigate
from trigate import DEMO, Decimal, JOURNAL, LEDGER, STORE, run

RECORDED = "kucoin-2018-01-17.markets.csv"
HEADER = "market,base,quote,bid,bid_qty,ask,ask_qty,tick,lot,min_notional,taker_bps"
EVENTS = {"start", "decision", "order", "fill", "cycle", "log", "summary"}
PATIENCE_S = 60
HERE = tempfile.mkdtemp(prefix="trigate-run-")
tap = trigate.Tap()
ok = tap.ok


def place(name):
    return os.path.join(HERE, name)


def demo(state, *more, **options):
    return run("run", "--config", DEMO, "--json", "--speed", "max", "--state-dir", place(state), *more, **options)


def demo_with(name, old, new):
    """The demo's gateway file with something changed."""
    text = open(DEMO).read().replace("demo-strategy.yaml", os.path.join(trigate.ROOT, "examples/demo-strategy.yaml"))
    with open(place(name), "w") as file:
        file.write(text.replace(old, new))
    return place(name)


def digest(state, *files):
    return {name: hashlib.sha256(open(os.path.join(place(state), name), "rb").read()).hexdigest() for name in files}


@functools.lru_cache
def seeded():
    """The run that most tests look at, made once."""
    return demo("seeded", "--cycles", 20, "--seed", 7)


def copy_of_seeded(name):
    seeded()
    return shutil.copytree(place("seeded"), place(name))


# ---------------------------------------------------------------- a seeded run

def test_a_seeded():
    first = seeded()
    lines = first.lines()
    ok(first.code == 0, "a seeded run ends with 0", first)
    ok({line["event"] for line in lines} <= EVENTS, "its lines are events of the promised kinds")
    ok(lines[-1]["event"] == "summary" and lines[-1]["completed"] >= 20, "the last is the summary of 20 cycles", lines[-1])
    ok([line["event"] for line in lines].count("summary") == 1, "there is one summary")
    again = demo("again", "--cycles", 20, "--seed", 7)
    ok(trigate.without_machine_times(first.out) == trigate.without_machine_times(again.out),
       "a second run is the same to the byte without *_ns and *_us")
    other = demo("other", "--cycles", 20, "--seed", 8)
    ok(other.code == 0 and trigate.without_machine_times(first.out) != trigate.without_machine_times(other.out),
       "another seed is another run")
    numbers = [value for line in lines for key, value in line.items() if key.endswith(("_ns", "_us"))]
    ok(numbers and all(isinstance(value, int) for value in numbers), "times of the machine are one number each")


def test_b_ledger():
    lines = seeded().lines()
    ledger, state = trigate.Ledger(place("seeded"), check_crc=True), trigate.State(place("seeded"))
    pnl = {currency: Decimal(amount) for currency, amount in lines[-1]["pnl"].items()}
    fills = [line for line in lines if line["event"] == "fill"]
    cycles = {line["cycle"]: line for line in lines if line["event"] == "cycle"}
    orders = {line["client_id"]: line for line in lines if line["event"] == "order"}
    tap.none(ledger.problems, "the ledger explains every balance")
    tap.none(trigate.difference("pnl", pnl, ledger.profit()), "the summary's profit is the ledger's, to the last unit")
    tap.none(trigate.difference("fills", trigate.fills_profit(fills, ledger.currencies), pnl), "the fills make the profit")
    tap.none(trigate.difference("cycles", trigate.deltas_profit(cycles.values()), pnl), "the last word of each cycle too")
    tap.none(trigate.orders_problems(state, ledger), "every order has its true end, and the venue has no other")
    tap.none(trigate.journal_problems(state, ledger), "the journal has each intent first, and each fill")
    tap.none(trigate.money_problems(state, ledger), "`cycles` and `journal` tell of the same money")
    tap.none(trigate.open_problems(state), "nothing is left open")
    tap.none(trigate.store_problems(state), "the store holds the same cycles, orders and fills")
    told = {one["client_id"]: one for one in state.orders}
    ok(orders == told, "the last order event of each order is what `orders` says", set(orders) ^ set(told))
    ok(list(cycles.values()) == state.cycles, "and the same of cycles", list(cycles.values())[:1], state.cycles[:1])
    counts = lines[-1]
    ok(counts["fills"] == len(fills) and counts["orders"] == len(orders) and
       counts["completed"] + counts["failed"] == len(cycles), "the summary counts what was told", counts)


def test_b_audit():
    seeded()
    config = demo_with("audit.yaml", "storage:", "audit:\n  mode: always\n\nstorage:")
    done = run("run", "--config", config, "--json", "--speed", "max", "--state-dir", place("audit"), "--cycles", 10)
    ok(done.code == 0, "a run with an audit log ends with 0", done)
    with open(os.path.join(place("audit"), "audit.log")) as file:
        lines = [json.loads(line) for line in file]
    fills = [line for line in done.lines() if line["event"] == "fill"]
    told = {line["client_id"]: line["state"] for line in done.lines() if line["event"] == "order"}
    ok(lines[0]["event"] == "start" and not any(line["event"] == "lost" for line in lines), "it begins with the start, and has all")
    ok({line["client_id"]: line["state"] for line in lines if line["event"] == "order"} == told, "every order's end is in it")
    ok(sorted(line["fill_id"] for line in lines if line["event"] == "fill") == sorted(f["fill_id"] for f in fills),
       "and every fill")
    ok(not os.path.exists(os.path.join(place("seeded"), "audit.log")), "a simulated exchange is not audited by default")


def test_b_durable():
    config = demo_with("durable.yaml", "storage:", "journal:\n  durability: power\n\nstorage:")
    done = run("run", "--config", config, "--json", "--speed", "max", "--state-dir", place("durable"), "--cycles", 10)
    summary = done.lines()[-1]
    ok(done.code == 0 and summary["completed"] == 10 and summary["parked_max_ns"] > 0,
       "on a virtual clock orders wait for the disk as well, in no time", done)
    tap.none(trigate.all_problems(place("durable")), "and all agrees with the ledger")
    ok("parked_max_ns" not in seeded().lines()[-1], "without durability: power nothing is parked")


def test_b_ledger_can_fail():
    """The judge itself: each lie in a copy of the ledger is found."""
    lies = [("a fill", '"kind":"fill"', r'"received":"\d', '"received":"9'), ("a fee", '"kind":"fill"', r'"fee":"\d', '"fee":"9'),
            ("an end", '"kind":"end"', '"status":"[a-z]+"', '"status":"cancelled"'),
            ("a client id", '"kind":"order"', '"client_id":"0001', '"client_id":"0002'),
            ("a balance", '"kind":"balance"', '"free":"', '"free":"1')]
    for name, where, old, new in lies:
        copy = copy_of_seeded("lie-" + name.replace(" ", "-"))
        path = os.path.join(copy, LEDGER)
        lines = open(path).read().splitlines(True)
        at = max(i for i, line in enumerate(lines) if where in line and re.sub(old, new, line, count=1) != line)
        lines[at] = re.sub(old, new, lines[at], count=1)
        open(path, "w").write("".join(lines))
        ok(trigate.all_problems(copy), f"the judge notices a changed ledger: {name}")


# ---------------------------------------------------------------- recorded markets

def table(name, *rows):
    path = place(name + ".csv")
    with open(path, "w") as file:
        file.write("\n".join(["# made for this test", HEADER, *rows]) + "\n")
    return path


def triangle(bid):
    """A > B > C > A with 100 of each; what C brings in A decides."""
    return ["B-A,B,A,0.9,100,1,100,0.0001,0.01,0,10", "C-B,C,B,0.9,100,1,100,0.0001,0.01,0,10",
            f"C-A,C,A,{bid},4,0.0001,0.01,0,10"]


def markets(name, path, *more):
    return run("run", "--markets", path, "--json", "--state-dir", place(name), *more)


def test_c_once():
    got = markets("once", table("once", *triangle("1.02,100,1.1")), "--balance", "A=1000")
    summary = got.lines()[-1]
    ok(got.code == 0 and summary["completed"] == 1 and summary["reason"] == "nothing is left to trade",
       "a triangle that pays once is taken once", got)
    ok(Decimal(summary["pnl"]["A"]) > 1, "and pays", summary)
    tap.none(trigate.all_problems(place("once"), True), "the ledger agrees")
    got = markets("once", place("once.csv"), "--balance", "A=1000")
    ok(got.code == 0 and got.lines()[-1]["completed"] == 0, "its quotes stay consumed at the next start", got)


def test_c_impossible():
    got = markets("impossible", table("impossible", *triangle("3,100,4")), "--balance", "A=1000")
    skips = [line for line in got.lines() if line["event"] == "decision" and line["verdict"] == "SKIP"]
    ok(got.code == 0 and got.lines()[-1]["completed"] == 0, "an impossible edge is not traded", got)
    ok(skips and all("implausible" in line["reasons"] for line in skips), "and says so: implausible", skips[:2])
    ok(not trigate.Ledger(place("impossible")).orders, "no order went out")


def test_c_one_sided():
    for name, bid in (("no bid", ",,4"), ("nothing bid", "0,0,4"), ("no quantity", "3,0,4")):
        got = markets("sided", table("sided", *triangle(bid)), "--balance", "A=1000")
        ok(got.code == 0 and got.lines()[-1]["executed"] == 0 and not trigate.Ledger(place("sided")).orders,
           f"a one-sided market trades nothing: {name}", got)
        shutil.rmtree(place("sided"))


def round_to(value, grid, up):
    value, grid = Fraction(value or 0), Fraction(grid)
    return -(-value // grid) * grid if up else value // grid * grid


class Side:
    """What is left of one quote: its price, quantity, lot, fee."""

    def __init__(self, row, name, used):
        self.price = round_to(row[name], row["tick"], up=name == "ask")
        self.qty = round_to(row[name + "_qty"], row["lot"], up=False) - used
        self.lot, self.fee = Fraction(row["lot"]), Fraction(row["taker_bps"]) / 10000
        self.buys = name == "ask"

    def rate(self):
        return (1 / self.price if self.buys else self.price) * (1 - self.fee)

    def takes(self):
        """The most of its source currency."""
        return self.qty * self.price if self.buys else self.qty

    def trade(self, have):
        """(spent, received) in whole lots; fees are rounded up to 8 decimals."""
        lots = round_to(min(have / self.price if self.buys else have, self.qty), self.lot, up=False)
        gross = lots if self.buys else lots * self.price
        received = gross - round_to(gross * self.fee, Fraction(1, 10**8), up=True)
        return lots * self.price if self.buys else lots, received


def remaining_edges(rows, ledger):
    """source -> [(target, Side)] of what the fills have left."""
    edges = {}
    for row in rows:
        used = {side: sum(Fraction(order.filled) for order in ledger.orders if (order.market, order.side) == (row["market"], side))
                for side in ("buy", "sell")}
        for name, side, source, target in (("ask", "buy", "quote", "base"), ("bid", "sell", "base", "quote")):
            left = Side(row, name, used[side])
            if left.price > 0 and left.qty > 0:
                edges.setdefault(row[source], []).append((row[target], left))
    return edges


def gain(legs, balance):
    """What going round brings at the largest size that books and balance allow; None where a leg has no lot."""
    most = balance
    takes, rate = legs[0].takes(), Fraction(1)
    for before, leg in zip(legs, legs[1:]):
        rate *= before.rate()
        takes = min(takes, leg.takes() / rate)
    most = min(most, takes)
    spent, have = legs[0].trade(most)
    for leg in legs[1:]:
        _, have = leg.trade(have)
    return have - spent


def left_profitable(rows, ledger, starts):
    """Plausible triangles that would still pay at their largest size, in whole lots, from what the account has."""
    edges, found = remaining_edges(rows, ledger), []
    for a in starts:
        for (b, first), (c, second), (d, third) in ((x, y, z) for x in edges.get(a, ()) for y in edges.get(x[0], ())
                                                    for z in edges.get(y[0], ())):
            net = first.rate() * second.rate() * third.rate() - 1
            if d == a and len({a, b, c}) == 3 and 0 <= net < Fraction(5, 100):
                profit = gain([first, second, third], Fraction(ledger.balance[a]))
                found += [f"{a}>{b}>{c} still brings {float(profit)} {a}"] if profit > 0 else []
    return found


def test_c_impossible():
    rows = triangle("90000000000,100,90000000001")
    rows[2] = rows[2].replace("0.0001", "1")
    decisions = [line for line in markets("impossible", table("impossible", *rows)).lines() if line["event"] == "decision"]
    ok(decisions and all("implausible" in line["reasons"] for line in decisions) and
       any(Decimal(line["gross_bps"]) > 10**11 for line in decisions) and
       all(Decimal(line["gross_bps"]) > -10001 for line in decisions), "a gain beyond all numbers is told as one", decisions[:3])


def test_c_recorded():
    path = os.path.join(trigate.DATA, RECORDED)
    if not os.path.exists(path):
        return tap.skip("the recorded market", f"no {RECORDED} in TRIGATE_DATA")
    got = markets("recorded", path)
    ok(got.code == 0 and "nothing is left" in got.lines()[-1]["reason"], "a recorded market ends by itself", got)
    ok(got.lines()[-1]["completed"] > 0 and got.lines()[-1]["open"] == 0, "with cycles completed", got.lines()[-1])
    refused = [line for line in got.lines() if line["event"] == "decision" and "implausible" in line["reasons"]]
    ok(refused and all(line["verdict"] == "SKIP" for line in refused), "its impossible edges are refused, with the reason")
    tap.none(trigate.all_problems(place("recorded"), True), "the ledger agrees")
    rows = list(csv.DictReader(line for line in open(path) if not line.startswith("#")))
    ledger = trigate.Ledger(place("recorded"))
    starts = sorted({row["quote"] for row in rows})
    tap.none(left_profitable(rows, ledger, starts), "no plausible triangle is left that pays at its largest size in whole lots")
    ledger.orders = []
    ok(left_profitable(rows, ledger, starts), "which it would not find if nothing had been traded")


# ---------------------------------------------------------------- a running gateway

class Gateway:
    """A gateway at wall pace, up as soon as it answers."""
    all = []

    def __init__(self, state, *more):
        Gateway.all.append(self)
        self.state = place(state)
        self.process = subprocess.Popen(
            [trigate.TRIGATE, "run", "--config", DEMO, "--json", "--speed", "1", "--state-dir", self.state, *more],
            stdin=subprocess.DEVNULL, stdout=open(self.state + ".out", "wb"), stderr=open(self.state + ".err", "wb"))
        until(lambda: run("status", "-d", self.state).code == 0, "the gateway answers")

    def status(self):
        return run("status", "--json", "-d", self.state).lines()[0]

    def end(self):
        code = self.process.wait(timeout=PATIENCE_S)
        lines = [json.loads(line) for line in open(self.state + ".out")]
        return code, lines, open(self.state + ".err").read()


def until(done, what):
    """Wait for something that happens by itself; the bound only ends a broken run."""
    end = time.monotonic() + PATIENCE_S
    while not done():
        if time.monotonic() > end:
            raise RuntimeError("in vain: " + what)
        time.sleep(0.01)


def test_d_signals():
    for number, word in ((signal.SIGINT, "SIGINT"), (signal.SIGTERM, "SIGTERM")):
        gateway = Gateway(word)
        gateway.process.send_signal(number)
        code, lines, errors = gateway.end()
        ok(code == 0 and lines[-1]["event"] == "summary" and word in lines[-1]["reason"] and lines[-1]["open"] == 0,
           f"{word} ends a run with its summary", code, lines[-1:], errors)
        ok(not os.path.exists(os.path.join(gateway.state, "control.sock")), "and takes its socket away")
        tap.none(trigate.all_problems(gateway.state), "the ledger agrees")
    process = subprocess.Popen([trigate.TRIGATE, "run", "--config", DEMO, "--speed", "max", "--state-dir", place("fast")],
                               stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    process.stdout.readline()
    process.send_signal(signal.SIGTERM)
    out, errors = process.communicate(timeout=PATIENCE_S)
    ok(process.returncode == 0 and b"summary" in out, "also at full speed", process.returncode, out[-500:], errors)


def test_d_second_gateway():
    gateway = Gateway("locked")
    second = demo("locked", "--cycles", 1)
    ok(second.code in (1, 2) and str(gateway.process.pid) in second.err, "a second gateway is refused by the pid of the first",
       second, gateway.process.pid)
    mode = stat.S_IMODE(os.stat(os.path.join(gateway.state, "control.sock")).st_mode)
    ok(mode == 0o600, "control.sock is for its owner only", oct(mode))
    ok(stat.S_IMODE(os.stat(gateway.state).st_mode) == 0o700, "and so is the state directory")
    for option, level in (("--cycles", "cycles"), ("--risk", "risk"), ("--freeze", "freeze"), ("--resume", "none")):
        got = run("stop", option, "-d", gateway.state)
        ok(got.code == 0 and gateway.status()["stop_level"] == level, f"stop {option}", got)
    ok(gateway.status()["link"] == "up" and gateway.process.poll() is None, "it still runs")
    before = gateway.status()["ticks"]
    until(lambda: gateway.status()["ticks"] > before, "time goes on")
    got = run("stop", "--wait", 30, "-d", gateway.state)
    code, lines, errors = gateway.end()
    ok(got.code == 0 and code == 0 and "by command" in lines[-1]["reason"], "stop --wait ends it", got, code, errors)
    got = run("status", "-d", gateway.state)
    ok(got.code == 1 and "no gateway is running" in got.err, "then nobody answers", got)


def test_d_stopped_takes_no_cycles():
    gateway = Gateway("held")
    run("stop", "--cycles", "-d", gateway.state)
    until(lambda: gateway.status()["open"] == 0, "open cycles end")
    before, ticks = gateway.status()["executed"], gateway.status()["ticks"]
    until(lambda: gateway.status()["ticks"] > ticks + 200, "ticks come in")
    ok(gateway.status()["executed"] == before, "with stop --cycles no cycle is taken")
    run("stop", "-d", gateway.state)
    ok(gateway.end()[0] == 0, "and it can be ended")


# ---------------------------------------------------------------- starting again

def test_e_restart():
    epochs, balances = [], []
    for n in range(4):
        got = demo("restart", "--cycles", 3, "--seed", 11 + n)
        start = next(line for line in got.lines() if line["event"] == "start")
        epochs.append(start["epoch"])
        ok(got.code == 0 and got.lines()[-1]["completed"] >= 3, f"start {n + 1} on the same state directory", got)
        balances.append((dict(trigate.Ledger(place("restart")).balance), got.lines()[-1]["pnl"]))
    ok(epochs == sorted(set(epochs)), "epochs rise", epochs)
    for (before, _), (after, pnl) in zip(balances, balances[1:]):
        changes = {key: after.get(key, Decimal(0)) - before.get(key, Decimal(0)) for key in {*before, *after}}
        tap.none(trigate.difference("run", {key: Decimal(value) for key, value in pnl.items()}, trigate.without_zeros(changes)),
                 "a run goes on from the balances of the last")
    tap.none(trigate.all_problems(place("restart"), True), "after all of them: no id twice, every order and unit accounted for")


# ---------------------------------------------------------------- refusals

def test_f_misuse():
    cases = [("a missing config", ["--config", "absent.yaml"], "absent.yaml"), ("nothing to run", [], "--config"),
             ("a balance without amount", ["--config", DEMO, "--balance", "USDT"], "--balance"),
             ("a balance that is no number", ["--config", DEMO, "--balance", "USDT=many"], "--balance"),
             ("a negative balance", ["--config", DEMO, "--balance", "USDT=-1"], "--balance"),
             ("a speed of nothing", ["--config", DEMO, "--speed", "0"], "--speed"),
             ("a speed that is no number", ["--config", DEMO, "--speed", "fast"], "--speed"),
             ("no cycles", ["--config", DEMO, "--cycles", "0"], "--cycles"),
             ("an absent market file", ["--markets", "absent.csv"], "absent.csv"),
             ("a broken market file", ["--markets", table("broken", "B-A,B,A,x,1,2,1,0.01,0.01,0,10")], "broken.csv:3: bid")]
    unknown = demo_with("unknown.yaml", "plugin: sim", "plugin: simm")
    cases.append(("an unknown exchange plugin", ["--config", unknown], "simm"))
    for name, words, message in cases:
        got = run("run", *words, "--state-dir", place("misused"), cwd=HERE)
        ok(got.code == 2 and message in got.err and not got.out, f"exit code 2: {name}", got)
    ok(not os.path.exists(place("misused")), "and no state directory is made")


def test_f_state_dir():
    got = demo("absent/state", "--cycles", 1)
    ok(got.code == 1 and "absent/state" in got.err, "a state directory without a parent", got)
    open(place("file"), "w").close()
    got = demo("file", "--cycles", 1)
    ok(got.code == 1 and "not a directory" in got.err.lower(), "a file for a state directory", got)
    if os.geteuid() == 0:
        return tap.skip("an unwritable state directory", "root may write anywhere")
    os.mkdir(place("sealed"), 0o500)
    got = demo("sealed", "--cycles", 1)
    ok(got.code == 1 and "sealed" in got.err, "an unwritable state directory", got)


def record_ends(path):
    """Where each record of a journal ends (core/state/README.md)."""
    data, at, ends = open(path, "rb").read(), 32, []
    while at < len(data):
        at += 32 + struct.unpack_from("<I", data, at)[0]
        ends.append(at)
    return ends


def test_f_damaged():
    path = os.path.join(copy_of_seeded("damaged"), JOURNAL)
    data = bytearray(open(path, "rb").read())
    data[len(data) // 2] ^= 0xFF
    open(path, "wb").write(data)
    before = digest("damaged", JOURNAL, STORE, LEDGER)
    got = demo("damaged", "--cycles", 1)
    ok(got.code == 1 and JOURNAL in got.err and "damaged at byte" in got.err, "a damaged journal is refused", got)
    ok(digest("damaged", JOURNAL, STORE, LEDGER) == before, "and nothing is changed")


def test_f_torn():
    path = os.path.join(copy_of_seeded("torn"), JOURNAL)
    ends = record_ends(path)
    torn = open(path, "rb").read()[ends[-1]:] + b"half a record"
    with open(path, "ab") as file:
        file.write(torn)
    got = demo("torn", "--cycles", 1)
    copies = [name for name in os.listdir(place("torn")) if ".torn-" in name]
    ok(got.code == 0 and len(copies) == 1 and open(os.path.join(place("torn"), copies[0]), "rb").read() == torn,
       "a torn tail is cut, a copy is kept, the gateway starts", got, copies)
    ok(any(line.get("what") == "journal.torn" for line in got.lines()), "and it says so")
    tap.none(trigate.all_problems(place("torn")), "the ledger agrees")


def test_f_store_ahead():
    path = os.path.join(copy_of_seeded("ahead"), JOURNAL)
    ends = record_ends(path)
    os.truncate(path, ends[len(ends) // 2])
    before = digest("ahead", JOURNAL, LEDGER)
    got = demo("ahead", "--cycles", 1)
    ok(got.code == 1 and "the store knows the journal up to" in got.err, "a store ahead of its journal is refused", got)
    ok(digest("ahead", JOURNAL, LEDGER) == before, "and nothing is changed")
    copy_of_seeded("epochless")
    os.remove(os.path.join(place("epochless"), "epoch"))
    got = demo("epochless", "--cycles", 1)
    ok(got.code == 1 and "epoch" in got.err, "a journal without its epoch is refused", got)


def test_f_store_behind():
    copy_of_seeded("behind")
    os.remove(os.path.join(place("behind"), STORE))
    for extra in ("-wal", "-shm"):
        if os.path.exists(os.path.join(place("behind"), STORE + extra)):
            os.remove(os.path.join(place("behind"), STORE + extra))
    got = demo("behind", "--cycles", 1)
    ok(got.code == 0, "a lost store is made again", got)
    tap.none(trigate.all_problems(place("behind")), "from the journal, whole")


# ---------------------------------------------------------------- hostile surroundings

def test_g_abi():
    preload = os.path.join(trigate.BUILD, "plugins/allocation_count.so")
    env = dict(os.environ, TRIGATE_ABI_CHECK="1")
    with open(trigate.TRIGATE, "rb") as program:
        sanitized = re.search(rb"__[at]san_init", program.read())
    if os.path.exists(preload) and not sanitized:  # a sanitizer owns malloc itself
        env["LD_PRELOAD"] = preload
    got = demo("abi", "--cycles", 20, "--seed", 7, env=env)
    breaches = [line for line in got.lines() if line.get("what") == "abi_violation"]
    ok(got.code == 0 and got.lines()[-1]["event"] == "summary", "a run with the ABI watched", got)
    ok(not breaches, "breaks none of its rules", breaches[:3])


def test_h_output():
    for name, words in (("JSON", ["--json"]), ("text", [])):
        with open("/dev/full", "w") as full:
            got = subprocess.run([trigate.TRIGATE, "run", "--config", DEMO, "--speed", "max", "--cycles", "3", *words,
                                  "--state-dir", place("full")], stdout=full, stderr=subprocess.PIPE, timeout=PATIENCE_S)
        ok(got.returncode == 1 and b"not all output could be written" in got.stderr, f"a full disk under the output, {name}", got)
        tap.none(trigate.open_problems(trigate.State(place("full"))) + trigate.Ledger(place("full")).problems,
                 "leaves the state whole")
    got = subprocess.run(["bash", "-c", 'exec "$0" run --config "$1" --speed max --cycles 3 --json --state-dir "$2" >&-',
                          trigate.TRIGATE, DEMO, place("full")], stderr=subprocess.PIPE, timeout=PATIENCE_S)
    ok(got.returncode == 1 and b"not all output could be written" in got.stderr, "a closed output", got)
    reader, writer = os.pipe()
    os.close(reader)
    got = subprocess.run([trigate.TRIGATE, "run", "--config", DEMO, "--speed", "1", "--json", "--state-dir", place("full")],
                         stdout=writer, stderr=subprocess.PIPE, timeout=PATIENCE_S)
    os.close(writer)
    ok(got.returncode == 1, "a reader that left ends an endless run", got)
    tap.none(trigate.all_problems(place("full")), "after all of them the ledger agrees")


def test_h_disk():
    """A limit on file sizes makes writes fail in the midst, as a full disk does."""
    def limited(limit, config=DEMO):
        return run("run", "--config", config, "--json", "--speed", "max", "--state-dir", place("small"), "--cycles", 100000,
                   preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)))

    for limit in (3000, 60000):
        got = limited(limit)
        ok(got.code == 1 and "small/" in got.err, f"no file may grow beyond {limit} bytes: it fails and names the file", got)
    memory = demo_with("memory.yaml", "plugin: sqlite", "plugin: memory")  # so that the journal is what grows most
    ok(run("run", "--config", memory, "--speed", "max", "--state-dir", place("small"), "--cycles", 3).code == 0, "with room")
    got = limited(100000 + max(os.path.getsize(os.path.join(place("small"), name)) for name in os.listdir(place("small"))), memory)
    ok(got.code == 1 and "nothing is sent any more" in got.err, "a journal that cannot be written ends all trading", got)
    got = demo("small", "--cycles", 3)
    ok(got.code == 0, "with room again it goes on", got)
    tap.none(trigate.all_problems(place("small"), True), "and nothing was lost")


def clean():
    for gateway in Gateway.all:
        gateway.process.kill()
    shutil.rmtree(HERE)


trigate.run_tests(tap, globals(), clean)
