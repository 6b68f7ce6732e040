// @ts-check
// rows.js - the rows behind a number, as a table for a hand: asked for where
// the wall's link leads to. Whoever may not see them is told so by the server.

import {ProblemError, getJson} from '../api.js';
import {element} from './panels.js';
import {address} from './plan.js';
import {exactly} from './numbers.js';
import {say} from './words.js';

/** Rows of one table, and columns that there is room for; those that the link says already. */
const ROWS_MOST = 50, COLUMNS_MOST = 12, LEFT_OUT = new Set(['lon', 'lat', 'layer']);

/**
 * The address that gives the rows of a wall's link; null: what it leads to is a
 * map or a table of units, which the analyst's page draws.
 * @param {string} link @param {number} limit
 */
export function askOf(link, limit) {
  if (link.startsWith('/coverage/')) return link.replace(/\blimit=\d+/, `limit=${limit}`);
  const q = new URLSearchParams(link.slice(link.indexOf('#') + 1)), layer = q.get('layer');
  if (!layer || q.get('layers') !== layer) return null;
  return address(`/collections/${encodeURIComponent(layer)}/items`, {limit, filter: q.get('filter') ?? '', datetime: q.get('time') ?? ''});
}

/**
 * What such an answer says.
 * @param {any} answer @returns {{total: number, sums: Record<string, number>, rows: Record<string, any>[]}}   total: of all pages
 */
export function rowsOf(answer) {
  if (!answer.features) return {total: answer.numberMatched, sums: answer.sums ?? {}, rows: answer.rows};
  return {total: answer.numberMatched, sums: {}, rows: answer.features.map((f) => ({id: f.id, ...f.properties}))};
}

/** @param {any} value */
const written = (value) => value === null || value === undefined ? '' : typeof value === 'object' ? JSON.stringify(value) : String(value);

/**
 * @param {string} link @param {string | undefined} sum   a column that the number is the sum of @param {import('./words.js').Language} lang @param {AbortSignal} signal
 * @returns {Promise<HTMLElement>}
 */
export async function tableOf(link, sum, lang, signal) {
  const ask = askOf(link, ROWS_MOST), open = element('p', {}, element('a', {href: link, target: '_blank', rel: 'noopener'}, say(lang, ask?.startsWith('/coverage/') ? 'open_list' : 'open_map')));
  if (!ask) return element('div', {}, open);
  try {
    const {total, sums, rows} = rowsOf(await getJson(ask, signal)), said = sum && sum in sums ? ` · ${say(lang, 'in_all', {c: sum, n: exactly(sums[sum])})}` : '';
    const columns = [...new Set(rows.flatMap((r) => Object.keys(r).filter((c) => written(r[c]) !== '' && !LEFT_OUT.has(c))))].slice(0, COLUMNS_MOST);
    return element('div', {}, element('p', {class: 'quiet'}, say(lang, 'shown_of', {a: exactly(rows.length), n: exactly(total)}) + said),
      element('div', {class: 'wide', tabindex: '0', role: 'region', 'aria-label': say(lang, 'rows')}, element('table', {},
        element('thead', {}, element('tr', {}, ...columns.map((c) => element('th', {scope: 'col'}, c)))),
        element('tbody', {}, ...rows.map((r) => element('tr', {}, ...columns.map((c) => element('td', {}, written(r[c])))))))), open);
  } catch (error) {
    if (signal.aborted) throw error;
    const refused = error instanceof ProblemError && [401, 403, 404].includes(error.status);
    return element('p', {role: 'alert'}, refused ? say(lang, 'no_rows') : error.message);
  }
}
