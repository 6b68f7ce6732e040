// @ts-check
// steps.js - a period that is moved: what is drawn of it is drawn in the page,
// step by step, from what is asked for once: a field and points from tiles of
// all days (daytile.js, dottile.js), units from one answer with their counts by
// day (unitsteps.js) and tiles that say where they lie (unittile.js). When it
// rests, the server's own picture takes its place.
//
// While it moves one colour is one value: all periods of a length have one
// legend, that of the one of them with the most weight, so that no other one has
// more than it can tell. Where the state's scale is 'own' each has what the
// server's legend of it would say: the legend of all times, by the share of the
// weight that the period has. (Only of a field of a whole month or year the
// server has one of its own, which comes at rest.)

import {addDays, daysBetween} from '../text.js';
import {pixelRatio} from './map.js';
import {address, dotTilesOf, legendOf, stepsOf, unitTilesOf} from './shown.js';
import {splitTime} from './state.js';
import {UnitSteps, coloursOf} from './unitsteps.js';

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

/** @param {string} map @param {string} template of what follows its name */
const named = (map, template) => `/tiles/${encodeURIComponent(map).replace(/%3A/g, ':')}/${template}`;

/* A moment of a period: days since 1970, [from, to); at: what half-lives are counted to. */
/** @typedef {{from: number, to: number, at: number}} Moment */

/** A field that is stepped through. */
class FieldView {
  /** @param {any} legend of all times @param {Map<number, number>} sums by day @param {{from: number, to: number}} days [from, to) @param {{halfLife: number, template: string, now: number}} how */
  constructor(legend, sums, days, {halfLife, template, now}) {
    Object.assign(this, {key: 'heat', legend, sums, days, halfLife, template, now});
    /** @type {Map<number, number>} by length */
    this.mosts = new Map();
  }

  /** The most weight of any period so long: what they have one legend by. @param {number} length days */
  most(length) {
    const {sums, mosts, halfLife, days, now} = this;
    if (!mosts.has(length)) mosts.set(length, mostWeightOf(sums, days, length, halfLife, now));
    return mosts.get(length);
  }

  /** @param {Moment} moment @param {number} heldDays how long the periods are that have this legend, 0: it is its own */
  legendOf({from, to, at}, heldDays) {
    const {legend, sums, halfLife} = this;
    const part = heldDays ? this.most(heldDays) : weightOf(sums, from, to, halfLife, at), times = part > 0 && legend.total > 0 ? part / legend.total : 1;
    return {...legend, steps: legend.steps.map((s) => ({...s, from: s.from * times})), most: (legend.most ?? 0) * times, scale: legend.scale * times, total: part, heldDays};
  }

  /** What the worker is told. @param {Moment} moment @param {number} heldDays */
  step(moment, heldDays) {
    const legend = this.legendOf(moment, heldDays);
    return {legend, wish: {breaks: legend.steps.map((s) => s.from), colours: [0, ...legend.steps.map(colourOf)], lines: legend.form === 'lines'}};
  }
}

/* Lists of units that the worker was told of. */
let tokens = 0;

/** Units that are stepped through. */
class UnitView {
  /** @param {UnitSteps} units @param {any} legend of the state @param {{from: number, to: number}} days [from, to) @param {{palette: 'dark' | 'light', ramp: 'warm' | 'cool', template: string, ratio: number, all: (n: number) => string}} how */
  constructor(units, legend, days, how) {
    Object.assign(this, {key: 'choropleth', units, legend, days, ...how, token: ++tokens, sent: false});
    /** @type {Map<number, number>} */
    this.mosts = new Map();
  }

  /** @param {number} length days */
  most(length) {
    if (!this.mosts.has(length)) this.mosts.set(length, this.units.most(length, this.days));
    return this.mosts.get(length);
  }

  /** @param {Moment} moment @param {number} heldDays */
  step({from, to}, heldDays) {
    const {units, palette, ramp, ratio} = this, values = units.values(from, to), classes = units.classes(values, heldDays ? this.most(heldDays) : units.total(from, to));
    const colours = coloursOf(classes.from.length, palette, ramp), fill = Uint32Array.from(classes.of, (c) => (c < 0 ? colours.zero : colours.fill[c]));
    const item = (text, c) => ({text, form: 'area', color: `#${c.toString(16).slice(-6).replace(/(..)(..)(..)/, '$3$2$1')}`, opacity: (c >>> 24) / 255});
    const items = [...classes.texts.map((text, i) => item(classes.same === null ? text : this.all(classes.same), colours.fill[i])).reverse(),
      ...classes.zero ? [item('0', colours.zero)] : [], ...(this.legend?.items ?? []).filter((i) => i.form === 'hatch')];
    return {legend: {...this.legend, items, heldDays}, wish: {units: {token: this.token, ids: units.ids, fill, zero: colours.zero, edge: colours.edge, hatch: colours.hatch, ratio}}};
  }
}

/** Points that are stepped through: how large they are, and how opaque pixels that stand for many, follows from how many there are in all. */
class PointView {
  /** @param {string} key @param {Map<number, number>} sums by day @param {any} legend of the state @param {{from: number, to: number}} days [from, to) @param {string} template */
  constructor(key, sums, legend, days, template) {
    Object.assign(this, {key, sums, legend, days, template});
    /** @type {Map<number, number>} */
    this.mosts = new Map();
  }

  /** @param {number} length days */
  most(length) {
    if (!this.mosts.has(length)) this.mosts.set(length, mostWeightOf(this.sums, this.days, length, 0, Infinity));
    return this.mosts.get(length);
  }

  /** @param {Moment} moment @param {number} heldDays */
  step({from, to}, heldDays) {
    return {legend: {...this.legend, heldDays}, wish: {points: {count: heldDays ? this.most(heldDays) : weightOf(this.sums, from, to, 0, to)}}};
  }
}

export class Steps {
  /**
   * @param {import('./panes.js').Context} context @param {import('./drawing.js').Drawing} drawing
   */
  constructor(context, drawing) {
    Object.assign(this, {context, drawing});
    /** @type {Worker | null} */
    this.worker = null;
    /** @type {{question: string, halfLife: number, parts: (FieldView | UnitView | PointView)[]} | null} what is stepped through, ready */
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
    const {city, state} = this.context, {heat, units, points} = stepsOf(city, state.now);
    const parts = await Promise.all([...units ? [this.bringUnits(units)] : [], ...heat ? [this.bringField(heat)] : [], ...points ? [this.bringPoints(points)] : []]);
    if (question !== this.question()) return false;
    this.view = {question, parts, halfLife: heat?.halfLife ?? 0};
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

  /** @param {any} of what stepsOf says of the heat */
  async bringField({map, params, layer, filter, form, weight, halfLife}) {
    const {context, range, days, now} = this;
    const [legend, stats] = await Promise.all([context.get(legendOf({id: 'heat', opacity: 1, map, params: {...params, halflife: halfLife, ...form && {form}}, field: true, layers: []}, context.palette(), context.lang)),
      context.get(address(`/stats/${encodeURIComponent(layer)}`, {by: 'day', sum: weight, filter}))]);
    return new FieldView(legend, sumsOf(stats, !!weight, range), days, {halfLife, now, template: address(named(map, '{z}/{x}/{y}.days'), {...params, datetime: `${range.from}/${range.to}`})});
  }

  /** @param {any} of what stepsOf says of points */
  async bringPoints({id, layer, filter}) {
    const {context, range, days, drawing} = this, ratio = pixelRatio() > 1.25 ? 2 : 1, stats = await context.get(address(`/stats/${encodeURIComponent(layer)}`, {by: 'day', filter}));
    return new PointView(id, sumsOf(stats, false, range), drawing.explained.find((e) => e.part.id === id)?.legend, days,
      dotTilesOf(layer, ratio, {filter, datetime: `${range.from}/${range.to}`, palette: context.palette()}));
  }

  /** @param {any} of what stepsOf says of units */
  async bringUnits({level, layer, filter, sum, ramp}) {
    const {context, range, days, drawing} = this, path = `/stats/${encodeURIComponent(layer)}`, ratio = pixelRatio() > 1.25 ? 2 : 1;
    const [series, all] = await Promise.all([context.get(address(path, {by: level, series: 'day', sum, filter, datetime: `${range.from}/${range.to}`})), context.get(address(path, {by: level, sum}))]);
    return new UnitView(new UnitSteps(series, all.groups ?? [], series.first ? dayOf(series.first) : days.from), drawing.explained.find((e) => e.part.id === 'choropleth')?.legend, days,
      {palette: context.palette(), ramp, ratio, template: unitTilesOf(level, ratio), all: (n) => context.say('all_equal', {n})});
  }

  /** Days of the range, since 1970: [from, to). */
  get days() {
    const {from, to} = this.range;
    return {from: dayOf(from), to: dayOf(to) + 1};
  }

  /** Load what the next steps will need. */
  async warm() {
    const {map} = this.drawing;
    if (this.busy || this.on || !await this.open() || this.busy || this.on || !map) return;
    this.worker.postMessage({warm: this.view.parts.flatMap((part) => this.tiles(part))});
  }

  /** Addresses of what is seen. @param {FieldView | UnitView | PointView} part */
  tiles({key, template}) {
    const {map} = this.drawing, sheet = map.sheet(key);
    return !sheet ? [] : map.tilesSeen(sheet).map(({z, x, y}) => ({key: `${z}/${x}/${y}`, url: template.replace('{z}', String(z)).replace('{x}', String(x)).replace('{y}', String(y))}));
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

  ask() {
    const {map} = this.drawing, {wanted: time, view} = this, {from, to} = splitTime(time);
    if (!map || !view || !time || !view.parts.some((part) => map.sheet(part.key))) return this.answer(false);
    const moment = {from: dayOf(from), to: dayOf(to) + 1, at: Math.min(dayOf(to) + 1, this.now)}, heldDays = this.context.state.now.scale === 'own' ? 0 : moment.to - moment.from;
    const steps = view.parts.map((part) => ({part, ...part.step(moment, heldDays)}));
    // Names of units are told once.
    for (const {part, wish} of steps) {
      if (!wish.units) continue;
      if (part.sent) delete wish.units.ids;
      part.sent = true;
    }
    this.busy = true;
    this.asking = {time, view, legends: new Map(steps.map(({part, legend}) => [part.key, legend]))};
    this.worker.postMessage({id: ++this.asked, whole: !this.on, ...moment, halfLife: view.halfLife, parts: steps.map(({part, wish}) => ({key: part.key, tiles: this.tiles(part), ...wish}))});
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
    const {time, legends, view} = this.asking, {map} = this.drawing;
    if (fault) {
      console.warn(`steps: ${fault.status} ${fault.detail}`);
      if (fault.status >= 400 && fault.status < 500 && fault.status !== 429) this.refused = view.question;
      this.stop();
      return this.answer(false);
    }
    if (!pictures || view !== this.view || !map || !this.wanted) {
      for (const [, own] of pictures ?? []) for (const [, picture] of own) picture?.close();
      return this.answer(false);
    }
    this.on = true;
    this.drawn = time;
    for (const [key, own] of pictures) map.overdraw(key, new Map(own));
    this.drawing.stepped(legends);
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
