"""`trigate keys` as a user meets it, and that no command ever prints a secret. Output is TAP."""
import json, os, shutil, subprocess, sys, tempfile

import trigate

HERE = tempfile.mkdtemp(prefix="trigate-keys-")
SECRET, PASSPHRASE = "S3cr3tS3cr3tS3cr3tS3cr3t", "open sesame please"
ID = "vmPUZE6mv9SD5VNHk4HlWFsOr6aKE2zvsw0MuIgwCIPy6utIco14y7Ju91duEh8A"
TAP = trigate.Tap()
ok = TAP.ok


def file(name, text, mode=0o600):
    path = os.path.join(HERE, name)
    with open(path, "w", encoding="utf-8") as out:
        out.write(text)
    os.chmod(path, mode)
    return path


def run(*words, **variables):
    env = {k: v for k, v in os.environ.items() if k != "CREDENTIALS_DIRECTORY"} | variables
    done = subprocess.run([trigate.TRIGATE, *words], capture_output=True, cwd=HERE, stdin=subprocess.DEVNULL, env=env, timeout=60)
    result = trigate.Result(done.returncode, done.stdout, done.stderr)
    ok(SECRET not in str(result) and PASSPHRASE not in str(result) and ID not in str(result), f"{words[0]} shows no secret", result)
    return result


def gateway(name, keys):
    return file(name, "exchanges: {sim: {settings: {seed: 1, balances: {USDT: 10000}}}}\nkeys:\n" + keys)


GOOD = f"id = {ID}\nsecret = {SECRET}\npassphrase = {PASSPHRASE}\n"
file("good.key", GOOD)
file("open.key", GOOD, 0o644)
file("bare.key", f"id = {ID}\n{SECRET}\n")
file("quoted.key", f'id = {ID}\nsecret = "{SECRET}"\n')
file("creds", GOOD)
FINE = gateway("fine.yaml", "  main: {from: file, path: good.key}\n  second: {from: env, prefix: B_}\n"
               "  service: {from: credential, name: creds}\n")
BAD = gateway("bad.yaml", "  open: {from: file, path: open.key}\n  bare: {from: file, path: bare.key}\n"
              "  quoted: {from: file, path: quoted.key}\n  gone: {from: file, path: gone.key}\n  unset: {from: env, prefix: B_}\n"
              "  fine: {from: file, path: good.key}\n")
VARIABLES = {"B_KEY_ID": "short", "B_SECRET": SECRET, "CREDENTIALS_DIRECTORY": HERE}


def test_fine():
    people = run("keys", "--config", FINE, **VARIABLES)
    ok(people.code == 0 and not people.err, "keys that can be used: exit 0", people)
    rows = [line.split() for line in people.out.splitlines()]
    ok(rows[0] == ["NAME", "SOURCE", "ID", "PASSPHRASE", "ALGORITHMS", "STATUS"] and len(rows) == 4, "a table of three", people)
    ok("vmPU...Eh8A" in people.out and ID not in people.out, "the ends of the id", people)
    lines = [json.loads(line) for line in run("keys", "--json", "-c", FINE, **VARIABLES).out.splitlines()]
    ok([line["name"] for line in lines] == ["main", "second", "service"], "a line each", lines)
    ok(lines[0] == {"event": "key", "name": "main", "source": f"file {HERE}/good.key", "id": "vmPU...Eh8A", "passphrase": True,
                    "algorithms": ["hmac-sha256", "hmac-sha512"], "status": "ok"}, "all that is told of a file's", lines[0])
    ok(lines[1]["source"] == "environment B_*" and lines[1]["id"] == "..." and not lines[1]["passphrase"], "of the environment's",
       lines[1])
    ok(lines[2]["source"] == "credential creds" and lines[2]["status"] == "ok", "of a credential's", lines[2])


def test_bad():
    people = run("keys", "--config", BAD)
    ok(people.code == 1, "one that cannot be used: exit 1", people)
    expected = {
        "open": f"{HERE}/open.key: others may use it (mode 0644); run chmod 600, and make a new key if anyone could have read this one",
        "bare": f"{HERE}/bare.key:2: no = in it; allowed are id = …, secret = …, passphrase = …",
        "quoted": f"{HERE}/quoted.key:2: the value is in quotes; write it without",
        "gone": f"{HERE}/gone.key: cannot be opened: No such file or directory",
        "unset": "environment B_*: the variable B_KEY_ID is not set",
    }
    lines = {line["name"]: line for line in map(json.loads, run("keys", "--config", BAD, "--json").out.splitlines())}
    for name, message in expected.items():
        ok(f"{name}:\n  {message}" in people.out, f"{name} says what to do", people)
        ok(lines[name]["status"] == "unusable" and lines[name]["message"].startswith(message), f"{name} in JSON", lines[name])
    ok(lines["fine"]["status"] == "ok", "the others are read all the same", lines["fine"])


def test_misuse():
    none = run("keys", "--config", gateway("none.yaml", "  {}\n"))
    ok(none.code == 0 and none.out == "The file names no keys; add them under `keys:`, as docs/keys.md says.\n", "no keys", none)
    ok(run("keys").code == 2, "no file is misuse")
    ok(run("keys", "--config", "absent.yaml").code == 2, "so is one that is not there")
    wrong = run("keys", "--config", gateway("wrong.yaml", f"  main: {{from: env, prefix: B_, secret: {SECRET}}}\n"))
    ok(wrong.code == 2 and "keys.main.secret: no such key" in wrong.err, "a secret in the configuration is refused, not shown", wrong)


def test_run():
    file("strategy.yaml", "name: s\nexchange: sim\n")
    done = run("run", "--config", BAD, "--strategy", "strategy.yaml", "--cycles", "1", "--speed", "max", **VARIABLES)
    ok(done.code == 2 and "clock" in done.err, "a real clock has no speed", done)
    with open(BAD, "a", encoding="utf-8") as out:
        out.write("clock: {mode: virtual, speed: 0}\n")
    done = run("run", "--config", BAD, "--strategy", "strategy.yaml", "--cycles", "1", **VARIABLES)
    ok(done.code == 0, "a run that asks for no key goes on without those that cannot be read", done)
    ok("key.unusable" in done.err and "open.key: others may use it" in done.err, "and warns of them", done)
    leaks = subprocess.run(["grep", "-rlE", f"{SECRET}|{PASSPHRASE}", "trigate-state"], cwd=HERE, capture_output=True, text=True)
    ok(leaks.returncode == 1 and os.path.isdir(os.path.join(HERE, "trigate-state")), "nothing of a secret is in what it wrote", leaks)


test_fine()
test_bad()
test_misuse()
test_run()
shutil.rmtree(HERE)
TAP.end()
