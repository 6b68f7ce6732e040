// @ts-check
// questions.js - what the table beside the map may be of: counts of the rows
// that are asked about, a test for hotspots, coverage. Each says how it is
// asked, which columns its answer has, and what a row of it is: a unit, or a
// place.

import {getRows} from '../api.js';
import {classTitle} from '../columns.js';
import {element} from '../dom.js';
import {columnsOf, readAsked, rowsOf} from '../list.js';
import {askRanking} from '../profile/ask.js';
import {FALSE_MOST, csvKnown} from '../profile/numbers.js';
import {knownCell, percent, verdictCell} from '../profile/parts.js';
import {addDays, evenly, fixed, lastDay} from '../text.js';
import {covered, difference, joined, otherState, surenessOf} from './other.js';
import {address, coverageLevel, coverageOf, drawnOf, firstDay, hasHeat, hasTimes, hotspotsOf, isCells, isCounted, layerOf, partOf, selectionOf} from './shown.js';

/**
 * @typedef {import('./panes.js').Context} Context @typedef {import('./ranks.js').Column} Column @typedef {import('./state.js').State} State
 * @typedef {object} Told
 * @property {Column[]} columns @property {any[]} rows @property {{by: string, down: boolean}} order
 * @property {string} [level]   rows are units of it; without it they have places
 * @property {string} [note]    what is to be known of it, in a sentence
 * @property {[string, string]} [head]   the one number of all of it, and of what
 * @typedef {object} Question
 * @property {string} id
 * @property {string} [word]   what it is called, in words.js; else its id
 * @property {(context: Context) => boolean} drawn   is it on the map?
 * @property {(context: Context) => string} title
 * @property {(context: Context, signal: AbortSignal) => Promise<Told>} ask
 */

/* A number of a row, or null: not known. */
const number = (name) => (r) => (typeof r[name] === 'number' && Number.isFinite(r[name]) ? r[name] : null);

/** Columns of numbers that are not told, and of those that nobody knows. @param {Context} context @param {(r: any) => number | null} of @param {(n: number) => string} write */
const told = ({say}, of, write) => (r) => {
  const n = of(r);
  if (n !== null) return write(n);
  return r.hidden ? element('span', {className: 'cell-hidden', title: say('hidden'), role: 'img', ariaLabel: say('hidden')}, '·') : element('span', {className: 'cell-unknown', title: say('unknown'), role: 'img', ariaLabel: say('unknown')}, '?');
};

/** The same of a side of a comparison. @param {Context} context @param {string} side @param {(r: any) => number | null} of @param {(n: number) => string} write */
const toldOf = (context, side, of, write) => (r) => told(context, () => of(r), write)({hidden: r[side]?.hidden});

/** @param {Context} context @returns {Column} */
const nameColumn = ({say}) => ({id: 'name', title: say('name'), wordy: true, of: (r) => r.name ?? r.id ?? '', cell: (r) => (r.id === null || r.id === '' ? say('none') : r.name || String(r.id))});

/** Rows of units, or of values of a column, by the names that they have in the page's language. @param {Context} context @param {string | undefined} by a level or a column @param {any[]} rows */
export const named = ({city, state}, by, rows) => rows.map((r) => (r.id === null || r.id === '' || !by ? r : city.levels.includes(by) ? city.names.row(r, by, 'text_en') : {...r, name: city.names.value(state.now.layer, by, r.name ?? r.id)}));

/** A column of a number by its name. @param {Context} context @param {string} id @param {string} title @param {{write?: (n: number) => string, help?: string, unit?: string, of?: (r: any) => number | null, className?: string}} [how] @returns {Column} */
function figure(context, id, title, {write = context.write.exact, help = '', unit = '', of = number(id), className = ''} = {}) {
  return {id, title, help, unit, of, cell: told(context, of, write), className};
}

/** Its sign before it. @param {(n: number) => string} write */
const signed = (write) => (n) => `${n > 0 ? '+' : n < 0 ? '−' : ''}${write(Math.abs(n))}`;
const percentOf = (share) => (Number.isFinite(share) ? `${(100 * share).toFixed(1)}%` : '?');

/**
 * Two sides of a comparison, unit by unit: of what is not told on either there
 * is no difference, nor of a time without data, of which nothing is known.
 * @param {any[]} a @param {any[]} b groups @param {{a: boolean, b: boolean}} [known]
 */
export function compared(a, b, known = {a: true, b: true}) {
  const rows = joined(a, b), both = known.a && known.b, told = (r) => both && r.a !== null && r.b !== null, q = surenessOf(rows.map((r) => (told(r) ? r : null)));
  return rows.map((r, i) => {
    const d = told(r) ? difference(r.a, r.b) : null, sure = q[i] !== null && q[i] <= FALSE_MOST;
    return {...r, a: known.a ? r.a : null, b: known.b ? r.b : null, hidden: both && d === null, by: d?.by ?? null, share: d && Number.isFinite(d.share) ? d.share : null, q: q[i], className: sure ? 'sure' : ''};
  });
}

/** Answers of both sides, row by row. @param {any[]} a @param {any[]} b @returns {any[]} a, b: null where it is not among them */
function sided(a, b) {
  const rows = new Map(a.map((r) => [r.id, {id: r.id, name: r.name, geometry: r.geometry, a: r, b: null}]));
  for (const r of b) {
    const known = rows.get(r.id);
    if (known) known.b = r;
    else rows.set(r.id, {id: r.id, name: r.name, geometry: r.geometry, a: null, b: r});
  }
  return [...rows.values()];
}

/** The most changed first, whichever way; what is not known last. @param {boolean} down */
export const bySize = (down) => (x, y) => (x.by === null || y.by === null ? Number(x.by === null) - Number(y.by === null) : (down ? 1 : -1) * (Math.abs(y.by) - Math.abs(x.by)));

/** Their columns. @param {Context} context @returns {Column[]} */
export const comparedColumns = (context) => [nameColumn(context), figure(context, 'a', 'A'), figure(context, 'b', 'B'),
  {...figure(context, 'change', context.say('difference'), {of: number('by'), write: signed(context.write.exact), className: 'change'}), help: context.say('sure_note'), csv: [['change', (r) => r.by], ['q', (r) => r.q]]},
  figure(context, 'change_share', '%', {of: number('share'), write: (n) => signed(percentOf)(n), className: 'share'})];

/** The surest first; what was not tested last, either way. @param {string} by z or q @param {boolean} down */
export const bySureness = (by, down) => (a, b) => {
  const [x, y] = [a[by], b[by]].map((v) => (typeof v === 'number' ? v : null));
  if (x === null || y === null) return Number(x === null) - Number(y === null);
  return (down ? y - x : x - y) || Math.abs(b.z ?? 0) - Math.abs(a.z ?? 0);
};

/** Counts by unit, or where the layer lies in none by the first classes that it has. @param {Context} context */
export const groupedBy = (context) => context.level() || context.subject()?.columns.find((c) => c.type === 'category')?.name;

/** @type {Question} */
const counts = {
  id: 'counts', drawn: () => true,
  title(context) {
    const {city, write, say} = context, layer = context.subject(), by = groupedBy(context), unit = city.layers.find((l) => l.unit_level && l.unit_level === by);
    return by && layer ? say('by', {title: write.title(layer), unit: unit ? write.title(unit) : by}) : layer ? write.title(layer) : '';
  },
  async ask(context, signal) {
    const {state, city, say, write, lang} = context, {now} = state, layer = context.subject(), by = groupedBy(context), level = context.level() || undefined, other = otherState(now);
    if (other) {
      const url = (s) => address(`/stats/${encodeURIComponent(layer.id)}`, {by, ...selectionOf(city, s)});
      const [a, b] = await Promise.all([now, other].map((s) => context.get(url(s), signal)));
      const first = firstDay(layer), [hasA, hasB] = [now, other].map((s) => covered(hasTimes(layer) ? s.time : '', first)), none = hasA === 'none' || hasB === 'none';
      return {columns: comparedColumns(context), rows: named(context, by, compared(a.groups ?? [], b.groups ?? [], {a: hasA !== 'none', b: hasB !== 'none'})), order: {by: 'a', down: true}, level,
        note: none ? say('no_data_then', {from: write.moment(first)}) : hasA === 'part' || hasB === 'part' ? say('part_data_then', {from: write.moment(first)}) : say('sure_note')};
    }
    if (!by) return {columns: [nameColumn(context)], rows: [], order: {by: 'name', down: false}};
    const answer = await askRanking(layer, by, {layer: now.layer, filter: now.filter, time: hasTimes(layer) ? now.time : ''}, layer.personal || !level ? '' : now.rank, signal);
    const speech = {say: context.told, write}, most = Math.max(1, ...answer.rows.map((r) => r.count.value ?? 0));
    const rated = answer.rated, rateText = evenly(answer.rows.map((r) => r.rate)), part = (r) => (r.count.known === 'number' ? percentOf(r.share ?? 0) : '');
    /** @type {Column} */
    const count = {id: 'count', title: say('count'), of: (r) => (r.count.known === 'number' ? r.count.value : null), csv: [['count', (r) => csvKnown(r.count)], ['share', (r) => r.share]],
      cell: (r) => {
        const bar = element('span', {className: 'bar-line'});
        bar.style.width = `${(r.count.value ?? 0) / most * 100}%`;
        return element('span', {}, r.count.known === 'number' ? write.exact(r.count.value) : knownCell(speech, r.count), rated ? element('small', {}, part(r)) : '', bar);
      }};
    /** @type {Column[]} */
    const more = !rated ? [{id: 'share', title: say('share'), of: (r) => r.share, cell: part, className: 'share', csv: []}] : [figure(context, 'exposure', context.told('exposure'), {write: evenly(answer.rows.map((r) => r.exposure))}),
      {id: 'rate', title: (lang === 'en' ? answer.unit_en : answer.unit) ?? say('rate'), of: (r) => r.rate, cell: (r) => (r.rate === null ? told(context, number('rate'), String)(r) : element('span', {}, rateText(r.rate), element('small', {title: context.told('interval')}, `${rateText(r.low)}–${rateText(r.high)}`))),
        csv: [['rate', (r) => r.rate], ['rate_low', (r) => r.low], ['rate_high', (r) => r.high], ['city_rate', () => answer.rate]]},
      {id: 'against', title: context.told('against_short'), wordy: true, of: (r) => ({higher: 2, same: 1, lower: 0})[r.verdict] ?? null, csv: [['against_city', (r) => r.verdict]], cell: (r) => (r.verdict === 'unknown' ? '' : verdictCell(speech, r.verdict, true))}];
    return {columns: [nameColumn(context), count, ...more], rows: named(context, by, answer.rows), order: {by: rated ? 'rate' : 'count', down: true}, level, note: answer.refused ? context.told('refused_per') : rated ? context.told('legend_of_cells') : ''};
  },
};

/** @type {Question} */
const hotspots = {
  id: 'hotspots',
  drawn: ({city, state, subject}) => drawnOf(city, state.now).some((d) => d.id === 'hotspots') && hasHeat(subject()) && !!partOf(city, state.now, {id: 'hotspots', opacity: 100}),
  title: ({say, write, subject, state}) => `${write.title(subject() ?? {id: ''})} · ${say(/** @type {any} */ (state.now.spots))}`,
  async ask(context, signal) {
    const {city, state, say, write, lang} = context, {now} = state, layer = context.subject(), part = partOf(city, now, {id: 'hotspots', opacity: 100});
    const surely = (n) => (n < 0.001 ? '<0.001' : n.toFixed(3)), other = otherState(now);
    if (other) return askTwice(context, other, signal, surely);
    if (part?.shapes) {
      const [answer] = await Promise.all([context.get(part.shapes, signal), city.ownNames()]);
      const rows = answer.features.map((f) => ({...city.names.row(f.properties, undefined, 'text_en'), geometry: f.geometry})).map((r) => ({...r, title: (lang === 'en' ? r.text_en : r.text) ?? ''}));
      if (now.spots === 'dbscan') {
        const each = rows.map((r) => ({...r, density: r.area_km2 > 0 ? r.count / r.area_km2 : null}));
        return {columns: [nameColumn(context), figure(context, 'count', say('count')), ...sizeColumns(context, each)], rows: each, order: {by: 'count', down: true},
          note: say('dbscan_note', {eps: answer.eps_m ?? '?', min: answer.min ?? '?', n: write.exact(answer.matched ?? rows.length), noise: write.exact(answer.noise ?? 0)})};
      }
      return testedTable(context, rows.map((r) => calledBy(city, r)), answer, surely);
    }
    const answer = await context.get(address(`/hotspots/${encodeURIComponent(layer.id)}`, hotspotsOf(city, now)), signal);
    return {...testedTable(context, named(context, context.level(), answer.rows ?? []), answer, surely), level: context.level() || undefined};
  },
};

/** How large clusters are, and how dense. @param {Context} context @param {any[]} rows */
const sizeColumns = (context, rows) => [figure(context, 'area_km2', 'km²', {write: evenly(rows.map((r) => r.area_km2))}), figure(context, 'density', context.say('per_km2'), {write: evenly(rows.map((r) => r.density))})];

/** Cells are called by the units that they lie in. @param {Context['city']} city @param {any} r */
function calledBy(city, r) {
  const within = city.levels.find((level) => r[level]);
  return {...r, name: within ? city.names.unit(within, null, r[within]) : r.name ?? r.id};
}

/** Both answers of a comparison, by whatever they are of: units, cells, clusters. @param {Context} context @param {State} other @param {AbortSignal} signal @param {(n: number) => string} surely @returns {Promise<Told>} */
async function askTwice(context, other, signal, surely) {
  const {city, state, say, write, lang} = context, {now} = state, layer = context.subject();
  const sides = await Promise.all([now, other].map(async (side) => {
    const part = partOf(city, side, {id: 'hotspots', opacity: 100});
    if (!part?.shapes) return named(context, context.level(), (await context.get(address(`/hotspots/${encodeURIComponent(layer.id)}`, hotspotsOf(city, side)), signal)).rows ?? []);
    return (await context.get(part.shapes, signal)).features.map((f) => calledBy(city, {...f.properties, geometry: f.geometry}));
  }));
  const [a, b] = sides, first = firstDay(layer), [hasA, hasB] = [now, other].map((s) => covered(hasTimes(layer) ? s.time : '', first)), none = hasA === 'none' || hasB === 'none';
  const note = none ? say('no_data_then', {from: write.moment(first)}) : hasA === 'part' || hasB === 'part' ? say('part_data_then', {from: write.moment(first)}) : '';
  // Clusters are of one side each: none is that of the other.
  if (now.spots === 'dbscan') {
    const rows = sides.flatMap((list, i) => list.map((r, k) => ({...r, key: `${i} ${k}`, side: 'AB'[i], title: (lang === 'en' ? r.text_en : r.text) ?? '', density: r.area_km2 > 0 ? r.count / r.area_km2 : null})));
    return {columns: [nameColumn(context), {id: 'side', title: say('side_of'), wordy: true, of: (r) => r.side}, figure(context, 'count', say('count')), ...sizeColumns(context, rows)], rows, order: {by: 'count', down: true},
      note: [note, say('clusters_of', {a: write.exact(a.length), b: write.exact(b.length)})].filter((t) => t).join(' ')};
  }
  const class_of = (side) => ({id: `class_${side}`, title: side.toUpperCase(), wordy: true, of: (r) => r[side]?.class || null, cell: (r) => (!r[side] ? '–' : r[side].class === 'not significant' ? element('span', {className: 'quiet', title: classTitle(lang, r[side].class)}, say('not_sure')) : classTitle(lang, r[side].class || 'unknown'))});
  const zOf = (side) => (r) => number('z')(r[side] ?? {}), z = (side) => ({...figure(context, `z_${side}`, `z ${side.toUpperCase()}`), of: zOf(side), cell: toldOf(context, side, zOf(side), (n) => fixed(n, 2))});
  const csv = ['a', 'b'].flatMap((side) => ['class', 'count', 'z', 'p', 'q'].map((name) => /** @type {[string, (r: any) => unknown]} */ ([`${name}_${side}`, (r) => r[side]?.[name]])));
  const change = {...figure(context, 'change', 'Δz', {of: number('by'), write: signed((n) => n.toFixed(2)), className: 'change', help: say('z_change')}), compare: bySize};
  const rows = sided(a, b).map((r) => {
    const [from, to] = [number('z')(r.b ?? {}), number('z')(r.a ?? {})];
    return {...r, hidden: !!(r.a?.hidden || r.b?.hidden), by: none || from === null || to === null ? null : to - from, className: !none && r.a && r.b && r.a.class !== r.b.class ? 'sure' : ''};
  });
  return {columns: [{...nameColumn(context), csv: [['name', (r) => r.name], ...csv]}, {...class_of('a'), csv: []}, {...class_of('b'), csv: []}, {...z('a'), csv: []}, {...z('b'), csv: []}, {...change, csv: [['z_change', (r) => r.by]]}], rows,
    order: {by: 'change', down: true}, level: partOf(city, now, {id: 'hotspots', opacity: 100})?.shapes ? undefined : context.level() || undefined,
    note: note || say('classes_changed', {n: write.exact(rows.filter((r) => r.className).length), all: write.exact(rows.length)})};
}

/** Is it hot (1), cold (-1) or neither (0)? @param {any} r of a test */
const heatOf = (r) => (/hot$|^hot |^high \d/.test(r.class ?? '') ? 1 : /cold$|^cold |^low \d/.test(r.class ?? '') ? -1 : 0);

/** Is it so with 95 % or more? As on the wall; 90 % is told as such. @param {any} r */
const isSure = (r) => heatOf(r) > 0 && !/ 90%$/.test(r.class);

/** Above the city first: what is so itself, then what only its neighbours make so, what is not significant, what is below. @param {any} r */
const placeIn = (r) => (typeof r.z !== 'number' ? -3 : heatOf(r) > 0 ? (r.ratio >= 1 ? 2 : 1) : heatOf(r));
/** The order of what was tested. @param {boolean} down */
export const byPlace = (down) => (a, b) => {
  const [p, q] = [a, b].map(placeIn), much = (r, place) => (place === 2 ? r.ratio : place === 1 ? r.near_ratio : r.z) ?? 0;
  if (p === -3 || q === -3) return q - p;
  return (down ? 1 : -1) * (q - p || much(b, p) - much(a, p));
};

/** What a test of an answer found: how often, how often in the city, how sure, since when. @param {Context} context @param {any[]} rows @param {any} answer @param {(n: number) => string} surely @returns {Told} */
function testedTable(context, rows, answer, surely) {
  const {say, lang, city, state, write} = context, about = city.exposures[answer.per], rated = !!answer.per, near = rows.some((r) => typeof r.near_ratio === 'number');
  // Rates are for each of what is exposed; told they are for a thousand.
  const scale = about?.scale ?? (rated && answer.per !== 'area' ? 1000 : 1), told = rows.map((r) => (rated ? {...r, rate: r.exposure > 0 ? r.rate * scale : null, near_rate: typeof r.near_rate === 'number' ? r.near_rate * scale : null} : r));
  const unit = (lang === 'en' ? about?.unit_en : about?.unit) ?? (answer.per === 'area' ? say('per_km2') : say('rate')), rate = evenly(told.flatMap((r) => [r.rate, r.near_rate])), times = (n) => `${n < 0.095 ? n.toFixed(2) : n.toFixed(1)}×`;
  // Where looking back ends nothing need have begun.
  const since = (r) => (r.since ? r.since.slice(0, 10) : null), first = answer.step === 'week' && answer.to ? addDays(answer.to.slice(0, 10), -7 * (answer.looks_back + 1)) : '';
  /** @type {Column[]} */
  const columns = [nameColumn(context), {id: 'class', title: say('class'), wordy: true, of: (r) => r.class || null, compare: state.now.spots === 'moran' ? undefined : (down) => byPlace(!down), cell: (r) => element('span', {}, classTitle(lang, r.class || 'unknown'),
      ...(heatOf(r) > 0 && r.ratio < 1 && near ? [element('small', {}, say('by_neighbours'))] : []),
      // How sure it is stands beside what it is: the last column may be out of sight.
      ...(heatOf(r) && typeof r.q === 'number' ? [element('small', {title: say('sorted_by_q')}, `q ${surely(r.q)}`)] : []))},
    ...rated ? [figure(context, 'rate', unit, {write: rate}), ...near ? [figure(context, 'near_rate', say('with_neighbours'), {write: rate, help: say('near_note'), unit})] : []] : [],
    figure(context, 'ratio', say('times_city'), {write: times, help: say('times_note')}), ...near ? [figure(context, 'near_ratio', say('with_neighbours'), {write: times, help: say('near_note'), unit: say('times_city')})] : [],
    ...rows.some((r) => r.since) ? [/** @type {Column} */ ({id: 'since', title: say('since'), wordy: true, className: 'date', of: since, cell: (r) => (!r.since ? '' : since(r) > first ? since(r) : say('or_before', {t: since(r)}))})] : [],
    figure(context, 'count', say('count')), ...rated && answer.per !== 'area' ? [figure(context, 'exposure', context.told('exposure'), {write: evenly(told.map((r) => r.exposure))})] : [],
    {...figure(context, 'z', 'z', {write: (n) => fixed(n, 2)}), compare: (down) => bySureness('z', down)},
    {...figure(context, 'q', 'q', {write: surely, help: say('sorted_by_q')}), compare: (down) => bySureness('q', down), csv: [['p', (r) => r.p], ['q', (r) => r.q]]}];
  if (state.now.spots === 'moran') return {columns, rows: told, order: {by: 'q', down: false}, note: say('sorted_by_q')};
  const mean = rated ? say('city_rate', {n: rate(answer.rate_mean * scale), unit}) : '', hot = told.filter((r) => heatOf(r) > 0), sure = hot.filter(isSure).length, alone = hot.filter((r) => r.ratio < 1).length;
  return {columns, rows: told, order: {by: 'class', down: false}, note: [mean, say('hot_of', {n: write.exact(sure), all: write.exact(rows.length)}), hot.length > sure ? say('hot_less', {n: write.exact(hot.length - sure)}) : '', near ? say('looks_near') : '', alone && near ? say('alone_of', {n: write.exact(alone)}) : ''].filter((t) => t).join(' ')};
}

/** What each kind of coverage tells of a row. @type {Record<string, (context: Context) => {columns: Column[], by: string, down: boolean}>} */
const COVERED = {
  patrol: (c) => ({by: 'value', down: false, columns: [figure(c, 'due', c.say('due'), {unit: c.say('unit_visits')}), figure(c, 'done', c.say('done'), {unit: c.say('unit_visits')}), figure(c, 'value', c.say('done_share'), {write: percentOf, unit: c.say('unit_of_visits')}),
    figure(c, 'overdue', c.say('overdue'), {unit: c.say('unit_places')}), figure(c, 'unjudged', c.say('unjudged'), {unit: c.say('unit_places')})]}),
  workload: (c) => ({by: 'value', down: true, columns: [figure(c, 'workers', c.say('workers'), {unit: c.say('unit_workers')}), figure(c, 'value', c.say('owed_each'), {write: (n) => n.toFixed(1), unit: c.say('unit_visits')}), figure(c, 'ratio', c.say('against_mean'), {write: (n) => `${n.toFixed(2)}×`})]}),
  service: (c) => ({by: 'sum_share_10min', down: false, columns: [figure(c, 'sum', isCounted(c.city) ? reachTitle(c) : c.say('residents'), {...!isCounted(c.city) && {unit: c.say('unit_persons')}}), figure(c, 'sum_share_10min', c.say('within_10'), {write: percentOf}), figure(c, 'mean_m', c.say('mean_way'), {write: (n) => c.write.exact(Math.round(n)), unit: c.say('unit_m')})]}),
  partition: (c) => ({by: 'level', down: false, columns: [{id: 'level', title: c.told('level'), wordy: true, of: (r) => r.level, cell: (r) => c.write.title(c.city.layers.find((l) => l.unit_level === r.level) ?? {id: r.level ?? ''}), csv: [['class', (r) => r.class], ['level', (r) => r.level], ['layer', (r) => r.layer], ['units', (r) => r.units], ['count', (r) => r.count], ['value', (r) => r.value], ['width_m', (r) => r.width_m]]},
    {id: 'text', title: c.say('finding'), wordy: true, className: 'wide', of: (r) => r.title || null}]}),
  site: (c) => ({by: 'gain', down: true, columns: [figure(c, 'gain', c.say('gain'), {unit: c.say('unit_persons')}), figure(c, 'sum_share', c.say('within_10'), {write: percentOf}), figure(c, 'nearest_m', c.say('nearest'), {write: (n) => c.write.exact(Math.round(n)), unit: c.say('unit_m')})]}),
};

/** What is counted where residents are not told of. @param {Context} context */
const reachTitle = ({city, write}) => write.title(layerOf(city, city.reach?.layer ?? '') ?? {id: city.reach?.layer ?? ''});

/** Both ends of the period that is judged: the last day, where it ends at midnight. @param {any} answer @param {Context} context */
function judged({from, to}, {write}) {
  const midnight = (iso) => /T00:00(:00)?(?![\d:.])/.test(iso), days = midnight(from) && midnight(to);
  return {from: write.moment(days ? from.slice(0, 10) : from), to: write.moment(days ? lastDay(to) : to)};
}

/** Both periods of a comparison. @param {Context} context @param {any} a @param {any} b answers @returns {Told} */
function coveredTwice(context, a, b) {
  const {city, state, say, write} = context, {now} = state, shares = now.coverage === 'patrol', show = shares ? percentOf : (n) => n.toFixed(1), of = (side) => (r) => number('value')(r[side] ?? {});
  const rows = named(context, coverageLevel(city, now), sided(a.rows, b.rows)).map((r) => ({...r, by: of('a')(r) === null || of('b')(r) === null ? null : of('a')(r) - of('b')(r), hidden: !!(r.a?.hidden || r.b?.hidden)}));
  const names = [...new Set([...a.rows, ...b.rows].flatMap((r) => Object.keys(r)))].filter((name) => !['id', 'name', 'text', 'text_en'].includes(name));
  const csv = ['a', 'b'].flatMap((side) => names.map((name) => /** @type {[string, (r: any) => unknown]} */ ([`${name}_${side}`, (r) => r[side]?.[name]])));
  const total = (answer) => (shares ? answer.rows.reduce((n, r) => n + (r.done ?? 0), 0) / answer.rows.reduce((n, r) => n + (r.due ?? 0), 0) : answer.rows.reduce((n, r) => n + (r.workers ?? 0), 0));
  const unit = say(shares ? 'unit_of_visits' : 'unit_visits'), say_change = shares ? (n) => `${(100 * n).toFixed(1)}` : (n) => n.toFixed(1), all = [total(a), total(b)].map((n) => (shares ? percentOf(n) : write.exact(n)));
  return {head: [`${all[0]} · ${all[1]}`, `A · B ${shares ? say('done_share') : say('workers')}`], rows, order: {by: 'change', down: true}, level: coverageLevel(city, now),
    columns: [{...nameColumn(context), csv: [['name', (r) => r.name], ...csv]}, ...['a', 'b'].map((side) => ({...figure(context, side, side.toUpperCase(), {unit}), of: of(side), cell: toldOf(context, side, of(side), show), csv: []})),
      {...figure(context, 'change', say('difference'), {of: number('by'), write: signed(say_change), className: 'change', unit: shares ? say('points') : unit}), compare: bySize, csv: [['change', (r) => r.by]]}],
    note: [a, b].map((answer, i) => (answer.from ? `${'AB'[i]}: ${say('judged_of', judged(answer, context))}` : '')).filter((t) => t).join(' ')};
}

/** @type {Question} */
const coverage = {
  id: 'coverage',
  drawn: ({city, state}) => drawnOf(city, state.now).some((d) => d.id === 'coverage') && !!partOf(city, state.now, {id: 'coverage', opacity: 100}),
  title: ({say, state}) => `${say('coverage')} · ${say(/** @type {any} */ (state.now.coverage))}`,
  async ask(context, signal) {
    const {city, state, say, lang} = context, {now} = state, part = partOf(city, now, {id: 'coverage', opacity: 100}), kind = COVERED[now.coverage](context);
    const text = (r) => ({...r, title: (lang === 'en' ? r.text_en : r.text) ?? ''}), order = {by: kind.by, down: kind.down};
    const name = nameColumn(context);
    if (part?.shapes) {
      const answer = await context.get(part.shapes, signal), {features} = answer, called = (name) => city.layers.find((l) => l.title === name), titleOf = (name) => (called(name) ? context.write.title(called(name)) : name);
      const told = (p) => (city.names.units[p.level]?.[p.id] ? city.names.row(p, p.level, 'text_en') : p);
      return {head: now.coverage === 'site' ? [context.write.exact(answer.gain ?? 0), say('residents_more')] : [context.write.exact(features.length), say('findings')], columns: [name, ...kind.columns], rows: features.map((f) => ({...f, properties: told(f.properties)})).map((f, i) => text({...f.properties, key: String(i), geometry: f.geometry, name: titleOf(f.properties.name) || f.properties.place || f.properties.units || `${f.properties.id ?? ''}`})), order};
    }
    const answer = await context.get(address(`/coverage/${now.coverage}`, coverageOf(city, now)), signal), other = otherState(now);
    const beside = other && coverageOf(city, other).datetime !== coverageOf(city, now).datetime ? await context.get(address(`/coverage/${now.coverage}`, coverageOf(city, other)), signal) : null;
    if (beside) return coveredTwice(context, answer, beside);
    const sum = (column) => answer.rows.reduce((n, r) => n + (r[column] ?? 0), 0), {exact} = context.write;
    /** @type {Record<string, [string, string]>} */
    const head = {patrol: [percentOf(sum('done') / sum('due')), say('of_due', {done: exact(sum('done')), due: exact(sum('due'))})], workload: [exact(sum('workers')), say('workers_of')], service: [percentOf(answer.city?.sum_share_10min ?? NaN), isCounted(city) ? say('within_ten_of', {name: reachTitle(context)}) : say('within_ten')]};
    return {head: head[now.coverage], columns: [name, ...kind.columns], rows: named(context, coverageLevel(city, now), answer.rows).map(text), order, level: coverageLevel(city, now),
      note: [other ? say('same_sides') : '', answer.from ? say('judged_of', judged(answer, context)) : '', now.coverage === 'patrol' ? say('patrol_units', {t: answer.at ? context.write.moment(answer.at) : '?'}) : ''].filter((t) => t).join(' ')};
  },
};

/** Rows that are listed beside the map. */
const ROWS_MOST = 200;

/** Where the rows that are asked about are listed, in the order of the table. @param {Context} context @param {number} [limit] */
export function listAddress({city, state}, limit) {
  const {now} = state, layer = layerOf(city, now.layer), order = now.sort || (layer?.time_column ? `-${layer.time_column}` : '');
  return address(`/collections/${encodeURIComponent(now.layer)}/items`, {...selectionOf(city, now), sortby: order, limit});
}

/** @type {Question} */
const rows = {
  id: 'rows', word: 'row_list',
  drawn: ({subject}) => !!subject() && !subject()?.rows_withheld,
  title: ({say, write, subject}) => `${write.title(subject() ?? {id: ''})} · ${say('row_list')}`,
  async ask(context, signal) {
    const {city, state, say, write} = context, layer = context.subject(), ask = listAddress(context, ROWS_MOST), asked = readAsked(ask);
    const [answer, about] = await Promise.all([getRows(ask, signal), city.lists()]), told = rowsOf(answer);
    const [, down, by] = /^(-?)(.*)$/.exec(state.now.sort || (layer?.time_column ? `-${layer.time_column}` : '')) ?? [];
    return {columns: columnsOf(about, /** @type {any} */ (asked), told.rows), rows: told.rows, order: {by: by ?? '', down: down === '-'},
      note: [told.total !== null && told.rows.length < told.total ? say('first_rows', {n: write.exact(told.rows.length)}) : told.rows.length ? say('each_row') : '', layer?.columns_withheld ? say('columns_withheld') : ''].filter((t) => t).join(' · ')};
  },
};

export const QUESTIONS = [counts, hotspots, coverage, rows];

/** Those that may be asked now. @param {Context} context */
export const questionsOf = (context) => QUESTIONS.filter((q) => q.drawn(context));

/** The one that is chosen; without a choice what lies uppermost on the map. @param {Context} context */
export function questionOf(context) {
  const {city, state} = context, may = questionsOf(context), wanted = may.find((q) => q.id === state.now.table);
  if (wanted) return wanted;
  const over = [...drawnOf(city, state.now)].reverse().map((d) => (d.id === 'choropleth' ? 'counts' : d.id)).find((id) => may.some((q) => q.id === id));
  return may.find((q) => q.id === over) ?? counts;
}
