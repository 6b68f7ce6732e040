// @ts-check
// rows.js - a list of rows as a table for people: heads, words, and a way to
// where each row is on the map.

import {element} from './dom.js';
import {NOTHING, UNKNOWN, mapOf} from './list.js';

/** @typedef {import('./list.js').Column} Column */

const WORDS = {on_map: ['在地图上看', 'See it on the map'], unknown: ['未知', 'unknown'], nothing: ['尚无', 'none so far']};
const say = (lang, key) => WORDS[key][lang === 'en' ? 1 : 0];

/** @param {Column} c */
const head = (c) => element('th', {scope: 'col', className: `${c.wordy ? '' : 'number'} ${c.className ?? ''}`.trim()}, c.title, ...c.unit ? [element('small', {}, c.unit)] : []);

/** @param {Column} c @param {any} row @param {string} lang @param {string} href where it is on the map; '' for none */
function cell(c, row, lang, href) {
  const text = c.cell(row), kind = text === NOTHING ? 'nothing' : text === UNKNOWN ? 'unknown' : text === '0' ? 'zero' : '';
  return element('td', {className: [c.wordy ? '' : 'number', c.className ?? '', kind].filter((k) => k).join(' '), title: kind === 'unknown' || kind === 'nothing' ? say(lang, kind) : ''}, href ? element('a', {href, target: '_blank', rel: 'noopener', title: say(lang, 'on_map')}, text) : text);
}

/** Its first cell leads to the map. @param {string} lang @param {string} layer @param {Column[]} columns @param {any} row @param {number} i */
function line(lang, layer, columns, row, i) {
  const href = mapOf(lang, row.layer ?? layer, row);
  return element('tr', {}, element('td', {className: 'number nr'}, String(i + 1)), ...columns.map((c, k) => cell(c, row, lang, k ? '' : href)));
}

/**
 * A table of rows.
 * @param {{lang: string, layer: string, columns: Column[], rows: any[], from?: number}} list   from: rows before these
 */
export function tableOf({lang, layer, columns, rows, from = 0}) {
  return element('table', {className: 'rows-table'}, element('thead', {}, element('tr', {}, element('th', {className: 'number nr', scope: 'col'}, '#'), ...columns.map(head))),
    element('tbody', {}, ...rows.map((row, i) => line(lang, layer, columns, row, from + i))));
}

/** More rows below those that are there. @param {HTMLTableElement} table @param {{lang: string, layer: string, columns: Column[], rows: any[]}} list */
export function addRows(table, {lang, layer, columns, rows}) {
  const body = table.tBodies[0], from = body.rows.length;
  body.append(...rows.map((row, i) => line(lang, layer, columns, row, from + i)));
}
