"""Our half of the show, run and asked: tests/shows/frames/*.c."""
import json, os, subprocess

KEY = "vmPUZE6mv9SD5VNHk4HlWFsOr6aKE2zvsw0MuIgwCIPy6utIco14y7Ju91duEh8A"  # Binance's own, of its documentation
SECRET = "NhqPtmdSJYdKjVHjA7PZj4Mge3R5YNiP1e3UZjInClVN65XAbvqqM6A7H5fATj0j"
CLIENT_ID = "be0c000001000000010100005a8c7a30"


def symbol(name, base, quote, tick, lot):
    return {"symbol": name, "status": "TRADING", "baseAsset": base, "quoteAsset": quote, "baseAssetPrecision": 8,
            "quoteAssetPrecision": 8, "baseCommissionPrecision": 8, "quoteCommissionPrecision": 8,
            "orderTypes": ["LIMIT", "MARKET"], "isSpotTradingAllowed": True,
            "filters": [{"filterType": "PRICE_FILTER", "minPrice": tick, "maxPrice": "1000000.00000000", "tickSize": tick},
                        {"filterType": "LOT_SIZE", "minQty": lot, "maxQty": "90000.00000000", "stepSize": lot}]}


INFO = json.dumps({"timezone": "UTC", "serverTime": 1700000000000, "rateLimits": [], "exchangeFilters": [], "symbols": [
    symbol("BTCUSDT", "BTC", "USDT", "0.01000000", "0.00001000"),
    symbol("ETHBTC", "ETH", "BTC", "0.00001000", "0.00010000")]})

ACCOUNT = {"makerCommission": 10, "takerCommission": 10, "canTrade": True, "updateTime": 1700000000000, "accountType": "SPOT",
           "balances": [{"asset": "BTC", "free": "1.00000000", "locked": "0.00000000"},
                        {"asset": "USDT", "free": "1000.00000000", "locked": "5.00000000"}], "permissions": ["SPOT"], "uid": 1}
ROUTINE = {"time": {"serverTime": 1700000000001}, "userDataStream.subscribe.signature": {"subscriptionId": 0},
           "account.status": ACCOUNT}


class Ours:
    def __init__(self, program, secret=SECRET):
        environment = dict(os.environ, BINANCE_KEY_ID=KEY, BINANCE_SECRET=secret)
        self.process = subprocess.Popen([program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment)

    def ask(self, *words):
        """A command's answer: the events that came of it."""
        self.process.stdin.write(json.dumps([str(word) for word in words]) + "\n")
        self.process.stdin.flush()
        events = []
        for line in self.process.stdout:
            if line == "end\n":
                return events
            events.append(json.loads(line))
        raise RuntimeError(f"{words[0]}: exit {self.process.wait()}")

    def end(self):
        self.process.stdin.close()
        return self.process.wait()

    # ---- an exchange that does what is usual

    def ready(self):
        """Connected, subscribed, balances told."""
        self.ask("key")
        self.ask("info", INFO)
        self.ask("start")
        events = self.usual(self.ask("opened", 0))
        if not any(event["event"] == "up" and event["up"] for event in events):
            raise RuntimeError(f"it does not come up: {events}")
        self.ask("later", 100)
        return self

    def usual(self, events):
        """Answer what connections ask at their start; all events, those among them."""
        told = list(events)
        for event in events:
            request = json.loads(event["text"]) if event["event"] == "sent" else {"method": None}
            if request["method"] in ROUTINE:
                told += self.usual(self.answer(event["link"], request["id"], ROUTINE[request["method"]]))
        return told

    def answer(self, link, number, result):
        return self.ask("message", link, json.dumps({"id": number, "status": 200, "result": result, "rateLimits": []}))

    def refuse(self, link, number, status, code, text):
        return self.ask("message", link, json.dumps({"id": number, "status": status, "error": {"code": code, "msg": text},
                                                     "rateLimits": []}))

    def sent(self, *words):
        """A command that sends one request: its link, id and the request."""
        for event in self.ask(*words):
            if event["event"] == "sent":
                request = json.loads(event["text"])
                return event["link"], request["id"], request
        raise RuntimeError(f"{words[0]}: nothing was sent")

    def place(self):
        return self.sent("place", "BTCUSDT", "buy", "50000.00", "0.01", CLIENT_ID, "1000", "7")
