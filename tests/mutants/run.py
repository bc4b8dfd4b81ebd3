"""Bugs put in on purpose, each a patch beside this file: the simulator must find every one of them, and nothing without
one. A patch that no longer applies, does not build, or is not found within RUNS runs is a violation. A schedule of the
patch's name in tests/schedules is what is left of a run that found the bug: it is one more run, tried after the first portions,
and it is said if it does not show the bug any more.

Usage: run.py BUILD [PATCH...]; RUNS in the environment (2000). Builds in BUILD/mutants, on a copy of the tree. Prints a
JSON line a mutant and a summary; a table goes to stderr."""
import filecmp
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
SCHEDULES = os.path.join(ROOT, "tests/schedules")
# Where runs are spent, in thousandths of RUNS, until one of them fails: what finds most is first, short runs before long
# ones. Each portion has worlds of its own.
SHORT = ["--minutes", "3"]
KILL = ["--sweep", "kill", "--minutes", "1"]
POWER_LOSS = ["--sweep", "power_loss", "--minutes", "1"]
HARD = ["--minutes", "5", "--faults", "all=x3"]
QUIET = ["--minutes", "3", "--faults",  # no restart and no new link mends what was forgotten
         "all=x3,kill=0,power_loss=0,link_cut=0,link_half_open=0,link_silent=0,garbage=0"]
LONG = ["--minutes", "60", "--faults", "all=x3"]
PLAN = ((20, SHORT), (20, KILL), (20, POWER_LOSS), (20, QUIET), (60, HARD), (8, LONG), (100, KILL), (100, POWER_LOSS),
        (80, QUIET), (300, SHORT), (252, HARD), (20, []))
SEEDS_APART = 10000
BASELINE = 6  # portions that the tree as it is has to pass, so that what is found is the patch's doing


def tell(text):
    print(text, file=sys.stderr, flush=True)


def is_source(name):
    return not name.startswith(("build", "trigate-state")) and (name == ".ci" or not name.startswith("."))


def tree_copy(to):
    """Bring the copy up to the tree; files that are the same keep their times, so that little is built anew."""
    for folder, folders, files in os.walk(ROOT):
        if folder == ROOT:
            folders[:] = [name for name in folders if is_source(name)]
            files = [name for name in files if is_source(name)]
        target = os.path.join(to, os.path.relpath(folder, ROOT))
        os.makedirs(target, exist_ok=True)
        for name in files:
            source, copy = os.path.join(folder, name), os.path.join(target, name)
            if not os.path.exists(copy) or not filecmp.cmp(source, copy, shallow=False):
                shutil.copy(source, copy)


def run(command, **options):
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False, **options)


def build(tree, folder):
    """What was wrong, or None."""
    if not os.path.exists(os.path.join(folder, "build.ninja")):
        done = run(["meson", "setup", folder, tree])
        if done.returncode:
            return "does not build: " + done.stdout.strip()[-500:]
    done = run(["ninja", "-C", folder, "trigate", "routing/igraph/igraph.so"])
    return "does not build: " + done.stdout.strip()[-500:] if done.returncode else None


def title_of(patch):
    with open(patch, encoding="utf-8") as file:
        first = file.readline().strip()
    return first.lstrip("# ") if first.startswith("#") else os.path.basename(patch)


def moves_impossible(summary, seed):
    """Moves of the state machines that cannot be, by the list with reasons (simulation/coverage.c), and were made; as the
    show "world" has it."""
    made = [move for move in summary.get("moves_unreachable", []) if summary["moves"][move] > 0]
    return [{"check": made[0], "seed": seed}] if made else []


def portion_run(program, number, count, options):
    """(runs, the line of the run that failed or None)"""
    with tempfile.TemporaryDirectory() as out:
        done = subprocess.run(
            [program, "simulate", "world", "--json", "--no-shrink", "--check-twice", "10", "--seed",
             str(1 + number * SEEDS_APART), "--runs", str(count), "--out", out] + options,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False)
    lines = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    if done.returncode not in (0, 1) or not lines:
        raise RuntimeError(f"the simulator ended with {done.returncode}: {done.stderr.strip()[-500:]}")
    failed = [line for line in lines if line.get("event") == "run" and line.get("check")]
    failed += moves_impossible(lines[-1], 1 + number * SEEDS_APART)
    return lines[-1].get("runs", count), failed[0] if failed else None


def schedule_try(program, patch):
    """The bug's own schedule: its name, and the check that it violates ("": none, it has gone stale). None: it has none."""
    name = os.path.basename(patch).removesuffix(".patch") + ".schedule.json"
    path = os.path.join(SCHEDULES, name)
    if not os.path.exists(path):
        return None
    with tempfile.TemporaryDirectory() as out:
        done = subprocess.run([program, "simulate", "world", "--json", "--no-shrink", "--schedule", path, "--out", out],
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False)
    if done.returncode not in (0, 1):
        raise RuntimeError(f"the simulator ended with {done.returncode}: {done.stderr.strip()[-500:]}")
    lines = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    checks = [line["check"] for line in lines if line.get("event") == "run" and line.get("check")]
    return {"name": name, "check": checks[0] if checks else ""}


def hunt(program, runs, plan, schedule=None):
    """Of the first violation: what is told of it. None: there was none. The schedule is one run, after the BASELINE."""
    used = 0
    for number, (share, options) in enumerate(plan):
        if number == BASELINE and schedule:
            used += 1
            if schedule["check"]:
                return {"check": schedule["check"], "runs": used, "options": "--schedule " + schedule["name"]}
        count, failed = portion_run(program, number, max(1, runs * share // 1000), options)
        used += count
        if failed:
            return {"check": failed["check"], "runs": used, "seed": failed.get("seed"), "options": " ".join(options)}
    return None


def patch_apply(patch, tree):
    """What was wrong, or None."""
    done = run(["patch", "-p1", "--batch", "--forward", "--no-backup-if-mismatch", "-i", os.path.abspath(patch)], cwd=tree)
    return "does not apply: " + done.stdout.strip()[-300:] if done.returncode else None


def mutant_try(patch, tree, folder, runs):
    """What became of one: a dict for its line."""
    result = {"event": "mutant", "patch": os.path.basename(patch), "what": title_of(patch), "found": False}
    error = patch_apply(patch, tree) or build(tree, folder)
    if error:
        return dict(result, error=error)
    program = os.path.join(folder, "trigate")
    schedule = schedule_try(program, patch)
    if schedule:
        result["schedule"] = "fails" if schedule["check"] else "stale: it passes with the bug"
    found = hunt(program, runs, PLAN, schedule)
    return dict(result, found=True, **found) if found else result


def baseline_fails(tree, folder, runs):
    """Why the tree without any patch will not do, or None."""
    error = build(tree, folder)
    if error:
        return error
    found = hunt(os.path.join(folder, "trigate"), runs, PLAN[:BASELINE])
    return f"without a patch seed {found['seed']} fails: {found['check']}" if found else None


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    began = time.monotonic()
    work = os.path.join(os.path.abspath(sys.argv[1]), "mutants")
    tree, folder = os.path.join(work, "tree"), os.path.join(work, "build")
    runs = int(os.environ.get("RUNS") or 2000)
    patches = sys.argv[2:] or sorted(os.path.join(HERE, name) for name in os.listdir(HERE) if name.endswith(".patch"))
    os.umask(0o022)
    tree_copy(tree)
    baseline = baseline_fails(tree, folder, runs)
    if baseline:
        tell(baseline)
    missed = int(baseline is not None)
    for patch in patches:
        start = time.monotonic()
        tree_copy(tree)
        result = mutant_try(patch, tree, folder, runs)
        missed += not result["found"]
        print(json.dumps(result), flush=True)
        verdict = f"found in {result['runs']:4} runs: {result['check']}" if result["found"] else \
            result.get("error", f"NOT FOUND in {runs} runs")
        schedule = f"; its schedule: {result['schedule']}" if "schedule" in result else ""
        schedule += "" if result.get("seed", 0) or not result["found"] else ", and found by that"
        tell(f"{result['patch']:34} {time.monotonic() - start:5.0f} s  {verdict}{schedule}")
    tree_copy(tree)
    print(json.dumps({"event": "summary", "show": "mutants", "violations": missed, "mutants": len(patches), "runs": runs,
                      "wall_s": round(time.monotonic() - began, 1)}))
    sys.exit(1 if missed else 0)


if __name__ == "__main__":
    main()
