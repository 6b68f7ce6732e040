// @ts-check
// charts.js - the wall's charts, drawn by ECharts: still, without frames, in
// the tokens' colours. Each is a function from numbers to an option; those that
// change every few seconds are functions to shapes, which ECharts' canvas keeps
// and only moves: an option that is made anew runs all of the library, and what
// runs for months is compiled bit by bit, and stays in memory.

import * as echarts from '../echarts/echarts.esm.min.mjs';

/** Value of a custom property. @param {string} name */
export const token = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

/** @typedef {{type: 'rect' | 'polygon' | 'line' | 'polyline' | 'circle' | 'text', shape?: any, style: any, x?: number, y?: number}} Shape */
const KINDS = {rect: echarts.graphic.Rect, polygon: echarts.graphic.Polygon, line: echarts.graphic.Line, polyline: echarts.graphic.Polyline, circle: echarts.graphic.Circle, text: echarts.graphic.Text};

/** One canvas, for as long as the page is open. */
export class Chart {
  /** @param {HTMLElement} element @param {string} label   what it shows, in words */
  constructor(element, label) {
    this.element = element;
    element.setAttribute('role', 'img');
    element.setAttribute('aria-label', label);
    this.chart = echarts.init(element, null, {renderer: 'canvas', width: 1, height: 1});
    this.unitPx = 20;
    /** @type {((unitPx: number, size: {w: number, h: number}) => any) | null} */
    this.draw = null;
    /** The shapes that stand, and what is known of each. @type {{shape: any, said: string}[]} */
    this.shapes = [];
    /** Of an option that stands. */
    this.said = '';
    // Words beside it may come later and take room.
    this.watch = new ResizeObserver(() => this.fit());
    this.watch.observe(element);
  }

  /** @param {number} unitPx   the panel's letters */
  resize(unitPx) {
    this.unitPx = unitPx;
    this.fit();
  }

  /** Take the room that there is. */
  fit() {
    const {clientWidth, clientHeight} = this.element;
    this.chart.resize({width: Math.max(1, clientWidth), height: Math.max(1, clientHeight)});
    this.redraw();
  }

  /** @param {(unitPx: number, size: {w: number, h: number}) => any} draw   what the option is, or the shapes are, at a size */
  show(draw) {
    this.draw = draw;
    this.redraw();
  }

  redraw() {
    if (!this.draw) return;
    const size = {w: this.chart.getWidth(), h: this.chart.getHeight()};
    if (size.w <= 1 || size.h <= 1) return;
    const drawn = this.draw(this.unitPx, size);
    if (Array.isArray(drawn)) return this.place(drawn);
    // Functions in an option are made of its numbers.
    const said = JSON.stringify([drawn, size]);
    if (said === this.said) return;
    this.said = said;
    this.chart.setOption({animation: false, backgroundColor: 'transparent', ...drawn}, {notMerge: true, lazyUpdate: false});
  }

  /** @param {Shape[]} list   lowest first */
  place(list) {
    const canvas = this.chart.getZr();
    list.forEach(({type, shape = {}, style, x = 0, y = 0}, i) => {
      const said = JSON.stringify([type, shape, style, x, y], tenths), old = this.shapes[i];
      if (old?.said === said) return;
      if (old?.shape.type === type) {
        old.said = said;
        if (type !== 'text') old.shape.setShape(shape);
        old.shape.useStyle(style);
        old.shape.setPosition([x, y]);
        return;
      }
      if (old) canvas.remove(old.shape);
      this.shapes[i] = {said, shape: new KINDS[type]({shape, style, x, y, z2: i, silent: true})};
      canvas.add(this.shapes[i].shape);
    });
    for (const {shape} of this.shapes.splice(list.length)) canvas.remove(shape);
  }

  close() {
    this.watch.disconnect();
    this.chart.dispose();
  }
}

const text = (unitPx, size = 1, colour = '--quiet') => ({fontFamily: token('--font'), fontSize: Math.round(unitPx * size), color: token(colour)});
const none = {show: false};
/** Less than a tenth of a pixel is not seen. @param {string} _ @param {any} value */
const tenths = (_, value) => typeof value === 'number' ? Math.round(value * 10) / 10 : value;
/** Words at a place: the upper end of their line; `more`: of their style. */
const words = (u, text, x, y, fill, align = 'left', more = {}) => /** @type {Shape} */ ({type: 'text', x, y, style: {text, fill: token(fill), align, font: `${Math.round(u)}px ${token('--font')}`, ...more}});

/** A band that turns from rightward to downward. */
function bend(x0, y0, x1, y1, thick) {
  const r = Math.max(0, Math.min(x1 - x0 - thick, y1 - y0 - thick)), outer = [], inner = [];
  for (let i = 0; i <= 8; i++) {
    const a = i / 8 * Math.PI / 2;
    outer.push([x1 - (r + thick) + (r + thick) * Math.sin(a), y0 + (r + thick) * (1 - Math.cos(a))]);
    inner.push([x1 - (r + thick) + r * Math.sin(a), y0 + thick + r * (1 - Math.cos(a))]);
  }
  return [[x0, y0], ...outer, [x1, y1], [x1 - thick, y1], ...inner.reverse(), [x0, y0 + thick]];
}

/**
 * The steps as one stream: what has passed a step goes on, what waits there
 * turns off downwards. Widths are counts, and add up.
 * @param {{title: string, waits: string, passed: number, waiting: number, waitingText: string}[]} steps
 */
export const flow = (steps) => (u, {w, h}) => {
  const total = steps[0].passed || 1, n = steps.length, step = w / n;
  // Words above, two lines below; between them the stream, and room for what turns off.
  // Those that would run into each other are cut, and not left out.
  const top = 1.4 * u, lowest = h - 2.45 * u, end = lowest - 0.2 * u, band = Math.max(0.5 * u, Math.min((end - top) * 0.62, end - top - 0.9 * u)), bar = 0.3 * u;
  const [on, off, edge] = [token('--flow-on'), token('--flow-off'), token('--text')];
  /** @type {Shape[]} */
  const children = [];
  const label = (...of) => children.push(words(u, .../** @type {[string, number, number, string, string?]} */ (of)));
  steps.forEach((s, i) => {
    const x = i * step, last = i === n - 1, thick = Math.max(1, s.passed / total * band);
    const next = last ? thick : Math.max(1, steps[i + 1].passed / total * band);
    children.push({type: 'rect', shape: {x: x + bar, y: top, width: step - bar, height: next}, style: {fill: on, opacity: last ? 0.6 : 1}});
    children.push({type: 'rect', shape: {x, y: top, width: bar, height: thick}, style: {fill: edge, opacity: 0.85}});
    // What waits leaves below what goes on.
    const deep = Math.max(1.5, s.waiting / total * band), from = top + next, turn = Math.max(0, Math.min(0.9 * u, end - from - deep));
    if (s.waiting > 0 && !last)
      children.push({type: 'polygon', shape: {points: bend(x + bar, from, x + bar + turn + deep, end, deep)}, style: {fill: off}});
    label(s.title, last ? w : x, 0, '--quiet', last ? 'right' : 'left');
    children.push(words(u, s.waits, last ? w : x, lowest, '--quiet', last ? 'right' : 'left', {width: step - 0.1 * u, overflow: 'truncate', ellipsis: '…'}));
    label(s.waitingText, last ? w : x, h - 1.25 * u, '--text', last ? 'right' : 'left');
  });
  return children;
};

/**
 * Bars of parts, one a row. Each part's own colour, from light to strong.
 * @param {number[][]} rows @param {string[]} colours @param {number} rowPx
 */
export const stacks = (rows, colours, rowPx) => (u, {w}) => {
  const bar = Math.min(0.8 * u, rowPx * 0.6), most = Math.max(1, ...rows.map((r) => r.reduce((a, b) => a + b, 0))), scale = w / most;
  return rows.flatMap((parts, i) => {
    let x = 0;
    return parts.map((n, k) => {
      const at = x;
      x += n * scale;
      return /** @type {Shape} */ ({type: 'rect', shape: {x: at, y: (i + 0.5) * rowPx - bar / 2, width: n * scale, height: bar}, style: {fill: token(colours[k])}});
    });
  });
};

/**
 * What came in each hour of today, as far as it is over, on the band of usual days.
 * @param {{low: number[], high: number[], middle: number[], today: number[]}} day
 */
export const curve = (day) => (u, {w, h}) => {
  const top = 0.35 * u, foot = h - 1.35 * u, most = Math.max(1, ...day.high, ...day.today), side = 0.3 * u;
  // An hour stands at its middle.
  const x = (i) => side + (i + 0.5) / 24 * (w - 2 * side), y = (n) => foot - n / most * Math.max(1, foot - top), points = (list) => list.map((n, i) => [x(i), y(n)]);
  /** @type {Shape[]} */
  const children = [
    {type: 'polygon', shape: {points: [...points(day.high), ...points(day.low).reverse()]}, style: {fill: token('--band')}},
    {type: 'polyline', shape: {points: points(day.middle)}, style: {stroke: token('--band-middle'), fill: 'none', lineWidth: Math.max(1, u / 14)}},
    {type: 'line', shape: {x1: side, x2: w - side, y1: foot, y2: foot}, style: {stroke: token('--edge'), lineWidth: 1}}];
  if (day.today.length) {
    const last = day.today.length - 1;
    children.push({type: 'polyline', shape: {points: points(day.today)}, style: {stroke: token('--text'), fill: 'none', lineWidth: Math.max(1.5, u / 8)}},
      {type: 'circle', shape: {cx: x(last), cy: y(day.today[last]), r: 0.22 * u}, style: {fill: token('--text')}});
  }
  for (const hour of [0, 6, 12, 18, 24]) {
    const at = side + hour / 24 * (w - 2 * side);
    children.push(words(u, `${hour}:00`, hour ? hour === 24 ? w : at : 0, foot + 0.2 * u, '--quiet', hour ? hour === 24 ? 'right' : 'center' : 'left'));
  }
  return children;
};

/** How many have how much, against a norm. @param {[number, number][]} spread @param {number} norm */
export const spread = (spread, norm) => (u, {w}) => {
  const low = Math.min(...spread.map((s) => s[0]), norm), high = Math.max(...spread.map((s) => s[0]), norm);
  const wide = Math.max(1, (w - u) / (high - low + 1));
  return {
    grid: {left: 0.3 * u, right: 0.6 * u, top: 0.2 * u, bottom: 1.35 * u},
    xAxis: {type: 'value', min: low - 1, max: high + 1, splitLine: none, axisTick: none, axisLine: {lineStyle: {color: token('--edge')}}, axisLabel: {...text(u), margin: 0.25 * u, showMinLabel: false, showMaxLabel: false}},
    yAxis: {type: 'value', show: false},
    series: [{type: 'bar', silent: true, barWidth: Math.max(1, wide * 0.82), data: spread.map(([x, n]) => ({value: [x, n], itemStyle: {color: token(x >= norm ? '--flow-on' : '--flow-off')}})),
      markLine: {silent: true, symbol: 'none', label: none, lineStyle: {color: token('--text'), type: 'solid', width: Math.max(1, u / 12)}, data: [{xAxis: norm - 0.5}]}}],
  };
};

/** Days as bars, the last one bright; where there is no room for them none. @param {number[]} days */
export const days = (days) => (u, {h}) => h < 0.6 * u ? {} : ({
  grid: {left: 0, right: 0, top: 0.1 * u, bottom: 0.1 * u},
  xAxis: {type: 'category', show: false, data: days.map((_, i) => i)}, yAxis: {type: 'value', show: false, min: 0},
  series: [{type: 'bar', silent: true, barCategoryGap: '28%', data: days.map((v, i) => ({value: v, itemStyle: {color: token(i === days.length - 1 ? '--text' : '--quiet'), opacity: i === days.length - 1 ? 0.95 : 0.45}}))}],
});

/** A value with its interval on a line from low to high; the city's as a tick. Only what a row is, without words. @param {{value: number, low: number, high: number}[]} rows @param {number} whole @param {number} rowPx */
export const intervals = (rows, whole, rowPx) => (u, {w, h}) => {
  const known = rows.filter((r) => Number.isFinite(r.value));
  const low = Math.min(whole, ...known.map((r) => r.low)), high = Math.max(whole, ...known.map((r) => r.high));
  const room = 0.22 * u, x = (v) => room + (v - low) / (high - low || 1) * (w - 2 * room);
  /** @type {Shape[]} */
  const children = [{type: 'line', shape: {x1: x(whole), x2: x(whole), y1: 0, y2: h}, style: {stroke: token('--quiet'), lineWidth: Math.max(1, u / 20), lineDash: [u / 5, u / 5]}}];
  rows.forEach((r, i) => {
    if (!Number.isFinite(r.value)) return;
    const y = (i + 0.5) * rowPx, colour = token('--text');
    children.push({type: 'line', shape: {x1: x(r.low), x2: Math.max(x(r.high), x(r.low) + 1), y1: y, y2: y}, style: {stroke: colour, opacity: 0.55, lineWidth: Math.max(1, u / 7)}});
    children.push({type: 'circle', shape: {cx: x(r.value), cy: y, r: Math.max(1.5, u / 5)}, style: {fill: colour}});
  });
  return children;
};
