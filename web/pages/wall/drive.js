// @ts-check
// drive.js - a second screen: what a wall can be told, as buttons for a hand.

import {getJson, search} from '../api.js';
import {aboutOf} from '../list.js';
import {Names} from '../names.js';
import {SearchBox} from '../search.js';
import {HEARS, numbersOf} from './numbers.js';
import {element, setText} from './panels.js';
import {Moment, NUMBERED, plan} from './plan.js';
import {tableOf} from './rows.js';
import {Store} from './store.js';
import {HIDDEN, date, say, title} from './words.js';

/** Answers of a search that are listed. */
const FOUND_MOST = 8;
/** What a number is waited for. */
const PATIENCE_MS = 60000;

/** @param {string} wall @param {Record<string, string>} what */
async function tell(wall, what) {
  const response = await fetch(`/walls/${encodeURIComponent(wall)}?${new URLSearchParams(what)}`, {method: 'POST'});
  if (response.ok) return '';
  const problem = await response.json().catch(() => ({}));
  return problem.detail ?? `HTTP ${response.status}`;
}

/** @param {import('./plan.js').Catalog} catalog @param {string} wall @param {import('./words.js').Language} lang */
export function drive(catalog, wall, lang) {
  document.documentElement.lang = lang;
  document.title = `${say(lang, 'drive')} ${wall}`;
  document.body.className = 'drive';
  const said = element('p', {role: 'status', class: 'said'});
  const plain = (text, act) => {
    const node = element('button', {type: 'button'}, text);
    node.addEventListener('click', act);
    return node;
  };
  const button = (text, what, also = () => {}) => plain(text, async () => {
    also();
    setText(said, await tell(wall, what) || say(lang, 'sent', {w: wall, p: text}));
  });
  const numbers = new Numbers(catalog, lang);
  const panels = /** @type {const} */ (['register', 'loop', 'patrol', 'premises', 'checks', 'participation', 'service', 'sources', 'ranking']);
  const keys = /** @type {const} */ (['back', 'pause', 'next', 'whole', 'replay', 'close']);
  const main = element('main', {}, element('h1', {}, `${say(lang, 'drive')} ${wall}`),
    catalog.synthetic ? element('p', {class: 'synthetic'}, say(lang, 'synthetic')) : '',
    finder(catalog, wall, lang, said, numbers), said,
    element('section', {'aria-label': say(lang, 'tour')}, ...keys.map((k) => button(say(lang, /** @type {any} */ (`key_${k}`)), {press: k}))),
    element('section', {'aria-label': say(lang, 'panels')}, ...panels.map((p, i) => button(`${i + 1} ${say(lang, p)}`, {press: String(i + 1)}, () => numbers.show(NUMBERED[i + 1]))),
      plain(say(lang, 'map'), () => numbers.show(['map']))),
    numbers.node,
    element('section', {'aria-label': say(lang, 'places'), id: 'places'}));
  document.body.replaceChildren(main);
  places(catalog, wall, lang, said, numbers);
}

/** The numbers of a panel as they are now, each with its rows for whoever may see them. */
class Numbers {
  /** @param {import('./plan.js').Catalog} catalog @param {import('./words.js').Language} lang */
  constructor(catalog, lang) {
    Object.assign(this, {catalog, lang});
    this.node = element('div', {id: 'numbers', 'aria-live': 'polite'});
    this.stopped = new AbortController();
  }

  /** What lists say, in the page's language: asked for once. */
  get how() {
    const {lang} = this;
    this.said ??= getJson(`/catalog?lang=${lang === 'en' ? 'en' : 'zh'}`).then((catalog) => ({lang, about: aboutOf(lang, new Names(lang, catalog), catalog), withheld: (layer) => !!catalog.layers.find((l) => l.name === layer)?.columns_withheld}));
    this.said.catch(() => { this.said = null; });
    return this.said;
  }

  /** @param {string[]} keys   of panels, or the map */
  async show(keys) {
    const {lang, node} = this;
    this.stopped.abort();
    const {signal} = this.stopped = new AbortController();
    node.replaceChildren(element('p', {class: 'quiet'}, say(lang, 'loading')));
    try {
      // What the wall is of may be another by now: as it is today, and of when.
      const catalog = await getJson('/catalog', signal), {questions, parts} = plan(catalog, '', lang), now = new Moment(catalog.as_of ?? new Date().toISOString());
      const store = new Store({now: () => now, onAnswer: () => {}});
      signal.addEventListener('abort', () => store.close());
      const ask = async (list) => {
        store.add(list);
        await store.whole(PATIENCE_MS);
      };
      await ask(questions.filter((q) => keys.some((k) => HEARS[k](q.key))));
      const month = keys.includes('checks') && parts.checks?.latest(store.value(parts.checks.total));
      if (month) await ask(parts.checks.later(month));
      store.close();
      if (signal.aborted) return;
      const of = {...parts, open: parts.loop}, urlOf = (key) => questions.find((q) => q.key === key)?.url(now) ?? '';
      const {about: {names}} = await this.how;
      if (signal.aborted) return;
      const entries = keys.filter((k) => of[k]).flatMap((key) => numbersOf(key, {part: of[key], store, lang, now: () => now, urlOf, names}));
      node.replaceChildren(element('p', {class: 'quiet'}, `${say(lang, 'as_of')} ${date(lang, now, true)}`),
        element('ul', {class: 'numbers'}, ...entries.map((e) => this.line(e))), ...(entries.some((e) => e.value === HIDDEN) ? [element('p', {class: 'quiet'}, say(lang, 'dot'))] : []));
    } catch (error) {
      if (!signal.aborted) node.replaceChildren(element('p', {role: 'alert'}, error.message));
    }
  }

  /** @param {import('./numbers.js').Entry} entry */
  line({text, value, rows, sum}) {
    const {lang} = this;
    if (!rows) return element('li', {}, element('span', {}, text), element('b', {}, value), element('span', {class: 'quiet'}, say(lang, 'no_rows')));
    const open = element('button', {type: 'button', 'aria-expanded': 'false'}, say(lang, 'rows')), item = element('li', {}, element('span', {}, text), element('b', {}, value), open);
    open.addEventListener('click', async () => {
      const there = item.querySelector('.rows');
      open.setAttribute('aria-expanded', String(!there));
      if (there) return there.remove();
      const room = element('div', {class: 'rows'}, element('p', {class: 'quiet'}, say(lang, 'loading')));
      item.append(room);
      room.replaceChildren(await this.how.then((how) => tableOf(rows, sum, how, this.stopped.signal)).catch((error) => this.stopped.signal.aborted ? '' : element('p', {role: 'alert'}, error.message)));
    });
    return item;
  }
}

/** A box for an address or a name, where the wall's map is to go. */
function finder(catalog, wall, lang, said, numbers) {
  const input = element('input', {type: 'search', maxlength: 170, autocomplete: 'off', spellcheck: 'false', 'aria-label': say(lang, 'find'), placeholder: say(lang, 'find')});
  const list = element('ul', {id: 'found', 'aria-label': say(lang, 'found')}), layers = new Map(catalog.layers.map((l) => [l.name, l]));
  const levels = catalog.layers.filter((l) => l.unit_level).sort((a, b) => b.rows - a.rows).map((l) => l.unit_level);
  new SearchBox({input: /** @type {HTMLInputElement} */ (input), list}, {levels,
    find: (text, signal) => Promise.all([search(text, {limit: FOUND_MOST}, signal), numbers.how]).then(([found, {about}]) => about.names.found(found)),
    title: (found) => layers.has(found.layer) ? title(lang, layers.get(found.layer)) : '',
    choose: async (found) => {
      const level = layers.get(found.layer)?.unit_level;
      setText(said, await tell(wall, level && found.id !== null ? {level, unit: found.id} : {lon: String(found.lon), lat: String(found.lat)}) || say(lang, 'sent', {w: wall, p: found.name}));
    }});
  return element('div', {class: 'search', role: 'search'}, input, list);
}

/** Units from the coarsest level down: each choice fills the next list. */
async function places(catalog, wall, lang, said, numbers) {
  const levels = catalog.layers.filter((l) => l.unit_level).sort((a, b) => a.rows - b.rows);
  const room = document.getElementById('places');
  let turn = {};
  const show = async (i, parent) => {
    const mine = turn = {};
    while (room.children.length > i) room.lastElementChild.remove();
    if (i >= levels.length) return;
    const level = levels[i], filter = parent ? `&${encodeURIComponent(levels[i - 1].unit_level)}=${encodeURIComponent(parent)}` : '';
    const response = await fetch(`/collections/${encodeURIComponent(level.name)}/items?limit=1000&properties=id,name${filter}`);
    if (!response.ok) return;
    const {features} = await response.json();
    const {about: {names}} = await numbers.how;
    // Another one may have been chosen meanwhile.
    if (mine !== turn) return;
    const called = (f) => names.unit(level.unit_level, String(f.id ?? f.properties.id), f.properties.name);
    const units = features.map((f) => ({id: f.id ?? f.properties.id, name: called(f)})).sort((a, b) => a.name.localeCompare(b.name, lang, {numeric: true}));
    const select = element('select', {}, element('option', {value: ''}, '…'), ...units.map((u) => element('option', {value: u.id}, u.name)));
    select.addEventListener('change', async () => {
      if (!select.value) return;
      const unit = select.value;
      show(i + 1, unit);
      const name = select.selectedOptions[0].text;
      setText(said, await tell(wall, {level: level.unit_level, unit}) || say(lang, 'sent', {w: wall, p: name}));
    });
    room.append(element('label', {}, title(lang, level), select));
  };
  show(0, '');
}
