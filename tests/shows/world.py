#!/usr/bin/python3
"""Show "world": RUNS (default below) worlds by chance from SEED (1) on, then one run with a kill, and one with a loss of power, at
one place after another of it. All that a gateway can do has to be right in each. No move of the state machines may be made
that is listed as one that cannot be yet; from 300 runs on all others have to be made. BUILD names the build folder; schedules of
failures are left in BUILD/world, and `trigate simulate world --schedule FILE --shrink` makes one small.
"""
import json, os, subprocess, sys, time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../integration"))
import trigate

RUNS = int(os.environ.get("RUNS") or 100)
SEED = int(os.environ.get("SEED") or 1)
SWEEPS = ("kill", "power_loss")
SWEEP_PART = 5  # a fifth as many runs as by chance for each sweep
SWEEP_RUNS_MAX = 2000
ALL_MOVES_FROM = 300
OUT = os.path.join(trigate.BUILD, "world")
SUMS = ("violations", "runs", "virtual_hours", "orders", "rejected", "fills", "cycles", "completed", "kills", "power_losses",
        "starts", "operations")


def simulate(*options):
    """The summary of a call; everything else that is worth reading is told."""
    words = ["simulate", "world", "--json", "--no-shrink", "--seed", SEED, "--out", OUT, *options]
    print("# trigate", *words, flush=True)
    process = subprocess.Popen([trigate.TRIGATE, *map(str, words)], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
    last = None
    for line in process.stdout:
        last = json.loads(line)
        if last["event"] == "violation" or last.get("check"):
            print("  " + line, end="", flush=True)
    code = process.wait()
    if not last or last["event"] != "summary" or code not in (0, 1) or (code == 1) != (last["violations"] > 0):
        raise RuntimeError(f"trigate simulate ended with {code}, its last line is {last}")
    print(f"#   {last['runs']} runs, {last['virtual_hours']} virtual hours, {last['orders']} orders, {last['fills']} fills, "
          f"{sum(last['faults'].values())} faults, {last['violations']} violations", flush=True)
    return last


def merge(parts):
    total = {key: sum(part[key] for part in parts) for key in SUMS}
    total["virtual_hours"] = round(total["virtual_hours"], 3)
    total["faults"] = {kind: sum(part["faults"][kind] for part in parts) for kind in parts[0]["faults"]}
    hours = total["virtual_hours"] or 1
    for key, count in (("orders", total["orders"]), ("fills", total["fills"]), ("faults", sum(total["faults"].values()))):
        total[f"{key}_per_virtual_hour"] = round(count / hours, 3)
    moves = {move: sum(part["moves"][move] for part in parts) for move in parts[0]["moves"]}
    listed = parts[0]["moves_unreachable"]
    total["transitions_covered"] = sum(count > 0 for count in moves.values())
    total["transitions_total"] = len(moves)
    total["transitions_unreachable"] = sum(moves[move] == 0 for move in listed)
    total["missing"] = [move for move, count in moves.items() if count == 0 and move not in listed]
    total["surprising"] = [move for move in listed if moves[move] > 0]
    total["transitions_missing"] = len(total["missing"])
    total["transitions_surprising"] = len(total["surprising"])
    total["digests"] = [part["digest"] for part in parts]
    return total


def main():
    os.makedirs(OUT, exist_ok=True)
    began = time.monotonic()
    parts = [simulate("--runs", RUNS)]
    for fault in SWEEPS:
        parts.append(simulate("--sweep", fault, "--runs", max(1, min(RUNS // SWEEP_PART, SWEEP_RUNS_MAX))))
    total = merge(parts)
    for move in total.pop("surprising"):
        print(f"  made, though it is listed as one that cannot be: {move}")
        total["violations"] += 1
    for move in total.pop("missing"):
        print(f"  neither made nor listed with a reason: {move}")
        total["violations"] += RUNS >= ALL_MOVES_FROM
    summary = {"event": "summary", "show": "world", "violations": total.pop("violations"), **total,
               "wall_s": round(time.monotonic() - began, 1)}
    print(json.dumps(summary, separators=(",", ":")))
    return 1 if summary["violations"] else 0


sys.exit(main())
