'use strict';
// What every Node driver shares: checks that are told as JSON lines, and a book to hold a client's to.

const https = require('node:https');
const http = require('node:http');
const { writeSync } = require('node:fs');

const URL_ = process.env.KCF_URL;
const SYMBOL = process.env.KCF_SYMBOL || 'XBTUSDTM';
const [KEY, SECRET, PASSPHRASE] = (process.env.KCF_ACCOUNT || '::').split(':');
// When the exchange closes every socket, by this machine's clock; only in the phase `reconnect`.
const CLOSE_AT = Number(process.env.KCF_CLOSE_AT || 0) * 1000;
const PHASE = process.argv[2] || 'public';

// Whatever a client prints by itself is not a result.
for (const word of ['log', 'info', 'debug']) console[word] = (...all) => console.error(...all);

const sleep = (ms) => new Promise((done) => setTimeout(done, ms));

function need(condition, text) {
  if (!condition) throw new Error(text);
}

function tell(check, result, detail = '') {
  writeSync(1, JSON.stringify({ check, result, detail: String(detail).slice(0, 400) }) + '\n');
}

function limited(promise, ms) {
  let timer;
  const late = new Promise((_, fail) => {
    timer = setTimeout(() => fail(new Error(`not within ${ms} ms`)), ms);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

// Runs a check and tells how it went; what it returned, or `undefined`.
async function check(name, run, ms = 25000) {
  try {
    const value = await limited(Promise.resolve().then(run), ms);
    tell(name, 'ok');
    return value;
  } catch (error) {
    if (process.env.KCF_TRACE) console.error(error);
    tell(name, 'fail', (error && error.message) || error);
    return undefined;
  }
}

// Holds if `run` is refused, and the client's error names the code.
function refused(name, run, code) {
  return check(name, async () => {
    let value;
    try {
      value = await run();
    } catch (error) {
      const answer = error && error.response && error.response.data;
      const text = `${error && error.message} ${JSON.stringify(answer || '')} ${error}`;
      need(text.includes(code), `not ${code}: ${text}`);
      return;
    }
    throw new Error(`not refused: ${JSON.stringify(value)}`);
  });
}

async function until(condition, seconds, what) {
  const end = Date.now() + seconds * 1000;
  while (Date.now() < end) {
    const value = condition();
    if (value) return value;
    await sleep(50);
  }
  throw new Error(`${what}: not within ${seconds} s`);
}

// Every field of a decoded message has a value, except these.
function complete(value, mayLack = []) {
  need(value && typeof value === 'object', `not an object: ${value}`);
  const lacking = Object.entries(value)
    .filter(([name, field]) => (field === undefined || field === null) && !mayLack.includes(name))
    .map(([name]) => name);
  need(lacking.length === 0, `without ${lacking.join(', ')}`);
  return value;
}

// The exchange's own answer, past the client.
function rest(path) {
  const get = URL_.startsWith('https') ? https.get : http.get;
  return new Promise((done, fail) => {
    get(URL_ + path, (answer) => {
      let body = '';
      answer.on('data', (part) => (body += part));
      answer.on('end', () => {
        try { done(JSON.parse(body).data); } catch (error) { fail(error); }
      });
    }).on('error', fail);
  });
}

const level = (row) => [Number(row[0]), Number(row[1])];

// What a client's book was at each of the last sequences.
class Books {
  constructor(depth = 20) {
    this.depth = depth;
    this.seen = new Map();
    this.last = 0;
  }

  note(sequence, bids, asks) {
    this.last = Number(sequence);
    this.seen.set(this.last, JSON.stringify([this.top(bids), this.top(asks)]));
    if (this.seen.size > 2000) this.seen.delete(this.seen.keys().next().value);
  }

  top(side) {
    return side.slice(0, this.depth).map(level);
  }

  // So many snapshots of REST equal the book at the same sequence.
  async agree(times = 3, seconds = 20) {
    const end = Date.now() + seconds * 1000;
    let equal = 0;
    while (equal < times && Date.now() < end) {
      const truth = await rest(`/api/v1/level2/snapshot?symbol=${SYMBOL}`);
      await until(() => this.last >= truth.sequence, seconds, 'the book');
      const mine = this.seen.get(truth.sequence);
      if (mine) {
        const wanted = JSON.stringify([this.top(truth.bids), this.top(truth.asks)]);
        need(mine === wanted, `at ${truth.sequence}: ${mine.slice(0, 150)} but REST ${wanted.slice(0, 150)}`);
        equal += 1;
      }
      await sleep(300);
    }
    need(equal >= times, `only ${equal} snapshots at a sequence that the book had`);
  }
}

// A book by the documented procedure, of what the client has decoded: a snapshot and changes.
class Book {
  constructor() {
    this.books = new Books();
    this.sequence = null;
    this.waiting = [];
    this.sides = { buy: new Map(), sell: new Map() };
    this.problem = null;
  }

  load(sequence, bids, asks) {
    this.sides.buy = new Map(bids.map(level));
    this.sides.sell = new Map(asks.map(level));
    this.sequence = Number(sequence);
    const { waiting } = this;
    this.waiting = [];
    waiting.forEach(([at, change]) => this.change(at, change));
  }

  change(sequence, change) {
    if (this.sequence === null) return void this.waiting.push([sequence, change]);
    if (sequence <= this.sequence) return;
    if (sequence !== this.sequence + 1) this.problem = `gap: ${this.sequence} and then ${sequence}`;
    const [price, side, size] = change.split(',');
    this.sides[side].delete(Number(price));
    if (Number(size)) this.sides[side].set(Number(price), Number(size));
    this.sequence = sequence;
    const bids = [...this.sides.buy].sort((a, b) => b[0] - a[0]);
    this.books.note(sequence, bids, [...this.sides.sell].sort((a, b) => a[0] - b[0]));
  }

  async agree() {
    await this.books.agree();
    need(!this.problem, this.problem);
  }
}

// Data came after every socket was closed. `times`: the clock at each message.
function reconnected(name, times, seconds = 40) {
  return check(name, async () => {
    await until(() => times.some((at) => at < CLOSE_AT), 15, 'data before the close');
    await until(() => Date.now() > CLOSE_AT, 30, 'the close');
    // What had been sent before may still be on its way.
    await until(() => times.some((at) => at > CLOSE_AT + 1000), seconds, 'data after it');
  }, 90000);
}

module.exports = {
  URL: URL_, SYMBOL, KEY, SECRET, PASSPHRASE, CLOSE_AT, PHASE,
  sleep, need, tell, check, refused, until, complete, rest, Books, Book, reconnected,
};
