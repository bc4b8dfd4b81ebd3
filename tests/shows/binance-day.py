#!/usr/bin/python3
"""Show "binance-day": the connector to Binance through RUNS (24) virtual hours in which its connections are cut every few minutes,
fall silent or are refused, updates of books are lost or mutilated, and each connection is succeeded by another one before it has
lived 24 hours; then the same for a quarter of the time with best prices alone, and with the best levels. Every book that it told
its host was held against the venue's own book under the same update id, without its decoders (simulation/books.h); orders went on
all the time, and the observer judged them as ever. BUILD names the build folder; schedules of failures are left in BUILD/binance-day.
"""
import json, os, subprocess, sys, time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../integration"))
import trigate

HOURS = int(os.environ.get("RUNS") or 24)
OUT = os.path.join(trigate.BUILD, "binance-day")
FAULTS = ("none,link_cut=0.003,link_silent=0.0003,link_half_open=0.0003,link_refused=0.05,book_lost=0.002,book_corrupt=0.001,"
          "frame_cut=0.003,frame_joined=0.003,filters_changed=0.001,market_halted=0.001")
# (what its streams are, a seed whose gateway has them, the part of the time)
DAYS = (("depth", 2, 1), ("bookTicker", 8, 4), ("depth20", 4, 4))


def live(stream, seed, minutes):
    words = ["simulate", "world", "--venue-protocol", "binance", "--seed", seed, "--runs", 1, "--gateways", 1, "--markets", 6,
             "--minutes", minutes, "--faults", FAULTS, "--check-twice", 0, "--no-shrink", "--json", "--out", OUT]
    print("# trigate", *words, flush=True)
    return stream, subprocess.Popen([trigate.TRIGATE, *map(str, words)], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)


def judge(stream, process):
    """(violations, its run, its summary)"""
    lines = [json.loads(line) for line in process.communicate()[0].splitlines()]
    if process.returncode not in (0, 1) or not lines or lines[-1]["event"] != "summary":
        raise RuntimeError(f"trigate simulate ended with {process.returncode}: {lines[-1:]}")
    for line in lines:
        if line["event"] == "violation":
            print("  " + json.dumps(line), flush=True)
    run, summary = lines[0], lines[-1]
    print(f"#   {stream}: {summary['virtual_hours']} virtual hours, {run['books']} books held against the venue's, "
          f"{run['orders']} orders, {summary['faults']['link_cut']} cuts, {summary['faults']['book_lost']} gaps", flush=True)
    return summary["violations"] + (run["books"] == 0), run, summary


def main():
    os.makedirs(OUT, exist_ok=True)
    began = time.monotonic()
    days = [live(stream, seed, max(1, HOURS * 60 // part)) for stream, seed, part in DAYS]
    done = [judge(*day) for day in days]
    faults = [summary["faults"] for _, _, summary in done]
    violations = sum(count for count, _, _ in done)
    print(json.dumps({
        "event": "summary", "show": "binance-day", "violations": violations,
        "virtual_hours": round(sum(summary["virtual_hours"] for _, _, summary in done), 3),
        "books": sum(run["books"] for _, run, _ in done), "orders": sum(run["orders"] for _, run, _ in done),
        "cuts": sum(of["link_cut"] for of in faults),
        "silences": sum(of["link_silent"] + of["link_half_open"] for of in faults),
        "refusals": sum(of["link_refused"] for of in faults),
        "gaps": sum(of["book_lost"] + of["book_corrupt"] for of in faults),
        "seconds": round(time.monotonic() - began, 1)}))
    sys.exit(violations > 0)


main()
