// @ts-check
// rows.js - the rows behind a number, as a table for a hand: asked for where
// the wall's link leads to. Whoever may not see them is told so by the server.

import {ProblemError, getJson, getRows} from '../api.js';
import {columnTitle} from '../columns.js';
import {columnsOf, readAsked, rowsOf} from '../list.js';
import {addRows, tableOf as rowsTable} from '../rows.js';
import {exactly} from './numbers.js';
import {element} from './panels.js';
import {address} from './plan.js';
import {say} from './words.js';

/** Rows that are asked for at a time. */
const ROWS_MOST = 50;

/**
 * The address that gives the rows of a wall's link; null: what it leads to is a
 * map or a table of units, which the analyst's page draws.
 * @param {string} link @param {number} limit
 */
export function askOf(link, limit) {
  if (link.startsWith('/sheet?')) {
    const list = new URLSearchParams(link.slice('/sheet?'.length)).get('list');
    return list && `${list}${list.includes('?') ? '&' : '?'}limit=${limit}`;
  }
  const q = new URLSearchParams(link.slice(link.indexOf('#') + 1)), layer = q.get('layer');
  if (!layer || q.get('table') !== 'rows') return null;
  return address(`/collections/${encodeURIComponent(layer)}/items`, {limit, filter: q.get('filter') ?? '', datetime: q.get('time') ?? '', sortby: q.get('sort') ?? ''});
}

/**
 * @param {string} link @param {string | undefined} sum   a column that the number is the sum of @param {{lang: import('./words.js').Language, about: import('../list.js').About, withheld: (layer: string) => boolean}} how @param {AbortSignal} signal
 * @returns {Promise<HTMLElement>}
 */
export async function tableOf(link, sum, {lang, about, withheld}, signal) {
  const ask = askOf(link, ROWS_MOST), open = element('p', {}, element('a', {href: link, target: '_blank', rel: 'noopener'}, say(lang, link.startsWith('/sheet?') ? 'open_list' : 'open_map')));
  const asked = ask && readAsked(ask);
  if (!ask || !asked) return element('div', {}, open);
  try {
    const first = rowsOf(await getRows(ask, signal)), {total, sums} = first, columns = columnsOf(about, asked, first.rows);
    const said = element('p', {class: 'quiet', role: 'status'}), table = rowsTable({lang, layer: asked.layer, columns, rows: first.rows});
    const more = element('button', {type: 'button', class: 'more'}, say(lang, 'more_rows', {n: ROWS_MOST}));
    let {next} = first, shown = first.rows.length;
    const tell = () => {
      said.textContent = say(lang, 'shown_of', {a: exactly(shown), n: exactly(total)}) + (sum && sum in sums ? ` · ${say(lang, 'in_all', {c: columnTitle(lang, sum === 'done' ? 'done_visits' : sum === 'due' ? 'due_visits' : sum), n: exactly(sums[sum])})}` : '') + (withheld(asked.layer) ? ` · ${say(lang, 'columns_withheld')}` : '');
      more.hidden = !next;
    };
    more.addEventListener('click', async () => {
      more.disabled = true;
      const page = await getJson(next.replace(/^https?:\/\/[^/]+/, ''), signal).then(rowsOf).catch(() => null);
      more.disabled = false;
      if (!page) return;
      addRows(table, {lang, layer: asked.layer, columns, rows: page.rows});
      next = page.next;
      shown += page.rows.length;
      tell();
    });
    tell();
    return element('div', {}, said, element('div', {class: 'wide', tabindex: '0', role: 'region', 'aria-label': say(lang, 'rows')}, table), more, open);
  } catch (error) {
    if (signal.aborted) throw error;
    const refused = error instanceof ProblemError && [401, 403, 404].includes(error.status);
    return element('p', {role: 'alert'}, refused ? say(lang, 'no_rows') : error.message);
  }
}
