// @ts-check
// stepviews.js - what steps.js steps through: a field, units, points, each of
// one side of a comparison or of the only one: which legend a period has, and
// what is told to the worker that draws it. Pure.

import {legendOfUnits, coloursOf} from './unitsteps.js';

/* A moment of a period: days since 1970, [from, to); at: what half-lives are counted to. */
/** @typedef {{from: number, to: number, at: number}} Moment */
/** @typedef {{own: Moment, other: Moment | null}} Moments   other: of what the part is compared with */
/** @typedef {FieldView | UnitView | PointView} PartView */

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
 * Those moments of all so long within some days that have the most of something.
 * @param {{from: number, to: number}} days [from, to) @param {number} length days @param {(from: number) => Moments} momentsOf of a period that begins there @param {(moments: Moments) => number} much
 * @returns {Moments | null}
 */
export function busiest(days, length, momentsOf, much) {
  let most = -1, best = null;
  for (let from = days.from; from + length <= days.to; from++) {
    const moments = momentsOf(from), n = much(moments);
    if (n > most) [most, best] = [n, moments];
  }
  return best;
}

/** @param {{color: string, opacity: number}} step as a number, red lowest */
function colourOf({color, opacity}) {
  const rgb = parseInt(color.slice(1), 16);
  return ((Math.round(opacity * 255) << 24) | ((rgb & 255) << 16) | (rgb & 0xff00) | rgb >> 16) >>> 0;
}

/** A field that is stepped through. */
export class FieldView {
  /** @param {any} legend of all times, of side A @param {Map<number, number>} sums by day @param {{halfLife: number, template: string, focus?: number}} how   focus: of this side's own legend */
  constructor(legend, sums, {halfLife, template, focus = legend.focus ?? 1}) {
    Object.assign(this, {key: 'heat', legend, sums, halfLife, template, focus});
    /** The other side's. @type {FieldView | null} */
    this.other = null;
  }

  /** @param {Moment} moment */
  weight({from, to, at}) {
    return weightOf(this.sums, from, to, this.halfLife, at);
  }

  /** @param {Moments} moments */
  much({own, other}) {
    return this.weight(own) + (this.other && other ? this.other.weight(other) : 0);
  }

  /** What the legend is made of: of two sides the mean, but that one which has nothing says nothing. @param {Moments} moments */
  part({own, other}) {
    const a = this.weight(own), b = this.other && other ? this.other.weight(other) : 0;
    return a > 0 && b > 0 ? (a + b) / 2 : Math.max(a, b);
  }

  /** Of two sides the one whose rows lie closer together says how far the legend goes. */
  get closer() {
    return Math.max(this.focus, this.other?.focus ?? 0) / (this.legend.focus ?? 1);
  }

  /** @param {Moments} moments of which the legend is @param {number} heldDays how long the periods are that have it, 0: it is its own */
  legendOf(moments, heldDays) {
    const {legend} = this, part = this.part(moments), times = (part > 0 && legend.total > 0 ? part / legend.total : 1) * this.closer;
    return {...legend, steps: legend.steps.map((s) => ({...s, from: s.from * times})), most: (legend.most ?? 0) * times, scale: legend.scale * times, total: part, heldDays};
  }

  /** What the worker is told. @param {Moments} _ @param {Moments} basis of which the legend is @param {number} heldDays */
  step(_, basis, heldDays) {
    const legend = this.legendOf(basis, heldDays);
    return {legend, wish: {breaks: legend.steps.map((s) => s.from), colours: [0, ...legend.steps.map(colourOf)], lines: legend.form === 'lines'}};
  }
}

/* Lists of units that the worker was told of. */
let tokens = 0;

/** Units that are stepped through. */
export class UnitView {
  /** @param {import('./unitsteps.js').UnitSteps} units @param {any} legend of the state @param {{palette: 'dark' | 'light', ramp: 'warm' | 'cool', template: string, ratio: number, all: (n: string) => string}} how */
  constructor(units, legend, how) {
    Object.assign(this, {key: 'choropleth', units, legend, ...how, token: ++tokens, sent: false});
    /** @type {UnitView | null} */
    this.other = null;
  }

  /** @param {Moments} moments */
  much({own, other}) {
    return this.units.total(own.from, own.to) + (this.other && other ? this.other.units.total(other.from, other.to) : 0);
  }

  /** @param {Moments} moments @param {Moments} basis @param {number} heldDays */
  step({own, other}, basis, heldDays) {
    const {units, palette, ramp, ratio} = this, values = units.values(own.from, own.to), beside = this.other && other ? this.other.units.values(other.from, other.to) : null;
    const classes = beside ? units.sharedClasses(values, beside, !heldDays ? null : [units.values(basis.own.from, basis.own.to), this.other.units.values(basis.other.from, basis.other.to)])
      : units.classes(values, units.total(basis.own.from, basis.own.to));
    const colours = coloursOf(classes.from.length, palette, ramp), {fill, zero} = units.paint(classes, colours);
    return {legend: {...this.legend, items: legendOfUnits(classes, colours, this.legend, this.all), heldDays}, wish: {units: {token: this.token, ids: units.ids, fill, zero, edge: colours.edge, hatch: colours.hatch, ratio}}};
  }
}

/** Points that are stepped through: how large they are, and how opaque pixels that stand for many, follows from how many there are in all. */
export class PointView {
  /** @param {string} key @param {Map<number, number>} sums by day @param {any} legend of the state @param {string} template */
  constructor(key, sums, legend, template) {
    Object.assign(this, {key, sums, legend, template});
    /** Sides of a comparison have sizes of their own. @type {null} */
    this.other = null;
  }

  /** @param {Moments} moments */
  much({own: {from, to}}) {
    return weightOf(this.sums, from, to, 0, to);
  }

  /** @param {Moments} _ @param {Moments} basis @param {number} heldDays */
  step(_, basis, heldDays) {
    return {legend: {...this.legend, heldDays}, wish: {points: {count: this.much(basis)}}};
  }
}
