#!/usr/bin/python3
"""Show "binance-faults": everything that goes wrong between a gateway and Binance, through real sockets over TLS, and in the
end 0 orders lost or doubled.

`trigate venue` lives all the time; a gateway trades on more than 500 markets with whole depth books. Replies are lost before and
after the order was taken, errors come in their place (5xx, -1006, -1007, with the order taken or not), connections are
cut at each leg, limits and a ban strike, clocks go wrong, a message is left out in one market, everything is cut 20
times within a minute, and the gateway is killed with -9. The venue's ledger is then held against the gateway's journal and
store, its books against the gateway's. A fault counts when there is evidence that it struck; one that did not is a
violation. RUNS (1) scales how often; BUILD names the build folder, SEED repeats the draws.
"""
import collections, json, os, random, re, shutil, signal, socket, subprocess, sys, tempfile, time
from decimal import Decimal

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../integration"))
import trigate
from venue_client import Venue

RUNS = float(os.environ.get("RUNS") or 1)
SEED = int(os.environ.get("SEED") or time.time_ns() % 1000000)
MARKETS = 500  # that the gateway keeps books of, at least
MADE = 540     # of which some are on no cycle
PATIENCE_S = 90  # a 429 asks to wait for the next minute
RECONNECTS = 20
# What is asked of the venue's /control/fault in place of an order's reply, and the name under which it is counted.
REPLIES = {
    "reply_lost_before": "kind=lost-before",
    "reply_lost_after": "kind=lost-after",
    "error_500": "kind=error-1000",
    "error_503_taken": "kind=error-1008&done=true",
    "error_1006": "kind=error-1006",
    "error_1006_taken": "kind=error-1006&done=true",
    "error_1007": "kind=error-1007",
    "error_1007_taken": "kind=error-1007&done=true",
}


def scaled(count):
    return max(1, round(count * RUNS))


class Timeout(Exception):
    pass


def until(done, what, bound_s=PATIENCE_S):
    """Wait for something that happens by itself; the bound only ends a broken run. Returns what done() did."""
    end = time.monotonic() + bound_s
    while not (result := done()):
        if time.monotonic() > end:
            raise Timeout(what)
        time.sleep(0.01)
    return result


class Gateway:
    """A gateway on the venue, and a line to it."""

    def __init__(self, folder, config, state_dir, number):
        self.state_dir = state_dir
        self.out = open(os.path.join(folder, f"out.{number}"), "wb")
        self.err = open(os.path.join(folder, f"err.{number}"), "wb")
        self.process = subprocess.Popen(
            [trigate.TRIGATE, "run", "--live", "--config", config, "--json", "--state-dir", state_dir],
            stdin=subprocess.DEVNULL, stdout=self.out, stderr=self.err)
        self.line = self.answers = None

    def ask(self, command, **members):
        """The reply; None while it cannot be reached."""
        try:
            if not self.line:
                self.line = socket.socket(socket.AF_UNIX)
                self.line.settimeout(PATIENCE_S)
                self.line.connect(os.path.join(self.state_dir, "control.sock"))
                self.answers = self.line.makefile()
            self.line.sendall(json.dumps({"command": command, **members}).encode() + b"\n")
            return json.loads(self.answers.readline())
        except (OSError, ValueError):
            self.line = None
            return None

    def status(self, key):
        return (self.ask("status") or {}).get(key, 0)

    def end(self, number, bound_s=PATIENCE_S):
        self.process.send_signal(number)
        code = self.process.wait(timeout=bound_s)
        self.out.close()
        self.err.close()
        return code

    def errors(self):
        return open(self.err.name, errors="replace").read()


class Show:
    def __init__(self, folder):
        self.folder, self.state_dir = folder, os.path.join(folder, "state")
        self.random = random.Random(SEED)
        self.problems, self.faults, self.figures = [], collections.Counter(), {}
        self.starts = 0
        self.venue = Venue(os.path.join(folder, "venue"), "--listen", "127.0.0.1:0", "--markets", MADE, "--seed", SEED,
                           "--opportunities-per-minute", 900, "--lifetime-ms", 400, "--balance", "USDT=100000",
                           # what the show itself asks counts against the address, and each cut has every book fetched again
                           "--weight-limit", 1000000, "--order-limit", 10000, "--connection-limit", 100000, "--ban-ms", 2000)
        self.config = self.configure()
        self.gateway = None

    def configure(self):
        """The venue's gateway file, with whole books and more cycles at once."""
        made = self.venue.described["gateway"]
        text = open(made).read().replace("settings:\n", "settings:\n      stream: depth\n", 1)
        path = os.path.join(os.path.dirname(made), "faults.yaml")
        with open(path, "w") as file:
            file.write(text)
        return path

    def violation(self, text):
        self.problems.append(text)
        if len(self.problems) <= 30:
            print("  VIOLATION: " + text, flush=True)

    # ------------------------------------------------------------ evidence

    def state(self, key):
        return self.venue.control("state", "GET")[key]

    def start(self):
        self.starts += 1
        self.gateway = Gateway(self.folder, self.config, self.state_dir, self.starts)
        until(lambda: self.state("streams") >= MARKETS, f"{MARKETS} markets are subscribed")
        self.trades("it trades after a start", 1)

    def trades(self, what, orders=4):
        """The proof that it is over a fault: new orders reach the venue."""
        before = self.state("orders")
        try:
            until(lambda: self.gateway.process.poll() is not None or self.state("orders") >= before + orders, what)
        except Timeout:
            self.violation(f"in vain: {what}; link {self.gateway.status('link')}")
        if self.gateway.process.poll() is not None:
            raise RuntimeError(f"the gateway ended by itself: {self.gateway.errors()[-1500:]}")

    def audit(self):
        """The lines of the gateway's audit log, in order."""
        lines = []
        for age in ("1", None):
            path = os.path.join(self.state_dir, "audit.log" + ("." + age if age else ""))
            if os.path.exists(path):
                lines += [json.loads(line) for line in open(path) if line.endswith("\n")]
        return lines

    def strike(self, name, fault, count=1):
        """Ask for the fault and wait until the venue has used it up."""
        self.venue.control(f"fault?{fault}&count={count}")
        try:
            until(lambda: self.state("faults") == 0, f"{name} strikes")
            self.faults[name] += count
        except Timeout:
            self.venue.control("fault", "DELETE")

    # ------------------------------------------------------------ faults

    def replies(self):
        for name, fault in REPLIES.items():
            for _ in range(scaled(1)):
                self.strike(name, f"{fault}&method=order.place&skip={self.random.randrange(6)}")
                self.trades(f"orders after {name}")
            print(f"{name}: {self.faults[name]}", flush=True)

    def cuts_at_legs(self):
        """The connection is cut as an order leaves, taken or not, until that has hit each leg: the journal tells."""
        wanted, before = {leg: scaled(1) for leg in (1, 2, 3)}, self.doubted_legs()
        for _ in range(60 + scaled(30)):
            kind = self.random.choice(["lost-before", "lost-after"])
            self.strike("cuts", f"kind={kind}&method=order.place&skip={self.random.randrange(4)}")
            self.trades("orders after a cut", 2)
            hit = {leg: count - before[leg] for leg, count in self.doubted_legs().items()}
            if all(hit.get(leg, 0) >= wanted[leg] for leg in wanted):
                break
        for leg in wanted:
            self.faults[f"cut_at_leg_{leg}"] = hit.get(leg, 0)
        self.figures["cuts"] = self.faults.pop("cuts")
        print(f"cut at legs: {hit}", flush=True)

    def doubted_legs(self):
        """How many orders of each leg were in doubt, by the journal."""
        journal = trigate.records("journal", self.state_dir)
        legs = {record["client_id"]: record["leg"] for record in journal if record["type"] == "order intent"}
        doubted = {record["client_id"] for record in journal if record["type"] == "order event" and record["event"] == "doubt"}
        return collections.Counter(legs[one] for one in doubted)

    def clocks(self):
        """The venue's clock jumps by 3 s while orders leave, and back. It struck if orders were refused for their time, which
        the gateway's own look at the clock may forestall: then it jumps again."""
        for name, skew in (("clock_3_s_ahead", "ahead_ms=3000"), ("clock_3_s_behind", "behind_ms=3000")):
            before = self.refused_for_their_time()
            for _ in range(10):
                self.venue.control("clock?" + skew)
                self.trades(f"orders with {name}", 8)
                self.faults[name] = self.refused_for_their_time() - before
                self.venue.control("clock?ahead_ms=0")
                self.trades(f"orders after {name}", 8)
                if self.faults[name] >= scaled(1):
                    break
            print(f"{name}: {self.faults[name]} orders were refused for their time", flush=True)

    def refused_for_their_time(self):
        return sum("-1021" in order["reason"] for order in trigate.records("orders", self.state_dir))

    def gap(self):
        """One message of one market is left out; that market alone is fetched again, though the first answer is a 5xx."""
        self.books("before a gap")
        for _ in range(scaled(1)):
            symbol = self.busy_market()
            asked = len([line for line in self.audit() if line["event"] == "http" and "/depth?" in line["url"]])
            self.venue.control("fault?kind=error-1000&method=depth")
            self.venue.control(f"gap?symbol={symbol}&count=1")
            try:
                until(lambda: self.state("gaps") == 0 and self.state("faults") == 0, "a gap strikes, and a 5xx at its snapshot")
                self.faults["gap_in_one_market"] += 1
                self.faults["error_500_rest"] += 1
            except Timeout:
                self.venue.control("fault", "DELETE")
            self.book_agrees(symbol)
            time.sleep(0.3)  # the audit is written ten times a second
            after = [line for line in self.audit() if line["event"] == "http" and "/depth?" in line["url"]][asked:]
            strangers = {line["url"] for line in after if f"symbol={symbol}&" not in line["url"] + "&"}
            if not after or strangers:
                self.violation(f"a gap in {symbol}: {len(after)} snapshots were asked for, of others {sorted(strangers)[:3]}")
        print(f"gap_in_one_market: {self.faults['gap_in_one_market']}", flush=True)

    def subscribed(self):
        """The markets of which the gateway has a book: as many as the venue streams to it."""
        symbols = [one["symbol"] for one in self.venue.ask("GET", "/api/v3/exchangeInfo")[2]["symbols"]]

        def look():
            kept = [symbol for symbol in symbols if (self.gateway.ask("book", market=symbol) or {}).get("sequence", 0) > 0]
            return kept if len(kept) == self.state("streams") else None
        return until(look, "it has a book of each market that is streamed", 30)

    def busy_market(self):
        """One whose book moves."""
        symbols = self.subscribed()
        self.random.shuffle(symbols)
        before = {one: self.update_id(one) for one in symbols[:40]}
        return until(lambda: next((one for one, id in before.items() if self.update_id(one) > id), None), "a market moves")

    def update_id(self, symbol):
        return self.venue.ask("GET", f"/api/v3/depth?symbol={symbol}&limit=5")[2]["lastUpdateId"]

    def reconnects(self):
        """Everything is cut, and again as soon as it has come up, 20 times; the audit log tells how long that took."""
        begin = len(self.audit())
        for _ in range(RECONNECTS):
            self.venue.control("cut?kind=all")
            until(lambda: self.state("userStreams") == 0, "it is cut", 10)
            until(lambda: self.state("userStreams") > 0 and self.state("streams") >= MARKETS, "everything is open again", 30)
        self.trades("orders after 20 reconnects")
        time.sleep(0.3)
        opened = [line for line in self.audit()[begin:] if line["event"] == "ws_opened"]
        sockets = collections.Counter(line["socket"] for line in opened)
        fewest, times = min(sockets.values(), default=0), [line["time"] for line in opened]
        took_s = (stamp(times[-1]) - stamp(times[0])) if times else 0
        self.faults["reconnects_in_a_minute"] = fewest if took_s <= 60 else 0
        self.figures["reconnects_took_s"] = round(took_s, 1)
        print(f"every socket was opened {fewest} times in {took_s:.1f} s", flush=True)

    def limits(self):
        for _ in range(scaled(1)):
            self.strike("limit_429", f"kind=limit&method=order.place&skip={self.random.randrange(3)}")
            self.trades("orders after a 429")
        print(f"limit_429: {self.faults['limit_429']}", flush=True)
        for _ in range(scaled(1)):
            self.strike("ban_418", f"kind=ban&method=order.place&skip={self.random.randrange(3)}")
            self.trades("orders after a ban")
        print(f"ban_418: {self.faults['ban_418']}", flush=True)

    def kills(self):
        open_orders = 0
        for _ in range(scaled(4)):
            time.sleep(self.random.uniform(0.05, 0.5))
            # so that some are killed with an answer on its way that never comes
            self.venue.control(f"fault?kind=lost-after&method=order.place&skip={self.random.randrange(3)}")
            until(lambda: self.state("faults") == 0, "an order to be killed with")
            self.gateway.end(signal.SIGKILL)
            self.faults["kill_9"] += 1
            open_orders += len(trigate.records("orders", self.state_dir, "--open"))
            self.start()
        self.figures["open_orders_at_kills"] = open_orders
        print(f"kill_9: {self.faults['kill_9']}, {open_orders} orders were open", flush=True)

    # ------------------------------------------------------------ the end

    def book_agrees(self, symbol):
        """The gateway's book is the venue's of the same update. None, or what differs after all patience."""
        def look():
            theirs = self.venue.ask("GET", f"/api/v3/depth?symbol={symbol}&limit=20")[2]
            ours = self.gateway.ask("book", market=symbol)
            if not ours or not ours["ok"] or ours["sequence"] != theirs["lastUpdateId"]:
                look.last = f"ours is of {(ours or {}).get('sequence')}, theirs of {theirs['lastUpdateId']}"
                return False
            for side in ("bids", "asks"):
                mine, its = ([[Decimal(number) for number in level] for level in book[side]][:20] for book in (ours, theirs))
                if mine != its:
                    look.last = f"update {ours['sequence']}: {side} are {mine[:3]}, at the venue {its[:3]}"
                    return False
            return True
        try:
            return until(look, "", 20)
        except Timeout:
            self.violation(f"the book of {symbol}: {look.last}")

    def books(self, when):
        kept = self.subscribed()
        equal = sum(bool(self.book_agrees(symbol)) for symbol in kept)
        print(f"books {when}: {equal} of {len(kept)} are the venue's", flush=True)
        if len(kept) < MARKETS:
            self.violation(f"there are only {len(kept)} books")
        self.figures["books_equal"] = equal

    def finish(self):
        self.books("at the end")
        self.gateway.ask("stop", level="cycles")
        until(lambda: self.gateway.status("open") == 0, "open cycles end")
        code = self.gateway.end(signal.SIGTERM)
        if code != 0:
            self.violation(f"the gateway ended with {code}: {self.gateway.errors()[-500:]}")

    def judge(self):
        ledger, state = trigate.Ledger(self.venue.folder, check_crc=True), trigate.State(self.state_dir)
        for order in ledger.orders:  # as Binance writes them
            order.market = order.market.replace("-", "")
        ledger.currencies = {market.replace("-", ""): pair for market, pair in ledger.currencies.items()}
        state.orders = [order for order in state.orders if not self.refused_at_the_door(order, ledger)]
        checks = {
            "orders and their ends": trigate.orders_problems(state, ledger),
            "the journal": trigate.journal_problems(state, ledger),
            "the balances": trigate.money_problems(state, ledger),
            "open cycles": trigate.open_problems(state),
            "the store": trigate.store_problems(trigate.State(self.state_dir)),
            "secrets in what was written": self.secrets(),
            "faults that did not strike": [name for name, count in self.faults.items() if count == 0],
        }
        for name, problems in checks.items():
            print(f"checked {name}: {len(problems)} wrong", flush=True)
            for problem in problems:
                self.violation(f"{name}: {problem}")
        doubts = {record["client_id"] for record in state.of_type("order event") if record["event"] == "doubt"}
        ends = [order["state"] for order in state.orders if order["client_id"] in doubts]
        self.figures.update({"orders": len(state.orders), "orders_at_venue": len(ledger.orders), "cycles": len(state.cycles),
                             "fills": sum(len(order.fills) for order in ledger.orders), "unknown_resolved": len(ends),
                             "unknown_never_arrived": ends.count("abandoned"), "starts": self.starts})

    def refused_at_the_door(self, order, ledger):
        """Binance said no to the request before it looked at the order, and its ledger has nothing of it."""
        return order["state"] == "rejected" and order["client_id"] not in ledger.by_id and \
            re.search("-1021|too much request weight", order["reason"], re.I) and Decimal(order["filled_qty"]) == 0

    def secrets(self):
        """Files of the state directory and outputs that hold the secret key, or a signature's value."""
        secret, found = open(self.venue.described["key_file_ed25519"]).read(), []
        body = "".join(line for line in secret.splitlines() if "-----" not in line and "=" not in line.strip("=")).encode()
        places = [os.path.join(self.state_dir, name) for name in os.listdir(self.state_dir)]
        places += [os.path.join(self.folder, name) for name in os.listdir(self.folder)]
        for path in filter(os.path.isfile, places):
            data = open(path, "rb").read()
            if (body and body in data) or self.venue.secret.encode() in data:
                found.append(path)
        unsigned = [line for line in self.audit() for text in (line.get("body", ""), line.get("url", ""))
                    if "signature" in text and "***" not in text]
        return found + [str(line)[:200] for line in unsigned]

    def summary(self):
        print(json.dumps({"event": "summary", "show": "binance-faults", "violations": len(self.problems), "faults": dict(self.faults),
                          **self.figures, "markets": MARKETS, "seed": SEED}, separators=(",", ":")))


def stamp(text):
    """Seconds of a time as the audit log writes it."""
    return time.mktime(time.strptime(text[:19], "%Y-%m-%dT%H:%M:%S")) + float("0" + text[19:-1])


def main():
    folder = tempfile.mkdtemp(prefix="trigate-faults-")
    show = Show(folder)
    print(f"seed {SEED}; {MARKETS} markets; {folder}", flush=True)
    wanted = [*REPLIES, *(f"cut_at_leg_{leg}" for leg in (1, 2, 3)), "clock_3_s_ahead", "clock_3_s_behind", "gap_in_one_market",
              "error_500_rest", "reconnects_in_a_minute", "limit_429", "ban_418", "kill_9"]
    show.faults.update({name: 0 for name in wanted})
    try:
        show.start()
        for part in (show.replies, show.cuts_at_legs, show.clocks, show.gap, show.reconnects, show.limits, show.kills, show.finish):
            began = time.monotonic()
            part()
            print(f"  {part.__name__} took {time.monotonic() - began:.1f} s", flush=True)
        show.judge()
    except (Timeout, RuntimeError, subprocess.TimeoutExpired) as problem:
        show.violation(f"{type(problem).__name__}: {problem}")
    finally:
        if show.gateway and show.gateway.process.poll() is None:
            show.gateway.process.kill()
        show.venue.__exit__()
    if show.problems:
        print(f"everything is kept: {folder}")
    else:
        shutil.rmtree(folder)
    show.summary()
    return 1 if show.problems else 0


sys.exit(main())
