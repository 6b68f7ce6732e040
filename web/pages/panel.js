// @ts-check
// panel.js - what stands around the map: it shows, and tells what was chosen.

import {BANDWIDTHS_M, joinTime, splitTime} from './hash.js';
import {about, addDays, daysBetween, exact, figure, isDate, moment, share, short} from './text.js';

/** @typedef {import('./api.js').Layer} Layer @typedef {import('./api.js').Group} Group */

/** @param {string} id @returns {any} */
export const $ = (id) => document.getElementById(id);

/**
 * An element with its properties and children; nothing is ever parsed as HTML.
 * @param {string} tag @param {Record<string, any>} properties @param {...(Node | string)} children
 */
export function element(tag, properties = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(properties))
    if (name in node && name !== 'lang') node[name] = value;
    else node.setAttribute(name, value);
  node.append(...children);
  return node;
}

const english = (text) => element('span', {lang: 'en'}, text);

/** @param {HTMLElement} box @param {Layer[]} layers @param {(id: string) => void} onChoose */
export function showLayers(box, layers, onChoose) {
  box.replaceChildren(...layers.map((layer) => element('label', {className: 'layer'},
    element('input', {type: 'radio', name: 'layer', value: layer.id, onchange: () => onChoose(layer.id)}),
    element('span', {className: 'name', title: layer.id}, layer.title, ' ',
      english(layer.title_en ?? (layer.id === layer.title ? '' : layer.id))),
    element('span', {className: 'rows', title: `${exact(layer.rows)} 行 rows`}, short(layer.rows)))));
}

/** @param {HTMLElement} box @param {(bandwidthM: number) => void} onChoose */
export function showBandwidths(box, onChoose) {
  box.replaceChildren(...BANDWIDTHS_M.map((m) => element('label', {className: 'choice'},
    element('input', {type: 'radio', name: 'bandwidth', value: String(m), onchange: () => onChoose(m),
      ariaLabel: `${m} 米 metres`}),
    m < 1000 ? `${m} m` : `${m / 1000} km`)));
}

/** @param {string} name @param {string | number} value */
export function checkRadio(name, value) {
  for (const input of document.querySelectorAll(`input[name="${name}"]`))
    /** @type {HTMLInputElement} */ (input).checked = /** @type {any} */ (input).value === String(value);
}

/** Columns of a layer; a click puts one into the filter. @param {Layer} layer @param {(name: string) => void} onPick */
export function showColumns(layer, onPick) {
  $('columns').replaceChildren(...layer.columns.map((c) => element('li', {},
    element('button', {type: 'button', className: 'plain', onclick: () => onPick(c.name)}, c.name),
    element('span', {className: 'quiet'}, c.type))));
}

/* An example for each type, so that nobody starts from an empty box. */
const EXAMPLE = {
  category: (c) => `${c} = '…'`, text: (c) => `${c} LIKE '%…%'`, integer: (c) => `${c} >= 3`,
  real: (c) => `${c} > 0.5`, boolean: (c) => `${c} = TRUE`, time: (c) => `${c} >= DATE('2023-06-01')`,
};

/** @param {Layer} layer */
export function filterHelp(layer) {
  const own = layer.columns.filter((c) => c.name !== layer.id_column && !c.unit);
  const pick = own.find((c) => c.type === 'category') ?? own[0];
  return pick ? `例 e.g. ${EXAMPLE[pick.type]?.(pick.name) ?? pick.name}` : '';
}

/** @param {string} id @param {string | null} text */
export function showError(id, text) {
  $(id).hidden = !text;
  $(id).textContent = text ?? '';
}

/** @param {import('./api.js').Legend} legend @param {Layer} layer @param {number} bandwidthM */
export function showLegend(legend, layer, bandwidthM) {
  const {steps} = legend;
  const marks = [0, 4, 8, 12, steps.length - 1];
  const ramp = element('div', {className: 'ramp'}, ...steps.map((s, i) => {
    const cell = element('span', {title: `≥ ${figure(s.from)}`});
    cell.style.backgroundColor = s.color;
    cell.style.opacity = String(Math.max(0.15, s.opacity));
    cell.dataset.step = String(i);
    return cell;
  }));
  const ticks = element('div', {className: 'ticks'}, ...marks.map((i) => {
    const tick = element('span', {}, figure(steps[i].from));
    tick.style.left = `${i / steps.length * 100}%`;
    return tick;
  }));
  $('legend').replaceChildren(
    element('div', {className: 'title'},
      element('span', {}, `${layer.title} 密度，每平方公里 `, english('per km²')),
      element('span', {}, `带宽 ${bandwidthM} m`)),
    ramp, ticks);
}

/** In place of a legend, where there is no heat. @param {Layer} layer */
export function showNoLegend(layer) {
  const [name, en] = layer.personal ? ['个人位置，没有热力', 'positions of persons, no heat']
    : layer.geometry === 'line' ? ['线图层，没有热力', 'lines, no heat'] : ['面图层，没有热力', 'polygons, no heat'];
  $('reading').replaceChildren();
  $('legend').replaceChildren(element('div', {className: 'title'}, element('span', {}, `${layer.title}：${name} `, english(en))));
}

/** @param {import('./api.js').Reading | null} reading @param {string[]} levels finest first @param {boolean} pinned */
export function showReading(reading, levels, pinned) {
  for (const cell of document.querySelectorAll('.ramp .on')) cell.classList.remove('on');
  if (!reading) {
    $('reading').replaceChildren(element('span', {className: 'quiet'}, '移到地图上读数，点击固定 ', english('Point to read, click to pin')));
    return;
  }
  const {value, within, units, pixel} = reading;
  document.querySelector(`.ramp [data-step="${pixel.step}"]`)?.classList.add('on');
  const where = [...levels].reverse().map((l) => units[l]).filter(Boolean)
    .map((u) => u.name || u.id).join(' · ');
  $('reading').replaceChildren(
    element('div', {},
      element('span', {className: 'value', title: String(value)}, about(value)),
      element('span', {className: 'unit'}, ` /km²　${within.radius_m} m 内 `, exact(within.count), ' ', english('within reach'))),
    element('div', {className: 'where', title: where},
      where || (levels.length ? '不在任何单元内 outside all units' : ''), pinned ? '　' : '', pinned ? english('Esc to unpin') : ''));
}

export class Table {
  /** @param {(id: string) => void} onChoose */
  constructor(onChoose) {
    this.onChoose = onChoose;
    this.by = 'count';
    this.down = true;
    /** @type {Group[]} */
    this.groups = [];
    this.chosen = '';
    for (const button of document.querySelectorAll('[data-sort]'))
      /** @type {HTMLElement} */ (button).onclick = () => this.sort(/** @type {HTMLElement} */ (button).dataset.sort);
  }

  sort(by) {
    this.down = by === this.by ? !this.down : by === 'count';
    this.by = by;
    this.draw();
  }

  /** @param {Group[]} groups */
  show(groups) {
    this.groups = groups;
    this.draw();
  }

  draw() {
    const name = (g) => g.id === null ? '无 none' : g.name ?? g.id;
    const order = this.by === 'count'
      ? (a, b) => a.count - b.count || name(b).localeCompare(name(a), 'zh-CN')
      : (a, b) => name(a).localeCompare(name(b), 'zh-CN');
    const sorted = [...this.groups].sort((a, b) => (this.down ? -1 : 1) * order(a, b));
    const total = sorted.reduce((sum, g) => sum + g.count, 0);
    const most = Math.max(1, ...sorted.map((g) => g.count));
    $('table').replaceChildren(...sorted.map((g) => this.row(g, name(g), total, most)));
    for (const th of document.querySelectorAll('thead th')) th.removeAttribute('aria-sort');
    document.querySelector(`[data-sort="${this.by}"]`)?.closest('th')
      ?.setAttribute('aria-sort', this.down ? 'descending' : 'ascending');
    this.choose(this.chosen);
  }

  row(group, name, total, most) {
    const line = element('span', {className: 'bar-line'});
    line.style.width = `${group.count / most * 100}%`;
    const row = element('tr', {},
      element('td', {}, element('button', {type: 'button', className: 'plain', onclick: (e) => {
        e.stopPropagation();
        this.onChoose(group.id ?? '');
      }}, name)),
      element('td', {className: 'number'}, exact(group.count), line),
      element('td', {className: 'number share'}, share(group.count, total)));
    row.dataset.id = group.id ?? '';
    row.onclick = () => this.onChoose(group.id ?? '');
    return row;
  }

  /** @param {string} id */
  choose(id) {
    this.chosen = id;
    for (const row of $('table').rows) {
      const on = id !== '' && row.dataset.id === id;
      row.classList.toggle('chosen', on);
      row.querySelector('button').setAttribute('aria-pressed', String(on));
      if (on) row.scrollIntoView({block: 'nearest'});
    }
  }
}

/** Bars by day with a brush. */
export class Days {
  /** @param {(time: string) => void} onChoose */
  constructor(onChoose) {
    this.onChoose = onChoose;
    this.first = '';
    /** @type {number[]} */
    this.counts = [];
    const box = $('days');
    let from = -1;
    const dayAt = (e) => {
      const r = box.getBoundingClientRect();
      return Math.min(this.counts.length - 1, Math.max(0, Math.floor((e.clientX - r.left) / r.width * this.counts.length)));
    };
    const range = (a, b) => [Math.min(a, b), Math.max(a, b)].map((d) => addDays(this.first, d));
    box.onpointerdown = (e) => {
      if (!this.counts.length) return;
      from = dayAt(e);
      box.setPointerCapture(e.pointerId);
      this.mark(joinTime(...range(from, from)));
    };
    box.onpointermove = (e) => from >= 0 && this.mark(joinTime(...range(from, dayAt(e))));
    box.onpointerup = (e) => {
      if (from < 0) return;
      const time = joinTime(...range(from, dayAt(e)));
      from = -1;
      this.onChoose(time);
    };
  }

  /** @param {Group[] | null} groups by day; null: there is no time @param {string} time */
  show(groups, time) {
    const dated = (groups ?? []).filter((g) => g.id !== null && isDate(g.id.slice(0, 10)))
      .sort((a, b) => (a.id < b.id ? -1 : 1));
    $('days').classList.toggle('none', !groups);
    $('days').classList.toggle('empty', !dated.length);
    this.counts = [];
    if (!dated.length)
      return $('days').replaceChildren(...(groups ? [element('p', {className: 'quiet'}, '没有数据 ', english('nothing here'))] : []));
    this.first = dated[0].id.slice(0, 10);
    const length = daysBetween(this.first, dated[dated.length - 1].id.slice(0, 10)) + 1;
    // A register of decades is not a matter of days: show its last two years.
    if (length > 730) this.first = addDays(this.first, length - 730);
    this.counts = new Array(Math.min(length, 730)).fill(0);
    for (const g of dated) {
      const i = daysBetween(this.first, g.id.slice(0, 10));
      if (i >= 0) this.counts[i] = g.count;
    }
    this.draw();
    this.mark(time);
  }

  /** The last day shown; '' where there is none. */
  last() {
    return this.counts.length ? addDays(this.first, this.counts.length - 1) : '';
  }

  draw() {
    const n = this.counts.length, most = Math.max(1, ...this.counts);
    const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
    svg.setAttribute('viewBox', `0 0 ${n} 100`);
    svg.setAttribute('preserveAspectRatio', 'none');
    const months = [];
    this.counts.forEach((count, i) => {
      const height = count / most * 100, bar = document.createElementNS(svg.namespaceURI, 'rect');
      const date = addDays(this.first, i);
      for (const [k, v] of Object.entries({x: i + 0.1, y: 100 - height, width: 0.8, height})) bar.setAttribute(k, String(v));
      const title = document.createElementNS(svg.namespaceURI, 'title');
      title.textContent = `${moment(date)} ${exact(count)}`;
      bar.append(title);
      svg.append(bar);
      if (date.endsWith('-01')) {
        const month = element('span', {className: 'month'}, date.endsWith('01-01') ? `${date.slice(0, 4)}年` : `${+date.slice(5, 7)}月`);
        month.style.left = `${i / n * 100}%`;
        months.push(month);
      }
    });
    $('days').replaceChildren(svg, ...months.slice(n > 400 ? -24 : 0));
  }

  /** Which bars are in the period. @param {string} time */
  mark(time) {
    const {from, to} = splitTime(time);
    $('days').querySelectorAll('rect').forEach((bar, i) => {
      const date = addDays(this.first, i);
      bar.classList.toggle('in', (!from || date >= from) && (!to || date <= to));
    });
  }
}
