// @ts-check
// layers.js - whose rows are asked about, what is drawn, in which order, how
// strongly, and with which parameters.

import {columnTitle} from '../columns.js';
import {element} from '../dom.js';
import {BANDWIDTHS_M, COVERAGES, STATISTICS} from './state.js';
import {ANALYSES, CELLS_M, drawnOf, hasHeat, isCells, layerOf, levelOf, levelsOf, ownReach, partOf, withDrawn} from './shown.js';

/** @typedef {import('./panes.js').Context} Context */

class Layers {
  /** @param {HTMLElement} container @param {Context} context */
  constructor(container, context) {
    Object.assign(this, {context, container});
    const {say, city, state, write} = context;
    this.subject = element('select', {id: 'subject', onchange: () => this.choose(this.subject.value)},
      ...subjectsOf(city).map((l) => element('option', {value: l.id}, `${write.title(l)} · ${write.short(l.rows)}`)));
    this.list = element('ol', {className: 'drawn-list', ariaLabel: say('drawn')});
    this.add = element('select', {className: 'add', ariaLabel: say('add'), onchange: () => {
      const {value} = this.add;
      this.add.value = '';
      if (value) state.update(withDrawn(city, state.now, value));
    }});
    container.append(element('label', {className: 'pair'}, element('span', {}, say('subject')), this.subject), this.list, this.add);
    this.draw();
  }

  /** @param {string} id */
  choose(id) {
    const {state, city} = this.context, {now} = state;
    // Columns differ from layer to layer: a filter does not carry over, nor does a column.
    const layers = now.layers.map((d) => d.id === now.layer ? {...d, id} : d).filter((d, i, all) => all.findIndex((e) => e.id === d.id) === i);
    const next = {...now, layer: id, filter: '', other: '', weight: '', column: '', layers};
    state.update({...next, layers: layers.filter((d) => partOf(city, next, d))});
  }

  nameOf(id) {
    const {say, write, city} = this.context;
    return ANALYSES.includes(id) ? say(id) : write.title(layerOf(city, id.replace(/^rows:/, '')) ?? {id});
  }

  /** @param {(list: import('./state.js').Drawn[]) => import('./state.js').Drawn[]} change */
  set(change) {
    const {state, city} = this.context;
    state.update({layers: change([...drawnOf(city, state.now)])});
  }

  draw() {
    if (this.sliding) return;
    const {say, city, state} = this.context, {now} = state, drawn = drawnOf(city, now);
    this.subject.value = now.layer;
    const focus = /** @type {any} */ (document.activeElement)?.dataset?.focus;
    // The uppermost on top, as they lie.
    this.list.replaceChildren(...drawn.map((d, i) => this.row(d, i, drawn.length)).reverse());
    if (focus) this.list.querySelector(`[data-focus="${CSS.escape(focus)}"]`)?.focus();
    const offers = [...ANALYSES, ...city.layers.filter((l) => l.rows > 0 && !l.personal).map((l) => l.id)]
      .filter((id) => !drawn.some((d) => d.id === id) && partOf(city, now, {id, opacity: 100}));
    this.add.replaceChildren(element('option', {value: ''}, `+ ${say('add')}`), ...offers.map((id) => element('option', {value: id}, this.nameOf(id))));
  }

  /** @param {import('./state.js').Drawn} drawn @param {number} i @param {number} count */
  row({id, opacity}, i, count) {
    const {say} = this.context, name = this.nameOf(id);
    const button = (key, text, act, off = false) => {
      const b = element('button', {type: 'button', className: 'plain icon', title: say(key), ariaLabel: `${say(key)}: ${name}`, disabled: off, onclick: act}, text);
      b.dataset.focus = `${key} ${id}`;
      return b;
    };
    const swap = (by) => () => this.set((list) => {
      [list[i], list[i + by]] = [list[i + by], list[i]];
      return list;
    });
    const slide = element('input', {type: 'range', min: '10', max: '100', step: '5', value: String(opacity), ariaLabel: `${say('opacity')}: ${name}`, oninput: () => {
      // The slider that is held stays.
      this.sliding = true;
      this.set((list) => list.map((d) => d.id === id ? {...d, opacity: Number(slide.value)} : d));
      this.sliding = false;
    }});
    slide.dataset.focus = `opacity ${id}`;
    const row = element('li', {}, element('div', {className: 'drawn-head'}, element('span', {className: 'name'}, name), slide,
      button('up', '↑', swap(1), i === count - 1), button('down', '↓', swap(-1), i === 0), button('remove', '×', () => this.set((list) => list.filter((d) => d.id !== id)), count === 1)));
    const how = {heat: () => this.heat(), choropleth: () => this.choropleth(), hotspots: () => this.hotspots(), coverage: () => this.coverage()}[id];
    if (how) row.append(element('div', {className: 'params'}, ...how()));
    row.dataset.id = id;
    return row;
  }

  /** A choice of words. @param {keyof import('./state.js').State} field @param {string} label @param {[string, string][]} options */
  select(field, label, options, value = String(this.context.state.now[field])) {
    const {state} = this.context;
    const box = element('select', {onchange: () => state.update({[field]: typeof state.now[field] === 'number' ? Number(box.value) : box.value})}, ...options.map(([v, text]) => element('option', {value: v}, text)));
    box.value = options.some(([v]) => v === value) ? value : options[0]?.[0] ?? '';
    box.dataset.focus = field;
    box.name = field;
    return element('label', {className: 'pair'}, element('span', {}, label), box);
  }

  perOptions() {
    const {say, city, write} = this.context;
    return /** @type {[string, string][]} */ ([['', say('area')], ...Object.entries(city.exposures).map(([name, e]) => [name, write.title(e)])]);
  }

  columnOptions() {
    const layer = this.context.subject();
    return /** @type {[string, string][]} */ (layer.columns.filter((c) => ['integer', 'real', 'boolean'].includes(c.type)).map((c) => [c.name, columnTitle(this.context.lang, c.name)]));
  }

  heat() {
    const {say, city, state, write} = this.context, {now} = state, layer = this.context.subject();
    const models = /** @type {[string, string][]} */ ([...hasHeat(layer) ? [['', say('density', {name: write.title(layer)})]] : [], ...city.models.map((m) => [m.name, write.title(m)])]);
    const own = ownReach(city, now);
    const bandwidth = element('div', {className: 'choices', role: 'radiogroup', ariaLabel: say('bandwidth')}, ...[...(own ? [0] : []), ...BANDWIDTHS_M].map((m) => {
      const radio = element('input', {type: 'radio', name: 'bandwidth', value: String(m), checked: (now.bandwidth || (own ? 0 : 800)) === m, onchange: () => state.update({bandwidth: m}), ariaLabel: m ? `${m} m` : say('own')});
      radio.dataset.focus = `bandwidth ${m}`;
      return element('label', {className: 'choice'}, radio, !m ? say('own') : m < 1000 ? `${m}` : `${m / 1000} km`);
    }));
    const halflife = element('input', {type: 'number', min: '0.1', max: '36500', step: 'any', value: now.halflife || '', placeholder: say('none'), onchange: () => state.update({halflife: Math.max(0, Math.min(36500, Number(halflife.value) || 0))})});
    halflife.dataset.focus = 'halflife';
    return [this.select('model', say('model'), models), element('div', {className: 'pair'}, element('span', {}, `${say('bandwidth')} m`), bandwidth),
      this.select('kernel', say('kernel'), [['', now.model ? say('own') : say('quartic')], ...(now.model ? [['quartic', say('quartic')]] : []), ['gaussian', say('gaussian')], ['epanechnikov', say('epanechnikov')]].map(([a, b]) => [a, b])),
      ...layer.time_column || now.model ? [element('label', {className: 'pair'}, element('span', {}, say('halflife')), halflife)] : [],
      ...now.model ? [] : [this.select('weight', say('weight'), [['', say('each_one')], ...this.columnOptions()])],
      this.select('per', say('per'), now.model ? [['', say('own')], ...this.perOptions().slice(1)] : this.perOptions()),
      this.select('form', say('form'), [['', say('form_auto')], ['fill', say('form_fill')], ['lines', say('form_lines')]]),
      ...now.model && now.filter ? [element('p', {className: 'quiet'}, say('model_filter'))] : []];
  }

  /** @param {boolean} cells may they be cells? */
  units(cells) {
    const {say, city, state, write} = this.context, layer = this.context.subject();
    const levels = levelsOf(city, layer).map((level) => [level, write.title(city.layers.find((l) => l.unit_level === level) ?? {id: level})]);
    const nets = cells ? ['hex', 'square'].flatMap((form) => CELLS_M.map((m) => [`${form}:${m}`, say(form === 'hex' ? 'hexagons' : 'squares', {n: m})])) : [];
    return this.select('units', say('units'), /** @type {[string, string][]} */ ([...levels.reverse(), ...nets]), cells && isCells(state.now.units) ? state.now.units : levelOf(city, state.now) ?? '');
  }

  choropleth() {
    const {say, state} = this.context, {stat} = state.now, columns = this.columnOptions();
    return [this.units(false), this.select('stat', say('stat'), [['count', say('count')], ...columns.length ? [['sum', say('sum')]] : [], ['rate', say('rate')]].map(([a, b]) => [a, b])),
      ...stat === 'sum' ? [this.select('column', say('column'), columns)] : [], ...stat === 'rate' ? [this.select('per', say('per'), this.perOptions())] : []];
  }

  hotspots() {
    const {say, state} = this.context, {spots} = state.now;
    const known = STATISTICS.filter((s) => s !== 'emerging' || this.context.subject().time_column);
    return [this.select('spots', say('statistic'), known.map((s) => [s, say(s)])), ...spots === 'dbscan' ? [] : [this.units(true), spots === 'eb' ? this.select('per', say('per'), this.perOptions().slice(Object.keys(this.context.city.exposures).length ? 1 : 0)) : this.select('per', say('per'), [['', say('none')], ['area', say('area')], ...this.perOptions().slice(1)])]];
  }

  coverage() {
    const {say, city} = this.context;
    const asked = COVERAGES.filter((c) => c === 'partition' || (c === 'service' || c === 'site' ? city.service : city.duty));
    return [this.select('coverage', say('question'), asked.map((c) => [c, say(c)])), this.units(false)];
  }
}

/** Layers that one may ask about: points, or in a city without any whatever it has. @param {import('./shown.js').City} city */
export function subjectsOf(city) {
  const filled = city.layers.filter((l) => l.rows > 0);
  return [filled.filter((l) => l.geometry === 'point'), filled.filter((l) => !l.unit_level), filled].find((list) => list.length) ?? [];
}

export const layersPane = {
  id: 'layers', side: 'query', title: (say) => say('layers'),
  /** @param {HTMLElement} container @param {Context} context */
  mount(container, context) {
    const layers = new Layers(container, context);
    return {
      change(now, changed) {
        if ([...changed].some((name) => !['map', 'at', 'unit', 'time', 'pane', 'area', 'compare', 'other', 'split'].includes(name))) layers.draw();
      },
    };
  },
};
