// ccxt's own Binance client, its WebSocket reader and decoder, as the peer of bench/wire. One core, said by who starts it.
//   node ccxt.mjs version
//   node ccxt.mjs decode EXCHANGE_INFO COUNT FRAMES   hands it the frames of a file, one a line, again and again
//   node ccxt.mjs ingest EXCHANGE_INFO COUNT URL      subscribes every market's bookTicker at URL/ws, takes COUNT frames
// Prints {"per_second":…}; TRIGATE_PEERS is the folder that `make peers` installed into.
import { createRequire } from 'node:module';
import { readFileSync } from 'node:fs';

const WARM = 20000; // frames, until the JIT is through

const ccxt = createRequire(process.env.TRIGATE_PEERS + '/')('ccxt');
const [mode, infoFile, countText, source] = process.argv.slice(2);
if (mode === 'version') {
  console.log(`ccxt ${ccxt.version}`);
  process.exit(0);
}
const count = Number(countText);
const info = JSON.parse(readFileSync(infoFile, 'utf8'));

// the markets from the file instead of the network
async function exchangeMake(urls) {
  const options = { fetchMarkets: { types: ['spot'] }, fetchCurrencies: false, fetchMargins: false };
  const exchange = new ccxt.pro.binance({ enableRateLimit: false, options, ...urls });
  exchange.fetch2 = async () => info;
  await exchange.loadMarkets();
  return exchange;
}

function rateTell(frames, beganNs) {
  const seconds = Number(process.hrtime.bigint() - beganNs) / 1e9;
  console.log(JSON.stringify({ per_second: Math.round(frames / seconds) }));
  process.exit(0);
}

async function decode() {
  const exchange = await exchangeMake({});
  const client = exchange.client('wss://stream.binance.com:9443/ws/0');
  clearInterval(client.connectionTimer);
  const frames = readFileSync(source, 'utf8').trim().split('\n');
  const take = (i) => exchange.handleMessage(client, JSON.parse(frames[i % frames.length]));
  for (let i = 0; i < WARM; i++) take(i);
  const beganNs = process.hrtime.bigint();
  for (let i = 0; i < count; i++) take(i);
  rateTell(count, beganNs);
}

async function ingest() {
  const exchange = await exchangeMake({ urls: { api: { ws: { spot: source + '/ws' } } } });
  await exchange.loadHttpProxyAgent();
  const handle = exchange.handleMessage.bind(exchange);
  let seen = 0, beganNs;
  exchange.handleMessage = (client, message) => {
    handle(client, message);
    seen++;
    if (seen === WARM) beganNs = process.hrtime.bigint();
    if (seen === WARM + count) rateTell(count, beganNs);
  };
  const symbols = info.symbols.map((market) => exchange.safeSymbol(market.symbol));
  for (;;) await exchange.watchBidsAsks(symbols);
}

await (mode === 'decode' ? decode() : ingest());
