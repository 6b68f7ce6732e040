// @ts-check
// ranks.js - a table of rows in any order, beside the map: a head sorts, a row
// is chosen and pointed at, all of it is saved as CSV as it stands.

import {element} from '../dom.js';
import {csvOf, sorted} from '../profile/numbers.js';
import {saveCsv} from '../profile/parts.js';

/**
 * @typedef {object} Column
 * @property {string} id
 * @property {string} title
 * @property {string} [help]     on the head
 * @property {string} [unit]     what its numbers are, below the title
 * @property {boolean} [wordy]   words, not a number: to the left, rising first
 * @property {(row: any) => number | string | null | undefined} of   by what rows are sorted, and what a CSV holds; null: not known, last either way
 * @property {(row: any) => (Node | string)} [cell]   what is shown, if it is not the same
 * @property {(down: boolean) => (a: any, b: any) => number} [compare]   an order of its own
 * @property {string} [className]
 * @property {[string, (row: any) => unknown][]} [csv]   columns of the CSV instead of its own; none: []
 */

/** Rows that are shown before all are asked for. */
const ROWS_FIRST = 100;

export class Ranks {
  /**
   * @param {HTMLElement} container empty, its own
   * @param {{say: (key: any, values?: any) => string, exact: (n: number) => string, label: string, id?: string,
   *   onPick?: (row: any) => void, onPoint?: (row: any | null) => void, onSort?: (by: string, down: boolean) => void}} how
   */
  constructor(container, how) {
    Object.assign(this, {how});
    this.all = false;
    /** @type {Column[]} */
    this.columns = [];
    /** @type {any[]} */
    this.rows = [];
    this.by = '';
    this.down = true;
    this.chosen = '';
    this.head = element('thead');
    this.body = element('tbody', how.id ? {id: how.id} : {});
    this.scroll = element('div', {className: 'scroll', tabIndex: 0, role: 'region', ariaLabel: how.label}, element('table', {className: 'ranks'}, this.head, this.body));
    this.more = element('button', {type: 'button', className: 'plain more-rows', hidden: true, onclick: () => {
      this.all = true;
      this.draw();
    }});
    container.append(this.scroll, this.more);
    // A table that is wider than its pane says so: where it goes on its edge fades.
    const edge = () => { container.classList.toggle('goes-on', this.scroll.scrollLeft + this.scroll.clientWidth < this.scroll.scrollWidth - 1); };
    this.scroll.addEventListener('scroll', edge, {passive: true});
    const watch = new ResizeObserver(edge);
    for (const node of [this.scroll, this.scroll.firstElementChild]) watch.observe(node);
    const rowOf = (e) => {
      const key = /** @type {HTMLElement | null} */ (/** @type {Element} */ (e.target).closest('tr'))?.dataset.id;
      return key === undefined ? null : this.rows.find((r) => this.key(r) === key) ?? null;
    };
    this.body.onclick = (e) => { const row = rowOf(e); if (row) how.onPick?.(row); };
    this.body.onpointerover = this.body.onfocusin = (e) => how.onPoint?.(rowOf(e));
    this.body.onpointerleave = this.body.onfocusout = () => how.onPoint?.(null);
  }

  /** @param {any} row */
  key(row) {
    return String(row.key ?? row.id ?? '');
  }

  /**
   * Other rows, of the same columns or others.
   * @param {Column[]} columns the first names the row @param {any[]} rows @param {{by: string, down: boolean}} order what is no column: the second's
   */
  show(columns, rows, {by, down}) {
    const same = columns.length === this.columns.length && columns.every((c, i) => c.id === this.columns[i].id);
    if (!same) this.all = false;
    const known = columns.some((c) => c.id === by);
    Object.assign(this, {columns, rows, by: known ? by : columns[1]?.id ?? columns[0].id, down: known ? down : !(columns[1] ?? columns[0]).wordy});
    this.draw();
  }

  ordered() {
    const column = this.columns.find((c) => c.id === this.by);
    if (column?.compare) return [...this.rows].sort(column.compare(this.down));
    return column ? sorted(this.rows, column.of, this.down, (r) => this.key(r)) : this.rows;
  }

  /** @param {Column} c */
  header(c) {
    const button = element('button', {type: 'button', className: 'plain', onclick: () => {
      this.down = this.by === c.id ? !this.down : !c.wordy;
      this.by = c.id;
      this.draw();
      this.how.onSort?.(this.by, this.down);
      this.head.querySelector(`[data-sort="${c.id}"]`)?.focus();
    }}, element('span', {className: 'head'}, c.title), ...c.unit ? [element('small', {}, c.unit)] : []);
    button.dataset.sort = c.id;
    const th = element('th', {scope: 'col', className: c.wordy ? '' : 'number', title: c.help ?? ''}, button);
    th.dataset.column = c.id;
    if (this.by === c.id) th.setAttribute('aria-sort', this.down ? 'descending' : 'ascending');
    return th;
  }

  draw() {
    const rows = this.ordered(), shown = this.all ? [...rows] : rows.slice(0, ROWS_FIRST), left = this.scroll.scrollLeft;
    // The one that is chosen is there whatever its rank.
    const chosen = this.chosen && rows.find((r) => this.key(r) === this.chosen);
    if (chosen && !shown.includes(chosen)) shown.push(chosen);
    const focus = this.body.contains(document.activeElement) ? document.activeElement?.closest('tr')?.dataset.id : undefined;
    this.head.replaceChildren(element('tr', {}, ...this.columns.map((c) => this.header(c))));
    this.body.replaceChildren(...shown.map((r) => this.row(r)));
    this.more.hidden = rows.length <= shown.length;
    this.more.textContent = this.how.say('show_all', {n: this.how.exact(rows.length)});
    this.scroll.scrollLeft = left;
    this.mark(this.chosen, false);
    if (focus !== undefined) [...this.body.rows].find((row) => row.dataset.id === focus)?.querySelector('button')?.focus({preventScroll: true});
  }

  /** @param {any} r */
  row(r) {
    const row = element('tr', {className: r.className ?? ''}, ...this.columns.map((c, i) => {
      const told = c.cell ? c.cell(r) : String(c.of(r) ?? '');
      const cell = i || r.id === null || r.id === undefined || r.id === '' ? told : element('button', {type: 'button', className: 'plain'}, told);
      return element('td', {className: `${c.wordy ? '' : 'number'} ${c.className ?? ''}`.trim()}, cell);
    }));
    row.dataset.id = this.key(r);
    if (r.title) row.title = r.title;
    return row;
  }

  /** The row that is chosen, wherever that was. @param {string} key '' none @param {boolean} [scroll] */
  mark(key, scroll = true) {
    this.chosen = key;
    const there = [...this.body.rows].some((row) => row.dataset.id === key);
    if (key && !there && this.rows.some((r) => this.key(r) === key)) return this.draw();
    for (const row of this.body.rows) {
      const on = key !== '' && row.dataset.id === key;
      row.classList.toggle('chosen', on);
      row.querySelector('button')?.setAttribute('aria-pressed', String(on));
      if (on && scroll) this.bring(row);
    }
  }

  /** Into sight within the table: the page itself stays where it is. @param {HTMLElement} row */
  bring(row) {
    const [box, at] = [this.scroll.getBoundingClientRect(), row.getBoundingClientRect()], top = box.top + this.head.offsetHeight;
    if (at.top < top) this.scroll.scrollTop -= top - at.top;
    else if (at.bottom > box.bottom) this.scroll.scrollTop += at.bottom - box.bottom;
  }

  /** As it stands: all rows, in the order that is shown. @param {string} name of the file */
  save(name) {
    const columns = /** @type {[string, (row: any) => unknown][]} */ ([['id', (r) => r.id], ...this.columns.flatMap((c) => c.csv ?? [[c.id, c.of]])]);
    saveCsv(name, csvOf(columns.map(([id]) => id), this.ordered().map((r) => columns.map(([, of]) => of(r)))));
  }
}
