#!/usr/bin/python3
"""Show "demo": the demonstration at its own pace, twice at once with the same seed.

At least RUNS (20) cycles complete within SECS (60) of wall time, profit is told net of fees and dust, the venue's ledger
explains it to the last unit, and the two runs are the same to the byte but for the machine's own times. BUILD names the
build folder, SEED the market.
"""
import json, os, shutil, subprocess, sys, tempfile, time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../integration"))
import trigate
from trigate import Decimal

RUNS = int(os.environ.get("RUNS") or 20)
SECS = int(os.environ.get("SECS") or 60)
SEED = int(os.environ.get("SEED") or 7)


class Run:
    def __init__(self, folder, name):
        self.state_dir, self.text, self.began = os.path.join(folder, name), "", time.monotonic()
        self.errors = open(os.path.join(folder, name + ".err"), "w+")
        self.process = subprocess.Popen(
            [trigate.TRIGATE, "run", "--config", trigate.DEMO, "--cycles", str(RUNS), "--seed", str(SEED), "--json", "--speed",
             "1", "--state-dir", self.state_dir], stdin=subprocess.DEVNULL, stdout=open(self.state_dir + ".out", "wb"),
            stderr=self.errors)

    def wait(self, say=lambda cycle: None):
        """Until it has ended, or its time is over; say(cycle) for each cycle that ends."""
        with open(self.state_dir + ".out") as out:
            while True:
                ended = self.process.poll() is not None
                for line in iter(out.readline, ""):
                    self.text += line
                    if self.text.endswith("\n"):
                        self.tell(say)
                if ended:
                    break
                if time.monotonic() - self.began > SECS:
                    self.process.terminate()
                    self.process.wait()
                time.sleep(0.05)
        self.took_s = time.monotonic() - self.began
        self.errors.seek(0)
        return self.process.returncode, self.errors.read()

    def tell(self, say):
        event = json.loads(self.text[self.text.rfind("\n", 0, -1) + 1:])
        if event["event"] == "cycle" and event["final"]:
            say(event)

    def summary(self):
        last = self.text.splitlines()[-1:] or ["{}"]
        return json.loads(last[0])


def say(cycle):
    print(f"{cycle['closed'][11:23]}  {cycle['state']:9}  {cycle['route']:16}  plan {cycle['net_bps']:>9} bps  "
          f"profit {cycle['profit']:>14} {cycle['currency']}  {cycle['reason']}", flush=True)


def run_problems(run, code, errors):
    summary = run.summary()
    if code != 0 or summary.get("event") != "summary":
        return [f"exit code {code}, last line {summary}, stderr {errors[-500:]}"]
    problems = [] if summary["completed"] >= RUNS else [f"{summary['completed']} cycles in {run.took_s:.0f} s, {RUNS} are due"]
    ledger = trigate.Ledger(run.state_dir, check_crc=True)
    pnl = {currency: Decimal(amount) for currency, amount in summary["pnl"].items()}
    return problems + trigate.difference("pnl against the venue", pnl, ledger.profit()) + trigate.all_problems(run.state_dir)


def show(folder):
    first, second = Run(folder, "first"), Run(folder, "second")
    problems = run_problems(first, *first.wait(say))
    problems += run_problems(second, *second.wait())
    if trigate.without_machine_times(first.text) != trigate.without_machine_times(second.text):
        problems.append("two runs of one seed differ")
    summary = first.summary()
    for problem in problems:
        print("  VIOLATION: " + problem)
    keys = ["completed", "failed", "pnl", "value", "tick_to_order_p50_ns", "tick_to_order_p99_ns"]
    print(json.dumps({"event": "summary", "show": "demo", "violations": len(problems), "seconds": round(first.took_s, 1),
                      "seed": SEED, **{key: summary.get(key) for key in keys}}, separators=(",", ":")))
    return problems


def main():
    folder = tempfile.mkdtemp(prefix="trigate-demo-")
    print(f"{RUNS} cycles at the market's own pace, seed {SEED}", flush=True)
    if show(folder):
        return 1
    shutil.rmtree(folder)
    return 0


sys.exit(main())
