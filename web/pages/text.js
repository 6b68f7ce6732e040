// @ts-check
// text.js - numbers and moments as people here read them. Pure.

const WHOLE = new Intl.NumberFormat('zh-CN');

/** Exact, with separators. @param {number} n */
export const exact = (n) => WHOLE.format(n);

/** Short: 113.4万, 1.2亿. @param {number} n */
export function short(n) {
  const size = Math.abs(n);
  if (size < 1e4) return WHOLE.format(n);
  const [unit, name] = size < 99995e3 ? [1e4, '万'] : [1e8, '亿'];
  const value = n / unit;
  return `${+value.toFixed(Math.abs(value) < 1000 ? 1 : 0)}${name}`;
}

/** About three digits, no more. @param {number} value */
export function about(value) {
  if (!Number.isFinite(value)) return '?';
  if (value === 0) return '0';
  if (Math.abs(value) >= 1e4) return short(+value.toPrecision(3));
  if (Math.abs(value) >= 100) return WHOLE.format(Math.round(value));
  return String(+value.toPrecision(2));
}

/** With so many decimals, and a minus as long as a plus. @param {number} n @param {number} decimals */
export const fixed = (n, decimals) => new Intl.NumberFormat('zh-CN', {minimumFractionDigits: decimals, maximumFractionDigits: decimals}).format(Math.abs(n)).replace(/^/, n < 0 && Number(Math.abs(n).toFixed(decimals)) > 0 ? '−' : '');

/**
 * How the numbers of a column are written: all with as many decimals as give the
 * middle one of them three digits. @param {(number | null | undefined)[]} values
 * @returns {(n: number) => string}
 */
export function evenly(values) {
  const sizes = values.map((v) => Math.abs(v ?? NaN)).filter((v) => v > 0 && Number.isFinite(v)).sort((a, b) => a - b);
  if (!sizes.length || sizes.every(Number.isInteger)) return (n) => fixed(n, 0);
  const decimals = Math.max(0, Math.min(4, 2 - Math.floor(Math.log10(sizes[sizes.length >> 1]))));
  return (n) => (Number.isFinite(n) ? fixed(n, decimals) : '?');
}

/** A figure of a legend: two digits. @param {number} value */
export const figure = (value) => about(Number.isFinite(value) ? +value.toPrecision(2) : value);

/** Part of a whole; of nothing it is nothing. @param {number} part @param {number} whole */
export function share(part, whole) {
  if (!whole) return '0%';
  const percent = part / whole * 100;
  return percent > 0 && percent < 0.05 ? '<0.1%' : `${percent.toFixed(1)}%`;
}

/**
 * "6月26日 14:05" of an ISO moment, in the zone that it names itself: what the
 * city's clock showed, wherever the reader is.
 * @param {string} iso
 */
export function moment(iso) {
  const m = /^(\d{4})-(\d\d)-(\d\d)(?:T(\d\d):(\d\d))?/.exec(iso);
  if (!m) return '?';
  return `${+m[1]}年${+m[2]}月${+m[3]}日${m[4] ? ` ${m[4]}:${m[5]}` : ''}`;
}

export const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/**
 * 6月26日 14:05 or 26 Jun 14:05 of an ISO moment in the zone that it names
 * itself; midnight is a date. The year is told where it is another than the
 * reader's.
 * @param {string} lang @param {string} iso @param {string | null} [asOf]   a moment of the year that goes without saying
 */
export function momentOf(lang, iso, asOf) {
  const m = /^(\d{4})-(\d\d)-(\d\d)(?:T(\d\d:\d\d)(?::(\d\d))?)?/.exec(iso);
  if (!m) return '?';
  const time = m[4] && (m[4] !== '00:00' || Number(m[5])) ? ` ${m[4]}` : '', other = m[1] !== (asOf ?? '').slice(0, 4);
  return lang === 'en' ? `${+m[3]} ${MONTHS[+m[2] - 1]}${other ? ` ${m[1]}` : ''}${time}` : `${other ? `${m[1]}年` : ''}${+m[2]}月${+m[3]}日${time}`;
}

/** A date so many days later. @param {string} date YYYY-MM-DD @param {number} days */
export function addDays(date, days) {
  return new Date(Date.parse(`${date}T00:00:00Z`) + days * 864e5).toISOString().slice(0, 10);
}

/** Days from a to b. @param {string} a @param {string} b */
export function daysBetween(a, b) {
  return Math.round((Date.parse(`${b}T00:00:00Z`) - Date.parse(`${a}T00:00:00Z`)) / 864e5);
}

/** Is this a day that exists? @param {string} text */
export function isDate(text) {
  const at = /^\d{4}-\d\d-\d\d$/.test(text) ? Date.parse(`${text}T00:00:00Z`) : NaN;
  return Number.isFinite(at) && new Date(at).toISOString().slice(0, 10) === text;
}

/** YYYY-MM-DD of what somebody types: 2023-6-1, 2023/06/01, 20230601, 2023年6月1日; null: no day that exists. @param {string} text */
export function dateOf(text) {
  const m = /^\s*(\d{4})(?:[-/.年](\d{1,2})[-/.月](\d{1,2})日?|(\d\d)(\d\d))\s*$/.exec(text.normalize('NFKC'));
  if (!m) return null;
  const date = `${m[1]}-${(m[2] ?? m[4]).padStart(2, '0')}-${(m[3] ?? m[5]).padStart(2, '0')}`;
  return isDate(date) ? date : null;
}

/**
 * The last whole day of data by a clock: midnight is the end of a day.
 * @param {string} iso
 */
export function lastDay(iso) {
  const date = iso.slice(0, 10);
  return /T00:00(:00(\.0+)?)?(?![\d:.])/.test(iso) ? addDays(date, -1) : date;
}

/** So many days up to a clock, FROM/TO. @param {string} iso @param {number} days */
export const lastDays = (iso, days) => `${addDays(lastDay(iso), 1 - days)}/${lastDay(iso)}`;

/**
 * What is wrong with a filter, and at which of its characters, counted from 1
 * (0: it does not say). The server counts bytes from 0.
 * @param {string} filter @param {string} message @param {number} [at]
 */
export function filterProblem(filter, message, at) {
  if (at === undefined) return {character: 0, text: message};
  const before = new TextDecoder().decode(new TextEncoder().encode(filter).slice(0, at));
  return {character: [...before].length + 1, text: message.replace(/(?: that begins)? at byte \d+/, '').replace(/\bbyte \d+ /, '')};
}
