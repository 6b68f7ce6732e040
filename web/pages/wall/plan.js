// @ts-check
// plan.js - what a city's wall shows: its catalog made into questions to
// documented addresses. What a city does not say is left out. Pure.

/**
 * @typedef {{title: string, title_en?: string}} Named
 * @typedef {Named & {layer: string, sum?: string, filter?: string, unit?: string, unit_en?: string, by?: string, titles?: Record<string, string>}} Figure
 * @typedef {Named & {name: string, rows: number, geometry: string, unit_level?: string, as_of?: string, rhythm?: string, department?: string, personal?: boolean,
 *   picture_titles?: Record<string, string>, picture_colours?: Record<string, string>, counted?: string,
 *   time?: string | null, rows_withheld?: boolean, columns_withheld?: boolean}} Layer   withheld: from whoever looks; time: a column
 * @typedef {object} Catalog
 * @property {string} title
 * @property {boolean} synthetic
 * @property {string} [as_of]
 * @property {Layer[]} layers
 * @property {any} [wall]
 * @property {any} [duty]
 * @property {any} [service]
 * @property {any} [exposures]
 * @property {Named[]} [awaited]
 * @property {{name: string, title: string, layer?: string, kind: string}[]} maps
 *
 * @typedef {object} Question
 * @property {string} key
 * @property {(now: Moment) => string} url
 * @property {string[]} layers   whose changes it hears; none: only the clock's
 * @property {number} restMs   at least so long between two askings
 * @property {boolean} [timed]   another answer at another time
 */

/** @typedef {(q: {layer: string, filter?: string, time?: string, sort?: string}) => string | undefined} RowsOf   undefined: not for whoever looks */

/** The panels: how tall they are in units of 1/54 of the wall, at least where screens are small, and on which side. */
export const BLOCKS = [
  {key: 'register', tall: 11, least: 8.2, side: 'left'},
  {key: 'service', tall: 8.4, least: 7.3, side: 'left'},
  {key: 'checks', tall: 9.4, least: 7.6, grows: 0.5, side: 'left'},
  {key: 'ranking', tall: 11.4, least: 8.4, grows: 1.5, side: 'left'},
  {key: 'sources', tall: 11.8, least: 8.4, grows: 0.3, side: 'left'},
  {key: 'loop', tall: 16.4, least: 14.2, grows: 2, side: 'right'},
  {key: 'open', tall: 9.4, least: 7.4, grows: 1, side: 'right'},
  {key: 'patrol', tall: 9.6, least: 8.6, side: 'right'},
  {key: 'premises', tall: 9.6, least: 8.6, side: 'right'},
  {key: 'participation', tall: 7.2, grows: 1, side: 'right'},
];
/** Panels by the key that enlarges them. */
export const NUMBERED = {1: ['register'], 2: ['loop', 'open'], 3: ['patrol'], 4: ['premises'], 5: ['checks'], 6: ['participation'], 7: ['service'], 8: ['sources'], 9: ['ranking']};

/** Milliseconds between two askings of what costs little, some, much. */
const LIGHT_MS = 5000, MEDIUM_MS = 30000, HEAVY_MS = 300000;
const DAY_MS = 864e5;
/** Days that the usual day is of, and that rates look back. */
export const USUAL_DAYS = 28;

/** Significant units that are outlined: more than a city has that is not hot all over. */
const HOTSPOTS_MOST = 300;
/** How many units of an answer are hot at 95 % or more; those that were not sent too. */
export const hotspotsIn = (answer) => (answer.hot?.['99'] ?? 0) + (answer.hot?.['95'] ?? 0);

/** Days in which a report loses half of its weight in the field of a replay. */
const REPLAY_HALFLIFE = 0.25;

/** Ages of what is open: upper ends in days. */
export const AGES = [1, 7, 30, Infinity];

/** A moment of the city, kept in the zone that it is written in. */
export class Moment {
  /** @param {string} iso with an offset */
  constructor(iso) {
    this.zoneMs = offsetOf(iso);
    this.utcMs = Date.parse(iso);
  }
  /** @param {number} ms */
  later(ms) {
    const m = Object.create(Moment.prototype);
    return Object.assign(m, {zoneMs: this.zoneMs, utcMs: this.utcMs + ms});
  }
  /** 2023-06-26 in the city; midnight is the end of a day. */
  get day() {
    return new Date(this.utcMs - 1 + this.zoneMs).toISOString().slice(0, 10);
  }
  /** Start of that day, UTC ms. */
  get dayStartMs() {
    return Date.parse(`${this.day}T00:00:00Z`) - this.zoneMs;
  }
  /** @param {number} [stepMs] down to a step, so that askings a moment apart are one question */
  iso(stepMs = 1000) {
    return new Date(Math.floor(this.utcMs / stepMs) * stepMs).toISOString().slice(0, 19) + 'Z';
  }
  /** 14:05:31 or 6月26日 14:05 in the city. */
  get clock() {
    return new Date(this.utcMs + this.zoneMs).toISOString().slice(11, 19);
  }
  get date() {
    const text = new Date(this.utcMs + this.zoneMs).toISOString();
    return {year: +text.slice(0, 4), month: +text.slice(5, 7), day: +text.slice(8, 10)};
  }
}

/** @param {string} iso */
function offsetOf(iso) {
  const m = /([+-])(\d\d):(\d\d)$/.exec(iso);
  return m ? (m[1] === '-' ? -1 : 1) * (Number(m[2]) * 60 + Number(m[3])) * 60000 : 0;
}

/** @param {string} path @param {Record<string, string | number | undefined>} params */
export function address(path, params) {
  const search = Object.entries(params).filter(([, v]) => v !== undefined && v !== '')
    .map(([k, v]) => `${k}=${encodeURIComponent(String(v))}`).join('&');
  return search ? `${path}?${search}` : path;
}

/** @param {...any} parts   what is not is left out */
const and = (...parts) => parts.filter((p) => p).map((p) => `(${p})`).join(' AND ');
const is = (column, text) => `${column} = '${String(text).replaceAll("'", "''")}'`;
/** A group of an answer: of a column of numbers, or of texts; null: of none. */
const same = (column, id) => id === null ? `${column} IS NULL` : String(id).trim() !== '' && Number.isFinite(Number(id)) ? `${column} = ${id}` : is(column, id);
const at = (moment) => `TIMESTAMP('${moment.iso(60000)}')`;

/** The analyst's page in a state. @param {string} lang @param {Record<string, string | undefined>} state */
const analystOf = (lang, state) => `/analyst?lang=${lang}#${new URLSearchParams(Object.entries(state).filter(([, v]) => v).map(([k, v]) => [k, String(v)]))}`;
/** Where the rows of a number are opened: the analyst's page, with them beside the map. @param {string} lang @param {{layer: string, filter?: string, time?: string, sort?: string}} q */
const addressOf = (lang, {layer, filter, time, sort}) => analystOf(lang, {layer, layers: layer, filter, time, table: 'rows', pane: 'table', sort});
/** Where a list is read and printed. @param {string} lang @param {string} list   its address */
const sheetOf = (lang, list) => address('/sheet', {list, lang: lang === 'en' ? 'en' : undefined});

/**
 * @param {Catalog} catalog @param {string} [area]   the one unit that there is, '' for a city of several @param {string} [lang]   of the pages that links lead to
 * @returns {{questions: Question[], parts: any}}
 */
export function plan(catalog, area = '', lang = 'zh-CN') {
  const wall = catalog.wall ?? {}, duty = catalog.duty ?? {};
  const layer = (name) => catalog.layers.find((l) => l.name === name);
  /** @type {RowsOf} */
  const rowsOf = (q) => {
    const about = layer(q.layer), sort = q.sort ?? (about?.time ? `-${about.time}` : about?.unit_level ? 'id' : undefined);
    if (!about || about.rows_withheld) return undefined;
    // The analyst's page asks about points; what has shapes is listed.
    return about.geometry === 'point' ? addressOf(lang, {...q, sort}) : sheetOf(lang, address(`/collections/${encodeURIComponent(q.layer)}/items`, {filter: q.filter, datetime: q.time, sortby: sort}));
  };
  const tableOf = (state) => analystOf(lang, state);
  const has = (name) => !!name && (layer(name)?.rows ?? 0) > 0;
  /** @type {Question[]} */
  const questions = [];
  const ask = (key, url, layers, restMs = LIGHT_MS, timed = false) => {
    questions.push({key, url: typeof url === 'function' ? url : () => url, layers, restMs, timed});
    return key;
  };
  const named = (f) => ({...f, title: f.title ?? layer(f.layer).title, title_en: f.title_en ?? layer(f.layer).title_en ?? f.layer});
  // Of a sum the rows that something is added of, the most first.
  const summed = (f) => f.sum && !layer(f.layer)?.columns_withheld ? {...f, filter: and(f.filter, `${f.sum} > 0`), sort: `-${f.sum}`} : f;
  const figure = (f, prefix) => ({...named(f), rows: rowsOf(summed(f)), key: ask(`${prefix}:${f.layer}:${f.sum ?? ''}:${f.filter ?? ''}`,
    address(`/stats/${f.layer}`, {sum: f.sum, filter: f.filter}), [f.layer])});
  const figures = (list, prefix) => (list ?? []).filter((f) => has(f.layer)).map((f) => figure(f, prefix));

  // The sentence waits for its places.
  const map = planMap(catalog, has, ask, rowsOf, tableOf);
  const register = figures(wall.register ?? catalog.layers.filter((l) => l.geometry !== 'line').map((l) => ({layer: l.name})).slice(0, 8), 'register');

  const loop = has(wall.loop?.layer) ? planLoop(wall.loop, ask, rowsOf) : null;
  const visits = duty.visits?.layer;
  const [patrol, premises] = (duty.targets ?? []).filter((t) => has(t.layer)).slice(0, 2).map((t) => planPatrol(t, {...layer(t.layer), unit: wall.patrol?.units?.[t.layer]}, named(t), ask, rowsOf, lang));
  if (patrol && has(visits)) ask('patrol', '/coverage/patrol?by=level', [visits, ...duty.targets.map((t) => t.layer)], MEDIUM_MS, true);

  const checks = has(duty.checks?.layer) ? planChecks(duty.checks, ask, rowsOf) : null;
  const participation = figures(wall.participation, 'participation').map((f) => ({...f,
    groupRows: (id) => rowsOf({layer: f.layer, filter: is(f.by, id)}),
    groups: f.by ? ask(`by:${f.layer}:${f.by}`, address(`/stats/${f.layer}`, {by: f.by}), [f.layer], MEDIUM_MS) : null,
    days: ask(`days:${f.layer}`, (now) => address(`/stats/${f.layer}`, {by: 'day', datetime: lastDays(now, USUAL_DAYS - 1)}), [f.layer], MEDIUM_MS, true)}));

  const middle = catalog.layers.filter((l) => l.unit_level).sort((x, y) => x.rows - y.rows)[1];
  const service = has(catalog.service?.layer) ? {figures: figures(wall.service ?? [{layer: catalog.service.layer}], 'service'),
    minutes: catalog.service.minutes ?? 10,
    // By units, where residents may be added up for less than the whole city.
    reachRows: layer(catalog.service.population?.layer)?.columns_withheld || layer(catalog.service.population?.layer)?.rows_withheld ? undefined
      : tableOf({layer: catalog.service.layer, layers: 'coverage', coverage: 'service', units: middle?.unit_level, table: 'coverage'}),
    reach: ask('reach', '/coverage/service', [catalog.service.layer, catalog.service.population?.layer, catalog.service.roads?.layer].filter((n) => n), HEAVY_MS)} : null;

  const ranking = has(wall.ranking?.layer) ? {...planRanking(wall.ranking, catalog, ask, rowsOf), area} : null;
  return {questions, parts: {register, loop, patrol, premises, checks, participation, service, ranking, map,
    sources: {...wall.sources, layers: catalog.layers.map((l) => Object.assign(l, {rowsLink: rowsOf({layer: l.name})})), awaited: [...(catalog.awaited ?? []), ...catalog.layers.filter((l) => !l.rows)]}}};
}

/** Days before today and today, as FROM/TO. @param {Moment} now @param {number} days */
export function lastDays(now, days) {
  const first = new Date(Date.parse(`${now.day}T00:00:00Z`) - days * DAY_MS).toISOString().slice(0, 10);
  return `${first}/${now.day}`;
}

/** Where the last whole day ends. @param {Moment} now */
const wholeEnd = (now) => now.utcMs - now.dayStartMs < DAY_MS ? now.later(now.dayStartMs - now.utcMs) : now;

/** The last whole days, as FROM/TO: what has begun would make a rate fall at midnight. @param {Moment} now @param {number} days */
export const wholeDays = (now, days) => lastDays(wholeEnd(now), days - 1);

/** The last whole month, as FROM/TO: what single persons did is told by whole months only, to everybody the same. @param {Moment} now */
export function lastMonth(now) {
  const {year, month} = now.date, day = (m, d) => new Date(Date.UTC(year, m, d)).toISOString().slice(0, 10);
  return `${day(month - 2, 1)}/${day(month - 1, 0)}`;
}

/** Counts of the days of such a time, those without rows too. @param {{id: string | null, count: number | null}[]} groups   by day @param {Moment} now @param {number} days @returns {number[]} */
export function dayByDay(groups, now, days) {
  const of = new Map(groups.filter((g) => g.id).map((g) => [String(g.id).slice(0, 10), g.count ?? 0])), last = Date.parse(`${now.day}T00:00:00Z`);
  return Array.from({length: days}, (_, i) => of.get(new Date(last - (days - 1 - i) * DAY_MS).toISOString().slice(0, 10)) ?? 0);
}

/** Which rows are open for so long, and which are late; `open` says what is open. */
function openFilters(loop, open) {
  const first = loop.steps[0].time;
  return {ages: AGES.map((upto, i) => (now) => and(open(now), i && `${first} <= ${at(now.later(-AGES[i - 1] * DAY_MS))}`,
    Number.isFinite(upto) && `${first} > ${at(now.later(-upto * DAY_MS))}`)),
  late: loop.due ? (now) => and(open(now), `${loop.due} < ${at(now)}`) : null};
}

/** Ages and lateness of what is open at a moment. */
function openQuestions(loop, open) {
  const stats = `/stats/${loop.layer}`, {ages, late} = openFilters(loop, open);
  const asked = ages.map((filter, i) => ({key: `age:${i}`, url: (now) => address(stats, {by: loop.by, filter: filter(now)})}));
  return late ? [...asked, {key: 'overdue', url: (now) => address(stats, {by: loop.by, filter: late(now)})}] : asked;
}

/** @param {any} loop @param {any} ask @param {RowsOf} rowsOf */
function planLoop(loop, ask, rowsOf) {
  const l = [loop.layer], stats = `/stats/${loop.layer}`, open = `${loop.done} IS NULL`;
  const asked = openQuestions(loop, () => open).map(({key, url}) => ask(key, url, l, MEDIUM_MS, true));
  return {...loop, open, rows: rowsOf(loop), doneRows: rowsOf({layer: loop.layer, filter: `${loop.done} IS NOT NULL`}), openRows: rowsOf({layer: loop.layer, filter: open, sort: loop.steps[0].time}),
    steps: loop.steps.map((s) => ({...s, rows: rowsOf({layer: loop.layer, filter: `${loop.status} = '${s.value}'`})})),
    status: ask('status', address(stats, {by: loop.status}), l),
    ages: asked.slice(0, AGES.length), overdue: asked[AGES.length],
    // Rows behind a number of now.
    ageRows: (now) => openFilters(loop, () => open).ages.map((filter) => rowsOf({layer: loop.layer, filter: filter(now), sort: loop.steps[0].time})),
    byRows: (id) => rowsOf({layer: loop.layer, filter: and(open, same(loop.by, id)), sort: loop.steps[0].time}),
    lateRows: (now, id) => rowsOf({layer: loop.layer, filter: and(openFilters(loop, () => open).late?.(now), id !== undefined && same(loop.by, id)), sort: loop.due}),
    todayRows: (now) => rowsOf({layer: loop.layer, time: `${now.day}/${now.day}`}),
    usualRows: (now, back) => rowsOf({layer: loop.layer, filter: back.map((n) => now.dayStartMs - n * DAY_MS - now.utcMs)
      .map((ms) => and(`${loop.steps[0].time} >= ${at(now.later(ms))}`, `${loop.steps[0].time} < ${at(now.later(ms + DAY_MS))}`)).join(' OR ')}),
    hours: ask('hours', (now) => address(stats, {by: 'hour', datetime: lastDays(now, USUAL_DAYS)}), l, LIGHT_MS, true),
    news: ask('news', address(`/collections/${loop.layer}/items`, {sortby: `-${loop.steps[0].time}`, limit: 24}), l),
    ends: ask('ends', address(`/collections/${loop.layer}/items`, {sortby: `-${loop.done}`, limit: 6}), l, LIGHT_MS)};
}

/**
 * The loop as it stood at an earlier moment, from the times of its steps. Each
 * question has the key that the panels know it by; those of `passed`, how many
 * had come to a step or beyond, make the answer of `status` (statusOf).
 * @param {any} loop   of the plan @param {any} hazards   of the plan's map, or null
 * @param {Moment} then   a whole minute
 * @returns {{passed: string[], questions: {key: string, url: string}[]}}
 */
export function loopAt(loop, hazards, then) {
  const stats = `/stats/${loop.layer}`, isOpen = `${loop.done} IS NULL`;
  const upto = (step) => `${step.time} <= ${at(then)}`, wasOpen = `(${isOpen} OR ${loop.done} > ${at(then)})`;
  const questions = openQuestions(loop, () => and(upto(loop.steps[0]), wasOpen)).map(({key, url}) => ({key, url: url(then)}));
  if (hazards?.layer === loop.layer && hazards.filter.includes(isOpen))
    questions.push({key: hazards.total, url: address(stats, {by: hazards.risk, filter: and(upto(loop.steps[0]), hazards.filter.replaceAll(isOpen, wasOpen))})});
  return {questions, passed: loop.steps.map((_, i) => address(stats, {filter: loop.steps.slice(i).map(upto).join(' OR ')}))};
}

/** What /stats by status would have said. @param {any} loop @param {{count: number}[]} passed   answers to loopAt's */
export const statusOf = (loop, passed) => ({count: passed[0].count,
  groups: loop.steps.map((s, i) => ({id: s.value, count: passed[i].count - (passed[i + 1]?.count ?? 0)}))});

/** A register whose rows are owed visits. @param {any} target   of the city's duty @param {any} layer @param {Named} named @param {any} ask @param {RowsOf} rowsOf @param {string} lang */
function planPatrol(target, layer, named, ask, rowsOf, lang) {
  const single = !layer.columns_withheld && !layer.rows_withheld;
  return {...named, layer: layer.name, rows: rowsOf({layer: layer.name}), total: ask(`houses:${layer.name}`, address(`/stats/${layer.name}`, {}), [layer.name]), unit: layer.unit ?? (layer.counted ?? '').slice(0, 1),
    // Those with visits that are due, or made, or of a state.
    levelRows: (level, state) => single ? sheetOf(lang, address('/coverage/patrol', {layer: layer.name, rows: 'true', state, filter: is(target.level, level)})) : undefined,
    graded: target.level, titles: layer.picture_titles ?? {}, colours: layer.picture_colours ?? {}, order: Object.keys(target.tables?.[0]?.visits ?? {})};
}

/** @param {any} checks @param {any} ask @param {RowsOf} rowsOf */
function planChecks(checks, ask, rowsOf) {
  const stats = `/stats/${checks.layer}`, l = [checks.layer], norm = checks.norm ?? 50;
  const of = (month) => `${checks.month} = '${month}'`;
  return {...checks, norm, rows: rowsOf({layer: checks.layer, filter: `${checks.count} > 0`, sort: `-${checks.count}`}), monthRows: (month) => rowsOf({layer: checks.layer, filter: of(month), sort: `-${checks.count}`}), reachRows: (month) => rowsOf({layer: checks.layer, filter: and(of(month), `${checks.count} >= ${norm}`), sort: `-${checks.count}`}),
    latest: (answer) => answer?.groups?.filter((g) => g.id).map((g) => g.id).sort().at(-1), total: ask('checks', address(stats, {sum: checks.count, by: checks.month}), l, MEDIUM_MS),
    // Of the newest month: which that is the first answer says.
    share: 'checks-share', spread: 'checks-spread',
    later: (month) => {
      const filter = of(month);
      return [{key: 'checks-share', url: () => address(stats, {filter, share: `${checks.count} >= ${norm}`}), layers: l, restMs: MEDIUM_MS},
        {key: 'checks-spread', url: () => address(stats, {filter, by: checks.count}), layers: l, restMs: MEDIUM_MS}];
    }};
}

/** @param {any} r @param {Catalog} catalog @param {any} ask @param {RowsOf} rowsOf */
function planRanking(r, catalog, ask, rowsOf) {
  const stats = `/stats/${r.layer}`, exposed = (name) => catalog.exposures?.[name]?.layer;
  const l = [r.layer];
  // The same whole days as rates are of.
  const due = (now) => {
    const end = wholeEnd(now);
    return and(`${r.due} >= ${at(end.later(-USUAL_DAYS * DAY_MS))}`, `${r.due} < ${at(end)}`);
  };
  return {...r, days: USUAL_DAYS, dueRows: (now, id) => rowsOf({layer: r.layer, filter: and(due(now), is(r.by, id))}), 
    inTime: ask('in-time', (now) => address(stats, {by: r.by, filter: due(now), share: `${r.done} <= ${r.due}`}), l, MEDIUM_MS, true),
    per: (r.per ?? []).filter((p) => exposed(p.exposure)).map((p) => {
      const {windowed, scale} = catalog.exposures[p.exposure], time = windowed ? lastMonth : (now) => wholeDays(now, USUAL_DAYS);
      return {...p, of: scale ?? 1000, windowed: !!windowed, time, rows: (now, id) => rowsOf({layer: r.layer, filter: is(r.by, id), time: time(now)}),
        key: ask(`per:${p.exposure}`, (now) => address(stats, {by: r.by, per: p.exposure, datetime: time(now)}), [r.layer, exposed(p.exposure)], MEDIUM_MS, true)};
    })};
}

/** @param {Catalog} catalog @param {(name: string) => boolean} has @param {any} ask @param {RowsOf} rowsOf @param {(state: Record<string, string | undefined>) => string} tableOf */
function planMap(catalog, has, ask, rowsOf, tableOf) {
  const m = catalog.wall?.map ?? {}, tour = m.tour, coarse = catalog.layers.filter((l) => l.unit_level);
  const heat = catalog.maps.find((x) => x.kind === 'heat' && x.name === m.heat) ?? catalog.maps.find((x) => x.kind === 'heat');
  // On a map of density a place is found by density, or it may be dark where it is named.
  const dense = heat && heat.name === `heat:${tour?.layer}`, against = dense ? {per: 'area'} : {per: tour?.per, exposure: tour?.exposure, each: tour?.each};
  const days = tour?.days ?? USUAL_DAYS, levels = coarse.map((l) => ({layer: l.name, level: l.unit_level, rows: l.rows})).sort((a, b) => a.rows - b.rows);
  // What was reported of late moves from hour to hour; the field of many days hardly does.
  const replayField = {...m.field, ...(m.field?.halflife && {halflife: m.replay_halflife ?? REPLAY_HALFLIFE})};
  return {heat: heat?.name ?? null, heatTitle: heat?.title, heatParams: m.field ?? {}, replayField,
    replayLegend: heat ? address(`/legend/${heat.name}.json`, {...replayField, palette: 'dark'}) : null, heatName: m.heat_title ? {title: m.heat_title, title_en: m.heat_title_en} : null,
    hazards: has(m.hazards?.layer) ? {...m.hazards, ofUnit: (level, id) => address(`/stats/${m.hazards.layer}`, {filter: and(m.hazards.filter, is(level, id))}), gradeRows: (id) => rowsOf({layer: m.hazards.layer, filter: and(m.hazards.filter, same(m.hazards.risk, id))}),
      total: ask('serious', address(`/stats/${m.hazards.layer}`, {filter: m.hazards.filter, by: m.hazards.risk}), [m.hazards.layer])} : null,
    workers: has(m.workers) ? m.workers : null, levels,
    crew: has(m.workers) && levels.length ? ask('crew', address(`/stats/${m.workers}`, {by: levels[0].level}), [m.workers]) : null,
    crewRows: (id) => rowsOf({layer: m.workers, filter: is(levels[0].level, id)}),
    legend: heat ? ask('legend', address(`/legend/${heat.name}.json`, {...m.field, palette: 'dark'}), []) : null,
    tour: has(tour?.layer) ? {...tour, days, compared: (per) => catalog.layers.find((l) => l.name === (catalog.exposures?.[per]?.layer ?? per)) ?? {name: per}, spots: (now) => tableOf({layer: tour.layer, layers: 'hotspots', filter: tour.filter, time: lastDays(now, days - 1), per: against.per, units: levels.at(-1)?.level, table: 'hotspots'}),
      unitRows: (now, level, id) => rowsOf({layer: tour.layer, filter: and(tour.filter, is(level, id)), time: lastDays(now, days - 1)}), key: ask('tour', (now) => address(`/hotspots/${tour.layer}`, {f: 'geojson', ...against,
      filter: tour.filter, datetime: lastDays(now, days - 1), limit: HOTSPOTS_MOST}), [tour.layer], MEDIUM_MS, true)} : null};
}

/** What so large a share of some numbers is not above. @param {number[]} list @param {number} share */
function between(list, share) {
  const sorted = [...list].sort((a, b) => a - b), place = share * (sorted.length - 1);
  return sorted.length ? (sorted[Math.floor(place + 1e-9)] + sorted[Math.ceil(place - 1e-9)]) / 2 : 0;
}

/**
 * Sums by hour of today, and of days like it before: of the same weekday, or of
 * all where there are hardly any. What lies between the least and the most (of
 * many days, all but a tenth on either side), and the middle.
 * @param {{id: string | null, count: number}[]} groups   by hour, ISO
 * @param {Moment} now @param {boolean} [live]   is the last hour what there is of it? Else full hours are told only
 */
export function usualDay(groups, now, live = true) {
  const of = new Map(groups.filter((g) => g.id).map((g) => [g.id.slice(0, 13), g.count])), start = Date.parse(`${now.day}T00:00:00Z`);
  const sums = (back) => {
    const day = new Date(start - back * DAY_MS).toISOString().slice(0, 10), out = [0];
    for (let h = 0; h < 24; h++) out.push(out[h] + (of.get(`${day}T${String(h).padStart(2, '0')}`) ?? 0));
    return out;
  };
  const days = Array.from({length: USUAL_DAYS}, (_, i) => ({back: i + 1, sums: sums(i + 1)})).filter((d) => d.sums[24] > 0);
  const alike = days.filter((d) => d.back % 7 === 0), weekday = alike.length > 1 ? new Date(start).getUTCDay() : null, before = weekday === null ? days : alike;
  const hours = Array.from({length: 25}, (_, i) => i);
  const at = (h, share) => between(before.map((d) => d.sums[h]), share);
  const full = Math.min(24, (now.utcMs - now.dayStartMs) / 36e5), passed = Math.floor(full), hoursIn = live ? full : passed, edge = before.length < 10 ? 0 : 0.1, sofar = sums(0);
  // Hour by hour what came in it: of sums a band is too thin to be seen.
  const came = (list) => Array.from({length: 24}, (_, h) => list[h + 1] - list[h]), like = before.map((d) => came(d.sums)), among = (share) => hours.slice(0, 24).map((h) => between(like.map((d) => d[h]), share));
  const byHour = {low: among(edge), high: among(1 - edge), middle: among(0.5), today: came(sofar).slice(0, passed)};
  const middle = hours.map((h) => at(h, 0.5)), today = hours.slice(0, passed + 1).map((h) => [h, sofar[h]]);
  if (hoursIn > passed) today.push([hoursIn, sofar[24]]);
  return {hours, middle, today, byHour, sofar: live ? sofar[24] : sofar[passed], weekday, days: before.length,
    // At this time of day, and over all of those days.
    usual: middle[passed] + (hoursIn - passed) * ((middle[passed + 1] ?? middle[passed]) - middle[passed]), back: before.map((d) => d.back), counted: before.reduce((sum, d) => sum + d.sums[24], 0)};
}
