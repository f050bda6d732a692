'use strict';
// ccxt (Node): `kucoinfutures` of its half with sockets, REST and `watch*`.

const ccxt = require('ccxt');
const c = require('check');

const PAIR = 'BTC/USDT:USDT';

function make(secrets = {}) {
  // Currencies are asked of the spot host, which is not simulated.
  const words = { enableRateLimit: false, newUpdates: true, has: { fetchCurrencies: false } };
  const exchange = new ccxt.pro.kucoinfutures({ ...words, ...secrets });
  const { api } = exchange.urls;
  for (const name of Object.keys(api)) if (typeof api[name] === 'string') api[name] = c.URL;
  // What follows is about classic accounts; without the word it asks another host which it is.
  exchange.options.uta = false;
  return exchange;
}

const holds = (name, run, condition) =>
  c.check(name, async () => {
    const value = await run();
    c.need(condition(value), `unexpected ${JSON.stringify(value).slice(0, 200)}`);
    return value;
  });

function refused(name, run, kinds) {
  return c.check(name, async () => {
    let value;
    try {
      value = await run();
    } catch (error) {
      c.need(kinds.includes(error.constructor.name), `${error.constructor.name}: ${error.message}`);
      return;
    }
    throw new Error(`not refused: ${JSON.stringify(value).slice(0, 200)}`);
  });
}

async function marketCalls(api) {
  const now = Date.now();
  await holds('REST loadMarkets', () => api.loadMarkets(), (markets) => markets[PAIR]);
  await holds('REST fetchTime', () => api.fetchTime(), (at) => Math.abs(at - now) < 5000);
  await holds('REST fetchStatus', () => api.fetchStatus(), (status) => status.status === 'ok');
  await holds('REST fetchTicker', () => api.fetchTicker(PAIR), (t) => t.bid < t.ask && t.last);
  await holds('REST fetchTickers', () => api.fetchTickers([PAIR]), (t) => t[PAIR].last);
  await holds('REST fetchOrderBook', () => api.fetchOrderBook(PAIR), (b) => b.bids[0][0] < b.asks[0][0]);
  await holds('REST fetchTrades', () => api.fetchTrades(PAIR), (rows) => rows.length && rows[0].price);
  await holds('REST fetchOHLCV', () => api.fetchOHLCV(PAIR, '1m'), (rows) => rows.length > 10);
  await holds('REST fetchFundingRate', () => api.fetchFundingRate(PAIR), (r) => r.fundingRate !== undefined);
  await holds('REST fetchFundingRateHistory', () => api.fetchFundingRateHistory(PAIR, now - 3 * 86400000, 10),
    (rows) => rows.length > 0);
  await holds('REST fetchMarkPrice', () => api.fetchMarkPrice(PAIR), (m) => m.markPrice);
  await refused('REST unknown symbol is refused',
    () => api.futuresPublicGetTicker({ symbol: 'NOPEUSDTM' }), ['BadRequest', 'BadSymbol', 'ExchangeError']);
}

async function publicPhase() {
  const api = make();
  await marketCalls(api);
  await holds('watchTicker', () => api.watchTicker(PAIR), (t) => t.last);
  await holds('watchTickers', () => api.watchTickers([PAIR]), (t) => t[PAIR].last);
  await holds('watchBidsAsks', () => api.watchBidsAsks([PAIR]), (t) => t[PAIR].bid < t[PAIR].ask);
  await holds('watchTrades', () => api.watchTrades(PAIR), (rows) => rows[0].price);
  await holds('watchOHLCV', () => api.watchOHLCV(PAIR, '1m'), (rows) => rows[0].length >= 6);
  await c.check('watchOrderBook equals REST', async () => {
    const books = new c.Books();
    let over = false;
    const read = (async () => {
      while (!over) {
        const book = await api.watchOrderBook(PAIR);
        books.note(book.nonce, book.bids, book.asks);
      }
    })();
    await Promise.race([books.agree(), read]);
    over = true;
  });
}

async function reconnectPhase() {
  const api = make();
  const times = [];
  (async () => {
    for (;;) {
      try {
        await api.watchTrades(PAIR);
        times.push(Date.now());
      } catch (error) {
        if (!(error instanceof ccxt.NetworkError)) throw error;
        await c.sleep(500);
      }
    }
  })();
  await c.reconnected('data again after a close', times);
}

async function privatePhase() {
  const api = make();
  await api.loadMarkets();
  // Set only now: with keys, loading asks hosts that are not simulated about margin.
  Object.assign(api, { apiKey: c.KEY, secret: c.SECRET, password: c.PASSPHRASE });
  const kinds = ['AuthenticationError', 'InvalidNonce', 'PermissionDenied', 'NotSupported'];
  for (const [name, keys] of Object.entries({
    key: ['no', c.SECRET, c.PASSPHRASE], secret: [c.KEY, 'no', c.PASSPHRASE], passphrase: [c.KEY, c.SECRET, 'no'],
  })) {
    const stranger = make({ apiKey: keys[0], secret: keys[1], password: keys[2] });
    await refused(`wrong ${name} is refused`, () => stranger.futuresPrivateGetPositions(), kinds);
  }
  await holds('fetchBalance', () => api.fetchBalance({ type: 'swap' }), (b) => b.USDT && b.USDT.total);
  const seen = {};
  const watch = async (name, run) => {
    for (;;) {
      let value;
      try {
        value = await run();
      } catch (error) {
        (seen[name] = seen[name] || []).push(error);
        return;
      }
      (seen[name] = seen[name] || []).push(...(Array.isArray(value) ? value.map((row) => ({ ...row })) : [value]));
    }
  };
  const watched = {
    watchOrders: () => api.watchOrders(PAIR), watchMyTrades: () => api.watchMyTrades(PAIR),
    watchBalance: () => api.watchBalance({ type: 'swap' }), watchPosition: () => api.watchPosition(PAIR),
  };
  Object.entries(watched).forEach(([name, run]) => watch(name, run));
  await c.sleep(2000);
  const has = async (name, condition = () => true) => {
    const row = await c.until(
      () => (seen[name] || []).find((row) => row instanceof Error || condition(row)), 20, 'anything');
    if (row instanceof Error) throw row;
  };
  const far = api.priceToPrecision(PAIR, (await api.fetchTicker(PAIR)).bid * 0.9);
  const order = { leverage: 3, marginMode: 'isolated' };
  const placed = (await c.check('createOrder, limit',
    () => api.createOrder(PAIR, 'limit', 'buy', 1, far, order))) || {};
  await c.check('order seen by watchOrders', () => has('watchOrders', (row) => row.id === placed.id));
  await holds('fetchOrder', () => api.fetchOrder(placed.id), (row) => row.status === 'open');
  await holds('fetchOpenOrders', () => api.fetchOpenOrders(PAIR), (rows) => rows.some((row) => row.id === placed.id));
  await c.check('cancelOrder', () => api.cancelOrder(placed.id));
  await c.check('cancel seen by watchOrders',
    () => has('watchOrders', (row) => row.id === placed.id && row.status === 'canceled'));
  await c.check('createOrder, market', () => api.createOrder(PAIR, 'market', 'buy', 1, undefined, { leverage: 3 }));
  await c.sleep(1000);
  await holds('fetchPositions', () => api.fetchPositions([PAIR]), (rows) => rows.length && rows[0].contracts);
  await holds('fetchMyTrades', () => api.fetchMyTrades(PAIR), (rows) => rows.length && rows[0].price);
  for (const name of Object.keys(watched)) await c.check(name, () => has(name));
}

const phases = { public: publicPhase, reconnect: reconnectPhase, private: privatePhase };
phases[c.PHASE]().then(() => process.exit(0));
