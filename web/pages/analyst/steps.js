// @ts-check
// steps.js - a period that is moved: its heat is drawn in the page, step by
// step, from tiles that hold all days and are asked for once (daytile.js). When
// it rests, the server's own picture takes its place.
//
// While it moves one colour is one value: all periods of a length have one
// legend, that of the one of them with the most weight, so that no other one has
// more than it can tell. Where the state's scale is 'own' each has what the
// server's legend of it would say: the legend of all times, by the share of the
// weight that the period has. (Only of a whole month or year the server has one
// of its own, which comes at rest.)

import {addDays, daysBetween} from '../text.js';
import {address, legendOf, stepsOf} from './shown.js';
import {splitTime} from './state.js';

/** Days that tiles hold at most: half a year, and as much again to move in. */
const SPAN_DAYS = 370;
/** How long after the last step it rests. */
export const REST_MS = 450;

const EPOCH = '1970-01-01';
/** @param {string} date */
const dayOf = (date) => daysBetween(EPOCH, date);

/** Sums by day; days as numbers since 1970. @param {any} stats of /stats by day @param {boolean} weighed @param {{from: string, to: string}} range which days */
function sumsOf(stats, weighed, range) {
  /** @type {Map<number, number>} */
  const days = new Map();
  for (const g of stats.groups ?? []) {
    const date = String(g.id ?? '').slice(0, 10);
    if (date >= range.from && date <= range.to) days.set(dayOf(date), (weighed ? g.sum : g.count) ?? 0);
  }
  return days;
}

/**
 * What of the weight lies in a period, each day's faded by its age.
 * @param {Map<number, number>} days @param {number} from @param {number} to days, [from, to) @param {number} halfLife @param {number} at
 */
export function weightOf(days, from, to, halfLife, at) {
  let sum = 0;
  for (const [day, n] of days) if (day >= from && day < to && (!halfLife || day < at)) sum += n * (halfLife ? 2 ** -((at - day - 0.5) / halfLife) : 1);
  return sum;
}

/**
 * What of the weight lies in that period of a length, of all within some days, that has the most of it.
 * @param {Map<number, number>} days @param {{from: number, to: number}} range days, [from, to) @param {number} length days @param {number} halfLife @param {number} now
 */
export function mostWeightOf(days, range, length, halfLife, now) {
  let most = 0;
  for (let from = range.from; from + length <= range.to; from++) most = Math.max(most, weightOf(days, from, from + length, halfLife, Math.min(from + length, now)));
  return most;
}

/** @param {{color: string, opacity: number}} step as a number, red lowest */
function colourOf({color, opacity}) {
  const rgb = parseInt(color.slice(1), 16);
  return ((Math.round(opacity * 255) << 24) | ((rgb & 255) << 16) | (rgb & 0xff00) | rgb >> 16) >>> 0;
}

export class Steps {
  /**
   * @param {import('./panes.js').Context} context @param {import('./drawing.js').Drawing} drawing
   */
  constructor(context, drawing) {
    Object.assign(this, {context, drawing});
    /** @type {Worker | null} */
    this.worker = null;
    /** @type {{question: string, template: string, key: string, legend: any, sums: Map<number, number>, mosts: Map<number, number>, halfLife: number} | null} what is stepped through, ready */
    this.view = null;
    /** @type {Promise<any> | null} */
    this.opening = null;
    this.asked = 0;
    this.busy = false;
    /** The period that is wanted, and that is drawn. */
    this.wanted = '';
    this.drawn = '';
    this.on = false;
    /** @type {((done: boolean) => void)[]} */
    this.hearers = [];
    /** Why the last one could not be stepped through; '' it can. */
    this.refused = '';
  }

  /** Can a period be drawn in the page, as the state is? */
  get usable() {
    const {city, state} = this.context;
    return typeof Worker !== 'undefined' && !!stepsOf(city, state.now) && this.refused !== this.question();
  }

  /** What else is drawn that follows only when the period rests. @returns {string[]} ids */
  get resting() {
    const {city, state} = this.context;
    return stepsOf(city, state.now)?.resting ?? [];
  }

  /** Everything but the period that tiles and legend follow from. */
  question() {
    const {context} = this, {city, state} = context, of = stepsOf(city, state.now);
    return of ? JSON.stringify([of, this.range, context.palette()]) : '';
  }

  /** The days that are stepped through. @param {{first: string, counts: number[]}} days */
  span({first, counts}) {
    const n = counts.length, {from} = splitTime(this.context.state.now.time);
    if (!n) return;
    const last = addDays(first, n - 1), begin = n <= SPAN_DAYS ? first : addDays(last, 1 - SPAN_DAYS);
    // Of a longer series those around the period.
    const start = from && from >= first && from < begin ? from : begin;
    this.range = {from: start, to: n <= SPAN_DAYS ? last : addDays(start, SPAN_DAYS - 1)};
  }

  /** Does the range hold a period? @param {string} time */
  holds(time) {
    const {from, to} = splitTime(time), {range} = this;
    return !!range && !!from && !!to && from >= range.from && to <= range.to;
  }

  /** Ask for what steps will need. @returns {Promise<boolean>} is it there? */
  async open() {
    const question = this.question();
    if (!this.usable || !this.range) return false;
    if (this.view?.question === question) return true;
    if (this.opening && this.openingOf === question) return this.opening;
    this.openingOf = question;
    this.view = null;
    return this.opening = this.bring(question).catch((error) => {
      console.warn(error);
      if (error.status >= 400 && error.status < 500 && error.status !== 429) this.refused = question;
      this.openingOf = '';
      return false;
    });
  }

  /** @param {string} question */
  async bring(question) {
    const {context, range} = this, {city, state} = context, {map, params, layer, filter, form, weight, halfLife} = stepsOf(city, state.now);
    const palette = context.palette();
    const [legend, stats] = await Promise.all([context.get(legendOf({id: 'heat', opacity: 1, map, params: {...params, halflife: halfLife, ...form && {form}}, field: true, layers: []}, palette, context.lang)),
      context.get(address(`/stats/${encodeURIComponent(layer)}`, {by: 'day', sum: weight, filter}))]);
    if (question !== this.question()) return false;
    const template = address(`/tiles/${encodeURIComponent(map).replace(/%3A/g, ':')}/{z}/{x}/{y}.days`.replace(/%7B/g, '{').replace(/%7D/g, '}'), {...params, datetime: `${range.from}/${range.to}`});
    this.view = {question, template, key: 'heat', legend, sums: sumsOf(stats, !!weight, range), mosts: new Map(), halfLife};
    if (!this.worker) {
      this.worker = new Worker('/pages/analyst/steps_worker.js', {type: 'module'});
      this.worker.onmessage = ({data}) => this.heard(data);
      this.worker.onerror = (e) => {
        console.warn(e.message);
        this.refused = this.question();
        this.stop();
      };
    }
    return true;
  }

  /** Load what the next steps will need. */
  async warm() {
    const {map} = this.drawing;
    if (this.busy || this.on || !await this.open() || this.busy || this.on || !map) return;
    const sheet = map.sheet(this.view.key);
    if (sheet) this.worker.postMessage({warm: this.tiles(sheet)});
  }

  /** Addresses of what is seen. @param {import('./map.js').Sheet} sheet */
  tiles(sheet) {
    const {map} = this.drawing, {template} = this.view;
    return map.tilesSeen(sheet).map(({z, x, y}) => ({key: `${z}/${x}/${y}`, url: template.replace('{z}', String(z)).replace('{x}', String(x)).replace('{y}', String(y))}));
  }

  /** Rows have changed: what is held is old. */
  forget() {
    this.view = null;
    this.openingOf = '';
    this.refused = '';
    this.worker?.postMessage({forget: true});
  }

  /**
   * Draw a period, now. Of several that are wanted while one is drawn the last
   * one is next. @param {string} time @returns {Promise<boolean>} it is on the map; false: it is not to be had so, or another one is wanted
   */
  async step(time) {
    if (!this.usable || !this.holds(time)) return false;
    this.wanted = time;
    if (!await this.open() || this.wanted !== time) return false;
    return new Promise((done) => {
      this.hearers.push(done);
      if (!this.busy) this.ask();
    });
  }

  /** Now, in days since 1970; Infinity where the city has no clock. */
  get now() {
    const {clock} = this.context.city;
    return clock ? dayOf(clock.slice(0, 10)) + Number(clock.slice(11, 13)) / 24 : Infinity;
  }

  /** The most weight of any period so long: what they have one legend by. @param {number} length days */
  most(length) {
    const {sums, mosts, halfLife} = this.view, {from, to} = this.range;
    if (!mosts.has(length)) mosts.set(length, mostWeightOf(sums, {from: dayOf(from), to: dayOf(to) + 1}, length, halfLife, this.now));
    return mosts.get(length);
  }

  /** Breaks of a period's colours; heldDays: how long the periods are that have this legend, 0: it is its own. @param {number} from @param {number} to @param {number} at */
  legend(from, to, at) {
    const {legend, sums, halfLife} = this.view, heldDays = this.context.state.now.scale === 'own' ? 0 : to - from;
    const part = heldDays ? this.most(heldDays) : weightOf(sums, from, to, halfLife, at), times = part > 0 && legend.total > 0 ? part / legend.total : 1;
    return {...legend, steps: legend.steps.map((s) => ({...s, from: s.from * times})), most: (legend.most ?? 0) * times, scale: legend.scale * times, total: part, heldDays};
  }

  ask() {
    const {map} = this.drawing, {wanted: time, view} = this, {from, to} = splitTime(time);
    if (!map || !view || !time) return this.answer(false);
    const days = {from: dayOf(from), to: dayOf(to) + 1};
    const at = Math.min(days.to, this.now), legend = this.legend(days.from, days.to, at), sheet = map.sheet(view.key);
    if (!sheet) return this.answer(false);
    this.busy = true;
    this.asking = {time, legend, view};
    this.worker.postMessage({id: ++this.asked, tiles: this.tiles(sheet),
      whole: !this.on, ...days, halfLife: view.halfLife, at, breaks: legend.steps.map((s) => s.from), colours: [0, ...legend.steps.map(colourOf)], lines: legend.form === 'lines'});
  }

  /** @param {any} data of the worker */
  heard({id, pictures, fault, loaded}) {
    // What came later is drawn in, too.
    if (loaded) {
      if (this.on && !this.busy && this.wanted) this.ask();
      return;
    }
    if (id !== this.asked) return;
    this.busy = false;
    const {time, legend, view} = this.asking, {map} = this.drawing;
    if (fault) {
      console.warn(`steps: ${fault.status} ${fault.detail}`);
      if (fault.status >= 400 && fault.status < 500 && fault.status !== 429) this.refused = view.question;
      this.stop();
      return this.answer(false);
    }
    if (!pictures || view !== this.view || !map || !this.wanted) {
      for (const [, picture] of pictures ?? []) picture?.close();
      return this.answer(false);
    }
    this.on = true;
    this.drawn = time;
    map.overdraw(view.key, new Map(pictures));
    this.drawing.stepped(legend);
    if (this.wanted && this.wanted !== time) return this.ask();
    this.answer(true);
  }

  /** @param {boolean} done */
  answer(done) {
    for (const hear of this.hearers.splice(0)) hear(done);
  }

  /** It rests: the server's pictures may come. They take the place of the steps when they are there (shown). */
  rest() {
    this.wanted = '';
    this.drawing.map?.restOverdraw();
    this.answer(false);
  }

  /** The server's pictures are there. */
  shown() {
    if (!this.wanted) this.stop();
  }

  stop() {
    this.on = false;
    this.drawn = '';
    this.wanted = '';
    this.drawing.map?.endOverdraw();
  }
}
