"""`trigate store` as an operator meets it: every sub-command beside a running gateway and after it, mistakes, exit codes.
Output is TAP."""
import csv, io, json, os, re, shutil, signal, sqlite3, stat, subprocess, sys, tempfile, time

import old_store, trigate
from trigate import run

HERE = tempfile.mkdtemp(prefix="trigate-store-")
STATE = os.path.join(HERE, "state")
TAP = trigate.Tap()
ok = TAP.ok
MADE = os.path.join(HERE, "made")  # an empty store


def fails(words, text, code=1, **options):
    got = run("store", *words, **options)
    ok(got.code == code and text in got.err and not got.out, f"store {' '.join(map(str, words))}"[:100].replace(HERE, "…"), got)


def store(*words, state=STATE, **options):
    return run("store", *words, "-d", state, **options)


def export(what, *words, state=STATE):
    return store("export", "--what", what, *words, state=state).lines()


def gateway(*words):
    return [trigate.TRIGATE, "run", "--config", trigate.DEMO, "--state-dir", STATE, "--seed", "5", *words]


def execute(path, *statements):
    with sqlite3.connect(path, isolation_level=None) as db:
        for statement in statements:
            db.execute(statement)
    db.close()


def copy_of(state, name):
    """A state directory with nothing but a copy of its store."""
    folder = os.path.join(HERE, name)
    os.mkdir(folder)
    got = store("backup", os.path.join(folder, trigate.STORE), state=state)
    ok(got.code == 0, f"a copy of the store: {name}", got)
    return folder


def test_a_mistakes():
    os.mkdir(MADE)
    fails(["status", "-d", HERE + "/none"], "there is no state directory")
    fails(["status"], "name it with --state-dir DIR or --config FILE", cwd=HERE)
    fails(["status", "--config", HERE + "/none.yaml"], "none.yaml", 2)
    fails(["check", "-d", MADE], "`trigate store migrate` makes one")
    fails(["cleanup", "-d", MADE], "--older-than is missing", 2)
    fails(["cleanup", "-d", MADE, "--older-than", "soon"], "must be as 36h, 30d", 2)
    fails(["cleanup", "-d", MADE, "--older-than", "23h"], "must be a day at least", 2)
    fails(["export", "-d", MADE, "--what", "cycle"], "did you mean 'cycles'?", 2)
    fails(["export", "-d", MADE, "--format", "xml"], "must be one of jsonl|csv", 2)
    fails(["export", "-d", MADE, "--format", "csv", "--json"], "exclude each other", 2)
    fails(["export", "-d", MADE, "--since", "then"], "--since must be as", 2)
    fails(["import", "-d", MADE], "FILE is missing", 2)
    fails(["import", "-d", MADE, "x", "--name", "a/b"], "--name must be", 2)
    fails(["backup", "-d", MADE], "FILE is missing", 2)
    fails(["slots"], "which one?", 2)
    fails(["slots", "relase"], "did you mean 'release'?", 2)
    fails(["slots", "release", "-d", MADE], "--owner is missing", 2)
    fails(["stats"], "did you mean 'status'?", 2)
    config = os.path.join(HERE, "wrong.yaml")
    for storage, where in (("settings: {pth: x}", "4:19: storage.settings.pth: unknown key; did you mean 'path'?"),
                           ("settings: {synchronous: off}", "4:27: storage.settings.synchronous: "),
                           ("plugin: sqlit", "4:11: storage.plugin: there is no storage plugin \"sqlit\"; did you mean sqlite?")):
        with open(config, "w") as file:
            file.write(f"state_dir: {MADE}\nexchanges: {{sim: {{}}}}\nstorage:\n  {storage}\n")
        fails(["status", "--config", config], f"{config}:{where}", 2)
    ok(os.listdir(MADE) == [], "none of this made anything", os.listdir(MADE))


def test_b_migrate():
    before = store("status", state=MADE)
    ok(before.code == 0 and "none yet" in before.out, "status without a store", before)
    made = store("migrate", state=MADE)
    ok(made.code == 0 and "schema version" in made.out, "migrate makes one", made)
    ok(stat.S_IMODE(os.stat(os.path.join(MADE, trigate.STORE)).st_mode) == 0o600, "for its owner alone")
    again = store("migrate", "--json", state=MADE)
    ok(again.lines()[-1]["steps"] == 0, "once", again)
    ok(store("check", state=MADE).out == "sound: nothing was found\n", "it is sound")
    for what in ("cycles", "orders", "fills", "events"):
        got = store("export", "--what", what, "--format", "csv", state=MADE)
        ok(got.code == 0 and got.out.count("\n") == 1 and "," in got.out, f"no {what}: titles alone", got)


def test_c_beside_a_gateway():
    process = subprocess.Popen(gateway("--speed", "20", "--json"), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                               stderr=subprocess.DEVNULL)
    for line in process.stdout:
        if json.loads(line)["event"] == "cycle":
            break
    for words in (["status"], ["check"], ["export"], ["slots", "list"], ["migrate"], ["cleanup", "--older-than", "1d"],
                  ["backup", os.path.join(HERE, "beside.db")]):
        got = store(*words)
        ok(got.code == 0, f"beside a running gateway: {words[0]}", got)
    slots = store("slots", "list", "--json").lines()
    owner = slots[0]["owner"] if slots else "?"
    ok(slots and all(slot["state"] == "held" for slot in slots), "its slots are held", slots)
    fails(["slots", "release", "--owner", owner, "--yes", "-d", STATE], "may be running")
    process.terminate()
    process.stdout.read()
    ok(process.wait() == 0, "the gateway ends as it should")
    process.stdout.close()


def test_d_status():
    done = subprocess.run(gateway("--speed", "max", "--cycles", "12", "--json"), capture_output=True, stdin=subprocess.DEVNULL,
                          timeout=120)
    ok(done.returncode == 0, "a gateway runs", done.stderr)
    status = store("status", "--json").lines()[0]
    rows = trigate.store_rows(STATE)
    ok([status[name] for name in ("cycles", "orders", "fills")] == [len(rows[name]) for name in ("cycles", "orders", "fills")],
       "status counts rows", status)
    last = trigate.records("journal", STATE)[-1]["position"]
    journal = status["journal"]
    ok(journal["position"] == last and journal["stored"] + journal["behind"] == last and journal["durable"] <= journal["stored"],
       "and says where the journal is", journal, last)
    people = store("status").out
    ok(all(word in people for word in ("location", "durability", f"gateway {journal['gateway']}", "version")), "for people", people)


def test_d_status_damaged():
    journal = os.path.join(STATE, trigate.JOURNAL)
    last = trigate.records("journal", STATE)[-1]["position"]
    # 2000: within what the first of two starts has synced
    for at, text in ((0, "damaged from its beginning on"), (2000, "gateway 0001, is damaged behind ")):
        folder = copy_of(STATE, f"journal-{at}")
        shutil.copy(journal, folder)
        with open(os.path.join(folder, trigate.JOURNAL), "r+b") as file:
            file.seek(at)
            file.write(b"\xa5" * 64)
        got = store("status", state=folder)
        ok(got.code == 0 and text in got.out and "damaged" in got.err, f"a journal that is damaged at {at} is told of", got)
        said = store("status", "--json", state=folder).lines()[0]["journal"]
        ok(said is None or (said["damaged"] and said["position"] < last), "to machines too", said)


def many_cycles(name):
    """A store that it takes a second to read."""
    folder = copy_of(STATE, name)
    path = os.path.join(folder, trigate.STORE)
    with sqlite3.connect(path) as db:
        columns = [row[1] for row in db.execute("PRAGMA table_info(cycles)")]
    db.close()
    values = ", ".join("id || '-' || n" if column == "id" else column for column in columns)
    execute(path, "INSERT INTO cycles (" + ", ".join(columns) + ") WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1"
            f" FROM numbers WHERE n < 100000) SELECT {values} FROM numbers, (SELECT * FROM cycles LIMIT 1)")
    return folder


def interrupted(folder, place, number, *words):
    """What a command that writes place/file has left in place when it gets a signal."""
    os.mkdir(place)
    process = subprocess.Popen([trigate.TRIGATE, "store", *words, os.path.join(place, "file"), "-d", folder],
                               stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                               preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL))
    while process.poll() is None and not os.listdir(place):
        time.sleep(0.0002)
    process.send_signal(number)
    process.wait()
    return os.listdir(place)


def test_e_interrupted():
    folder = many_cycles("many")
    for words in (["export", "--output"], ["backup"]):
        whole = os.path.join(HERE, f"whole-{words[0]}")
        got = store(*words, whole, state=folder)
        ok(got.code == 0 and os.path.exists(whole), f"{words[0]} makes a file", got)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGKILL):
            place = os.path.join(HERE, f"{words[0]}-{number}")
            left = interrupted(folder, place, number, *words)
            if "file" in left:  # on a slow machine it may come to its end
                sizes = [os.path.getsize(path) for path in (os.path.join(place, "file"), whole)]
                ok(sizes[0] == sizes[1], f"{words[0]}: what is there after {number} is whole", sizes)
                continue
            ok(not left or number == signal.SIGKILL, f"{words[0]} that is interrupted by {number} leaves nothing", left)
            got = store(*words, os.path.join(place, "file"), state=folder)
            ok(got.code == 0 and "file" in os.listdir(place), "and can be repeated", got)


def test_e_export():
    rows = trigate.store_rows(STATE)
    for what in ("cycles", "orders", "fills"):
        lines = export(what)
        ok(len(lines) == len(rows[what]), f"all {what} as JSON lines", len(lines), len(rows[what]))
        got = store("export", "--what", what, "--format", "csv")
        table = list(csv.DictReader(io.StringIO(got.out, newline="")))
        same = [{key: "" if value is None else str(value) for key, value in line.items() if key != "event"} for line in lines]
        ok(table == same, f"{what} as CSV say the same", table[:1], same[:1])
    profit = {row["id"]: row["profit"] for row in rows["cycles"]}
    ok({line["cycle"]: line["profit"] for line in export("cycles")} == profit, "amounts are exact")
    future = store("export", "--since", "2200-01-01")
    ok(future.code == 0 and all(line["closed"] is None for line in future.lines()), "--since leaves older ones out", future)
    path = os.path.join(HERE, "cycles.csv")
    got = store("export", "--format", "csv", "--output", path)
    ok(got.code == 0 and not got.out and len(open(path).readlines()) == len(rows["cycles"]) + 1, "into a file", got)
    fails(["export", "--output", path, "-d", STATE], "is there already")
    fails(["export", "--output", HERE + "/none/x", "-d", STATE], "No such file")
    full = subprocess.run([trigate.TRIGATE, "store", "export", "-d", STATE], stdout=open("/dev/full", "w"), stderr=subprocess.PIPE,
                          timeout=60, check=False)
    ok(full.returncode == 1 and b"not all output could be written" in full.stderr, "a full disk is noticed", full)
    text = "a \"quoted\", line\nand \u20ac"
    folder = copy_of(STATE, "quotes")
    execute(os.path.join(folder, trigate.STORE), "UPDATE cycles SET reason = 'a \"quoted\", line' || char(10) || 'and \u20ac'")
    table = list(csv.DictReader(io.StringIO(store("export", "--format", "csv", state=folder).out, newline="")))
    ok(table and all(row["reason"] == text for row in table), "quotes, commas and line breaks survive CSV", table[:1])


def test_f_backup():
    path = os.path.join(HERE, "backup.db")
    got = store("backup", path)
    ok(got.code == 0 and os.path.exists(path), "a backup", got)
    fails(["backup", path, "-d", STATE], "is there already")
    fails(["backup", HERE + "/none/x", "-d", STATE], "cannot create")
    os.mkdir(os.path.join(HERE, "restored"))
    shutil.copy(path, os.path.join(HERE, "restored", trigate.STORE))
    ok(export("orders", state=os.path.join(HERE, "restored")) == export("orders"), "which is the store as it was")
    config = os.path.join(HERE, "memory.yaml")
    with open(config, "w") as file:
        file.write(f"state_dir: {STATE}\nexchanges: {{sim: {{}}}}\nstorage: {{plugin: memory}}\n")
    got = run("store", "backup", HERE + "/m", "--config", config)
    ok(got.code == 1, "a store in memory has none", got)


def test_g_check():
    folder = copy_of(STATE, "damaged")
    execute(os.path.join(folder, trigate.STORE), "PRAGMA foreign_keys = OFF", "DELETE FROM cycles WHERE id IN (SELECT cycle_id FROM orders)")
    got = store("check", state=folder)
    ok(got.code == 1 and "order without cycle" in got.out and "finding" in got.err, "orphans are found", got)
    lines = store("check", "--json", state=folder).lines()
    ok(lines[-1]["event"] == "check" and lines[-1]["findings"] == len(lines) - 1 > 0, "as JSON lines, too", lines[-1:])
    folder = copy_of(STATE, "newer")
    execute(os.path.join(folder, trigate.STORE), "PRAGMA user_version = 99")
    before = open(os.path.join(folder, trigate.STORE), "rb").read()
    for words in (["check"], ["migrate"], ["export"], ["backup", HERE + "/b"], ["cleanup", "--older-than", "1d"], ["slots", "list"],
                  ["slots", "release", "--owner", "x", "--yes"], ["import", "x"]):
        fails([*words, "-d", folder], "version 99")
    status = store("status", state=folder)
    ok(status.code == 0 and "a newer trigate wrote it" in status.out, "status says so", status)
    ok(open(os.path.join(folder, trigate.STORE), "rb").read() == before, "and nothing was touched")


def test_h_cleanup():
    folder = copy_of(STATE, "old")
    path = os.path.join(folder, trigate.STORE)
    execute(path, "UPDATE cycles SET closed_ns = 1000000000 WHERE id IN (SELECT id FROM cycles WHERE closed_ns > 0 LIMIT 3)")
    rows = trigate.store_rows(folder)
    old = {row["id"] for row in rows["cycles"] if row["closed_ns"] == 10**9}
    dry = store("cleanup", "--older-than", "2000-01-01", "--dry-run", "--json", state=folder).lines()[0]
    ok(dry["cycles"] == len(old) == 3 and dry["dry_run"], "--dry-run counts", dry)
    ok(trigate.store_rows(folder) == rows, "and removes nothing")
    got = store("cleanup", "--older-than", "2000-01-01", state=folder)
    ok(got.code == 0 and got.out.startswith("3 cycles closed before 2000-01-01"), "old ones go", got)
    left = trigate.store_rows(folder)
    ok(len(left["cycles"]) == len(rows["cycles"]) - 3 and not any(row["cycle_id"] in old for row in left["orders"]),
       "with their orders")
    ok(store("check", state=folder).code == 0, "and what stays is sound")
    ok(store("cleanup", "--older-than", "2000-01-01", "--json", state=folder).lines()[0]["cycles"] == 0, "once")


def test_i_slots():
    folder = copy_of(STATE, "slots")
    path = os.path.join(folder, trigate.STORE)
    execute(path, "DELETE FROM slots", "INSERT INTO slots (slot_group, owner, boot, expires_ns) VALUES ('g', 'dead', 'earlier', 1)",
            "INSERT INTO slots (slot_group, owner, boot, expires_ns) VALUES ('h', 'dead', 'earlier', 1)")
    lines = store("slots", "list", "--json", state=folder).lines()
    ok([(line["group"], line["owner"], line["state"]) for line in lines] == [("g", "dead", "expired"), ("h", "dead", "expired")],
       "slots of all groups", lines)
    ok(len(store("slots", "list", "--group", "g", "--json", state=folder).lines()) == 1, "and of one")
    people = store("slots", "list", state=folder)
    ok("OWNER" in people.out and "dead" in people.out, "for people", people)
    fails(["slots", "release", "--owner", "nobody", "--yes", "-d", folder], "has no slots here")
    fails(["slots", "release", "--owner", "dead", "-d", folder], "never start again", 2)
    ok(len(store("slots", "list", "--json", state=folder).lines()) == 2, "without --yes it is only explained")
    got = store("slots", "release", "--owner", "dead", "--group", "g", "--yes", state=folder)
    ok(got.code == 0 and got.out == "1 slot of gateway dead given back\n", "those of one group", got)
    got = store("slots", "release", "--owner", "dead", "--yes", "--json", state=folder)
    ok(got.lines()[0]["slots"] == 1, "and the rest", got)
    ok(store("slots", "list", state=folder).out == "no slots are taken\n", "then there are none")


def test_j_import():
    path = os.path.join(HERE, "trade_state.db")
    old = old_store.make(path, "both", 60)
    before = open(path, "rb").read()
    state = os.path.join(HERE, "imported")
    os.mkdir(state)
    dry = store("import", path, "--dry-run", "--json", state=state).lines()
    ok(dry[-1]["cycles"] == len(old.cycles) and dry[-1]["oddities"] == old.odd == len(dry) - 1, "--dry-run reads all", dry[-1])
    ok(os.listdir(state) == [], "and writes nothing", os.listdir(state))
    got = store("import", path, state=state)
    ok(got.code == 0 and f"{len(old.cycles)} cycles, {len(old.orders)} orders imported; {old.odd} odd" in got.out
       and got.out.count("odd: ") == 20 and "more; `trigate store export" in got.out, "an import, for people", got)
    ok({line["cycle"] for line in export("cycles", state=state)} == old.cycles.keys(), "under keys of its own")
    ok("all of it was there before" in store("import", path, state=state).out, "again it changes nothing")
    execute(path, "UPDATE cycles SET strategy_name = 'other', start_time = start_time + 1")
    fails(["import", path, "-d", state], "give this file's keys a --name")
    got = store("import", path, "--name", "second", "--json", state=state)
    ok(got.code == 0 and got.lines()[-1]["cycles"] == len(old.cycles), "another file under a name of its own", got)
    keys = [line["cycle"] for line in export("cycles", state=state)]
    ok(len(keys) == 2 * len(old.cycles) and sum(key.startswith("py:second:") for key in keys) == len(old.cycles), "beside the first")
    ok(store("check", state=state).code == 0, "and all is sound")
    with open(path, "wb") as file:
        file.write(before)
    fails(["import", HERE + "/none.db", "-d", state], "there is no file")
    fails(["import", __file__, "-d", state], "is no SQLite database")
    fails(["import", os.path.join(MADE, trigate.STORE), "-d", state], "no database of the Python system")
    return path, old


def test_j_import_into_another_backend():
    """The copy that is read lies in the state directory: what a killed import left there goes with the next one."""
    state, config = os.path.join(HERE, "elsewhere"), os.path.join(HERE, "elsewhere.yaml")
    left = os.path.join(state, trigate.STORE + ".import-aB3xyZ")
    os.makedirs(left)
    with open(os.path.join(left, "copy.db"), "w", encoding="utf-8") as file:
        file.write("half of it")
    with open(config, "w", encoding="utf-8") as file:
        file.write(f"state_dir: {state}\nexchanges: {{sim: {{}}}}\nstorage: {{plugin: memory}}\n")
    path = os.path.join(HERE, "trade_state.db")
    old = old_store.make(path + ".other", "1.3", 20)
    got = run("store", "import", path + ".other", "--config", config, env=dict(os.environ, TMPDIR=HERE + "/nowhere"))
    ok(got.code == 0 and f"{len(old.cycles)} cycles, {len(old.orders)} orders imported" in got.out, "into another backend", got)
    ok(os.listdir(state) == [], "it leaves nothing there, and takes what was left", os.listdir(state))


def test_k_first_open():
    path, state = os.path.join(HERE, "trade_state.db"), os.path.join(HERE, "first")
    os.mkdir(state)
    place = os.path.join(state, trigate.STORE)
    shutil.copy(path, place)
    before = open(place, "rb").read()
    status = store("status", state=state)
    ok(status.code == 0 and "none yet" in status.out, "their file in the store's place is none yet", status)
    fails(["export", "-d", state], "`trigate store migrate`")
    ok(open(place, "rb").read() == before, "and is not touched")
    done = subprocess.run([trigate.TRIGATE, "run", "--config", trigate.DEMO, "--state-dir", state, "--speed", "max", "--cycles", "2",
                           "--json"], capture_output=True, stdin=subprocess.DEVNULL, timeout=120, check=False)
    ok(done.returncode == 0, "a gateway that starts there imports it", done.stderr.decode())
    ok(open(place + ".python", "rb").read() == before, "and keeps it")
    lines = export("cycles", state=state)
    ok(sum(line["cycle"].startswith("py:") for line in lines) < len(lines), "its cycles and ours are in one store", len(lines))


def test_l_terminal_and_completion():
    got = run("help", "--completion", "bash")
    ok("'store status '*)" in got.out and "'store slots release '*)" in got.out, "the shell completes it", got.out[-800:])
    for words in (["store"], ["store", "slots"]):
        got = run(*words, "--help")
        ok(got.code == 0 and got.out.startswith(f"Usage: trigate {' '.join(words)}"), f"{' '.join(words)} --help", got)
    for sub in ("list", "release"):
        got = run("store", "slots", sub, "--help")
        ok(got.code == 0 and run("help", "store", "slots", sub).out == got.out, f"store slots {sub} --help", got)


trigate.run_tests(TAP, globals(), lambda: shutil.rmtree(HERE, ignore_errors=True))
