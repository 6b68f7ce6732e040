// @ts-check
// rows.js - the rows behind a number, to be read and printed: /sheet?list=
// and the address that lists them.

import {getJson, getRows} from '../api.js';
import {columnTitle, stateTitle} from '../columns.js';
import {element} from '../dom.js';
import {aboutOf, columnsOf, readAsked, rowsOf} from '../list.js';
import {Names} from '../names.js';
import {tableOf} from '../rows.js';
import {exact, lastDay, momentOf} from '../text.js';
import {say, titleOf} from './words.js';

/** Rows of one sheet. */
const ROWS_MOST = 1000;

/** @typedef {import('./words.js').Language} Language */

/** A filter in words, where it is one value of a column; else as it is. @param {Language} lang @param {Names} names @param {string} layer @param {string} filter */
function filterText(lang, names, layer, filter) {
  const m = /^\(?"?(\w+)"? = (?:'((?:[^']|'')*)'|(-?[\d.]+))\)?$/.exec(filter);
  if (!m) return filter;
  const value = (m[2] ?? m[3]).replaceAll("''", "'"), called = names.value(layer, m[1], value);
  return called === value ? `${columnTitle(lang, m[1])} ${value}` : called;
}

/** The same list in another form. @param {string} list @param {Record<string, string>} change '' removes */
export function listWith(list, change) {
  const [path, query = ''] = list.split('?'), params = new URLSearchParams(query);
  for (const [name, value] of Object.entries(change)) value ? params.set(name, value) : params.delete(name);
  return `${path}?${params}`;
}

/**
 * What stands on the sheet; null: the address lists no rows.
 * @param {string} list @param {Language} lang @param {any} city   title, synthetic, as_of
 * @returns {Promise<{title: string, nodes: Node[], csv: string} | null>}
 */
export async function rowsSheet(list, lang, city) {
  const asked = readAsked(list);
  if (!asked) return null;
  const [answer, catalog] = await Promise.all([getRows(listWith(list, {limit: String(ROWS_MOST), f: ''})), getJson(`/catalog?lang=${lang === 'en' ? 'en' : 'zh'}`)]);
  const names = new Names(lang, catalog), about = aboutOf(lang, names, catalog), layer = catalog.layers.find((l) => l.name === asked.layer);
  const {total, sums, rows} = rowsOf(answer), columns = columnsOf(about, asked, rows), states = (asked.params.get('state') ?? '').split(',').filter((s) => s);
  const what = [titleOf(lang, layer ?? {name: asked.layer}), asked.filter && filterText(lang, names, asked.layer, asked.filter), ...states.map((s) => stateTitle(lang, s))].filter((t) => t);
  const title = `${say(lang, asked.coverage ? 'patrols' : 'rows')} · ${what.join(' · ')}`;
  const count = rows.length < (total ?? rows.length) ? say(lang, 'rows_of', {n: exact(total ?? rows.length), m: exact(rows.length)}) : say(lang, 'rows_all', {n: exact(rows.length)});
  const line = (...parts) => element('div', {className: 'line'}, ...parts.filter((p) => p).map((p) => (typeof p === 'string' ? element('span', {}, p) : p)));
  const made = asked.coverage && rows.length ? `${columnTitle(lang, 'due_visits')} ${exact(sums.due ?? 0)} · ${columnTitle(lang, 'done_visits')} ${exact(sums.done ?? 0)}` : '';
  const period = answer.from ? `${say(lang, 'period')} ${momentOf(lang, answer.from, city.as_of)} – ${momentOf(lang, lastDay(answer.to), city.as_of)}` : asked.time ? `${say(lang, 'period')} ${asked.time.split('/').map((d) => momentOf(lang, d, city.as_of)).join(' – ')}` : '';
  const nodes = [element('header', {}, line(element('h1', {}, title), count, city.synthetic ? element('span', {className: 'synthetic'}, say(lang, 'synthetic')) : ''),
    line(made, period, answer.at ? `${say(lang, 'judged')} ${momentOf(lang, answer.at, city.as_of)}` : '', city.as_of ? `${say(lang, 'as_of')} ${momentOf(lang, city.as_of, city.as_of)}` : '', layer?.columns_withheld ? say(lang, 'withheld') : '')),
  ...rows.length ? [element('div', {className: 'wide', tabIndex: 0, role: 'region', ariaLabel: title}, tableOf({lang, layer: asked.layer, columns, rows}))] : [element('p', {className: 'message', role: 'status'}, say(lang, 'no_row'))],
  ...asked.coverage && rows.length ? [element('p', {className: 'quiet'}, say(lang, 'page_note'))] : []];
  return {title, nodes, csv: listWith(list, {f: 'csv', limit: ''})};
}
