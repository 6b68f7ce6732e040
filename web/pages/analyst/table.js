// @ts-check
// table.js - counts by unit or class, beside the map: each chooses in the other.

import {element} from '../dom.js';
import {share} from '../text.js';
import {classTitle} from '../columns.js';
import {address, drawnOf, hasHeat, hotspotsOf, isCells, selectionOf} from './shown.js';

/** The surest first; what was not tested last, either way. @param {string} by z or q @param {boolean} down */
export const bySureness = (by, down) => (a, b) => {
  const [x, y] = [a[by], b[by]].map((v) => (typeof v === 'number' ? v : null));
  if (x === null || y === null) return Number(x === null) - Number(y === null);
  return (down ? y - x : x - y) || Math.abs(b.z ?? 0) - Math.abs(a.z ?? 0);
};

class Table {
  /** @param {HTMLElement} container @param {import('./panes.js').Context} context */
  constructor(container, context) {
    Object.assign(this, {context});
    const {say} = context;
    this.title = element('h2', {id: 'result-title'});
    this.total = element('p', {className: 'total', id: 'total'});
    this.error = element('p', {className: 'error', role: 'alert', hidden: true, id: 'result-error'});
    this.body = element('tbody', {id: 'table'});
    this.head = element('thead', {});
    this.scroll = element('div', {className: 'scroll', tabIndex: 0, role: 'region', ariaLabel: say('table')}, element('table', {}, this.head, this.body));
    container.append(element('header', {}, this.title, this.total, this.error), this.scroll);
    this.by = 'count';
    this.down = true;
    /** @type {import('../api.js').Group[]} */
    this.groups = [];
    this.tested = this.wanted = false;
    this.showHead();
  }

  /** Columns of counts, or of a test: how sure it is comes first. */
  showHead() {
    const {say} = this.context, head = (sort, text, number) => {
      const button = element('button', {type: 'button', className: 'plain', onclick: () => this.sort(sort)}, text);
      button.dataset.sort = sort;
      return element('th', {scope: 'col', className: number ? 'number' : '', title: sort === 'q' ? say('sorted_by_q') : ''}, button);
    };
    this.head.replaceChildren(element('tr', {}, head('name', say('name'), false), ...this.tested
      ? [head('class', say('class'), false), head('z', 'z', true), head('q', 'q', true)] : [head('count', say('count'), true), head('count', say('share'), true)]));
  }

  /** Are units tested for being hot or cold? Then the table tells how. */
  tests() {
    const {context} = this, {city, state} = context, {now} = state;
    return drawnOf(city, now).some((d) => d.id === 'hotspots') && hasHeat(context.subject()) && now.spots !== 'dbscan' && !isCells(now.units) && !!context.level();
  }

  /** What the table counts by: units, or where the layer lies in none the first classes that it has. */
  groupedBy() {
    return this.context.level() || this.context.subject()?.columns.find((c) => c.type === 'category')?.name;
  }

  /** @param {string} sort */
  sort(sort) {
    this.down = sort === this.by ? !this.down : sort === 'count' || sort === 'z';
    this.by = sort;
    this.draw();
  }

  ask() {
    const {context} = this, {city, state, say, write} = context, layer = context.subject(), by = this.groupedBy();
    if (!layer) return;
    const unit = city.layers.find((l) => l.unit_level && l.unit_level === by);
    this.title.textContent = by ? say('by', {title: write.title(layer), unit: unit ? write.title(unit) : by}) : write.title(layer);
    context.ask('table', async (signal) => {
      // A test takes longer than counts, which stay where it is refused.
      this.wanted = this.tests();
      const testing = this.wanted ? context.get(address(`/hotspots/${encodeURIComponent(layer.id)}`, hotspotsOf(city, state.now)), signal).catch(() => null) : null;
      const stats = await context.get(address(`/stats/${encodeURIComponent(layer.id)}`, {by, ...selectionOf(city, state.now)}), signal);
      this.showTotal(stats.count);
      const spots = await testing, tested = !!spots?.rows;
      if (signal.aborted) return;
      this.groups = tested ? spots.rows : stats.groups ?? [];
      if (tested !== this.tested) {
        Object.assign(this, {tested, by: tested ? 'q' : 'count', down: !tested});
        this.showHead();
      }
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
    if (this.tested) return this.drawTested(name);
    const order = this.by === 'count' ? (a, b) => (a.count ?? -1) - (b.count ?? -1) || name(b).localeCompare(name(a), lang) : (a, b) => name(a).localeCompare(name(b), lang);
    const sorted = [...this.groups].sort((a, b) => (this.down ? -1 : 1) * order(a, b));
    const total = sorted.reduce((sum, g) => sum + (g.count ?? 0), 0), most = Math.max(1, ...sorted.map((g) => g.count ?? 0));
    this.body.replaceChildren(...sorted.map((g) => this.row(g, name(g), total, most)));
    this.mark();
  }

  /** @param {(row: any) => string} name */
  drawTested(name) {
    const {lang, write} = this.context, words = {name, class: (r) => classTitle(lang, r.class ?? 'unknown')}[this.by];
    const sorted = [...this.groups].sort(words ? (a, b) => (this.down ? -1 : 1) * words(a).localeCompare(words(b), lang) : bySureness(this.by, this.down));
    const figure = (n) => (typeof n === 'number' ? n.toFixed(2) : '?');
    this.body.replaceChildren(...sorted.map((r) => {
      const row = this.line(r, name(r), [element('td', {}, classTitle(lang, r.class ?? 'unknown')), element('td', {className: 'number'}, figure(r.z)),
        element('td', {className: 'number'}, typeof r.q !== 'number' ? '?' : r.q < 0.001 ? '<0.001' : r.q.toFixed(3))]);
      row.title = typeof r.count === 'number' ? `${this.context.say('count')} ${write.exact(r.count)}` : '';
      return row;
    }));
    this.mark();
  }

  mark() {
    for (const th of this.head.querySelectorAll('th')) th.removeAttribute('aria-sort');
    this.head.querySelector(`[data-sort="${this.by}"]`)?.closest('th')?.setAttribute('aria-sort', this.down ? 'descending' : 'ascending');
    this.choose(this.context.state.now.unit);
  }

  row(group, name, total, most) {
    const {write} = this.context, told = group.count !== null;
    const line = element('span', {className: 'bar-line'});
    line.style.width = `${(group.count ?? 0) / most * 100}%`;
    return this.line(group, name, [element('td', {className: told ? 'number' : 'number is-hidden'}, ...told ? [write.exact(group.count), line] : []),
      element('td', {className: 'number share'}, told ? share(group.count, total) : '')]);
  }

  /** A row of a unit. @param {any} group @param {string} name @param {HTMLElement[]} cells */
  line(group, name, cells) {
    const {state} = this.context;
    const pick = () => { if (this.context.level()) this.context.choose(group.id === state.now.unit ? '' : group.id ?? '', true); };
    const row = element('tr', {onclick: pick},
      element('td', {}, element('button', {type: 'button', className: 'plain', onclick: (e) => {
        e.stopPropagation();
        pick();
      }}, name)), ...cells);
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
        if (['layer', 'filter', 'time', 'units'].some((name) => changed.has(name)) || table.wanted !== table.tests() || (table.wanted && (changed.has('spots') || changed.has('per')))) table.ask();
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
