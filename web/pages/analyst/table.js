// @ts-check
// table.js - counts by unit or class, beside the map: each chooses in the other.

import {element} from '../dom.js';
import {share} from '../text.js';
import {address, selectionOf} from './shown.js';

class Table {
  /** @param {HTMLElement} container @param {import('./panes.js').Context} context */
  constructor(container, context) {
    Object.assign(this, {context});
    const {say} = context;
    const head = (sort, text, number) => {
      const button = element('button', {type: 'button', className: 'plain', onclick: () => this.sort(sort)}, text);
      button.dataset.sort = sort;
      return element('th', {scope: 'col', className: number ? 'number' : ''}, button);
    };
    this.title = element('h2', {id: 'result-title'});
    this.total = element('p', {className: 'total', id: 'total'});
    this.error = element('p', {className: 'error', role: 'alert', hidden: true, id: 'result-error'});
    this.body = element('tbody', {id: 'table'});
    this.head = element('thead', {}, element('tr', {}, head('name', say('name'), false), head('count', say('count'), true), head('count', say('share'), true)));
    this.scroll = element('div', {className: 'scroll', tabIndex: 0, role: 'region', ariaLabel: say('table')}, element('table', {}, this.head, this.body));
    container.append(element('header', {}, this.title, this.total, this.error), this.scroll);
    this.by = 'count';
    this.down = true;
    /** @type {import('../api.js').Group[]} */
    this.groups = [];
  }

  /** What the table counts by: units, or where the layer lies in none the first classes that it has. */
  groupedBy() {
    return this.context.level() || this.context.subject()?.columns.find((c) => c.type === 'category')?.name;
  }

  /** @param {string} sort */
  sort(sort) {
    this.down = sort === this.by ? !this.down : sort === 'count';
    this.by = sort;
    this.draw();
  }

  ask() {
    const {context} = this, {city, state, say, write} = context, layer = context.subject(), by = this.groupedBy();
    if (!layer) return;
    const unit = city.layers.find((l) => l.unit_level && l.unit_level === by);
    this.title.textContent = by ? say('by', {title: write.title(layer), unit: unit ? write.title(unit) : by}) : write.title(layer);
    context.ask('table', async (signal) => {
      const stats = await context.get(address(`/stats/${encodeURIComponent(layer.id)}`, {by, ...selectionOf(city, state.now)}), signal);
      this.groups = stats.groups ?? [];
      this.showTotal(stats.count);
      this.problem(null);
      this.draw();
    });
  }

  /** @param {number | null} count null: not known */
  showTotal(count) {
    const {say, write} = this.context;
    this.total.replaceChildren(element('span', {}, count === null ? '?' : write.exact(count)),
      element('span', {className: 'quiet'}, ` ${say('of_rows', {n: write.short(this.context.subject()?.rows ?? 0)})}`));
  }

  draw() {
    const {lang, say} = this.context, name = (g) => g.id === null ? say('none') : g.name ?? g.id;
    const order = this.by === 'count' ? (a, b) => (a.count ?? -1) - (b.count ?? -1) || name(b).localeCompare(name(a), lang) : (a, b) => name(a).localeCompare(name(b), lang);
    const sorted = [...this.groups].sort((a, b) => (this.down ? -1 : 1) * order(a, b));
    const total = sorted.reduce((sum, g) => sum + (g.count ?? 0), 0), most = Math.max(1, ...sorted.map((g) => g.count ?? 0));
    this.body.replaceChildren(...sorted.map((g) => this.row(g, name(g), total, most)));
    for (const th of this.head.querySelectorAll('th')) th.removeAttribute('aria-sort');
    this.head.querySelector(`[data-sort="${this.by}"]`)?.closest('th')?.setAttribute('aria-sort', this.down ? 'descending' : 'ascending');
    this.choose(this.context.state.now.unit);
  }

  row(group, name, total, most) {
    const {write, state} = this.context, told = group.count !== null;
    const line = element('span', {className: 'bar-line'});
    line.style.width = `${(group.count ?? 0) / most * 100}%`;
    const pick = () => { if (this.context.level()) this.context.choose(group.id === state.now.unit ? '' : group.id ?? '', true); };
    const row = element('tr', {onclick: pick},
      element('td', {}, element('button', {type: 'button', className: 'plain', onclick: (e) => {
        e.stopPropagation();
        pick();
      }}, name)),
      element('td', {className: told ? 'number' : 'number is-hidden'}, ...told ? [write.exact(group.count), line] : []),
      element('td', {className: 'number share'}, told ? share(group.count, total) : ''));
    row.dataset.id = group.id ?? '';
    return row;
  }

  /** @param {string} id */
  choose(id) {
    for (const row of this.body.rows) {
      const on = id !== '' && row.dataset.id === id;
      row.classList.toggle('chosen', on);
      row.querySelector('button').setAttribute('aria-pressed', String(on));
      if (on) row.scrollIntoView({block: 'nearest'});
    }
  }

  /** What stands here is not the answer to what was asked last. @param {string | null} text */
  problem(text) {
    this.scroll.classList.toggle('stale', text !== null);
    this.total.classList.toggle('stale', text !== null);
    this.error.hidden = !text;
    this.error.textContent = text ?? '';
    if (text !== null) this.showTotal(null);
  }
}

export const tablePane = {
  id: 'table', side: 'result', title: (say) => say('table'),
  /** @param {HTMLElement} container @param {import('./panes.js').Context} context */
  mount(container, context) {
    const table = new Table(container, context);
    context.onNews((layer) => { if (layer === null || layer === context.state.now.layer) table.ask(); });
    return {
      show: () => table.ask(),
      change(now, changed) {
        if (['layer', 'filter', 'time', 'units'].some((name) => changed.has(name))) table.ask();
        else if (changed.has('unit')) table.choose(now.unit);
      },
      problem(error, name, text) {
        // What could not be asked is told where it was typed; the numbers are old all the same.
        table.problem(error.parameter === 'filter' ? '' : text);
        return name === 'table' || error.parameter === 'datetime';
      },
    };
  },
};
