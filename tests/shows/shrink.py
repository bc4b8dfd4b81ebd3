#!/usr/bin/python3
"""Show "shrink": the first RUNS (all) bugs of the list below are put in, one at a time, found by chance and shrunk. The schedule
that is written has at most 10 events, replays to a violation of the same check with the bug, twice the same, and to none
without it. BUILD names the build folder; the copies are built in BUILD/shrink, where schedules and traces are left.
"""
import json, os, shutil, subprocess, sys, time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "../integration"), os.path.join(HERE, "../mutants")]
import trigate
import run as mutants

# Files of tests/mutants: what shows without more than a fault on the network, after a kill, after a loss of power.
BUGS = ("timeout-is-rejection", "send-before-journal", "sync-left-out", "partial-fill-forgotten", "fill-counted-twice",
        "slot-released-early")
RUNS = int(os.environ.get("RUNS") or len(BUGS))
SEEDS = 2000  # in which each has to be found
MINUTES = 5   # a run that lasts for hours takes long to shrink
EVENTS_MAX = 10
WORK = os.path.join(trigate.BUILD, "shrink")


class Violation(Exception):
    pass


def simulate(program, *words):
    """(exit code, lines)"""
    done = subprocess.run([program, "simulate", "world", "--json", *map(str, words)], stdin=subprocess.DEVNULL, capture_output=True,
                          text=True)
    if done.returncode not in (0, 1) or not done.stdout:
        raise Violation(f"trigate simulate ended with {done.returncode}: {done.stderr[-1000:]}")
    return done.returncode, [json.loads(line) for line in done.stdout.splitlines()]


def build_with(bug):
    """The program with that bug in it."""
    tree, folder = os.path.join(WORK, "tree"), os.path.join(WORK, "build")
    mutants.tree_copy(tree)
    error = mutants.patch_apply(os.path.join(HERE, "../mutants", bug + ".patch"), tree) or mutants.build(tree, folder)
    if error:
        raise Violation(error)
    return os.path.join(folder, "trigate")


def find(program, out):
    """The line of the shrunk failure, and the path of its schedule."""
    code, lines = simulate(program, "--runs", SEEDS, "--minutes", MINUTES, "--out", out)
    found = [line for line in lines if line["event"] == "violation"]
    if code == 0 or not found:
        raise Violation(f"it is not found in {SEEDS} runs")
    if "schedule" not in found[0]:
        raise Violation(f"seed {found[0]['seed']} fails ({found[0]['check']}), but no schedule of it does")
    return found[0]


def replay(program, path, due):
    """The one run of the schedule has to end in that check ("": has to be right)."""
    lines = simulate(program, "--schedule", path, "--check-twice", 1, "--out", os.path.dirname(path))[1]
    checks = [line["check"] for line in lines if line["event"] == "run"]
    if checks != [due]:
        raise Violation(f"{path} replays to {checks}, '{due}' is due")


def try_bug(bug):
    """What became of it: a dict for its line."""
    began = time.monotonic()
    out = os.path.join(WORK, bug)
    shutil.rmtree(out, ignore_errors=True)
    os.makedirs(out)
    program = build_with(bug)
    found = find(program, out)
    with open(found["schedule"]) as file:
        schedule = json.load(file)
    if len(schedule["events"]) > EVENTS_MAX:
        raise Violation(f"{found['schedule']} has {len(schedule['events'])} events, at most {EVENTS_MAX} are due")
    replay(program, found["schedule"], schedule["check"])
    replay(trigate.TRIGATE, found["schedule"], "")
    return {"event": "shrunk", "bug": bug, "check": schedule["check"], "seed": schedule["seed"], "events": len(schedule["events"]),
            "duration_ms": schedule["duration_ms"], "tries": found["tries"], "schedule": found["schedule"],
            "wall_s": round(time.monotonic() - began, 1)}


def main():
    os.umask(0o022)  # the plugin host refuses plugins that a group may write
    violations, most, bugs = 0, 0, BUGS[:RUNS]
    for bug in bugs:
        try:
            line = try_bug(bug)
            most = max(most, line["events"])
            print(json.dumps(line), flush=True)
        except Violation as violation:
            violations += 1
            print(f"  VIOLATION: {bug}: {violation}", flush=True)
    print(json.dumps({"event": "summary", "show": "shrink", "violations": violations, "runs": len(bugs), "most_events": most}))
    return 1 if violations else 0


sys.exit(main())
