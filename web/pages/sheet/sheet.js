// @ts-check
// sheet.js - the overdue list of one unit for whoever walks it: asked for,
// laid out for paper. The address says which: unit=LEVEL:ID, layer, lang.

import {address} from '../analyst/shown.js';
import {ProblemError, getJson} from '../api.js';
import {$, element} from '../dom.js';
import {Names} from '../names.js';
import {exact, lastDay} from '../text.js';
import {rowsSheet} from './rows.js';
import {say, titleOf, when} from './words.js';

/** Rows of one sheet: more than a month's walk, some fifty pages. */
const ROWS_MOST = 1000;
/** How near an address is that tells where a shop is; and how many are asked for at a time. */
const NEAR_M = 60, NEAR_AT_ONCE = 4;
/** Units of one choice. */
const UNITS_MOST = 5000;

const params = new URLSearchParams(location.search);
/** @type {import('./words.js').Language} */
const lang = params.get('lang') === 'en' ? 'en' : 'zh-CN';
const tell = (key, values) => say(lang, key, values);
document.documentElement.lang = lang;

/** @type {{levels: string[], synthetic: boolean, as_of: string, duty: any}} */
let city;
/** @type {any[]} */
let layers = [];
/** @type {Names} */
let names;
/** The column with the level that visits are owed by. @param {string} layer */
const graded = (layer) => city.duty?.targets.find((t) => t.layer === layer)?.level ?? 'level';
const layerOf = (name) => layers.find((l) => l.id === name);
const unitLayer = (level) => layers.find((l) => l.unit_level === level);
const itemsOf = (level) => `/collections/${encodeURIComponent(unitLayer(level)?.id ?? '')}/items`;
/** @param {{level: string, id: string}} unit */
const filterOf = ({level, id}) => `"${level}" = '${id.replaceAll("'", "''")}'`;

/** The unit of the address. @returns {{level: string, id: string} | null} */
function chosen() {
  const [level, id] = (params.get('unit') ?? '').split(/:(.*)/s);
  return id && city.levels.includes(level) ? {level, id} : null;
}

/** Another sheet: a link, so that going back works. @param {Record<string, string>} change '' removes */
function addressWith(change) {
  const next = new URLSearchParams(params);
  for (const [name, value] of Object.entries(change)) value ? next.set(name, value) : next.delete(name);
  return `/sheet?${next.toString().replace(/%3A/g, ':')}`;
}

/** What is asked for. @param {{level: string, id: string}} unit @param {string} form */
const listAddress = (unit, form) => address('/coverage/patrol', {rows: 'true', state: 'overdue', f: form, layer: params.get('layer') ?? '', filter: filterOf(unit)});

/** @param {string} title @param {string} text @param {boolean} [again] */
function showMessage(title, text, again = false) {
  $('sheet').replaceChildren(element('div', {className: 'message', role: 'status'}, element('h1', {}, title), element('p', {}, text),
    ...(again ? [element('button', {type: 'button', onclick: () => location.reload()}, tell('again'))] : [])));
}

/** @param {any} error */
function showFailure(error) {
  if (error instanceof ProblemError && error.status === 401) return showMessage(tell('forbidden'), `${tell('forbidden_why')} ${tell('no_token')}`);
  if (error instanceof ProblemError && error.status === 404) return showMessage(tell('forbidden'), tell('forbidden_why'));
  showMessage(tell('title'), tell('failed', {why: error instanceof TypeError ? (lang === 'en' ? 'the server does not answer' : '服务器没有回答') : error.message}), true);
}

/* ---- controls */

/** A choice; its address is gone to. @param {string} label @param {[string, string][]} options value and text @param {string} value @param {(value: string) => string} to */
function select(label, options, value, to) {
  const box = element('select', {onchange: (e) => location.assign(to(e.target.value))},
    ...options.map(([v, text]) => element('option', {value: v}, text)));
  box.value = value;
  return element('label', {}, label, box);
}

/** Units of a level within those chosen above. @param {string} level @param {{level: string, id: string} | null} within */
async function unitsOf(level, within) {
  const about = unitLayer(level), has = (name) => about?.columns.some((c) => c.name === name);
  if (!about) return [];
  const rows = await getJson(address(itemsOf(level), {limit: UNITS_MOST, filter: within && has(within.level) ? filterOf(within) : '', properties: has('name') ? 'name' : about.id_column}));
  return rows.features.map((f) => ({id: String(f.id), name: names.unit(level, String(f.id), f.properties.name)})).sort((a, b) => a.name.localeCompare(b.name, lang, {numeric: true}));
}

/** @param {string} level @param {string} id */
const unitRow = async (level, id) => (await getJson(`${itemsOf(level)}/${encodeURIComponent(id)}`)).properties;

/** The unit and those it lies in, coarsest first. @param {{level: string, id: string}} unit */
async function pathOf(unit) {
  const row = await unitRow(unit.level, unit.id), above = city.levels.slice(city.levels.indexOf(unit.level) + 1).filter((level) => row[level]);
  const called = (level, id, own) => ({level, id, own: own ?? id, name: names.unit(level, id, own)});
  const parents = await Promise.all(above.map(async (level) => called(level, String(row[level]), (await unitRow(level, row[level]).catch(() => null))?.name)));
  return [...parents.reverse(), {...called(unit.level, unit.id, row.name), code: row.code}];
}

/** @param {{level: string, id: string}[]} path */
async function showControls(path) {
  const selects = [];
  /** @type {{level: string, id: string} | null} */
  let within = null;
  for (const level of [...city.levels].reverse()) {
    const at = path.find((p) => p.level === level);
    const units = await unitsOf(level, within);
    selects.push(select(titleOf(lang, unitLayer(level) ?? {name: level}), [['', tell('none_chosen')], ...units.map((u) => /** @type {[string, string]} */ ([u.id, u.name]))],
      at?.id ?? '', (id) => addressWith({unit: id ? `${level}:${id}` : within ? `${within.level}:${within.id}` : ''})));
    if (!at) break;
    within = at;
  }
  const targets = (city.duty?.targets ?? []).map((t) => layerOf(t.layer)).filter(Boolean);
  if (targets.length > 1)
    selects.push(select(tell('what'), [['', tell('all')], ...targets.map((l) => /** @type {[string, string]} */ ([l.id, titleOf(lang, l)]))],
      params.get('layer') ?? '', (name) => addressWith({layer: name})));
  const unit = chosen();
  $('controls').replaceChildren(...selects, element('span', {className: 'push'},
    languageLink(), ...(unit ? sheetTools(listAddress(unit, 'csv'), `overdue-${unit.id}.csv`) : [])));
}

/* ---- the sheet */

const COLUMNS = ['number', 'place', 'kind', 'level', 'last', 'days', 'visits', 'result', 'note'];
const NUMBERS = ['number', 'days', 'visits'];

/** An address as it is told below a heading that names the places that it begins with. @param {string} text @param {any[]} path */
const within = (text, path) => path.reduce((rest, {own}) => (rest.includes(own) ? rest.slice(rest.indexOf(own) + own.length) : rest), text) || text;

/** @param {any} row @param {number} i @param {any[]} path */
function tableRow(row, i, path) {
  const about = layerOf(row.layer);
  const cells = {
    number: String(i + 1),
    place: element('div', {className: 'place'}, element('span', {className: 'name'}, row.address || row.name || row.id),
      element('span', {className: 'id'}, row.address && row.name ? `${row.name} · ${row.id}` : row.id),
      ...(row.near ? [element('span', {className: 'near'}, tell('near', {address: within(row.near, path)}))] : [])),
    kind: titleOf(lang, about ?? {name: row.layer}),
    level: names.value(row.layer, graded(row.layer), row.level ?? '?'),
    last: when(row.last) || tell('never'),
    days: exact(row.overdue_days),
    visits: `${row.done} / ${row.due}`,
    result: element('div', {className: 'boxes'}, ...['visited', 'nobody', 'refused', 'hazard'].map((key) => element('span', {}, tell(key)))),
    note: '',
  };
  return element('tr', {}, ...COLUMNS.map((c) => element('td', {className: NUMBERS.includes(c) ? 'number' : ''}, cells[c])));
}

/* Shops have a name but no address of their own: the nearest one, if it is near. */
async function findNear(rows) {
  const lost = rows.filter((r) => !r.address && Number.isFinite(r.lon));
  await Promise.all(Array.from({length: NEAR_AT_ONCE}, async () => {
    for (let row; (row = lost.pop());) {
      const found = await getJson(address('/reverse', {lon: row.lon, lat: row.lat})).catch(() => null);
      if (found?.address?.distance_m <= NEAR_M) row.near = found.address.text;
    }
  }));
}

/** @param {any} answer @param {any[]} path */
function showSheet(answer, path) {
  // A grid whose name begins with its village's says both.
  const where = path.filter((p, i) => !path.slice(i + 1).some((q) => q.name.includes(p.name))).map((p) => p.name).join(' · ');
  const unit = path.at(-1), all = answer.rows.length, rows = answer.rows.slice(0, ROWS_MOST);
  document.title = `${tell('title')} ${unit.name} ${when(answer.at)}`;
  if (!rows.length) return showMessage(path.map((p) => p.name).join(' · '), tell('empty'));
  const columns = element('colgroup', {}, ...COLUMNS.map((c) => element('col', {className: `c-${c}`})));
  const line = (...parts) => element('div', {className: 'line'}, ...parts.map((p) => (typeof p === 'string' ? element('span', {}, p) : p)));
  const head = element('th', {className: 'head', colSpan: COLUMNS.length, scope: 'colgroup'},
    line(element('h1', {}, `${tell('title')} · ${where}`), rows.length < all ? tell('total_of', {n: exact(all), m: exact(rows.length)}) : tell('total', {n: exact(all)}), ...(city.synthetic ? [element('span', {className: 'synthetic'}, tell('synthetic'))] : [])),
    line(unit.code ? `${unit.code}` : unit.id, `${tell('period')} ${when(answer.from)} – ${lastDay(answer.to)}`, `${tell('judged')} ${when(answer.at, true)}`,
      ...(city.as_of ? [`${tell('as_of')} ${when(city.as_of, true)}`] : [])),
    line(...['worker', 'date', 'signature'].map((key) => element('span', {className: 'fill'}, tell(key)))));
  $('sheet').replaceChildren(element('table', {}, columns,
    element('thead', {}, element('tr', {}, head), element('tr', {}, ...COLUMNS.map((c) => element('th', {scope: 'col', className: NUMBERS.includes(c) ? 'number' : ''}, tell(c))))),
    element('tbody', {}, ...rows.map((row, i) => tableRow(row, i, path))),
    element('tfoot', {}, element('tr', {}, element('td', {colSpan: COLUMNS.length}, tell('page_note'))))));
}

/** Buttons of a sheet. @param {string} csv @param {string} name of the file */
function sheetTools(csv, name) {
  const copy = element('button', {type: 'button', onclick: async () => {
    await navigator.clipboard.writeText(location.href);
    copy.textContent = tell('copied');
    setTimeout(() => { copy.textContent = tell('copy'); }, 2000);
  }}, tell('copy'));
  return [element('a', {className: 'button', href: csv, download: name}, tell('csv')), copy, element('button', {type: 'button', className: 'main', id: 'print', onclick: () => print()}, tell('print'))];
}

const languageLink = () => element('a', {className: 'button', href: addressWith({lang: lang === 'en' ? '' : 'en'}), lang: lang === 'en' ? 'zh-CN' : 'en'}, tell('language'));

/** The rows of a list of its own. @param {string} list */
async function showRows(list) {
  document.title = tell('rows');
  document.body.classList.add('listing');
  showMessage(tell('rows'), tell('loading'));
  $('controls').replaceChildren(element('span', {className: 'push'}, languageLink()));
  const [about, catalog] = await Promise.all([getJson('/?f=json'), getJson('/catalog')]);
  const sheet = await rowsSheet(list, lang, {...about, as_of: catalog.as_of});
  if (!sheet) return showMessage(tell('rows'), tell('no_list'));
  document.title = sheet.title;
  $('sheet').replaceChildren(...sheet.nodes);
  $('controls').replaceChildren(element('span', {className: 'push'}, languageLink(), ...sheetTools(sheet.csv, 'rows.csv')));
}

async function start() {
  const list = params.get('list');
  if (list) return showRows(list);
  document.title = tell('title');
  showMessage(tell('title'), tell('loading'));
  const [about, {collections}, catalog] = await Promise.all([getJson('/?f=json'), getJson('/collections'), getJson(lang === 'en' ? '/catalog?lang=en' : '/catalog')]);
  const looks = new Map(catalog.layers.map((l) => [l.name, l]));
  names = new Names(lang, catalog);
  city = {...about, duty: catalog.duty, as_of: catalog.as_of};
  layers = collections.map((l) => ({...looks.get(l.id), ...l}));
  if (!catalog.duty?.targets?.length) return showMessage(tell('title'), tell('no_duty'));
  const unit = chosen();
  const path = unit ? await pathOf(unit).catch(() => null) : [];
  await showControls(path ?? []);
  if (!path) return showMessage(tell('title'), tell('missing'));
  if (!unit || unit.level !== city.levels[0]) return showMessage(tell('choose'), path.map((p) => p.name).join(' · '));
  const answer = await getJson(listAddress(unit, 'json'));
  await findNear(answer.rows.slice(0, ROWS_MOST));
  showSheet(answer, path);
}

start().catch(showFailure).finally(() => { document.body.dataset.ready = 'yes'; });
