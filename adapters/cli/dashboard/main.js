// What came, what is shown of it, and what a click does.

import { Depth, History, takeColours } from '/charts.js';
import { count, difference, mark, set, span, time } from '/format.js';
import { showBook, showHead, showLines, showLog, showResyncs, showTrades } from '/panels.js';
import { Stream } from '/stream.js';
import { Table } from '/table.js';

const at = (id) => document.getElementById(id);

/** What is known; `detail` is of the contract that is looked at. */
const known = { feed: null, lines: [], rows: new Map(), detail: null, resyncs: [], log: [] };
/** When the last that came was made, by the other machine; when it came, by this one; and whether it still counts. */
const clock = { madeMs: null, came: 0, isLive: false };
let dirty = true;
let chartsDrawn = 0;

takeColours();
const history = new History(at('price-chart'), at('spread-chart'), at('price-note'));
const depth = new Depth(at('depth-chart'), at('depth-note'));
const table = new Table(at('contracts'), select);
const stream = new Stream(take, status);

/** The other machine's time now; null if what is known is of the past. */
function now() {
  return clock.isLive ? clock.madeMs + (performance.now() - clock.came) : null;
}

function take(message) {
  if (message.type === 'state') forget();
  clock.madeMs = message.at_ms;
  clock.came = performance.now();
  if (message.feed) {
    known.feed = message.feed;
    renew(message.feed.version);
  }
  if (message.lines) known.lines = message.lines;
  if (message.log) known.log = message.log;
  if (message.rows) {
    for (const row of message.rows) known.rows.set(row.symbol, row);
  }
  if (message.detail) {
    known.detail = message.detail;
    if (message.detail.resyncs) known.resyncs = message.detail.resyncs;
    history.take(message.detail, message.at_ms);
  }
  showRows(message);
  dirty = true;
}

let madeFor = null;

/** Another version of the server speaks otherwise, perhaps, and has scripts of its own: they are loaded, once for each. */
function renew(version) {
  madeFor ??= version;
  if (version === madeFor || sessionStorage.getItem('loaded for') === version) return;
  sessionStorage.setItem('loaded for', version);
  location.reload();
}

/** Rows come once a second. What is told of the contract that is looked at is newer, and holds for its row, too. */
function showRows(message) {
  const rows = message.rows ?? [];
  const { detail } = message;
  const row = detail && known.rows.get(detail.symbol);
  if (row) known.rows.set(row.symbol, renewed(row, detail));
  const others = rows.filter(({ symbol }) => symbol !== row?.symbol);
  if (row || others.length > 0) table.take(row ? [...others, known.rows.get(row.symbol)] : others);
  if (detail) table.select(detail.symbol);
}

function renewed(row, detail) {
  // A side without a level is empty or not known: the row says which, if it was so then.
  const best = (side, before) => side?.[0]?.[0] ?? (detail.live && Number.isNaN(Number(before)) ? before : null);
  const [bid, ask] = [best(detail.bids, row.bid), best(detail.asks, row.ask)];
  const spread = difference(ask, bid);
  const { live, state, since_ms, stale, stale_mark, stale_funding, stale_day, stale_trades } = detail;
  return { ...row, live, state, since_ms, stale, stale_mark, stale_funding, stale_day, stale_trades, bid, ask, spread };
}

function forget() {
  Object.assign(known, { feed: null, lines: [], detail: null, resyncs: [], log: [] });
  known.rows.clear();
  table.clear();
  history.clear();
}

function status(is, why) {
  clock.isLive = is === 'live';
  // Whoever asks again has heard nothing yet.
  if (is === 'lost' || is === 'live') {
    at('banner').hidden = is === 'live';
    mark(document.body, { lost: is === 'lost' });
  }
  if (is === 'lost') {
    const from = clock.madeMs === null
      ? 'There is nothing to show yet' : `All below is from ${time(clock.madeMs)} UTC and may be wrong by now`;
    set(at('banner'), `${from}: ${why}. Trying again.`);
  }
  showTitle();
  dirty = true;
}

/**
 * The title is all that is seen of a page in another tab. Frames do not come there and timers come late, so that it
 * could not be taken back in time: no price then.
 */
function showTitle() {
  const { feed, detail } = known;
  const warn = feed && feed.live !== feed.wanted ? '! ' : '';
  const says = document.hidden ? 'kcf' : detail?.live ? detail.bids?.[0]?.[0] ?? '' : 'not live';
  const title = clock.isLive && detail ? `${warn}${detail.symbol} ${says}` : '? kcf';
  if (document.title !== title) document.title = title;
}

function select(symbol) {
  if (symbol === known.detail?.symbol) return;
  window.history.replaceState(null, '', `#${symbol}`);
  stream.open(symbol);
}

function draw() {
  const { feed, detail } = known;
  const when = now();
  table.draw(when);
  showHead(detail && known.rows.get(detail.symbol), detail, when);
  showBook(when === null ? null : detail);
  showTrades(detail);
  showLines(known.lines, feed, when);
  showResyncs(known.resyncs, detail, when);
  showLog(known.log);
  set(at('clock'), clock.madeMs === null ? '' : `${time(clock.madeMs)} UTC`);
  const books = at('books');
  const isWell = feed && feed.live === feed.wanted;
  set(books, !feed ? 'connecting' : when === null ? 'unknown' : isWell
    ? `${feed.wanted === 1 ? 'the book is' : `all ${feed.wanted} books are`} live`
    : `${feed.wanted - feed.live} of ${feed.wanted} books not live`);
  mark(books, { good: when !== null && isWell, bad: when !== null && feed && !isWell });
  set(at('exchange'), feed ? `${feed.exchange}, ${feed.runtime}` : '');
  set(at('counters'), feed
    ? `${when === null ? '–' : count(feed.rate)} msg/s, ${count(feed.messages)} in ${span(clock.madeMs - feed.started_ms)}` : '');
}

/** At most once a frame, and the charts four times a second: a page that is not looked at draws nothing. */
function frame(time) {
  requestAnimationFrame(frame);
  if (time - chartsDrawn > 250) {
    chartsDrawn = time;
    dirty = true;
    if (clock.isLive) {
      const { detail } = known;
      history.draw();
      depth.take(detail?.live ? detail.depth : null, detail ? `not live: ${detail.state}` : '');
    }
  }
  if (!dirty) return;
  dirty = false;
  draw();
}

/** One of several buttons is pressed. */
function choices(name, value, onChoice) {
  const buttons = [...document.querySelectorAll(`[data-${name}]`)];
  const choose = (chosen) => {
    for (const button of buttons) button.setAttribute('aria-pressed', String(button.dataset[name] === chosen));
    onChoice(chosen);
  };
  for (const button of buttons) button.addEventListener('click', () => choose(button.dataset[name]));
  choose(value);
}

const THEMES = ['system', 'light', 'dark'];

function theme(name) {
  if (name === 'system') delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = name;
  set(at('theme'), name);
  takeColours();
}

let chosen = 0;
at('theme').addEventListener('click', () => theme(THEMES[++chosen % THEMES.length]));
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => takeColours());
theme('system');
choices('span', '300', (seconds) => { history.span = Number(seconds); });
choices('reach', 'near', (reach) => { depth.all = reach === 'all'; });
document.addEventListener('visibilitychange', showTitle);
window.addEventListener('hashchange', () => stream.open(location.hash.slice(1) || null));
stream.open(location.hash.slice(1) || null);
requestAnimationFrame(frame);
