"""A venue in a folder of its own, and clients of it from Python's standard library: REST with signatures, WebSocket by
hand. For tests and shows that need `trigate venue`."""
import base64, hashlib, hmac, http.client, json, os, re, signal, socket, ssl, struct, subprocess, time, urllib.parse

import trigate

GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


class Venue:
    """`trigate venue` as a process; ended by its own number."""

    def __init__(self, folder, *options, **popen):
        self.folder = folder
        self.process = subprocess.Popen(
            [trigate.TRIGATE, "venue", "--dir", folder, "--json", "--control", *map(str, options)],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, **popen)
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(self.process.communicate()[1].decode(errors="replace"))
        self.ready = json.loads(line)
        self.described = json.load(open(os.path.join(folder, "venue.json")))
        at = urllib.parse.urlsplit(self.described["rest"])
        self.host, self.port = at.hostname, at.port
        self.tls = at.scheme == "https"
        self.key, self.secret = key_read(self.described["key_file"])
        self.kept = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
        self.process.communicate()

    def end(self, number=signal.SIGTERM):
        """(exit code, what it said last, stderr)"""
        self.process.send_signal(number)
        out, err = self.process.communicate(timeout=20)
        lines = out.decode().splitlines()
        return self.process.returncode, json.loads(lines[-1]) if lines else None, err.decode(errors="replace")

    def socket(self, timeout=10):
        """A connection with TLS, if the venue has it, checked as a client would."""
        raw = socket.create_connection((self.host, self.port), timeout=timeout)
        if not self.tls:
            return raw
        context = ssl.create_default_context(cafile=self.described["ca_file"])
        context.set_alpn_protocols(["h2", "http/1.1"])
        return context.wrap_socket(raw, server_hostname=self.host)

    def ask(self, method, path, key=None):
        """(status, headers, JSON) of one request on a kept connection; None if it was cut."""
        if not self.kept:
            if self.tls:
                context = ssl.create_default_context(cafile=self.described["ca_file"])
                self.kept = http.client.HTTPSConnection(self.host, self.port, timeout=10, context=context)
            else:
                self.kept = http.client.HTTPConnection(self.host, self.port, timeout=10)
        try:
            self.kept.request(method, path, headers={"X-MBX-APIKEY": key} if key else {})
            answer = self.kept.getresponse()
            body = answer.read()
            return answer.status, answer.headers, json.loads(body) if body else None
        except (http.client.HTTPException, ConnectionError, ssl.SSLError):
            self.kept.close()
            self.kept = None
            return None

    def signed(self, method, path, text="", ahead_ms=0):
        """With the HMAC key; text is the query, encoded already."""
        text += ("&" if text else "") + f"timestamp={int(time.time() * 1000) + ahead_ms}"
        return self.ask(method, f"{path}?{text}&signature={hmac_hex(self.secret, text)}", self.key)

    def control(self, path, method="POST"):
        status, _, body = self.ask(method, "/control/" + path)
        if status != 200:
            raise RuntimeError(f"/control/{path}: {status} {body}")
        return body

    def price(self, symbol):
        """(bid, ask) as texts"""
        ticker = self.ask("GET", f"/api/v3/ticker/bookTicker?symbol={symbol}")[2]
        return ticker["bidPrice"], ticker["askPrice"]


def key_read(path):
    text = open(path).read()
    secret = re.search(r"^secret = (.*)$", text, re.M)
    return re.search(r"^id = (.*)$", text, re.M).group(1), secret.group(1) if secret else None


def hmac_hex(secret, text):
    return hmac.new(secret.encode(), text.encode(), hashlib.sha256).hexdigest()


def ws_params(venue, **params):
    """The parameters of a signed request of the WebSocket API."""
    params |= {"apiKey": venue.key, "timestamp": int(time.time() * 1000)}
    text = "&".join(f"{name}={params[name]}" for name in sorted(params))
    return params | {"signature": hmac_hex(venue.secret, text)}


class WebSocket:
    """A client's end, frame by frame, so that a test can break every rule."""

    def __init__(self, venue, path, timeout=10):
        self.socket = venue.socket(timeout)
        self.buffer = b""
        nonce = base64.b64encode(os.urandom(16))
        self.socket.sendall(f"GET {path} HTTP/1.1\r\nHost: venue\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
                            f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {nonce.decode()}\r\n\r\n".encode())
        while b"\r\n\r\n" not in self.buffer:
            if not self.more():
                raise ConnectionError("the handshake was cut")
        head, self.buffer = self.buffer.split(b"\r\n\r\n", 1)
        self.status = int(head.split()[1])
        wanted = base64.b64encode(hashlib.sha1(nonce + GUID).digest())
        if self.status == 101 and wanted not in head:
            raise ConnectionError("the nonce was answered wrongly")

    def more(self):
        got = self.socket.recv(65536)
        self.buffer += got
        return bool(got)

    def send(self, payload, first=0x81):
        payload = payload.encode() if isinstance(payload, str) else payload
        mask = os.urandom(4)
        size = bytes([0x80 | len(payload)]) if len(payload) < 126 else b"\xfe" + struct.pack(">H", len(payload))
        self.socket.sendall(bytes([first]) + size + mask + bytes(b ^ mask[i % 4] for i, b in enumerate(payload)))

    def frame(self):
        """(opcode, payload); (None, b"") when the connection has ended."""
        try:
            while (parsed := self.parse()) is None:
                if not self.more():
                    return None, b""
            return parsed
        except (ConnectionError, ssl.SSLError):
            return None, b""

    def parse(self):
        if len(self.buffer) < 2:
            return None
        size, at = self.buffer[1] & 0x7f, 2
        for code, width in ((126, 2), (127, 8)):
            if size == code:
                if len(self.buffer) < 2 + width:
                    return None
                size, at = int.from_bytes(self.buffer[2:2 + width], "big"), 2 + width
                break
        if len(self.buffer) < at + size:
            return None
        found = self.buffer[0] & 0xf, self.buffer[at:at + size]
        self.buffer = self.buffer[at + size:]
        return found

    def message(self):
        """The next text as JSON; pings are answered. None at the end."""
        while True:
            opcode, payload = self.frame()
            if opcode == 1:
                return json.loads(payload)
            if opcode == 9:
                self.send(payload, 0x8a)
            elif opcode in (None, 8):
                return None

    def call(self, method, **params):
        """A request of the WebSocket API and its answer; events that come before it are kept in `events`."""
        self.events = getattr(self, "events", [])
        self.send(json.dumps({"id": method, "method": method, "params": params}))
        while (answer := self.message()) is not None:
            if answer.get("id") == method:
                return answer
            self.events.append(answer)
        return None

    def close_code(self):
        """Reads on until the close frame: its code, or None if the connection just ended."""
        while True:
            opcode, payload = self.frame()
            if opcode == 8:
                return int.from_bytes(payload[:2], "big")
            if opcode is None:
                return None

    def close(self):
        self.socket.close()
