#!/usr/bin/python3
"""Show "kill": kill -9 at random moments, start again on the same state directory, RUNS (50) times; then one clean run.

The venue's ledger outlives the gateway, as an exchange would. In the end every order in it is known to `trigate journal`
and `trigate orders`, every one of ours has its true end, no client id came twice, nothing is left open, and the balances
are the deposits and the fills to the last unit. The market is the demo's, but much busier, so that most kills hit while orders
are under way. BUILD names the build folder, SEED repeats the moments (as far as the machine's scheduling lets them be
repeated).
"""
import json, os, random, shutil, signal, sys, tempfile, time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../integration"))
import trigate
from trigate import run, records
from victim import SPEEDS, Victim, configure

RUNS = int(os.environ.get("RUNS") or 50)
SEED = int(os.environ.get("SEED") or time.time_ns() % 1000000)
# Where a kill is aimed: while it starts and recovers, while it trades (most), while it ends.
AIMS = ["start", "trade", "trade", "trade", "end"]


class Show:
    def __init__(self, folder):
        self.folder, self.state_dir = folder, os.path.join(folder, "state")
        self.random = random.Random(SEED)
        self.startup_s = 0.05
        self.problems, self.told = [], set()
        self.figures = {"kills": 0, "kills_with_open_orders": 0, "kills_with_open_cycles": 0, "missed": 0}

    def strike(self, victim, aim):
        """Wait for the moment, kill. The exit code, and how long it lived."""
        if aim == "start":
            time.sleep(self.random.uniform(0, 1.3 * self.startup_s))
            return victim.kill()
        self.startup_s = victim.wait_trading()
        time.sleep(self.random.uniform(0, 0.2))
        if aim == "end":
            victim.process.send_signal(signal.SIGTERM)
            time.sleep(self.random.choice([0, self.random.uniform(0, 0.003), self.random.uniform(0, 0.03)]))
        return victim.kill()

    def violation(self, text):
        self.problems.append(text)
        if len(self.problems) <= 30:
            print("  VIOLATION: " + text, flush=True)

    def left_open(self):
        """Orders and cycles without an end in the journal that the kill left, before anybody touches it."""
        try:
            return tuple(len(records(command, self.state_dir, "--open")) for command in ("orders", "cycles list"))
        except RuntimeError:
            if os.path.exists(os.path.join(self.state_dir, trigate.JOURNAL)):
                raise
            return 0, 0  # killed before the journal was there

    def round(self):
        aim, speed = self.random.choice(AIMS), self.random.choice(SPEEDS)
        victim = Victim(self.folder, self.state_dir, SEED, "--speed", speed)
        code, lived_s = self.strike(victim, aim)
        if code != -signal.SIGKILL:
            self.figures["missed"] += 1
            if code != 0:
                self.violation(f"it ended by itself with exit code {code}: {victim.errors()[-500:]}")
            return
        self.told |= victim.told()
        orders, cycles = self.left_open()
        self.figures["kills"] += 1
        self.figures["kills_with_open_orders"] += orders > 0
        self.figures["kills_with_open_cycles"] += cycles > 0
        print(f"kill {self.figures['kills']:3}  aimed at {aim:5}  speed {speed:>4}  after {lived_s * 1000:5.0f} ms: "
              f"{orders} orders and {cycles} cycles open", flush=True)

    def clean_run(self):
        got = run("run", "--config", os.path.join(self.folder, "demo.yaml"), "--seed", SEED, "--state-dir", self.state_dir,
                  "--json", "--speed", "max", "--cycles", 5)
        if got.code != 0:
            self.violation(f"the last, clean run failed: {got}")
            return
        summary = got.lines()[-1]
        print(f"clean run: {summary['recovered']} cycles taken up, {summary['completed']} completed, {summary['open']} open")

    def judge(self):
        ledger, state = trigate.Ledger(self.state_dir, check_crc=True), trigate.State(self.state_dir)
        checks = {
            "orders and their ends": trigate.orders_problems(state, ledger),
            "the journal": trigate.journal_problems(state, ledger),
            "the balances": trigate.money_problems(state, ledger),
            "open cycles": trigate.open_problems(state),
            "the store": trigate.store_problems(state),
            "orders told of before they were on record":
                sorted(self.told - {record["client_id"] for record in state.of_type("order intent")}),
        }
        for name, problems in checks.items():
            print(f"checked {name}: {len(problems)} wrong", flush=True)
            for problem in problems:
                self.violation(f"{name}: {problem}")
        self.count(state, ledger)

    def count(self, state, ledger):
        asked = {record["client_id"] for record in state.of_type("order event") if record["event"] == "doubt"}
        ends = [order["state"] for order in state.orders if order["client_id"] in asked]
        self.figures.update({
            "starts": len(state.of_type("start")),
            "cycles": len(state.cycles),
            "cycles_recovered": len({record["cycle"] for record in state.of_type("cycle event") if record["event"] == "doubt"}),
            "cycles_given_up": sum("gave up" in cycle["reason"] for cycle in state.cycles),
            "orders": len(state.orders),
            "orders_at_venue": len(ledger.orders),
            "fills": sum(len(order.fills) for order in ledger.orders),
            "unknown_resolved": len(ends),
            "unknown_never_arrived": ends.count("abandoned"),
        })

    def summary(self):
        print(json.dumps({"event": "summary", "show": "kill", "violations": len(self.problems), **self.figures,
                          "seed": SEED}, separators=(",", ":")))


def main():
    folder = tempfile.mkdtemp(prefix="trigate-kill-")
    configure(folder)
    show = Show(folder)
    print(f"seed {SEED}; kill -9 {RUNS} times on {show.state_dir}", flush=True)
    while show.figures["kills"] < RUNS and show.figures["missed"] < 5 * RUNS + 20:
        show.round()
    if show.figures["kills"] < RUNS:
        show.violation(f"only {show.figures['kills']} of {RUNS} kills hit")
    show.clean_run()
    show.judge()
    if show.problems:
        print(f"the state directory is kept: {show.state_dir}")
    else:
        shutil.rmtree(folder)
    show.summary()
    return 1 if show.problems else 0


sys.exit(main())
