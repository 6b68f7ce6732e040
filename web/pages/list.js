// @ts-check
// list.js - the rows behind a number, as people read them: which columns there
// are, what they are called, and what stands in them. Of rows of a layer and of
// lists of patrols; the wall, the analyst's page and sheets for paper have it
// from here. Pure.

import {columnTitle, columnUnit, stateTitle} from './columns.js';
import {labelPlace} from './geometry.js';
import {momentOf} from './text.js';

/**
 * @typedef {import('./names.js').Names} Names
 * @typedef {object} About   what is known of the city
 * @property {string} lang
 * @property {Names} names
 * @property {string[]} levels   finest first
 * @property {string | null} [asOf]   dates of its year are told without it
 * @property {Record<string, string>} [graded]   the column with the level that visits are owed by, of each layer
 *
 * @typedef {object} Column
 * @property {string} id
 * @property {string} title
 * @property {string} [unit]
 * @property {boolean} [wordy]   words, not a number
 * @property {string} [className]
 * @property {(row: any) => number | string | null} of   by what rows are sorted, and what a file holds
 * @property {(row: any) => string} cell   what is shown
 * @property {(row: any) => string} [note]   below it, smaller
 *
 * @typedef {{layer: string, coverage: boolean, filter: string, time: string, sort: string, params: URLSearchParams}} Asked
 */

/** Columns of what a row is called, the first that a layer has. */
const NAMED = ['name', 'title', 'text', 'item'];
/** Columns that say of which other row or person it is: numbers of registers, which stand behind what can be read. */
const KEYS = new Set(['building', 'address', 'target_id', 'worker', 'organisation', 'code', 'phone', 'signup_url']);
/** Columns that are a page long, or say where it is in another way. */
const LEFT_OUT = new Set(['lon', 'lat', 'matters', 'signup_url', 'layer', 'key', 'risk', 'geometry']);
/** Columns of a list of patrols, as whoever walks it asks. */
const PATROL = ['level', 'class', 'overdue_days', 'visits', 'last'];

/** Where nothing is, as a step that has not been made; and where something is that nobody knows. */
export const NOTHING = '–', UNKNOWN = '?';

/**
 * What an address of rows asks for: /collections/LAYER/items?... or
 * /coverage/patrol?rows=true&...; null: it is none.
 * @param {string} address @returns {Asked | null}
 */
export function readAsked(address) {
  const m = /^\/(?:collections\/([^/?#]+)\/items|coverage\/(patrol))(?:\?([^#]*))?$/.exec(address);
  if (!m) return null;
  const params = new URLSearchParams(m[3] ?? ''), coverage = !!m[2];
  if (coverage && params.get('rows') !== 'true') return null;
  return {layer: coverage ? params.get('layer') ?? '' : decodeURIComponent(m[1]), coverage, filter: params.get('filter') ?? '', time: params.get('datetime') ?? '', sort: params.get('sortby') ?? '', params};
}

/** Rows of an answer; total: of all pages. @param {any} answer @returns {{total: number | null, sums: Record<string, number>, rows: any[], next: string}} */
export function rowsOf(answer) {
  if (!answer.features) return {total: answer.numberMatched ?? null, sums: answer.sums ?? {}, rows: answer.rows ?? [], next: ''};
  const next = answer.links?.find((l) => l.rel === 'next')?.href ?? '';
  return {total: answer.numberMatched ?? null, sums: {}, next, rows: answer.features.map((f) => ({...f.properties, id: f.id ?? f.properties.id, geometry: f.geometry}))};
}

/** Where a row is. @param {any} row @returns {{lonDeg: number, latDeg: number} | null} */
export function placeOf(row) {
  if (typeof row.lon === 'number' && typeof row.lat === 'number') return {lonDeg: row.lon, latDeg: row.lat};
  const {type, coordinates} = row.geometry ?? {};
  if (type === 'Point') return {lonDeg: coordinates[0], latDeg: coordinates[1]};
  const line = type === 'LineString' ? coordinates : type === 'MultiLineString' ? coordinates[0] : null;
  if (line?.length) return {lonDeg: line[line.length >> 1][0], latDeg: line[line.length >> 1][1]};
  const at = /Polygon$/.test(type ?? '') ? labelPlace(row.geometry) : null;
  return at && {lonDeg: at.lonDeg, latDeg: at.latDeg};
}

/**
 * What a catalog (/catalog?lang=) says that lists need.
 * @param {string} lang @param {Names} names @param {any} catalog @returns {About}
 */
export function aboutOf(lang, names, catalog) {
  const levels = catalog.layers.filter((l) => l.unit_level).sort((a, b) => b.rows - a.rows).map((l) => l.unit_level);
  return {lang, names, levels, asOf: catalog.as_of, graded: Object.fromEntries((catalog.duty?.targets ?? []).map((t) => [t.layer, t.level]))};
}

/** How near one looks at a row on the map. */
const ROW_ZOOM = 17;
/** The analyst's page with a row pinned. @param {string} lang @param {string} layer @param {any} row */
export function mapOf(lang, layer, row) {
  const at = placeOf(row);
  if (!at) return '';
  const [lon, lat] = [at.lonDeg.toFixed(6), at.latDeg.toFixed(6)];
  return `/analyst?lang=${lang}#map=${ROW_ZOOM}/${lat}/${lon}&layer=${encodeURIComponent(layer)}&layers=${encodeURIComponent(layer)}&at=${lon},${lat}`;
}

const ISO = /^\d{4}-\d\d-\d\d(T|$)/;

/** Words, a number, a moment, or nothing. @param {About} about @param {string} layer @param {string} column @param {any} value @param {boolean} known   of each row there is one, told or not */
function written({lang, names, asOf}, layer, column, value, known) {
  if (value === null || value === undefined || value === '') return known ? UNKNOWN : NOTHING;
  if (typeof value === 'boolean') return stateTitle(lang, value ? 'yes' : 'no');
  if (column === 'target_layer') return names.value(layer, column, value);
  const said = names.value(layer, column, value);
  if (said !== String(value)) return said;
  if (typeof value === 'number') return column === 'built' ? String(value) : value.toLocaleString('en-US', {maximumFractionDigits: 2});
  if (ISO.test(value)) return momentOf(lang, value, asOf);
  return typeof value === 'object' ? JSON.stringify(value) : said;
}

/** The units that a row lies in: the finest, and of those above it what its name does not say. @param {About} about @param {any} row */
export function whereOf({lang, names, levels}, row) {
  const units = levels.filter((level) => row[level]).map((level) => names.unit(level, row[level]));
  const told = units.filter((name, i) => !units.slice(0, i).some((finer) => finer.includes(name)));
  return lang === 'en' ? told.join(', ') : told.reverse().join('');
}

/** @param {About} about @param {string} layer @param {string} id @param {any[]} rows @returns {Column} */
function columnOf(about, layer, id, rows) {
  const one = rows.find((r) => typeof r[id] === 'number')?.[id], counts = one !== undefined && about.names.value(layer, id, one) === String(one);
  const known = one !== undefined || (id !== 'target_layer' && about.names.titled(layer, id));
  return {id, title: columnTitle(about.lang, id), unit: counts ? columnUnit(about.lang, id) : '', wordy: !counts, of: (r) => r[id] ?? null, cell: (r) => written(about, layer, id, r[id], known)};
}

/** @param {About} about @returns {Column} */
const whereColumn = (about) => ({id: 'where', title: columnTitle(about.lang, 'where'), wordy: true, className: 'where', of: (r) => whereOf(about, r) || null, cell: (r) => whereOf(about, r) || NOTHING});

/**
 * Columns of the rows of a layer: what it is, where it is, what is said of it,
 * and its keys.
 * @param {About} about @param {string} layer @param {any[]} rows @returns {Column[]}
 */
export function layerColumns(about, layer, rows) {
  const there = [...new Set(rows.flatMap((r) => Object.keys(r)))].filter((c) => !LEFT_OUT.has(c) && rows.some((r) => r[c] !== null && r[c] !== '' && r[c] !== undefined));
  const first = NAMED.find((c) => there.includes(c)), own = there.filter((c) => c !== 'id' && c !== first && !KEYS.has(c) && !about.levels.includes(c));
  const column = (id) => columnOf(about, layer, id, rows), units = about.levels.some((level) => there.includes(level));
  return [...first ? [{...column(first), className: 'what'}] : [], ...units ? [whereColumn(about)] : [], ...own.map(column), ...there.filter((c) => KEYS.has(c)).map(column), {...column('id'), className: 'id'}];
}

/**
 * Columns of a list of patrols: where one goes, of which level, how it stands.
 * @param {About} about @returns {Column[]}
 */
export function patrolColumns(about) {
  const {lang, names} = about, level = (r) => r.level === null ? UNKNOWN : names.value(r.layer, about.graded?.[r.layer] ?? 'level', r.level);
  const of = {
    level: {wordy: true, of: (r) => r.level, cell: level},
    class: {wordy: true, of: (r) => r.class, cell: (r) => stateTitle(lang, r.class)},
    overdue_days: {unit: columnUnit(lang, 'overdue_days'), of: (r) => r.overdue_days || null, cell: (r) => r.class === 'overdue' ? String(r.overdue_days) : NOTHING},
    visits: {unit: columnUnit(lang, 'visits'), of: (r) => r.done, cell: (r) => `${r.done} / ${r.due}`},
    last: {wordy: true, of: (r) => r.last, cell: (r) => r.last ? momentOf(lang, r.last, about.asOf) : stateTitle(lang, 'never')},
  };
  return [{id: 'what', title: columnTitle(lang, 'place'), wordy: true, className: 'what', of: (r) => r.address || r.name || r.id, cell: (r) => r.address || r.name || r.id},
    ...PATROL.map((id) => ({id, title: columnTitle(lang, id === 'visits' ? 'done_due' : id), ...of[id]})), whereColumn(about), {id: 'id', title: columnTitle(lang, 'id'), wordy: true, className: 'id', of: (r) => r.id, cell: (r) => r.id}];
}

/** @param {About} about @param {Asked} asked @param {any[]} rows */
export const columnsOf = (about, asked, rows) => asked.coverage ? patrolColumns(about) : layerColumns(about, asked.layer, rows);
