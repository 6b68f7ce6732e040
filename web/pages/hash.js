// @ts-check
// hash.js - the state of a page in its address, so that any view is a link.

/**
 * @typedef {object} State
 * @property {{zoom: number, latDeg: number, lonDeg: number} | null} map
 * @property {string} layer
 * @property {string} filter   CQL2 text
 * @property {string} time     FROM/TO, ISO 8601 dates; '' for all
 * @property {number} bandwidth   ground metres
 * @property {string} unit     id of the chosen unit, '' for none
 * @property {{lonDeg: number, latDeg: number} | null} at   the pinned place
 */

export const BANDWIDTHS_M = [200, 400, 800, 1600, 3200];

/** @returns {State} */
export function emptyState() {
  return {map: null, layer: '', filter: '', time: '', bandwidth: 800, unit: '', at: null};
}

/** @param {string} text @returns {number[] | null} */
function numbers(text, separator, count) {
  const parts = text.split(separator);
  const values = parts.map(Number);
  return parts.length === count && parts.every((p) => p.trim() !== '') &&
    values.every(Number.isFinite) ? values : null;
}

/**
 * What cannot be read is left at its default: an old or mistyped link still
 * opens the page.
 * @param {string} hash with or without its '#'
 * @returns {State}
 */
export function parseHash(hash) {
  const state = emptyState();
  const params = new URLSearchParams(hash.replace(/^#/, ''));
  const map = numbers(params.get('map') ?? '', '/', 3);
  if (map && map[0] >= 0 && map[0] <= 24 && Math.abs(map[1]) <= 85.06 && Math.abs(map[2]) <= 180)
    state.map = {zoom: map[0], latDeg: map[1], lonDeg: map[2]};
  const at = numbers(params.get('at') ?? '', ',', 2);
  if (at && Math.abs(at[0]) <= 180 && Math.abs(at[1]) <= 85)
    state.at = {lonDeg: at[0], latDeg: at[1]};
  state.layer = params.get('layer') ?? '';
  state.filter = params.get('filter') ?? '';
  state.unit = params.get('unit') ?? '';
  const time = params.get('time') ?? '';
  if (/^[0-9T:+.Z-]*\/[0-9T:+.Z-]*$/.test(time) && time !== '/') state.time = time;
  const bandwidth = Number(params.get('bandwidth'));
  if (bandwidth >= 10 && bandwidth <= 20000) state.bandwidth = bandwidth;
  return state;
}

/** Commas, slashes and colons are allowed in a fragment: links stay readable. */
function escape(text) {
  return encodeURIComponent(text).replace(/%2F/g, '/').replace(/%2C/g, ',').replace(/%3A/g, ':').replace(/%20/g, '+');
}

/**
 * @param {State} state
 * @returns {string} with its '#'; defaults are left out
 */
export function formatHash(state) {
  const parts = [];
  if (state.map) {
    const {zoom, latDeg, lonDeg} = state.map;
    // As many decimals as make a pixel at that zoom.
    const digits = Math.max(2, Math.ceil(zoom * Math.LN2 / Math.LN10) + 1);
    parts.push(`map=${+zoom.toFixed(2)}/${latDeg.toFixed(digits)}/${lonDeg.toFixed(digits)}`);
  }
  if (state.layer) parts.push(`layer=${escape(state.layer)}`);
  if (state.filter) parts.push(`filter=${escape(state.filter)}`);
  if (state.time) parts.push(`time=${escape(state.time)}`);
  if (state.bandwidth !== emptyState().bandwidth) parts.push(`bandwidth=${state.bandwidth}`);
  if (state.unit) parts.push(`unit=${escape(state.unit)}`);
  if (state.at) parts.push(`at=${state.at.lonDeg.toFixed(6)},${state.at.latDeg.toFixed(6)}`);
  return `#${parts.join('&')}`;
}

/** @param {string} time FROM/TO @returns {{from: string, to: string}} */
export function splitTime(time) {
  const [from = '', to = ''] = time.split('/');
  const open = (text) => (text === '..' ? '' : text.slice(0, 10));
  return {from: open(from), to: open(to)};
}

/** @param {string} from @param {string} to dates or '' @returns {string} */
export function joinTime(from, to) {
  return from || to ? `${from || '..'}/${to || '..'}` : '';
}
