"""Frames written by hand after Binance's pages (spot API docs of 2026-07), and what has to come of each."""
from ours import CLIENT_ID, KEY

OK = "ok"
REJECTED = "rejected: it did not happen and will not"
RETRY = "did not happen, the same call may succeed later"
LIMITED = "rate limited, see retry_after_ns"
UNKNOWN = "outcome unknown: it may or may not have happened"
AUTH = "authentication or permission failed"
NOT_FOUND = "not found"

# ---------------------------------------------------------------- market streams

TICKER = '{"u":%d,"s":"BTCUSDT","b":"%s","B":"31.21000000","a":"%s","A":"40.66000000"}'
BID, ASK = ["25000.35", "31.21"], ["25000.36", "40.66"]


def ticker(number, bid="25000.35000000", ask="25000.36000000"):
    return TICKER % (number, bid, ask)


def frame(kind, **more):
    return dict({"event": "frame", "kind": kind}, **more)


def book(number, bids, asks, market="BTCUSDT"):
    return {"event": "book", "market": market, "id": number, "bids": bids, "asks": asks}


def refused(why, number=None, market=None):
    """A frame that is not believed; of a known market the book is emptied."""
    if not market:
        return [frame("refused", why=why)]
    return [frame("refused", why=why, market=market), book(number, [], [], market)]


def read(number, bids=(BID,), asks=(ASK,)):
    return [frame("ticker", market="BTCUSDT", last=number), book(number, list(bids), list(asks))]


# name, frames that come before, the frame, what comes of it
STREAMS = [
    ("bookTicker", [], ticker(11), read(11)),
    ("bookTicker in an envelope", [], '{"stream":"btcusdt@bookTicker","data":%s}' % ticker(11), read(11)),
    ("bookTicker with its keys in another order and a new one", [],
     '{"A":"40.66","a":"25000.36","x":[{"y":null}],"B":"31.21","b":"25000.35","s":"BTCUSDT","u":11}', read(11)),
    ("bookTicker with blanks", [], ticker(11).replace(":", " : ").replace(",", " ,\t"), read(11)),
    ("bookTicker without a bid", [], ticker(11, bid="0.00000000").replace("31.21", "0.00"), read(11, bids=())),
    ("bookTicker that came before", [ticker(11)], ticker(11, bid="25000.30000000"), read(11)),
    ("bookTicker that is older", [ticker(11)], ticker(9, bid="25000.30000000"),
     [frame("ticker", market="BTCUSDT", last=9), book(11, [BID], [ASK])]),
    ("bookTicker that is younger", [ticker(11)], ticker(12, bid="25000.30000000"),
     read(12, bids=[["25000.3", "31.21"]])),
    ("bookTicker with prices crossed", [ticker(11)], ticker(12, bid="25000.40000000"),
     [frame("ticker", market="BTCUSDT", last=12), book(11, [], [])]),
    ("bookTicker of a market that is not listed", [], ticker(11).replace("BTCUSDT", "BTCEUR"),
     refused("a symbol that is not listed")),
    ("bookTicker with a key twice", [ticker(11)], ticker(12).replace('"a"', '"b"'), refused("a key comes twice", 11, "BTCUSDT")),
    ("bookTicker without a price", [ticker(11)], ticker(12).replace('"a":"25000.36000000",', ""),
     refused("a key is missing", 11, "BTCUSDT")),
    ("bookTicker with a negative price", [ticker(11)], ticker(12, bid="-1.00000000"),
     refused("not a number of the expected form", 11, "BTCUSDT")),
    ("bookTicker with an exponent", [ticker(11)], ticker(12, bid="2e4"),
     refused("not a number of the expected form", 11, "BTCUSDT")),
    ("bookTicker with too large a number", [ticker(11)], ticker(12, bid="99999999999999999999.00"),
     refused("a number too large", 11, "BTCUSDT")),
    ("bookTicker cut off", [ticker(11)], ticker(12)[:-1], refused("it ends too early", 11, "BTCUSDT")),
    ("bookTicker and something behind it", [ticker(11)], ticker(12) + "x",
     refused("something stands behind its end", 11, "BTCUSDT")),
    ("no JSON", [], "<html>", refused("it is not JSON")),
    ("nothing", [], "", refused("it ends too early")),
    ("depth20", [], '{"stream":"ethbtc@depth20@100ms","data":{"lastUpdateId":160,"bids":[["0.00240000","10.0000"],'
                    '["0.00230000","5.5000"]],"asks":[["0.00260000","100.0000"]]}}',
     [frame("snapshot", market="ETHBTC", last=160),
      book(160, [["0.0024", "10"], ["0.0023", "5.5"]], [["0.0026", "100"]], "ETHBTC")]),
    ("depth5 that is not sorted", [], '{"stream":"ethbtc@depth5","data":{"lastUpdateId":160,"bids":[["0.00230000","1"],'
                                      '["0.00240000","1"]],"asks":[["0.00260000","1"]]}}',
     [frame("snapshot", market="ETHBTC", last=160), book(0, [], [], "ETHBTC")]),
    ("depthUpdate of a market that nobody opened", [],
     '{"e":"depthUpdate","E":1672515782136,"s":"ETHBTC","U":157,"u":160,"b":[["0.00240000","10"]],"a":[]}',
     [frame("update", market="ETHBTC", first=157, exchange_ms=1672515782136, last=160), book(0, [], [], "ETHBTC")]),
    ("depthUpdate whose ids fall", [],
     '{"e":"depthUpdate","E":1672515782136,"s":"ETHBTC","U":161,"u":160,"b":[],"a":[]}',
     refused("update ids that fall", 0, "ETHBTC")),
    ("an answer to SUBSCRIBE", [], '{"result":null,"id":3}',
     [frame("reply"), {"event": "reply", "status": OK, "ok": 1, "id": 3, "code": 0, "message": ""}]),
    ("a refusal of SUBSCRIBE", [], '{"error":{"code":2,"msg":"Invalid request: unknown stream"},"id":3}',
     [frame("reply"), {"event": "reply", "status": OK, "ok": 0, "id": 3, "code": 2,
                       "message": "Invalid request: unknown stream"}]),
    ("a refusal without a number", [], '{"code":3,"msg":"Invalid JSON: expected value at line 1 column 1"}',
     [frame("reply"), {"event": "reply", "status": OK, "ok": 0, "id": 0, "code": 3,
                       "message": "Invalid JSON: expected value at line 1 column 1"}]),
    ("serverShutdown", [], '{"e":"serverShutdown","E":1770123456789}', [frame("shutdown")]),
    ("serverShutdown in an envelope", [], '{"stream":"!serverShutdown","data":{"e":"serverShutdown","E":1770123456789}}',
     [frame("shutdown")]),
    ("a trade", [], '{"e":"trade","E":1672515782136,"s":"BTCUSDT","t":12345,"p":"0.001","q":"100","T":1672515782136,'
                    '"m":true,"M":true}', [frame("other")]),
    ("a candle", [], '{"e":"kline","E":1672515782136,"s":"BTCUSDT","k":{"t":1672515780000,"T":1672515839999,"s":"BTCUSDT",'
                     '"i":"1m","f":100,"L":200,"o":"0.0010","c":"0.0020"}}', [frame("other")]),
    ("all tickers", [], '{"stream":"!ticker@arr","data":[{"e":"24hrTicker","s":"BTCUSDT","b":"1","a":"2"}]}', [frame("other")]),
]

# ---------------------------------------------------------------- orders over the WebSocket API

FILL = {"price": "50000.00000000", "qty": "0.00400000", "commission": "0.00000400", "commissionAsset": "BTC", "tradeId": 91}
FILL_2 = {"price": "49999.99000000", "qty": "0.00600000", "commission": "0.00012300", "commissionAsset": "BNB", "tradeId": 92}


def result(status, executed, fills, **more):
    return dict({"symbol": "BTCUSDT", "orderId": 12569099453, "orderListId": -1, "clientOrderId": CLIENT_ID,
                 "transactTime": 1700000000100, "price": "50000.00000000", "origQty": "0.01000000", "executedQty": executed,
                 "origQuoteOrderQty": "0.00000000", "cummulativeQuoteQty": "0.00000000", "status": status,
                 "timeInForce": "IOC", "type": "LIMIT", "side": "BUY", "workingTime": 1700000000100, "fills": fills,
                 "selfTradePreventionMode": "NONE"}, **more)


def done(status, token=7, code=None):
    return dict({"event": "done", "token": token, "status": status}, **({"code": code} if code else {}))


def order(kind, filled=None, **more):
    said = {"event": "order", "kind": kind, "market": "BTCUSDT", "client_id": CLIENT_ID, "exchange_id": "12569099453"}
    return dict(said, **({"filled": filled} if filled is not None else {}), **more)


def fill(number, price, qty, fee, currency):
    return order("fill", fill_id=number, price=price, qty=qty, fee=fee, fee_currency=currency)


ACCEPTED = [done(OK), order("accepted", "0")]
FILLS = [fill("91", "50000", "0.004", "0.000004", "BTC"), fill("92", "49999.99", "0.006", "0.000123", "BNB")]

# name, result of order.place, what comes of it
PLACED = [
    ("filled at once", result("FILLED", "0.01000000", [FILL, FILL_2]), ACCEPTED + FILLS + [order("filled", "0.01")]),
    ("expired unfilled", result("EXPIRED", "0.00000000", [], expiryReason="UNFILLED_IOC_QUANTITY_EXPIRED"),
     ACCEPTED + [order("expired", "0", reason="UNFILLED_IOC_QUANTITY_EXPIRED")]),
    ("filled in part", result("EXPIRED", "0.00400000", [FILL]), ACCEPTED + FILLS[:1] + [order("expired", "0.004")]),
    ("expired in a match with itself", result("EXPIRED_IN_MATCH", "0.00000000", []), ACCEPTED + [order("expired", "0")]),
    ("cancelled", result("CANCELED", "0.00000000", []), ACCEPTED + [order("cancelled", "0")]),
    ("rests", result("NEW", "0.00000000", []), ACCEPTED),
    ("an ACK", {"symbol": "BTCUSDT", "orderId": 12569099453, "orderListId": -1, "clientOrderId": CLIENT_ID,
                "transactTime": 1700000000100}, ACCEPTED),
]

# Codes that do not mean "rejected" for an order: what its owner is told, by the pages' words on each.
CODES = {-1000: UNKNOWN, -1001: UNKNOWN, -1006: UNKNOWN, -1007: UNKNOWN, -1016: UNKNOWN, -2021: UNKNOWN,
         -1003: LIMITED, -1015: LIMITED, -1034: LIMITED, -1181: LIMITED, -1008: RETRY, -1021: RETRY, -1035: RETRY}
REJECTING = [-1002, -1010, -1013, -1014, -1020, -1022, -1033, -1100, -1101, -1102, -1103, -1104, -1105, -1106, -1108, -1111,
             -1112, -1114, -1115, -1116, -1117, -1118, -1119, -1120, -1121, -1122, -1125, -1127, -1128, -1130, -1134, -1135,
             -1139, -1145, -1151, -1152, -1153, -1155, -1158, -1160, -1161, -1165, -1166, -1168, -1182, -1190, -1191, -1194,
             -1196, -1197, -1198, -1199, -1210, -1211, -1220, -1221, -1222, -1223, -1224, -1225, -2010, -2011, -2013, -2014,
             -2015, -2016, -2022, -2026, -2035, -2036, -2038, -2039, -2042, -4056]

# status of the answer, code, what whoever placed an order is told
REFUSED = [(400, code, REJECTED) for code in REJECTING] + [(400, code, told) for code, told in CODES.items()] + [
    (400, -9999, UNKNOWN),   # on no page
    (500, -2010, UNKNOWN),   # a server in trouble proves nothing
    (503, -1008, RETRY),     # "busy": said before anything is done
    (429, -1003, LIMITED), (418, -1003, LIMITED), (403, 0, LIMITED)]

# method's command, status, code, what is told: of one that asks, and of one that cancels
ASKED = [
    ("query", 400, -2013, [{"event": "order", "kind": "absent", "market": "BTCUSDT", "client_id": CLIENT_ID,
                            "exchange_id": ""}, done(OK, 8)]),
    ("query", 400, -2015, [done(AUTH, 8, -2015)]),
    ("query", 400, -1003, [done(LIMITED, 8, -1003)]),
    ("query", 500, -1000, [done(RETRY, 8, -1000)]),
    ("query", 400, -1007, [done(RETRY, 8, -1007)]),
    ("cancel", 400, -2011, [done(REJECTED, 8, -2011)]),
    ("cancel", 400, -1006, [done(UNKNOWN, 8, -1006)]),
    ("cancel", 500, -1000, [done(UNKNOWN, 8, -1000)]),
]

# ---------------------------------------------------------------- user stream


def report(kind, status, **more):
    event = {"e": "executionReport", "E": 1700000000200, "s": "BTCUSDT", "c": CLIENT_ID, "S": "BUY", "o": "LIMIT", "f": "IOC",
             "q": "0.01000000", "p": "50000.00000000", "P": "0.00000000", "F": "0.00000000", "g": -1, "C": "", "x": kind,
             "X": status, "r": "NONE", "i": 12569099453, "l": "0.00000000", "z": "0.00000000", "L": "0.00000000", "n": "0",
             "N": None, "T": 1700000000200, "t": -1, "I": 28457, "w": True, "m": False, "M": False, "O": 1700000000100,
             "Z": "0.00000000", "Y": "0.00000000", "Q": "0.00000000", "W": 1700000000100, "V": "NONE"}
    return dict(event, **more)


TRADE = {"l": "0.00400000", "z": "0.00400000", "L": "50000.00000000", "n": "0.00000400", "N": "BTC", "t": 91}
LAST = {"l": "0.00600000", "z": "0.01000000", "L": "49999.99000000", "n": "0.00012300", "N": "BNB", "t": 92}

# name, event, what comes of it
USER = [
    ("a new order", report("NEW", "NEW"), [order("accepted", "0")]),
    ("a trade of a part", report("TRADE", "PARTIALLY_FILLED", **TRADE), FILLS[:1]),
    ("the last trade", report("TRADE", "FILLED", **LAST), FILLS[1:] + [order("filled", "0.01")]),
    ("expired", report("EXPIRED", "EXPIRED", z="0.00400000"), [order("expired", "0.004")]),
    ("expired in a match", report("TRADE_PREVENTION", "EXPIRED_IN_MATCH"), [order("expired", "0")]),
    ("rejected", report("REJECTED", "REJECTED", r="INSUFFICIENT_BALANCE"),
     [order("rejected", "0", reason="INSUFFICIENT_BALANCE")]),
    # of a cancelled order c is the cancel's own id, C the order's
    ("cancelled", report("CANCELED", "CANCELED", c="cancel-1", C=CLIENT_ID), [order("cancelled", "0")]),
    ("an order of somebody else", report("NEW", "NEW", c="web_4711", i=99),
     [dict(order("accepted", "0"), client_id="web_4711", exchange_id="99")]),
    ("a market that is not listed", report("NEW", "NEW", s="BTCEUR"), []),
    ("an order list", {"e": "listStatus", "E": 1, "s": "BTCUSDT", "g": 2, "c": "OCO", "l": "EXEC_STARTED", "L": "EXECUTING",
                       "r": "NONE", "C": "x", "T": 1, "O": [{"s": "BTCUSDT", "i": 17, "c": "a"}]}, []),
    ("balances", {"e": "outboundAccountPosition", "E": 1700000000200, "u": 1700000000200,
                  "B": [{"a": "BTC", "f": "1.01000000", "l": "0.00000000"}, {"a": "USDT", "f": "500.5", "l": "4.5"}]},
     [{"event": "balance", "currency": "BTC", "free": "1.01", "locked": "0"},
      {"event": "balance", "currency": "USDT", "free": "500.5", "locked": "4.5"}]),
    ("balances of before", {"e": "outboundAccountPosition", "E": 1699999999000, "u": 1699999999000,
                            "B": [{"a": "BTC", "f": "7", "l": "0"}]}, []),
    # the balances themselves come with an outboundAccountPosition of their own
    ("a deposit", {"e": "balanceUpdate", "E": 1573200697110, "a": "BTC", "d": "100.00000000", "T": 1573200697068}, []),
    ("an event that is new", {"e": "somethingNew", "E": 1}, []),
]
# Events after which it asks for balances, or for the stream again: name, event, method of the request that follows
USER_ASKING = [
    ("a lock from outside", {"e": "externalLockUpdate", "E": 1581557507324, "a": "USDT", "d": "10.00000000",
                             "T": 1581557507268}, "account.status"),
    ("the end of the stream", {"e": "eventStreamTerminated", "E": 1728973001334}, "userDataStream.subscribe.signature"),
]

# Messages that are none, or none of ours: name, text, is the connection to be opened anew?
BROKEN = [
    ("no JSON", "{broken", True),
    ("an answer that nobody waits for", '{"id":77,"status":200,"result":{},"rateLimits":[]}', False),
    # which request was not understood is not said: all that are under way are in doubt
    ("a refusal of nobody knows what", '{"id":null,"status":400,"error":{"code":-1135,"msg":"Invalid JSON"}}', True),
]
