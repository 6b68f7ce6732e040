// @ts-check
// numbers.js - every number of the wall: what it counts, the question that it
// answers, and the rows behind it for whoever may open them. Pure.

import {AGES, hotspotsIn, usualDay} from './plan.js';
import {HIDDEN, count, date, daysOf, month as monthOf, percent, plus, say, title, usualOf} from './words.js';

/** @typedef {import('./words.js').Language} Language */
/** @typedef {import('./plan.js').Moment} Moment */
/**
 * @typedef {object} Entry
 * @property {string} text
 * @property {string} value   exact; ·: hidden, ?: unknown
 * @property {string} ask   the question
 * @property {string} [rows]   where its rows are opened; undefined: not for whoever looks
 * @property {number | null} [behind]   how many rows those are; undefined: the number is not of rows that one counts
 * @property {string} [sum]   the number is the sum of this column of the rows
 *
 * @typedef {object} Context
 * @property {any} part   of the plan
 * @property {import('./store.js').Store} store
 * @property {Language} lang
 * @property {() => Moment} now   what the panel shows
 * @property {(key: string) => string} urlOf   a question's address
 * @property {import('../names.js').Names} [names]   of units and values in the page's language; without them as the data has them
 */

/** 1,133,600 @param {number | null | undefined} n */
export const exactly = (n) => n === null ? HIDDEN : !Number.isFinite(n) ? '?' : String(Math.round(/** @type {number} */ (n))).replace(/\B(?=(\d{3})+$)/g, ',');

/** @param {any} answer @param {string} [sum] */
export const total = (answer, sum) => !answer ? NaN : answer.hidden ? null : sum ? answer.sum ?? 0 : answer.count;

/** Of an answer by a column: how many of a value. @param {any} answer @param {string} value @returns {number | null} */
export function countOf(answer, value) {
  const group = answer?.groups?.find((g) => g.id === value);
  return !answer ? NaN : group ? group.count : 0;
}

/** How many have not come to the loop's end. @param {any} status @param {any} part */
export const openOf = (status, part) => plus(part.steps.slice(0, part.steps.findIndex((s) => s.time === part.done)).map((s) => countOf(status, s.value)));

/** Of residents (or rows), who are within reach. @param {any} answer @returns {number | null | undefined} */
export function shareWithin(answer) {
  const near = answer?.near?.[answer.near.length - 1];
  return answer?.city?.[`sum_share_${near}`] ?? answer?.city?.[`share_${near}`];
}

/** Rows that are counted. @param {string} text @param {number | null | undefined} n @param {string} ask @param {string} [rows] @param {string} [sum] @returns {Entry} */
const counted = (text, n, ask, rows, sum) => ({text, value: exactly(n), ask, rows, behind: sum ? undefined : n, sum});

/** @param {{layer: string, sum?: string, key: string, rows?: string}} f @param {Context} c */
const figure = (f, {store, lang, urlOf}) => counted(title(lang, f), total(store.value(f.key), f.sum), urlOf(f.key), f.rows, f.sum);

/** What a group of an answer by units is called. @param {Context} c @param {string} level @param {any} g */
const unitOf = ({names}, level, g) => names && g.id !== null ? names.unit(level, g.id, g.name) : g.name ?? g.id ?? '?';
/** And of one by a column. @param {Context} c @param {string} layer @param {string} column @param {any} id */
const valueOf = ({names}, layer, column, id) => id === null ? '?' : names ? names.value(layer, column, id) : String(id);

/** @type {Record<string, (c: Context) => Entry[]>} */
const LISTS = {
  register: (c) => c.part.map((f) => figure(f, c)),
  service: (c) => {
    const {part, store, lang, urlOf} = c;
    return [...part.figures.map((f) => figure(f, c)), {text: say(lang, 'within', {n: part.minutes}), value: percent(shareWithin(store.value(part.reach))), ask: urlOf(part.reach), rows: part.reachRows}];
  },
  checks: ({part, store, lang, urlOf}) => {
    const share = store.value(part.share), month = part.latest(store.value(part.total));
    return [counted(say(lang, 'checks_sum'), store.value(part.total)?.sum, urlOf(part.total), part.rows, part.count),
      ...(month ? [counted(say(lang, 'workers_in', {m: monthOf(lang, month)}), share?.count, urlOf(part.share), part.monthRows(month)),
        {text: say(lang, 'workers_reach', {n: part.norm}), value: `${exactly(share?.share_count)} (${percent(share?.share)})`, ask: urlOf(part.share), rows: part.reachRows(month), behind: share?.share_count}] : [])];
  },
  loop: ({part, store, lang, now, urlOf}) => {
    const status = store.value(part.status), all = total(status), open = openOf(status, part), ended = all === null || open === null ? null : all - open;
    const hours = store.value(part.hours), day = hours && usualDay(hours.groups, now());
    return [counted(say(lang, 'reported'), all, urlOf(part.status), part.rows), counted(say(lang, 'resolved'), ended, urlOf(part.status), part.doneRows),
      {text: say(lang, 'rate'), value: ended === null || all === null ? HIDDEN : percent(ended / all), ask: urlOf(part.status), rows: part.doneRows, behind: ended},
      ...part.steps.map((s) => counted(lang === 'en' ? s.waits_en : s.waits, countOf(status, s.value), urlOf(part.status), s.rows)),
      ...(day ? [counted(`${date(lang, now().later(-1))} ${say(lang, 'reported')}`, day.sofar, urlOf(part.hours), part.todayRows(now())),
        {text: lang === 'en' ? daysOf(lang, day.weekday, day.days) : `${usualOf(lang, day.weekday)} · ${say(lang, 'days_of', {n: day.days})}`, value: exactly(day.usual), ask: urlOf(part.hours), rows: part.usualRows(now(), day.back), behind: day.counted}] : [])];
  },
  open: (c) => {
    const {part, store, lang, now, urlOf} = c, called = (id) => valueOf(c, part.layer, part.by, id);
    const status = store.value(part.status), ages = part.ages.map((k) => store.value(k)), overdue = store.value(part.overdue), rows = part.ageRows(now());
    return [counted(say(lang, 'open'), openOf(status, part), urlOf(part.status), part.openRows), ...(part.overdue ? [counted(say(lang, 'late'), total(overdue), urlOf(part.overdue), part.lateRows(now()))] : []),
      ...part.ages.map((k, i) => counted(say(lang, /** @type {any} */ (`age${i}`)), total(ages[i]), urlOf(k), rows[i])),
      ...departments(part, store).flatMap(({id, parts, late}) => [counted(called(id), plus(parts), urlOf(part.ages[0]), part.byRows(id)),
        ...(part.overdue ? [counted(`${called(id)} · ${say(lang, 'late')}`, late, urlOf(part.overdue), part.lateRows(now(), id))] : [])])];
  },
  patrol: patrols,
  premises: patrols,
  participation: (c) => c.part.flatMap((f) => [figure(f, c), ...(c.store.value(f.groups)?.groups ?? []).filter((g) => g.id !== null)
    .map((g) => counted((c.lang !== 'en' && f.titles?.[g.id]) || valueOf(c, f.layer, f.by, g.id), g.count, c.urlOf(f.groups), f.groupRows(g.id)))]),
  sources: ({part, lang}) => part.layers.filter((l) => l.rows).map((l) => counted(title(lang, l), l.rows, '/catalog', l.rowsLink)),
  ranking: (c) => {
    const {part, store, lang, now, urlOf} = c, inTime = store.value(part.inTime), named = (g) => unitOf(c, part.by, g);
    return (inTime?.groups ?? []).filter((g) => g.id !== null).flatMap((g) => [
      {text: `${named(g)} · ${say(lang, 'in_time')}`, value: g.hidden ? HIDDEN : Number.isFinite(g.share) ? `${percent(g.share)} (${percent(g.share_low)}–${percent(g.share_high)})` : '–', ask: urlOf(part.inTime), rows: part.dueRows(now(), g.id), behind: g.hidden ? null : g.count},
      ...part.per.map((x) => {
        const rate = store.value(x.key)?.groups.find((r) => r.id === g.id), of = (v) => (v * x.scale / x.of).toFixed(1);
        return {text: `${named(g)} · ${title(lang, x)}${x.windowed ? ` · ${monthOf(lang, x.time(now()))}` : ''}`, value: !rate ? '?' : rate.hidden ? HIDDEN : Number.isFinite(rate.rate) ? `${of(rate.rate)} (${of(rate.rate_low)}–${of(rate.rate_high)})` : '?', ask: urlOf(x.key), rows: x.rows(now(), g.id), behind: rate?.hidden ? null : rate?.count};
      })]);
  },
  map: (c) => {
    const {part, store, lang, now, urlOf} = c, serious = part.hazards && store.value(part.hazards.total), tour = part.tour && store.value(part.tour.key);
    return [...(serious?.groups ?? []).filter((g) => g.id !== null).sort((a, b) => Number(b.id) - Number(a.id))
      .map((g) => counted(`${say(lang, 'serious_open')} · ${gradeName(lang, g.id)}`, g.count, urlOf(part.hazards.total), part.hazards.gradeRows(g.id))),
    ...(tour ? [{text: `${say(lang, 'hotspots')} · ${say(lang, 'last_days', {n: part.tour.days})}`, value: exactly(hotspotsIn(tour)), ask: urlOf(part.tour.key), rows: part.tour.spots(now())}] : []),
    ...(tour?.features ?? []).map(({properties: p}) => counted([p.town && c.names ? c.names.unit(part.levels[0].level, null, p.town) : p.town, unitOf(c, tour.units, p)].filter((n) => n).join(' '), p.count, urlOf(part.tour.key), part.tour.unitRows(now(), tour.units, p.id))),
    ...(store.value(part.crew)?.groups ?? []).filter((g) => g.id !== null).map((g) => counted(`${unitOf(c, part.levels[0].level, g)} · ${say(lang, 'crew')}`, g.hidden ? null : g.count, urlOf(part.crew), part.crewRows(g.id)))];
  },
};

/** A grade of risk in words. @param {Language} lang @param {string | number} id */
export const gradeName = (lang, id) => ({1: say(lang, 'low'), 2: say(lang, 'moderate'), 3: say(lang, 'serious'), 4: say(lang, 'high')})[id] ?? String(id);

/** What is open, by whose it is: those that have most first. @param {any} part @param {import('./store.js').Store} store @returns {{id: string | null, parts: (number | null)[], late: number | null}[]} */
export function departments(part, store) {
  const ages = part.ages.map((k) => store.value(k)), overdue = store.value(part.overdue);
  if (!ages.every((a) => a)) return [];
  /** @type {Map<string | null, (number | null)[]>} */
  const rows = new Map();
  ages.forEach((a, i) => a.groups.forEach((g) => {
    if (!rows.has(g.id)) rows.set(g.id, AGES.map(() => 0));
    /** @type {any} */ (rows.get(g.id))[i] = g.count;
  }));
  return [...rows].sort((a, b) => (plus(b[1]) ?? 0) - (plus(a[1]) ?? 0)).map(([id, parts]) => ({id, parts, late: countOf(overdue, /** @type {any} */ (id))}));
}

/** Levels of a register, in their order. @param {any} part @param {any} answer */
export const levelsIn = (part, answer) => answer.rows.filter((r) => r.layer === part.layer && r.level !== null).sort((a, b) => part.order.indexOf(a.level) - part.order.indexOf(b.level));

/** Visits that are due and made, and how many are late or cannot be judged. @param {Context} c @returns {Entry[]} */
function patrols({part, store, lang, urlOf, names}) {
  const answer = store.value('patrol'), {unit} = part;
  if (!answer) return [];
  const period = {m: monthOf(lang, answer.from ?? '')}, name = (r) => (lang !== 'en' && part.titles[r.level]) || (names && part.graded ? names.value(part.layer, part.graded, r.level) : r.level);
  const levels = levelsIn(part, answer);
  const cell = (r, words, n, state, sum) => counted(`${name(r)} · ${say(lang, words, {unit, ...period})}`, n, urlOf('patrol'), part.levelRows(r.level, state), sum);
  return [counted(title(lang, part), total(store.value(part.total)), urlOf(part.total), part.rows),
    ...levels.flatMap((r) => [cell(r, 'due_is', r.due, 'due', 'due'), cell(r, 'done_is', r.done, 'visited', 'done'), cell(r, 'overdue_is', r.overdue, 'overdue'), cell(r, 'unknown_is', r.unjudged, 'unjudged')])];
}

const ofPatrols = (key) => key === 'patrol' || key.startsWith('houses:');
/** Keys of the questions that a panel shows. @type {Record<string, (key: string) => boolean>} */
export const HEARS = {
  register: (k) => k.startsWith('register:'), service: (k) => k.startsWith('service:') || k === 'reach', checks: (k) => k.startsWith('checks'),
  loop: (k) => k === 'status' || k === 'hours', open: (k) => k === 'status' || k === 'overdue' || k.startsWith('age:'),
  patrol: ofPatrols, premises: ofPatrols, participation: (k) => /^(participation|by|days):/.test(k),
  ranking: (k) => k === 'in-time' || k.startsWith('per:'), sources: (k) => k === 'clock', map: (k) => k === 'serious' || k === 'tour' || k === 'crew',
};

/** All numbers of a panel, or of the map. @param {string} key @param {Context} context @returns {Entry[]} */
export const numbersOf = (key, context) => LISTS[key]?.(context) ?? [];
