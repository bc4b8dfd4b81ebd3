"""Counts the TAP points of one test run of meson: prints 'PASSED FAILED'. A test that ends badly without a failed point
of its own (a crash, a time-out) counts as one failed, a run that never came to its tests too. Skipped points count as
neither. Usage: count.py TESTLOG.json"""
import json
import os
import re
import sys

if not os.path.exists(sys.argv[1]):
    print(0, 1)
    sys.exit()
passed = failed = 0
with open(sys.argv[1], encoding="utf-8") as log:
    for line in log:
        test = json.loads(line)
        points = re.findall(r"^(not ok|ok)\b(.*)$", test.get("stdout") or "", re.M)
        bad = sum(verdict == "not ok" for verdict, _ in points)
        passed += sum(verdict == "ok" and not re.search(r"# skip", text, re.I) for verdict, text in points)
        failed += bad or test["result"] not in ("OK", "SKIP")
print(passed, failed)
