// The connection: says what comes, and as soon as nothing comes, that what is shown is of the past.

/** The other side says something every second at the latest. */
const SILENCE = 3000;
/** So late is what comes if a buffer on the way is full of it; after a while it is asked for anew. */
const LATE = 3000;
const RETRY = [500, 1000, 2000];

export class Stream {
  #onMessage;
  #onStatus;
  #symbol = null;
  #abort = null;
  #timer = null;
  #run = 0;
  #failures = 0;
  #heard = 0;
  #offset = Infinity;
  #why = '';

  /** `onStatus('connecting' | 'live' | 'lost', why)`: lost also before anything came. */
  constructor(onMessage, onStatus) {
    this.#onMessage = onMessage;
    this.#onStatus = onStatus;
    setInterval(() => this.#watch(), 250);
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
    this.#offset = Infinity;
    this.#heard = performance.now();
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
      }
    }
  }

  #take(message) {
    const now = performance.now();
    this.#heard = now;
    this.#failures = 0;
    this.#why = '';
    // The fastest one that came is as late as they must be, whatever the two clocks say.
    this.#offset = Math.min(this.#offset, now - message.at_ms);
    const late = now - message.at_ms - this.#offset;
    this.#onMessage(message, late);
    if (late > LATE) {
      this.#say('lost', `what comes is ${Math.round(late / 1000)} s late`);
      if (late > 2 * LATE) this.#start();
    } else {
      this.#say('live', '');
    }
  }

  #watch() {
    if (performance.now() - this.#heard <= SILENCE) return;
    this.#say('lost', this.#why || 'nothing comes');
    // The connection may be dead and not know it.
    this.#start();
  }

  #say(status, why) {
    this.#onStatus(status, why);
  }
}
