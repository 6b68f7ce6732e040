// @ts-check
// app.js - the analyst's page: opens it, and puts state, map and panes together.

import {ProblemError, getJson, search} from '../api.js';
import {$, element} from '../dom.js';
import {boundsOf} from '../geometry.js';
import {aboutOf} from '../list.js';
import {Live} from '../live.js';
import {Names} from '../names.js';
import {SearchBox} from '../search.js';
import {filterProblem, lastDays} from '../text.js';
import {Answers} from './answers.js';
import {Behind} from './behind.js';
import {Caption} from './caption.js';
import {Drawing} from './drawing.js';
import {helpDialog} from './help.js';
import {isArrow, meansOf, moveByKey, movesMap, openMap} from './map.js';
import {otherState} from './other.js';
import {PANES} from './panes.js';
import {refusalOf} from './refusals.js';
import {subjectsOf} from './layers.js';
import {drawnOf, hasHeat, layerOf, levelOf, levelsOf, partsOf} from './shown.js';
import {Sides} from './sides.js';
import {Steps} from './steps.js';
import {formatHash, parseHash, Store} from './state.js';
import {Trail} from './trail.js';
import {words as wordsTold} from '../profile/words.js';
import {languageOf, words, writing} from './words.js';
import {readingAt, whereOf} from './why.js';

/** Answers of the search that are listed, and how near one goes to what was
 *  chosen: a house, things of a kind, or a unit of the coarsest, the next, the finest level. */
const FOUND_MOST = 8, FOUND_ZOOM = 17, KIND_ZOOM = 15, UNIT_ZOOMS = [12, 14, 15];
/** How long the pointer rests before the place is asked for. */
const REST_MS = 120;
/** Numbers follow changes, however many there are, at this pace. */
const NEWS_MS = 2000;

const lang = languageOf(location.search, navigator.languages ?? [navigator.language]);
const say = words(lang), told = wordsTold(lang), write = writing(lang);
const state = new Store(parseHash(location.hash));

/** @type {import('./shown.js').City & {title: string, synthetic: boolean, clock: string | null, sequence: number}} */
let city;
/** @type {import('./map.js').AnyMap | null} */
let theMap = null;
/** @type {((map: import('./map.js').AnyMap) => void)[]} */
const mapWaits = [];
/** @type {{pane: any, mounted: any, node: HTMLElement, tab?: HTMLElement}[]} */
const mounted = [];
/** @type {((layer: string | null) => void)[]} */
const newsHearers = [];
/** @type {Caption} */
let caption;
/** @type {Drawing} */
let drawing;
/** @type {Sides} */
let sides;
/** @type {Steps} */
let steps;
/** @type {Answers} */
let answers;
let held = false;
const behind = new Behind((on) => {
  document.body.classList.toggle('behind', on);
  $('behind').hidden = !on;
});

/* ---- questions ---- */

/* Of questions that overtake each other only the last one's answer counts. */
/** @type {Record<string, AbortController>} */
const running = {};
async function ask(name, work) {
  running[name]?.abort();
  const {signal} = running[name] = new AbortController(), end = behind.begin(name);
  try {
    await work(signal);
  } catch (error) {
    if (!signal.aborted) failed(error, name);
  } finally {
    end();
  }
}

/** What was asked about is not there any more: its answer would be of nothing. @param {string} name */
const drop = (name) => running[name]?.abort();

/** What is wrong, in words. @param {any} error */
function textOf(error) {
  if (error instanceof TypeError) return say('no_answer');
  if (error.parameter === 'filter') {
    const {character, text} = filterProblem(state.now.filter, error.message, error.at);
    const plain = refusalOf(lang, text);
    return character ? say('at_character', {n: character, text: plain}) : plain;
  }
  if (/from is not before to/.test(error.message)) return say('reversed');
  if (error.status === 401) return say('sign_in');
  if (error.status === 429 || error.status === 503) return say('busy_now');
  return refusalOf(lang, error.message);
}

/** @param {any} error @param {string} name of the question */
function failed(error, name) {
  const text = textOf(error);
  if (!(error instanceof ProblemError) && !(error instanceof TypeError)) console.warn(error);
  // What stood there was of another place.
  if (name === 'value') caption.showReading(null);
  if (name === 'legend') caption.node.classList.add('stale');
  let shown = false;
  for (const m of mounted) shown = m.mounted?.problem?.(error, name, text) || shown;
  if (!shown) notice(text);
}

/** @param {string | null} text */
function notice(text) {
  $('notice').hidden = !text;
  $('notice-text').textContent = text ?? '';
}

/** @type {import('./panes.js').Context} */
const context = {
  state, lang, say, told, write, ask, drop, textOf,
  get city() { return city; },
  get steps() { return steps; },
  nameOf: (part) => drawing.name(part),
  get: getJson,
  palette: () => document.documentElement.dataset.theme === 'light' ? 'light' : 'dark',
  subject: () => layerOf(city, state.now.layer),
  level: () => levelOf(city, state.now) ?? '',
  withMap: (act) => { theMap ? act(theMap) : mapWaits.push(act); },
  choose, open: openPane,
  announce: (text) => { $('announce').textContent = text; },
  onNews: (hear) => { newsHearers.push(hear); },
  answerAt: (place, units, signal) => answers.at(place, units, signal),
  drawn: (side) => drawing.all(side === 'B' ? otherState(state.now) : null),
  prepare: (patch) => Promise.all([drawing.prepare(patch), sides.prepare(patch)]),
  lastDays(days) {
    const end = city.clock ?? context.subject()?.extent?.temporal?.interval?.[0]?.[1];
    return days && end ? lastDays(end, days) : '';
  },
  moving: (on) => behind.move(on),
  hold: (on) => {
    held = on;
    if (!on) tellChange(new Set(['time']));
  },
};

/* ---- panes ---- */

function mountPanes() {
  for (const pane of PANES) {
    const title = pane.title(say);
    if (pane.side === 'query') {
      const body = element('div', {className: 'fold-body'});
      const node = element('details', {className: 'fold', open: true}, element('summary', {}, title, ...pane.key ? [element('kbd', {}, pane.key.toUpperCase())] : []), body);
      $('query').append(node);
      mounted.push({pane, node, mounted: pane.mount(body, context)});
    } else if (pane.side === 'period') {
      mounted.push({pane, node: $('period'), mounted: pane.mount($('period'), context)});
    } else {
      const node = element('div', {className: 'tab-body', id: `pane-${pane.id}`, role: 'tabpanel', tabIndex: -1, hidden: true});
      const tab = element('button', {type: 'button', className: 'plain tab', id: `tab-${pane.id}`, role: 'tab', onclick: () => {
        // Whoever asks again is answered again.
        if (open === pane.id) mounted.find((m) => m.pane === pane)?.mounted?.show?.();
        else openPane(pane.id);
      }}, title);
      tab.setAttribute('aria-controls', node.id);
      node.setAttribute('aria-labelledby', tab.id);
      $('tabs').append(tab);
      $('result').append(node);
      mounted.push({pane, node, tab, mounted: pane.mount(node, context)});
    }
  }
  $('tabs').onkeydown = (e) => {
    const tabs = [...$('tabs').children], by = {ArrowRight: 1, ArrowLeft: -1}[e.key], i = tabs.indexOf(document.activeElement);
    if (!by || i < 0) return;
    e.preventDefault();
    tabs[(i + by + tabs.length) % tabs.length].click();
    tabs[(i + by + tabs.length) % tabs.length].focus();
  };
  showPane();
}

const results = () => mounted.filter((m) => m.tab);

/** @param {string} id */
function openPane(id) {
  const found = mounted.find((m) => m.pane.id === id);
  if (!found) return;
  unfold(found.tab ? 'r' : found.pane.side === 'query' ? 'q' : '');
  if (found.tab) state.update({pane: id});
  else if (found.node instanceof HTMLDetailsElement) found.node.open = true;
}

/** What is opened is not folded away. @param {string} letter of its side */
const unfold = (letter) => { if (letter && state.now.fold.includes(letter)) fold(letter); };

let open = '';
function showPane() {
  const wanted = results().some((m) => m.pane.id === state.now.pane) ? state.now.pane : results()[0]?.pane.id;
  for (const m of results()) {
    const on = m.pane.id === wanted;
    m.tab.setAttribute('aria-selected', String(on));
    m.tab.tabIndex = on ? 0 : -1;
    m.node.hidden = !on;
  }
  if (wanted === open) return;
  results().find((m) => m.pane.id === open)?.mounted?.hide?.();
  open = wanted;
  results().find((m) => m.pane.id === open)?.mounted?.show?.();
}

/** @param {Set<string>} changed */
function tellChange(changed) {
  for (const {pane, mounted: m, tab} of mounted) {
    if (tab && pane.id !== open) continue;
    // While it is played, numbers rest but for the bars.
    if (held && changed.size === 1 && changed.has('time') && pane.side !== 'period') continue;
    m?.change?.(state.now, changed);
  }
}

/* ---- the state's hearers ---- */

/** Fields that change the picture. */
const DRAWN = ['layer', 'layers', 'filter', 'time', 'model', 'kernel', 'bandwidth', 'halflife', 'weight', 'per', 'units', 'stat', 'column', 'spots', 'coverage', 'form'];
/** And those of the other side. */
const BESIDE = ['compare', 'other', 'split'];

const trail = new Trail(state, (next) => {
  if (!city) return;
  if (!layerOf(city, next.layer)) next.layer = state.now.layer;
  flyTo = '';
  state.update(next);
  const view = next.map ?? firstView;
  if (view) theMap?.go(view, 0);
});
/** Where the map was before anybody moved it. @type {import('./state.js').State['map']} */
let firstView = null;

state.subscribe((now, changed) => {
  notice(null);
  if (changed.has('layer')) showSubject();
  tellChange(changed);
  if (changed.has('pane')) showPane();
  if ([...DRAWN, ...BESIDE].some((name) => changed.has(name))) {
    drawing.draw();
    sides.update();
  }
  if (changed.has('fold')) showFolds();
  if (changed.has('at')) {
    theMap?.pin(now.at);
    if (now.at) read(now.at, true);
    else {
      drop('value');
      caption.showReading(null);
    }
  } else if (now.at && DRAWN.some((name) => changed.has(name))) read(now.at, true);
  if (changed.has('unit') || changed.has('units') || changed.has('layer')) outlineUnit();
});

function showSubject() {
  const layer = context.subject();
  if (!layer) return;
  document.title = `${write.title(layer)} · ${city.title} · onemap`;
  showAsOf(layer.as_of);
}

/** @param {string | undefined} asOf */
function showAsOf(asOf) {
  if (!asOf) return;
  $('as-of').textContent = write.moment(asOf);
  $('as-of').dateTime = asOf;
}

/* ---- units and places ---- */

/** @param {string} id @param {boolean} [fly] */
function choose(id, fly = false) {
  flyTo = fly ? id : '';
  state.update({unit: id});
}
let flyTo = '';

function outlineUnit() {
  const {unit} = state.now, level = city.layers.find((l) => l.unit_level && l.unit_level === context.level());
  if (!unit || !level) {
    drop('unit');
    return context.withMap((map) => map.outline('unit', null));
  }
  ask('unit', async (signal) => {
    const feature = await getJson(`/collections/${encodeURIComponent(level.id)}/items/${encodeURIComponent(unit)}`, signal);
    context.withMap((map) => {
      map.outline('unit', [feature], {line: '--choice', width: 3});
      if (flyTo === unit && feature.geometry) map.go({box: boundsOf(feature.geometry), most: 15});
      flyTo = '';
    });
  });
}

let resting = 0;
/** @param {import('./map.js').Place} place @param {boolean} pinned */
function onPoint(place, pinned) {
  clearTimeout(resting);
  if (pinned) state.update({at: place});
  else if (!state.now.at && matchMedia('(hover: hover)').matches) resting = window.setTimeout(() => read(place, false), REST_MS);
}

/** What stands there: the field's value and what the uppermost analysis says. @param {import('./map.js').Place} place @param {boolean} pinned */
function read(place, pinned) {
  ask('value', async (signal) => {
    const reading = await readingAt(context, place, theMap?.tileZoom() ?? 14, signal), {field} = reading;
    if (signal.aborted) return;
    const answer = await answers.at(place, reading.units ?? {}, signal), where = whereOf(reading, city) || (city.levels.length ? say('outside') : '');
    if (signal.aborted) return;
    const drawn = drawnOf(city, state.now).some((d) => d.id === 'heat');
    const value = field && {value: reading.value === null ? '?' : write.about(reading.value), unit: write.unit(reading), step: drawn && !steps.on ? reading.pixel?.step : undefined,
      more: reading.within ? say('within', {m: reading.within.radius_m, n: write.exact(reading.within.count)}) : ''};
    // What is drawn is what is told first.
    const told = answer && (!drawn || !value) ? {value: answer.value, unit: answer.unit, more: answer.name, lines: answer.lines, where} : drawn && reading.problem ? {value: '?', unit: '', more: '', lines: [reading.problem], where} : value ? {...value, lines: answer ? [[answer.name, answer.value, answer.unit].filter((t) => t).join(' '), ...answer.lines] : [], where} : {value: '', unit: '', more: '', where};
    caption.showReading(told, pinned);
    const unit = reading.units?.[context.level()]?.id;
    if (pinned && place === state.now.at && unit && unit !== state.now.unit) trail.follow(() => choose(unit));
  });
}

/** Go to what was found. @param {import('../api.js').Found} found */
function goTo(found) {
  const place = {lonDeg: found.lon, latDeg: found.lat}, level = city.layers.find((l) => l.id === found.layer)?.unit_level;
  if (found.id === null && level) return state.update({units: level});
  if (found.filter !== undefined) {
    context.withMap((map) => map.go({...place, zoom: Math.max(map.view().zoom, KIND_ZOOM)}));
    return state.update({layer: found.layer, filter: found.filter, layers: [{id: found.layer, opacity: 100}], unit: '', at: null});
  }
  const depth = level ? city.levels.length - 1 - city.levels.indexOf(level) : -1;
  if (level && level === context.level()) return choose(found.id, true);
  context.withMap((map) => map.go({...place, zoom: Math.max(map.view().zoom, UNIT_ZOOMS[depth] ?? FOUND_ZOOM)}));
  state.update({at: place, unit: found[context.level()]?.id ?? ''});
}

/* ---- keys, theme, language ---- */

/** Is it typed in? @param {any} on */
const isText = (on) => on.tagName === 'TEXTAREA' || (on.tagName === 'INPUT' && !['radio', 'checkbox', 'range'].includes(on.type));
/** Does its list lie open? Then all keys are its own. @param {Element} on */
const isOpenList = (on) => on.tagName === 'SELECT' && CSS.supports('selector(:open)') && on.matches(':open');
/** What has arrows of its own, and the map itself. */
const OWN_ARROWS = 'input:not([type=checkbox]), select, [role=tab], [role=slider], [role=region]', MAP_ITSELF = '.maplibregl-canvas, .drawing';

/* Keys are heard wherever nobody types: in list boxes, too, where arrows choose. */
function onKey(e) {
  const on = document.activeElement ?? document.body;
  if (e.isComposing || isOpenList(on) || document.querySelector('dialog[open]')) return;
  if (e.key === 'Escape') return escape(on);
  if (isText(on) || e.defaultPrevented || e.ctrlKey || e.metaKey || e.altKey) return;
  if (movesMap(e.key)) {
    // A page that is longer than its window is scrolled by arrows.
    const taken = on.matches(MAP_ITSELF) || (isArrow(e.key) && (on.closest(OWN_ARROWS) || document.documentElement.scrollHeight > innerHeight + 1));
    if (!theMap || taken) return;
    e.preventDefault();
    return moveByKey(theMap, e.key);
  }
  const key = e.key.toLowerCase(), act = {'/': () => $('search').focus(), ...KEYS}[key] ?? mounted.filter((m) => m.pane.key === key).map((m) => () => {
    openPane(m.pane.id);
    m.mounted?.act?.();
    // Whoever opens it by a key goes on by keys in it, or on the map where one draws.
    if (!m.node.contains(document.activeElement) && document.activeElement?.className !== 'drawing') m.node.focus({preventScroll: true});
  })[0];
  if (!act) return;
  e.preventDefault();
  act();
}

/** @type {Record<string, () => void>} */
const KEYS = {
  '?': () => $('help').click(),
  h() {
    openPane('layers');
    const drawn = drawnOf(city, state.now);
    if (!drawn.some((d) => d.id === 'heat')) state.update({layers: [...drawn, {id: 'heat', opacity: 85}]});
    const pane = mounted.find((m) => m.pane.id === 'layers')?.node;
    (document.querySelector('input[name="bandwidth"]:checked') ?? pane?.querySelector('input, select'))?.focus();
  },
  u() {
    const levels = levelsOf(city, context.subject()), next = levels[(levels.indexOf(context.level()) + 1) % levels.length];
    if (!next) return;
    state.update({units: next, unit: ''});
    context.announce(say('units_now', {name: write.title(city.layers.find((l) => l.unit_level === next) ?? {id: next})}));
  },
  '[': () => fold('q'),
  ']': () => fold('r'),
};

/** @param {string} letter */
function fold(letter) {
  const {fold} = state.now;
  state.update({fold: [...'qrp'].filter((l) => l === letter ? !fold.includes(l) : fold.includes(l)).join('')});
}

function showFolds() {
  const {fold} = state.now;
  for (const [letter, name, open, shut] of [['q', 'query', '‹', '›'], ['r', 'result', '›', '‹']]) {
    document.body.classList.toggle(`no-${name}`, fold.includes(letter));
    $(`fold-${name}`).textContent = fold.includes(letter) ? shut : open;
    $(`fold-${name}`).setAttribute('aria-expanded', String(!fold.includes(letter)));
  }
  theMap?.resize();
  sides?.b?.resize();
}

/** Out of what is typed or chosen in to the map; there, what is pinned is let go. @param {Element} on */
function escape(on) {
  if (isText(on) || on.tagName === 'SELECT') theMap?.focus();
  else if (state.now.at) state.update({at: null});
}

function setTheme(name) {
  document.documentElement.dataset.theme = name;
  $('theme').textContent = say(name === 'light' ? 'dark' : 'light');
  try {
    localStorage.setItem('theme', name);
  } catch { /* private windows may refuse; the choice then lasts as long as the page */ }
  theMap?.paint();
  sides?.b?.paint();
  if (drawing) drawing.draw();
  sides?.update();
}

function firstTheme() {
  try {
    const kept = localStorage.getItem('theme');
    if (kept) return kept;
  } catch { /* as above */ }
  return matchMedia('(prefers-color-scheme: light)').matches ? 'light' : 'dark';
}

/** The words of the page's own elements. */
function speak() {
  document.documentElement.lang = lang;
  for (const node of document.querySelectorAll('[data-say]')) node.textContent = say(/** @type {any} */ (node).dataset.say);
  for (const name of ['aria-label', 'placeholder', 'title'])
    for (const node of document.querySelectorAll(`[data-say-${name}]`)) node.setAttribute(name, say(/** @type {any} */ (node.getAttribute(`data-say-${name}`))));
}

function wire() {
  new SearchBox({input: $('search'), list: $('found')}, {
    find: (text, signal) => search(text, {near: state.now.map ?? undefined, limit: FOUND_MOST}, signal).then((found) => city.names.found(found)),
    choose: goTo,
    leave: () => theMap?.focus(),
    title: (found) => write.title(layerOf(city, found.layer) ?? {id: found.kind}),
    name: (found) => (lang === 'en' && (found.name_en ?? (found.name === found.title ? found.title_en : null))) || found.name,
    levels: city.levels,
  });
  $('theme').onclick = () => setTheme(context.palette() === 'light' ? 'dark' : 'light');
  $('language').onclick = () => {
    const url = new URL(location.href);
    url.searchParams.set('lang', lang === 'en' ? 'zh-CN' : 'en');
    url.hash = formatHash(state.now);
    location.assign(url);
  };
  const help = helpDialog([{key: '/', text: say('key_search')}, ...PANES.filter((p) => p.key).map((p) => ({key: p.key.toUpperCase(), text: p.title(say)})), {key: 'H', text: say('key_heat')}, {key: 'U', text: say('key_units')},
    {key: '← ↑ ↓ →', text: say('key_pan')}, {key: '+ −', text: say('key_zoom')}, {key: 'L ← ↑ ↓ → ␣ ⏎', text: say('key_lasso')}, {key: '[ ]', text: say('key_fold')}, {key: 'Esc', text: say('key_escape')}], say);
  $('help').onclick = () => help.showModal();
  $('fold-query').onclick = () => fold('q');
  $('fold-result').onclick = () => fold('r');
  $('notice-close').onclick = () => notice(null);
  window.addEventListener('keydown', onKey);
}

/* ---- what changes in the city ---- */

/** @type {Set<string | null>} */
const newsWaiting = new Set();
let newsDue = 0, newClasses = false;
/** @param {string | null} layer @param {boolean} whole   may it have other classes? */
function newsSoon(layer, whole) {
  newsWaiting.add(layer);
  newClasses ||= whole;
  if (!newsDue) newsDue = window.setTimeout(() => {
    newsDue = 0;
    const layers = newsWaiting.has(null) ? [null] : [...newsWaiting];
    newsWaiting.clear();
    answers.forget();
    if (newClasses) drawing.again();
    newClasses = false;
    for (const one of layers) for (const hear of newsHearers) hear(one);
  }, NEWS_MS);
}

const line = {broken: false, silent: false};
/** A line that is lost is said quietly, at once; numbers that may be old are not. */
function showLine() {
  const {broken, silent} = line;
  $('silence').hidden = !broken && !silent;
  $('silence').classList.toggle('quiet', !silent);
  $('silence').textContent = silent ? say('old_data', {t: $('as-of').textContent}) : broken ? say('reconnecting') : '';
}

function askAgain() {
  notice(null);
  drawing.again();
  theMap?.refresh('', null);
  sides.b?.refresh('', null);
  newsSoon(null, false);
}

function startLive() {
  $('sequence').textContent = `#${city.sequence}`;
  new Live({
    onNews: (news) => {
      $('sequence').textContent = `#${news.sequence}`;
      for (const [name, touched] of Object.entries(news.layers ?? {})) {
        theMap?.refresh(name, touched);
        sides.b?.refresh(name, touched);
        if (name === state.now.layer) showAsOf(news.as_of);
        newsSoon(name, !touched.level && partsOf(city, state.now).some((p) => !p.layers.length || p.layers.includes(name)));
      }
    },
    onReset: (news) => {
      $('sequence').textContent = `#${news.sequence}`;
      theMap?.refresh('', null);
      sides.b?.refresh('', null);
      newsSoon(null, true);
    },
    onSilence: (silent) => {
      line.silent = silent;
      showLine();
      if (!silent && !line.broken) askAgain();
    },
    // What was asked while nobody answered is asked again.
    onBroken: (broken) => {
      line.broken = broken;
      showLine();
      if (!broken) askAgain();
    },
  }, city.sequence);
}

/* ---- start ---- */

/** Whom reach is told of: those who are weighed, or where whoever asks does not see their numbers the rows that they are of. @param {any[]} layers @param {any} service of /catalog */
function reachOf(layers, service) {
  const {layer = '', weight = ''} = service?.population ?? {};
  return {layer, weighed: !weight || !!layers.find((l) => l.id === layer)?.columns.some((c) => c.name === weight)};
}

async function load() {
  const [about, {collections}, catalog] = await Promise.all([getJson('/?f=json'), getJson('/collections'), getJson(lang === 'en' ? '/catalog?lang=en' : '/catalog')]);
  const looks = new Map((catalog.layers ?? []).map((l) => [l.name, l]));
  const layers = collections.map((l) => ({...looks.get(l.id), ...l}));
  const models = (catalog.maps ?? []).filter((m) => m.kind === 'heat' && m.name.startsWith('heat:') && !layers.some((l) => `heat:${l.id}` === m.name)).map((m) => ({...m, name: m.name.slice('heat:'.length)}));
  let said = null;
  // What lists are told in: names of units, which in Chinese nothing else needs.
  const lists = () => (said ??= getJson(`/catalog?lang=${lang === 'en' ? 'en' : 'zh'}`).then((told) => aboutOf(lang, new Names(lang, told), told)).catch((error) => {
    said = null;
    throw error;
  }));
  const names = new Names(lang, {...catalog, layers: catalog.layers ?? []});
  /** @type {Promise<void> | null} */
  let learnt = null;
  // Cells are told by the names of the units that they lie in.
  const ownNames = () => (learnt ??= lang !== 'en' ? Promise.resolve() : getJson('/catalog?lang=zh').then((own) => names.learn(own.names ?? {})).catch((error) => {
    learnt = null;
    throw error;
  }));
  return {...about, layers, models, lists, names, ownNames, exposures: catalog.exposures ?? {}, duty: !!catalog.duty?.visits, service: !!catalog.service?.layer, reach: reachOf(layers, catalog.service)};
}

async function start() {
  const linked = state.now;
  speak();
  setTheme(firstTheme());
  const means = meansOf(location.search);
  // Loaded while the city is asked about.
  import(means === 'gl' ? './map_gl.js' : './map_pictures.js').catch(() => {});
  city = await load();
  const subjects = subjectsOf(city);
  if (!subjects.length) throw new Error(say('no_rows'));
  if (!subjects.some((l) => l.id === state.now.layer))
    state.now = {...state.now, layer: (subjects.find((l) => l.id === 'hazard') ?? subjects.reduce((a, b) => a.rows > b.rows ? a : b)).id};
  $('city').textContent = lang === 'en' && city.title_en || city.title;
  $('synthetic').hidden = !city.synthetic;
  caption = new Caption($('caption'), context);
  drawing = new Drawing(context, caption);
  steps = new Steps(context, drawing, () => sides.drawing);
  drawing.onShown = () => steps.shown('A');
  newsHearers.push((layer) => { if (layer === null || layer === state.now.layer) steps.forget(); });
  const coarse = city.layers.find((l) => l.unit_level && l.unit_level === city.levels.at(-1));
  const box = (coarse ?? context.subject())?.extent?.spatial.bbox[0] ?? [113.5, 22.6, 114.3, 23.2];
  answers = new Answers(context);
  drawing.onShapes = (features) => {
    answers.features = features;
    if (state.now.at && features.length) read(state.now.at, true);
  };
  drawing.onMonths = () => {
    answers.forget();
    tellChange(new Set(['coverage']));
    drawing.draw();
    sides.update();
  };
  const how = {view: state.now.map, box, say, label: say('map')}, handlers = {
    onMove: (view) => state.update({map: view}),
    onPoint,
    onBusy: (busy) => { $('busy').hidden = !busy; },
  };
  sides = new Sides(context, means, how, handlers);
  sides.onShown = () => steps.shown('B');
  const opened = openMap(means, $('map'), how, sides.following('a', handlers)).then((map) => {
    theMap = sides.a = map;
    firstView = map.view();
    $('means').textContent = map.kind === 'pictures' ? say('pictures') : '';
    map.pin(state.now.at);
    for (const act of mapWaits.splice(0)) act(map);
    sides.update();
    return drawing.open(map);
  });
  showSubject();
  wire();
  mountPanes();
  showFolds();
  document.body.classList.add('there');
  outlineUnit();
  if (state.now.at) read(state.now.at, true);
  trail.save();
  startLive();
  await opened;
  // A link to rows leads to them where they lie below the map.
  if (linked.table === 'rows' && $('result').getBoundingClientRect().top > innerHeight / 2) $('result').scrollIntoView();
}

start().catch((error) => {
  console.warn(error);
  notice(textOf(error));
});
