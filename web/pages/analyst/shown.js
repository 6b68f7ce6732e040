// @ts-check
// shown.js - from the state to addresses: which tiles are drawn, which legend
// explains them, what is counted. Pure. Nothing knows a layer by name.

import {monthsOver} from './days.js';
import {otherState} from './other.js';

/**
 * @typedef {import('../api.js').Layer} Layer
 * @typedef {import('./state.js').State} State
 * @typedef {object} City
 * @property {Layer[]} layers
 * @property {string[]} levels   units, finest first
 * @property {{name: string, title: string, title_en?: string}[]} models   of heat
 * @property {Record<string, any>} exposures   what rates are per
 * @property {string | null} clock
 * @property {boolean} [monthsOnly]   patrols and work are told of whole months that are over: so has the server said
 * @property {boolean} duty   are there patrols to judge
 * @property {import('../names.js').Names} names   of units and values
 * @property {() => Promise<void>} ownNames   names knows units by the names that the data has, too
 * @property {() => Promise<import('../list.js').About>} lists   what lists of rows are told in
 * @property {boolean} service   is there a question of reach
 * @property {{layer: string, weighed: boolean}} [reach]   whom it is told of: the rows of a layer, weighed where that may be seen
 *
 * @typedef {object} Part   what is drawn, and of what
 * @property {string} id   heat, choropleth, hotspots, coverage, or a layer
 * @property {number} opacity   0 to 1
 * @property {string} map   name of the picture, as in /tiles/{name}
 * @property {Record<string, string | number>} params
 * @property {boolean} field   is it a heat map?
 * @property {string} [shapes]   address of GeoJSON that is drawn instead of tiles
 * @property {string[]} layers   whose changes it shows; none: everybody's
 */

export const ANALYSES = ['heat', 'choropleth', 'hotspots', 'coverage'];
/** Widths of cells that are offered, metres. */
export const CELLS_M = [500, 1000];
/** The most significant cells of a finer net than the units: so many are drawn. */
const CELLS_MOST = 3000;

/** @param {string} path @param {Record<string, string | number | undefined>} params leaves out what is empty */
export function address(path, params) {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(params)) if (value !== undefined && value !== '' && value !== 0) search.set(name, String(value));
  const text = search.toString();
  return text ? `${path}?${text}` : path;
}

/** @param {City} city @param {string} id */
export const layerOf = (city, id) => city.layers.find((l) => l.id === id);
/** @param {Layer | undefined} layer */
export const hasHeat = (layer) => layer?.geometry === 'point' && !layer.personal;
/* Times of single persons are not counted by day for everybody. */
/** @param {Layer | undefined} layer */
export const hasTimes = (layer) => !!layer?.time_column && !layer.personal;
/** The day with which a layer's times begin; '' if it does not say. @param {Layer} layer */
export const firstDay = (layer) => String(layer.extent?.temporal?.interval?.[0]?.[0] ?? '').slice(0, 10);
/** Levels whose units the layer's rows lie in, finest first. @param {City} city @param {Layer | undefined} layer */
export const levelsOf = (city, layer) => city.levels.filter((level) => layer?.columns.some((c) => c.name === level));

/** The level of the state's units: where these are no units, or not of this layer, the next best. @param {City} city @param {State} state */
export function levelOf(city, state) {
  const levels = levelsOf(city, layerOf(city, state.layer));
  return levels.includes(state.units) ? state.units : isCells(state.units) ? levels[0] : levels.at(-1);
}
/** @param {string} units */
export const isCells = (units) => /^(hex|square):\d+(\.\d+)?$/.test(units);

/** What is drawn where nothing was said. @param {City} city @param {State} state @returns {import('./state.js').Drawn[]} */
export function drawnOf(city, state) {
  if (state.layers.length) return state.layers;
  return [{id: hasHeat(layerOf(city, state.layer)) ? 'heat' : state.layer, opacity: hasHeat(layerOf(city, state.layer)) ? 90 : 100}];
}

/**
 * What changes when one more is drawn, uppermost. A test for hotspots is of the
 * finest units, by their area as the heat is, unless something else was chosen:
 * of large units there are few, and counts say most of all how large they are.
 * @param {City} city @param {State} state @param {string} id @returns {Partial<State>}
 */
export function withDrawn(city, state, id) {
  const layers = [...drawnOf(city, state), {id, opacity: ANALYSES.includes(id) ? 85 : 100}], [finest] = levelsOf(city, layerOf(city, state.layer));
  if (id !== 'hotspots') return {layers};
  return {layers, per: state.per || 'area', ...!state.units && finest && {units: finest, unit: ''}};
}

/** Filter and period of the rows that are asked about. @param {City} city @param {State} state */
export const selectionOf = (city, state) => ({filter: state.filter, datetime: hasTimes(layerOf(city, state.layer)) ? state.time : ''});

/** Has the heat a bandwidth of its own, where none is chosen? Of what is about persons the reach is not chosen: of their doing, and where a column is weighed that is not seen. @param {City} city @param {State} state */
export function ownReach(city, state) {
  const exposure = city.exposures[state.per], layer = layerOf(city, exposure?.layer);
  return !!state.model || !!layer?.personal || (!!exposure?.weight && !!layer && !layer.columns.some((c) => c.name === exposure.weight));
}

/** Name and parameters of the heat. @param {City} city @param {State} state */
export function heatOf(city, state) {
  const {kernel, bandwidth, halflife, per} = state;
  const own = {kernel, bandwidth, halflife, per: per === 'area' ? '' : per};
  if (state.model) return {map: `heat:${state.model}`, params: {datetime: state.time, ...own}};
  return {map: `heat:${state.layer}`, params: {...selectionOf(city, state), ...own, bandwidth: bandwidth || (ownReach(city, state) ? 0 : 800), weight: state.weight}};
}

/** Parts that are of the period. @param {City} city @param {State} state @param {Part} part */
const isDated = (city, state, part) => part.id === 'heat' || part.params.datetime !== undefined || /[?&]datetime=/.test(part.shapes ?? '') || (part.map === state.layer && hasTimes(layerOf(city, state.layer)));

/* What rates are multiplied with, and what is too little, where city.json does not say (engine/risk/exposure.c). */
const RATE_SCALE = 1000, RATE_FLOOR = 10;

/** What rates are divided by, where that is the same at all times and may be seen: {area}, or rows of a layer, counted or with a column added up. @param {City} city @param {string} level @param {string} name */
function divisorOf(city, level, name) {
  if (!name || name === 'area') return {area: true, scale: 1, floor: 0};
  const {layer: id, filter = '', weight = '', windowed, scale = RATE_SCALE, floor = RATE_FLOOR} = city.exposures[name] ?? {}, layer = layerOf(city, id);
  const seen = !!layer && !layer.personal && !layer.rows_withheld && layer.columns.some((c) => c.name === level) && (!weight || layer.columns.some((c) => c.name === weight));
  return seen && !windowed ? {area: false, layer: id, filter, weight, scale, floor} : null;
}

/** What is one number of a unit, day by day: counts, sums of whole numbers, and counts for each of what is the same every day. @param {City} city @param {State} state */
function unitSteps(city, state) {
  const subject = layerOf(city, state.layer), {map, params: {filter, stat, column}} = choroplethOf(city, state), level = levelOf(city, state);
  const summed = subject?.columns.find((c) => c.name === column), per = level && stat === 'rate' ? divisorOf(city, level, state.per) : null;
  if (!level || (stat === 'rate' && !per) || (stat === 'sum' && !/^(integer|boolean)$/.test(summed?.type ?? ''))) return null;
  return {map, level, layer: state.layer, filter, sum: column, per};
}

/**
 * What of a picture follows for any period from what is asked for once
 * (steps.js): the density of a layer and its points from tiles of days, units
 * from their counts by day. resting: what else is drawn of the period, and
 * follows when that rests; beside: the other side's filter, null where nothing
 * is compared. null: nothing does.
 * @param {City} city @param {State} state
 */
export function stepsOf(city, state) {
  const subject = layerOf(city, state.layer);
  if (!hasTimes(subject)) return null;
  const other = otherState({...state, time: '2000-01-01/2000-01-31'}), parts = partsOf(city, {...state, time: '2000-01-01/2000-01-31'}), field = parts.find((p) => p.field), units = parts.find((p) => p.id === 'choropleth');
  // Two that fade have no one moment.
  const summed = state.model || (state.per && state.per !== 'area') || (other && state.halflife) ? null : field, counted = units && unitSteps(city, state);
  const dots = subject.geometry === 'point' ? parts.find((p) => p.map === subject.id) : undefined;
  if (!summed && !counted && !dots) return null;
  const {map, params: {kernel, bandwidth, weight}} = heatOf(city, state);
  return {heat: summed ? {map, params: {filter: state.filter, kernel, bandwidth, weight}, layer: state.layer, filter: state.filter, weight: state.weight, halfLife: state.halflife, form: summed.params.form} : null,
    units: counted ? {...counted, ramp: /** @type {'cool' | 'warm'} */ (units.params.ramp ?? 'warm')} : null,
    points: dots ? {id: dots.id, layer: subject.id, filter: state.filter} : null, beside: other ? other.filter : null,
    resting: parts.filter((p) => p !== summed && !(counted && p === units) && p !== dots && isDated(city, state, p))};
}

/** @param {City} city @param {State} state */
function choroplethOf(city, state) {
  const {stat, column, per} = state, summed = column || layerOf(city, state.layer)?.columns.find((c) => c.type === 'integer')?.name;
  return {map: `choropleth:${levelOf(city, state)}`, params: {...selectionOf(city, state), layer: state.layer,
    stat: stat === 'count' ? '' : stat, column: stat === 'sum' ? summed : '', per: stat === 'rate' ? per || 'area' : ''}};
}

/** The column whose sums a part paints. @param {Part} part */
export const columnOf = ({params: {stat, column}}) => (stat === 'sum' ? String(column) : undefined);
/** What the numbers of a legend are of: classes of a test have none, and which test it is the part's name says. @param {Part} part @param {any} legend @param {{unit: (legend: any, column?: string) => string}} write */
export const unitOf = (part, legend, write) => (part.id === 'hotspots' ? '' : write.unit(legend, columnOf(part)));

/** Options of /hotspots. @param {City} city @param {State} state */
export function hotspotsOf(city, state) {
  const cells = state.spots === 'dbscan' ? {} : {units: isCells(state.units) ? state.units : levelOf(city, state)};
  return {...selectionOf(city, state), ...cells, stat: state.spots, per: state.spots === 'dbscan' ? '' : ratePer(city, state)};
}
/* Rates shrink to something that is counted: without a choice to the first that there is. */
export const ratePer = (city, state) => (state.spots !== 'eb' || (state.per && state.per !== 'area') ? state.per : Object.keys(city.exposures)[0] ?? 'area');

/** Level of the units that coverage is told of. @param {City} city @param {State} state */
export const coverageLevel = (city, state) => (city.levels.includes(state.units) ? state.units : city.levels.at(-1));
/** Questions of coverage that are of a period. */
const DATED = ['patrol', 'workload'];
/** The period that coverage is judged by; '' its own. @param {City} city @param {State} state */
const coverageTime = (city, state) => (!DATED.includes(state.coverage) || !state.time ? '' : city.monthsOnly ? monthsOver(state.time, city.clock) : state.time);
/** Options of /coverage. @param {City} city @param {State} state */
export const coverageOf = (city, state) => ({by: coverageLevel(city, state), datetime: coverageTime(city, state), ...state.coverage === 'service' && isCounted(city) && {people: city.reach?.layer}});

/** Is reach told of rows, not of who lives there? @param {City} city */
export const isCounted = (city) => !!city.reach && !city.reach.weighed;
/** The number of a question of coverage that its map paints. @param {City} city @param {string} question */
export const coverageColumn = (city, question) => ({patrol: 'value', workload: 'value', service: isCounted(city) ? 'share_10min' : 'sum_share_10min'})[question];

/** @param {City} city @param {State} state @param {import('./state.js').Drawn} drawn @returns {Part | null} null: nothing of this city */
export function partOf(city, state, drawn) {
  const part = {id: drawn.id, opacity: drawn.opacity / 100, field: false, layers: [state.layer]};
  const subject = layerOf(city, state.layer);
  switch (drawn.id) {
    case 'heat':
      if (!state.model && !hasHeat(subject)) return null;
      return {...part, ...heatOf(city, state), field: true, layers: state.model ? [] : part.layers};
    case 'choropleth':
      return levelOf(city, state) ? {...part, ...choroplethOf(city, state)} : null;
    case 'hotspots': {
      if (!hasHeat(subject)) return null;
      const params = hotspotsOf(city, state);
      if (state.spots === 'dbscan' || isCells(state.units)) return {...part, map: '', params: {}, shapes: address(`/hotspots/${encodeURIComponent(state.layer)}`, {...params, f: 'geojson', limit: CELLS_MOST})};
      const {units, ...rest} = params;
      return units ? {...part, map: `choropleth:${units}`, params: {...rest, layer: state.layer}} : null;
    }
    case 'coverage': {
      const column = coverageColumn(city, state.coverage), {by, datetime} = coverageOf(city, state);
      if (column && by) return {...part, map: `choropleth:${by}`, params: {stat: state.coverage, column, ...datetime && {datetime}}, layers: []};
      return {...part, map: '', params: {}, shapes: address(`/coverage/${state.coverage}`, {f: 'geojson'}), layers: []};
    }
    default: {
      const layer = layerOf(city, drawn.id.replace(/^rows:/, ''));
      if (!layer || layer.personal) return null;
      return {...part, map: layer.id, params: layer === subject ? selectionOf(city, state) : {}, layers: [layer.id]};
    }
  }
}

/** Is it units coloured by a number? @param {Part} part */
const isNumbers = (part) => part.id === 'choropleth' || (part.id === 'coverage' && !!part.map);

/**
 * What the other side of a comparison shows: both sides have one legend, made
 * from both.
 * @param {City} city @param {State} state @param {Part} part
 */
function besideOf(city, state, part) {
  const other = state.beside ?? otherState(state), layer = layerOf(city, state.layer);
  if (!other || !(part.field || isNumbers(part))) return {};
  if (part.id === 'coverage') {
    const with_datetime = part.params.datetime && coverageTime(city, {...state, time: other.time});
    return with_datetime ? {with_datetime} : {};
  }
  if (state.model && part.field) return other.time !== state.time ? {with_datetime: other.time || '../..'} : {};
  const with_datetime = hasTimes(layer) ? other.time : '';
  // All rows are a filter, too.
  return {with_datetime, with_filter: other.filter || (with_datetime ? '' : `"${layer?.id_column}" IS NOT NULL`)};
}

/**
 * All that is drawn, lowest first. A heat map over coloured units is lines, and
 * these have other colours: so both can be read.
 * @param {City} city @param {State} state @returns {Part[]}
 */
export function partsOf(city, state) {
  const parts = /** @type {Part[]} */ (drawnOf(city, state).map((d) => partOf(city, state, d)).filter((p) => p));
  const heat = parts.findIndex((p) => p.field), below = parts.some((p, i) => i < heat && isNumbers(p));
  const form = state.form || (below ? 'lines' : 'fill');
  return parts.map((part) => ({...part, params: {...part.params, ...besideOf(city, state, part),
    ...part.field && form === 'lines' && {form}, ...heat >= 0 && isNumbers(part) && {ramp: 'cool'}}}));
}

/**
 * Template of tiles that are shown 512 pixels wide. Fields are smooth: their
 * finer picture is enough for any screen.
 * @param {Part} part @param {string} palette @param {number} ratio pixels of the screen a pixel of the page
 */
export function tilesOf(part, palette, ratio) {
  const twice = part.field || ratio > 1;
  return address(`/tiles/${encodeURIComponent(part.map).replace(/%3A/g, ':')}/{z}/{x}/{y}${twice ? '@2x' : ''}.png`.replace(/%7B/g, '{').replace(/%7D/g, '}'),
    {...part.params, palette, ...(!part.field && {size: 512})});
}

/** Template of tiles of units, as fine as pictures of them. @param {string} level @param {number} ratio */
export const unitTilesOf = (level, ratio) => address(`/tiles/${encodeURIComponent(level)}/{z}/{x}/{y}${ratio > 1 ? '@2x' : ''}.units`.replace(/%7B/g, '{').replace(/%7D/g, '}'), {size: 512});

/** Template of tiles of days of points, as fine as pictures of them. @param {string} layer @param {number} ratio @param {Record<string, string>} params */
export const dotTilesOf = (layer, ratio, params) => address(`/tiles/${encodeURIComponent(layer)}/{z}/{x}/{y}${ratio > 1 ? '@2x' : ''}.days`.replace(/%7B/g, '{').replace(/%7D/g, '}'), {...params, size: 512});

/** @param {Part} part @param {string} palette @param {string} lang */
export const legendOf = (part, palette, lang) => address(`/legend/${encodeURIComponent(part.map).replace(/%3A/g, ':')}.json`,
  {...part.params, palette, ...(!part.field && {lang: lang === 'en' ? 'en' : 'zh'})});
