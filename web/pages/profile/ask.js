// @ts-check
// ask.js - the questions of a profile and of a ranking, and what their answers
// mean together. Knows no page.

import {address} from '../analyst/shown.js';
import {getJson} from '../api.js';
import {both, placeParams, unitFilter} from './area.js';
import {known, partVerdicts, verdict, wilson} from './numbers.js';

/**
 * @typedef {import('./area.js').Area} Area
 * @typedef {import('./numbers.js').Known} Known
 * @typedef {{id: string, title: string, title_en?: string, rows: number, geometry: string, personal?: boolean, as_of?: string,
 *   time_column?: string | null, unit_level?: string, id_column?: string, picture_by?: string, columns: {name: string, type: string, unit?: boolean}[]}} Layer
 * @typedef {{layer: string, filter: string, time: string}} Subject   whose rows are asked about: of others the filter does not speak
 * @typedef {{value: number | null, low: number | null, high: number | null, city: number | null, verdict: string}} Compared
 * @typedef {{layer: Layer, count: Known, city: Known, share: number | null, rate: Compared | null, target: string}} Line
 */

/** @param {Layer} layer */
const statsOf = (layer) => `/stats/${encodeURIComponent(layer.id)}`;

/** Has the layer times that may be counted by? @param {Layer} layer */
const timed = (layer) => !!layer.time_column && !layer.personal;

/** An answer, or null where it is refused: rights are not an error here. @param {string} target @param {AbortSignal} [signal] */
async function allowed(target, signal) {
  try {
    return await getJson(target, signal);
  } catch (error) {
    // What was typed wrong is one, everywhere.
    const typed = error.parameter === 'filter' || error.parameter === 'datetime';
    if (!typed && [400, 401, 404].includes(error.status)) return null;
    throw error;
  }
}

/** @param {any} said @param {any} city @returns {Compared | null} */
function compared(said, city) {
  if (!said || said.rate === undefined) return null;
  const {rate = null, rate_low: low = null, rate_high: high = null} = said, all = city?.rate ?? null;
  return {value: rate, low, high, city: all, verdict: verdict({low, high}, all)};
}

/** The address of a count in an area, with whatever else is asked. @param {Layer} layer @param {Area} area @param {Record<string, string | undefined>} selection @param {Record<string, string | undefined>} more */
export function statsTarget(layer, area, {filter = '', datetime = ''}, more = {}) {
  const unit = area.kind === 'unit';
  return address(statsOf(layer), {...placeParams(area), filter: unit ? both(filter, unitFilter(area)) : filter, datetime, ...more});
}

/** Filter and period that act on a layer. @param {Layer} layer @param {Subject} subject */
const selectionOf = (layer, subject) => ({filter: layer.id === subject.layer ? subject.filter : '', datetime: timed(layer) ? subject.time : ''});

/** One line of a profile. @param {Layer} layer @param {Area} area @param {Subject} subject @param {{name: string, layer: string} | null} per what rates are for each of @param {AbortSignal} [signal] @returns {Promise<Line>} */
export async function askLine(layer, area, subject, per, signal) {
  const selection = selectionOf(layer, subject), personal = layer.personal;
  const rates = personal || layer.geometry !== 'point' || per?.layer === layer.id ? undefined : per?.name;
  const whole = address(statsOf(layer), {...selection, per: rates});
  let target, inside, city;
  if (area.kind === 'unit') {
    // By its groups, as who counts persons is told them.
    target = address(statsOf(layer), {by: area.level, ...selection, per: rates});
    const answer = layer.columns.some((c) => c.name === area.level) ? await allowed(target, signal) : null;
    inside = answer?.groups?.find((g) => g.id === area.id) ?? null;
    city = answer;
  } else {
    target = statsTarget(layer, area, selection, {per: rates});
    [inside, city] = await Promise.all([personal ? null : allowed(target, signal), personal ? null : allowed(whole, signal)]);
    // What rates are for each of may be refused; counts are not.
    if (!inside && !personal && rates) return askLine(layer, area, subject, null, signal);
  }
  const count = personal && !inside ? /** @type {Known} */ ({known: 'hidden'}) : known(inside, layer), all = known(city, layer);
  return {layer, count, city: all, target,
    share: count.known === 'number' && all.known === 'number' && all.value ? count.value / all.value : null,
    rate: rates ? compared(inside, city) : null};
}

/** Layers that a profile counts: rows in places, units apart. @param {Layer[]} layers */
export const countedLayers = (layers) => layers.filter((l) => !l.unit_level);

/**
 * How many by day or month, in the area and in the city.
 * @param {Layer} layer @param {Area} area @param {Subject} subject @param {'day' | 'month'} step @param {AbortSignal} [signal]
 */
export async function askTrend(layer, area, subject, step, signal) {
  if (!timed(layer)) return null;
  const selection = selectionOf(layer, subject), target = statsTarget(layer, area, selection, {by: step});
  const [inside, city] = await Promise.all([allowed(target, signal),
    allowed(address(statsOf(layer), {...selection, by: step}), signal)]);
  if (!inside || !city) return null;
  const mine = new Map(inside.groups.map((g) => [g.id, g.count ?? 0])), long = step === 'day' ? 10 : 7;
  const steps = city.groups.filter((g) => g.id !== null).map((g) => ({at: g.id.slice(0, long), count: mine.get(g.id) ?? 0, city: g.count}));
  return {steps, target, total: inside.count, city: city.count};
}

/** Columns that a composition may be of: what the layer is drawn by, then other categories. @param {Layer} layer */
export function categories(layer) {
  const own = layer.columns.filter((c) => !c.unit && c.name !== layer.id_column), drawn = own.filter((c) => c.name === layer.picture_by);
  return [...drawn, ...own.filter((c) => c.type === 'category' && !drawn.includes(c))];
}

/**
 * Which part each value of a column is, in the area and in the city, and whether
 * these differ, all values compared together (false discovery rate 5 %). null: not told.
 * @param {Layer} layer @param {string} column @param {Area} area @param {Subject} subject @param {AbortSignal} [signal]
 */
export async function askParts(layer, column, area, subject, signal) {
  const selection = selectionOf(layer, subject), target = statsTarget(layer, area, selection, {by: column});
  const [inside, city] = await Promise.all([allowed(target, signal),
    allowed(address(statsOf(layer), {...selection, by: column}), signal)]);
  if (!inside || !city) return null;
  const mine = new Map(inside.groups.map((g) => [g.id, g]));
  const parts = city.groups.map((g) => {
    const count = known(mine.get(g.id) ?? {count: 0}), all = g.hidden ? null : g.count / (city.count || 1);
    const sure = count.known === 'number' && inside.count ? wilson(count.value, inside.count) : {low: null, high: null};
    return {id: g.id, count, share: count.known === 'number' && inside.count ? count.value / inside.count : null, ...sure, city: all};
  });
  // Shown are the largest of many: each by itself, some would differ by chance alone.
  const verdicts = partVerdicts(parts.map((p) => ({hits: p.count.known === 'number' ? p.count.value : null, city: p.city})), inside.count ?? 0);
  parts.forEach((part, i) => Object.assign(part, verdicts[i]));
  return {parts: parts.sort((a, b) => (b.count.value ?? -1) - (a.count.value ?? -1) || (b.city ?? 0) - (a.city ?? 0)), target, total: inside.count};
}

/**
 * Units of a level with counts, shares and rates.
 * @param {Layer} layer @param {string} level @param {Subject} subject @param {string} per @param {AbortSignal} [signal]
 */
export async function askRanking(layer, level, subject, per, signal) {
  const selection = selectionOf(layer, subject);
  const ask = (rates) => address(statsOf(layer), {by: level, ...selection, per: rates || undefined});
  let target = ask(per), answer = per ? await allowed(target, signal) : null;
  const refused = !!per && !answer;
  if (!answer) answer = await getJson(target = ask(''), signal);
  const total = answer.count ?? null;
  const rows = answer.groups.filter((g) => g.id !== null || g.count).map((g) => ({
    id: g.id ?? '', name: g.name ?? g.id ?? '', count: known(g, layer), share: typeof g.count === 'number' && total ? g.count / total : null,
    exposure: g.exposure ?? null, hidden: !!g.exposure_hidden, rate: g.rate ?? null, low: g.rate_low ?? null, high: g.rate_high ?? null,
    verdict: 'rate' in answer ? verdict({low: g.rate_low, high: g.rate_high}, answer.rate) : 'unknown'}));
  return {rows, total, rated: 'rate' in answer, refused, rate: answer.rate ?? null, unit: answer.unit, unit_en: answer.unit_en, target};
}
