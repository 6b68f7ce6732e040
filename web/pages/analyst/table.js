// @ts-check
// table.js - the ranked table beside the map: of counts, of a test for hotspots
// or of coverage, whichever lies uppermost or is chosen. What is chosen in it
// is chosen on the map, and the other way round.

import {element} from '../dom.js';
import {boundsOf, shapeAt} from '../geometry.js';
import {placeOf} from '../list.js';
import {perOptions} from '../profile/parts.js';
import {nearOf} from './answers.js';
import {otherState} from './other.js';
import {groupedBy, listAddress, questionOf, questionsOf} from './questions.js';
import {Ranks} from './ranks.js';
import {address, coverageLevel, isCells, levelsOf, selectionOf} from './shown.js';

/** How long one points at a row before its outline is asked for; outlines kept. */
const POINT_MS = 120, SHAPES_MOST = 500;
/** An answer that takes longer is said to be on its way. */
const SLOW_MS = 400;
/** As near as one goes to a place. */
const PLACE_ZOOM = 15;
/** Fields of the state that change what is asked. */
const ASKED = ['layer', 'filter', 'time', 'units', 'rank', 'table', 'compare', 'other'];
/** And those that do where the table is of an analysis. */
const ASKED_OF = {counts: [], hotspots: ['spots', 'per'], coverage: ['coverage'], rows: ['sort']};

class Table {
  /** @param {HTMLElement} container @param {import('./panes.js').Context} context */
  constructor(container, context) {
    Object.assign(this, {context});
    const {say, state} = context;
    this.title = element('h2', {id: 'result-title'});
    this.total = element('p', {className: 'total', id: 'total'});
    this.error = element('p', {className: 'error', role: 'alert', hidden: true, id: 'result-error'});
    this.tools = element('div', {className: 'tools'});
    this.note = element('p', {className: 'note', id: 'table-note', role: 'status', hidden: true});
    const box = element('div', {className: 'ranked'});
    this.ranks = new Ranks(box, {say: context.told, exact: context.write.exact, label: say('table'), id: 'table', onPick: (row) => this.pick(row), onPoint: (row) => this.point(row),
      onSort: (by, down) => state.update({sort: `${down ? '-' : ''}${by}`})});
    this.scroll = this.ranks.scroll;
    container.append(element('header', {}, this.title, this.total, this.error, this.tools), this.note, box);
    /** @type {import('./questions.js').Told | null} */
    this.told = null;
    this.asked = '';
  }

  ask() {
    const {context} = this, {city, state} = context, layer = context.subject(), question = questionOf(context);
    if (!layer) return;
    // What stands there answers another question.
    const about = [question.id, state.now.layer, question.id === 'coverage' ? state.now.coverage : question.id === 'hotspots' ? state.now.spots : ''].join();
    if (this.about && about !== this.about) {
      this.scroll.classList.add('stale');
      this.total.replaceChildren();
      this.say(context.told('loading'));
    }
    Object.assign(this, {question, about});
    this.title.textContent = question.title(context);
    this.showTools();
    context.ask('table', async (signal) => {
      const other = otherState(state.now), countOf = (s) => context.get(address(`/stats/${encodeURIComponent(layer.id)}`, selectionOf(city, s)), signal);
      const count = question.id === 'coverage' ? null : Promise.all([state.now, ...other ? [other] : []].map(countOf));
      // An answer takes longer than a count, which is shown at once.
      const answer = question.ask(context, signal);
      answer.catch(() => {});
      const slow = setTimeout(() => this.say(context.told('loading')), SLOW_MS);
      answer.finally(() => clearTimeout(slow)).catch(() => {});
      if (count) this.showTotal((await count).map((c) => c.count));
      const told = await answer;
      if (signal.aborted) return;
      if (told.head) this.total.replaceChildren(element('span', {}, told.head[0]), element('span', {className: 'quiet'}, ` ${told.head[1]}`));
      const asked = [question.id, ...told.columns.map((c) => c.id)].join(), first = !this.asked, fresh = this.asked !== asked;
      Object.assign(this, {asked, told});
      this.problem(null);
      // An order is of the columns that it was chosen for.
      const [, down, by] = /^(-?)(.+)$/.exec(state.now.sort) ?? [];
      const chosen = (first || !fresh) && told.columns.some((c) => c.id === by);
      this.ranks.show(told.columns, told.rows, chosen ? {by, down: down === '-'} : fresh ? told.order : this.ranks);
      if (!chosen && state.now.sort) state.update({sort: ''});
      this.say(told.note ?? '');
      this.mark(false);
    });
  }

  showTools() {
    const {context} = this, {say, told: tell, city, state, write, lang} = context, layer = context.subject(), may = questionsOf(context), {question} = this;
    const focus = /** @type {any} */ (document.activeElement)?.name;
    const select = (name, label, options, value, change) => {
      const box = element('select', {name, ariaLabel: label, onchange: () => state.update(change(box.value))}, ...options.map(([v, text]) => element('option', {value: v}, text)));
      box.value = options.some(([v]) => v === value) ? value : options[0]?.[0] ?? '';
      return element('label', {title: label}, box);
    };
    const levels = question.id === 'coverage' ? city.levels : levelsOf(city, layer), title = (level) => write.title(city.layers.find((l) => l.unit_level === level) ?? {id: level});
    const level = question.id === 'coverage' ? coverageLevel(city, state.now) : context.level();
    // Cells and clusters are of no level.
    const places = question.id === 'hotspots' && (state.now.spots === 'dbscan' || isCells(state.now.units));
    const rates = question.id === 'counts' && context.level() && Object.keys(city.exposures).length && !layer?.personal && !otherState(state.now);
    this.tools.replaceChildren(
      ...may.length > 1 ? [select('table-of', say('table_of'), may.map((q) => [q.id, say(/** @type {any} */ (q.word ?? q.id))]), question.id, (v) => ({table: v}))] : [],
      ...levels.length > 1 && !places && question.id !== 'rows' ? [select('table-units', tell('level'), levels.map((l) => [l, title(l)]), level, (v) => ({units: v, unit: ''}))] : [],
      ...rates ? [select('table-per', tell('per'), perOptions({say: tell, write}, city, lang), state.now.rank, (v) => ({rank: v, sort: ''}))] : [],
      ...question.id === 'rows' ? [element('a', {id: 'table-print', className: 'plain push', target: '_blank', rel: 'noopener', href: address('/sheet', {list: listAddress(context), lang: lang === 'en' ? 'en' : ''})}, say('print_list'))] : [],
      element('button', {type: 'button', className: `plain ${question.id === 'rows' ? '' : 'push'}`, id: 'table-csv', onclick: () => this.save()}, tell('csv')));
    if (focus) this.tools.querySelector(`[name="${CSS.escape(focus)}"]`)?.focus();
  }

  /** @param {string} text below the table */
  say(text) {
    this.note.hidden = !text;
    this.note.textContent = text;
  }

  save() {
    const {state} = this.context, {told, question} = this;
    if (!told) return;
    const what = question.id === 'counts' ? '' : question.id === 'rows' ? '-rows' : question.id === 'hotspots' ? `-${state.now.spots}` : `-${state.now.coverage}`;
    this.ranks.save(`${question.id === 'coverage' ? 'coverage' : state.now.layer}${what}${told.level ? `-${told.level}` : question.id === 'counts' ? `-${groupedBy(this.context) ?? ''}` : ''}.csv`);
  }

  /** @param {(number | null)[]} counts of the side, or of both; null: not known */
  showTotal(counts) {
    const {say, write} = this.context, text = (count) => (count === null ? '?' : write.exact(count));
    this.total.classList.toggle('two', counts.length > 1);
    this.total.replaceChildren(...counts.length > 1 ? counts.map((count, i) => element('span', {}, element('b', {className: 'side'}, 'AB'[i]), ` ${text(count)} `)) : [element('span', {}, text(counts[0])),
      element('span', {className: 'quiet'}, ` ${say('of_rows', {n: write.short(this.context.subject()?.rows ?? 0)})}`)]);
  }

  /* ---- the map */

  /** @param {any} row */
  pick(row) {
    const {context} = this, {state} = context, {level} = this.told ?? {};
    if (level && level === context.level()) {
      if (row.id !== null) context.choose(String(row.id) === state.now.unit ? '' : String(row.id), true);
      return;
    }
    if (level) return state.update({units: level, unit: String(row.id)});
    const at = placeOf(row);
    if (!at || this.keyAt(state.now.at) === this.ranks.key(row)) return at && state.update({at: null});
    context.withMap((map) => {
      if (/Polygon$/.test(row.geometry?.type ?? '')) map.go({box: boundsOf(row.geometry), most: PLACE_ZOOM});
      else map.go({...at, zoom: Math.max(map.view().zoom, PLACE_ZOOM)});
    });
    state.update({at});
  }

  /** The row of places that holds a place. @param {import('./map.js').Place | null} at */
  keyAt(at) {
    if (!at || !this.told || this.told.level) return '';
    const row = shapeAt(this.told.rows, at.lonDeg, at.latDeg, nearOf(this.context.state.now));
    return row ? this.ranks.key(row) : '';
  }

  /** @param {boolean} [scroll] */
  mark(scroll = true) {
    const {now} = this.context.state;
    this.ranks.mark(!this.told ? '' : this.told.level ? now.unit : this.keyAt(now.at), scroll);
  }

  /** What is pointed at, outlined on the map. @param {any | null} row */
  async point(row) {
    const {context} = this, {city} = context, level = this.told?.level, units = city.layers.find((l) => l.unit_level && l.unit_level === level), id = row ? this.ranks.key(row) : '';
    if (id === this.pointed) return;
    this.pointed = id;
    if (!id || (!units && !row.geometry)) return context.withMap((map) => map.outline('pointed', null));
    this.shapes ??= new Map();
    const key = `${units?.id} ${id}`;
    // Only who rests is asked for.
    if (units && !this.shapes.has(key)) await new Promise((rest) => setTimeout(rest, POINT_MS));
    if (this.pointed !== id) return;
    const shape = !units ? {type: 'Feature', properties: {}, geometry: row.geometry} : this.shapes.get(key) ?? await context.get(`/collections/${encodeURIComponent(units.id)}/items/${encodeURIComponent(id)}`).catch(() => null);
    if (this.shapes.size > SHAPES_MOST) this.shapes.clear();
    if (units) this.shapes.set(key, shape);
    if (this.pointed === id && shape) context.withMap((map) => map.outline('pointed', [shape], {line: '--text', width: 1.5, fill: '--text', fillOpacity: 0.08}));
  }

  /** What stands here is not the answer to what was asked last. @param {string | null} text */
  problem(text) {
    this.scroll.classList.toggle('stale', text !== null);
    this.total.classList.toggle('stale', text !== null);
    this.error.hidden = !text;
    this.error.textContent = text ?? '';
    if (text !== null) this.showTotal([null]);
  }
}

export const tablePane = {
  id: 'table', side: 'result', key: 'r', title: (say) => say('table'),
  /** @param {HTMLElement} container @param {import('./panes.js').Context} context */
  mount(container, context) {
    const table = new Table(container, context);
    context.onNews((layer) => { if (!container.hidden && (layer === null || layer === context.state.now.layer || table.question?.id === 'coverage')) table.ask(); });
    return {
      show: () => table.ask(),
      hide: () => table.point(null),
      act: () => table.scroll.focus(),
      change(now, changed) {
        const question = questionOf(context);
        // An order that comes with all else is that of a link, or of the way back.
        if (changed.has('sort') && changed.size > 1) table.asked = '';
        if (question !== table.question || [...ASKED, ...ASKED_OF[question.id]].some((name) => changed.has(name)) || (changed.has('layers') && questionsOf(context).length !== table.offers)) table.ask();
        else if (changed.has('unit') || changed.has('at')) table.mark();
        table.offers = questionsOf(context).length;
      },
      problem(error, name, text) {
        // What could not be asked is told where it was typed; the numbers are old all the same. A map's own refusal is not the table's.
        const mine = name === 'table' || error.parameter === 'filter' || (error.parameter === 'datetime' && !/single persons|whole months/.test(error.message));
        if (mine) table.problem(error.parameter === 'filter' ? '' : text);
        return name === 'table' || error.parameter === 'datetime';
      },
    };
  },
};
