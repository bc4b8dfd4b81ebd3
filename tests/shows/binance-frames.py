#!/usr/bin/python3
"""Show "binance-frames": Binance's published signatures through our signer and encoders; the recorded depth from its REST
snapshots beside a decoder of decimals; frames written by hand for each message and error. The vectors are looked for in
TRIGATE_VECTORS (default: beside the recorded data), the recording in TRIGATE_DATA; without them those parts are skipped.
BUILD names the build folder."""
import base64, json, os, sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "frames"), os.path.join(HERE, "../integration")]
import cases, plain, trigate
from ours import INFO, KEY, Ours, symbol

PROGRAM = os.path.join(trigate.BUILD, "tests/binance_frames")
VECTORS = os.environ.get("TRIGATE_VECTORS") or os.path.join(trigate.DATA, "../vectors.json")
LEVELS = 20  # a side, that the gateway keeps
checks = violations = 0
skipped = []


def check(problem, what):
    """problem: what is wrong, or nothing."""
    global checks, violations
    checks += 1
    violations += bool(problem)
    if problem:
        print(f"violation: {what}: {problem}", flush=True)


def same(got, wanted):
    return "" if got == wanted else f"\n  got    {json.dumps(got)}\n  wanted {json.dumps(wanted)}"


# ---------------------------------------------------------------- vectors

def request_words(payload):
    """The parameters of a signed request of the WebSocket API as the encoder takes them; it adds the key itself."""
    words = []
    for name, value in (pair.split("=", 1) for pair in payload.split("&")):
        if name in ("recvWindow", "timestamp"):
            words += [name, "number", value]
        elif name in ("price", "quantity"):
            words += [name, len(value.partition(".")[2]), value.replace(".", "")]
        elif name != "apiKey":
            words += [name, "text", value]
    return words


def vector_ws(ours, payload, signature):
    said = ours.ask("request", "order.place", *request_words(payload))[0]
    params = json.loads(said["text"])["params"]
    joined = "&".join(f"{name}={params[name]}" for name in sorted(params) if name != "signature")
    return same([said["payload"], joined, params["signature"]], [payload, payload, signature])


def vector_rest(ours, payload, signature):
    """What of it the encoder writes: the symbol's percents, window, time and signature behind the other parameters."""
    pairs = dict(pair.split("=", 1) for pair in payload.split("&"))
    if "recvWindow" not in pairs:
        return ""
    params, _, tail = payload.partition("&recvWindow=")
    if "%" in pairs["symbol"]:
        encoded = ours.ask("encode", "symbol=", "１２３４５６")[0]["text"]
        params = encoded + params[params.index("&"):]
    window, _, time = tail.partition("&timestamp=")
    return same(ours.ask("query_text", params, window, time)[0]["text"], f"{payload}&signature={signature}")


def vectors():
    if not os.path.exists(VECTORS):
        return skipped.append("vectors (TRIGATE_VECTORS)")
    with open(VECTORS, encoding="utf-8") as file:
        listed = [v for v in json.load(file)["vectors"] if v["ex"].startswith("binance")]
    ours = Ours(PROGRAM)
    ours.ask("key")
    signed = [v for v in listed if "payload" in v]
    for vector in signed:
        payload, signature = vector["payload"], vector["sig"]
        check(same(ours.ask("sign", payload)[0]["text"], signature), f"signature of {payload[:60]}")
        encode = vector_ws if vector["ex"] == "binance-ws-api" else vector_rest
        check(encode(ours, payload, signature), f"encoding of {payload[:60]}")
    check("" if signed else "there are none", "Binance's vectors")
    ours.end()
    return len(signed)


ED25519_SEED = "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60"  # RFC 8032, section 7.1, test 1
ED25519_SIGNATURE = ("e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555"
                     "fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b")


def ed25519():
    """Binance publishes no private key with its example: that of RFC 8032 stands in."""
    der = bytes.fromhex("302e020100300506032b657004220420" + ED25519_SEED)
    pem = f"-----BEGIN PRIVATE KEY-----\n{base64.b64encode(der).decode()}\n-----END PRIVATE KEY-----\n"
    ours = Ours(PROGRAM, pem)
    check(same(ours.ask("key")[0]["status"], "ok"), "an Ed25519 key")
    check(same(ours.ask("sign", "")[0]["text"], base64.b64encode(bytes.fromhex(ED25519_SIGNATURE)).decode()),
          "a signature by Ed25519")
    ours.end()


# ---------------------------------------------------------------- the recording

def recorded(name):
    path = os.path.join(trigate.DATA, name)
    return path if os.path.exists(path) else None


def book_said(events):
    return next((event for event in reversed(events) if event["event"] == "book"), None)


class Recording:
    """One pass over the recorded depth; tampered: what the plain decoder is told instead of a frame, to be noticed."""

    def __init__(self, info, answers, frames, tampered=None):
        self.ours, self.plain, self.fetch = Ours(PROGRAM), {}, {}
        self.answers, self.frames, self.tampered = list(answers), list(frames), tampered
        self.books, self.different, self.updates = 0, [], 0
        self.ours.ask("info", info)

    def compare(self, market, events):
        said = book_said(events)
        self.books += 1
        if not said or plain.levels_of(said) != self.plain[market].best(LEVELS) or said["id"] != self.plain[market].id:
            self.different.append(f"{market} at {self.plain[market].id}")

    def snapshots(self, until):
        while self.answers and self.answers[0][0] <= until:
            _, market, body = self.answers.pop(0)
            events = self.ours.ask("snapshot", market, self.fetch[market], body)
            self.plain[market].snapshot(body)
            for data in self.plain[market].waiting:
                self.plain[market].update(data)
            self.compare(market, events)

    def update(self, data, text):
        book = self.plain[data["s"]]
        events = self.ours.ask("frame", text)
        self.updates += 1
        if book.id is None:
            book.waiting.append(data)
        elif book.update(self.tampered(data) if self.tampered else data):
            self.compare(data["s"], events)

    def run(self):
        for market in sorted({answer[1] for answer in self.answers}):
            self.plain[market] = plain.Book()
            self.plain[market].waiting = []
            for event in self.ours.ask("open", market):
                self.fetch[event["market"]] = event["fetch"]
        for time, text in self.frames:
            self.snapshots(time)
            data = json.loads(text)["data"]
            if data.get("e") == "depthUpdate":
                self.update(data, text)
        counts = self.ours.ask("counts")[0]
        self.ours.end()
        return counts


def tamper(data):
    """One digit of one quantity."""
    if data["b"] and data["b"][0][1][0] == "1":
        data = dict(data, b=[[data["b"][0][0], "2" + data["b"][0][1][1:]]] + data["b"][1:])
    return data


def tickers(info, frames):
    """bookTicker frames: the book is what the frame says."""
    ours, count, different = Ours(PROGRAM), 0, []
    ours.ask("info", info)
    for _, text in frames:
        data = json.loads(text)["data"]
        if set(data) != {"u", "s", "b", "B", "a", "A"}:
            continue
        count += 1
        said = book_said(ours.ask("frame", text))
        wanted = plain.levels_of({"bids": [[data["b"], data["B"]]], "asks": [[data["a"], data["A"]]]})
        if not said or plain.levels_of(said) != wanted:
            different.append(text)
    ours.end()
    check(different[:3], f"the books of {count} bookTicker frames")
    return count


def recording():
    paths = [recorded(name) for name in ("binance-exchange-info-2021-10-12.json", "binance-depth-2021-10-12.http.txt",
                                         "binance-depth-bookticker-2021-10-12.ws.txt")]
    if not all(paths):
        skipped.append("recorded depth (TRIGATE_DATA)")
        return {}
    with open(paths[0], encoding="utf-8") as file:
        info = file.read()
    answers, frames = plain.http_answers(paths[1]), list(plain.ws_frames(paths[2]))
    run = Recording(info, answers, frames)
    counts = run.run()
    check(run.different[:5], f"{run.books} books beside the plain decoder's")
    check(same(counts, {"event": "counts", "gaps": 0, "refused": 0, "crossed": 0, "synced": len(answers)}),
          "every book from its first snapshot, without a gap")
    check("" if run.books > 100 else f"only {run.books} books", "how much was compared")
    planted = Recording(info, answers, frames, tamper)
    planted.run()
    check("" if planted.different else "it was not noticed", "a digit that differs")
    without = [f for f in frames if '"depthUpdate"' in f[1]]
    gap = Recording(info, answers, without[:100] + without[101:])
    gap.compare = lambda market, events: None  # the books part there: what counts is that ours notices
    try:
        noticed = gap.run()["gaps"]
    except ValueError:  # the plain decoder has met it
        noticed = gap.ours.ask("counts")[0]["gaps"]
    check("" if noticed else "it was not noticed", "an update that is missing")
    return {"updates": run.updates, "books": run.books, "tickers": tickers(info, frames)}


# ---------------------------------------------------------------- frames written by hand

def streams():
    for name, before, text, wanted in cases.STREAMS:
        ours = Ours(PROGRAM)
        ours.ask("info", INFO)
        for earlier in before:
            ours.ask("frame", earlier)
        check(same(ours.ask("frame", text), wanted), f"stream: {name}")
        ours.end()


def spoken(events):
    """Without what is sent meanwhile."""
    return [event for event in events if event["event"] != "sent"]


def placing():
    for name, result, wanted in cases.PLACED:
        ours = Ours(PROGRAM).ready()
        link, number, _ = ours.place()
        check(same(spoken(ours.answer(link, number, result)), wanted), f"order.place: {name}")
        ours.end()
    for status, code, told in cases.REFUSED:
        ours = Ours(PROGRAM).ready()
        link, number, _ = ours.place()
        said = [event for event in ours.refuse(link, number, status, code, "Words.") if event["event"] == "done"]
        wanted = dict(cases.done(told), **({"code": code} if code else {}))
        check(same(said, [wanted]), f"order.place: status {status}, code {code}")
        ours.end()


def asking():
    for command, status, code, wanted in cases.ASKED:
        ours = Ours(PROGRAM).ready()
        link, number, _ = ours.sent(command, "BTCUSDT", cases.CLIENT_ID, "8")
        said = [event for event in ours.refuse(link, number, status, code, "Words.") if event["event"] in ("order", "done")]
        check(same(said, wanted), f"{command}: status {status}, code {code}")
        ours.end()


def user_stream():
    def wrapped(event):
        return json.dumps({"subscriptionId": 0, "event": event})

    for name, event, wanted in cases.USER:
        ours = Ours(PROGRAM).ready()
        check(same(spoken(ours.ask("message", 0, wrapped(event))), wanted), f"user stream: {name}")
        ours.end()
    for name, event, method in cases.USER_ASKING:
        ours = Ours(PROGRAM).ready()
        events = ours.ask("message", 0, wrapped(event)) + ours.ask("later", 2000)
        asked = [json.loads(event["text"])["method"] for event in events if event["event"] == "sent"]
        check("" if method in asked else f"asked {asked}, not {method}", f"user stream: {name}")
        ours.end()
    for name, text, anew in cases.BROKEN:
        ours = Ours(PROGRAM).ready()
        restarts = [event for event in ours.ask("message", 0, text) if event["event"] == "restart"]
        check(same(len(restarts), int(anew)), f"WebSocket API: {name}")
        ours.end()


def shutdown():
    """The server says that it will close: a successor is opened, and orders go on over the first until that is ready."""
    ours = Ours(PROGRAM).ready()
    events = ours.ask("message", 0, json.dumps({"subscriptionId": 0, "event": {"e": "serverShutdown", "E": 1}}))
    events += ours.ask("later", 10)
    check(same([event["link"] for event in events if event["event"] == "open"], [1]), "user stream: serverShutdown")
    check(same(ours.place()[0], 0), "orders go on meanwhile")
    ours.usual(ours.ask("opened", 1))
    check(same(ours.place()[0], 1), "and over the successor, once that is ready")
    ours.end()


def planted():
    """The judge itself: a case that is wrong must be seen."""
    ours = Ours(PROGRAM)
    ours.ask("info", INFO)
    check("" if same(ours.ask("frame", cases.ticker(11)), cases.read(12)) else "it was not noticed", "an id that differs")
    ours.end()


def main():
    signed = vectors()
    ed25519()
    figures = recording()
    streams()
    placing()
    asking()
    user_stream()
    shutdown()
    planted()
    print(json.dumps({"event": "summary", "show": "binance-frames", "violations": violations, "checks": checks,
                      "vectors": signed or 0, **figures, "skipped": skipped}, separators=(",", ":")))
    return 1 if violations else 0


sys.exit(main())
