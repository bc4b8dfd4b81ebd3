"""`trigate store` where the store is a server: before a gateway has run, beside one, while the server is away, and after an
import that was killed. Usage, below tests/servers/run: store_server_check.py postgres|redis. Output is TAP."""
import json, os, shutil, signal, socket, subprocess, sys, tempfile

import old_store, trigate
from trigate import run

PLUGIN = sys.argv[1]
HERE = tempfile.mkdtemp(prefix="trigate-store-server-")
STATE = os.path.join(HERE, "state")
CONFIG = os.path.join(HERE, "gateway.yaml")
TAP = trigate.Tap()
ok = TAP.ok


def config_write(path, **settings):
    """The demo, with its store on the server."""
    settings = {**json.loads(os.environ["TRIGATE_STORAGE_SETTINGS"].replace("@N@", "cli")), **settings}
    with open(trigate.DEMO, encoding="utf-8") as file:
        text = file.read().replace("plugin: sqlite", f"plugin: {PLUGIN}\n  settings: {json.dumps(settings)}")
    text = text.replace("demo-strategy.yaml", os.path.join(trigate.ROOT, "examples/demo-strategy.yaml"))
    with open(path, "w", encoding="utf-8") as file:
        file.write(f"state_dir: {STATE}\n{text}")
    return path


def store(*words, config=CONFIG):
    return run("store", *words, "--config", config)


def copies():
    """What imports have left."""
    return [name for name in os.listdir(STATE) if ".import-" in name]


def server(order):
    with socket.socket(socket.AF_UNIX) as control:
        control.connect(os.environ["TRIGATE_SERVER_CONTROL"])
        with control.makefile("rw") as lines:
            lines.write(order + "\n")
            lines.flush()
            answer = lines.readline()
    if answer != "ok\n":
        raise RuntimeError(f"{order}: {answer}")


def test_a_before_a_gateway():
    config_write(CONFIG)
    status = store("status")
    ok(status.code == 0 and "none yet" in status.out, "status without a store, from a machine without a state directory", status)
    for words in (["check"], ["export"], ["slots", "list"], ["cleanup", "--older-than", "1d"]):
        got = store(*words)
        ok(got.code == 1 and "`trigate store migrate` makes one" in got.err, f"{words[0]} says how to make one", got)
    made = store("migrate")
    ok(made.code == 0 and "schema version" in made.out, "migrate makes one", made)
    ok(store("check").out == "sound: nothing was found\n", "it is sound")
    got = store("backup", HERE + "/copy")
    ok(got.code == 1 and {"postgres": "pg_dump", "redis": "redis-cli --rdb"}[PLUGIN] in got.err, "backup names the tool", got)
    ok(not os.path.exists(STATE) and not os.path.exists(HERE + "/copy"), "none of this made anything here")


def test_b_wrong_settings():
    for key, value, text in (("hots", "x", "did you mean 'host'?"), ("port", 99999, "must be at most 65535")):
        got = store("status", config=config_write(HERE + "/wrong.yaml", **{key: value}))
        ok(got.code == 2 and f": storage.settings.{key}: " in got.err and text in got.err, f"where {key} is wrong, and why", got)


def test_c_beside_a_gateway():
    process = subprocess.Popen([trigate.TRIGATE, "run", "--config", CONFIG, "--seed", "5", "--speed", "20", "--json"],
                               stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    for line in process.stdout:
        if json.loads(line)["event"] == "cycle":
            break
    for words in (["status"], ["check"], ["export"], ["slots", "list"], ["migrate"], ["cleanup", "--older-than", "1d", "--dry-run"]):
        got = store(*words)
        ok(got.code == 0, f"beside a running gateway: {words[0]}", got)
    server("kill")
    for words in (["status"], ["check"], ["export"]):
        got = store(*words)
        ok(got.code == 1 and "onnect" in got.err and not got.out, f"while the server is away: {words[0]}", got)
    server("start")
    process.terminate()
    process.stdout.read()
    ok(process.wait() == 0, "the gateway ends as it should")
    process.stdout.close()
    status = store("status", "--json").lines()[0]
    ok(status["journal"]["behind"] == 0 and status["cycles"] > 0, "with all of it in the store", status)
    ok(status["journal"]["durable"] in (None, status["journal"]["position"]), "what is durable is never made up", status)
    rows = store("export", "--what", "orders").lines()
    ok(len(rows) == status["orders"] and store("check").code == 0, "which exports, and is sound", len(rows))


def test_d_import_killed():
    path = os.path.join(HERE, "trade_state.db")
    old = old_store.make(path, "both", 400)
    before = store("status", "--json").lines()[0]
    process = subprocess.Popen([trigate.TRIGATE, "store", "import", path, "--config", CONFIG, "--json"], stdout=subprocess.PIPE,
                               stdin=subprocess.DEVNULL)
    process.stdout.readline()  # it reads, from a copy
    process.send_signal(signal.SIGKILL)
    process.communicate()
    ok(len(copies()) == 1, "killed, it leaves its copy", os.listdir(STATE))
    got = store("import", path, "--json")
    ok(got.code == 0 and got.lines()[-1]["cycles"] == len(old.cycles), "the next import goes on", got)
    ok(not copies(), "and clears it away", copies())
    after = store("status", "--json").lines()[0]
    ok(after["cycles"] - before["cycles"] == len(old.cycles) and after["orders"] - before["orders"] == len(old.orders),
       "all is there, once", before, after)
    ok(store("check").code == 0, "and sound")


trigate.run_tests(TAP, globals(), lambda: shutil.rmtree(HERE, ignore_errors=True))
