// @ts-check
// ranking.js - units beside the map: counts, shares, rates and how sure they
// are, in any order; chosen and pointed at in the table as on the map.

import {levelsOf} from '../analyst/shown.js';
import {element} from '../dom.js';
import {askRanking} from './ask.js';
import {csvKnown, csvOf, sorted} from './numbers.js';
import {choice, failure, knownCell, percent, perOptions, saveCsv, verdictCell} from './parts.js';
import {words} from './words.js';

/** Rows that are shown before all are asked for. */
const ROWS_FIRST = 100;
/** How long one points at a unit before its outline is asked for; outlines kept. */
const POINT_MS = 120, SHAPES_MOST = 500;
/** Columns of words. */
const WORDY = ['name', 'against'];

/** By what rows are sorted; hidden and unknown ones come last either way. */
const ORDER = {
  name: (r) => r.name, count: (r) => (r.count.known === 'number' ? r.count.value : null), share: (r) => r.share,
  exposure: (r) => r.exposure, rate: (r) => r.rate, against: (r) => ({higher: 2, same: 1, lower: 0})[r.verdict] ?? null,
};

class Ranking {
  /** @param {HTMLElement} container @param {import('../analyst/panes.js').Context} context */
  constructor(container, context) {
    const {per} = context.state.now;
    Object.assign(this, {container, context, by: 'count', down: true, all: false, per: per === 'area' ? '' : per});
    this.say = words(context.lang);
    this.speech = {say: this.say, write: context.write};
    /** @type {any} */
    this.told = null;
    container.classList.add('pane-ranking');
    this.head = element('div', {className: 'tools'});
    this.body = element('div', {});
    container.append(this.head, this.body);
  }

  ask() {
    const {context, say} = this, {layer: id, filter, time} = context.state.now, layer = context.subject(), level = context.level();
    if (!layer || !level) return this.body.replaceChildren(element('p', {className: 'note'}, say('nothing')));
    this.showHead();
    return context.ask('ranking', async (signal) => {
      try {
        const told = await askRanking(layer, level, {layer: id, filter, time}, layer.personal ? '' : this.per, signal);
        if (signal.aborted) return;
        this.told = told;
        if (!this.columns().includes(this.by)) this.by = 'count';
        this.draw();
      } catch (error) {
        if (signal.aborted || error.parameter === 'filter') throw error;
        this.body.replaceChildren(failure(this.speech, error, () => this.ask()));
      }
    });
  }

  showHead() {
    const {context, say} = this, {city, state} = context, layer = context.subject(), title = (level) => context.write.title(city.layers.find((l) => l.unit_level === level) ?? {id: level});
    this.head.replaceChildren(
      choice(say('level'), levelsOf(city, layer).map((level) => /** @type {[string, string]} */ ([level, title(level)])), context.level(), (level) => state.update({units: level, unit: ''})),
      ...(Object.keys(city.exposures).length && !layer?.personal ? [choice(say('per'), perOptions(this.speech, city, context.lang), this.per, (value) => {
        this.per = value;
        this.by = value ? 'rate' : 'count';
        this.ask();
      })] : []),
      element('button', {type: 'button', className: 'plain push', onclick: () => this.save()}, say('csv')));
  }

  columns() {
    return ['name', 'count', ...(this.told?.rated ? ['exposure', 'rate', 'against'] : ['share'])];
  }
  ordered() {
    return sorted(this.told.rows, ORDER[this.by], this.down, (r) => r.id);
  }
  heading(c) {
    const {say, told, context} = this;
    return c === 'against' ? say('against_short') : c === 'rate' ? (context.lang === 'en' ? told.unit_en : told.unit) ?? say('rate') : say(/** @type {any} */ (c));
  }

  save() {
    const {told, context} = this;
    if (!told) return;
    const rates = told.rated ? ['exposure', 'rate', 'rate_low', 'rate_high', 'city_rate', 'against_city'] : [];
    saveCsv(`${context.state.now.layer}-${context.level()}.csv`, csvOf(['id', 'name', 'count', 'share', ...rates],
      this.ordered().map((r) => [r.id, r.name, csvKnown(r.count), r.share, ...(told.rated ? [r.exposure, r.rate, r.low, r.high, told.rate, r.verdict] : [])])));
  }

  /** @param {any} r @param {string} c */
  cell(r, c) {
    const {say, speech} = this, {write} = this.context, unknown = () => element('span', {className: 'cell-unknown', title: say('unknown_cell')}, '?');
    switch (c) {
      case 'name': return r.id ? element('button', {type: 'button', className: 'plain'}, r.name) : say('none');
      case 'count': return this.told.rated ? element('span', {}, knownCell(speech, r.count), element('small', {}, r.count.known === 'number' ? percent(r.share) : '')) : knownCell(speech, r.count);
      case 'share': return r.count.known === 'number' ? percent(r.share) : '';
      case 'exposure': return r.exposure === null ? unknown() : write.short(r.exposure);
      case 'rate': return r.rate === null ? unknown() : element('span', {}, write.about(r.rate), element('small', {title: say('interval')}, `${write.about(r.low)}–${write.about(r.high)}`));
      default: return r.verdict === 'unknown' ? '' : verdictCell(speech, r.verdict, true);
    }
  }

  /** @param {string} c */
  header(c) {
    const th = element('th', {scope: 'col', className: WORDY.includes(c) ? '' : 'number'}, element('button', {type: 'button', className: 'plain', onclick: () => {
      this.down = this.by === c ? !this.down : c !== 'name';
      this.by = c;
      this.draw();
      this.body.querySelector(`th[data-column="${c}"] button`)?.focus();
    }}, this.heading(c)));
    th.dataset.column = c;
    if (this.by === c) th.setAttribute('aria-sort', this.down ? 'descending' : 'ascending');
    return th;
  }

  draw() {
    const {say, told, context, body} = this, {state} = context, rows = this.ordered(), shown = this.all ? rows : rows.slice(0, ROWS_FIRST);
    // The one that is chosen is there whatever its rank.
    const chosen = rows.find((r) => r.id && r.id === state.now.unit);
    if (chosen && !shown.includes(chosen)) shown.push(chosen);
    const left = body.querySelector('.scroll')?.scrollLeft ?? 0;
    const tbody = element('tbody', {id: 'ranks'}, ...shown.map((r) => {
      const row = element('tr', {}, ...this.columns().map((c) => element('td', {className: WORDY.includes(c) ? '' : 'number'}, this.cell(r, c))));
      row.dataset.id = r.id;
      return row;
    }));
    const idOf = (e) => /** @type {HTMLElement | null} */ (/** @type {Element} */ (e.target).closest('tr'))?.dataset.id ?? '';
    tbody.onclick = (e) => idOf(e) && context.choose(idOf(e) === state.now.unit ? '' : idOf(e), true);
    tbody.onpointerover = (e) => this.point(idOf(e));
    tbody.onpointerleave = () => this.point('');
    tbody.onfocusin = (e) => this.point(idOf(e));
    tbody.onfocusout = () => this.point('');
    body.replaceChildren(element('div', {className: 'scroll', tabIndex: 0, role: 'region', ariaLabel: say('ranking')},
      element('table', {className: 'ranks'}, element('thead', {}, element('tr', {}, ...this.columns().map((c) => this.header(c)))), tbody)),
    ...(rows.length > shown.length ? [element('button', {type: 'button', className: 'plain', onclick: () => {
      this.all = true;
      this.draw();
    }}, say('show_all', {n: context.write.exact(rows.length)}))] : []),
    element('p', {className: 'note'}, say('legend_of_cells')), ...(told.refused ? [element('p', {className: 'note', role: 'status'}, say('refused_per'))] : []));
    body.querySelector('.scroll').scrollLeft = left;
    this.mark(false);
  }

  /** The unit that is pointed at, outlined on the map. @param {string} id */
  async point(id) {
    const {context} = this, {city} = context, units = city.layers.find((l) => l.unit_level === context.level());
    if (id === this.pointed) return;
    this.pointed = id;
    if (!id || !units) return context.withMap((map) => map.outline('pointed', null));
    this.shapes ??= new Map();
    const key = `${units.id} ${id}`;
    // Only who rests is asked for.
    if (!this.shapes.has(key)) await new Promise((rest) => setTimeout(rest, POINT_MS));
    if (this.pointed !== id) return;
    const shape = this.shapes.get(key) ?? await context.get(`/collections/${encodeURIComponent(units.id)}/items/${encodeURIComponent(id)}`).catch(() => null);
    if (this.shapes.size > SHAPES_MOST) this.shapes.clear();
    this.shapes.set(key, shape);
    if (this.pointed === id && shape) context.withMap((map) => map.outline('pointed', [shape], {line: '--text', width: 1.5, fill: '--text', fillOpacity: 0.08}));
  }

  /** @param {boolean} scroll */
  mark(scroll) {
    const {unit} = this.context.state.now;
    // Beyond the rows that are shown it is brought here.
    if (unit && this.told && !this.find(unit) && this.told.rows.some((r) => r.id === unit)) this.draw();
    for (const row of this.body.querySelectorAll('tbody tr')) {
      const on = !!row.dataset.id && row.dataset.id === unit;
      row.classList.toggle('chosen', on);
      row.querySelector('button')?.setAttribute('aria-pressed', String(on));
      if (on && scroll) row.scrollIntoView({block: 'nearest'});
    }
  }
  find(id) {
    return [...this.body.querySelectorAll('tbody tr')].find((row) => row.dataset.id === id);
  }
}

export const rankingPane = {
  id: 'ranking', side: 'result', key: 'r', title: (say) => say('ranking'),
  /** @param {HTMLElement} container @param {import('../analyst/panes.js').Context} context */
  mount(container, context) {
    const ranking = new Ranking(container, context);
    context.onNews((layer) => { if (context.state.now.pane === 'ranking' && (layer === null || layer === context.state.now.layer)) ranking.ask(); });
    return {
      show: () => ranking.ask(),
      hide: () => ranking.point(''),
      change(_, changed) {
        if (['layer', 'filter', 'time', 'units'].some((name) => changed.has(name))) {
          if (changed.has('layer') || changed.has('units')) ranking.all = false;
          ranking.ask();
        } else if (changed.has('unit')) {
          ranking.mark(true);
        }
      },
    };
  },
};
