"""`trigate scan` against brute force in exact fractions, on recorded and on made-up tables of markets.

TAP; usage: scan_check.py TRIGATE. The recorded table is found by TRIGATE_DATA and skipped where it is absent.
"""
import csv
import itertools
import json
import os
import random
import subprocess
import sys
import tempfile
from fractions import Fraction

HEADER = "market,base,quote,bid,bid_qty,ask,ask_qty,tick,lot,min_notional,taker_bps"
RECORDED = "kucoin-2018-01-17.markets.csv"
trigate = sys.argv[1] if len(sys.argv) > 1 else None  # who imports this says which
count = failed = 0


def ok(passed, name, detail=""):
    global count, failed
    count += 1
    failed += not passed
    print(f"{'ok' if passed else 'not ok'} {count} - {name}", flush=True)
    if not passed and detail:
        print("# " + str(detail)[:2000].replace("\n", "\n# "))


def table_read(path):
    with open(path) as file:
        return list(csv.DictReader(line for line in file if not line.startswith("#")))


def edges_of(rows, fee):
    """(from, to, market, side) -> rate after the fee, None without a quote."""
    edges = {}
    for row in rows:
        keep = 1 - Fraction(row["taker_bps"] if fee == "file" else fee) / 10000
        bid = Fraction(row["bid"] or 0) if Fraction(row["bid_qty"] or 0) else 0
        ask = Fraction(row["ask"] or 0) if Fraction(row["ask_qty"] or 0) else 0
        edges[row["base"], row["quote"], row["market"], "sell"] = bid * keep if bid else None
        edges[row["quote"], row["base"], row["market"], "buy"] = keep / ask if ask else None
    return edges


def canonical(legs):
    """A directed cycle as a sequence of (market, side), whatever its start."""
    least = min(range(len(legs)), key=lambda i: legs[i])
    return tuple(legs[least:] + legs[:least])


def brute_force(rows, fee, legs):
    """Every directed simple cycle of 3..legs edges -> net bps (None: not quoted). Walks from every edge."""
    edges = edges_of(rows, fee)
    leaving = {}
    for (source, target, market, side), rate in edges.items():
        leaving.setdefault(source, []).append((target, (market, side), rate))
    found = {}

    def walk(start, node, seen, path, product):
        for target, name, rate in leaving.get(node, ()):
            total = None if product is None or rate is None else product * rate
            if target == start and len(path) >= 2:
                found[canonical(path + [name])] = None if total is None else (total - 1) * 10000
            elif target not in seen and len(path) + 1 < legs:
                walk(start, target, seen | {target}, path + [name], total)

    for start in leaving:
        walk(start, start, {start}, [], Fraction(1))
    return found


def triangles(rows):
    pairs = {frozenset((row["base"], row["quote"])) for row in rows}
    near = {}
    for a, b in map(tuple, pairs):
        near.setdefault(a, set()).add(b)
        near.setdefault(b, set()).add(a)
    return len({frozenset((a, b, c)) for a in near for b, c in itertools.combinations(near[a], 2) if c in near[b]})


def scan(path, *options):
    run = subprocess.run([trigate, "scan", path, "--json", *options], capture_output=True, text=True)
    return run.returncode, [json.loads(line) for line in run.stdout.splitlines()], run.stderr


def net_text(net):
    """The promised text: exact if it ends within 6 decimals, else rounded down to 6."""
    millionths = net * 10**6 // 1
    sign, digits = "-" if millionths < 0 else "", str(abs(millionths)).zfill(7)
    return (sign + digits[:-6] + "." + digits[-6:]).rstrip("0").rstrip(".")


def compare(name, path, fee, least, legs, nets=None):
    rows = table_read(path)
    nets = brute_force(rows, fee, legs) if nets is None else nets
    want = {cycle: net for cycle, net in nets.items() if net is not None and net >= Fraction(least)}
    code, events, errors = scan(path, "--fee-bps", fee, "--min-bps", least, "--legs", str(legs))
    shown = [event for event in events if event["event"] == "cycle"]
    got = {canonical(list(zip(event["markets"], event["sides"]))): event for event in shown}
    name = f"{name}, fee {fee}, least {least}, {legs} legs"
    ok(code == 0 and set(got) == set(want) and len(got) == len(shown), f"{name}: the set of {len(want)} cycles",
       (errors, set(got) ^ set(want)))
    ok(all(event["net_bps"] == net_text(want[cycle]) for cycle, event in got.items() if cycle in want),
       f"{name}: each net", [(event["net_bps"], net_text(want.get(cycle, 0))) for cycle, event in got.items()])
    ordered = [Fraction(event["net_bps"]) for event in shown]
    ok(ordered == sorted(ordered, reverse=True), f"{name}: best first")
    edges = edges_of(rows, fee)
    path_of = {(market, side): (source, target) for source, target, market, side in edges}
    ok(all([path_of[leg][0] for leg in zip(e["markets"], e["sides"])] == e["cycle"] for e in shown),
       f"{name}: currencies follow the legs")
    ok(all(Fraction(e["size"]) > 0 or (e["size"] == "0" and e.get("reason")) for e in shown),
       f"{name}: a size, or 0 with a reason")
    quoted = sum(net is not None for net in nets.values())
    summary = {"event": "summary", "markets": len(rows), "triangles": triangles(rows), "evaluated": quoted,
               "shown": len(want)}
    ok(events[-1:] == [summary], f"{name}: the summary", (events[-1:], summary))


def recorded_check():
    beside = os.path.join(os.environ.get("TRIGATE_SOURCE_ROOT", "."), "../shared/data")
    path = os.path.join(os.environ.get("TRIGATE_DATA", beside), RECORDED)
    if not os.path.exists(path):
        global count
        count += 1
        print(f"ok {count} - the recorded table # SKIP no {RECORDED} in TRIGATE_DATA")
        return
    for fee, legs in itertools.product(("0", "10", "file"), (3, 4)):
        nets = brute_force(table_read(path), fee, legs)
        for least in ("0", "-20", "100.5"):
            compare("recorded", path, fee, least, legs, nets)


def made_up(source, currencies, pairs):
    """Prices of few factors, so that nets are often equal and short; some sides without a quote, some parallel pairs."""
    rows = []
    for _ in range(pairs):
        base, quote = source.sample(currencies, 2)
        if any(row.split(",")[1:3] == [base, quote] for row in rows):
            continue
        price = source.choice(["0.5", "0.8", "1", "1.25", "1.6", "2", "2.5", "4"])
        ask = source.choice([price, str(float(price) * 1.25)])
        bid_qty, ask_qty = (source.choice(["0", "", "3.5", "20", "700", "1000"]) for _ in range(2))
        if source.random() < 0.1:
            price = source.choice(["", "0"])
        if (price or "0") == "0":
            bid_qty = ""
        fee = source.choice(["0", "10", "7.5", "0.00001"])
        rows.append(f"{base}-{quote},{base},{quote},{price},{bid_qty},{ask},{ask_qty},0.0001,0.01,0,{fee}")
    return "\n".join(["# made up", HEADER, *rows]) + "\n"


def made_up_check(folder):
    for seed in range(8):
        source = random.Random(seed)
        path = os.path.join(folder, f"{seed}.csv")
        with open(path, "w") as file:
            file.write(made_up(source, "ABCDEFG"[:source.randint(4, 7)], source.randint(8, 22)))
        for legs in (3, 4, 5):
            nets = brute_force(table_read(path), "file", legs)
            exact = sorted({net for net in nets.values() if net is not None and (net * 10**9).denominator == 1})
            compare(f"table {seed}", path, "file", "0", legs, nets)
            for net in source.sample(exact, min(2, len(exact))):
                compare(f"table {seed}", path, "file", decimal(net), legs, nets)
                compare(f"table {seed}", path, "file", decimal(net + Fraction(1, 10**9)), legs, nets)
        compare(f"table {seed}", path, "0", "0", 3)


def decimal(value):
    digits = str(abs(int(value * 10**9))).zfill(10)
    return ("-" if value < 0 else "") + digits[:-9] + "." + digits[-9:]


def start_check(folder):
    path = os.path.join(folder, "0.csv")
    nets = brute_force(table_read(path), "0", 4)
    for start in "AB":
        _, events, _ = scan(path, "--fee-bps", "0", "--min-bps", "-9000", "--legs", "4", "--start", start)
        shown = [event for event in events if event["event"] == "cycle"]
        ends = {(row["market"], side): row["quote" if side == "buy" else "base"]
                for row in table_read(path) for side in ("buy", "sell")}
        want = [cycle for cycle, net in nets.items() if net is not None and net >= -9000
                and start in (ends[leg] for leg in cycle)]
        ok(len(shown) == len(want) and all(event["cycle"][0] == start for event in shown),
           f"--start {start}: the cycles through it, begun there", (len(shown), len(want)))


def refusal_check(folder):
    row = "A-B,A,B,1,1,2,1,0.01,0.01,0,10"
    cases = [
        ("a missing file", None, [], "absent.csv"),
        ("a wrong number", HEADER + "\n" + row.replace("0.01", "x", 1) + "\n", [], ":2: tick"),
        ("a tick and lot too fine", HEADER + "\n" + row.replace("0.01,0.01", "0.0000000001,0.0000000001") + "\n", [],
         ":2: market A-B: tick times lot"),
        ("base and quote the same", HEADER + "\n" + row.replace("A,B", "A,A") + "\n", [], ":2: "),
        ("a fee of all", HEADER + "\n" + row.replace(",10", ",10000") + "\n", [], ":2: "),
        ("an unknown start", HEADER + "\n" + row + "\n", ["--start", "Q"], "'Q'"),
        ("a wrong fee", HEADER + "\n" + row + "\n", ["--fee-bps", "many"], "--fee-bps"),
        ("a negative fee", HEADER + "\n" + row + "\n", ["--fee-bps=-1"], "--fee-bps"),
        ("a wrong threshold", HEADER + "\n" + row + "\n", ["--min-bps", "1e"], "--min-bps"),
        ("too many legs", HEADER + "\n" + row + "\n", ["--legs", "6"], "legs"),
    ]
    for name, text, options, message in cases:
        path = os.path.join(folder, "absent.csv")
        if text is not None:
            path = os.path.join(folder, "refused.csv")
            with open(path, "w") as file:
                file.write(text)
        code, events, errors = scan(path, *options)
        ok(code == 2 and not events and message in errors, f"{name} is refused with exit code 2", (code, errors))


def main():
    with tempfile.TemporaryDirectory() as scratch:
        recorded_check()
        made_up_check(scratch)
        start_check(scratch)
        refusal_check(scratch)
    print(f"1..{count}")
    sys.exit(failed > 0)


if __name__ == "__main__":
    main()
