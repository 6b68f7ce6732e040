// @ts-check
// filter.js - which rows: values with their counts under the other filters,
// ranges of numbers, and CQL2 text. The text is what counts; boxes and ranges
// read it and write it.

import {columnTitle} from '../columns.js';
import {element} from '../dom.js';
import {conditionText, format, parse} from './cql.js';
import {address, hasTimes, selectionOf} from './shown.js';

/** @typedef {import('../api.js').Layer} Layer @typedef {import('./cql.js').Value} Value */

/* Values shown before somebody asks for all; a column of numbers with more
 * different ones is a range. */
const VALUES_FIRST = 8, NUMBERS_MOST = 16, VALUES_MOST = 400;
/* Facets that are open at first. */
const OPEN_FIRST = 2;

/* An example for each type, so that nobody starts from an empty box. */
const EXAMPLE = {
  category: (c) => `${c} = '…'`, text: (c) => `${c} LIKE '%…%'`, integer: (c) => `${c} >= 3`,
  real: (c) => `${c} > 0.5`, boolean: (c) => `${c} = TRUE`, time: (c) => `${c} >= DATE('2023-06-01')`,
};

/** Columns that are offered: units (coarsest first), classes, numbers. @param {Layer} layer */
export const facetColumns = (layer) => layer.columns.filter((c) => c.name !== layer.id_column && ['category', 'boolean', 'integer', 'real'].includes(c.type))
  .sort((a, b) => Number(!!a.unit) - Number(!!b.unit) || ['category', 'boolean', 'integer', 'real'].indexOf(a.type) - ['category', 'boolean', 'integer', 'real'].indexOf(b.type));

/** A value of a group as it stands in a filter. @param {string | null} id @param {string} type @returns {Value} */
export const valueOf = (id, type) => id === null ? null : type === 'boolean' ? id === 'true' || id === '1' : type === 'integer' || type === 'real' ? Number(id) : id;

class Facet {
  /** @param {Filters} owner @param {{name: string, type: string, unit?: boolean}} column @param {boolean} open */
  constructor(owner, column, open) {
    Object.assign(this, {owner, column});
    this.all = false;
    /** @type {{id: string | null, name?: string, count: number | null}[]} */
    this.groups = [];
    this.body = element('div', {className: 'facet-body'});
    this.chosen = element('span', {className: 'quiet chosen-count'});
    this.node = element('details', {className: 'facet', open}, element('summary', {}, owner.titleOf(column), this.chosen), this.body);
    this.node.addEventListener('toggle', () => { if (this.node.open) this.ask(); });
    this.node.dataset.column = column.name;
    this.mark();
    if (open) this.ask();
  }

  get condition() {
    return this.owner.parts.conditions.get(this.column.name);
  }

  ask() {
    if (!this.node.open) return;
    const {context} = this.owner, {city, state} = context, layer = context.subject(), {columns} = layer;
    const others = format(this.owner.parts, columns, this.column.name);
    context.ask(`facet ${this.column.name}`, async (signal) => {
      const stats = await context.get(address(`/stats/${encodeURIComponent(layer.id)}`, {by: this.column.name, ...selectionOf(city, state.now), filter: others}), signal);
      this.groups = stats.groups ?? [];
      this.draw();
    });
  }

  mark() {
    const condition = this.condition, {write} = this.owner.context;
    this.chosen.textContent = !condition ? '' : 'values' in condition ? ` ${condition.values.length}` : ` ${[condition.from, condition.to].map((t) => t === '' ? '…' : write.exact(Number(t))).join(' – ')}`;
  }

  draw() {
    const number = this.column.type === 'integer' || this.column.type === 'real';
    const range = number && (this.groups.length > NUMBERS_MOST || (this.condition && !('values' in this.condition)));
    // Who is typing or has the focus in it is not disturbed.
    const focus = this.body.contains(document.activeElement) ? /** @type {any} */ (document.activeElement).dataset.focus : null;
    this.body.replaceChildren(...range ? this.range() : this.values(number));
    if (focus) this.body.querySelector(`[data-focus="${CSS.escape(focus)}"]`)?.focus();
    this.mark();
  }

  /** @param {boolean} number */
  values(number) {
    const {context} = this.owner, {say, write} = context, condition = this.condition;
    const picked = condition && 'values' in condition ? condition.values : [];
    const list = [...this.groups].map((g) => ({...g, value: valueOf(g.id, this.column.type)}));
    // What is chosen stays in the list, though nothing is left of it.
    for (const value of picked) if (!list.some((g) => g.value === value)) list.push({id: String(value), value, count: 0});
    list.sort((a, b) => number ? Number(a.value ?? Infinity) - Number(b.value ?? Infinity) : (b.count ?? 0) - (a.count ?? 0));
    if (!list.length) return [element('p', {className: 'quiet'}, say('no_values'))];
    const most = Math.max(1, ...list.map((g) => g.count ?? 0));
    const shown = this.all || number ? list.slice(0, VALUES_MOST) : list.filter((g, i) => i < VALUES_FIRST || picked.includes(g.value));
    const rows = shown.map((g) => {
      const box = element('input', {type: 'checkbox', checked: picked.includes(g.value), onchange: () => this.toggle(g.value)});
      box.dataset.focus = `v ${g.value}`;
      const bar = element('span', {className: 'facet-bar'});
      bar.style.width = `${(g.count ?? 0) / most * 100}%`;
      return element('label', {className: 'value'}, box, element('span', {className: 'name'}, this.name(g)), g.count === null ? element('span', {className: 'number is-hidden', title: say('hidden')}) : element('span', {className: 'number'}, write.exact(g.count)), bar);
    });
    const more = list.length > shown.length || this.all;
    return [...rows, ...more ? [element('button', {type: 'button', className: 'plain more', onclick: () => {
      this.all = !this.all;
      this.draw();
    }}, this.all ? say('fewer') : say('more', {n: list.length}))] : []];
  }

  name(g) {
    const {say} = this.owner.context;
    if (g.id === null) return say('no_value');
    if (this.column.type === 'boolean') return say(g.value ? 'yes' : 'no');
    return this.owner.valueTitle(this.column.name, g.id, g.name);
  }

  range() {
    const {say, write} = this.owner.context, condition = this.condition;
    const known = this.groups.filter((g) => g.id !== null).map((g) => ({at: Number(g.id), count: g.count ?? 0})).sort((a, b) => a.at - b.at);
    const {from, to} = condition && !('values' in condition) ? condition : {from: '', to: ''};
    const [least, most] = [known[0]?.at ?? 0, known.at(-1)?.at ?? 0], bins = new Array(24).fill(0);
    for (const {at, count} of known) bins[Math.min(bins.length - 1, Math.floor((at - least) / (most - least || 1) * bins.length))] += count;
    const tall = Math.max(1, ...bins);
    const bars = element('div', {className: 'bins', ariaHidden: 'true'}, ...bins.map((n, i) => {
      const at = least + (most - least) * i / bins.length, bar = element('span', {title: `≥ ${write.about(at)}: ${write.exact(n)}`});
      bar.style.height = `${n / tall * 100}%`;
      bar.classList.toggle('in', (from === '' || at + (most - least) / bins.length > Number(from)) && (to === '' || at <= Number(to)));
      return bar;
    }));
    const input = (which, value, otherwise) => {
      const box = element('input', {type: 'number', value, placeholder: write.about(otherwise), step: this.column.type === 'integer' ? '1' : 'any', ariaLabel: `${this.owner.titleOf(this.column)} ${say(which)}`, onchange: () => this.set({from, to, [which]: box.value.trim()})});
      box.dataset.focus = which;
      return box;
    };
    return [bars, element('div', {className: 'ends'}, input('from', from, least), element('span', {className: 'quiet'}, '–'), input('to', to, most))];
  }

  /** @param {Value} value */
  toggle(value) {
    const condition = this.condition, picked = condition && 'values' in condition ? condition.values : [];
    this.set({values: picked.includes(value) ? picked.filter((v) => v !== value) : [...picked, value]});
  }

  /** @param {import('./cql.js').Condition} condition */
  set(condition) {
    const {owner} = this, {columns} = owner.context.subject();
    const conditions = new Map(owner.parts.conditions);
    if (conditionText(this.column, condition)) conditions.set(this.column.name, condition);
    else conditions.delete(this.column.name);
    owner.context.state.update({filter: format({...owner.parts, conditions}, columns)});
  }
}

class Filters {
  /** @param {HTMLElement} container @param {import('./panes.js').Context} context */
  constructor(container, context) {
    Object.assign(this, {context});
    const {say, state} = context;
    this.facets = element('div', {className: 'facets'});
    this.text = element('textarea', {id: 'filter', rows: 2, spellcheck: false});
    this.text.setAttribute('aria-describedby', 'filter-error filter-help');
    this.error = element('p', {id: 'filter-error', className: 'error', role: 'alert', hidden: true});
    this.help = element('p', {id: 'filter-help', className: 'quiet'});
    const form = element('form', {id: 'filter-form', autocomplete: 'off', onsubmit: (e) => {
      e.preventDefault();
      state.update({filter: this.text.value.replace(/\s+/g, ' ').trim()});
      // The same text once more is asked once more.
      this.told(null);
    }}, element('label', {htmlFor: 'filter'}, say('filter_text')), this.text, this.error, this.help,
    element('p', {className: 'row'}, element('button', {type: 'submit'}, say('apply')), element('button', {type: 'button', className: 'plain', id: 'filter-clear', onclick: () => {
      this.text.value = '';
      form.requestSubmit();
    }}, say('clear'))));
    this.text.onkeydown = (e) => {
      if (e.key !== 'Enter' || e.shiftKey || e.isComposing) return;
      e.preventDefault();
      form.requestSubmit();
    };
    container.append(form, this.facets);
    this.build();
  }

  titleOf(column) {
    const {city, write} = this.context, unit = column.unit && city.layers.find((l) => l.unit_level === column.name);
    return unit ? write.title(unit) : columnTitle(this.context.lang, column.name);
  }

  /** @param {string} column @param {string} value @param {string} [name]   of a unit */
  valueTitle(column, value, name) {
    const {city, state} = this.context;
    return city.levels.includes(column) ? city.names.unit(column, value, name) : city.names.value(state.now.layer, column, value);
  }

  /** The facets of another layer. */
  build() {
    const layer = this.context.subject();
    this.read();
    this.list = facetColumns(layer).map((column, i) => new Facet(this, column, this.parts.conditions.has(column.name) || (!layer.personal && i < OPEN_FIRST && innerWidth > 900)));
    this.facets.replaceChildren(...this.list.map((f) => f.node));
    const own = layer.columns.filter((c) => c.name !== layer.id_column && !c.unit), pick = own.find((c) => c.type === 'category') ?? own[0];
    this.help.textContent = pick ? `${this.context.say('example')} ${EXAMPLE[pick.type]?.(pick.name) ?? pick.name}` : '';
  }

  read() {
    const {filter} = this.context.state.now;
    this.parts = parse(filter, this.context.subject().columns);
    this.text.value = filter;
    this.told(null);
  }

  /** @param {string | null} text what is wrong */
  told(text) {
    this.text.setAttribute('aria-invalid', String(!!text));
    this.error.hidden = !text;
    this.error.textContent = text ?? '';
  }

  change() {
    this.read();
    for (const facet of this.list) {
      facet.mark();
      facet.ask();
    }
  }
}

export const filterPane = {
  id: 'filter', side: 'query', title: (say) => say('filter'), key: 'f',
  /** @param {HTMLElement} container @param {import('./panes.js').Context} context */
  mount(container, context) {
    const filters = new Filters(container, context);
    context.onNews((layer) => {
      if (layer === null || layer === context.state.now.layer) for (const facet of filters.list) facet.ask();
    });
    return {
      act: () => filters.text.focus(),
      change(now, changed) {
        if (changed.has('layer')) filters.build();
        else if (changed.has('filter') || (changed.has('time') && hasTimes(context.subject()))) filters.change();
      },
      problem(error, name, text) {
        if (error.parameter !== 'filter') return name.startsWith('facet ');
        filters.told(text);
        return true;
      },
    };
  },
};
