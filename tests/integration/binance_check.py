#!/usr/bin/python3
"""What make run EXCHANGE=binance starts: a venue that speaks Binance's protocols and a gateway, two processes over TLS,
judged by the venue's ledger. TRIGATE_BUILD_ROOT names the build folder. Output is TAP."""
import os, re, subprocess, tempfile

import trigate
from trigate import Ledger, State, Tap
from venue_client import Venue

tap = Tap()
ok = tap.ok

with tempfile.TemporaryDirectory(prefix="trigate-binance-") as folder:
    demo = os.path.join(folder, "demo")
    done = subprocess.run([os.path.join(trigate.ROOT, "examples/run-binance"), trigate.BUILD], capture_output=True,
                          stdin=subprocess.DEVNULL, env={**os.environ, "DIR": demo}, timeout=240)
    out, err = done.stdout.decode(), done.stderr.decode()
    ok(done.returncode == 0, "venue and gateway end well", done.returncode, out[-1500:], err[-1500:])
    ok(re.search(r"cycles +20 completed, \d+ failed, 0 left open", out), "20 cycles are completed, none is left open", out)
    markets = re.findall(r"streams of (\d+) markets are up", err)
    ok(markets and int(markets[-1]) >= 1000, "at least 1,000 markets are subscribed", err[-1500:])
    ok(not os.path.exists(os.path.join(demo, "venue.json")), "what the venue announced is gone with it")

    ledger, state = Ledger(demo, check_crc=True), State(os.path.join(demo, "gateway-state"))
    for order in ledger.orders:
        order.market = order.market.replace("-", "")  # as Binance calls it
    ok(len(ledger.orders) >= 60, f"{len(ledger.orders)} orders went over the wire")
    tap.none(ledger.problems, "the ledger agrees with itself")
    tap.none(trigate.orders_problems(state, ledger), "every order of the ledger is one of ours with the same end")
    tap.none(trigate.journal_problems(state, ledger), "each was on record before, with all its fills")
    tap.none(trigate.store_problems(state), "and so it is in the store")

    with Venue(os.path.join(folder, "venue"), "--listen", "127.0.0.1:0", "--markets", 50) as venue:
        key = os.path.join(folder, "stranger.key")
        with open(os.open(key, os.O_CREAT | os.O_WRONLY, 0o600), "w") as file:
            file.write("id = nobody\nsecret = none\n")
        gateway = os.path.join(venue.folder, "stranger.yaml")
        with open(venue.described["gateway"]) as made, open(gateway, "w") as file:
            file.write(re.sub(r"venue: \{.*\}", f"venue: {{from: file, path: {key}}}", made.read()))
        got = trigate.run("run", "--live", "--config", gateway, timeout=60)
        ok(got.code == 1 and "key" in got.err.lower(),
           "a key that the exchange does not know ends the run at once, with a word on why", got)

    with Venue(os.path.join(folder, "durable"), "--listen", "127.0.0.1:0", "--markets", 300, "--taker-bps", 10) as venue:
        gateway = os.path.join(venue.folder, "durable.yaml")
        with open(venue.described["gateway"]) as made, open(gateway, "w") as file:
            file.write(made.read() + "journal: {durability: power}\n")
        got = trigate.run("run", "--live", "--json", "--config", gateway, "--cycles", 3, timeout=120)
        summary = got.lines()[-1] if got.code == 0 else {}
        ok(summary.get("completed") == 3 and summary.get("open") == 0, "with durability: power cycles are completed too", got)
        ok(0 < summary.get("parked_p50_ns", 0) < summary["tick_to_order_p99_ns"], "and the summary tells how long orders were parked",
           summary)
tap.end()
