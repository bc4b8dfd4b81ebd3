"""What the integration runs and the shows share: the binary, TAP, the venue's ledger, and what trigate says of itself.

The ledger is read from its file alone (venue/ledger.h), so that it can judge what trigate says. All arithmetic is exact:
a sum that would have to be rounded raises.
"""
import datetime, decimal, json, os, re, sqlite3, subprocess, sys
from collections import defaultdict
from decimal import Decimal

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "../.."))
BUILD = os.path.abspath(os.environ.get("TRIGATE_BUILD_ROOT") or os.environ.get("BUILD") or os.path.join(ROOT, "build"))
TRIGATE = os.path.join(BUILD, "trigate")
DATA = os.environ.get("TRIGATE_DATA", os.path.join(ROOT, "../shared/data"))
DEMO = os.path.join(ROOT, "examples/demo.yaml")
LEDGER = "venue-ledger.jsonl"
JOURNAL = "journal-00000001.tgj"
STORE = "trigate.db"

decimal.getcontext().prec = 100
decimal.getcontext().traps[decimal.Inexact] = True


# ---------------------------------------------------------------- TAP

class Tap:
    """Counts and prints; one plan at the end."""

    def __init__(self):
        self.count = self.failed = 0

    def ok(self, passed, what, *more):
        self.count += 1
        self.failed += not passed
        print(f"{'ok' if passed else 'not ok'} {self.count} - {what}")
        if not passed:
            for line in "\n".join(str(m) for m in more)[:4000].split("\n"):
                print("#   " + repr(line)[1:-1])
        sys.stdout.flush()

    def none(self, problems, what):
        """Passes if the list of problems is empty."""
        self.ok(not problems, what, *problems[:20])

    def skip(self, what, why):
        self.count += 1
        print(f"ok {self.count} - {what} # SKIP {why}", flush=True)

    def end(self):
        print(f"1..{self.count}")
        sys.exit(1 if self.failed else 0)


def run_tests(tap, names, clean):
    """Every test_… of a module (its globals()) in the order of their names, clean() whatever happens, and the plan."""
    try:
        for name, test in sorted(names.items()):
            if name.startswith("test_"):
                print("# " + name)
                test()
    finally:
        clean()
    tap.end()


# ---------------------------------------------------------------- running

class Result:
    def __init__(self, code, out, err):
        self.code, self.out, self.err = code, out.decode(errors="replace"), err.decode(errors="replace")

    def __str__(self):
        return f"exit {self.code}\nstdout: {self.out[-1500:]}\nstderr: {self.err[-1500:]}"

    def lines(self):
        return [json.loads(line) for line in self.out.splitlines()]


def run(*words, timeout=120, **options):
    done = subprocess.run([TRIGATE, *map(str, words)], capture_output=True, stdin=subprocess.DEVNULL, timeout=timeout,
                          **options)
    return Result(done.returncode, done.stdout, done.stderr)


def records(command, state_dir, *options):
    """The lines of a command that reads a state directory."""
    got = run(*command.split(), "--json", "--limit", 0, "-d", state_dir, *options)
    if got.code != 0:
        raise RuntimeError(f"trigate {command} -d {state_dir}: {got}")
    return got.lines()


# ---------------------------------------------------------------- the venue's ledger

def crc32c_table():
    table = []
    for value in range(256):
        for _ in range(8):
            value = value >> 1 ^ (0x82F63B78 if value & 1 else 0)
        table.append(value)
    return table


CRC_TABLE = crc32c_table()


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc = crc >> 8 ^ CRC_TABLE[(crc ^ byte) & 0xFF]
    return crc ^ 0xFFFFFFFF


class VenueOrder:
    def __init__(self, record):
        self.number, self.client_id, self.market = record["order"], record["client_id"], record["market"]
        self.side, self.price, self.qty = record["side"], Decimal(record["price"]), Decimal(record["qty"])
        self.end = "rejected" if record["status"] == "rejected" else None
        self.filled = Decimal(0)
        self.fills = {}  # trade id -> (price, qty, fee, fee currency)

    def quote(self):
        return sum((price * qty for price, qty, _, _ in self.fills.values()), Decimal(0))


class Ledger:
    """The venue's own books. `problems` says where they contradict themselves."""

    def __init__(self, state_dir, check_crc=False):
        self.problems, self.orders, self.runs = [], [], 0
        self.deposits, self.moved, self.balance = (defaultdict(Decimal) for _ in range(3))
        self.currencies = {}  # market -> (base, quote), of markets that were traded
        with open(os.path.join(state_dir, LEDGER), "rb") as file:
            for number, line in enumerate(file, 1):
                self.take(number, line, check_crc)
        for currency in {*self.deposits, *self.moved, *self.balance}:
            self.explain(currency)
        self.by_id = {order.client_id: order for order in self.orders}

    def take(self, number, line, check_crc):
        record = json.loads(line)
        if record["seq"] != number:
            self.problems.append(f"line {number} has seq {record['seq']}")
        if check_crc and crc32c(line.split(b',"crc"')[0]) != int(record["crc"], 16):
            self.problems.append(f"line {number} has a wrong CRC")
        getattr(self, "on_" + record["kind"])(record)

    def on_run(self, record):
        self.runs += 1

    def on_market(self, record):
        pass

    def on_deposit(self, record):
        self.deposits[record["currency"]] += Decimal(record["amount"])

    def on_order(self, record):
        if record["order"] != len(self.orders) + 1:
            self.problems.append(f"order {record['order']} does not follow {len(self.orders)}")
        self.orders.append(VenueOrder(record))

    def on_fill(self, record):
        order = self.orders[record["order"] - 1]
        price, qty, fee = (Decimal(record[key]) for key in ("price", "qty", "fee"))
        order.fills[str(record["trade"])] = (price, qty, fee, record["fee_currency"])
        order.filled += qty
        if order.filled != Decimal(record["cum_qty"]):
            self.problems.append(f"order {order.number}: fills come to {order.filled}, not {record['cum_qty']}")
        self.moved[record["spent_currency"]] -= Decimal(record["spent"])
        self.moved[record["received_currency"]] += Decimal(record["received"])
        self.moved[record["fee_currency"]] -= fee
        pair = record["spent_currency"], record["received_currency"]
        self.currencies[order.market] = pair if order.side == "sell" else pair[::-1]

    def on_end(self, record):
        order = self.orders[record["order"] - 1]
        order.end = record["status"]
        if order.filled != Decimal(record["cum_qty"]):
            self.problems.append(f"order {order.number}: ended with {record['cum_qty']}, fills come to {order.filled}")

    def on_balance(self, record):
        self.balance[record["currency"]] = Decimal(record["free"]) + Decimal(record["locked"])
        self.explain(record["currency"])

    def explain(self, currency):
        due = self.deposits[currency] + self.moved[currency]
        if self.balance[currency] != due:
            self.problems.append(f"{currency}: the balance is {self.balance[currency]}, deposits and fills make {due}")

    def profit(self):
        """What all fills and fees changed, by currency, without zeros."""
        return without_zeros(self.moved)


def without_zeros(amounts):
    return {currency: amount for currency, amount in amounts.items() if amount != 0}


def difference(name, ours, theirs):
    """Where two tables of amounts differ, as a list of texts."""
    return [f"{name}: {key}: {ours.get(key)} is not {theirs.get(key)}"
            for key in sorted({*ours, *theirs}) if ours.get(key) != theirs.get(key)]


def fills_profit(fills, currencies):
    """What fills, as trigate tells them, changed by currency; currencies: market -> (base, quote)."""
    moved = defaultdict(Decimal)
    for fill in fills:
        base, quote = currencies[fill["market"]]
        sign = 1 if fill["side"] == "buy" else -1
        qty, price = Decimal(fill["qty"]), Decimal(fill["price"])
        moved[base] += sign * qty
        moved[quote] -= sign * qty * price
        moved[fill["fee_currency"]] -= Decimal(fill["fee"])
    return without_zeros(moved)


def deltas_profit(cycles):
    """The sum of the changes that cycles tell of."""
    moved = defaultdict(Decimal)
    for cycle in cycles:
        for change in cycle["deltas"].split():
            currency, amount = change.rsplit("=", 1)
            moved[currency] += Decimal(amount)
    return without_zeros(moved)


# ---------------------------------------------------------------- what trigate says, against the ledger

class State:
    """A state directory as trigate's own commands show it."""

    def __init__(self, state_dir):
        self.state_dir = state_dir
        self.orders = records("orders", state_dir)
        self.cycles = records("cycles list", state_dir)
        self.journal = records("journal", state_dir)

    def of_type(self, kind):
        return [record for record in self.journal if record["type"] == kind]


def ids_twice(ids):
    seen, twice = set(), []
    for one in ids:
        twice += [one] if one in seen else []
        seen.add(one)
    return twice


def order_problems(order, venue):
    """One of our orders beside the venue's record of it (None: it never came there)."""
    name = "order " + order["client_id"]
    if venue is None:
        lost = order["state"] != "abandoned" or Decimal(order["filled_qty"]) != 0
        return [f"{name} is {order['state']} with {order['filled_qty']} filled, the venue never had it"] if lost else []
    pairs = {"state": (order["state"], venue.end), "market": (order["market"], venue.market),
             "side": (order["side"], venue.side), "price": (Decimal(order["price"]), venue.price),
             "qty": (Decimal(order["qty"]), venue.qty), "filled_qty": (Decimal(order["filled_qty"]), venue.filled),
             "filled_quote": (Decimal(order["filled_quote"]), venue.quote())}
    if order["state"] != "rejected":
        pairs["exchange_id"] = (order["exchange_id"], str(venue.number))
    return [f"{name}: {key} is {ours}, at the venue {theirs}" for key, (ours, theirs) in pairs.items() if ours != theirs]


def orders_problems(state, ledger):
    """Every order of the venue is one of ours with the same end, and the other way round; no id twice anywhere."""
    ours = {order["client_id"]: order for order in state.orders}
    problems = [f"the venue has client id {one} twice" for one in ids_twice(order.client_id for order in ledger.orders)]
    problems += [f"`orders` tells of {one} twice" for one in ids_twice(order["client_id"] for order in state.orders)]
    problems += [f"`orders` does not know {one}" for one in ledger.by_id if one not in ours]
    for order in state.orders:
        problems += order_problems(order, ledger.by_id.get(order["client_id"]))
    return problems


def journal_problems(state, ledger):
    """Every order of the venue has its intent on record, once, before anything else of it, and all its fills."""
    problems, fills, known = [], defaultdict(dict), set()
    for record in state.journal:
        one = record.get("client_id")
        if record["type"] == "order intent":
            problems += [f"two intents of {one}"] if one in known else []
            known.add(one)
        elif one and one not in known:
            problems.append(f"the journal tells of {one} before its intent")
        if record["type"] == "fill":
            problems += [f"fill {record['fill_id']} of {one} twice"] if record["fill_id"] in fills[one] else []
            fills[one][record["fill_id"]] = (*(Decimal(record[key]) for key in ("price", "qty", "fee")), record["fee_currency"])
    for order in ledger.orders:
        problems += [] if order.client_id in known else [f"the journal has no intent of {order.client_id}"]
        if fills[order.client_id] != order.fills:
            problems.append(f"fills of {order.client_id}: {fills[order.client_id]} is not {order.fills}")
    positions = [record["position"] for record in state.journal]
    if positions != list(range(1, len(positions) + 1)):
        problems.append("the journal's positions have gaps")
    return problems


def open_problems(state):
    return [f"cycle {cycle['cycle']} is still {cycle['state']}" for cycle in state.cycles if not cycle["final"]] + \
           [f"order {order['client_id']} is still {order['state']}" for order in state.orders if not order["final"]]


def time_text(ns):
    """Nanoseconds as trigate prints a time; '' for 0."""
    if ns == 0:
        return ""
    whole = datetime.datetime.fromtimestamp(ns // 10**9, datetime.timezone.utc)
    return whole.strftime("%Y-%m-%dT%H:%M:%S") + f".{ns % 10**9 // 1000:06}Z"


def store_rows(state_dir):
    """The store's rows as the commands would show them: cycles and orders by id, fills by (order, fill)."""
    store = sqlite3.connect(f"file:{os.path.join(state_dir, STORE)}?mode=ro", uri=True)
    store.row_factory = sqlite3.Row
    rows = {name: [dict(row) for row in store.execute("select * from " + name)] for name in ("cycles", "orders", "fills")}
    store.close()
    return rows


def store_problems(state):
    """The store holds the same cycles, orders and fills as the journal, in each member that both have."""
    rows = store_rows(state.state_dir)
    def key(id):
        """Of a store's id, which begins with the gateway's."""
        return id.split("-", 1)[1]

    cycles = {key(row["id"]): {"state": row["state"], "route": row["route"], "currency": row["currency"],
                          "planned_in": row["planned_in"], "planned_out": row["planned_out"], "profit": row["profit"],
                          "deltas": row["deltas"], "reason": row["reason"], "opened": time_text(row["opened_ns"]),
                          "closed": time_text(row["closed_ns"])} for row in rows["cycles"]}
    orders = {row["client_id"]: {"cycle": key(row["cycle_id"]), "exchange_id": row["exchange_id"], "market": row["market"],
                                 "side": {1: "buy", 2: "sell"}[row["side"]], "state": row["state"],
                                 "purpose": row["purpose"], "reason": row["reason"], "leg": row["leg"] + 1,
                                 "attempt": row["attempt"], "price": row["price"], "qty": row["qty"],
                                 "filled_qty": row["filled_qty"], "filled_quote": row["filled_quote"],
                                 "created": time_text(row["created_ns"])} for row in rows["orders"]}
    fills = {(row["client_id"], row["fill_id"]): {key: row[key] for key in ("price", "qty", "fee", "fee_currency")}
             for row in rows["fills"]}
    journal_fills = {(fill["client_id"], fill["fill_id"]): fill for fill in state.of_type("fill")}
    return table_problems("cycle", cycles, {cycle["cycle"]: cycle for cycle in state.cycles}) + \
        table_problems("order", orders, {order["client_id"]: order for order in state.orders}) + \
        table_problems("fill", fills, journal_fills)


def table_problems(noun, stored, journal):
    problems = [f"the store lacks {noun} {key}" for key in journal if key not in stored]
    problems += [f"the store has {noun} {key}, the journal does not" for key in stored if key not in journal]
    for key, row in stored.items():
        for member, value in row.items() if key in journal else ():
            if journal[key][member] != value:
                problems.append(f"{noun} {key}: {member} is {value!r} in the store, {journal[key][member]!r} in the journal")
    return problems


def money_problems(state, ledger):
    """The venue's balances are its deposits and our fills, and our cycles tell of the very same changes."""
    fills = [dict(fill, **{key: ledger.by_id[fill["client_id"]].__dict__[key] for key in ("market", "side")})
             for fill in state.of_type("fill") if fill["client_id"] in ledger.by_id]
    return ledger.problems + \
        difference("fills of the journal against the venue", fills_profit(fills, ledger.currencies), ledger.profit()) + \
        difference("deltas of the cycles against the venue", deltas_profit(state.cycles), ledger.profit())


def all_problems(state_dir, check_crc=False):
    """Everything that must hold of a state directory whose gateway has ended with nothing open."""
    ledger, state = Ledger(state_dir, check_crc), State(state_dir)
    return orders_problems(state, ledger) + journal_problems(state, ledger) + money_problems(state, ledger) + \
        open_problems(state) + store_problems(state)


def without_machine_times(text):
    """JSON lines without members named *_ns and *_us: what must be the same whenever a seeded run is repeated."""
    return re.sub(r',?"[a-z0-9_]*_(?:ns|us)":-?[0-9]+', "", text)
