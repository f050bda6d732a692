// The contracts: a row of each, in the order that was asked for.

import { age, make, mark, number, set, text } from '/format.js';

const NUMBERS = new Set(['bid', 'ask', 'spread', 'mark', 'funding', 'change', 'rate', 'resyncs', 'heard_ms']);

export class Table {
  #body;
  #head;
  #none;
  #filter = '';
  #sort = { by: 'symbol', down: false };
  #rows = new Map();
  #order = '';
  #onSelect;
  #selected = null;

  constructor(section, onSelect) {
    this.#body = section.querySelector('tbody');
    this.#head = section.querySelector('thead');
    this.#none = section.querySelector('#none');
    this.#onSelect = onSelect;
    this.#head.addEventListener('click', (event) => this.#sortBy(event.target.closest('[data-sort]')?.dataset.sort));
    section.querySelector('input').addEventListener('input', (event) => {
      this.#filter = event.target.value.trim().toUpperCase();
      this.#arrange();
    });
    const select = (event) => {
      const row = event.target.closest('tr');
      if (row) this.#onSelect(row.dataset.symbol);
    };
    this.#body.addEventListener('click', select);
    this.#body.addEventListener('keydown', (event) => {
      if (event.key === 'Enter' || event.key === ' ') {
        event.preventDefault();
        select(event);
      }
    });
  }

  clear() {
    this.#rows.clear();
    this.#body.replaceChildren();
    this.#order = '';
  }

  take(rows) {
    for (const data of rows) {
      let row = this.#rows.get(data.symbol);
      if (!row) {
        row = { node: makeRow(data.symbol) };
        this.#rows.set(data.symbol, row);
      }
      row.data = data;
    }
    this.#arrange();
  }

  select(symbol) {
    this.#selected = symbol;
    for (const [name, { node }] of this.#rows) node.setAttribute('aria-selected', String(name === symbol));
  }

  /** Writes all cells; `now` by the serving machine, or null if what is known is of the past. */
  draw(now) {
    for (const { node, data } of this.#rows.values()) drawRow(node, data, now);
  }

  #sortBy(by) {
    if (!by) return;
    const { by: old, down } = this.#sort;
    this.#sort = { by, down: by === old ? !down : NUMBERS.has(by) };
    for (const head of this.#head.querySelectorAll('[data-sort]')) {
      if (head.dataset.sort === by) head.setAttribute('aria-sort', this.#sort.down ? 'descending' : 'ascending');
      else head.removeAttribute('aria-sort');
    }
    this.#arrange();
  }

  /** What is not known comes last. */
  #arrange() {
    const { by, down } = this.#sort;
    const value = ({ data }) => {
      if (by === 'live') return data.live ? 0 : 1;
      if (!NUMBERS.has(by)) return data[by];
      const value = number(data[by]);
      return Number.isNaN(value) ? null : value;
    };
    const shown = [...this.#rows.values()].filter(({ data }) => data.symbol.includes(this.#filter));
    shown.sort((a, b) => {
      const [one, other] = [value(a), value(b)];
      if (one === null || other === null) return (one === null) - (other === null) || compare(a.data.symbol, b.data.symbol);
      return (down ? -1 : 1) * compare(one, other) || compare(a.data.symbol, b.data.symbol);
    });
    const order = shown.map(({ data }) => data.symbol).join();
    if (order !== this.#order) {
      this.#order = order;
      // Whoever goes through the rows by keyboard stays on the one that he is on.
      const focused = document.activeElement;
      this.#body.replaceChildren(...shown.map(({ node }) => node));
      if (this.#body.contains(focused)) focused.focus({ preventScroll: true });
    }
    this.#none.hidden = shown.length > 0 || this.#rows.size === 0;
    set(this.#none, `none of ${this.#rows.size} contracts has ${this.#filter} in its name`);
    this.select(this.#selected);
  }
}

const compare = (a, b) => (a < b ? -1 : a > b ? 1 : 0);

function makeRow(symbol) {
  const row = make('tr', '');
  row.dataset.symbol = symbol;
  row.tabIndex = 0;
  row.setAttribute('aria-selected', 'false');
  for (let i = 0; i < 11; i++) row.append(make('td', i > 1 ? 'num' : ''));
  return row;
}

function drawRow(node, data, now) {
  const cells = node.children;
  const isKnown = now !== null;
  const state = isKnown ? (data.live ? 'live' : data.state) : `unknown; was ${data.live ? 'live' : data.state}`;
  const texts = [
    data.symbol, state, text(data.bid), text(data.ask), text(data.spread), text(data.mark),
    data.funding === null ? '–' : `${data.funding} %`, data.change === null ? '–' : `${data.change} %`,
    isKnown ? text(data.rate) : '–', text(data.resyncs),
    isKnown && data.heard_ms !== null ? age(now - data.heard_ms) : '–',
  ];
  texts.forEach((value, i) => set(cells[i], value));
  cells[1].title = state;
  mark(cells[1], { good: isKnown && data.live, bad: isKnown && !data.live, dim: !isKnown });
  mark(cells[5], { stale: data.stale_mark });
  mark(cells[6], { stale: data.stale_funding });
  mark(cells[7], { stale: data.stale_day });
  mark(cells[9], { warn: data.resyncs > 0 });
  mark(cells[7], { buy: !data.stale_day && data.change > 0, sell: !data.stale_day && data.change < 0 });
}
