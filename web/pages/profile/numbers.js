// @ts-check
// numbers.js - what is known of a number, how sure it is, and tables of them as
// CSV. Pure.

/** Two-sided 95 %. */
const Z = 1.959963984540054;

/** A count as the server tells it. @typedef {{known: 'number', value: number} | {known: 'hidden'} | {known: 'unknown'} | {known: 'awaited'}} Known */

/** Hidden, zero, unknown and not connected are four things. @param {{count?: number | null, hidden?: boolean} | null | undefined} said @param {{rows: number, as_of?: string} | undefined} [layer] @returns {Known} */
export function known(said, layer) {
  if (layer && !layer.rows && !layer.as_of) return {known: 'awaited'};
  if (!said) return {known: 'unknown'};
  if (said.hidden) return {known: 'hidden'};
  return typeof said.count === 'number' ? {known: 'number', value: said.count} : {known: 'unknown'};
}

/** Interval of a share (Wilson 1927), as the server's. @param {number} hits @param {number} of */
export function wilson(hits, of) {
  if (!of) return {low: 0, high: 1};
  const p = hits / of, z2 = Z * Z, middle = (p + z2 / (2 * of)) / (1 + z2 / of);
  const half = Z / (1 + z2 / of) * Math.sqrt(p * (1 - p) / of + z2 / (4 * of * of));
  return {low: hits === 0 ? 0 : middle - half, high: hits === of ? 1 : middle + half};
}

/**
 * Is it different from the city? Only if the city's lies outside the interval.
 * @param {{low: number | null | undefined, high: number | null | undefined}} sure @param {number | null | undefined} city
 * @returns {'higher' | 'lower' | 'same' | 'unknown'}
 */
export function verdict({low, high}, city) {
  if (typeof low !== 'number' || typeof high !== 'number' || typeof city !== 'number') return 'unknown';
  return low > city ? 'higher' : high < city ? 'lower' : 'same';
}

/** Logarithm of n!, of the numbers that are asked for (Stirling's series from 32 on). @param {number} n */
function logFactorial(n) {
  if (n < 32) {
    let product = 1;
    for (let k = 2; k <= n; k++) product *= k;
    return Math.log(product);
  }
  return n * Math.log(n) - n + 0.5 * Math.log(2 * Math.PI * n) + 1 / (12 * n) - 1 / (360 * n ** 3) + 1 / (1260 * n ** 5);
}

/** Terms of a sum that are smaller than this part of it are left out. */
const SMALL = 1e-17;

/**
 * Two-sided p of as many hits among so many, each a hit with the same chance:
 * twice the smaller end of the binomial distribution, exactly, and so never too
 * small, however few there are.
 * @param {number} hits @param {number} of @param {number} chance 0 to 1
 */
export function binomialP(hits, of, chance) {
  if (!of || (chance <= 0 && !hits) || (chance >= 1 && hits === of)) return 1;
  if (chance <= 0 || chance >= 1) return 0;
  const at = Math.exp(logFactorial(of) - logFactorial(hits) - logFactorial(of - hits) + hits * Math.log(chance) + (of - hits) * Math.log1p(-chance)), odds = chance / (1 - chance);
  // Away from the middle terms only get smaller.
  const up = hits >= of * chance;
  let sum = at, term = at;
  for (let k = hits; up ? k < of : k > 0; up ? k++ : k--) {
    term *= up ? (of - k) / (k + 1) * odds : k / (of - k + 1) / odds;
    sum += term;
    if (term <= sum * SMALL) break;
  }
  return Math.min(1, 2 * sum);
}

/**
 * Benjamini and Hochberg (1995), as the engine's: the smallest false discovery
 * rate at which each is still among the discoveries; null is no test.
 * @param {(number | null)[]} p @returns {(number | null)[]}
 */
export function falseDiscovery(p) {
  const order = p.map((v, i) => ({v, i})).filter(({v}) => v !== null).sort((a, b) => /** @type {number} */ (b.v) - /** @type {number} */ (a.v)), q = p.map(() => /** @type {number | null} */ (null));
  let least = 1;
  order.forEach(({v, i}, k) => { q[i] = least = Math.min(least, /** @type {number} */ (v) * order.length / (order.length - k)); });
  return q;
}

/** Of what is compared together and said to differ so much may be wrong. */
export const FALSE_MOST = 0.05;

/**
 * Which parts differ from the city's, where many are compared at once: the false
 * discovery rate of all of them is 5 %.
 * @param {{hits: number | null, city: number | null}[]} parts hits among `of`, and the share in the city @param {number} of
 * @returns {{p: number | null, q: number | null, verdict: 'higher' | 'lower' | 'same' | 'unknown'}[]}
 */
export function partVerdicts(parts, of) {
  const p = parts.map(({hits, city}) => (hits === null || city === null || !of ? null : binomialP(hits, of, city))), q = falseDiscovery(p);
  return parts.map(({hits, city}, i) => ({p: p[i], q: q[i], verdict: q[i] === null ? 'unknown' : /** @type {number} */ (q[i]) > FALSE_MOST ? 'same' : /** @type {number} */ (hits) / of > /** @type {number} */ (city) ? 'higher' : 'lower'}));
}

/** Values by a column, NULL and unknown last whatever the direction; equals by id. @template T @param {T[]} rows @param {(row: T) => number | string | null | undefined} of @param {boolean} down @param {(row: T) => string} id @returns {T[]} */
export function sorted(rows, of, down, id) {
  const missing = (v) => v === null || v === undefined || (typeof v === 'number' && !Number.isFinite(v));
  return [...rows].sort((a, b) => {
    const x = of(a), y = of(b);
    if (missing(x) || missing(y)) return Number(missing(x)) - Number(missing(y)) || id(a).localeCompare(id(b));
    const order = typeof x === 'string' || typeof y === 'string' ? String(x).localeCompare(String(y), 'zh-CN') : /** @type {number} */ (x) - /** @type {number} */ (y);
    return (down ? -order : order) || id(a).localeCompare(id(b));
  });
}

/** A cell that a spreadsheet takes for text, not for a formula. @param {unknown} value */
function csvCell(value) {
  if (value === null || value === undefined) return '';
  if (typeof value === 'number') return Number.isFinite(value) ? String(value) : '';
  const text = String(value), safe = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

/** As Excel reads it: UTF-8 with its mark. @param {string[]} names @param {unknown[][]} rows */
export const csvOf = (names, rows) => `\ufeff${[names, ...rows].map((row) => row.map(csvCell).join(',')).join('\r\n')}\r\n`;

/** How a number is written into a CSV: what is not known has a word of its own. @param {Known} cell */
export const csvKnown = (cell) => (cell.known === 'number' ? cell.value : cell.known);
