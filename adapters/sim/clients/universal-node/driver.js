'use strict';
// kucoin-universal-sdk (Node): the exchange's own SDK of today.

const sdk = require('kucoin-universal-sdk');
const c = require('check');

const { Market, FundingFees, Order, Positions } = sdk.Futures;

function make(key = '', secret = '', passphrase = '') {
  const transport = new sdk.TransportOptionBuilder().build();
  const socket = new sdk.WebSocketClientOptionBuilder().withReconnectInterval(1000).build();
  const options = new sdk.ClientOptionBuilder()
    .setKey(key).setSecret(secret).setPassphrase(passphrase)
    .setFuturesEndpoint(c.URL).setTransportOption(transport).setWebSocketClientOption(socket)
    .build();
  return new sdk.DefaultClient(options);
}

// A request of its builder: `create` would send what is not said as the text `undefined`.
function build(request, fields) {
  const builder = request.builder();
  for (const [name, value] of Object.entries(fields)) {
    builder[`set${name[0].toUpperCase()}${name.slice(1)}`](value);
  }
  return builder.build();
}

// What the documentation of contracts lets be absent or null.
const NULL = [
  'expireDate', 'settleDate', 'predictedFundingFeeRate', 'settlementSymbol', 'settlementFee',
  'fundingBaseSymbol1M', 'fundingQuoteSymbol1M', 'subMarketType', 'preMarketToPerpDate',
  'adjustK', 'adjustM', 'adjustMmrLevConstant', 'adjustActiveTime',
];

function whole(value, mayLack = []) {
  for (const field of Object.values(value)) {
    if (!Array.isArray(field)) continue;
    for (const row of field) if (row && !Array.isArray(row) && typeof row === 'object') c.complete(row, mayLack);
  }
  return c.complete(value, mayLack);
}

async function marketCalls(futures) {
  const api = futures.getMarketApi();
  const fees = futures.getFundingFeesApi();
  const now = Date.now();
  const call = (name, request, holds = () => true, mayLack = [], of = api) =>
    c.check(`REST ${name}`, async () => {
      const value = whole(await of[name](request), mayLack);
      c.need(holds(value), 'unexpected');
    });
  const symbol = { symbol: c.SYMBOL };
  await call('getServerTime');
  await call('getServiceStatus', undefined, () => true, ['msg']);
  await call('getPublicToken');
  await call('getSymbol', build(Market.GetSymbolReq, symbol), () => true, NULL);
  await call('getAllSymbols', undefined, (value) => value.data.length > 1, NULL);
  await call('getTicker', build(Market.GetTickerReq, symbol));
  await call('getAllTickers', undefined, (value) => value.data.length > 1);
  await call('getFullOrderBook', build(Market.GetFullOrderBookReq, symbol));
  for (const size of ['20', '100']) {
    await c.check(`REST getPartOrderBook ${size}`, async () =>
      whole(await api.getPartOrderBook(build(Market.GetPartOrderBookReq, { size, ...symbol }))));
  }
  await call('getTradeHistory', build(Market.GetTradeHistoryReq, symbol), (value) => value.data.length > 0);
  const span = { ...symbol, granularity: 1, from: now - 3600000, to: now };
  await call('getKlines', build(Market.GetKlinesReq, span), (value) => value.data[0].length === 7);
  await call('getMarkPrice', build(Market.GetMarkPriceReq, symbol));
  const some = (value) => value.dataList.length > 0;
  await call('getSpotIndexPrice', build(Market.GetSpotIndexPriceReq, { symbol: '.KXBTUSDT' }), some);
  await call('getInterestRateIndex', build(Market.GetInterestRateIndexReq, { symbol: '.XBTINT' }), some);
  await call('getPremiumIndex', build(Market.GetPremiumIndexReq, { symbol: '.XBTUSDTMPI' }), some);
  await call('getCurrentFundingRate', build(FundingFees.GetCurrentFundingRateReq, symbol),
    () => true, ['predictedValue'], fees);
  const days = { ...symbol, from: now - 3 * 86400000, to: now };
  await call('getPublicFundingHistory', build(FundingFees.GetPublicFundingHistoryReq, days),
    (value) => value.data.length > 0, [], fees);
  await c.refused('REST unknown symbol is refused',
    () => api.getTicker(build(Market.GetTickerReq, { symbol: 'NOPEUSDTM' })), '200003');
}

async function publicPhase() {
  const client = make();
  const futures = client.restService().getFuturesService();
  await marketCalls(futures);
  const ws = client.wsService().newFuturesPublicWS();
  await c.check('token, welcome', () => ws.start());
  const got = {};
  const book = new c.Book();
  const note = (name) => (topic, subject, event) => (got[name] = got[name] || []).push(event);
  const names = ['execution', 'instrument', 'orderbookLevel5', 'orderbookLevel50', 'symbolSnapshot',
    'tickerV1', 'tickerV2', 'announcement'];
  for (const name of names) await c.check(`subscribe ${name}`, () => ws[name](c.SYMBOL, note(name)));
  await c.check('subscribe klines', () => ws.klines(c.SYMBOL, '1min', note('klines')));
  await c.check('subscribe orderbookIncrement', () => ws.orderbookIncrement(c.SYMBOL, (topic, subject, event) => {
    note('orderbookIncrement')(topic, subject, event);
    book.change(event.sequence, event.change);
  }));
  // Settlements are hours apart; that the subscription is accepted is what can be seen.
  for (const name of [...names, 'klines', 'orderbookIncrement'].filter((name) => name !== 'announcement')) {
    // One message of the mark price has no rate, and the other way round.
    const lack = name === 'instrument' ? ['fundingRate', 'markPrice', 'indexPrice'] : [];
    await c.check(`channel ${name}`, async () =>
      c.complete((await c.until(() => got[name], 15, 'a message'))[0], lack));
  }
  await c.check('book of its deltas equals REST', async () => {
    const request = build(Market.GetFullOrderBookReq, { symbol: c.SYMBOL });
    const snapshot = await futures.getMarketApi().getFullOrderBook(request);
    book.load(snapshot.sequence, snapshot.bids, snapshot.asks);
    await book.agree();
  });
  await c.check('stop', () => ws.stop());
}

async function reconnectPhase() {
  const ws = make().wsService().newFuturesPublicWS();
  const times = [];
  await ws.start();
  await ws.tickerV2(c.SYMBOL, () => times.push(Date.now()));
  await c.reconnected('data again after a close', times);
}

async function privatePhase() {
  const client = make(c.KEY, c.SECRET, c.PASSPHRASE);
  const futures = client.restService().getFuturesService();
  const [market, orders, positions] = [futures.getMarketApi(), futures.getOrderApi(), futures.getPositionsApi()];
  const strange = (...keys) => make(...keys).restService().getFuturesService().getMarketApi();
  await c.check('REST getPrivateToken', async () => whole(await market.getPrivateToken()));
  await c.check('REST get24hrStats', async () => whole(await market.get24hrStats()));
  await c.refused('wrong key is refused', () => strange('no', c.SECRET, c.PASSPHRASE).getPrivateToken(), '400');
  await c.refused('wrong secret is refused', () => strange(c.KEY, 'no', c.PASSPHRASE).getPrivateToken(), '400');
  const ws = client.wsService().newFuturesPrivateWS();
  await c.check('private token, welcome', () => ws.start());
  const got = {};
  const note = (name) => (topic, subject, event) => (got[name] = got[name] || []).push(event);
  const all = ['allOrder', 'allPosition', 'balance', 'stopOrders', 'marginMode', 'crossLeverage'];
  for (const name of all) await c.check(`subscribe ${name}`, () => ws[name](note(name)));
  for (const name of ['order', 'position']) await c.check(`subscribe ${name}`, () => ws[name](c.SYMBOL, note(name)));
  const seen = (name, holds = () => true) =>
    c.until(() => (got[name] || []).find(holds), 20, 'a message');
  const ticker = await market.getTicker(build(Market.GetTickerReq, { symbol: c.SYMBOL }));
  const far = String(Math.round(Number(ticker.bestBidPrice) * 0.9));
  const add = (more) => orders.addOrder(build(Order.AddOrderReq, {
    clientOid: `n${Date.now()}${Math.random()}`.replace('.', ''), side: 'buy', symbol: c.SYMBOL,
    leverage: 3, size: 1, ...(more || { type: 'limit', price: far }),
  }));
  const placed = (await c.check('order placed', () => add())) || {};
  await c.check('order seen on its channel', () => seen('allOrder', (row) => row.orderId === placed.orderId));
  await c.check('order by id', async () => c.need((await orders.getOrderByOrderId(
    build(Order.GetOrderByOrderIdReq, { orderId: placed.orderId }))).id === placed.orderId, 'other'));
  await c.check('order cancelled', async () => c.need((await orders.cancelOrderById(
    build(Order.CancelOrderByIdReq, { orderId: placed.orderId }))).cancelledOrderIds[0] === placed.orderId, 'other'));
  await c.check('cancel seen on its channel', () =>
    seen('allOrder', (row) => row.orderId === placed.orderId && row.type === 'canceled'));
  await c.check('stop order placed', () => add({
    type: 'limit', price: far, stop: 'down', stopPrice: far, stopPriceType: 'TP',
  }));
  await c.check('stop orders cancelled', () => orders.cancelAllStopOrders(
    build(Order.CancelAllStopOrdersReq, { symbol: c.SYMBOL })));
  await c.check('market order placed', () => add({ type: 'market' }));
  await c.sleep(1000);
  await c.check('positions', async () => c.need((await positions.getPositionList(
    build(Positions.GetPositionListReq, { currency: 'USDT' }))).data.length > 0, 'none'));
  await c.check('fills', async () => c.need((await orders.getTradeHistory(
    build(Order.GetTradeHistoryReq, { symbol: c.SYMBOL }))).items.length > 0, 'none'));
  await c.check('margin mode switched', () => positions.switchMarginMode(
    build(Positions.SwitchMarginModeReq, { symbol: 'ETHUSDTM', marginMode: 'CROSS' })));
  await c.check('cross leverage changed', () => positions.modifyMarginLeverage(
    build(Positions.ModifyMarginLeverageReq, { symbol: 'ETHUSDTM', leverage: '7' })));
  for (const name of [...all, 'order', 'position']) await c.check(`channel ${name}`, () => seen(name));
}

const phases = { public: publicPhase, reconnect: reconnectPhase, private: privatePhase };
phases[c.PHASE]().then(() => process.exit(0));
