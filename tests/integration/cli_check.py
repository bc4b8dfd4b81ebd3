"""The command line as a user meets it: help, mistakes, exit codes, terminals, and the commands that read a state
directory or speak to a gateway. Usage: cli_check.py TRIGATE CLI_JOURNAL. Output is TAP."""
import fcntl, json, os, pty, re, shutil, socket, struct, subprocess, sys, tempfile, termios, threading

import trigate

TRIGATE, JOURNAL = os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2])
HERE = tempfile.mkdtemp(prefix="trigate-cli-")
ENV = {k: v for k, v in os.environ.items() if k not in ("NO_COLOR", "COLUMNS")}
ENV["TERM"] = "xterm"
TAP = trigate.Tap()
ok = TAP.ok


class Result:
    def __init__(self, done):
        self.code, self.out, self.err = done.returncode, done.stdout.decode(), done.stderr.decode()

    def __str__(self):
        return f"exit {self.code}\nstdout: {self.out}\nstderr: {self.err}"

    def lines(self):
        return [json.loads(line) for line in self.out.splitlines()]


def run(*words, **options):
    options.setdefault("env", ENV)
    return Result(subprocess.run([TRIGATE, *words], capture_output=True, cwd=HERE, stdin=subprocess.DEVNULL,
                                 timeout=60, **options))


def on_terminal(*words, columns=100, env=ENV):
    """stdout and stderr on a terminal of so many columns; what came out."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 50, columns, 0, 0))
    child = subprocess.Popen([TRIGATE, *words], stdin=slave, stdout=slave, stderr=slave, cwd=HERE, env=env)
    os.close(slave)
    text = b""
    while True:
        try:
            piece = os.read(master, 65536)
        except OSError:
            break
        if not piece:
            break
        text += piece
    child.wait()
    os.close(master)
    return text.decode(errors="replace")


def command_names(text):
    section = text.split("Commands\n", 1)[1].split("\n\n")[0]
    return [line.split()[0] for line in section.splitlines() if re.match(r"^  \S", line)]


def test_help():
    top = run("--help")
    ok(top.code == 0 and top.out.startswith("Usage: trigate") and not top.err, "--help is printed on stdout", top)
    ok(run("help").out == top.out and run("-h").out == top.out, "help and -h say the same")
    bare = run()
    ok(bare.code == 2 and not bare.out and bare.err == top.out, "no command at all: the same on stderr, exit 2", bare)
    names = command_names(top.out)
    ok({"version", "help", "stop", "orders", "cycles", "journal", "states", "decisions"} <= set(names), "commands", names)
    for name in names:
        one = run(name, "--help")
        ok(one.code == 0 and one.out.startswith(f"Usage: trigate {name}") and not one.err, f"{name} --help", one)
        ok(run("help", name).out == one.out and run(name, "-h").out == one.out, f"help {name} says the same")
        ok(all(len(line) <= 80 for line in one.out.splitlines() if not line.startswith("  trigate ")), f"{name}: 80 columns")
        if "\nCommands\n" not in one.out:
            wrong = run(name, "--no-such-option-at-all")
            ok(wrong.code == 2 and "unknown option '--no-such-option-at-all'" in wrong.err
               and f"Try 'trigate {name} --help'" in wrong.err and not wrong.out, f"{name}: an unknown option", wrong)
            continue
        for sub in command_names(one.out):
            two = run(name, sub, "--help")
            ok(two.code == 0 and two.out.startswith(f"Usage: trigate {name} {sub}"), f"{name} {sub} --help", two)
            ok(run("help", name, sub).out == two.out, f"help {name} {sub} says the same")


MISTAKES = [
    (["versoin"], "unknown command 'versoin'; did you mean 'version'?"),
    (["xyzzy"], "unknown command 'xyzzy'\n"),
    (["--verison"], "did you mean '--version'?"),
    (["--json"], "'--json' stands where a command is expected"),
    (["\x1b[31mred"], "unknown command '?[31mred'"),
    ([""], "unknown command ''"),
    (["version", "--jsno"], "unknown option '--jsno'; did you mean '--json'?"),
    (["version", "-x"], "unknown option '-x'"),
    (["version", "--json=yes"], "option '--json' takes no argument"),
    (["version", "extra"], "unexpected argument 'extra'"),
    (["help", "versoin"], "did you mean 'version'?"),
    (["help", "version", "x"], "'version' has no sub-commands"),
    (["cycles"], "which one?"),
    (["cycles", "lst"], "unknown command 'lst'; did you mean 'list'?"),
    (["cycles", "xyzzy"], "there is list, show"),
    (["cycles", "--json"], "options come after the sub-command"),
    (["cycles", "show"], "ID is missing"),
    (["cycles", "show", "1"], "is no cycle's id"),
    (["cycles", "list", "--state", "complete"], "did you mean 'completed'?"),
    (["orders", "--s", "x"], "option '--s' could be '--state' or '--since'"),
    (["orders", "--limit"], "option '--limit' needs an argument (N)"),
    (["orders", "-n"], "option '--limit' needs an argument (N)"),
    (["orders", "--limit", "--json"], "but '--json' is an option"),
    (["orders", "--limit", "many"], "must be a whole number"),
    (["orders", "--limit", "-1"], "must be a whole number"),
    (["orders", "--limit", "99999999999999999999"], "must be a whole number"),
    (["orders", "--state-dir", ""], "must not be empty"),
    (["orders", "--since", "yesterday"], "--since must be as"),
    (["orders", "--cycle", "x"], "--cycle must be"),
    (["orders", "--state", "filed"], "did you mean 'filled'?"),
    (["orders", "--config", "absent.yaml"], "absent.yaml"),
    (["decisions", "--verdict", "skp"], "must be one of execute|skip, not 'skp'; did you mean 'skip'?"),
    (["decisions", "--reason", "stal"], "did you mean 'stale'?"),
    (["journal", "--type", "fil"], "did you mean 'fill'?"),
    (["journal", "--type", "decision"], "'trigate decisions' lists them"),
    (["states", "oder"], "no state machine 'oder'"),
    (["states", "--json", "--dot"], "exclude each other"),
    (["stop", "--risk", "--cycles"], "exclude each other"),
    (["stop", "--risk", "--wait", "3"], "--wait is for ending"),
    (["stop", "--wait", "0"], "from 1 to 86400"),
]


def test_mistakes():
    for words, message in MISTAKES:
        got = run(*words)
        ok(got.code == 2 and message in got.err and not got.out, f"exit 2: {' '.join(words)!r}", got, "want " + message)


def test_version():
    version = run("--version")
    ok(version.code == 0 and re.match(r"^trigate \d+\.\d+\.\d+, plugin ABI \d+\.\d+\n$", version.out), "--version", version)
    ok(run("version").out == version.out and run("-V").out == version.out, "version and -V say the same")
    line = run("version", "--json").lines()[0]
    ok(line["event"] == "version" and line["version"] in version.out and line["abi"] in version.out, "version --json", line)


def test_terminal():
    ok("\x1b" not in run("help").out, "no colour where stdout is no terminal")
    ok("\x1b[1m" in on_terminal("help"), "on a terminal titles are bold")
    for name, value in (("NO_COLOR", "1"), ("TERM", "dumb")):
        ok("\x1b" not in on_terminal("help", env={**ENV, name: value}), f"none with {name}={value}")
    narrow = on_terminal("help", "orders", columns=60, env={**ENV, "NO_COLOR": "1"})
    wide = [l for l in narrow.splitlines() if len(l) > 60 and not l.startswith("  trigate ")]
    ok(not wide, "help is wrapped to the terminal", wide)
    ok("." in on_terminal("states", "order", columns=200) and "NEXT" in on_terminal("states", "order", columns=80),
       "the state table becomes a list where it does not fit")


def test_broken_output():
    with open("/dev/full", "w") as full:
        got = subprocess.run([TRIGATE, "help"], stdout=full, stderr=subprocess.PIPE)
    ok(got.returncode == 1 and b"not all output could be written" in got.stderr, "a full disk is noticed", got)
    reader, writer = os.pipe()
    os.close(reader)
    got = subprocess.run([TRIGATE, "help"], stdout=writer, stderr=subprocess.PIPE)
    os.close(writer)
    ok(got.returncode == 1 and b"not all output could be written" in got.stderr, "so is a closed pipe", got)
    path = write_journal("closed", 1)
    before = open(os.path.join(path, "journal-00000001.tgj"), "rb").read()
    got = subprocess.run(["bash", "-c", 'exec "$0" journal -d "$1" >&- 2>"$2"', TRIGATE, path, os.path.join(HERE, "closed.err")])
    ok(got.returncode == 1 and "not all output" in open(os.path.join(HERE, "closed.err")).read(), "so is a closed stdout")
    ok(open(os.path.join(path, "journal-00000001.tgj"), "rb").read() == before, "and no file takes its place")
    got = subprocess.run(["bash", "-c", '"$0" journal -d "$1" -n 1 --json <&- 2>&-', TRIGATE, path], capture_output=True)
    ok(got.returncode == 0 and json.loads(got.stdout)["position"], "stdin and stderr may be closed", got)
    path = write_journal("piped", 300)
    for command in (["journal"], ["decisions"], ["orders"], ["cycles", "list"]):
        child = subprocess.Popen([TRIGATE, *command, "-d", path, "--json"], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        child.stdout.readline()
        child.stdout.close()
        message = child.stderr.read()
        child.stderr.close()
        ok(child.wait() == 1 and message.count(b"\n") == 1 and b"not all output" in message,
           f"{' '.join(command)}: a reader that leaves is noticed", message)


def test_states():
    text = run("states").out
    ok("order: " in text and "cycle: " in text and "panic_selling" in text, "states prints both machines", text)
    machines = {line["machine"]: line for line in run("states", "--json").lines()}
    ok(set(machines) == {"order", "cycle"}, "and so for machines")
    for name, machine in machines.items():
        known = set(machine["states"])
        ok(known >= set(machine["final"]) and all({m["state"], m["next"]} <= known for m in machine["moves"]),
           f"{name}: moves lead from known to known states")
        dot = run("states", "--dot", name).out
        ok(dot.startswith(f"digraph {name} {{") and dot.endswith("}\n") and all(s in dot for s in known), f"{name}: --dot")


def completed(line):
    """What bash offers for the last word of a line."""
    words = line.split(" ")
    script = ('source <("$0" help --completion bash); COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _trigate; '
              'echo "${COMPREPLY[*]}"')
    return subprocess.run(["bash", "-c", script, TRIGATE, *words], capture_output=True).stdout.decode().split()


def test_completion():
    ok("orders" in completed("trigate "), "bash completes commands", completed("trigate "))
    ok(completed("trigate dec") == ["decisions"], "from their beginning", completed("trigate dec"))
    ok(completed("trigate cycles ") == ["list", "show", "--help"], "sub-commands", completed("trigate cycles "))
    ok(completed("trigate cycles list --st") == ["--state", "--state-dir"], "options", completed("trigate cycles list --st"))
    ok(completed("trigate orders --open --js") == ["--json"], "behind other options")
    ok(completed("trigate help ver") == ["version"], "and what help knows")


def write_journal(name, cycles):
    path = os.path.join(HERE, name)
    os.makedirs(path, exist_ok=True)
    subprocess.run([JOURNAL, path, str(cycles)], check=True)
    return path


def test_nothing_there():
    empty = os.path.join(HERE, "empty")
    os.makedirs(empty, exist_ok=True)
    for command in (["orders"], ["journal"], ["cycles", "list"], ["cycles", "show", "000001-00000001"]):
        name = " ".join(command)
        got = run(*command, "-d", "absent")
        ok(got.code == 1 and "there is no state directory absent" in got.err, f"{name}: no state directory", got)
        got = run(*command, "-d", empty)
        ok(got.code == 1 and "holds no journal" in got.err, f"{name}: no journal", got)
        got = run(*command)
        ok(got.code == 1 and "./trigate-state" in got.err, f"{name}: the default state directory", got)
        spoilt = os.path.join(HERE, "spoilt")
        os.makedirs(spoilt, exist_ok=True)
        with open(os.path.join(spoilt, "journal-00000001.tgj"), "wb") as file:
            file.write(os.urandom(10) + b"garbage" * 100)
        got = run(*command, "-d", spoilt)
        ok(got.code == 1 and "journal-00000001.tgj" in got.err and not got.out, f"{name}: garbage for a journal", got)
    got = run("decisions", "-d", empty)
    ok(got.code == 1 and "holds no journal" in got.err, "decisions: none", got)
    with open(os.path.join(HERE, "spoilt", "decisions"), "wb") as file:
        file.write(b"garbage" * 100)
    got = run("decisions", "-d", os.path.join(HERE, "spoilt"))
    ok(got.code == 1 and "is damaged" in got.err and not got.out, "decisions: garbage", got)


def test_records():
    path = write_journal("state", 60)
    orders = run("orders", "-d", path, "--json").lines()
    ok(len(orders) == 62 and len({o["client_id"] for o in orders}) == 62, "all orders, each once", len(orders))
    ok(all(o["event"] == "order" and o["qty"] == "0.0025" and o["price"] == "40000.5" for o in orders), "exact numbers")
    ok([o["state"] for o in orders[-3:]] == ["filled", "rejected", "unknown"], "their states", orders[-3:])
    ok(orders[0]["filled_qty"] == "0.0025" and orders[0]["filled_quote"] == "100", "what was filled", orders[0])
    ok(orders[-2]["reason"] == "bad \x1b[31mlot ? size", "broken text becomes readable JSON", orders[-2])
    one = run("orders", "-d", path, "--open", "--json").lines()
    ok([o["state"] for o in one] == ["unknown"] and one[0]["final"] is False, "--open", one)
    one = run("orders", "-d", path, "--state", "rejected", "--json").lines()
    ok(len(one) == 1 and one[0]["state"] == "rejected", "--state", one)
    ok(len(run("orders", "-d", path, "--json", "--limit", "7").lines()) == 7, "--limit")
    ok(run("orders", "-d", path, "--json", "-n", "1").lines()[0] == orders[-1], "the newest stay")
    ok(len(run("orders", "-d", path, "--cycle", orders[3]["cycle"], "--json").lines()) == 1, "--cycle")
    ok(len(run("orders", "-d", path, "--market", "ETH-BTC", "--json").lines()) == 0, "--market")
    ok(run("orders", "-d", path, "--since", "1h", "--json").out == "", "--since an hour ago: nothing so late")
    ok(len(run("orders", "-d", path, "--since", "2023-11-14T22:13", "--json").lines()) == 62, "--since a time")
    text = run("orders", "-d", path)
    ok(len(text.out.splitlines()) == 52 and "(12 older orders; --limit 0 shows all)" in text.out, "people see 50", text)
    ok(len(run("orders", "-d", path, "-n", "0").out.splitlines()) == 63, "or all")
    ok("\x1b" not in text.out and "bad ?[31mlot ? size" in text.out, "no foreign text steers the terminal")
    ok("no orders" in run("orders", "-d", path, "--since", "1h").out, "nothing is said to be nothing")

    cycles = run("cycles", "list", "-d", path, "--json").lines()
    ok(len(cycles) == 62 and cycles[0]["route"].startswith("USDT>BTC>ETH") and cycles[0]["planned_out"] == "100.125",
       "all cycles", cycles[0])
    ok([c["state"] for c in cycles[-3:]] == ["completed", "failed", "active"], "their states", cycles[-3:])
    ok([c["cycle"] for c in run("cycles", "list", "-d", path, "--open", "--json").lines()] == [cycles[-1]["cycle"]], "--open")
    ok(len(run("cycles", "list", "-d", path, "--state", "failed", "--json").lines()) == 1, "--state")
    show = run("cycles", "show", cycles[0]["cycle"], "-d", path, "--json").lines()[0]
    ok(show["orders"][0]["client_id"] == orders[0]["client_id"] and show["orders"][0]["fills"][0]["fee"] == "0.0000025",
       "cycles show: its orders and fills", show)
    text = run("cycles", "show", cycles[0]["cycle"], "-d", path)
    ok(orders[0]["client_id"] in text.out and "0.0000025 BTC" in text.out and "profit" in text.out, "for people", text)
    text = run("cycles", "show", "000009-00000001", "-d", path)
    ok(text.code == 1 and "no cycle 000009-00000001 is on record" in text.err, "one that is not there", text)

    decisions = run("decisions", "-d", path, "--json").lines()
    ok(len(decisions) == 124 and {d["event"] for d in decisions} == {"decision"}, "all decisions", len(decisions))
    ok(decisions[0]["verdict"] == "SKIP" and decisions[0]["reasons"] == ["threshold"] and decisions[0]["net_bps"] == "12.5",
       "with verdict, reasons, figures", decisions[0])
    ok(len(run("decisions", "-d", path, "--verdict", "execute", "--json").lines()) == 62, "--verdict")
    ok(len(run("decisions", "-d", path, "--reason", "stale", "--json").lines()) == 0, "--reason")
    text = run("decisions", "-d", path)
    ok("62 executed, 62 skipped: threshold 62" in text.out and "(74 older decisions" in text.out, "a tally below", text)

    journal = run("journal", "-d", path, "--json").lines()
    ok([j["position"] for j in journal] == list(range(1, len(journal) + 1)), "the journal is whole and in order")
    ids = {j["client_id"] for j in journal if j["type"] == "order intent"}
    ok(ids == {o["client_id"] for o in orders}, "and knows every order")
    of_one = run("journal", "-d", path, "--cycle", cycles[0]["cycle"], "--json").lines()
    ok([j["type"] for j in of_one] == ["cycle open", "cycle event", "cycle event", "order intent",
                                      "order event", "fill", "order event", "cycle event"], "--cycle: with its orders", of_one)
    ok(len(run("journal", "-d", path, "--order", orders[0]["client_id"], "--json").lines()) == 4, "--order")
    ok(len(run("journal", "-d", path, "--type", "fill", "--json").lines()) == 60, "--type")
    text = run("journal", "-d", path, "-n", "3")
    ok(len(text.out.splitlines()) == 4 and "\x1b" not in text.out and "client_id=" in text.out, "for people", text)


def test_torn():
    path = write_journal("torn", 2)
    file = os.path.join(path, "journal-00000001.tgj")
    whole = len(run("journal", "-d", path, "--json").lines())
    os.truncate(file, os.path.getsize(file) - 5)
    before = os.path.getsize(file)
    got = run("journal", "-d", path)
    ok(got.code == 0 and "no whole record" in got.err and len(got.out.splitlines()) == whole - 1, "a torn tail is told", got)
    ok(os.path.getsize(file) == before, "and left as it is")


def test_follow():
    path = write_journal("followed", 1)
    child = subprocess.Popen([TRIGATE, "journal", "--follow", "--json", "-d", path, "-n", "1"], stdout=subprocess.PIPE, cwd=HERE)
    first = json.loads(child.stdout.readline())
    write_journal("followed", 1)
    more = json.loads(child.stdout.readline())
    ok(more["position"] == first["position"] + 1 and more["type"] == "start", "--follow goes on with what is written", more)
    child.terminate()
    child.wait()
    child.stdout.close()


def fake_gateway(path, answer, heard):
    """A gateway that takes one request and says `answer`."""
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(os.path.join(path, "control.sock"))
    listener.listen()

    def serve():
        peer, _ = listener.accept()
        heard.append(json.loads(peer.makefile().readline()))
        peer.sendall(answer)
        peer.close()
        listener.close()
    thread = threading.Thread(target=serve)
    thread.start()
    return thread


def ask(words, answer):
    path = tempfile.mkdtemp(dir=HERE)
    heard = []
    thread = fake_gateway(path, answer, heard)
    got = run(*words, "-d", path)
    thread.join()
    return got, heard


def test_control():
    got = run("stop", "-d", "absent")
    ok(got.code == 1 and "no state directory absent" in got.err, "stop: no state directory", got)
    empty = os.path.join(HERE, "empty")
    os.makedirs(empty, exist_ok=True)
    for command in ("stop", "status"):
        got = run(command, "-d", empty)
        ok(got.code == 1 and "no gateway is running" in got.err, f"{command}: nobody there", got)
    dead = socket.socket(socket.AF_UNIX)
    dead.bind(os.path.join(empty, "control.sock"))
    dead.close()
    got = run("stop", "-d", empty)
    ok(got.code == 1 and "ended without cleaning up" in got.err, "stop: a dead socket", got)

    for words, level in ([], "end"), (["--cycles"], "cycles"), (["--risk"], "risk"), (["--freeze"], "freeze"), (["--resume"], "none"):
        got, heard = ask(["stop", *words], b'{"ok":true}\n')
        ok(got.code == 0 and heard == [{"command": "stop", "level": level}] and got.out, f"stop {words}: level {level}", got, heard)
    got, _ = ask(["stop"], b'{"ok":true,"message":"ending, 2 cycles are open\\u001b[31m"}\n')
    ok(got.out == "ending, 2 cycles are open?[31m\n", "the gateway's own words, made plain", got)
    got, _ = ask(["stop", "--json"], b'{"ok":true,"open_cycles":2}\n')
    ok(got.out == '{"ok":true,"open_cycles":2}\n', "stop --json: its answer as it is", got)
    got, _ = ask(["stop"], b'{"ok":false,"error":"not now"}\n')
    ok(got.code == 1 and "the gateway refused: not now" in got.err, "a refusal", got)
    got, _ = ask(["stop"], b"what?\n")
    ok(got.code == 1 and "cannot be read" in got.err, "an answer that is none", got)
    got, _ = ask(["stop"], b"")
    ok(got.code == 1 and "may or may not have done it" in got.err, "no answer", got)
    got, _ = ask(["stop", "--wait", "5"], b'{"ok":true}\n')
    ok(got.code == 0, "stop --wait: it has ended", got)
    got, heard = ask(["status"], b'{"ok":true,"state":"running","cycles":{"open":1,"completed":7}}\n')
    ok(heard == [{"command": "status"}] and re.search(r"cycles\.completed +7\n", got.out), "status: as a table", got)


trigate.run_tests(TAP, globals(), lambda: shutil.rmtree(HERE))
