"""A gateway that is going to be killed, and the demo made busy enough that a kill hits while orders are under way."""
import json, os, re, signal, subprocess, time

import trigate

DEADLINE_S = 60
SPEEDS = ["max", "300", "100", "30"]
# What differs from the demo's files: chances come and last, several cycles are open at once, replies take their time.
BUSY = {"opportunities_per_minute": 1500, "max_open_cycles": 12, "min_profit_bps": 1, "max_retries": 4}
LATENCY = "      latency_ms: 20\n      jitter_ms: 60\n      lifetime_ms: 400\n"


def configure(folder, storage=None, more=""):
    """The demo's two files, made busy. storage: lines below that key in place of the demo's; more: further keys."""
    examples = os.path.dirname(trigate.DEMO)
    for name in ("demo.yaml", "demo-strategy.yaml"):
        text = open(os.path.join(examples, name)).read()
        for key, value in BUSY.items():
            text = re.sub(rf"\b{key}: *[0-9]+", f"{key}: {value}", text)
        text = re.sub(r"(    settings:\n)", rf"\1{LATENCY}", text)
        if name == "demo.yaml":
            text = re.sub(r"(?m)^storage:\n(  .*\n)+", lambda old: f"storage:\n{storage}" if storage else old[0], text) + more
        with open(os.path.join(folder, name), "w") as file:
            file.write(text)


class Victim:
    def __init__(self, folder, state_dir, seed, *words, environment=None):
        self.folder = folder
        self.out = open(os.path.join(folder, "stdout"), "wb")
        self.err = open(os.path.join(folder, "stderr"), "wb")
        self.began = time.monotonic()
        self.process = subprocess.Popen(
            [trigate.TRIGATE, "run", "--config", os.path.join(folder, "demo.yaml"), "--seed", str(seed), "--state-dir", state_dir, "--json",
             *map(str, words)], stdin=subprocess.DEVNULL, stdout=self.out, stderr=self.err,
            env=dict(os.environ, **(environment or {})))

    def lived_s(self):
        return time.monotonic() - self.began

    def wait_trading(self):
        """Until it has told of more than how its start goes, or has ended."""
        while self.process.poll() is None and not any(not line.startswith(b'{"event":"log"')
                                                      for line in self.bytes().splitlines()):
            if self.lived_s() > DEADLINE_S:
                raise RuntimeError("no line of output within a minute")
            time.sleep(0.001)
        return self.lived_s()

    def wait_told(self, what, since=0):
        """Until it has logged `what` behind that place in its output; where that was. None: it has ended without."""
        limit = time.monotonic() + DEADLINE_S
        while True:
            ended = self.process.poll() is not None
            place = since
            for line in self.bytes()[since:].splitlines(keepends=True):
                place += len(line)
                if line.endswith(b"\n") and b'"event":"log"' in line and json.loads(line)["what"] == what:
                    return place
            if ended or time.monotonic() > limit:
                return None
            time.sleep(0.01)

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        return self.close()

    def end(self):
        """As an operator ends it."""
        self.process.send_signal(signal.SIGTERM)
        return self.close()

    def close(self):
        """Its exit code, and how long it lived."""
        try:
            code = self.process.wait(timeout=DEADLINE_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            code = self.process.wait()
        self.out.close()
        self.err.close()
        return code, self.lived_s()

    def bytes(self):
        return open(self.out.name, "rb").read()

    def lines(self):
        """What it has told; its last line may be torn."""
        return list(map(json.loads, self.bytes().split(b"\n")[:-1]))

    def told(self):
        """Client ids of the orders that it told of."""
        return {line["client_id"] for line in self.lines() if line["event"] == "order"}

    def errors(self):
        return open(self.err.name, errors="replace").read()
