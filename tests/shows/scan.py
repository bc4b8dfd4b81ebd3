#!/usr/bin/python3
"""Show "scan": `trigate scan` over a recorded market against brute force in exact fractions, for fees of 0 and of the file,
cycles of up to three and of up to four. The market is looked for in TRIGATE_DATA (../shared/data); without it one is made
up. BUILD names the build folder."""
import itertools, json, os, random, sys, tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../integration"))
import scan_check
import trigate

scan_check.trigate = trigate.TRIGATE


def market(folder):
    recorded = os.path.join(trigate.DATA, scan_check.RECORDED)
    if os.path.exists(recorded):
        return recorded, scan_check.RECORDED
    made_up = os.path.join(folder, "made-up.csv")
    with open(made_up, "w") as file:
        file.write(scan_check.made_up(random.Random(1), "ABCDEFGHIJKLMNOPQRST", 180))
    return made_up, "made up"


def say_best(path, fee, legs):
    _, events, _ = scan_check.scan(path, "--fee-bps", fee, "--min-bps", "0", "--legs", legs)
    for event in events[:3]:
        if event["event"] == "cycle":
            print(f"#   {'>'.join(event['cycle'])}: {event['net_bps']} bps, size {event['size']} {event['cycle'][0]}")
    return events[-1]


def main():
    shown = {}
    with tempfile.TemporaryDirectory() as folder:
        path, name = market(folder)
        for fee, legs in itertools.product(("0", "file"), (3, 4)):
            scan_check.compare(name, path, fee, "0", legs)
            shown[f"shown_fee_{fee}_legs_{legs}"] = say_best(path, fee, str(legs))["shown"]
    print(json.dumps({"event": "summary", "show": "scan", "violations": scan_check.failed, "checks": scan_check.count,
                      "market": name, **shown}, separators=(",", ":")))
    return 1 if scan_check.failed else 0


sys.exit(main())
