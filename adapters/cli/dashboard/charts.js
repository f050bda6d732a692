// The charts. A line breaks where the book was not live, and no curve goes on beyond the horizon.

import uPlot from '/uplot/uPlot.esm.js';
import { number, set, short, time } from '/format.js';

const MINUTE = 60;
/** A time without a book is marked with so many pixels at least. */
const LEAST = 3;
/** Less is not shown, in seconds. */
const SHORTEST = 30;

const colours = {};

/** Takes the colours that the page has now. */
export function takeColours() {
  const style = getComputedStyle(document.documentElement);
  for (const name of ['text', 'dim', 'grid', 'bid', 'ask', 'gap', 'gap-edge', 'accent', 'mark']) {
    colours[name] = style.getPropertyValue(`--${name}`).trim();
  }
}

const font = '11px system-ui, sans-serif';

function axis(more) {
  return {
    stroke: () => colours.dim, font, ticks: { show: false }, gap: 4,
    grid: { stroke: () => colours.grid, width: 1 }, ...more,
  };
}

const timeAxis = () => axis({
  space: 70, size: 22, incrs: [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600],
  values: (_, ticks) => ticks.map((tick) => (tick % MINUTE ? time(tick * 1000) : time(tick * 1000).slice(0, 5))),
});

/** A chart as large as its place. */
function plot(place, options, data) {
  const size = () => ({ width: Math.max(place.clientWidth, 50), height: Math.max(place.clientHeight, 50) });
  const chart = new uPlot({ legend: { show: false }, ...options, ...size() }, data, place);
  new ResizeObserver(() => chart.setSize(size())).observe(place);
  return chart;
}

/** Says in a chart's place why there is none. */
function sayNothing(place, words) {
  let node = place.querySelector('.nothing');
  if (!words) return void node?.remove();
  if (!node) {
    node = document.createElement('div');
    node.className = 'nothing';
    place.append(node);
  }
  set(node, words);
}

/** Best bid and ask and candles over time, with the spread below. */
export class History {
  #price;
  #spread;
  #note;
  #span = 300;
  #now = 0;
  #points = [];
  #candles = new Map();
  #resyncs = [];
  #data = [[], [], [], []];

  constructor(priceNode, spreadNode, note) {
    this.#note = note;
    const sync = uPlot.sync('time');
    const cursor = { sync: { key: sync.key }, y: false, points: { size: 5 }, drag: { x: false, y: false } };
    const x = { time: false, range: () => [this.#from(), this.#now] };
    const line = (name, width) => ({
      stroke: () => colours[name], width, spanGaps: false, points: { show: false },
    });
    const gaps = (chart) => this.#drawGaps(chart);
    this.#price = plot(priceNode, {
      scales: { x, y: { range: () => this.#priceRange() } },
      axes: [timeAxis(), axis({ size: 74, values: (_, ticks) => ticks.map((tick) => String(+tick.toPrecision(10))) })],
      series: [{}, line('bid', 1.5), line('ask', 1.5)],
      cursor,
      hooks: { drawClear: [gaps, (chart) => this.#drawCandles(chart)], setCursor: [(chart) => this.#tell(chart)] },
    }, [[], [], []]);
    this.#spread = plot(spreadNode, {
      scales: { x, y: { range: (_, low, high) => spreadRange(low, high) } },
      axes: [timeAxis(), axis({ size: 74, space: 24, values: (_, ticks) => ticks.map((tick) => String(+tick.toPrecision(6))) })],
      series: [{}, { ...line('accent', 1.5), fill: () => `${colours.accent}22` }],
      cursor,
      hooks: { drawClear: [gaps] },
    }, [[], []]);
  }

  set span(seconds) {
    this.#span = seconds;
    this.draw();
  }

  clear() {
    this.#points = [];
    this.#candles.clear();
    this.#resyncs = [];
  }

  /** What was told of the contract. */
  take(detail, atMs) {
    this.#now = atMs / 1000;
    this.#points.push(...detail.points);
    if (this.#points.length > 1800) this.#points.splice(0, this.#points.length - 1800);
    for (const candle of detail.candles) this.#candles.set(candle[0], candle);
    // Those from before this was started may come later.
    if (detail.candles.length > 1) this.#candles = new Map([...this.#candles].sort((a, b) => a[0] - b[0]));
    while (this.#candles.size > 200) this.#candles.delete(this.#candles.keys().next().value);
    if (detail.resyncs) this.#resyncs = detail.resyncs.map(([lost, live, , took]) => [lost, end(lost, live, took)]);
    const best = (side) => (detail.live && side?.length ? side[0][0] : null);
    this.last = [atMs, best(detail.bids), best(detail.asks)];
  }

  draw() {
    const [xs, bids, asks, texts] = [[], [], [], []];
    const from = this.#from() * 1000;
    for (const [at, bid, ask] of this.#broken()) {
      if (at < from) continue;
      xs.push(at / 1000);
      bids.push(number(bid));
      asks.push(number(ask));
      texts.push([at, bid, ask]);
    }
    this.#data = [xs, bids, asks, texts];
    this.#price.setData([xs, bids, asks]);
    const spread = xs.map((_, i) => (bids[i] === null || asks[i] === null ? null : asks[i] - bids[i]));
    this.#spread.setData([xs, spread]);
  }

  /** The points, with a hole at each time that the book was not live, however short. */
  #broken() {
    const points = this.last ? [...this.#points, this.last] : [...this.#points];
    for (const [lost, live] of this.#resyncs) {
      points.push([lost, null, null]);
      if (live !== null) points.push([live, null, null]);
    }
    const isHeld = (at) => this.#resyncs.some(([lost, live]) => at >= lost && (live === null || at <= live));
    return points.sort((a, b) => a[0] - b[0]).map((point) => (isHeld(point[0]) ? [point[0], null, null] : point));
  }

  /** As far back as was asked for, but not to a time of which nothing is known. */
  #from() {
    const known = Math.min(this.#points[0]?.[0] ?? Infinity, this.#candles.values().next().value?.[0] ?? Infinity);
    return Math.min(Math.max(this.#now - this.#span, known / 1000), this.#now - SHORTEST);
  }

  #shownCandles() {
    const from = (this.#from() - MINUTE) * 1000;
    return [...this.#candles.values()].filter((candle) => candle[0] >= from);
  }

  #priceRange() {
    let [low, high] = [Infinity, -Infinity];
    const take = (value) => {
      if (value === null) return;
      low = Math.min(low, value);
      high = Math.max(high, value);
    };
    this.#data[1].forEach(take);
    this.#data[2].forEach(take);
    for (const [, , top, bottom] of this.#shownCandles()) {
      take(Number(top));
      take(Number(bottom));
    }
    if (low > high) return [0, 1];
    const room = (high - low) * 0.06 || high * 0.0001 || 1;
    return [low - room, high + room];
  }

  /** Hollow and dashed: trades may be missing in it. */
  #drawCandles(chart) {
    const { ctx, bbox } = chart;
    const y = (value) => chart.valToPos(Number(value), 'y', true);
    ctx.save();
    ctx.beginPath();
    ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
    ctx.clip();
    ctx.lineWidth = devicePixelRatio;
    for (const [startMs, open, high, low, close, , whole] of this.#shownCandles()) {
      const start = startMs / 1000;
      const [left, right] = [chart.valToPos(start, 'x', true), chart.valToPos(start + MINUTE, 'x', true)];
      const room = Math.max((right - left) * 0.15, 0.5);
      const [middle, width] = [(left + right) / 2, Math.max(right - left - 2 * room, 1)];
      const colour = Number(close) >= Number(open) ? colours.bid : colours.ask;
      const [top, bottom] = [y(open), y(close)].sort((a, b) => a - b);
      ctx.strokeStyle = `${colour}aa`;
      ctx.setLineDash(whole ? [] : [3 * devicePixelRatio, 3 * devicePixelRatio]);
      ctx.beginPath();
      ctx.moveTo(middle, y(high));
      ctx.lineTo(middle, top);
      ctx.moveTo(middle, bottom);
      ctx.lineTo(middle, y(low));
      ctx.stroke();
      if (whole) {
        ctx.fillStyle = `${colour}40`;
        ctx.fillRect(left + room, top, width, Math.max(bottom - top, 1));
      }
      ctx.strokeRect(left + room, top, width, Math.max(bottom - top, 1));
    }
    ctx.restore();
  }

  /** Where the book was not live. */
  #drawGaps(chart) {
    const { ctx, bbox } = chart;
    ctx.save();
    ctx.beginPath();
    ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
    ctx.clip();
    for (const [lost, live] of this.#resyncs) {
      const left = chart.valToPos(lost / 1000, 'x', true);
      const right = chart.valToPos(live === null ? this.#now : live / 1000, 'x', true);
      const width = Math.max(right - left, LEAST * devicePixelRatio);
      ctx.fillStyle = colours.gap;
      ctx.fillRect(left, bbox.top, width, bbox.height);
      ctx.fillStyle = colours['gap-edge'];
      ctx.fillRect(left, bbox.top, width, 3 * devicePixelRatio);
    }
    ctx.restore();
  }

  /** What was where the mouse is, exactly. */
  #tell(chart) {
    const at = chart.cursor.idx;
    const point = at === null || at === undefined || chart.cursor.left < 0 ? null : this.#data[3][at];
    if (!point) return set(this.#note, '');
    const [when, bid, ask] = point;
    set(this.#note, bid === null && ask === null
      ? `${time(when)} not live` : `${time(when)} bid ${bid ?? '–'}, ask ${ask ?? '–'}`);
  }
}

/**
 * When a book was live again: not before it had been away for as long as it was, though the clock was set back
 * meanwhile; null if it is not yet.
 */
const end = (lost, live, took) => (live === null ? null : Math.max(lost + took, live));

/** With some room where there is none: between two ends that are the same, uPlot looks for ticks for ever. */
function wide(low, high) {
  if (low < high) return [low, high];
  const room = Math.abs(low) * 0.0001 || 1;
  return [high - room, low + room];
}

function spreadRange(low, high) {
  if (low === null || high === null) return [0, 1];
  return [Math.min(0, low), high > 0 ? high * 1.25 : 1];
}

/** All lots up to each price, of both sides. */
export class Depth {
  #chart;
  #place;
  #note;
  #range = [0, 1];
  #horizons = [null, null];
  #all = false;
  #depth = null;

  constructor(place, note) {
    this.#place = place;
    this.#note = note;
    const { stepped } = uPlot.paths;
    const side = (name, align) => ({
      stroke: () => colours[name], fill: () => `${colours[name]}30`, width: 1.5,
      points: { show: false }, paths: stepped({ align }), spanGaps: false,
    });
    this.#chart = plot(place, {
      scales: { x: { time: false, range: () => this.#range }, y: { range: (_, _low, high) => [0, high > 0 ? high * 1.05 : 1] } },
      axes: [
        axis({ size: 22, space: 70, values: (_, ticks) => ticks.map((tick) => String(+tick.toPrecision(10))) }),
        axis({ size: 48, values: (_, ticks) => ticks.map(short) }),
      ],
      series: [{}, side('bid', -1), side('ask', 1)],
      cursor: { y: false, drag: { x: false, y: false }, points: { size: 5 } },
      hooks: { draw: [(chart) => this.#drawHorizons(chart)], setCursor: [(chart) => this.#tell(chart)] },
    }, [[], [], []]);
  }

  set all(is) {
    this.#all = is;
    this.take(this.#depth, this.words);
  }

  /** `words`: why there is no book. */
  take(depth, words) {
    this.#depth = depth;
    this.words = words;
    sayNothing(this.#place, depth ? '' : words);
    if (!depth) {
      this.#chart.setData([[], [], []]);
      this.#horizons = [null, null];
      return set(this.#note, '');
    }
    const bids = depth.bids.map(([price, lots]) => [Number(price), Number(lots)]).reverse();
    const asks = depth.asks.map(([price, lots]) => [Number(price), Number(lots)]);
    const xs = [...bids, ...asks].map(([price]) => price);
    const blank = (side) => side.map(() => null);
    const lots = (side) => side.map(([, all]) => all);
    this.#horizons = [number(depth.bid_horizon), number(depth.ask_horizon)];
    this.#range = wide(...this.#shown(bids, asks));
    const [low, high] = this.#range;
    // What is not shown must not stretch the other axis.
    const inside = (side) => side.map(([price, all]) => (price < low || price > high ? null : all));
    this.#chart.setData([xs, [...inside(bids), ...blank(asks)], [...blank(bids), ...inside(asks)]]);
    this.#data = [xs, [...lots(bids), ...blank(asks)], [...blank(bids), ...lots(asks)]];
    this.#tell(this.#chart);
  }

  #data = [[], [], []];

  /** To the horizons, or the fifth of the levels that is nearest. */
  #shown(bids, asks) {
    if (!bids.length && !asks.length) return [0, 1];
    const ends = [bids[0] ?? asks[0], asks.at(-1) ?? bids.at(-1)].map(([price], side) => this.#horizons[side] ?? price);
    if (this.#all) return ends;
    const near = (side) => side[Math.min(Math.ceil(side.length / 5), side.length - 1)];
    const [bid, ask] = [near([...bids].reverse()), near(asks)];
    return [bid?.[0] ?? ends[0], ask?.[0] ?? ends[1]];
  }

  #drawHorizons(chart) {
    const { ctx, bbox } = chart;
    const [low, high] = this.#range;
    this.#horizons.forEach((price, side) => {
      if (price === null || price < low || price > high) return;
      const x = chart.valToPos(price, 'x', true);
      ctx.save();
      ctx.strokeStyle = colours.dim;
      ctx.lineWidth = 2 * devicePixelRatio;
      ctx.setLineDash([4 * devicePixelRatio, 3 * devicePixelRatio]);
      ctx.beginPath();
      ctx.moveTo(x, bbox.top);
      ctx.lineTo(x, bbox.top + bbox.height);
      ctx.stroke();
      ctx.fillStyle = colours.dim;
      ctx.font = `${11 * devicePixelRatio}px system-ui, sans-serif`;
      ctx.textAlign = side === 0 ? 'left' : 'right';
      ctx.fillText('horizon', x + (side === 0 ? 5 : -5) * devicePixelRatio, bbox.top + 12 * devicePixelRatio);
      ctx.restore();
    });
  }

  #tell(chart) {
    const depth = this.#depth;
    if (!depth) return;
    const at = chart.cursor.idx;
    if (at !== null && at !== undefined && chart.cursor.left >= 0) {
      const rows = [...depth.bids].reverse().concat(depth.asks);
      const row = rows[at];
      if (row) return set(this.#note, `${short(Number(row[1]))} lots to ${row[0]}`);
    }
    const horizon = (price) => (price === null ? 'all' : `to ${price}`);
    set(this.#note, `${depth.bid_levels} bids ${horizon(depth.bid_horizon)}, ${depth.ask_levels} asks ${horizon(depth.ask_horizon)}`);
  }
}
