// The connection: says what comes, and as soon as nothing comes, that what is shown is of the past.

/** The other side says something every second at the latest. */
const SILENCE = 3000;
/** So late is what comes if a buffer on the way is full of it; if it stays so, or is twice as late, it is asked for anew. */
const LATE = 3000;
/** Both clocks of this machine go on alike, unless it slept or its time was set. */
const JUMP = 2000;
const RETRY = [500, 1000, 2000];

export class Stream {
  #onMessage;
  #onStatus;
  #symbol = null;
  #abort = null;
  #timer = null;
  #run = 0;
  #failures = 0;
  #asked = 0;
  #heard = 0;
  #lateSince = null;
  #offset = null;
  #apart = apart();
  #why = '';

  /** `onStatus('connecting' | 'live' | 'lost', why)`: lost also before anything came. */
  constructor(onMessage, onStatus) {
    this.#onMessage = onMessage;
    this.#onStatus = onStatus;
    setInterval(() => this.#watch(), 250);
    // Timers of a page that is not looked at come late.
    document.addEventListener('visibilitychange', () => this.#watch());
    // A page that was frozen, or kept to go back to, has taken nothing in between.
    document.addEventListener('resume', () => this.#renew('this page was frozen'));
    window.addEventListener('pageshow', (event) => event.persisted && this.#renew('this page was left'));
  }

  /** Begins anew, with this contract; null, or one that is not followed: with the first. */
  open(symbol) {
    this.#symbol = symbol;
    this.#failures = 0;
    this.#why = '';
    this.#say('connecting', '');
    this.#start();
  }

  async #start() {
    const run = ++this.#run;
    clearTimeout(this.#timer);
    this.#abort?.abort();
    const abort = new AbortController();
    this.#abort = abort;
    this.#offset = null;
    this.#lateSince = null;
    this.#asked = performance.now();
    this.#heard = this.#asked;
    try {
      const query = this.#symbol === null ? '' : `?symbol=${encodeURIComponent(this.#symbol)}`;
      const response = await fetch(`/stream${query}`, { signal: abort.signal, cache: 'no-store' });
      if (response.status === 404 && this.#symbol !== null) return void this.open(null);
      if (!response.ok) {
        const words = (await response.text()).trim();
        throw new Error(response.status === 401 ? 'the token is asked for: load this page again' : words);
      }
      await this.#read(run, response.body);
      throw new Error('kcf serve has ended the stream');
    } catch (error) {
      if (run !== this.#run) return;
      this.#why = error instanceof TypeError ? 'kcf serve does not answer' : error.message;
      this.#say('lost', this.#why);
      const wait = RETRY[Math.min(this.#failures++, RETRY.length - 1)];
      this.#timer = setTimeout(() => this.#start(), wait * (0.75 + Math.random() / 2));
    }
  }

  async #read(run, body) {
    const reader = body.pipeThrough(new TextDecoderStream()).getReader();
    let text = '';
    for (;;) {
      const { value, done } = await reader.read();
      if (run !== this.#run) return void reader.cancel();
      if (done) return;
      text += value;
      const events = text.split('\n\n');
      text = events.pop();
      for (const event of events) {
        if (event.startsWith('data: ')) this.#take(JSON.parse(event.slice(6)));
        // It was asked for anew: the rest of this is of the past.
        if (run !== this.#run) return void reader.cancel();
      }
    }
  }

  #take(message) {
    if (this.#jumped()) return;
    const now = performance.now();
    this.#heard = now;
    this.#failures = 0;
    this.#why = '';
    // The first was made after it was asked for: so nothing is later than this says, whatever the two clocks say.
    this.#offset ??= this.#asked - message.at_ms;
    this.#offset = Math.min(this.#offset, now - message.at_ms);
    const late = now - message.at_ms - this.#offset;
    this.#onMessage(message);
    if (late <= LATE) {
      this.#lateSince = null;
      return this.#say('live', '');
    }
    this.#lateSince ??= now;
    const words = `what comes is ${Math.round(late / 1000)} s late`;
    if (late > 2 * LATE || now - this.#lateSince > 2 * LATE) this.#renew(words);
    else this.#say('lost', words);
  }

  #watch() {
    if (this.#jumped() || performance.now() - this.#heard <= SILENCE) return;
    // The connection may be dead and not know it.
    this.#renew(this.#why || 'nothing comes');
  }

  /** While a machine sleeps, one of its clocks may stand still: then nothing tells how old it is what comes. */
  #jumped() {
    const before = this.#apart;
    this.#apart = apart();
    if (Math.abs(this.#apart - before) <= JUMP) return false;
    this.#renew('this machine slept, or its clock was set');
    return true;
  }

  #renew(why) {
    this.#why = why;
    this.#say('lost', why);
    this.#start();
  }

  #say(status, why) {
    this.#onStatus(status, why);
  }
}

/** How far this machine's two clocks are apart: the one that can be set, and the one that cannot. */
function apart() {
  return Date.now() - performance.now();
}
