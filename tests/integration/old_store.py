"""Databases of the Python system (trade_state.db) as it would have written them, in both shapes, with oddities put in on
purpose; and what an import of them must come to, reckoned here by decimal from repr() of each float.
"""
import json, random, sqlite3
from decimal import ROUND_DOWN, Decimal

CYCLES = """CREATE TABLE cycles(id TEXT PRIMARY KEY, strategy_name TEXT, cycle_json TEXT, initial_amount REAL, current_amount REAL,
    current_currency TEXT, state TEXT, current_step INT, orders_json TEXT, start_time REAL, end_time REAL, profit_loss REAL,
    error_message TEXT, metadata_json TEXT, updated_at REAL)"""
ORDERS = """CREATE TABLE orders(order_id TEXT PRIMARY KEY, cycle_id TEXT, market_symbol TEXT, side TEXT, amount REAL, price REAL,
    state TEXT, filled_amount REAL, remaining_amount REAL, average_price REAL, timestamp REAL, retry_count INT, error_message TEXT,
    created_at REAL, updated_at REAL)"""
UPDATES = """CREATE TABLE cycle_updates(update_id INTEGER PRIMARY KEY AUTOINCREMENT, cycle_id TEXT, field_name TEXT, old_value TEXT,
    new_value TEXT, updated_at REAL)"""
RESERVATIONS = """CREATE TABLE cycle_reservations(reservation_id TEXT PRIMARY KEY, strategy_name TEXT, cycle_id TEXT, created_at REAL,
    expires_at REAL, status TEXT)"""
SHAPES = "before 1.3", "1.3", "both"
GOING_ON = "pending", "validating", "active", "partially_filled", "recovering", "panic_selling"
ORDER_ENDS = {"filled": "filled", "cancelled": "cancelled", "failed": "rejected"}
TIME = 1732290507.0
QUANTUM = Decimal(1).scaleb(-18)


def exact(value):
    """What a number says, to the last digit; and what is kept of it."""
    whole = Decimal(repr(value)) if isinstance(value, float) else Decimal(value)
    return whole, cut(whole)


def cut(value):
    """To 18 places, towards zero."""
    if -value.as_tuple().exponent <= 18:
        return value
    digits = value.as_tuple()
    keep = digits.digits[:len(digits.digits) + digits.exponent + 18]
    return Decimal((digits.sign, keep or (0,), -18))


def nanoseconds(value):
    return int(Decimal(repr(value)).scaleb(9).to_integral_value(rounding=ROUND_DOWN)) if value is not None else 0


class OldStore:
    """Writes the file while it notes what must come of it: cycles and orders by their new keys, kinds of events."""

    def __init__(self, path, shape, seed=1, log=False):
        """log: keep a write-ahead log, which close(log=True) leaves beside the file."""
        self.shape, self.random = shape, random.Random(seed)
        self.db = sqlite3.connect(path, isolation_level=None)
        if log:
            self.db.execute("PRAGMA journal_mode = WAL")
        self.db.execute("BEGIN")
        self.db.execute(CYCLES)
        if shape != "before 1.3":
            for table in (ORDERS, UPDATES, RESERVATIONS):
                self.db.execute(table)
        self.cycles, self.orders, self.odd = {}, {}, 0
        self.events = {"import.begin": 1, "import.end": 1}
        self.clock = TIME
        self.cycle_rows = self.order_count = 0
        self.late = []  # orders that the import meets after all cycles
        self.identities = set()  # market and id of orders

    # ------------------------------------------------------------ what must come of it

    def event(self, kind, count=1):
        if count:
            self.events[kind] = self.events.get(kind, 0) + count

    def oddities(self, count):
        self.odd += count
        self.event("import", count)

    def money(self, value, needed=True):
        """A number as it must be in the store; None and what is no number is 0, and odd."""
        if value is None:
            self.oddities(needed)
            return Decimal(0)
        if isinstance(value, float) and (value != value or abs(value) > 1e20):
            self.oddities(1)
            return Decimal(0)
        whole, kept = exact(value)
        self.event("import.cut", whole != kept)
        return kept

    def expect_order(self, order, cycle, leg):
        """An order of its members, as the import meets it: in the order of rows."""
        self.order_count += 1
        owner = cycle or f"py:{order['gone']}"
        key = f"{owner}:{order['market_symbol']}:{order['id']}".replace("/", "-") if order["id"] else f"{owner}:order-{self.order_count}"
        identity = order["market_symbol"], order["id"]
        self.oddities(not order["id"] or identity in self.identities)
        self.identities.add(identity)
        self.oddities(cycle is None)
        self.oddities(order["side"] not in ("buy", "sell"))
        qty, price = self.money(order["amount"]), self.money(order["price"], needed=False)
        filled = self.money(order["filled_amount"])
        average = self.money(order["average_price"], needed=filled != 0)
        ends = ORDER_ENDS.get(order["state"])
        self.oddities(ends is None)
        self.oddities(filled > qty)
        state, error = order["state"], order["error_message"] or ""
        self.orders[key] = {
            "client_id": key, "cycle": cycle or "", "exchange_id": order["id"] or "", "market": order["market_symbol"],
            "side": order["side"] if order["side"] in ("buy", "sell") else "", "state": ends or "unknown", "purpose": "forward",
            "reason": error if ends else f"imported while {state}" + (f": {error}" if error else ""), "leg": leg + 1,
            "attempt": order["retry_count"], "price": price, "qty": qty, "filled_qty": filled, "filled_quote": cut(filled * average),
            "created": nanoseconds(order["timestamp"]), "updated": nanoseconds(order.get("updated_at") or order["timestamp"])}

    # ------------------------------------------------------------ what is written

    def amount(self, low, high):
        return self.random.uniform(low, high)

    def tick(self):
        self.clock += self.random.uniform(0.001, 0.5)
        return self.clock

    def order(self, number, **more):
        price = self.amount(0.01, 60000)
        amount = self.amount(10, 1000) / price
        filled = amount if self.random.random() < 0.8 else amount * self.random.random()
        return dict({"id": str(10**9 + number), "market_symbol": self.random.choice(("BTC/USDT", "ETH/BTC", "ETH/USDT")),
                     "side": self.random.choice(("buy", "sell")), "amount": amount, "price": price,
                     "state": self.random.choice(("filled", "filled", "filled", "cancelled", "failed")),
                     "filled_amount": filled, "remaining_amount": amount - filled, "average_price": price * 0.999,
                     "timestamp": self.tick(), "retry_count": self.random.randrange(3), "error_message": None}, **more)

    def table_order(self, order, cycle):
        members = ("market_symbol", "side", "amount", "price", "state", "filled_amount", "remaining_amount", "average_price",
                   "timestamp", "retry_count", "error_message")
        order["updated_at"] = self.clock
        self.db.execute(f"INSERT INTO orders VALUES ({','.join('?' * 15)})",
                        (order["id"], cycle, *(order[member] for member in members), order["timestamp"], order["updated_at"]))

    def cycle(self, id, orders, in_table=False, **more):
        """One cycle with its orders, as JSON in its row or in the table."""
        began = self.tick()
        initial, profit = self.amount(10, 1000), self.random.uniform(-1, 3)
        row = dict({"id": id, "strategy_name": "optimized_strategy", "cycle_json": json.dumps(["USDT", "BTC", "ETH"]),
                    "initial_amount": initial, "current_amount": initial + profit, "current_currency": "USDT", "state": "completed",
                    "current_step": 3, "orders_json": None, "start_time": began, "end_time": began + self.random.random(),
                    "profit_loss": profit, "error_message": None, "metadata_json": "{}"}, **more)
        row["updated_at"] = self.tick()
        if not in_table and row["orders_json"] is None and orders is not None:
            row["orders_json"] = json.dumps(orders)
        self.db.execute(f"INSERT INTO cycles VALUES ({','.join('?' * 15)})", tuple(row.values()))
        key = self.expect_cycle(row)
        for leg, order in enumerate(orders or []):
            if in_table:
                self.table_order(order, id)
            self.expect_order(order, key, leg)
        return key

    def expect_cycle(self, row):
        self.cycle_rows += 1
        key = f"py:{row['id']}" if row["id"] else f"py:cycle-{self.cycle_rows}"
        self.oddities(not row["id"])
        try:
            route = json.loads(row["cycle_json"])
        except ValueError:
            route = []
            self.oddities(1)
        currency = route[0] if route else row["current_currency"] or ""
        initial, current = self.money(row["initial_amount"]), self.money(row["current_amount"], needed=False)
        went_on = row["state"] in GOING_ON
        known = row["state"] in ("completed", "failed")
        profit, has_profit = Decimal(0), row["profit_loss"] is not None
        deltas = ""
        if has_profit:
            profit = self.money(row["profit_loss"])
            deltas = f"{currency}={profit.normalize():f}" if profit else ""
            home = row["state"] == "completed" and row["current_currency"] == currency and row["current_amount"] is not None
            self.oddities(home and abs(initial + profit - current) > abs(initial) / 10**9 + QUANTUM)
        elif row["state"] == "completed":
            self.oddities(1)
        elif row["current_currency"] not in ("", None, currency):
            deltas = f"{currency}={plain(-initial)} {row['current_currency']}={plain(current)}"
        error = row["error_message"] or ""
        self.oddities(not known)
        self.oddities(row["start_time"] is None)
        self.oddities(known and row["end_time"] is None)
        opened = nanoseconds(row["start_time"])
        self.cycles[key] = {
            "cycle": key, "strategy": row["strategy_name"], "exchange": "", "state": row["state"] if known else "failed",
            "route": ">".join(route), "currency": currency, "step": row["current_step"], "planned_in": initial,
            "planned_out": Decimal(0), "amount_in": initial if has_profit else Decimal(0),
            "amount_out": initial + profit if has_profit else Decimal(0), "profit": profit, "deltas": deltas,
            "reason": error if known else f"imported while {row['state']}" + (f": {error}" if error else ""),
            "opened": opened, "closed": nanoseconds(row["end_time"]) or nanoseconds(row["updated_at"])}
        self.event("import.metadata", row["metadata_json"] not in (None, "", "{}"))
        return key

    def update(self, cycle):
        self.db.execute("INSERT INTO cycle_updates (cycle_id, field_name, old_value, new_value, updated_at) VALUES (?,?,?,?,?)",
                        (cycle, "state", "active", "completed", self.tick()))
        self.event("import.update")

    def reservation(self, number, cycle):
        self.db.execute("INSERT INTO cycle_reservations VALUES (?,?,?,?,?,?)",
                        (f"r{number}", "optimized_strategy", cycle, self.tick(), self.clock + 30, "confirmed"))
        self.event("import.reservation")

    def orphan(self, number):
        order = self.order(number, gone=f"gone_{number}")
        self.table_order(order, order["gone"])
        self.late.append(order)

    def twice(self, id, number, same):
        """A cycle whose order 1.3 wrote into the table and left in orders_json, too: alike, or older there."""
        order = self.order(number, state="filled")
        old = dict(order) if same else dict(order, state="placed", filled_amount=0.0, remaining_amount=order["amount"])
        key = self.cycle(id, None, in_table=True, orders_json=json.dumps([old]))
        self.table_order(order, id)
        self.oddities(1)
        self.expect_order(order, key, 0)

    # ------------------------------------------------------------ a whole file

    def fill(self, cycles):
        for number in range(cycles):
            table = self.shape == "1.3" or (self.shape == "both" and number % 2 == 1)
            orders = [self.order(3 * number + leg) for leg in range(3)]
            id = f"optimized_strategy_{int(TIME * 1000) + number}"
            more = {"metadata_json": json.dumps({"expected_bps": self.amount(5, 40)})} if number % 10 == 0 else {}
            if number % 25 == 24:
                state = GOING_ON[number // 25 % len(GOING_ON)]
                more.update(state=state, end_time=None, profit_loss=None, current_currency="BTC", current_step=1,
                            current_amount=self.amount(0.001, 0.1))
                orders[-1].update(state="placed", filled_amount=0.0, remaining_amount=orders[-1]["amount"], average_price=None)
                orders = orders[-1:]
            elif number % 25 == 12:
                more.update(state="failed", error_message="Slippage \u20ac 12 > \"10\" bps", profit_loss=None, current_currency="USDT")
            self.cycle(id, orders, table, **more)
            if self.shape != "before 1.3":
                self.update(id)
                if number % 5 == 0:
                    self.reservation(number, id)
        self.fill_odd(3 * cycles)

    def fill_odd(self, first):
        """One of each."""
        nothing = {"filled_amount": 0.0, "remaining_amount": None, "average_price": None}
        table = self.shape == "1.3"
        self.cycle(None, [], table)
        self.cycle("odd_nan_amount", [], table, initial_amount=float("nan"), current_amount=None)
        self.cycle("odd_infinite_profit", [], table, profit_loss=float("inf"), current_currency="ETH")
        self.cycle("odd_huge", [], table, initial_amount=1e300, current_amount=None)
        self.cycle("odd_no_end", [], table, end_time=None)
        self.cycle("odd_no_start", [], table, start_time=None)
        self.cycle("odd_no_profit", [], table, profit_loss=None)
        self.cycle("odd_state", [], table, state="exploded")
        self.cycle("odd_route", [], table, cycle_json="BTC,ETH")
        self.cycle("odd_sums", [], table, current_amount=5.0)
        self.cycle("tiny_amounts", [], table, initial_amount=1e-07, profit_loss=1.2345678901234567e-09, current_amount=None)
        self.cycle("odd_order_no_id", [self.order(first, id=None)], table)
        self.cycle("odd_order_side", [self.order(first + 1, side="hold")], table)
        self.cycle("odd_order_null", [self.order(first + 2, amount=None, **nothing)], table)
        big = self.order(first + 3, amount=1.5, state="filled", filled_amount=2.5, remaining_amount=0.0)
        self.cycle("odd_order_beyond", [big], table)
        self.cycle("whole_numbers", [self.order(first + 4, amount=1000, price=2, filled_amount=1000, remaining_amount=0,
                                                average_price=2)], table)
        if self.shape != "1.3":
            nan = self.order(first + 5, amount=float("nan"), **nothing)
            self.cycle("odd_order_nan", [nan], table)
            same = self.order(first + 6)
            self.cycle("odd_collision_1", [same], table)
            self.cycle("odd_collision_2", [dict(same, filled_amount=0.0, average_price=None, remaining_amount=same["amount"])], table)
            other = dict(same, market_symbol="SOL/USDT")  # the same id in another market is another order
            self.cycle("same_id_elsewhere", [other], table)
            self.cycle("odd_json", None, table, orders_json="[{")
            self.oddities(1)
            self.cycle("odd_item", None, table, orders_json="[5]")
            self.oddities(1)
        if self.shape != "before 1.3":
            for number in range(3):
                self.orphan(first + 10 + number)
            self.update("gone_too")
        if self.shape == "both":
            self.twice("odd_twice_alike", first + 20, True)
            self.twice("odd_twice_different", first + 21, False)

    def close(self, log=False):
        """log: as a killed process would leave it; returns the connection that keeps the log."""
        for order in self.late:
            self.expect_order(order, None, 0)
        self.late = []
        self.db.execute("COMMIT")
        if not log:
            self.db.close()
            return None
        return self.db


def plain(value):
    return f"{value.normalize():f}" if value else "0"


def make(path, shape, cycles, seed=1):
    store = OldStore(path, shape, seed)
    store.fill(cycles)
    store.close()
    return store
