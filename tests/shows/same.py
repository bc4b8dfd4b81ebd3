#!/usr/bin/python3
"""Show "same": RUNS worlds from SEED (1) on leave the same traces when they are run again in another environment (folder,
language, time zone, memory filled with rubbish), and when the other compiler built the gateway, optimised in another way.
The digests of all traces are compared, of the first seeds also the text, to the byte. What other machines have to
reproduce stands in tests/simulation.digests, which `make test` reads. BUILD names the build folder; the other compiler's
build is made in BUILD/same, and clang installed as `make check` does.
"""
import json, os, subprocess, sys, tempfile, time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../integration"))
import trigate

RUNS = int(os.environ.get("RUNS") or 100)
SEED = int(os.environ.get("SEED") or 1)
TRACED = 3  # seeds whose text is compared, too
OTHER_ENVIRONMENT = {"LC_ALL": "de_DE.UTF-8", "TZ": "Asia/Kathmandu", "MALLOC_PERTURB_": "165", "HOME": "/nonexistent", "COLUMNS": "40"}
OTHER_TYPE = "--buildtype=release"  # the usual one is debugoptimized


# ---------------------------------------------------------------- two builds

def compiler_of(build):
    """("gcc" or "clang", what it calls itself)."""
    with open(os.path.join(build, "compile_commands.json")) as file:
        word = next(word for word in json.load(file)[0]["command"].split() if not word.endswith("ccache"))
    name = subprocess.run([word, "--version"], capture_output=True, text=True, check=True).stdout.splitlines()[0]
    return "clang" if "clang" in name else "gcc", name


def call(*words, **more):
    """What it prints is told only if it fails."""
    done = subprocess.run(words, cwd=trigate.ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True, **more)
    if done.returncode != 0:
        sys.exit(f"{' '.join(words)} failed:\n{done.stdout[-3000:]}")


def build_with(compiler):
    folder = os.path.join(trigate.BUILD, "same", compiler)
    if compiler == "clang":
        call(".ci/install", ".ci/packages-extra")
    if not os.path.exists(os.path.join(folder, "build.ninja")):
        call("meson", "setup", OTHER_TYPE, folder, trigate.ROOT, env={**os.environ, "CC": compiler})
    os.umask(0o022)  # the plugin host refuses plugins that a group may write
    call("ninja", "-C", folder, "trigate", "routing/igraph/igraph.so")
    return folder


# ---------------------------------------------------------------- runs

class Subject:
    """A build in an environment."""

    def __init__(self, name, build, folder=None, environment=None):
        self.name, self.program = name, os.path.join(build, "trigate")
        self.options = {"cwd": folder, "env": {**os.environ, **(environment or {})}}

    def simulate(self, *words):
        done = subprocess.run([self.program, "simulate", "world", "--check-twice", "0", "--no-shrink", *map(str, words)],
                              stdin=subprocess.DEVNULL, capture_output=True, **self.options)
        if done.returncode not in (0, 1) or not done.stdout:
            sys.exit(f"{self.name}: trigate simulate ended with {done.returncode}: {done.stderr.decode(errors='replace')[-1000:]}")
        return done.stdout

    def digests(self, out):
        """By seed. A run that went wrong has one, too; only how far a hanging one came depends on the machine."""
        lines = map(json.loads, self.simulate("--seed", SEED, "--runs", RUNS, "--keep-going", "--out", out, "--json").splitlines())
        return {line["seed"]: line["digest"] for line in lines if line["event"] == "run" and line["check"] != "hang"}

    def trace(self, seed, out):
        return self.simulate("--seed", seed, "--trace", "--verbose", "--out", out)


def first_difference(ours, theirs):
    for number, (our, their) in enumerate(zip(ours.splitlines(), theirs.splitlines()), 1):
        if our != their:
            return f"line {number}\n    {our.decode(errors='replace')}\n    {their.decode(errors='replace')}"
    return f"the end: {len(ours)} and {len(theirs)} bytes"


def compare(first, other, out, digests):
    """Seeds that `other` runs otherwise than `first`; bytes of text that were compared."""
    theirs, size = other.digests(out), 0
    differing = {seed for seed in {*digests, *theirs} if digests.get(seed) != theirs.get(seed)}
    for seed in range(SEED, SEED + TRACED):
        trace = first.trace(seed, out)
        size += len(trace)
        if trace != other.trace(seed, out):
            differing.add(seed)
    for seed in sorted(differing)[:3]:
        print(f"  VIOLATION: seed {seed} is another run on {other.name}; the traces first differ in "
              f"{first_difference(first.trace(seed, out), other.trace(seed, out))}", flush=True)
    return differing, size


def main():
    began = time.monotonic()
    kind, name = compiler_of(trigate.BUILD)
    other_kind = "gcc" if kind == "clang" else "clang"
    other_build = build_with(other_kind)
    other_name = compiler_of(other_build)[1]
    first = Subject(name, trigate.BUILD)
    violations, size = 0, 0
    with tempfile.TemporaryDirectory(prefix="trigate-same-") as out:
        digests = first.digests(out)
        print(f"# {len(digests)} runs with {name}", flush=True)
        for other in (Subject(name + " in another environment", trigate.BUILD, out, OTHER_ENVIRONMENT),
                      Subject(f"{other_name} {OTHER_TYPE}", other_build)):
            differing, more = compare(first, other, out, digests)
            violations, size = violations + len(differing), size + more
            print(f"# {len(digests) - len(differing)} of them the same with {other.name}", flush=True)
    if not digests or len(set(digests.values())) < len(digests):
        print("  VIOLATION: there is no digest, or seeds share one, so that comparing them tells nothing")
        violations += 1
    print(json.dumps({"event": "summary", "show": "same", "violations": violations, "runs": len(digests), "compilers": [name, other_name],
                      "trace_bytes": size, "wall_s": round(time.monotonic() - began, 1)}))
    return 1 if violations else 0


sys.exit(main())
