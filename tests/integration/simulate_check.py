"""`trigate simulate world` as a user meets it: what it refuses and how, that a seed is a run, that a printed schedule is
that run again, sweeps, the lines of --json, one's own configuration. Output is TAP; TRIGATE_BUILD_ROOT finds the binary."""
import json, os, re, signal, subprocess, sys, tempfile, time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import trigate
from trigate import ROOT, run

HERE = tempfile.mkdtemp(prefix="trigate-simulate-")
SHORT = ("--minutes", 1, "--check-twice", 0)
tap = trigate.Tap()
ok = tap.ok


def place(name):
    return os.path.join(HERE, name)


def world(*options, **more):
    return run("simulate", "world", "--out", HERE, *options, timeout=300, **more)


def lines_of(result, event):
    return [line for line in result.lines() if line["event"] == event]


def write(name, text):
    with open(place(name), "w") as file:
        file.write(text)
    return place(name)


# ---------------------------------------------------------------- misuse

def test_misuse():
    schedule = write("least.json", '{"trigate_schedule": 1, "seed": 3, "events": []}')
    wrong = write("wrong.json", '{"trigate_schedule": 1, "seed": 3,\n "events": [\n  {"at_ms": 1, "fault": "kil", "target": "g0", '
                                '"skip": 0, "arg": 0}]}')
    for words, says in (
            (["simulate"], "which one?"),
            (["simulate", "word"], "did you mean 'world'?"),
            (["simulate", "world", "extra"], "unexpected argument 'extra'"),
            (["simulate", "world", "--run", "x"], "--runs must be a whole number"),
            (["simulate", "world", "--runs", "0"], "--runs must be a whole number from 1"),
            (["simulate", "world", "--jobs", "0"], "--jobs must be"),
            (["simulate", "world", "--faults", "kil=0.1"], "no fault is called 'kil' (did you mean 'kill'?)"),
            (["simulate", "world", "--faults", "kill=2"], "a probability from 0 to 1"),
            (["simulate", "world", "--faults", "kill"], "'kill' is none of"),
            (["simulate", "world", "--sweep", "kil"], "did you mean 'kill'?"),
            (["simulate", "world", "--schedule", place("absent.json")], "absent.json: cannot be opened"),
            (["simulate", "world", "--schedule", wrong], "wrong.json:3: fault: there is no fault \"kil\"; did you mean \"kill\"?"),
            (["simulate", "world", "--schedule", schedule, "--seed", "4"], "--seed cannot be given with --schedule"),
            (["simulate", "world", "--schedule", schedule, "--faults", "none"], "--faults cannot be given with --schedule"),
            (["simulate", "world", "--shrink"], "--shrink is for --schedule"),
            (["simulate", "world", "--shrink-attempts", "0"], "--shrink-attempts must be a whole number from 1"),
            (["simulate", "world", "--shrink-attempts", "9", "--no-shrink"], "--shrink-attempts and --no-shrink exclude each other"),
            (["simulate", "world", "--trace", "--runs", "2"], "--trace is for a single run"),
            (["simulate", "world", "--strategy", "s.yaml"], "--strategy needs --config"),
            (["simulate", "world", "--out", place("absent")], "--out: there is no folder"),
            (["simulate", "world", "--config", place("absent.yaml"), "--runs", "1"], "absent.yaml"),
            (["simulate", "world", "--shedule", schedule], "did you mean '--schedule'?")):
        result = run(*words)
        ok(result.code == 2 and says in result.err, f"refused: {' '.join(words[1:3])} ... {says}", result)


def test_help():
    result = run("simulate", "world", "--help")
    ok(result.code == 0 and "--schedule FILE" in result.out, "help tells of the options", result)
    text = open(os.path.join(ROOT, "simulation/fault.h")).read()
    kinds = re.findall(r'X\(([A-Z0-9_]+), "([a-z0-9_]+)", \w+, (\d+)', text)
    missing = [name for _, name, rate in kinds if f"{name} {rate}: " not in result.out]
    ok(len(kinds) > 30, "the table of faults is read")
    tap.none(missing, "help lists every fault with its rate")


def test_docs():
    """docs/simulation.md tells of every fault as the table of simulation/fault.h does, and of no other."""
    code = open(os.path.join(ROOT, "simulation/fault.h")).read().replace("\\\n", "\n")
    kinds = re.findall(r'X\([A-Z0-9_]+,\s*"([a-z0-9_]+)",\s*\w+,\s*(\d+),\s*-?\d+,\s*-?\d+,\s*"((?:[^"]|"\s*")*)"\)', code)
    due = [f"| `{name}` | {rate} | " + re.sub(r'"\s*"', "", what) + " |" for name, rate, what in kinds]
    told = re.findall(r"^\| `[a-z0-9_]+` \| \d+ \| .*$", open(os.path.join(ROOT, "docs/simulation.md")).read(), re.M)
    ok(len(due) > 30, "the table of faults is read")
    tap.none([f"lacks: {line}" for line in due if line not in told] + [f"has: {line}" for line in told if line not in due],
             "docs/simulation.md has its lines")


# ---------------------------------------------------------------- seeds

def test_seeds():
    first = world("--runs", 4, "--jobs", 2, "--seed", 11, "--json", *SHORT)
    if first.code != 0:
        ok(False, "four runs are right", first)
        return
    runs, summary = lines_of(first, "run"), first.lines()[-1]
    ok(sorted(line["seed"] for line in runs) == [11, 12, 13, 14], "a run a seed", runs)
    ok(len({line["digest"] for line in runs}) == 4 and all(re.fullmatch("[0-9a-f]{16}", line["digest"]) for line in runs),
       "each with a digest of its own", runs)
    ok(all(line["check"] == "" and line["orders"] >= 0 for line in runs), "none violates anything")
    ok(summary["event"] == "summary" and summary["show"] == "world" and summary["violations"] == 0 and summary["runs"] == 4,
       "the last line is the summary", summary)
    for key in ("virtual_hours", "orders", "fills", "orders_per_virtual_hour", "faults", "kills", "power_losses", "starts",
                "transitions_covered", "transitions_total", "transitions_unreachable", "digest"):
        ok(key in summary, f"it has {key}", summary)
    ok(summary["virtual_hours"] >= 4 / 60, "four minutes are four minutes", summary["virtual_hours"])
    ok(summary["orders"] == sum(line["orders"] for line in runs), "orders are summed up")
    ok(sum(summary["faults"].values()) == sum(line["faults"] for line in runs) > 0, "faults are, too")
    ok(summary["starts"] >= 4, "each gateway was started")
    again = world("--runs", 4, "--jobs", 1, "--seed", 11, "--json", *SHORT)
    ok(again.lines()[-1] == summary, "the same seed is the same, to the last figure, one after another or two at once",
       again.lines()[-1], summary)
    ok({line["digest"] for line in lines_of(again, "run")} == {line["digest"] for line in runs}, "run by run")
    alone = world("--runs", 1, "--seed", 13, "--json", *SHORT)
    ok(lines_of(alone, "run")[0]["digest"] in {line["digest"] for line in runs}, "a run alone is the run among others")
    twice = world("--runs", 3, "--seed", 11, "--json", "--minutes", 1, "--check-twice", 1)
    ok(twice.code == 0 and twice.lines()[-1]["runs"] == 3, "runs that are made twice agree, and count once", twice)


def test_text():
    result = world("--runs", 2, "--seed", 11, *SHORT)
    ok(result.code == 0 and "2 runs" in result.out and "0 violations" in result.out, "people get a summary", result)
    ok("an hour" in result.out and "transitions" in result.out, "with figures for each virtual hour", result)
    ok(result.err == "", "nothing is said on stderr where no terminal is", result)
    ok("not reach" in world("--runs", 1, "--verbose", *SHORT).out, "--verbose tells of the moves that were not made")


def test_trace():
    result = world("--seed", 11, "--trace", "--json", *SHORT)
    trace = lines_of(result, "trace")
    ok(result.code == 0 and len(trace) == 1, "--trace prints one", result.err)
    text = trace[0]["text"].splitlines() if trace else []
    ok(len(text) > 50 and all(re.match(r"\d\d:\d\d:\d\d\.\d{6}  \S+ +\S", line) for line in text),
       "of lines that tell when, who and what", text[:5])
    ok(text == sorted(text, key=lambda line: line[:15]), "in the order of time")
    ok(lines_of(world("--seed", 11, "--trace", "--json", *SHORT), "trace") == trace, "the same each time, to the byte")
    ok("\ntrace:\n00:00:" in world("--seed", 11, "--trace", *SHORT).out, "people can read it, too")


# ---------------------------------------------------------------- faults and schedules

def test_faults():
    calm = world("--runs", 2, "--faults", "none", "--json", *SHORT).lines()[-1]
    ok(sum(calm["faults"].values()) == 0 and calm["kills"] == 0, "--faults none: nothing strikes", calm)
    ok(calm["fills"] > 0, "and it trades", calm)
    one = world("--runs", 2, "--faults", "none,reply_late=0.2", "--json", *SHORT).lines()[-1]
    ok(one["faults"]["reply_late"] > 0 and sum(one["faults"].values()) == one["faults"]["reply_late"], "one kind alone", one)


def test_schedule():
    events = [{"at_ms": 2000.5, "fault": "link_cut", "target": "g0", "skip": 0, "arg": 0},
              {"at_ms": 10000, "fault": "kill", "target": "g0", "skip": 3, "arg": 500},
              {"at_ms": 20000, "fault": "market_halted", "target": "v0", "skip": 0, "arg": 3000}]
    path = write("three.json", json.dumps({"trigate_schedule": 1, "seed": 5, "duration_ms": 60000, "gateways": 1, "events": events}))
    first = world("--schedule", path, "--json", "--check-twice", 1)
    ok(first.code == 0, "a schedule by hand is run", first)
    if first.code != 0:
        return
    summary = first.lines()[-1]
    struck = {kind: count for kind, count in summary["faults"].items() if count}
    ok(struck == {"link_cut": 1, "kill": 1, "market_halted": 1}, "what it lists strikes, and nothing else", struck)
    ok(summary["runs"] == 1 and summary["kills"] == 1 and summary["starts"] == 2, "once; the gateway came back", summary)
    ok(world("--schedule", path, "--json", "--check-twice", 1).lines()[-1] == summary, "and again the same")


def children_of(pid):
    found = []
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{name}/stat") as file:
                if int(file.read().rsplit(")", 1)[1].split()[1]) == pid:
                    found.append(int(name))
        except (FileNotFoundError, ProcessLookupError):
            pass  # it has ended meanwhile
    return found


def world_halted(*options):
    """As world(); but the processes that do the runs are stopped as soon as they are seen, so that none comes further."""
    words = [trigate.TRIGATE, "simulate", "world", "--out", HERE, *map(str, options)]
    # the leak checker looks on from a process of its own, which must not be stopped
    quiet = {**os.environ, "ASAN_OPTIONS": os.environ.get("ASAN_OPTIONS", "") + ":detect_leaks=0"}
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, env=quiet) as process:
        while process.poll() is None:
            for child in children_of(process.pid):
                try:
                    os.kill(child, signal.SIGSTOP)
                except ProcessLookupError:
                    pass
            time.sleep(0.01)
        out, err = process.communicate()
    return trigate.Result(process.returncode, out, err)


def test_violation_by_timeout():
    """A run that comes no further: a violation that needs no bug."""
    result = world_halted("--minutes", 43200, "--timeout", 1, "--no-shrink", "--seed", 21, "--json", "--jobs", 1, "--runs", 3)
    found = lines_of(result, "violation")
    ok(result.code == 1 and len(found) == 1 and found[0]["check"] == "hang", "a run that comes no further is a violation", result)
    if not found:
        return
    ok(result.lines()[-1]["violations"] == 1 and result.lines()[-1]["runs"] == 1, "the first one ends it")
    ok(found[0]["schedule"] == os.path.join(HERE, "world-21.schedule.json"), "its schedule is written", found)
    schedule = json.load(open(found[0]["schedule"]))
    ok(schedule["check"] == "hang" and schedule["seed"] == 21 and schedule["duration_ms"] == 43200 * 60000, "with what it takes",
       {**schedule, "events": len(schedule["events"])})
    ok(len(schedule["events"]) == found[0]["events"], "and what struck until then")
    replay = world_halted("--schedule", found[0]["schedule"], "--timeout", 1, "--json", "--check-twice", 0)
    ok(replay.code == 1 and lines_of(replay, "violation")[0]["check"] == "hang", "--schedule shows it again", replay)
    both = world_halted("--minutes", 43200, "--timeout", 1, "--no-shrink", "--seed", 21, "--json", "--runs", 2, "--keep-going",
                        "--check-twice", 0)
    ok(both.code == 1 and both.lines()[-1]["violations"] == 2, "--keep-going goes on", both)


# ---------------------------------------------------------------- sweeps

def test_sweep():
    for fault, count in (("kill", "kills"), ("power_loss", "power_losses")):
        result = world("--sweep", fault, "--runs", 6, "--seed", 2, "--json", *SHORT)
        runs = lines_of(result, "run")
        ok(result.code == 0 and len(runs) == 7, f"--sweep {fault}: one run to count by, six to strike", result)
        if result.code != 0:
            continue
        base, struck = runs[0], sorted(runs[1:], key=lambda line: line["skip"])
        ok(base["faults"] == 0 and "skip" not in base and base["operations"] > 100, "nothing strikes in the first", base)
        places = [base["operations"] * i // 6 for i in range(6)]
        ok([line["skip"] for line in struck] == places, "then at places spread over all operations", [line["skip"] for line in struck])
        ok(all(line["fault"] == fault and line["faults"] <= 1 for line in struck), "once each")
        ok(result.lines()[-1][count] >= 4, "the process died of it, where it was not at rest yet", result.lines()[-1])
        ok(len({line["digest"] for line in struck}) >= 4, "each time another run")


# ---------------------------------------------------------------- one's own configuration

def test_configuration():
    for name in ("demo.yaml", "gateway.yaml"):
        path = os.path.join(ROOT, "examples", name)
        result = world("--config", path, "--runs", 2, "--json", *SHORT)
        ok(result.code == 0 and result.lines()[-1]["runs"] == 2, f"examples/{name} is run in it", result)
    strategy = os.path.join(ROOT, "examples/demo-strategy.yaml")
    result = world("--config", os.path.join(ROOT, "examples/demo.yaml"), "--strategy", strategy, "--runs", 1, "--json", *SHORT)
    ok(result.code == 0, "with a strategy of its own, too", result)
    result = world("--config", write("broken.yaml", "state_dir: [\n"), "--runs", 1)
    ok(result.code == 2 and "broken.yaml" in result.err, "a broken one is refused with its place", result)


for name, test in sorted(globals().items()):
    if name.startswith("test_"):
        test()
tap.end()
