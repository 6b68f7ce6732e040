// @ts-check
// unitsteps.js - counts of units by day, and the classes that any period of them
// has: those that the server gives it (web/picture_units.c, tiles/picture/
// classes.c), so that what moves is what then rests. Pure.

import {CLASSES, breaksOf, general, rangesOf} from './breaks.js';

/* Steps of a ramp, dark and light; what has nothing; lines between units. */
const RAMPS = {
  warm: {dark: '2F2A6B 582C85 8A2F88 B83A7C DB5659 F0803C FBD56B', light: 'FCE9C6 FAD097 F7B267 EF8A4B DC6138 B23F2B 6E1E23'},
  cool: {dark: '1B3B4B 1F5363 236E7A 2F8A8C 55A59A 8DC0A6 C9DDBB', light: 'DCEFE6 BFE0D5 97CDC3 68B3AE 3F9496 26727A 17505C'},
};
const ZERO = {dark: '1F2C3D', light: 'E7E5E0'}, HATCH = {dark: '93A4BA', light: '5A6878'}, EDGE = {dark: '0B111B', light: 'FFFFFF'};
const FILL = 205, FILL_ZERO = 160, HATCHED = 100, EDGED = 200;
/** r | g << 8 | b << 16 | a << 24 @param {string} hex @param {number} a */
const packed = (hex, a) => ((a << 24) | (parseInt(hex.slice(4), 16) << 16) | (parseInt(hex.slice(2, 4), 16) << 8) | parseInt(hex.slice(0, 2), 16)) >>> 0;

/** Colours of n classes, as they are painted. @param {number} n @param {'dark' | 'light'} palette @param {'warm' | 'cool'} ramp */
export function coloursOf(n, palette, ramp) {
  const steps = RAMPS[ramp][palette].split(' '), last = CLASSES - 1;
  const fill = Array.from({length: n}, (_, i) => steps[n < 2 ? last / 2 : Math.floor((i * last + Math.floor((n - 1) / 2)) / (n - 1))]);
  return {hex: fill, fill: fill.map((hex) => packed(hex, FILL)), zero: packed(ZERO[palette], FILL_ZERO), hatch: packed(HATCH[palette], HATCHED), edge: packed(EDGE[palette], EDGED)};
}

/* Not classes: there is nothing; nothing is known. */
const ZERO_CLASS = -1, UNKNOWN_CLASS = -2;
/** @typedef {{of: Map<string, number>, scale: number, floor: number, area: boolean}} Per   what counts are divided by, of each unit: less than the floor is unknown, and where none is said, but for an area */

export class UnitSteps {
  /**
   * @param {{first: string | null, days: number, groups: {id: string | null, series: number[]}[]}} series of /stats, series=day
   * @param {{id: string | null, count?: number, sum?: number}[]} all of /stats, without filter and times: what legends are made of
   * @param {number} first days since 1970 of the series' first
   * @param {Per | null} [per] of rates
   */
  constructor(series, all, first, per = null) {
    const days = series.days, row = days + 1, known = new Map();
    for (const g of all) if (g.id !== null) known.set(g.id, g.sum ?? g.count ?? 0);
    // A unit where nothing ever was has a rate of nothing.
    for (const id of per?.of.keys() ?? []) if (!known.has(id)) known.set(id, 0);
    this.ids = /** @type {string[]} */ ([...known.keys()]);
    /** Of all times, without a filter. */
    this.whole = /** @type {number[]} */ ([...known.values()]);
    Object.assign(this, {first, days, all, per});
    this.divisors = per && this.ids.map((id) => {
      const n = per.of.get(id) ?? 0;
      return n > 0 && n >= per.floor ? n : NaN;
    });
    /* What came before each day, unit by unit; of all of them together. */
    this.before = new Float64Array(this.ids.length * row);
    this.beforeAll = new Float64Array(row);
    const index = new Map(this.ids.map((id, i) => [id, i]));
    for (const {id, series: counts} of series.groups) {
      const unit = id === null ? undefined : index.get(id);
      if (unit === undefined) continue;
      for (let d = 0; d < days; d++) {
        this.before[unit * row + d + 1] = this.before[unit * row + d] + counts[d];
        this.beforeAll[d + 1] += counts[d];
      }
    }
    for (let d = 0; d < days; d++) this.beforeAll[d + 1] += this.beforeAll[d];
  }

  /** Numbers of units, as rates if they are to be. @template {number[] | Float64Array} N @param {N} counts @returns {N} */
  rates(counts) {
    const {divisors, per} = this;
    return divisors && per ? /** @type {N} */ (counts.map((n, i) => n / divisors[i] * per.scale)) : counts;
  }

  /** Days of the series that lie in [from, to), days since 1970. */
  within(from, to) {
    const day = (d) => Math.max(0, Math.min(this.days, d - this.first));
    return {a: day(from), b: Math.max(day(from), day(to))};
  }

  /** What each unit has; NaN: nobody knows. @param {number} from @param {number} to */
  values(from, to) {
    const {a, b} = this.within(from, to), row = this.days + 1;
    return this.rates(Float64Array.from(this.ids, (_, unit) => this.before[unit * row + b] - this.before[unit * row + a]));
  }

  /** What all have together. @param {number} from @param {number} to */
  total(from, to) {
    const {a, b} = this.within(from, to);
    return this.beforeAll[b] - this.beforeAll[a];
  }

  /**
   * Classes of a period, by the legend of one with so much in all.
   * @param {Float64Array} values @param {number} total
   * @returns {{from: number[], of: Int8Array, zero: boolean, texts: string[], same: number | null}} of: ZERO_CLASS nothing, UNKNOWN_CLASS; same: all that there is is so much
   */
  classes(values, total) {
    const sum = this.whole.reduce((a, b) => a + b, 0), share = sum > 0 ? total / sum : 1, whole = this.rates(this.whole);
    return this.classesOf(values, whole.map((v) => v * share).filter((v) => v > 0).map((v) => (this.per ? v : Math.max(1, Math.round(v)))), whole);
  }

  /**
   * Classes of one of two periods that are compared: both have one legend, made of both.
   * @param {Float64Array} values @param {Float64Array} beside of the other one @param {[Float64Array, Float64Array] | null} held of which others it is made
   */
  sharedClasses(values, beside, held) {
    const [a, b] = held ?? [values, beside], classes = this.classesOf(values, [...a, ...b].filter((v) => v > 0), Array.from(beside));
    return {...classes, zero: classes.zero || beside.some((v) => v <= 0)};
  }

  /** @param {Float64Array} values @param {number[]} scale of which breaks are made @param {number[]} others that the legend is of, too */
  classesOf(values, scale, others) {
    const from = breaksOf(scale), of = new Int8Array(values.length), steps = from.length;
    let zero = false, least = from[0];
    for (const [i, value] of values.entries()) {
      let c = Number.isNaN(value) ? UNKNOWN_CLASS : value > 0 && steps ? 0 : ZERO_CLASS;
      while (c >= 0 && c + 1 < steps && value >= from[c + 1]) c++;
      zero ||= c === ZERO_CLASS;
      if (c === 0 && value < least) least = this.per ? value : 1;
      of[i] = c;
    }
    // The lowest holds what is below it, too, and says so.
    if (steps) from[0] = least;
    const same = steps === 1 && [...values, ...others].every((v) => !(v > 0) || v === from[0]) ? from[0] : null;
    return {from, of, zero, texts: rangesOf(from, !this.per), same};
  }

  /** What each unit is painted with, and one that is not listed. @param {{of: Int8Array}} classes @param {ReturnType<typeof coloursOf>} colours */
  paint({of}, {fill, zero}) {
    return {fill: Uint32Array.from(of, (c) => (c === UNKNOWN_CLASS ? 0 : c === ZERO_CLASS ? zero : fill[c])), zero: this.per && !this.per.area ? 0 : zero};
  }
}

/** Items of a legend, highest first. @param {ReturnType<UnitSteps['classesOf']>} classes @param {ReturnType<typeof coloursOf>} colours @param {any} legend that the server has: its hatches stay @param {(n: string) => string} all */
export function legendOfUnits({texts, zero, same}, colours, legend, all) {
  const item = (text, c) => ({text, form: 'area', color: `#${c.toString(16).slice(-6).replace(/(..)(..)(..)/, '$3$2$1')}`, opacity: (c >>> 24) / 255});
  return [...texts.map((text, i) => item(same === null ? text : all(general(same, 10)), colours.fill[i])).reverse(), ...zero ? [item('0', colours.zero)] : [], ...(legend?.items ?? []).filter((i) => i.form === 'hatch')];
}
