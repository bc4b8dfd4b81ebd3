#!/usr/bin/python3
"""Show "clients": programs made for Binance by others use `trigate venue` when only their URLs, key and authority are changed:
ccxt from npm (`make peers`; clients.mjs says what it does), and curl with openssl as docs/venue.md has it. At the end the
venue's ledger explains every balance. What is not installed is left out, and said so. BUILD names the build folder."""
import json, os, re, shutil, subprocess, sys, tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../integration"))
import trigate
from venue_client import Venue

PEERS = os.path.abspath(os.environ.get("TRIGATE_PEERS") or os.path.join(trigate.BUILD, "peers"))
HERE = os.path.dirname(os.path.abspath(__file__))

violations, counts, left_out = [], {}, {}


def tell(client, passed, what, told):
    counts[client] = counts.get(client, 0) + 1
    print(f"{'ok' if passed else 'NOT OK'}  {client}: {what}" + ("" if passed else f"\n        {told}"), flush=True)
    if not passed:
        violations.append(f"{client}: {what}")


def ccxt(venue):
    if not shutil.which("node") or not os.path.isdir(os.path.join(PEERS, "node_modules/ccxt")):
        left_out["ccxt"] = f"Node.js, or ccxt in {PEERS}, is not there; `make peers` installs it"
        return
    done = subprocess.run(["node", os.path.join(HERE, "clients.mjs"), os.path.join(venue.folder, "venue.json")], timeout=150,
                          env={**os.environ, "TRIGATE_PEERS": PEERS, "NODE_EXTRA_CA_CERTS": venue.described["ca_file"]},
                          capture_output=True, text=True)
    for line in done.stdout.splitlines():
        step = json.loads(line)
        tell("ccxt", step["ok"], step["step"], step.get("told"))
    tell("ccxt", done.returncode == 0, "it came to its end", done.stderr[-1000:])


def by_hand(venue):
    """The lines of docs/venue.md, as they stand there."""
    missing = [name for name in ("bash", "curl", "openssl") if not shutil.which(name)]
    if missing:
        left_out["curl"] = f"not installed: {', '.join(missing)}"
        return
    page = open(os.path.join(trigate.ROOT, "docs/venue.md")).read()
    script = re.search(r"^```sh\n(.*?)^```", page, re.M | re.S).group(1)
    done = subprocess.run(["bash", "-euo", "pipefail", "-c", script], env={**os.environ, "DIR": venue.folder}, timeout=60,
                          capture_output=True, text=True)
    answers = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    wanted = (("the best quotes", lambda a: float(a["bidPrice"]) < float(a["askPrice"])),
              ("an order that is signed by hand", lambda a: a["status"] == "NEW" and a["clientOrderId"] == "by-hand"),
              ("cancelled", lambda a: a["status"] == "CANCELED"),
              ("the account", lambda a: any(b["asset"] == "USDT" for b in a["balances"])))
    tell("curl", done.returncode == 0 and len(answers) == len(wanted), "all is answered", done.stderr + done.stdout)
    for answer, (what, holds) in zip(answers, wanted):
        tell("curl", "code" not in answer and holds(answer), what, answer)


def main():
    with tempfile.TemporaryDirectory() as folder:
        with Venue(os.path.join(folder, "venue"), "--listen", "127.0.0.1:0") as venue:
            ccxt(venue)
            by_hand(venue)
            code, summary, err = venue.end()
            tell("venue", code == 0 and not err, "it ends well", err)
        ledger = trigate.Ledger(venue.folder, check_crc=True)
        tell("venue", not ledger.problems, f"its ledger explains every balance after {len(ledger.orders)} orders", ledger.problems)
    for client, why in left_out.items():
        print(f"left out  {client}: {why}")
    print(json.dumps({"event": "summary", "show": "clients", "violations": len(violations), "checks": sum(counts.values()),
                      "orders": len(ledger.orders), **{f"{client}_checks": counts.get(client, 0) for client in ("ccxt", "curl")},
                      "left_out": sorted(left_out)}, separators=(",", ":")))
    sys.exit(1 if violations else 0)


main()
