"""A decoder of Binance's depth that shares nothing with ours: the whole book as decimals by price, in dictionaries. What
"How to manage a local order book correctly" says, word by word."""
import json
from decimal import Decimal


class Book:
    def __init__(self):
        self.bids, self.asks, self.id = {}, {}, None

    def snapshot(self, text):
        data = json.loads(text)
        self.bids = {Decimal(price): Decimal(qty) for price, qty in data["bids"]}
        self.asks = {Decimal(price): Decimal(qty) for price, qty in data["asks"]}
        self.id = data["lastUpdateId"]

    def update(self, data):
        """False: it is older than the book, or there is none yet. A gap is an error: the recording has none."""
        if self.id is None or data["u"] <= self.id:
            return False
        if data["U"] > self.id + 1:
            raise ValueError(f"the recording has a gap at {data['U']}")
        for side, changes in ((self.bids, data["b"]), (self.asks, data["a"])):
            for price, qty in changes:
                side[Decimal(price)] = Decimal(qty)
                if Decimal(qty) == 0:
                    del side[Decimal(price)]
        self.id = data["u"]
        return True

    def best(self, levels):
        bids = sorted(self.bids.items(), reverse=True)[:levels]
        return {"bids": bids, "asks": sorted(self.asks.items())[:levels]}


def levels_of(said):
    """What ours says of a book, as numbers."""
    return {side: [(Decimal(price), Decimal(qty)) for price, qty in said[side]] for side in ("bids", "asks")}


def http_answers(path):
    """(time, symbol, body) of a capture's answers, in order of time."""
    answers = []
    for line in open(path, encoding="utf-8"):
        url, _, rest = line.partition(" -> ")
        time, _, body = rest.partition(": ")
        if "symbol=" in url:
            answers.append((float(time), url.split("symbol=")[1].split("&")[0], body.strip()))
    return sorted(answers)


def ws_frames(path):
    """(time, frame) of what the server sent."""
    for line in open(path, encoding="utf-8"):
        time, _, frame = line.partition(": ")
        if line[:1].isdigit() and frame.startswith("{"):
            yield float(time), frame.strip()
