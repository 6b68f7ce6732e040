// @ts-check
// api.js - every address and every fetch: the only place that knows the server.

/**
 * @typedef {object} City
 * @property {string} title
 * @property {boolean} synthetic
 * @property {string | null} clock
 * @property {number} sequence   of the data that it speaks of
 * @property {string[]} levels   units, finest first
 *
 * @typedef {object} Layer
 * @property {string} id
 * @property {string} title
 * @property {string} [title_en]
 * @property {'point' | 'line' | 'polygon'} geometry
 * @property {number} rows
 * @property {string} id_column
 * @property {string | null} time_column
 * @property {string} [unit_level]
 * @property {boolean} [personal]   about single persons: counts by unit only
 * @property {string} [base]   what it is on the base map: water, road, building
 * @property {string} [as_of]
 * @property {{name: string, type: string, unit?: boolean}[]} columns
 * @property {{spatial: {bbox: [number, number, number, number][]}}} [extent]
 *
 * @typedef {{id: string | null, name?: string, count: number}} Group
 * @typedef {{count: number, groups?: Group[]}} Stats
 * @typedef {{unit: string, rows: number, total: number, steps: {from: number, color: string, opacity: number}[]}} Legend
 * @typedef {{value: number, unit: string, pixel: {value: number, step: number}, within: {radius_m: number, count: number}, units: Record<string, {id: string, name: string | null} | null>}} Reading
 * @typedef {{layer: string, filter: string, time: string, bandwidth: number}} Question
 * @typedef {{kind: string, layer: string, id: string, name: string | null, text: string, lon: number, lat: number,
 *   score: number, matched: string, [level: string]: any}} Found   of each level: {id, name} or null
 * @typedef {{results: Found[], incomplete?: boolean}} Answers
 */

/** What a server says is wrong, with the parameter that it is about. */
export class ProblemError extends Error {
  /** @param {number} status @param {{detail?: string, title?: string, parameter?: string, at?: number}} problem */
  constructor(status, problem) {
    super(problem.detail ?? problem.title ?? `HTTP ${status}`);
    this.status = status;
    this.parameter = problem.parameter;
    this.at = problem.at;
  }
}

/** @param {string} path @param {AbortSignal} [signal] */
async function getJson(path, signal) {
  const response = await fetch(path, {signal, cache: 'no-cache', headers: {Accept: 'application/json, application/geo+json'}});
  if (response.ok) return response.json();
  throw new ProblemError(response.status, await response.json().catch(() => ({})));
}

/** @param {Record<string, string | number | undefined>} params leaves out what is empty */
function query(params) {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(params))
    if (value !== undefined && value !== '') search.set(name, String(value));
  const text = search.toString();
  return text ? `?${text}` : '';
}

/** @param {Question} q */
const selection = (q) => ({filter: q.filter, datetime: q.time});
/** @param {Question} q */
const field = (q) => ({...selection(q), bandwidth: q.bandwidth});

/** @returns {Promise<City>} */
export const getCity = () => getJson('/?f=json');

/** @returns {Promise<Layer[]>} */
export const getLayers = async () => (await getJson('/collections')).collections;

/**
 * Rows as GeoJSON.
 * @param {string} layer
 * @param {{bbox?: number[], limit: number}} how
 * @param {AbortSignal} [signal]
 */
export const getItems = (layer, {bbox, limit}, signal) => getJson(
  `/collections/${encodeURIComponent(layer)}/items${query({bbox: bbox?.map((v) => v.toFixed(6)).join(','), limit})}`,
  signal);

/** @param {Question} q @param {string | undefined} by unit, column or step; none: only the total @param {AbortSignal} [signal] @returns {Promise<Stats>} */
export const getStats = (q, by, signal) =>
  getJson(`/stats/${encodeURIComponent(q.layer)}${query({by, ...selection(q)})}`, signal);

/** @param {Question} q @param {string} palette @param {AbortSignal} [signal] @returns {Promise<Legend>} */
export const getLegend = (q, palette, signal) =>
  getJson(`/legend/heat:${encodeURIComponent(q.layer)}.json${query({...field(q), palette})}`, signal);

/**
 * @param {Question} q
 * @param {{lonDeg: number, latDeg: number, zoom: number}} place
 * @param {AbortSignal} [signal]
 * @returns {Promise<Reading>}
 */
export const getValue = (q, {lonDeg, latDeg, zoom}, signal) => getJson(
  `/value${query({name: `heat:${q.layer}`, lon: lonDeg.toFixed(7), lat: latDeg.toFixed(7), z: zoom, ...field(q)})}`,
  signal);

/** Template of the heat tiles. @param {Question} q @param {string} palette @param {number} scale 1 or 2 */
export const heatTiles = (q, palette, scale) =>
  `${location.origin}/tiles/heat:${encodeURIComponent(q.layer)}/{z}/{x}/{y}${scale > 1 ? '@2x' : ''}.png${query({...field(q), palette})}`;

/**
 * Names and addresses by what somebody types; of equals the nearest first.
 * @param {string} text @param {{near?: {lonDeg: number, latDeg: number}, limit: number}} how @param {AbortSignal} [signal]
 * @returns {Promise<Answers>}
 */
export const search = (text, {near, limit}, signal) => getJson(
  `/search${query({q: text, limit, lon: near?.lonDeg.toFixed(6), lat: near?.latDeg.toFixed(6)})}`, signal);
