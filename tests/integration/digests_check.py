"""The runs of tests/simulation.digests come to the digests that stand there. Output is TAP; TRIGATE_BUILD_ROOT finds the
binary. With --renew the file is written anew instead: `make digests`."""
import os, sys, tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import trigate

PATH = os.path.join(trigate.ROOT, "tests/simulation.digests")
MEANT = """These runs are others than when tests/simulation.digests was written. If what the gateway does was changed on purpose,
`make digests` writes the file anew; commit it with the change. If not, either the change does what it should not, or
the run depends on this machine or compiler, which `make show NAME=same` looks into."""


def lines():
    with open(PATH) as file:
        return file.read().splitlines()


def is_run(line):
    return line and not line.startswith("#")


def simulate(options):
    """(digest, "") of the run, or (None, what it said): a run that goes wrong is nothing to compare with."""
    with tempfile.TemporaryDirectory(prefix="trigate-digests-") as out:
        result = trigate.run("simulate", "world", *options.split(), "--runs", 1, "--check-twice", 0, "--no-shrink", "--json",
                             "--out", out, timeout=600, cwd=trigate.ROOT)
    if result.code != 0:
        return None, result
    return result.lines()[0]["digest"], ""


def renew():
    text = []
    for line in lines():
        if is_run(line):
            digest, problem = simulate(line.split(maxsplit=1)[1])
            if digest is None:
                sys.exit(f"{line}: {problem}\nnothing was written")
            line = f"{digest}  {line.split(maxsplit=1)[1]}"
        text.append(line)
    with open(PATH, "w") as file:
        file.write("\n".join(text) + "\n")


def check():
    tap = trigate.Tap()
    for line in filter(is_run, lines()):
        due, options = line.split(maxsplit=1)
        digest, problem = simulate(options)
        tap.ok(digest == due, f"simulate world {options}", problem or f"its digest is {digest}, not {due}")
    if tap.failed:
        print("# " + MEANT.replace("\n", "\n# "))
    tap.end()


if sys.argv[1:] == ["--renew"]:
    renew()
else:
    check()
