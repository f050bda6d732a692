// Texts for people. What is a price or an amount comes as text and is shown as it came; numbers here are for pixels.

const two = (number) => String(number).padStart(2, '0');

/** `20:51:03`, UTC, of milliseconds since 1970. */
export function time(ms) {
  if (ms === null || ms === undefined) return '–';
  const date = new Date(ms);
  return `${two(date.getUTCHours())}:${two(date.getUTCMinutes())}:${two(date.getUTCSeconds())}`;
}

/** `20:51:03.120`. */
export function exactTime(ms) {
  return ms === null || ms === undefined ? '–' : `${time(ms)}.${String(Math.floor(ms % 1000)).padStart(3, '0')}`;
}

/** How long: `120 ms`, `3.4 s`, `5 m 12 s`, `2 h 03 m`, `4 d 2 h`. */
export function span(ms) {
  if (ms === null || ms === undefined || Number.isNaN(ms)) return '–';
  const s = Math.max(0, ms) / 1000;
  if (s < 1) return `${Math.round(s * 1000)} ms`;
  if (s < 60) return `${s.toFixed(1)} s`;
  if (s < 3600) return `${Math.floor(s / 60)} m ${two(Math.floor(s % 60))} s`;
  if (s < 86400) return `${Math.floor(s / 3600)} h ${two(Math.floor(s / 60) % 60)} m`;
  return `${Math.floor(s / 86400)} d ${Math.floor(s / 3600) % 24} h`;
}

/** An age, to the second where it is one. */
export function age(ms) {
  if (ms === null || ms === undefined) return '–';
  return ms < 1000 ? '< 1 s' : ms < 60000 ? `${Math.floor(ms / 1000)} s` : span(ms);
}

/** Microseconds that are a bound: `≤ 16 ms`. */
export function bound(us) {
  if (us === null || us === undefined) return '–';
  if (us < 1000) return `≤ ${us} µs`;
  if (us < 1e6) return `≤ ${Math.round(us / 100) / 10} ms`;
  return `≤ ${Math.round(us / 1e5) / 10} s`;
}

/** With blanks between thousands. */
export function count(number) {
  return number === null || number === undefined ? '–' : String(number).replace(/\B(?=(\d{3})+(?!\d))/g, ' ');
}

/** In thousands or millions, for an axis. */
export function short(number) {
  const size = Math.abs(number);
  if (size >= 1e9) return `${+(number / 1e9).toPrecision(3)}B`;
  if (size >= 1e6) return `${+(number / 1e6).toPrecision(3)}M`;
  if (size >= 1e4) return `${+(number / 1e3).toPrecision(3)}k`;
  return String(+number.toPrecision(4));
}

export const text = (value) => (value === null || value === undefined ? '–' : String(value));
export const number = (value) => (value === null || value === undefined ? null : Number(value));

/** Of two decimal numbers in texts, exact and without trailing zeros; null if one of them is no number. */
export function difference(one, other) {
  if (![one, other].every((value) => /^-?\d+(\.\d+)?$/.test(value))) return null;
  const places = Math.max(...[one, other].map((value) => (value.split('.')[1] ?? '').length));
  const units = (value) => {
    const [whole, part = ''] = value.split('.');
    return BigInt(whole + part.padEnd(places, '0'));
  };
  const result = units(one) - units(other);
  const digits = String(result < 0n ? -result : result).padStart(places + 1, '0');
  const end = digits.length - places;
  const text = places === 0 ? digits : `${digits.slice(0, end)}.${digits.slice(end)}`.replace(/\.?0+$/, '');
  return result < 0n ? `-${text}` : text;
}

/** Writes only what differs: a page that is not touched is not laid out. */
export function set(node, value) {
  if (node.textContent !== value) node.textContent = value;
}

/** Classes, of which the others stay as they are. */
export function mark(node, classes) {
  for (const [name, is] of Object.entries(classes)) node.classList.toggle(name, Boolean(is));
}

/** An element with these texts and elements in it. */
export function make(tag, classes, ...children) {
  const node = document.createElement(tag);
  if (classes) node.className = classes;
  node.append(...children);
  return node;
}
