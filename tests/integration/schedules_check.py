"""Bugs that the simulator found stay fixed: each schedule of tests/schedules is replayed and has to be right. Output is
TAP; TRIGATE_BUILD_ROOT finds the binary."""
import glob, json, os, sys, tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import trigate

EVENTS_MAX = 40 # one that is longer was not shrunk


def main():
    tap = trigate.Tap()
    paths = sorted(glob.glob(os.path.join(trigate.ROOT, "tests/schedules", "*.schedule.json")))
    tap.ok(paths, "there are schedules")
    for path in paths:
        name = os.path.basename(path)
        with open(path) as file:
            schedule = json.load(file)
        tap.ok(schedule.get("text") and schedule.get("check") and len(schedule["events"]) <= EVENTS_MAX,
               f"{name} is short, and says what it was")
        with tempfile.TemporaryDirectory(prefix="trigate-schedules-") as out:
            result = trigate.run("simulate", "world", "--schedule", path, "--check-twice", 0, "--out", out, timeout=300,
                                 cwd=trigate.ROOT)
        tap.ok(result.code == 0, f"{name}: {schedule['text']}", result)
    tap.end()


main()
