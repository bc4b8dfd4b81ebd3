#!/usr/bin/python3
"""`trigate venue` over real sockets and TLS: what it makes in its folder, REST, streams, WebSocket API, hostile clients,
faults on request, kill -9, ends. TRIGATE_BUILD_ROOT names the build folder. Output is TAP."""
import json, os, resource, shutil, signal, socket, ssl, stat, subprocess, tempfile, time

import trigate
from trigate import Ledger, Tap, run
from venue_client import Venue, WebSocket, hmac_hex, key_read, ws_params

tap = Tap()
ok = tap.ok


def read_all(connection):
    """All bytes until the other side ends; what a reset leaves is what came before it."""
    got = b""
    try:
        while part := connection.recv(65536):
            got += part
    except (ConnectionError, ssl.SSLError):
        pass
    return got


# ------------------------------------------------------------------ usage

def usage(folder):
    for words, expected in (
            (["--listen", "nonsense"], "is not HOST:PORT"),
            (["--listen", "127.0.0.1:99999"], "is not HOST:PORT"),
            (["--listen", "0.0.0.0:0"], "with --public"),
            (["--listen", "example.org:0"], "with --public"),
            (["--balance", "USDT"], "is not CURRENCY=AMOUNT"),
            (["--balance", "USDT=-1"], "is not CURRENCY=AMOUNT"),
            (["--taker-bps", "much"], "is no number"),
            (["--markets", "3"], "--markets"),
            (["--exchange-info", folder + "/absent"], "cannot read"),
            (["--exchange-info", __file__], "--exchange-info"),
            (["--exchange-info", __file__, "--markets", "9"], "exclude each other")):
        got = run("venue", "--dir", folder + "/usage", *words)
        ok(got.code == 2 and expected in got.err and not got.out, f"venue {' '.join(words[:2])[:40]}: exit 2 and why", got)
    ok(not os.path.exists(folder + "/usage"), "nothing was made")
    for words, expected in ((["--dir", "/dev/null/x"], "cannot make the folder"), (["--dir", __file__], "no folder")):
        got = run("venue", "--listen", "127.0.0.1:0", *words)
        ok(got.code == 1 and expected in got.err, f"venue {words[1][:20]}: exit 1 and why", got)


# ----------------------------------------------------------------- folder

def folder_is_made(venue):
    files = {name: stat.S_IMODE(os.stat(os.path.join(venue.folder, name)).st_mode) for name in os.listdir(venue.folder)}
    ok(stat.S_IMODE(os.stat(venue.folder).st_mode) == 0o700, "the folder is ours alone")
    for name in ("server.key", "hmac.key", "ed25519.key", "venue-ledger.jsonl"):
        ok(files.get(name) == 0o600, f"{name} is ours alone", files)
    ok({"ca.pem", "server.pem", "venue.json", "gateway.yaml", "strategy.yaml"} <= set(files), "and what clients need", files)
    ok(not [name for name in files if name.endswith(".new")], "nothing half done is left", files)
    ok(venue.described["pid"] == venue.process.pid, "venue.json names the process", venue.described)
    ok(all(os.path.isabs(venue.described[name]) and os.path.exists(venue.described[name])
           for name in ("ca_file", "key_file", "key_file_ed25519", "ledger", "gateway")), "its files are there", venue.described)
    ok({key: venue.ready[key] for key in venue.described} == venue.described, "the first line says the same", venue.ready)
    keys = [line for line in run("keys", "--config", venue.described["gateway"], "--json").lines() if line.get("name")]
    ok([key["name"] for key in keys] == ["venue"] and "problem" not in keys[0], "a gateway can use the key", keys)
    checked = run("check", "--strict", venue.described["gateway"], os.path.join(venue.folder, "strategy.yaml"))
    ok(checked.code == 0, "gateway and strategy file are right", checked)


def tls_is_checked(venue):
    raw = venue.socket()
    ok(raw.selected_alpn_protocol() == "http/1.1", "HTTP/1.1 is agreed on where HTTP/2 was offered, too")
    ok(raw.version() in ("TLSv1.2", "TLSv1.3"), "TLS 1.2 or later", raw.version())
    raw.close()
    for context, name, what in ((ssl.create_default_context(), "127.0.0.1", "who does not trust the venue's authority"),
                                (ssl.create_default_context(cafile=venue.described["ca_file"]), "example.org", "another name")):
        try:
            context.wrap_socket(socket.create_connection((venue.host, venue.port), timeout=10), server_hostname=name)
            ok(False, f"{what}: refused")
        except ssl.SSLCertVerificationError as error:
            ok(True, f"{what}: refused", error)


# ------------------------------------------------------------------- REST

def rest(venue):
    status, headers, body = venue.ask("GET", "/api/v3/exchangeInfo")
    ok(status == 200 and len(body["symbols"]) == 12, "exchangeInfo", status)
    ok(int(headers["X-MBX-USED-WEIGHT-1M"]) >= 20, "with its weight", headers)
    ok(venue.ask("GET", "/api/v3/nothing")[0] == 404, "an unknown path")
    ok(venue.ask("GET", "/api/v3/account")[2]["code"] == -2014, "nothing signed", venue.ask("GET", "/api/v3/account"))
    status, _, body = venue.signed("GET", "/api/v3/account")
    ok(status == 200 and any(b["asset"] == "USDT" and b["free"].startswith("5000") for b in body["balances"]), "the account", body)
    for what, answer, code in (
            ("an old timestamp", venue.signed("GET", "/api/v3/account", ahead_ms=-6000), -1021),
            ("a timestamp ahead", venue.signed("GET", "/api/v3/account", ahead_ms=3000), -1021),
            ("a wrong signature", venue.ask("GET", f"/api/v3/account?timestamp={int(time.time() * 1000)}&signature={'0' * 64}",
                                            venue.key), -1022),
            ("an unknown key", venue.ask("GET", "/api/v3/account?timestamp=1&signature=0", "nobody"), -2015),
            ("too many decimals", venue.signed("POST", "/api/v3/order", "symbol=BTCUSDT&side=BUY&type=LIMIT&timeInForce=GTC"
                                               "&quantity=0.001&price=1.123456789123"), -1111)):
        ok(answer[0] in (400, 401) and answer[2]["code"] == code, f"{what}: {code}", answer)


def escapes_are_kept(venue):
    """What is percent-encoded has to be signed as it was sent: a server that decodes it first refuses good clients."""
    bid, _ = venue.price("BTCUSDT")
    order = f"symbol=BTCUSDT&side=BUY&type=LIMIT&timeInForce=GTC&quantity=0.001&price={float(bid) * 0.9:.0f}"
    status, _, body = venue.signed("POST", "/api/v3/order", order + "&newClientOrderId=a%2Db%5F%63")
    ok(status == 200 and body["clientOrderId"] == "a-b_c", "escapes are signed as sent, and mean what they mean", body)
    ok(venue.signed("DELETE", "/api/v3/order", "symbol=BTCUSDT&origClientOrderId=a%2Db_c")[2].get("status") == "CANCELED",
       "the order is found by its name")


def ed25519(venue):
    if not shutil.which("openssl"):
        tap.skip("an Ed25519 signature", "openssl is not installed")
        return
    path = venue.described["key_file_ed25519"]
    text = f"timestamp={int(time.time() * 1000)}"
    with tempfile.NamedTemporaryFile() as file, tempfile.NamedTemporaryFile() as pem:
        file.write(text.encode())
        file.flush()
        pem.write(open(path, "rb").read().split(b"\n", 2)[2])
        pem.flush()
        signature = subprocess.run(["openssl", "pkeyutl", "-sign", "-rawin", "-inkey", pem.name, "-in", file.name],
                                   capture_output=True, check=True).stdout
    import base64, urllib.parse
    quoted = urllib.parse.quote(base64.b64encode(signature).decode(), safe="")
    status, _, body = venue.ask("GET", f"/api/v3/account?{text}&signature={quoted}", key_read(path)[0])
    ok(status == 200, "an Ed25519 signature by openssl, percent-encoded", body)


# -------------------------------------------------------------- WebSocket

def streams(venue):
    ws = WebSocket(venue, "/stream?streams=btcusdt@bookTicker/ethusdt@depth@100ms")
    seen = set()
    for _ in range(200):
        message = ws.message()
        seen.add(message["stream"])
        if len(seen) == 2:
            break
    ok(seen == {"btcusdt@bookTicker", "ethusdt@depth@100ms"}, "both streams tell", seen)
    ws.send("are you there", 0x89)
    for _ in range(200):
        opcode, payload = ws.frame()
        if opcode == 10:
            break
    ok(payload == b"are you there", "a ping is answered with its payload", opcode, payload)
    ws.send((1000).to_bytes(2, "big"), 0x88)
    ok(ws.close_code() == 1000, "a close frame is answered")
    ok(ws.frame() == (None, b""), "then the connection ends")
    ok(WebSocket(venue, "/nowhere").status == 404, "an unknown path is refused")


def api(venue):
    ws = WebSocket(venue, "/ws-api/v3")
    ok(ws.call("time")["status"] == 200, "time")
    ok(ws.call("userDataStream.subscribe.signature", **ws_params(venue))["status"] == 200, "the user stream")
    _, ask = venue.price("BTCUSDT")
    order = {"symbol": "BTCUSDT", "side": "BUY", "type": "LIMIT", "timeInForce": "IOC", "quantity": "0.002",
             "price": f"{float(ask) * 1.01:.0f}", "newClientOrderId": "over-the-wire"}
    answer = ws.call("order.place", **ws_params(venue, **order))
    ok(answer["status"] == 200 and answer["result"]["status"] == "FILLED", "an order is filled", answer)
    ws.call("ping")
    told = [event["event"]["e"] for event in ws.events]
    ok("executionReport" in told and "outboundAccountPosition" in told, "the user stream tells of it", told)
    ok(ws.call("order.place", **ws_params(venue, **(order | {"quantity": "900", "newClientOrderId": "too-much"})))["error"]["code"] == -2010, "too much is refused")
    ok(ws.call("order.place", **(ws_params(venue, **order) | {"price": "1"}))["error"]["code"] == -1022, "a changed one, too")
    ledger = Ledger(venue.folder, check_crc=True)
    ok(not ledger.problems and ledger.by_id["over-the-wire"].end == "filled", "the ledger has it", ledger.problems,
       vars(ledger.by_id["over-the-wire"]))
    ws.close()


def made_by_others(venue):
    """The WebSocket client of Debian's python3-websockets, which knows nothing of us."""
    try:
        import asyncio, websockets
    except ImportError:
        tap.skip("a client made by others", "python3-websockets is not installed")
        return

    async def talk():
        context = ssl.create_default_context(cafile=venue.described["ca_file"])
        async with websockets.connect(venue.described["stream"] + "/ws", ssl=context) as ws:
            await ws.send(json.dumps({"method": "SUBSCRIBE", "params": ["btcusdt@bookTicker"], "id": 3}))
            got = [json.loads(await ws.recv()) for _ in range(3)]
            await (await ws.ping())
        return got

    got = asyncio.run(talk())
    ok({"result": None, "id": 3} in got and any(message.get("s") == "BTCUSDT" for message in got), "a client made by others", got)


# ---------------------------------------------------------------- hostile

def hostile(venue):
    raw = socket.create_connection((venue.host, venue.port), timeout=10)
    raw.sendall(b"GET /api/v3/ping HTTP/1.1\r\n\r\n")
    ok(b"HTTP/1.1 200" not in read_all(raw), "who speaks no TLS is not served")
    for what, request, expected in (
            ("nonsense", b"\0\1\2\3\r\n\r\n", b"HTTP/1.1 400 "),
            ("a huge header", b"GET / HTTP/1.1\r\nX: " + b"x" * 20000, b"HTTP/1.1 431 "),
            ("a thousand headers", b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * 1000 + b"\r\n", b"HTTP/1.1 431 "),
            ("a huge body", b"POST /api/v3/order HTTP/1.1\r\nContent-Length: 1000000000\r\n\r\n", b"HTTP/1.1 413 "),
            ("two lengths", b"POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab", b"HTTP/1.1 400 ")):
        connection = venue.socket()
        connection.sendall(request)
        got = read_all(connection)
        ok(got.startswith(expected) and b"Connection: close" in got, f"{what}: {expected.decode()}", got[:200])
        connection.close()
    connection = venue.socket()
    connection.sendall(b"GET /api/v3/exchangeInfo HTTP/1.1\r\n\r\n")
    socket.socket.shutdown(connection, socket.SHUT_WR)
    ok(b"HTTP/1.1 200" in connection.recv(65536), "who closes its half right behind a request is answered")
    connection.close()
    ws = WebSocket(venue, "/ws-api/v3")
    ws.socket.sendall(b"\x81\x02{}")
    ok(ws.close_code() == 1002, "a frame without a mask: 1002")
    ws = WebSocket(venue, "/ws-api/v3")
    ws.socket.sendall(b"\x81\xff" + (1 << 40).to_bytes(8, "big") + b"\0\0\0\0" + b"begins")
    ok(ws.close_code() == 1009, "a frame of a terabyte: 1009")
    ws = WebSocket(venue, "/ws")
    for _ in range(10):
        ws.send('{"id":1,"method":"LIST_SUBSCRIPTIONS"}')
    ok(ws.close_code() == 1008, "more than five messages a second: 1008")


def who_does_not_read(venue):
    """Two thousand answers of 13 kB that nobody fetches; the weight allows them."""
    connection = venue.socket()
    try:
        for _ in range(20):
            connection.sendall(b"GET /api/v3/exchangeInfo HTTP/1.1\r\n\r\n" * 100)
    except (ConnectionError, ssl.SSLError):
        pass
    got = read_all(connection)
    ok(b"HTTP/1.1 200" in got and got.count(b"HTTP/1.1 200 ") < 2000, "who does not read is cut off", got.count(b"HTTP/1.1 200"))
    ok(venue.ask("GET", "/api/v3/ping")[0] == 200, "others are served")


def many(venue):
    all_of_them = [venue.socket() for _ in range(200)]
    for connection in all_of_them:
        connection.sendall(b"GET /api/v3/ping HTTP/1.1\r\n\r\n")
    answers = [connection.recv(65536)[:15] for connection in all_of_them]
    ok(answers == [b"HTTP/1.1 200 OK"] * 200, "200 clients at once", set(answers))
    for connection in all_of_them:
        connection.close()


# ----------------------------------------------------------------- faults

def faults(venue):
    bid, _ = venue.price("BTCUSDT")
    order = f"symbol=BTCUSDT&side=BUY&type=LIMIT&timeInForce=GTC&quantity=0.001&price={float(bid) * 0.9:.0f}&newClientOrderId="
    for kind, taken in (("lost-before", False), ("lost-after", True)):
        venue.control(f"fault?kind={kind}&method=order.place")
        ok(venue.signed("POST", "/api/v3/order", order + kind) is None, f"{kind}: the connection is cut")
        found = venue.signed("GET", "/api/v3/order", "symbol=BTCUSDT&origClientOrderId=" + kind)
        ok(found[2].get("code") == -2013 or found[2].get("status") == "NEW" if taken else found[2].get("code") == -2013,
           f"{kind}: the order {'is' if taken else 'is not'} there", found)
        ok((kind in Ledger(venue.folder).by_id) == taken, f"{kind}: the ledger says so, too")
    for kind, status, code in (("error-1006", 502, -1006), ("error-1007", 504, -1007), ("limit", 429, -1003)):
        venue.control(f"fault?kind={kind}&method=time")
        answer = venue.ask("GET", "/api/v3/time")
        ok(answer[0] == status and answer[2]["code"] == code, f"{kind}: {status} {code}", answer)
    ok(int(answer[1]["Retry-After"]) >= 1, "429 says when to come again", answer[1])
    venue.control("clock?ahead_ms=3000")
    ahead = venue.ask("GET", "/api/v3/time")[2]["serverTime"] - time.time() * 1000
    ok(2000 < ahead < 4000, "the clock is 3 s off", ahead)
    venue.control("clock?ahead_ms=0")
    market, socket_api = WebSocket(venue, "/ws/btcusdt@bookTicker"), WebSocket(venue, "/ws-api/v3")
    venue.control("cut?kind=market")
    ok(market.close_code() is None, "a market stream is cut without a word")
    ok(socket_api.call("ping")["status"] == 200, "the WebSocket API is not")
    venue.control("fault?kind=lost-after&method=time")
    ok(socket_api.call("time") is None, "its answer is lost with the connection")
    venue.control("fault?kind=ban&method=time")
    answer = venue.ask("GET", "/api/v3/time")
    ok(answer[0] == 418 and venue.ask("GET", "/api/v3/ping")[0] == 418, "a banned address stays so", answer)


# ------------------------------------------------------------------- time

def life(folder):
    with Venue(folder + "/life", "--listen", "127.0.0.1:0", "--markets", 6, "--time-scale", 43200, "--ping-s", 1) as venue:
        ws, opcodes = WebSocket(venue, "/ws/btcusdt@depth"), []
        while (frame := ws.frame())[0] not in (8, None):
            opcodes.append(frame[0])
            if frame[0] == 9:
                ws.send(frame[1], 0x8a)
        ok(9 in opcodes, "pings come", opcodes)
        ok(frame[0] == 8 and frame[1][:2] == b"\x03\xe9", "a day, sped up to two seconds, ends with 1001", frame)
        ok(WebSocket(venue, "/ws").status == 101, "a new one is taken")


def killed(folder):
    place = folder + "/killed"
    with Venue(place, "--listen", "127.0.0.1:0", "--markets", 6) as venue:
        bid, _ = venue.price("BTCUSDT")
        order = f"symbol=BTCUSDT&side=BUY&type=LIMIT&timeInForce=GTC&quantity=0.001&price={float(bid) * 0.9:.0f}&newClientOrderId=kept"
        ok(venue.signed("POST", "/api/v3/order", order)[0] == 200, "an order rests")
        port, key = venue.port, venue.key
        second = run("venue", "--dir", place, "--listen", "127.0.0.1:0")
        ok(second.code == 1 and "another process uses it" in second.err, "a second venue on the folder is refused", second)
        ok(json.load(open(place + "/venue.json"))["pid"] == venue.process.pid, "and leaves venue.json alone")
        taken = run("venue", "--dir", folder + "/other", "--listen", f"127.0.0.1:{port}")
        ok(taken.code == 1 and "somebody listens" in taken.err, "a port that is taken: exit 1 and why", taken)
        venue.end(signal.SIGKILL)
    with Venue(place, "--listen", f"127.0.0.1:{port}", "--markets", 6) as venue:
        ok(venue.key == key and venue.port == port and venue.ready["run"] == 2, "after kill -9 it goes on, with the same keys")
        found = venue.signed("GET", "/api/v3/order", "symbol=BTCUSDT&origClientOrderId=kept")
        ok(found[0] == 200 and found[2]["status"] == "NEW", "the order is still there", found)
        ws = WebSocket(venue, "/ws/btcusdt@bookTicker")
        idle = venue.socket()
        code, summary, err = venue.end(signal.SIGTERM)
        ok(ws.close_code() == 1001, "at its end the venue says 1001")
        ok(read_all(idle) == b"", "and ends the idle")
        ok(code == 0 and summary["event"] == "summary" and summary["requests"] == 1 and not err, "exit 0 and a summary", summary, err)
        ok(not os.path.exists(place + "/venue.json"), "venue.json is gone")
    ok(not Ledger(place, check_crc=True).problems, "the ledger is whole")


def plain(folder):
    with Venue(folder + "/plain", "--listen", "localhost:0", "--plain", "--markets", 6) as venue:
        ok(venue.described["rest"].startswith("http://") and venue.described["ca_file"] is None, "without TLS", venue.described)
        ok(venue.ask("GET", "/api/v3/ping")[0] == 200, "it answers")
        connection = venue.socket()
        connection.sendall(b"GET /api/v3/exchangeInfo HTTP/1.0\r\n\r\n")
        connection.shutdown(socket.SHUT_WR)
        got = read_all(connection)
        ok(got.startswith(b"HTTP/1.1 200") and got.endswith(b"}"), "a half-closed connection gets all of it", got[-50:])
        ok(WebSocket(venue, "/ws/btcusdt@bookTicker").message()["s"] == "BTCUSDT", "and streams")
        code, summary, _ = venue.end(signal.SIGINT)
        ok(code == 0 and "SIGINT" in summary["reason"], "SIGINT ends it, too", summary)


def limits(folder):
    with Venue(folder + "/limits", "--listen", "127.0.0.1:0", "--markets", 6, "--weight-limit", 50, "--connection-limit", 3,
               "--plain") as venue:
        answers = [venue.ask("GET", "/api/v3/exchangeInfo") for _ in range(5)]  # 20 each; a minute may begin in between
        refused = [answer for answer in answers if answer[0] == 429]
        ok(refused and all(int(answer[1]["Retry-After"]) > 0 for answer in refused), "too much weight: 429", answers)
        statuses = [WebSocket(venue, "/ws").status for _ in range(7)]
        ok(statuses[0] == 101 and 429 in statuses, "too many connections: 429", statuses)


def recorded(folder):
    path = os.path.join(trigate.DATA, "binance-exchange-info-2021-10-12.json")
    if not os.path.exists(path):
        tap.skip("markets of a recording", "TRIGATE_DATA has none")
        return
    with Venue(folder + "/recorded", "--listen", "127.0.0.1:0", "--exchange-info", path) as venue:
        symbols = {symbol["symbol"] for symbol in venue.ask("GET", "/api/v3/exchangeInfo")[2]["symbols"]}
        listed = {symbol["symbol"] for symbol in json.load(open(path))["symbols"] if symbol["status"] == "TRADING"}
        ok(len(symbols) > 1000 and symbols <= listed, "markets of a recording", len(symbols), len(listed))
        ok(WebSocket(venue, "/ws/btcusdt@bookTicker").message()["s"] == "BTCUSDT", "they move")


def few_descriptors(folder):
    limit = lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
    with Venue(folder + "/few", "--listen", "127.0.0.1:0", "--plain", "--markets", 6, preexec_fn=limit) as venue:
        crowd = [venue.socket() for _ in range(100)]
        for connection in crowd:
            connection.close()
        deadline = time.monotonic() + 20
        answer = None
        while not answer and time.monotonic() < deadline:
            answer = venue.ask("GET", "/api/v3/ping")
        ok(answer and answer[0] == 200, "out of descriptors it waits, and goes on", answer)
        ok(venue.end()[0] == 0, "and ends well")


def main():
    with tempfile.TemporaryDirectory() as folder:
        usage(folder)
        with Venue(folder + "/venue", "--listen", "127.0.0.1:0", "--markets", 12, "--balance", "USDT=5000", "--unread-mb", 8,
                   "--weight-limit", 100000) as venue:
            silent, trickle = venue.socket(timeout=20), venue.socket(timeout=20)
            mute = socket.create_connection((venue.host, venue.port), timeout=20)  # not even a TLS handshake
            trickle.sendall(b"GET /api/v3/ping HT")
            for check in (folder_is_made, tls_is_checked, rest, escapes_are_kept, ed25519, streams, api, made_by_others, hostile,
                          who_does_not_read, many):
                check(venue)
            ok(all(read_all(one) == b"" for one in (silent, trickle, mute)), "who never comes to the point is cut off")
            faults(venue)
            code, summary, err = venue.end()
            ok(code == 0 and summary["cut"] >= 4 and not err, "it ends well", summary, err)
        for check in (life, killed, plain, limits, recorded, few_descriptors):
            check(folder)
    tap.end()


main()
