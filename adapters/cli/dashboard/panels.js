// What is known of one contract, of the lines, and what was said.

import { bound, count, exactTime, make, mark, set, span, text, time } from '/format.js';

const at = (id) => document.getElementById(id);

/** Times without a book in the list; the charts mark all. */
const SHOWN = 60;

/** A list of terms and what they are; `[term, value, class, title]`. */
function define(list, entries) {
  while (list.children.length > entries.length) list.lastChild.remove();
  entries.forEach(([term, value, classes = '', title = ''], i) => {
    let pair = list.children[i];
    if (!pair) {
      pair = make('div', '', make('dt'), make('dd'));
      list.append(pair);
    }
    set(pair.children[0], term);
    set(pair.children[1], value);
    if (pair.children[1].className !== classes) pair.children[1].className = classes;
    if (pair.title !== title) pair.title = title;
  });
}

/** Rows of cells, each `text` or `[text, class]`; only what differs is written. */
function fill(table, rows) {
  while (table.rows.length > rows.length) table.deleteRow(-1);
  rows.forEach((cells, i) => {
    const row = table.rows[i] ?? table.insertRow();
    while (row.cells.length > cells.length) row.deleteCell(-1);
    cells.forEach((cell, j) => {
      const node = row.cells[j] ?? row.insertCell();
      const [value, classes] = Array.isArray(cell) ? cell : [cell, ''];
      set(node, value);
      if (node.className !== classes) node.className = classes;
    });
  });
}

/** Its name, whether its book is live, and its figures. */
export function showHead(row, detail, now) {
  const isKnown = now !== null;
  set(at('symbol'), text(detail?.symbol));
  const state = at('state');
  const since = detail ? span(now - detail.since_ms) : '';
  set(state, !detail ? '' : !isKnown ? 'unknown' : detail.live ? `live for ${since}` : `not live for ${since}: ${detail.state}`);
  mark(state, { good: isKnown && detail?.live, bad: isKnown && detail && !detail.live });
  if (!detail) return define(at('figures'), []);
  const { stale_mark: marks, stale_funding: funding, stale_day: day, stale_trades: trades } = detail;
  // `[term, value, class, title]` of what may be of the past, for whichever reason.
  const told = (isStale, term, value, title = '') => isStale
    ? [term, value, 'stale', 'may be of the past: its stream has not told it anew yet, or not for long']
    : [term, value, '', title];
  const next = row?.next_funding_ms && isKnown ? ` in ${span(row.next_funding_ms - now)}` : '';
  const percent = (value) => (value === null || value === undefined ? '–' : `${value} %`);
  define(at('figures'), [
    told(trades, 'last', text(row?.last)),
    ['best bid', text(row?.live ? row.bid : null), 'buy'],
    ['best ask', text(row?.live ? row.ask : null), 'sell'],
    told(marks, 'mark', text(row?.mark)),
    told(marks, 'index', text(row?.index)),
    told(funding, `funding${next}`, percent(row?.funding), 'what would be charged as things stand'),
    told(marks, 'funding settled', percent(detail.settled)),
    told(day, '24 h', percent(row?.change)),
    told(day, 'high', text(detail.high)),
    told(day, 'low', text(detail.low)),
    told(day, 'turnover', row?.turnover ? `${row.turnover} ${row.turnover_in ?? ''}`.trim() : '–', 'of 24 hours'),
    ['epoch', text(detail.epoch), '', 'which run of the book: one more each time it was lost'],
    ['proved', isKnown && detail.proof_age_ms !== null ? `${span(detail.proof_age_ms)} ago` : '–', '',
      'since a change, a snapshot or an answer of its line showed that the book is the exchange’s'],
    ['snapshot', isKnown && detail.snapshot_ms !== null ? `${span(detail.snapshot_ms)} ago` : '–', '',
      'since the book was found equal to a snapshot'],
  ]);
}

/** The ladder, with the sequence that it is of: both at once. */
export function showBook(detail) {
  const [bids, asks, sequence] = [at('bids'), at('asks'), at('sequence')];
  if (!detail?.live || !detail.bids) {
    fill(bids, []);
    fill(asks, []);
    delete at('ladder').dataset.sequence;
    return set(sequence, detail ? `not live: ${detail.state}` : '');
  }
  fill(bids, detail.bids.map(([price, size]) => [[count(size), 'size'], [price, 'price']]));
  fill(asks, detail.asks.map(([price, size]) => [[price, 'price'], [count(size), 'size']]));
  const most = Math.max(...[...detail.bids, ...detail.asks].map(([, size]) => size));
  for (const [table, levels] of [[bids, detail.bids], [asks, detail.asks]]) {
    levels.forEach(([, size], i) => table.rows[i].style.setProperty('--share', `${(100 * size) / most}%`));
  }
  at('ladder').dataset.sequence = String(detail.sequence);
  at('ladder').dataset.symbol = detail.symbol;
  set(sequence, `at ${count(detail.sequence)}`);
}

export function showTrades(detail) {
  set(at('trades-note'), detail?.stale_trades ? 'there may be later ones' : '');
  mark(at('trades-note'), { bad: detail?.stale_trades });
  const rows = detail?.trades ?? [];
  fill(at('trade-rows'), rows.map(([ms, side, price, size]) => [
    [time(ms), 'dim'], [side, side], [price, `num ${side}`], [count(size), 'num'],
  ]));
}

/** Each connection, and which of them is first. */
export function showLines(lines, feed, now) {
  const isKnown = now !== null;
  const several = lines.length > 1;
  const head = ['line', 'state', ...(several ? ['first', 'late by, half', '99 of 100', 'left out'] : ['topics'])];
  const best = Math.max(...lines.map((line) => line.wins ?? -1));
  const rows = lines.map((line) => {
    const isUp = line.up_ms !== null;
    const state = !isKnown ? 'unknown' : isUp ? `up ${span(now - line.up_ms)}` : (line.said?.text ?? 'down');
    const share = [
      [line.wins === null ? '–' : `${line.wins} %`, several && line.wins === best ? 'num good' : 'num'],
      [bound(line.lag_us[0]), 'num'], [bound(line.lag_us[1]), 'num'], [count(line.missed), 'num'],
    ];
    return [
      `${line.name}${line.role === 'spare' ? ' (spare)' : ''}`,
      [state, `${isUp ? '' : 'wrap '}${!isKnown ? 'dim' : isUp ? 'good' : 'bad'}`],
      ...(several ? share : [[count(line.topics), 'num']]),
    ];
  });
  fill(at('line-rows'), [head.map((name, i) => [name, `dim ${i > 1 ? 'num' : ''}`]), ...rows]);
  const winner = several && lines.find((line) => line.wins === best && best >= 0);
  set(at('lines-note'), winner ? `${winner.name} is first most often` : '');
  if (!feed) return;
  // Each line has one for its messages: the fullest counts.
  const fullest = new Map();
  for (const budget of feed.budgets) {
    if (!(fullest.get(budget.name)?.used >= budget.used)) fullest.set(budget.name, budget);
  }
  const budgets = [...fullest.values()].filter((budget) => budget.used > 0 || budget.held_ms > 0);
  define(at('delays'), [
    ['exchange to here', `${bound(feed.received.p50_us)}, 99 of 100 ${bound(feed.received.p99_us)}`, '',
      'from the exchange’s time of a change to when it was read, by this machine’s clock'],
    ['into the book', `${bound(feed.applied.p50_us)}, 99 of 100 ${bound(feed.applied.p99_us)}`],
    ['gaps', count(feed.gaps)], ['reconnects', count(feed.reconnects)], ['snapshots', count(feed.snapshots)],
    ...budgets.map((budget) => [budget.name.replaceAll('_', ' '), `${count(budget.used)} of ${count(budget.limit)}`,
      budget.held_ms > 0 ? 'bad' : '', budget.held_ms > 0 ? `held for ${span(budget.held_ms)}` : '']),
  ]);
}

/** When the book was not live, the latest first; the one that is not over lasts since the state is what it is. */
export function showResyncs(resyncs, detail, now) {
  const lasts = now === null || !detail || detail.live ? 'not over' : `for ${span(now - detail.since_ms)}`;
  const rows = resyncs.slice(-SHOWN).reverse().map(([lost, live, reason, took]) => [
    [exactTime(lost), 'dim'],
    [live === null ? lasts : span(took), live === null ? 'num bad' : 'num'],
    [reason, 'wrap'],
  ]);
  set(at('resyncs-note'), rows.length ? '' : 'never since this was started');
  fill(at('resync-rows'), rows);
}

export function showLog(log) {
  const classes = { good: 'good', bad: 'bad', fault: 'warn', plain: '' };
  fill(at('log-rows'), [...log].reverse().map((row) => [
    [time(row.at_ms), 'dim'], row.who, [row.text, `wrap ${classes[row.mood] ?? ''}`],
  ]));
}
