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
import {otherState} from './other.js';
import {address, dotTilesOf, legendOf, stepsOf, unitTilesOf} from './shown.js';
import {joinTime, splitTime} from './state.js';
import {FieldView, PointView, UnitView, busiest} from './stepviews.js';
import {UnitSteps} from './unitsteps.js';

/** Days that tiles hold at most: half a year, and as much again to move in. */
const SPAN_DAYS = 370;
/** How long after the last step it rests. */
export const REST_MS = 450;

const EPOCH = '1970-01-01';
/** @param {string} date */
const dayOf = (date) => daysBetween(EPOCH, date);
/** @typedef {import('./stepviews.js').PartView} PartView */
/** @typedef {{side: 'A' | 'B', part: PartView}} SidePart */

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

/** @param {{id: string | null}[]} groups @param {string} member @returns {Map<string, number>} of each unit */
const divisorsOf = (groups, member) => new Map(groups.filter((g) => g.id !== null).map((g) => [/** @type {string} */ (g.id), g[member] ?? NaN]));

/** @param {string} map @param {string} template of what follows its name */
const named = (map, template) => `/tiles/${encodeURIComponent(map).replace(/%3A/g, ':')}/${template}`;

export class Steps {
  /**
   * @param {import('./panes.js').Context} context @param {import('./drawing.js').Drawing} drawing @param {() => import('./drawing.js').Drawing | undefined} beside the other side's, once there is one
   */
  constructor(context, drawing, beside) {
    Object.assign(this, {context, drawing, beside});
    /** Sides on which something is drawn over. @type {Set<'A' | 'B'>} */
    this.over = new Set();
    /** @type {Map<string, import('./stepviews.js').Moments | null>} of which held legends are, by side, part and length */
    this.held = new Map();
    /** @type {Worker | null} */
    this.worker = null;
    /** @type {{question: string, halfLife: number, parts: SidePart[]} | null} what is stepped through, ready */
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
    /** How often rows have changed: what was asked for before is old. */
    this.forgotten = 0;
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
    this.range = {from: start, to: n <= SPAN_DAYS ? last : addDays(start, SPAN_DAYS - 1), all: n <= SPAN_DAYS};
  }

  /** The state of a moved period's other side. @param {string} time */
  otherOf(time) {
    return otherState({...this.context.state.now, time});
  }

  /** Does the range hold a period, and what that is compared with? @param {string} time */
  holds(time) {
    const {now} = this.context.state, {range} = this, within = ({from, to}) => !!from && !!to && from >= range.from && to <= range.to;
    if (!range || !within(splitTime(time))) return false;
    const other = this.otherOf(time), compared = !!now.compare || !!now.other;
    if (!compared || !other) return !compared;
    // Where all days are there, others have nothing.
    const {from, to} = splitTime(other.time);
    return within({from, to}) || (range.all && other.filter === now.filter && !!from && !!to);
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
    const {forgotten} = this, {city, state} = this.context, of = stepsOf(city, state.now), own = await this.bringSide(of, null);
    const beside = of.beside === null ? [] : await this.bringSide(of, {filter: of.beside, own});
    if (forgotten !== this.forgotten) return this.open();
    if (question !== this.question()) return false;
    for (const [i, part] of beside.entries()) if (!(part instanceof PointView)) [own[i].other, part.other] = [part, own[i]];
    this.held.clear();
    this.view = {question, parts: [...own.map((part) => ({side: /** @type {const} */ ('A'), part})), ...beside.map((part) => ({side: /** @type {const} */ ('B'), part}))], halfLife: of.heat?.halfLife ?? 0};
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

  /** What is stepped through on a side. @param {any} of of stepsOf @param {{filter: string, own: PartView[]} | null} beside null: side A @returns {Promise<PartView[]>} in one order */
  bringSide({heat, units, points}, beside) {
    const filter = beside ? {filter: beside.filter} : {}, known = (kind) => beside?.own.find((part) => part instanceof kind);
    return Promise.all([...units ? [this.bringUnits({...units, ...filter}, /** @type {UnitView} */ (known(UnitView)))] : [], ...heat ? [this.bringField({...heat, ...filter}, /** @type {FieldView} */ (known(FieldView)))] : [],
      ...points ? [this.bringPoints({...points, ...filter}, /** @type {PointView} */ (known(PointView)))] : []]);
  }

  /** What a side has of the days. @param {string} layer @param {string} weight @param {string} filter @param {FieldView | PointView} [own] of side A @returns {Promise<Map<number, number>>} */
  async sums(layer, weight, filter, own) {
    if (own && filter === this.context.state.now.filter) return own.sums;
    return sumsOf(await this.context.get(address(`/stats/${encodeURIComponent(layer)}`, {by: 'day', sum: weight, filter})), !!weight, this.range);
  }

  /** @param {any} of what stepsOf says of the heat @param {FieldView} [own] of side A */
  async bringField({map, params, layer, filter, form, weight, halfLife}, own) {
    const {context, range} = this, asked = {...params, filter};
    const explained = () => context.get(legendOf({id: 'heat', opacity: 1, map, params: {...asked, halflife: halfLife, ...form && {form}}, field: true, layers: []}, context.palette(), context.lang));
    const [legend, sums] = await Promise.all([own && filter === context.state.now.filter ? own.legend : explained(), this.sums(layer, weight, filter, own)]);
    // One legend is of both sides: by what side A is of all.
    return new FieldView(own?.legend ?? legend, sums, {halfLife, focus: legend.focus, template: address(named(map, '{z}/{x}/{y}.days'), {...asked, datetime: `${range.from}/${range.to}`})});
  }

  /** Pixels of the screen for one of a picture. */
  get ratio() {
    return pixelRatio() > 1.25 ? 2 : 1;
  }

  /** @param {string} id of a part */
  legend(id) {
    return this.drawing.explained.find((e) => e.part.id === id)?.legend;
  }

  /** @param {any} of what stepsOf says of points @param {PointView} [own] of side A */
  async bringPoints({id, layer, filter}, own) {
    const {context, range, ratio} = this;
    return new PointView(id, await this.sums(layer, '', filter, own), this.legend(id), dotTilesOf(layer, ratio, {filter, datetime: `${range.from}/${range.to}`, palette: context.palette()}));
  }

  /** @param {any} of what stepsOf says of units @param {UnitView} [own] of side A */
  async bringUnits({level, layer, filter, sum, per, ramp}, own) {
    const {context, ratio} = this, how = {palette: context.palette(), ramp, ratio, template: unitTilesOf(level, ratio), all: (n) => context.say('all_equal', {n})};
    const view = new UnitView(await this.unitSteps(level, layer, filter, sum, per, own?.units), this.legend('choropleth'), how);
    // Their ids are those of side A.
    if (own) Object.assign(view, {token: own.token, sent: true});
    return view;
  }

  /** @param {string} level @param {string} layer @param {string} filter @param {string | undefined} sum a column @param {any} per what rates are divided by @param {UnitSteps} [own] of side A */
  async unitSteps(level, layer, filter, sum, per, own) {
    const {context, range, days} = this, path = `/stats/${encodeURIComponent(layer)}`, datetime = `${range.from}/${range.to}`;
    if (own && filter === context.state.now.filter) return own;
    const [series, all, divided] = await Promise.all([context.get(address(path, {by: level, series: 'day', sum, filter, datetime, per: per?.area ? 'area' : ''})), own?.all ?? context.get(address(path, {by: level, sum})).then((a) => a.groups ?? []),
      per && !per.area && !own ? context.get(address(`/stats/${encodeURIComponent(per.layer)}`, {by: level, filter: per.filter, sum: per.weight})) : null]);
    return new UnitSteps(series, all, series.first ? dayOf(series.first) : days.from, per && (own?.per ?? {...per, of: divisorsOf(per.area ? series.groups : divided.groups ?? [], per.area ? 'area_km2' : per.weight ? 'sum' : 'count')}));
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
    this.worker.postMessage({warm: this.view.parts.flatMap((one) => this.tiles(one))});
  }

  /** @param {'A' | 'B'} side */
  mapOf(side) {
    return (side === 'A' ? this.drawing : this.beside())?.map;
  }

  /** Addresses of what is seen. @param {SidePart} one */
  tiles({side, part: {key, template}}) {
    const map = this.mapOf(side), sheet = map?.sheet(key);
    return !sheet ? [] : map.tilesSeen(sheet).map(({z, x, y}) => ({key: `${z}/${x}/${y}`, url: template.replace('{z}', String(z)).replace('{x}', String(x)).replace('{y}', String(y))}));
  }

  /** Rows have changed: what is held is old. */
  forget() {
    this.view = null;
    this.openingOf = '';
    this.refused = '';
    this.forgotten++;
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

  /** @param {string} time @returns {import('./stepviews.js').Moment} */
  momentOf(time) {
    const {from, to} = splitTime(time), end = dayOf(to) + 1;
    return {from: dayOf(from), to: end, at: Math.min(end, this.now)};
  }

  /** Of a side's period and of what that is compared with. @param {'A' | 'B'} side @param {string} time of side A @returns {import('./stepviews.js').Moments} */
  momentsOf(side, time) {
    const other = this.otherOf(time), a = this.momentOf(time), b = other ? this.momentOf(other.time) : null;
    return side === 'B' && b ? {own: b, other: a} : {own: a, other: b};
  }

  /** Of what the legend is that all periods so long have. @param {SidePart} one @param {number} length days */
  basis({side, part}, length) {
    const key = `${side} ${part.key} ${length}`, date = (day) => addDays(EPOCH, day);
    if (!this.held.has(key)) this.held.set(key, busiest(this.days, length, (from) => this.momentsOf(side, joinTime(date(from), date(from + length - 1))), (moments) => part.much(moments)));
    return this.held.get(key);
  }

  ask() {
    const {wanted: time, view} = this, there = (one) => !!this.mapOf(one.side)?.sheet(one.part.key);
    if (!this.drawing.map || !view || !time || !view.parts.some(there) || (view.parts.some((p) => p.side === 'B') && !this.mapOf('B'))) return this.answer(false);
    const own = this.momentOf(time), heldDays = this.context.state.now.scale === 'own' ? 0 : own.to - own.from;
    const steps = view.parts.map((one) => {
      const moments = this.momentsOf(one.side, time), basis = heldDays ? this.basis(one, heldDays) ?? moments : moments;
      return {...one, moments, ...one.part.step(moments, basis, heldDays)};
    });
    // Names of units are told once.
    for (const {part, wish} of steps) {
      if (!wish.units) continue;
      if (part.sent) delete wish.units.ids;
      part.sent = true;
    }
    this.busy = true;
    this.asking = {time, view, legends: new Map(steps.filter(({side}) => side === 'A').map(({part, legend}) => [part.key, legend]))};
    this.worker.postMessage({id: ++this.asked, whole: !this.on, parts: steps.map(({side, part, moments, wish}) => ({side, key: part.key, tiles: this.tiles({side, part}), ...moments.own, halfLife: view.halfLife, ...wish}))});
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
    const {time, legends, view} = this.asking;
    if (fault) {
      console.warn(`steps: ${fault.status} ${fault.detail}`);
      if (fault.status >= 400 && fault.status < 500 && fault.status !== 429) this.refused = view.question;
      this.stop();
      return this.answer(false);
    }
    if (!pictures || view !== this.view || !this.drawing.map || !this.wanted) {
      for (const {tiles} of pictures ?? []) for (const [, picture] of tiles) picture?.close();
      // Rows have changed meanwhile: whoever holds still sees the new ones, too.
      if (this.wanted && view !== this.view) return this.anew();
      return this.answer(false);
    }
    this.on = true;
    this.drawn = time;
    for (const {side, key, tiles} of pictures) {
      this.over.add(side);
      this.mapOf(side)?.overdraw(key, new Map(tiles));
    }
    this.drawing.stepped(legends);
    if (this.wanted && this.wanted !== time) return this.ask();
    this.answer(true);
  }

  /** What is wanted, of the rows as they are now. */
  async anew() {
    const there = await this.open();
    if (this.busy) return;
    if (there && this.wanted) this.ask();
    else this.answer(false);
  }

  /** @param {boolean} done */
  answer(done) {
    for (const hear of this.hearers.splice(0)) hear(done);
  }

  /** It rests: the server's pictures may come. They take the place of the steps when they are there (shown). */
  rest() {
    this.wanted = '';
    for (const side of this.over) this.mapOf(side)?.restOverdraw();
    this.answer(false);
  }

  /** The server's pictures are there. @param {'A' | 'B'} side */
  shown(side) {
    if (this.wanted) return;
    if (this.over.delete(side)) this.mapOf(side)?.endOverdraw();
    // What is compared no more is not shown any more, either.
    if (!this.over.size || !otherState(this.context.state.now)) this.stop();
  }

  stop() {
    this.on = false;
    this.drawn = '';
    this.wanted = '';
    for (const side of this.over) this.mapOf(side)?.endOverdraw();
    this.over.clear();
  }
}
