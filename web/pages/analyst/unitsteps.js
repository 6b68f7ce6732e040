// @ts-check
// unitsteps.js - counts of units by day, and the classes that any period of them
// has: those that the server gives it (web/picture_units.c, tiles/picture/
// classes.c), so that what moves is what then rests. Pure.

/* Steps of a ramp, dark and light; what has nothing; lines between units. */
const RAMPS = {
  warm: {dark: '2F2A6B 582C85 8A2F88 B83A7C DB5659 F0803C FBD56B', light: 'FCE9C6 FAD097 F7B267 EF8A4B DC6138 B23F2B 6E1E23'},
  cool: {dark: '1B3B4B 1F5363 236E7A 2F8A8C 55A59A 8DC0A6 C9DDBB', light: 'DCEFE6 BFE0D5 97CDC3 68B3AE 3F9496 26727A 17505C'},
};
const ZERO = {dark: '1F2C3D', light: 'E7E5E0'}, HATCH = {dark: '93A4BA', light: '5A6878'}, EDGE = {dark: '0B111B', light: 'FFFFFF'};
const FILL = 205, FILL_ZERO = 160, HATCHED = 100, EDGED = 200;
/** Classes at most. */
export const CLASSES = 7;

/** r | g << 8 | b << 16 | a << 24 @param {string} hex @param {number} a */
const packed = (hex, a) => ((a << 24) | (parseInt(hex.slice(4), 16) << 16) | (parseInt(hex.slice(2, 4), 16) << 8) | parseInt(hex.slice(0, 2), 16)) >>> 0;

/** Colours of n classes, as they are painted. @param {number} n @param {'dark' | 'light'} palette @param {'warm' | 'cool'} ramp */
export function coloursOf(n, palette, ramp) {
  const steps = RAMPS[ramp][palette].split(' '), last = CLASSES - 1;
  const fill = Array.from({length: n}, (_, i) => steps[n < 2 ? last / 2 : Math.floor((i * last + Math.floor((n - 1) / 2)) / (n - 1))]);
  return {hex: fill, fill: fill.map((hex) => packed(hex, FILL)), zero: packed(ZERO[palette], FILL_ZERO), hatch: packed(HATCH[palette], HATCHED), edge: packed(EDGE[palette], EDGED)};
}

/** A whole number with so many digits, halves to the even one. @param {number} value @param {number} digits */
function rounded(value, digits) {
  const drop = String(value).length - digits;
  if (drop <= 0) return value;
  const n = BigInt(value), p = 10n ** BigInt(drop), q = n / p, r = 2n * (n % p);
  return Number((r > p || (r === p && q % 2n === 1n) ? q + 1n : q) * p);
}

/** The first of sorted values that is not below `at`. @param {ArrayLike<number>} values @param {number} at */
export function firstFrom(values, at) {
  let low = 0, high = values.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (values[middle] < at) low = middle + 1;
    else high = middle;
  }
  return low;
}

/**
 * Where classes begin that have about as many whole numbers each.
 * @param {number[]} list in any order, each 1 or more @returns {number[]} rising, CLASSES at most
 */
export function breaksOf(list) {
  const values = Float64Array.from(list).sort(), count = values.length, exact = [];
  if (!count) return [];
  exact.push(values[0]);
  for (let i = 1, at = 0; i < CLASSES; i++) {
    at += (count - at) / (CLASSES - i + 1);
    let k = Math.floor(at + 1e-9);
    if (k < count && values[k] <= exact.at(-1)) {
      k = firstFrom(values, exact.at(-1) + 1);
      at = k;
    }
    if (k >= count) break;
    exact.push(values[k]);
  }
  for (let digits = 2; digits <= 17; digits++) {
    const from = exact.map((v, i) => (i ? rounded(v, digits) : v));
    let before = 0;
    if (from.every((v, i) => {
      if (!i) return true;
      const k = firstFrom(values, v), apart = v > from[i - 1] && k > before && k < count;
      before = k;
      return apart;
    })) return from;
  }
  return exact;
}

/** What a class holds, in words. @param {number[]} from @param {number} i */
const rangeOf = (from, i) => (i + 1 === from.length ? `≥${from[i]}` : from[i + 1] - 1 === from[i] ? String(from[i]) : `${from[i]}–${from[i + 1] - 1}`);

export class UnitSteps {
  /**
   * @param {{first: string | null, days: number, groups: {id: string | null, series: number[]}[]}} series of /stats, series=day
   * @param {{id: string | null, count?: number, sum?: number}[]} all of /stats, without filter and times: what legends are made of
   * @param {number} first days since 1970 of the series' first
   */
  constructor(series, all, first) {
    const units = all.filter((g) => g.id !== null), days = series.days, row = days + 1;
    this.ids = units.map((g) => /** @type {string} */ (g.id));
    /** Of all times, without a filter. */
    this.whole = units.map((g) => g.sum ?? g.count ?? 0);
    Object.assign(this, {first, days});
    /* What came before each day, unit by unit; of all of them together. */
    this.before = new Float64Array(units.length * row);
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

  /** Days of the series that lie in [from, to), days since 1970. */
  within(from, to) {
    const day = (d) => Math.max(0, Math.min(this.days, d - this.first));
    return {a: day(from), b: Math.max(day(from), day(to))};
  }

  /** What each unit has. @param {number} from @param {number} to */
  values(from, to) {
    const {a, b} = this.within(from, to), row = this.days + 1;
    return Float64Array.from(this.ids, (_, unit) => this.before[unit * row + b] - this.before[unit * row + a]);
  }

  /** What all have together. @param {number} from @param {number} to */
  total(from, to) {
    const {a, b} = this.within(from, to);
    return this.beforeAll[b] - this.beforeAll[a];
  }

  /** The most of any period so long within some days. @param {number} length days @param {{from: number, to: number}} range [from, to) */
  most(length, {from, to}) {
    let most = 0;
    for (let day = from; day + length <= to; day++) most = Math.max(most, this.total(day, day + length));
    return most;
  }

  /**
   * Classes of a period, by the legend of one with so much in all.
   * @param {ArrayLike<number>} values @param {number} total
   * @returns {{from: number[], of: Int8Array, zero: boolean, texts: string[], same: number | null}} of: -1 nothing; same: all that there is is so much
   */
  classes(values, total) {
    const {whole} = this, sum = whole.reduce((a, b) => a + b, 0), share = sum > 0 ? total / sum : 1;
    const scaled = whole.map((v) => v * share).filter((v) => v > 0).map((v) => Math.max(1, Math.round(v))), from = breaksOf(scaled), of = new Int8Array(values.length);
    let zero = false, low = false;
    for (let i = 0; i < values.length; i++) {
      let c = values[i] > 0 && from.length ? 0 : -1;
      while (c >= 0 && c + 1 < from.length && values[i] >= from[c + 1]) c++;
      zero ||= c < 0;
      low ||= c === 0 && values[i] < from[0];
      of[i] = c;
    }
    // The lowest holds what is below it, too, and says so.
    if (low) from[0] = 1;
    const same = from.length === 1 && [...Array.from(values), ...whole].every((v) => v <= 0 || v === from[0]) ? from[0] : null;
    return {from, of, zero, texts: from.map((_, i) => rangeOf(from, i)), same};
  }
}
