// ccxt, a client library made for Binance, against `trigate venue`: only its URLs and its key are changed.
//   TRIGATE_PEERS=FOLDER NODE_EXTRA_CA_CERTS=DIR/ca.pem node clients.mjs DIR/venue.json
// Prints {"step":…,"ok":…,"told":…} for each thing it does; the authority that signs the venue is trusted by Node itself.
import { createRequire } from 'node:module';
import { readFileSync } from 'node:fs';

const ccxt = createRequire(process.env.TRIGATE_PEERS + '/')('ccxt');
const venue = JSON.parse(readFileSync(process.argv[2], 'utf8'));
const SYMBOL = 'BTC/USDT';

function keyOf(file) {
  const text = readFileSync(file, 'utf8');
  const id = /^id = (.*)$/m.exec(text)[1];
  const secret = /^secret = (.*)$/m.exec(text);
  return { apiKey: id, secret: secret ? secret[1] : text.slice(text.indexOf('-----BEGIN')) };
}

function clientOf(file) {
  const exchange = new ccxt.pro.binance({
    ...keyOf(file),
    options: { fetchMarkets: { types: ['spot'] }, fetchCurrencies: false, fetchMargins: false, adjustForTimeDifference: true },
  });
  const { api } = exchange.urls;
  Object.assign(api, { public: venue.rest + '/api/v3', private: venue.rest + '/api/v3', sapi: venue.rest + '/sapi/v1' });
  api.ws.spot = venue.stream + '/ws';
  api.ws['ws-api'].spot = venue.ws_api;
  return exchange;
}

async function step(name, act) {
  try {
    const limit = new Promise((_, reject) => setTimeout(() => reject(new Error('no answer in 20 s')), 20000).unref());
    const told = await Promise.race([act(), limit]);
    console.log(JSON.stringify({ step: name, ok: true, told }));
  } catch (error) {
    console.log(JSON.stringify({ step: name, ok: false, told: String(error.stack || error).slice(0, 1500) }));
  }
}

function check(condition, what) {
  if (!condition) throw new Error(what);
}

// a resting order far below the market, seen, found and cancelled
async function rest(exchange) {
  const ticker = await exchange.fetchBidsAsks([SYMBOL]);
  const price = ticker[SYMBOL].bid * 0.9;
  const placed = await exchange.createOrder(SYMBOL, 'limit', 'buy', 0.001, price);
  const open = await exchange.fetchOpenOrders(SYMBOL);
  check(open.some((order) => order.id === placed.id), 'it is not among the open orders');
  const found = await exchange.fetchOrder(placed.id, SYMBOL);
  check(found.status === 'open' && found.clientOrderId === placed.clientOrderId, `it is ${found.status}`);
  const cancelled = await exchange.cancelOrder(placed.id, SYMBOL);
  check(cancelled.status === 'canceled', `it is ${cancelled.status}`);
  return placed.id;
}

// an order that trades, its trades, and the balance that it left
async function trade(exchange) {
  const before = await exchange.fetchBalance();
  const ticker = await exchange.fetchBidsAsks([SYMBOL]);
  const placed = await exchange.createOrder(SYMBOL, 'limit', 'buy', 0.001, ticker[SYMBOL].ask * 1.01, { timeInForce: 'IOC' });
  check(placed.filled > 0, `nothing of it was filled: ${placed.status}`);
  const trades = (await exchange.fetchMyTrades(SYMBOL)).filter((one) => one.order === placed.id);
  const bought = trades.reduce((sum, one) => sum + one.amount, 0);
  check(Math.abs(bought - placed.filled) < 1e-9, `its trades are ${bought}, it is filled ${placed.filled}`);
  const after = await exchange.fetchBalance();
  check(after.total.BTC > (before.total.BTC || 0) && after.total.USDT < before.total.USDT, 'the balance did not move');
  return { bought, fee: trades[0].fee };
}

async function refuse(exchange) {
  try {
    await exchange.createOrder(SYMBOL, 'limit', 'buy', 1000, 60000);
  } catch (error) {
    check(error instanceof ccxt.InsufficientFunds, `it was refused otherwise: ${error}`);
    return error.constructor.name;
  }
  throw new Error('an order beyond the balance was taken');
}

async function book(exchange) {
  let last;
  for (let i = 0; i < 5; i++) last = await exchange.watchOrderBook(SYMBOL);
  check(last.bids[0][0] < last.asks[0][0], 'it is crossed');
  return { bid: last.bids[0][0], ask: last.asks[0][0] };
}

async function tickers(exchange, count) {
  const symbols = exchange.symbols.slice(0, count);
  const seen = new Set();
  while (seen.size < 3) for (const symbol of Object.keys(await exchange.watchBidsAsks(symbols))) seen.add(symbol);
  return [...seen];
}

// an order over the WebSocket API, its news on the user stream
async function socketOrder(exchange) {
  const news = exchange.watchOrders(SYMBOL);
  await exchange.sleep(500);
  const ticker = await exchange.fetchBidsAsks([SYMBOL]);
  const placed = await exchange.createOrderWs(SYMBOL, 'limit', 'buy', 0.001, ticker[SYMBOL].bid * 0.9);
  const heard = await news;
  check(heard.some((order) => order.id === placed.id && order.status === 'open'), 'the user stream did not tell of it');
  const found = await exchange.fetchOrderWs(placed.id, SYMBOL);
  check(found.status === 'open', `it is ${found.status}`);
  const cancelled = await exchange.cancelOrderWs(placed.id, SYMBOL);
  check(cancelled.status === 'canceled', `it is ${cancelled.status}`);
  return placed.id;
}

for (const [kind, file] of [['HMAC', venue.key_file], ['Ed25519', venue.key_file_ed25519]]) {
  const exchange = clientOf(file);
  await step(`${kind}: loadMarkets`, async () => Object.keys(await exchange.loadMarkets()).length);
  await step(`${kind}: fetchTime`, () => exchange.fetchTime());
  await step(`${kind}: fetchBalance`, async () => (await exchange.fetchBalance()).total);
  await step(`${kind}: fetchOrderBook`, async () => (await exchange.fetchOrderBook(SYMBOL, 20)).bids.length);
  await step(`${kind}: an order that rests`, () => rest(exchange));
  await step(`${kind}: an order that trades`, () => trade(exchange));
  await step(`${kind}: an order beyond the balance`, () => refuse(exchange));
  await step(`${kind}: watchOrderBook`, () => book(exchange));
  await step(`${kind}: watchBidsAsks`, () => tickers(exchange, 50));
  await step(`${kind}: an order over the WebSocket API`, () => socketOrder(exchange));
  await step(`${kind}: fetchBalanceWs`, async () => (await exchange.fetchBalanceWs()).info.balances.length);
  await exchange.close();
}
process.exit(0);
