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
