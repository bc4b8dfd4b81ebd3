"""`trigate check` as a user meets it: examples, wrong files with their messages, JSON, exit codes. Usage: config_check.py
TRIGATE. Output is TAP."""
import glob, json, os, subprocess, sys, tempfile

import trigate

TRIGATE = os.path.abspath(sys.argv[1])
ROOT = os.environ["TRIGATE_SOURCE_ROOT"]
MARK = "# expect: "
TAP = trigate.Tap()
ok = TAP.ok


def check(*words):
    done = subprocess.run([TRIGATE, "check", *words], capture_output=True, cwd=ROOT, stdin=subprocess.DEVNULL, timeout=60)
    return done.returncode, done.stdout.decode(), done.stderr.decode()


def expectation(path):
    beside = path[:-len(".yaml")] + ".expect"
    if os.path.exists(beside):
        return open(beside).read().rstrip("\n")
    return open(path, errors="replace").readline().rstrip("\n")[len(MARK):]


def examples():
    for name in ("demo.yaml", "gateway.yaml", "demo-strategy.yaml", "strategy.yaml", "postgres.yaml", "redis.yaml"):
        code, out, err = check("--strict", "examples/" + name)
        ok(code == 0 and err == "" and out.startswith(f"examples/{name}: ") and ", ok" in out,
           f"examples/{name} passes --strict", code, out, err)
    code, out, err = check("examples/seed.yaml")
    ok(code == 0 and out == "examples/seed.yaml: strategy file, ok, 6 warnings\n", "the seed example passes", code, out)
    ok("warning: examples/seed.yaml:17:3: panic_sell.max_hops: known, but has no effect yet" in err,
       "and names what has no effect yet", err)
    code, out, err = check("--strict", "examples/seed.yaml")
    ok(code == 2 and err.count("error: ") == 6, "with --strict these are errors", code, err)
    code, out, err = check("--keys")
    ok(code == 0 and out == open(os.path.join(ROOT, "docs/config.md")).read(), "--keys prints docs/config.md")


def wrong():
    paths = sorted(glob.glob(os.path.join(ROOT, "tests/config/wrong/*.yaml")))
    ok(len(paths) >= 40, "there are at least 40 wrong files")
    for path in paths:
        code, out, err = check(os.path.relpath(path, ROOT))
        expected = expectation(path)
        ok(code == 2 and expected and any(line.startswith("error: ") and expected in line for line in err.splitlines()),
           f"{os.path.basename(path)}: {expected}", code, err)


def several():
    code, out, err = check("examples/strategy.yaml", "tests/config/wrong/missing-name.yaml", "absent.yaml")
    ok(code == 2 and len(out.splitlines()) == 3, "one line a file", code, out)
    ok("error: absent.yaml: cannot be opened: No such file or directory" in err, "an absent file is one of them", err)


def machines():
    code, out, err = check("--json", "examples/seed.yaml", "tests/config/wrong/contradiction-delays.yaml")
    lines = [json.loads(line) for line in out.splitlines()]
    ok(code == 2 and err == "", "--json leaves stderr alone", code, err)
    ok(lines[-1] == {"event": "summary", "files": 2, "errors": 1, "warnings": 6}, "the summary comes last", lines[-1])
    error = [line for line in lines if line.get("severity") == "error"]
    ok(len(error) == 1 and error[0]["event"] == "problem" and error[0]["line"] == 6 and error[0]["column"] == 23 and
       error[0]["key"] == "order.monitoring.initial_delay_ms" and error[0]["file"].endswith("contradiction-delays.yaml"),
       "a problem has its place in fields", error)
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(os.fsencode(folder), b"bad\xff\x1b[2J.yaml")
        done = subprocess.run([os.fsencode(TRIGATE), b"check", b"--json", path], capture_output=True)
        ok(done.returncode == 2 and json.loads(done.stdout.decode().splitlines()[0])["event"] == "problem",
           "a file name that is no text does not spoil the JSON", done)
        done = subprocess.run([os.fsencode(TRIGATE), b"check", path], capture_output=True)
        ok(done.returncode == 2 and b"\x1b" not in done.stderr + done.stdout, "nor the terminal", done)
        fifo = os.path.join(folder, "fifo")
        os.mkfifo(fifo)
        code, out, err = check(fifo, "/dev/zero", folder)
        ok(code == 2 and err.count("is not a regular file") == 3, "pipes, devices and folders are refused", err)


def misuse():
    code, out, err = check()
    ok(code == 2 and "which file?" in err, "a file must be named", code, err)
    code, out, err = check("--keys", "x")
    ok(code == 2 and "--keys takes no file" in err, "--keys takes none", code, err)


examples()
wrong()
several()
machines()
misuse()
TAP.end()
