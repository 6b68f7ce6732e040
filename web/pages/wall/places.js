// @ts-check
// places.js - where the tour may go: significant units, those that lie together
// and are as old as one place, and what is said of it. Pure.

import {count, say} from './words.js';

/** @typedef {import('./words.js').Language} Language */
/**
 * @typedef {object} Spot   a place: its first unit gives the name
 * @property {string} id
 * @property {string[]} ids   of all of its units
 * @property {any[]} features
 * @property {boolean} fresh   not significant a step before
 * @property {number} rank   the most significant is 0
 */

/** Times the mean that is told as more than it: what is only beside a hot place is no place of its own. */
const OWN_LEAST = 1.05;
/** Units of one place: more are several places, or the map would show them from too far. */
const TOGETHER_MOST = 8;

/** Corners of a unit, those that it shares with its neighbours letter by letter. @param {any} geometry */
const cornersOf = (geometry) => (geometry.type === 'Polygon' ? geometry.coordinates : geometry.coordinates.flat()).flat().map(String);

/**
 * @param {any[]} features   significant units, the most significant first
 * @returns {Spot[]} in their order
 */
export function spotsOf(features) {
  const left = new Set(features.filter((f) => !(f.properties.ratio < OWN_LEAST)));
  /** @type {Map<string, any[]>} */
  const at = new Map(), keysOf = (f) => cornersOf(f.geometry).map((corner) => `${!!f.properties.new} ${corner}`);
  for (const f of left) for (const key of keysOf(f)) at.set(key, [...(at.get(key) ?? []), f]);
  const spots = [];
  for (const first of left) {
    left.delete(first);
    const list = [first];
    for (const f of list)
      for (const other of keysOf(f).flatMap((key) => at.get(key) ?? []))
        if (list.length < TOGETHER_MOST && left.delete(other)) list.push(other);
    // Named after the unit that has most beyond what is expected of it.
    const excess = (f) => f.properties.count - f.properties.expected;
    list.sort((x, y) => excess(y) - excess(x));
    spots.push({id: list[0].properties.id, ids: list.map((f) => f.properties.id), features: list, fresh: !!first.properties.new, rank: features.indexOf(first)});
  }
  return spots;
}

/** A box around all units of a place. @param {Spot} spot @param {(geometry: any) => number[]} boundsOf */
export const aroundOf = (spot, boundsOf) => spot.features.map((f) => boundsOf(f.geometry))
  .reduce((a, b) => [Math.min(a[0], b[0]), Math.min(a[1], b[1]), Math.max(a[2], b[2]), Math.max(a[3], b[3])]);

/** 1,306 or 1306, as the language writes it; of less than ten a digit more. @param {Language} lang @param {number} n */
const about = (lang, n) => (n < 9.5 && n % 1 ? n.toFixed(1) : lang === 'en' ? String(Math.round(n)).replace(/\B(?=(\d{3})+$)/g, ',') : count(lang, n));

/** Steps in words; of others days are told. */
const STEPS = {day: {days: 1, of: ['天', 'day'], now: ['今日', 'today']}, week: {days: 7, of: ['周', 'week'], now: ['本周', 'this week']}, month: {days: 30.44, of: ['个月', 'month'], now: ['本月', 'this month']}};

/** Since when it is significant, in words. @param {Language} lang @param {any} answer @param {any} p */
function sinceOf(lang, answer, p) {
  const step = STEPS[answer.step], days = step?.days ?? Number(answer.step), en = lang === 'en' ? 1 : 0;
  if (!p.since || !(days > 0)) return '';
  if (p.new) return en ? `new ${step?.now[1] ?? `within ${days} days`}` : `${step?.now[0] ?? `${days}天内`}新出现`;
  const steps = Math.max(1, Math.round((Date.parse(answer.to) - Date.parse(p.since)) / 864e5 / days)), n = step ? steps : steps * days, of = (step ?? STEPS.day).of[en];
  const open = steps > answer.looks_back;
  return en ? `for ${n} ${of}${n === 1 ? '' : 's'}${open ? ' or more' : ''}` : `已持续${n}${of}${open ? '或更久' : ''}`;
}

/**
 * One true sentence: how many in what time, how many were expected, how sure it
 * is, since when.
 * @param {Language} lang @param {Spot} spot @param {any} answer   of /hotspots
 * @param {{happened: string, unit: string, compared: string}} words   "上报", "宗", what `per` is called
 */
export function sentenceOf(lang, spot, answer, {happened, unit, compared}) {
  const list = spot.features.map((f) => f.properties), sum = (read) => list.reduce((all, p) => all + read(p), 0), n = sum((p) => p.count), expected = sum((p) => p.expected);
  const days = Math.round((Date.parse(answer.to) - Date.parse(answer.from)) / 864e5), sure = Math.min(...list.map((p) => Math.abs(p.bin))) > 2 ? 99 : 95;
  const by = say(lang, answer.per === 'area' ? 'by_density' : answer.per ? 'by_exposure' : 'by_mean', {p: compared}), beside = list.some((p) => p.neighbours > 0);
  const since = sinceOf(lang, answer, list[0]);
  // Numbers that are not for who looks: what the server says of it.
  if (!list.every((p) => Number.isFinite(p.count) && Number.isFinite(p.expected))) return String((lang === 'en' ? list[0].text_en : list[0].text) ?? '');
  return lang === 'en'
    ? `${about(lang, n)} ${unit} in ${days} day${days === 1 ? '' : 's'}, ${about(lang, expected)} expected ${by}; ${beside ? 'together with its neighbours ' : ''}significant at ${sure} %${since && `, ${since}`}.`
    : `近${days}天${happened}${about(lang, n)}${unit},${by}应有${about(lang, expected)}${unit};${beside ? '连同邻格' : ''}显著,置信度${sure}%${since && `,${since}`}。`;
}

/**
 * What is known of a unit: what is open and grave there, who works there, what
 * is significant in it. What is undefined is not said.
 * @param {Language} lang @param {{open?: number, unit?: string, crew?: number, days?: number, hot?: number, fresh?: number}} of
 */
export function unitSentence(lang, {open, unit = '', crew, days, hot, fresh}) {
  const en = lang === 'en', comma = en ? ', ' : ',', first = [];
  if (open !== undefined) first.push(en ? `${count(lang, open, 1e6)} serious or high ${open === 1 ? 'hazard is' : 'hazards are'} open` : `${say(lang, 'serious_open')}${count(lang, open, 1e6)}${unit}`);
  if (crew !== undefined) first.push(en ? `${count(lang, crew)} ${crew === 1 ? 'worker' : 'workers'}` : `${count(lang, crew)}${say(lang, 'workers')}`);
  const said = first.length ? [first.join(comma)] : [];
  if (hot !== undefined) said.push(hot ? `${say(lang, hot === 1 ? 'hot_one' : 'hot_many', {d: days, n: hot})}${comma}${fresh ? say(lang, 'new_ones', {n: fresh}) : say(lang, 'no_new')}` : say(lang, 'quiet', {n: days}));
  return said.map((part) => part + (en ? '.' : '。')).join(en ? ' ' : '');
}
