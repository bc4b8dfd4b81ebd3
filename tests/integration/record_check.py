#!/usr/bin/python3
"""`trigate record` and `trigate replay` against `trigate venue`: what was recorded is played to the same books, twice the
same to the byte, and to the decisions that a gateway took live; a killed recorder, damage, rotation, wrong usage, texts of
recorded frames. TRIGATE_BUILD_ROOT names the build folder. Output is TAP."""
import glob, json, os, re, shutil, signal, subprocess, tempfile, time

import trigate
from trigate import Tap, run
from venue_client import Venue

tap = Tap()
ok = tap.ok
folder = tempfile.mkdtemp(prefix="trigate-record-")
venue = None


def at(name):
    return os.path.join(folder, name)


def files(name):
    return sorted(glob.glob(os.path.join(at(name), "*.tgcap.zst")))


def gateway():
    return venue.described["gateway"]


def summary(result):
    return result.lines()[-1]


def without_wall(result):
    """The lines but for the machine's own times."""
    return re.sub(r'"\w+_ns":\d+', "", result.out)


def replay(*words):
    return run("replay", "--json", *words)


def test_01_record_and_replay():
    recorded = run("record", "--config", gateway(), "--out", at("all"), "--seconds", 5, "--json")
    ok(recorded.code == 0, "5 seconds of all markets are recorded", recorded)
    last = summary(recorded)
    ok(last["markets"] == 30 and last["frames"] > 100 and last["dropped"] == 0 and last["files"] == 1, "with all frames", last)
    ok(os.stat(files("all")[0]).st_mode & 0o777 == 0o600, "the file is ours alone")
    played = replay(*files("all"))
    ok(played.code == 0, "and played, with what the capture says of its exchange", played)
    end = summary(played)
    ok(end["frames"] == last["frames"] and end["unclaimed"] == 0, "every frame", end)
    ok(end["answered"] == last["requests"] and end["unanswered"] == 0, "every answer", end)
    ok(end["ticks"] == last["books"] and end["books"] == 30 and end["subscribed"] == 30,
       "the gateway's books change as often as the recorder's did", end)
    ok(not end["torn"] and end["gaps"] == 0 and 4000 < end["played_ms"] < 20000, "of a whole capture", end)
    again = replay(*files("all"))
    ok(without_wall(played) == without_wall(again), "a second replay is the same to the byte")
    configured = replay(*files("all"), "--config", gateway())
    ok(configured.code == 0 and summary(configured)["books_digest"] == end["books_digest"],
       "another strategy sees the same books", configured)
    ok(summary(configured)["evaluated"] <= end["evaluated"], "and looks at what it is told to", summary(configured))
    paced = time.monotonic()
    got = replay(*files("all"), "--speed", 10)
    ok(got.code == 0 and time.monotonic() - paced > end["played_ms"] / 10000, "ten times as fast takes a tenth of the time")
    ok(summary(got)["books_digest"] == end["books_digest"], "and comes to the same", summary(got))


def test_02_some_markets():
    symbols = [line["symbol"] for line in venue.ask("GET", "/api/v3/exchangeInfo")[2]["symbols"]][:3]
    recorded = run("record", "--config", gateway(), "--out", at("some"), "--seconds", 2, "--json",
                   "--markets", ",".join(symbols[:2] + [symbols[2].lower()]))
    ok(recorded.code == 0 and summary(recorded)["markets"] == 3, "three markets, however written", recorded)
    end = summary(replay(*files("some")))
    ok(end["subscribed"] == 3 and end["books"] == 3, "are three when they are played", end)
    recorded = run("record", "--config", gateway(), "--out", at("none"), "--seconds", 1, "--json", "--markets", "NOSUCH")
    ok(recorded.code == 1 and "none of this exchange" in recorded.err, "a market that is none is told", recorded)


def decisions(lines):
    return [{key: value for key, value in line.items() if key != "cycle"} for line in lines
            if line["event"] == "decision" and line["verdict"] == "EXECUTE"]


def test_03_what_was_traded():
    live = run("run", "--live", "--config", gateway(), "--cycles", 2, "--record", at("live"), "--json")
    ok(live.code == 0, "a gateway trades, and its wire is recorded", live)
    played = replay(*files("live"), "--config", gateway(), "--balance", "USDT=10000")
    ok(played.code == 0, "the capture is played", played)
    was, would = decisions(live.lines()), decisions(played.lines())
    # a busy machine reads several frames in one pass, and so passes over what a replay, which reads each alone, decides for
    rest = iter([d["route"] for d in would])
    ok(was and all(d["route"] in rest for d in was), "it decides for the cycles that were traded, in their order", was, would)
    ok(was and would and would[0] == was[0], "the first of them at the same size, price and profit", was[:1], would[:1])
    ok(summary(played)["opportunities"] == len(would), "the summary counts them", summary(played))
    bytes_of = subprocess.run(["zstd", "-dc", *files("live")], capture_output=True).stdout if shutil.which("zstd") else b""
    if bytes_of:
        ok(not re.search(rb"signature|apiKey|X-MBX|executionReport|balances", bytes_of), "nothing of the account is in it")
    else:
        tap.skip("nothing of the account is in it", "no zstd to unpack it")
    private = run("record", "--config", gateway(), "--out", at("private"), "--seconds", 2, "--private", "--json")
    end = summary(replay(*files("private"), "--set", "key=venue"))
    ok(private.code == 0 and end["books"] == 30, "with what is the account's it is played with a key", private, end)


def test_04_rotation():
    recorded = run("record", "--config", gateway(), "--out", at("parts"), "--seconds", 3, "--rotate-mb", 1, "--json")
    ok(recorded.code == 0 and summary(recorded)["files"] == 1, "a megabyte is not full in three seconds", recorded)
    alone = replay(files("parts")[0], files("all")[0])
    ok(alone.code == 2 and "different recordings" in alone.err,
       "parts of two recordings are not played together", alone)


def test_05_killed():
    process = subprocess.Popen([trigate.TRIGATE, "record", "--config", gateway(), "--out", at("killed"), "--json"],
                               stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL)
    process.stdout.readline()
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:  # until some seconds of frames are in the file
        got = replay(*files("killed")) if files("killed") else None
        if got and got.code == 0 and summary(got)["frames"] > 100:
            break
        time.sleep(0.2)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    got = replay(*files("killed"))
    end = summary(got)
    ok(got.code == 0 and end["torn"] and end["frames"] > 100, "what a killed recorder wrote is played, and said to be torn", got)
    people = run("replay", *files("killed"))
    ok("torn" in people.out and "up to a second" in people.out, "to people, too", people)


def test_06_ends():
    process = subprocess.Popen([trigate.TRIGATE, "record", "--config", gateway(), "--out", at("ended"), "--json"],
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL)
    process.stdout.readline()
    time.sleep(1)
    process.send_signal(signal.SIGTERM)
    out, err = process.communicate(timeout=20)
    last = json.loads(out.splitlines()[-1])
    ok(process.returncode in (0, 1) and last["reason"] == "told to terminate (SIGTERM)", "SIGTERM ends it in order", last, err)
    ok(not summary(replay(*files("ended")))["torn"], "with a whole file")


def test_07_damage():
    path = files("all")[0]
    data = bytearray(open(path, "rb").read())
    data[len(data) // 2] ^= 0x55
    open(at("damaged"), "wb").write(data)
    got = replay(at("damaged"))
    ok(got.code == 1 and "damaged" in got.err, "damage is told", got)
    open(at("other"), "wb").write(b"hello")
    got = replay(at("other"))
    ok(got.code in (1, 2) and at("other") in got.err and "capture" in got.err, "so is what is no capture", got)


def test_08_usage():
    config = at("real.yaml")
    open(config, "w").write("exchanges: {a: {plugin: binance}, b: {plugin: binance}}\n")
    full = at("full")
    for words, expected in (
            (["record"], "--config"),
            (["record", "--config", at("absent")], "absent"),
            (["record", "--config", config], "say which with --exchange"),
            (["record", "--config", config, "--exchange", "c"], 'no exchange "c"'),
            (["record", "--config", config, "--exchange", "a", "--markets", ","], "names none"),
            (["replay"], "FILE"),
            (["replay", at("absent")], "absent"),
            (["replay", *files("all"), "--speed", "0"], "is not max or a number"),
            (["replay", *files("all"), "--balance", "USDT"], "CURRENCY=AMOUNT"),
            (["replay", *files("all"), "--set", "stream"], "SETTING=VALUE"),
            (["replay", *files("all"), "--http", at("absent.json")], "absent.json"),
            (["replay", *files("all"), "--http", at("absent.txt")], "absent.txt"),
            (["replay", *files("all"), "--config", trigate.DEMO], "the capture is of binance"),
            (["run", "--config", trigate.DEMO, "--record", full], "virtual clock")):
        got = run(*words)
        ok(got.code == 2 and expected in got.err, f"{words[0]} {' '.join(words[-2:])[-40:]}: exit 2 and why", got)
    got = run("record", "--config", gateway(), "--out", "/dev/null/x")
    ok(got.code == 1 and "/dev/null/x" in got.err, "no folder can be made: exit 1 and why", got)


def test_09_nobody_there():
    dead = at("dead.yaml")
    open(dead, "w").write("exchanges: {binance: {settings: {rest_url: 'https://127.0.0.1:1', stream_url: 'wss://127.0.0.1:1'}}}\n")
    got = run("record", "--config", dead, "--out", at("dead"), "--seconds", 1, "--json")
    ok(got.code == 1 and "never reached" in got.err, "an exchange that is not there: exit 1 and why", got)
    got = replay(*files("dead"))
    ok(got.code == 1 and "never came up" in got.err, "and there is nothing to play", got)


def test_10_texts():
    names = ["binance-depth-bookticker-2021-10-12.ws.txt", "binance-depth-2021-10-12.http.txt",
             "binance-exchange-info-2021-10-12.json"]
    ws, http, info = (os.path.join(trigate.DATA, name) for name in names)
    if not all(map(os.path.exists, (ws, http, info))):
        tap.skip("recorded texts are played", "no recorded data here")
        return
    for stream, books in (("bookTicker", 3), ("depth", 4)):
        got = replay(ws, "--http", http, "--http", info, "--set", f"stream={stream}")
        ok(got.code == 0 and summary(got)["books"] == books and summary(got)["subscribed"] == 4,
           f"recorded frames of Binance with {stream}: {books} of 4 books", got)
        ok(summary(got)["resyncs"] == 0, "without a resync", summary(got))
    got = replay(ws)
    ok(got.code == 1 and "never came up" in got.err, "without exchangeInfo the connector does not come up", got)


try:
    # the account pays what the connector reckons with where it has no key
    venue = Venue(at("venue"), "--listen", "127.0.0.1:0", "--markets", 30, "--taker-bps", 10, "--maker-bps", 10)
    for name, test in sorted(dict(globals()).items()):
        if name.startswith("test_"):
            print("# " + name)
            test()
finally:
    if venue:
        venue.__exit__()
    shutil.rmtree(folder, ignore_errors=True)
tap.end()
