'use strict';
// kucoin-futures-node-sdk: the exchange's older SDK for futures.

const KuCoinFutures = require('kucoin-futures-node-sdk').default;
const c = require('check');

// It says 'done' by callbacks or promises; a failed request is returned, not thrown.
const make = (key = '', secret = '', passphrase = '') =>
  new KuCoinFutures({ key, secret, passphrase, axiosProps: { baseURL: c.URL, env: 'prod' } });

// The data of a good answer; anything else is an error.
async function data(answer) {
  const value = await answer;
  if (value instanceof Error) throw value;
  c.need(value && value.code === '200000', `answered ${JSON.stringify(value)}`);
  return value.data;
}

async function marketCalls(sdk) {
  const now = Date.now();
  const call = (name, args, holds) =>
    c.check(`REST ${name}`, async () => {
      const value = await data(sdk[name](...args));
      c.need(holds(value), `unexpected ${JSON.stringify(value).slice(0, 200)}`);
    });
  const whole = (value) => c.complete(value);
  await call('futuresTimestamp', [], (at) => Math.abs(at - now) < 5000);
  await call('futuresStatus', [], (value) => value.status === 'open');
  await call('futuresContractsActive', [], (rows) => rows.some((row) => row.symbol === c.SYMBOL));
  await call('futuresContractDetail', [c.SYMBOL], (row) => row.tickSize > 0);
  await call('futuresTicker', [c.SYMBOL], whole);
  for (const name of ['futuresLevel2', 'futuresLevel2Depth20', 'futuresLevel2Depth100']) {
    await call(name, [c.SYMBOL], whole);
  }
  await call('futuresTradeHistory', [c.SYMBOL], (rows) => whole(rows[0]));
  await call('futuresInterests', [{ symbol: '.XBTINT' }], (page) => whole(page.dataList[0]));
  await call('futuresIndexList', [{ symbol: '.KXBTUSDT' }], (page) => whole(page.dataList[0]));
  await call('futuresMarkPrice', [c.SYMBOL], whole);
  await call('futuresPremiums', [{ symbol: '.XBTUSDTMPI' }], (page) => whole(page.dataList[0]));
  await call('futuresFundingRate', [c.SYMBOL], (row) => row.value !== undefined);
  const days = { symbol: c.SYMBOL, from: now - 3 * 86400000, to: now };
  await call('futuresFundingRates', [days], (rows) => whole(rows[0]));
  const span = { symbol: c.SYMBOL, granularity: 1, from: now - 3600000, to: now };
  await call('futuresKline', [span], (rows) => rows.length > 50 && rows[0].length === 7);
  await c.refused('REST unknown symbol is refused', () => data(sdk.futuresTicker('NOPEUSDTM')), '200003');
}

// Its socket sends what was subscribed when it opens, and nothing later: all at once, before.
function listen(sdk, subscriptions) {
  const got = {};
  for (const [name, run] of Object.entries(subscriptions)) {
    run((message) => (got[name] = got[name] || []).push(message));
  }
  return got;
}

async function publicPhase() {
  const sdk = make();
  await marketCalls(sdk);
  const book = new c.Book();
  const socket = sdk.websocket;
  const names = ['tickerV2', 'ticker', 'execution', 'level2Depth5', 'level2Depth50', 'snapshot', 'instrument'];
  const got = listen(sdk, {
    ...Object.fromEntries(names.map((name) => [name, (take) => socket[name](c.SYMBOL, take)])),
    'level2 of a list': (take) => socket.level2([c.SYMBOL, 'ETHUSDTM'], (message) => {
      take(message);
      if (message.topic.endsWith(c.SYMBOL)) book.change(message.data.sequence, message.data.change);
    }),
    announcement: (take) => socket.announcement(take),
  });
  for (const name of [...names, 'level2 of a list']) {
    await c.check(`channel ${name}`, async () => {
      const messages = await c.until(() => got[name], 15, 'a message');
      c.need(messages[0].type === 'message', `got ${JSON.stringify(messages[0])}`);
    });
  }
  await c.check('book of its deltas equals REST', async () => {
    const snapshot = await data(sdk.futuresLevel2(c.SYMBOL));
    book.load(snapshot.sequence, snapshot.bids, snapshot.asks);
    await book.agree();
  });
}

async function reconnectPhase() {
  const times = [];
  make().websocket.tickerV2(c.SYMBOL, () => times.push(Date.now()));
  await c.reconnected('data again after a close', times);
}

async function privatePhase() {
  const sdk = make(c.KEY, c.SECRET, c.PASSPHRASE);
  await c.check('REST futuresAccount', async () => c.complete(await data(sdk.futuresAccount('USDT'))));
  await c.check('REST futuresTradeStatistics', async () => c.complete(await data(sdk.futuresTradeStatistics())));
  await c.refused('wrong key is refused', () => data(make('no', c.SECRET, c.PASSPHRASE).futuresAccount('USDT')), '400003');
  await c.refused('wrong secret is refused', () => data(make(c.KEY, 'no', c.PASSPHRASE).futuresAccount('USDT')), '40000');
  const socket = sdk.websocket;
  const got = listen(sdk, {
    tradeOrders: (take) => socket.tradeOrders('', take),
    'tradeOrders of a symbol': (take) => socket.tradeOrders(c.SYMBOL, take),
    advancedOrders: (take) => socket.advancedOrders(take),
    wallet: (take) => socket.wallet(take),
    position: (take) => socket.position(c.SYMBOL, take),
  });
  await c.sleep(2000);
  const seen = (name, holds) =>
    c.until(() => (got[name] || []).find((message) => holds(message.data)), 15, 'a message');
  const best = Number((await data(sdk.futuresTicker(c.SYMBOL))).bestBidPrice);
  const far = String(Math.round(best * 0.9));
  const order = { symbol: c.SYMBOL, price: far, leverage: 3, size: 1 };
  const placed = (await c.check('order placed', () => data(sdk.futuresBuy(order)))) || {};
  const is = (row) => row.orderId === placed.orderId;
  await c.check('order seen on its channel', () => seen('tradeOrders', is));
  await c.check('order by id', async () => {
    const row = await data(sdk.futuresOrderDetail(placed.orderId));
    c.need(row.id === placed.orderId, JSON.stringify(row));
  });
  await c.check('order among the active ones', async () => {
    const page = await data(sdk.futuresOpenOrders({ status: 'active' }));
    c.need(page.items.some((row) => row.id === placed.orderId), 'not there');
  });
  await c.check('order cancelled', async () => {
    const done = await data(sdk.futuresCancel(placed.orderId));
    c.need(done.cancelledOrderIds[0] === placed.orderId, JSON.stringify(done));
  });
  await c.check('cancel seen on its channel', () => seen('tradeOrders', (row) => is(row) && row.type === 'canceled'));
  const stop = { stop: 'down', stopPriceType: 'TP', stopPrice: far };
  await c.check('stop order placed', () => data(sdk.futuresBuy({ ...order, optional: stop })));
  await c.check('stop orders listed', async () => {
    c.need((await data(sdk.futuresStopOrders({ symbol: c.SYMBOL }))).items.length > 0, 'none');
  });
  await c.check('stop orders cancelled', () => data(sdk.futuresCancelAllStopOrders(c.SYMBOL)));
  await c.check('market order placed', () => data(sdk.futuresBuy({ ...order, price: undefined })));
  await c.sleep(1000);
  const some = (name, run, of = (value) => value) =>
    c.check(name, async () => c.need(of(await data(run())).length > 0, 'none'));
  await some('positions', () => sdk.futuresPositions('USDT'));
  await c.check('position', async () => {
    c.need((await data(sdk.futuresPositionDetail(c.SYMBOL))).symbol === c.SYMBOL, 'other');
  });
  await some('fills', () => sdk.futuresFills({ symbol: c.SYMBOL }), (page) => page.items);
  await some('recent fills', () => sdk.futuresRecentFills(c.SYMBOL));
  await some('recent done orders', () => sdk.futuresRecentDoneOrders(c.SYMBOL));
  for (const name of ['tradeOrders', 'tradeOrders of a symbol', 'advancedOrders', 'wallet', 'position']) {
    await c.check(`channel ${name}`, () => seen(name, () => true));
  }
}

const phases = { public: publicPhase, reconnect: reconnectPhase, private: privatePhase };
phases[c.PHASE]().then(() => process.exit(0));
