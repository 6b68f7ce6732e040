// @ts-check
// caption.js - under the map: one legend for each thing that is drawn, with
// values and units, and what stands at the pointer.

import {element} from '../dom.js';
import {otherState} from './other.js';
import {unitOf} from './shown.js';
import {splitTime} from './state.js';

/* Steps of a field that carry a figure. */
const TICKS = [0, 4, 8, 12];

/** A ramp of a field. @param {any} legend @param {import('./panes.js').Context} context */
function field(legend, {write, say}) {
  const lines = legend.form === 'lines', shown = legend.steps.map((s, i) => ({...s, i})).filter((s) => !lines || s.line);
  const marks = lines ? shown.map((_, i) => i) : [...TICKS.filter((i) => i < shown.length), shown.length - 1];
  const ramp = element('div', {className: lines ? 'ramp lines' : 'ramp'}, ...shown.map((s) => {
    const cell = element('span', {title: `≥ ${write.figure(s.from)}`});
    cell.style.backgroundColor = s.color;
    cell.style.opacity = String(Math.max(0.15, s.opacity));
    cell.dataset.step = String(s.i);
    return cell;
  }));
  const ticks = element('div', {className: 'ticks'}, ...marks.map((i) => {
    // What is above the last step has its colour.
    const tick = element('span', {}, `${!lines && i === shown.length - 1 ? '≥' : ''}${write.figure(shown[i].from)}`);
    tick.style.left = `${i / shown.length * 100}%`;
    return tick;
  }));
  const unknown = legend.unknown?.per && legend.unknown.per !== 'area' ? [swatch({form: 'hatch', text: say('unknown')})] : [];
  return [ramp, ticks, ...unknown.length ? [element('div', {className: 'swatches'}, ...unknown)] : []];
}

/** @param {any} item of a legend */
function swatch(item) {
  const mark = element('i', {className: `swatch ${item.form}${item.form === 'hatch' ? ' hatch' : ''}`, ariaHidden: 'true'});
  if (item.mark) mark.dataset.mark = item.mark;
  if (item.color && !/^(hatch|outline)$/.test(item.form)) {
    mark.style.backgroundColor = item.color;
    mark.style.opacity = String(Math.max(0.25, item.opacity ?? 1));
  }
  return element('span', {className: 'item'}, mark, item.text);
}

/** @param {any} legend */
const classes = (legend) => [element('div', {className: 'swatches'}, ...(legend.items ?? []).map((item) => swatch(item)))];

export class Caption {
  /** @param {HTMLElement} container @param {import('./panes.js').Context} context */
  constructor(container, context) {
    Object.assign(this, {context});
    this.reading = element('div', {id: 'reading', className: 'reading', ariaLive: 'polite'});
    this.legends = element('div', {id: 'legend', className: 'legends'});
    this.waiting = element('p', {className: 'quiet waiting', role: 'status', hidden: true});
    this.printed = element('p', {className: 'printed'});
    container.append(this.reading, this.waiting, this.legends, this.printed);
    const fold = element('button', {type: 'button', className: 'plain icon fold-caption', ariaExpanded: 'true', ariaLabel: context.say('fold_legend'), title: context.say('fold_legend'), onclick: () => {
      const folded = container.classList.toggle('folded');
      fold.textContent = folded ? '▴' : '▾';
      fold.ariaExpanded = String(!folded);
    }}, '▾');
    container.append(fold);
    this.node = container;
    // On a small screen the map ends where this begins (analyst.css). It does not give way to and fro with each step of a period.
    let tall = 0;
    new ResizeObserver(() => {
      const now = container.offsetHeight - (this.waiting.hidden ? 0 : this.waiting.offsetHeight);
      tall = container.classList.contains('folded') || !this.context.steps?.on ? now : Math.max(tall, now);
      container.parentElement?.style.setProperty('--caption', `${tall}px`);
    }).observe(container);
    /** @type {HTMLElement | null} */
    this.shapes = null;
    this.showReading(null);
  }

  /** @param {{part: import('./shown.js').Part, name: string, legend: any, problem?: string}[]} list uppermost first */
  showLegends(list) {
    const {context} = this, {say, write} = context;
    this.legends.replaceChildren(...this.shapes ? [this.shapes] : [], ...list.map(({part, name, legend, problem}) => {
      const unit = legend ? unitOf(part, legend, write) : '';
      const more = legend?.heldDays ? say('held_scale', {n: legend.heldDays}) : part.field && legend?.bandwidth_m ? say('bandwidth_is', {m: legend.bandwidth_m}) : '';
      // Coverage may have a period of its own, which its legend tells.
      const judged = part.id === 'coverage' && legend?.title ? `${say('coverage')} · ${legend.title}` : name, {time} = context.state.now, judgedBy = part.params.datetime ?? '';
      const fixed = part.id !== 'coverage' || !legend || !time || judgedBy === time ? '' : say(judgedBy ? 'whole_months' : 'period_fixed');
      const title = element('div', {className: 'title'}, element('span', {}, judged, unit ? element('span', {className: 'quiet'}, ` ${unit}`) : ''), element('span', {className: 'quiet'}, more || fixed));
      const both = otherState(context.state.now) && legend ? [element('p', {className: 'quiet apart'}, say('one_scale'))] : [];
      const body = problem ? [element('p', {className: 'error'}, problem)] : !legend ? [] : part.field ? field(legend, context) : classes(legend);
      const node = element('section', {className: 'legend', ariaLabel: `${say('legend')}: ${name}`}, title, ...body, ...both);
      node.dataset.part = part.id;
      return node;
    }));
    this.printed.textContent = this.asked();
    if (!list.length && !this.shapes && context.subject()?.personal) this.legends.append(element('p', {className: 'quiet'}, say('no_heat_person')));
  }

  /** Of which period and filter it is: paper has no boxes that say so. */
  asked() {
    const {say, write, state} = this.context, {now} = state, other = otherState(now);
    const one = ({time, filter}) => {
      const {from, to} = splitTime(time);
      return [from || to ? `${from ? write.moment(from) : '…'} – ${to ? write.moment(to) : '…'}` : say('all'), filter].filter((t) => t).join(' · ');
    };
    return other ? `A ${one(now)}; B ${one(other)}` : one(now);
  }

  /** What is on its way for so long that one wonders. @param {string[]} names */
  showWaiting(names) {
    this.waiting.hidden = !names.length;
    this.waiting.textContent = names.length ? this.context.say('loading_of', {names: names.join(this.context.lang === 'en' ? ', ' : '、')}) : '';
  }

  /** The legend of shapes, which come by themselves. @param {import('./shown.js').Part | null} part @param {string} name @param {any[]} items @param {string} [note] */
  showShapes(part, name, items, note = '') {
    this.shapes?.remove();
    this.shapes = part && element('section', {className: 'legend', ariaLabel: `${this.context.say('legend')}: ${name}`}, element('div', {className: 'title'}, name), ...classes({items}), ...note ? [element('p', {className: 'quiet apart'}, note)] : []);
    if (this.shapes) this.legends.prepend(this.shapes);
  }

  /** @param {{value: string, unit: string, more: string, where: string, step?: number, lines?: string[]} | null} told @param {boolean} [pinned] */
  showReading(told, pinned = false) {
    const {say} = this.context;
    for (const cell of this.legends.querySelectorAll('.ramp .on')) cell.classList.remove('on');
    if (!told) return this.reading.replaceChildren(element('span', {className: 'quiet'}, say(matchMedia('(hover: none)').matches ? 'tap_to' : 'point_to')));
    if (told.step !== undefined) this.legends.querySelector(`.ramp [data-step="${told.step}"]`)?.classList.add('on');
    this.reading.replaceChildren(
      element('div', {}, element('span', {className: 'value'}, told.value), element('span', {className: 'unit'}, ` ${told.unit}`), element('span', {className: 'unit'}, told.more ? ` · ${told.more}` : '')),
      ...(told.lines ?? []).map((line) => element('div', {className: 'unit'}, line)),
      element('div', {className: 'where', title: told.where}, told.where, pinned && !matchMedia('(hover: none)').matches ? ` · ${say('unpin')}` : ''));
  }
}
