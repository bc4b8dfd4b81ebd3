"""Bugs put in on purpose, each a patch beside this file: the simulator must find every one of them. A patch that no
longer applies, does not build, or is not found within RUNS runs is a violation.

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
# Where runs are spent, in thousandths of RUNS: by chance, then a kill and a power loss at one operation after another.
PLAN = ((800, []), (100, ["--sweep", "kill"]), (100, ["--sweep", "power_loss"]))


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
    if not os.path.exists(os.path.join(folder, "build.ninja")):
        done = run(["meson", "setup", folder, tree])
        if done.returncode:
            return done
    return run(["ninja", "-C", folder, "trigate", "routing/igraph/igraph.so"])


def title_of(patch):
    with open(patch, encoding="utf-8") as file:
        first = file.readline().strip()
    return first.lstrip("# ") if first.startswith("#") else os.path.basename(patch)


def hunt(program, runs):
    """(check, seed, runs used) of the first violation, or None."""
    used = 0
    for share, extra in PLAN:
        count = max(1, runs * share // 1000)
        with tempfile.TemporaryDirectory() as out:
            done = subprocess.run(
                [program, "simulate", "world", "--json", "--no-shrink", "--seed", "1", "--runs", str(count),
                 "--out", out] + extra, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False)
        lines = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
        if done.returncode not in (0, 1) or not lines:
            raise RuntimeError(f"the simulator ended with {done.returncode}: {done.stderr.strip()[-500:]}")
        used += lines[-1].get("runs", count)
        for line in lines:
            if line.get("event") == "run" and line.get("check"):
                return line["check"], line.get("seed"), used
    return None


def mutant_try(patch, tree, folder, runs):
    """What became of one: a dict for its line."""
    result = {"event": "mutant", "patch": os.path.basename(patch), "what": title_of(patch), "found": False}
    applied = run(["patch", "-p1", "--batch", "--forward", "-i", os.path.abspath(patch)], cwd=tree)
    if applied.returncode:
        return dict(result, error="does not apply: " + applied.stdout.strip()[-300:])
    built = build(tree, folder)
    if built.returncode:
        return dict(result, error="does not build: " + built.stdout.strip()[-500:])
    found = hunt(os.path.join(folder, "trigate"), runs)
    if found:
        result.update(found=True, check=found[0], seed=found[1], runs=found[2])
    return result


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    work = os.path.join(os.path.abspath(sys.argv[1]), "mutants")
    tree, folder = os.path.join(work, "tree"), os.path.join(work, "build")
    runs = int(os.environ.get("RUNS") or 2000)
    patches = sys.argv[2:] or sorted(os.path.join(HERE, name) for name in os.listdir(HERE) if name.endswith(".patch"))
    os.umask(0o022)
    missed = 0
    for patch in patches:
        began = time.monotonic()
        tree_copy(tree)
        result = mutant_try(patch, tree, folder, runs)
        missed += not result["found"]
        print(json.dumps(result), flush=True)
        verdict = f"found in {result['runs']:4} runs: {result['check']}" if result["found"] else \
            result.get("error", f"NOT FOUND in {runs} runs")
        tell(f"{result['patch']:34} {time.monotonic() - began:5.0f} s  {verdict}")
    tree_copy(tree)
    print(json.dumps({"event": "summary", "show": "mutants", "violations": missed, "mutants": len(patches), "runs": runs}))
    sys.exit(1 if missed else 0)


main()
