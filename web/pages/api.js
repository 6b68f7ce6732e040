// @ts-check
// api.js - how the server is asked, and what it says of a city.

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
 * @property {boolean} [rows_withheld]   from whoever looks
 * @property {boolean} [columns_withheld]   some of them
 * @property {string} [base]   what it is on the base map: water, road, building
 * @property {string} [as_of]
 * @property {{name: string, type: string, unit?: boolean}[]} columns
 * @property {{spatial: {bbox: [number, number, number, number][]}, temporal?: {interval: [string | null, string | null][]}}} [extent]
 *
 * @typedef {{id: string | null, name?: string, count: number | null}} Group   null: not told
 * @typedef {{kind: string, layer: string, id: string, name: string | null, text: string, lon: number, lat: number,
 *   score: number, matched: string, [level: string]: any}} Found   of each level: {id, name} or null; of a kind
 *   (id null) what takes its rows, and how many there are: filter, count
 * @typedef {{results: Found[], sure?: boolean, incomplete?: boolean}} Answers   sure: the first is what was meant
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

/** What is at an address, as JSON. With `form`, what is asked is in the body and in no address. @param {string} path @param {AbortSignal} [signal] @param {URLSearchParams} [form] @returns {Promise<any>} */
export async function getJson(path, signal, form) {
  const response = await fetch(path, {signal, method: form ? 'POST' : 'GET', body: form, cache: 'no-cache', headers: {Accept: 'application/json, application/geo+json'}});
  if (response.ok) return response.json();
  throw new ProblemError(response.status, await response.json().catch(() => ({})));
}

/** Rows as they are asked for; as the server has them where it cannot put them into that order. @param {string} path @param {AbortSignal} [signal] @returns {Promise<any>} */
export async function getRows(path, signal) {
  try {
    return await getJson(path, signal);
  } catch (error) {
    if (!(error instanceof ProblemError) || error.parameter !== 'sortby') throw error;
    return getJson(path.replace(/([?&])sortby=[^&]*&?/, '$1'), signal);
  }
}

/** @param {Record<string, string | number | undefined>} params leaves out what is empty */
function form(params) {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(params))
    if (value !== undefined && value !== '') search.set(name, String(value));
  return search;
}

/** @param {Record<string, string | number | undefined>} params */
function query(params) {
  const text = form(params).toString();
  return text ? `?${text}` : '';
}

/** @returns {Promise<City>} */
export const getCity = () => getJson('/?f=json');

/** @returns {Promise<Layer[]>} */
export const getLayers = async () => (await getJson('/collections')).collections;

/**
 * Names and addresses by what somebody types; of equals the nearest first.
 * @param {string} text @param {{near?: {lonDeg: number, latDeg: number}, limit: number}} how @param {AbortSignal} [signal]
 * @returns {Promise<Answers>}
 */
export const search = (text, {near, limit}, signal) => getJson(
  '/search', signal, form({q: text, limit, lon: near?.lonDeg.toFixed(6), lat: near?.latDeg.toFixed(6)}));
