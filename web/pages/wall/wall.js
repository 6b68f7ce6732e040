// @ts-check
// wall.js - puts the wall together: the city's plan, its panels, the map, the
// stream, the tour; and keeps it running for months.

import {Live} from '../live.js';
import {boundsOf, labelPlace} from '../geometry.js';
import {Names} from '../names.js';
import {token} from './charts.js';
import {layout, meet, readWall} from './layout.js';
import {Overlay, nearer} from './overlay.js';
import {element, makePanels, setText} from './panels.js';
import {Marks} from './marks.js';
import {gradeName} from './numbers.js';
import {aroundOf, sentenceOf, spotsOf, unitSentence} from './places.js';
import {BLOCKS, Moment, NUMBERED, hotspotsIn, plan} from './plan.js';
import {Replay} from './replay.js';
import {Hours, mayReload, readHour, untilTime} from './schedule.js';
import {Store} from './store.js';
import {FLY_MS, Tour} from './tour.js';
import {HIDDEN, count, date, say, thoughtsOf, title} from './words.js';

const $ = (id) => /** @type {HTMLElement} */ (document.getElementById(id));
const params = new URLSearchParams(location.search);
/** @type {import('./words.js').Language} */
const lang = params.get('lang') === 'en' ? 'en' : 'zh-CN';

const WAIT_MS = 3000, WAIT_MOST_MS = 60000;
/** Workers are counted again so long after some have moved. */
const CREW_MS = 5000;
/** The map waits for numbers no longer than so. */
const SOON_MS = 2000;
/** A panel that was enlarged goes back by itself. */
const LARGE_MS = 60000;
/** How often it is asked whether the page should begin anew. */
const REST_MS = 60000;
/** What a replay shows as it stood; the rest is of now, and paler. */
const REPLAYED = new Set(['loop', 'open']);
/** Panels that tell all of theirs exactly, once they are large. */
const TOLD = new Set(['ranking', 'patrol', 'premises', 'open']);
const KNOWN_MOST = 400, LATEST = 3;
/** Software draws a moving map no larger than so. */
const SOFTWARE_PX = 2.5e6;
/** Letters of the sentence, in units. */
const SENTENCE_U = 2, SENTENCE_LEAST_U = 1;
/** Reports, marks and legend are no higher, where words may go. */
const BELOW_MOST_U = 8;
/** How many lines the panels that stand over the map have at least, and would like; letters of a panel on a small screen, in units. */
const LINES_LEAST = 18, LINES = {ranking: 41, open: 28}, LINES_ELSE = 22, LARGE_LEAST_U = 0.85;
/** What is shown around a place that somebody asked for. */
const NEAR_DEG = 0.002, NEAR_ZOOM = 16;
/** Keys that move the map; a replay ends with them. */
const GOING = new Set([' ', 'ArrowRight', 'ArrowLeft', 'Home']);

/** @param {HTMLElement} node @param {import('./layout.js').Rect} r */
function putAt(node, r) {
  Object.assign(node.style, {left: `${r.x}px`, top: `${r.y}px`, width: `${r.w}px`, height: `${r.h}px`});
  return node;
}

/** @param {string} url */
async function getJson(url) {
  const response = await fetch(url, {cache: 'no-cache'});
  if (!response.ok) throw new Error(`${response.status} ${url}`);
  return response.json();
}

/** As often as it takes. @param {() => Promise<any>} what */
async function insist(what) {
  for (let ms = WAIT_MS; ; ms = Math.min(2 * ms, WAIT_MOST_MS)) {
    try {
      return await what();
    } catch (error) {
      console.warn(error.message);
      setText($('wait'), say(lang, 'no_city'));
      await new Promise((resolve) => setTimeout(resolve, ms * (0.75 + Math.random() / 2)));
    }
  }
}

/** Is there WebGL2 that a wall of this size can be drawn with? */
function drawsMaps() {
  try {
    const gl = document.createElement('canvas').getContext('webgl2'), about = gl?.getExtension('WEBGL_debug_renderer_info');
    const bySoftware = !!about && /SwiftShader|llvmpipe|Basic Render/i.test(gl.getParameter(about.UNMASKED_RENDERER_WEBGL));
    return !!gl && !(bySoftware && innerWidth * innerHeight > SOFTWARE_PX);
  } catch {
    return false;
  }
}

/** The wall's name for second screens: of the address, or made up and kept while the window is open. */
function wallId() {
  const given = params.get('id') ?? '';
  if (/^[A-Za-z0-9]{4,16}$/.test(given)) return given;
  const kept = sessionStorage.getItem('wall');
  if (kept) return kept;
  const id = Array.from(crypto.getRandomValues(new Uint8Array(8)), (b) => 'ABCDEFGHJKLMNPQRSTUVWXYZ23456789'[b % 32]).join('');
  sessionStorage.setItem('wall', id);
  return id;
}

class Wall {
  /** @param {import('./plan.js').Catalog} catalog @param {any} units   of the coarsest level, as GeoJSON */
  constructor(catalog, units) {
    this.catalog = catalog;
    this.units = units;
    this.clock = new Moment(catalog.as_of ?? new Date().toISOString());
    // Who may see one unit only is not told of the city.
    const [only, ...others] = units?.features ?? [], [coarse] = catalog.layers.filter((l) => l.unit_level).sort((a, b) => a.rows - b.rows);
    this.area = only && !others.length ? new Names(lang, catalog).unit(coarse.unit_level, only.properties.id ?? only.id, only.properties.name) : '';
    this.plan = plan(catalog, this.area, lang);
    this.part = this.plan.parts;
    this.names = new Names(lang, catalog);
    /** The city's own name. */
    this.title = (lang === 'en' && catalog.title_en) || catalog.title;
    this.still = params.get('motion') === 'no' || matchMedia('(prefers-reduced-motion: reduce)').matches;
    this.startedMs = this.newsMs = performance.now();
    /** @type {Set<string> | null} */
    this.known = null;
    this.id = wallId();
    /** In which hours something happens: kept beyond the page. */
    this.hours = new Hours(localStorage.getItem('wall-hours'));
    this.large = '';
    /** Levels by which workers may be told, the finest first. */
    this.crewLevels = [...this.part.map.levels].reverse();
    /** Somebody looks at a place of their own. */
    this.held = false;
    /** Id of the place that is told and marked, as it is seen; null: the whole city, '': somebody's own. @type {string | null} */
    this.shown = null;
    /** Where the map is sent, and what was asked for last. */
    this.target = /** @type {[number[] | null, number?]} */ ([null]);
    this.sent = {};
    /** @type {any} */
    this.shrink = null;
    this.store = new Store({now: () => this.clock, onAnswer: (key) => this.hear(key)});
    /** @param {string} key   what a panel shows */
    this.momentOf = (key) => (REPLAYED.has(key) && this.replay?.then) || this.clock;
    this.standing = makePanels(this.plan, this.store, lang, this.names, this.momentOf);
    /** Those that stand over the map for a while, once more and larger: their places are never empty. @type {import('./panels.js').Panel[]} */
    this.over = [];
    $('panels').append(...this.panels.map((p) => p.node));
    this.tour = new Tour((place) => this.visit(place));
  }

  /** All that are there. */
  get panels() {
    return [...this.standing, ...this.over];
  }

  async begin() {
    this.say();
    const box = this.units?.features.length ? this.units.features.filter((f) => f.geometry).map((f) => boundsOf(f.geometry))
      .reduce((a, b) => [Math.min(a[0], b[0]), Math.min(a[1], b[1]), Math.max(a[2], b[2]), Math.max(a[3], b[3])]) : [113.5, 22.6, 114.3, 23.2];
    this.box = box;
    this.replay = new Replay(this);
    this.lay();
    this.overlay = new Overlay(/** @type {HTMLCanvasElement} */ ($('overlay')), (lon, lat) => this.map.project(lon, lat));
    this.overlay.still = this.still;
    this.marks = this.overlay.marks = new Marks(this.part.map.hazards, box, () => this.marked());
    this.store.add(this.plan.questions);
    // Numbers come before pictures, which take all that a machine without graphics has.
    await this.store.settled(SOON_MS);
    await this.open(params.get('map') === 'pictures' || (params.get('map') !== 'gl' && !drawsMaps()));
    await this.map.ready;
    this.marks.load();
    this.places();
    this.label();
    this.tour.start();
    this.live = new Live({onNews: (n) => this.changed(n), onReset: (n) => this.reset(n), onSilence: (s) => this.stale(s), onDrive: (n) => this.drive(n)},
      this.catalog.sequence ?? null, undefined, this.id);
    this.listen();
    setText($('wait'), '');
    document.body.dataset.ready = 'yes';
  }

  /** The one map: living, or pictures of the server. @param {boolean} pictures */
  async open(pictures) {
    const Kind = pictures ? (await import('./still.js')).StillMap : (await import('./map.js')).LiveMap;
    try {
      this.map = new Kind($('map'), this.part.map, this.box);
    } catch (error) {
      if (pictures) throw error;
      console.warn(error.message);
      return this.open(true);
    }
    this.overlay.under = pictures ? (c) => this.map.paint(c) : null;
    this.map.onMove = () => this.overlay.moved();
    this.map.onLost = () => this.fallBack();
    this.pictures = pictures;
    this.mode();
    this.lay();
  }

  /** The drawing has gone: the wall goes on with pictures, until it begins anew at night. */
  async fallBack() {
    this.replay.stop();
    this.map.close();
    await this.open(true);
    await this.map.ready;
    this.places();
    this.visit(this.tour.at);
  }

  /** How it is shown, where that is not as usual. */
  mode() {
    setText($('mode'), [this.pictures && say(lang, 'still'), this.tour.paused && !this.replay.running && say(lang, 'paused')].filter((m) => m).join(' · '));
  }

  /** What does not change. */
  say() {
    document.documentElement.lang = lang;
    document.title = `${say(lang, 'map')} · ${this.title}`;
    setText($('heading'), this.title);
    setText($('city'), [this.title, this.area].filter((t) => t).join(' · '));
    $('map').setAttribute('aria-label', say(lang, 'map'));
    $('synthetic').hidden = !this.catalog.synthetic;
    setText($('synthetic'), say(lang, 'synthetic'));
    setText($('as-of-word'), say(lang, 'as_of'));
    setText($('ticker-title'), say(lang, 'latest'));
    setText($('few'), say(lang, 'dot'));
    this.tell();
  }

  /** Where everything is. */
  lay() {
    const wall = {width: innerWidth, height: innerHeight, ...readWall(params)};
    const here = new Set(this.standing.map((p) => p.key));
    const l = this.layout = layout(wall, /** @type {any} */ (BLOCKS.filter((b) => here.has(b.key))));
    const put = (node, r, unitPx = l.unitPx) => Object.assign(putAt(node, r).style, {fontSize: `${unitPx}px`});
    $('wall').style.fontSize = `${l.unitPx}px`;
    $('wall').style.setProperty('--u', `${l.unitPx}px`);
    put($('map-room'), l.map);
    $('ticker').classList.toggle('line', l.ticker.h < 5 * l.unitPx);
    $('ticker').classList.toggle('narrow', l.ticker.w < 40 * l.unitPx);
    Object.assign($('banner').style, {left: `${l.focus.x}px`, top: `${l.focus.y}px`});
    const rooms = this.rooms();
    this.over.forEach((p, i) => {
      put(p.node, rooms[i], this.lettersOf(p, rooms[i]));
      p.node.classList.toggle('small', rooms[i].h < LINES_ELSE * l.unitPx);
    });
    for (const p of this.standing) {
      put(p.node, l.panels[p.key], l.panels[p.key].unitPx);
      p.node.classList.toggle('short', l.panels[p.key].short);
    }
    for (const p of this.panels) {
      for (const chart of p.charts) chart.resize(parseFloat(p.node.style.fontSize));
      p.update();
    }
    this.map?.resize(l);
    this.fit();
    this.overlay?.resize(l.map, l.screens, l.unitPx, [l.caption, l.ticker]);
  }

  /** Letters of a panel that stands over the map. @param {import('./panels.js').Panel} p @param {import('./layout.js').Rect} r */
  lettersOf(p, r) {
    // Departments have long names in English. Rather fewer lines than letters that nobody reads.
    return Math.min(r.w / (p.key === 'open' && lang === 'en' ? 24 : 21), Math.max(r.h / (LINES[p.key] ?? LINES_ELSE), Math.min(r.h / LINES_LEAST, LARGE_LEAST_U * this.layout.unitPx)));
  }

  /** Where panels stand over the map: beside each other, or on screens of their own where one has too little room. */
  rooms() {
    const {unitPx, focus, stage, boards} = this.layout, many = this.over.length;
    // Nothing is enlarged to less than it was.
    const wide = (r) => Math.min(r.w / Math.max(1, many) / 21, r.h / 22), f = wide(focus) < 1.2 * unitPx ? stage : focus;
    const beside = this.over.map((_, i) => ({x: f.x + f.w * i / many, y: f.y, w: f.w / many, h: f.h}));
    const apart = boards.slice(0, many).sort((a, b) => a.x - b.x || a.y - b.y);
    const letters = (rooms) => Math.min(...this.over.map((p, i) => this.lettersOf(p, rooms[i])));
    return many > 1 && apart.length === many && letters(beside) < unitPx && letters(apart) > letters(beside) ? apart : beside;
  }

  /** The city's moment. */
  tell() {
    const moment = this.replay?.then ?? this.clock;
    setText($('as-of'), `${date(lang, moment)} ${moment.clock}`);
    for (const p of this.panels) if (p.hears('clock')) p.update();
  }

  /** @param {string} key   of an answer that has come */
  hear(key) {
    for (const p of this.panels) if (p.hears(key)) p.update();
    this.detail(key);
    this.explain();
    const {map, loop} = this.part;
    if (key === map.tour?.key) this.places();
    if (key === map.legend || key === map.hazards?.total) this.legend();
    if (key === map.crew && this.map && !this.near && !this.replay.running) this.label();
    if (loop && (key === loop.news || key === loop.ends)) this.latest(key === loop.news);
    if (this.shown === null) this.caption(null);
  }

  /** What a dot means is said while there is one. */
  explain() {
    const none = !document.querySelector('#panels .is-hidden') && !this.overlay?.labels.some((l) => l.beside === HIDDEN);
    if ($('few').hidden === none) return;
    $('few').hidden = none;
    this.fit();
  }

  /** @param {import('../live.js').News} news */
  changed(news) {
    if (news.as_of) this.clock = new Moment(news.as_of);
    const layers = news.layers ?? {};
    if (Object.keys(layers).length) {
      this.newsMs = performance.now();
      this.hours.note(Date.now(), this.clock.zoneMs);
    }
    for (const l of this.catalog.layers) if (l.name in layers) l.as_of = news.as_of ?? l.as_of;
    this.store.changed(layers);
    this.store.moved();
    this.map.changed(layers, 1.6 * (this.store.value(this.part.map.legend)?.bandwidth_m ?? 0));
    if (this.part.map.hazards && this.part.map.hazards.layer in layers) this.marks.soon();
    if (String(this.part.map.workers) in layers) this.crewSoon();
    this.tell();
  }

  /** @param {import('../live.js').News} news */
  async reset(news) {
    if (news.as_of) this.clock = new Moment(news.as_of);
    this.store.reset();
    this.map.reset();
    this.marks.soon();
    if (this.part.map.workers) this.crewSoon();
    this.tell();
  }

  /** @param {boolean} stale */
  stale(stale) {
    document.body.classList.toggle('stale', stale);
    $('banner').hidden = !stale;
    $('banner').classList.remove('address');
    if (stale) setText($('banner'), say(lang, 'stale', {t: this.clock.clock}));
    else this.store.reset();
  }

  /** What the tour may show: significant units, those that lie together as one place. */
  places() {
    if (!this.map) return;
    const answer = this.part.map.tour && this.store.value(this.part.map.tour.key);
    const hot = (answer?.features ?? []).filter((f) => f.geometry && f.properties.bin >= 2);
    // What is only beside a hot place is outlined and not visited.
    this.spots = new Map(spotsOf(hot).map((spot) => [spot.id, spot]));
    this.tour.set([...this.spots.values()].map(({id, fresh, rank}) => ({id, fresh, rank})));
    this.map.setHot({type: 'FeatureCollection', features: hot.map((f) => ({type: 'Feature', geometry: f.geometry, properties: {id: f.properties.id}}))});
    if (this.tour.at && !this.spots.has(this.tour.at.id)) this.tour.show(null);
  }

  /** @param {import('./tour.js').Place | null} place */
  visit(place) {
    this.held = false;
    const spot = place ? this.spots.get(place.id) : null;
    return this.show({id: spot ? spot.id : null, bounds: spot ? aroundOf(spot, boundsOf) : null, ids: spot?.ids, tell: () => this.caption(spot)});
  }

  /**
   * Go somewhere. What is said, outlined and named is of what is seen: over a
   * picture it changes with the picture, over a map that moves as it sets out.
   * @param {{id: string | null, bounds: number[] | null, zoomMost?: number, ids?: string[], mark?: {lonDeg: number, latDeg: number} | null, outline?: any, tell: () => void}} to   outline: a geometry
   */
  async show({id, bounds, zoomMost, ids = [], mark = null, outline = null, tell}) {
    const mine = this.sent = {}, told = () => {
      this.shown = id;
      this.map.choose(ids);
      this.overlay.setMark(mark, outline);
      tell();
    };
    this.target = [bounds, zoomMost];
    if (!this.pictures) told();
    const there = await this.map.go(bounds, this.still ? 0 : FLY_MS, zoomMost);
    if (there === false || this.sent !== mine || this.replay.running) return;
    if (this.pictures) told();
    this.label();
  }

  /** What a unit is called. @param {string} level @param {any} feature */
  unit(level, feature) {
    const {id = feature.id, name} = feature.properties;
    return String(this.names.unit(level, id, name));
  }

  /** Level of the units that the tour is of. */
  get spotLevel() {
    return this.store.value(this.part.map.tour?.key)?.units ?? this.part.map.levels.at(-1)?.level;
  }

  /** Its first unit, and how many beside it. @param {import('./places.js').Spot} spot */
  nameOf(spot) {
    const [first] = spot.features, coarse = this.part.map.levels[0]?.level, around = coarse !== this.spotLevel && first.properties[coarse];
    const name = [around && this.names.unit(coarse, null, around), this.unit(this.spotLevel, first)].filter((n) => n).join(lang === 'en' ? ', ' : ' ');
    return spot.ids.length > 1 ? `${name}${lang === 'en' ? ' ' : ''}${say(lang, 'and_beside', {n: lang === 'en' ? spot.ids.length - 1 : spot.ids.length})}` : name;
  }

  /** One true sentence. @param {import('./places.js').Spot | null | undefined} spot   none: about the whole city */
  caption(spot) {
    if (this.replay?.running) return;
    const {tour, hazards} = this.part.map, {loop} = this.part;
    if (spot) {
      const answer = this.store.value(tour.key), here = loop?.layer === tour.layer, compared = tour.compared(answer.per);
      setText($('place'), `${say(lang, 'significant')} · ${this.nameOf(spot)}`);
      this.write(sentenceOf(lang, spot, answer, {happened: here ? title(lang, loop.steps[0]) : '', unit: (here && (lang === 'en' ? loop.unit_en : loop.unit)) || (lang === 'en' ? 'cases' : '件'), compared: title(lang, compared)}));
      return;
    }
    // All of it at once: what is said does not grow while answers come.
    const asked = [hazards?.total, tour?.key].filter((key) => key).map((key) => this.store.answer(key));
    if (asked.some((a) => a.status === 'waiting')) return;
    /** @type {string[]} */
    const said = [];
    setText($('place'), this.area || say(lang, 'whole'));
    const serious = hazards && this.store.value(hazards.total), found = tour && this.store.value(tour.key);
    const en = lang === 'en';
    if (serious) said.push(en ? `${count(lang, serious.count, 1e6)} serious or high hazards are open` : `${say(lang, 'serious_open')}${count(lang, serious.count, 1e6)}${loop?.unit ?? ''}`);
    if (found) {
      const n = hotspotsIn(found), fresh = found.features.filter((f) => f.properties.bin >= 2 && f.properties.new).length;
      if (!n) said.push(say(lang, 'quiet', {n: tour.days}));
      else said.push(`${say(lang, n === 1 ? 'hot_one' : 'hot_many', {d: tour.days, n})}${en ? ', ' : ','}${fresh ? say(lang, 'new_ones', {n: fresh}) : say(lang, 'no_new')}`);
    }
    this.write(said.map((part) => part + (en ? '.' : '。')).join(en ? ' ' : ''));
  }

  crewSoon() {
    this.crew ??= setTimeout(() => {
      this.crew = undefined;
      if (this.near && !this.replay.running) this.label();
    }, CREW_MS);
  }

  /** Names on the map: towns, and workers where the map is near enough. */
  async label() {
    const {near} = this, {workers, levels, crew: counted} = this.part.map;
    const towns = (this.units?.features ?? []).filter((f) => f.geometry).map((f) => ({...labelPlace(f.geometry), text: this.unit(levels[0]?.level, f), kind: /** @type {const} */ ('town'), id: f.properties.id ?? f.id}));
    const spot = this.shown && this.spots?.get(this.shown), [place] = spot?.features ?? [];
    // Above what it is of, which it would cover.
    const named = place ? [{lonDeg: labelPlace(place.geometry).lonDeg, latDeg: aroundOf(spot, boundsOf)[3], above: true, text: this.unit(this.spotLevel, place), kind: /** @type {const} */ ('place')}] : [];
    const asked = this.labels = (this.labels ?? 0) + 1, old = () => asked !== this.labels;
    this.overlay.setLabels([...named, ...towns]);
    if (!workers) return;
    if (!levels.length) return;
    try {
      const {level, crews} = near ? await this.crews(this.crewLevels) : {level: levels[0], crews: this.store.value(counted)};
      if (!crews || old()) return;
      // Too few to be told: hidden, not none.
      const of = new Map(crews.groups.map((g) => [g.id, g.hidden ? HIDDEN : g.count]));
      if (!near) {
        this.overlay.setLabels([...named, ...towns.map((t) => ({...t, beside: of.has(t.id) ? String(of.get(t.id)) : undefined}))]);
        this.explain();
        return;
      }
      const [w, s, e, n] = this.map.view, units = await getJson(`/collections/${level.layer}/items?limit=400&bbox=${[w, s, e, n].map((v) => v.toFixed(5))}`);
      // The map is elsewhere by now.
      if (old()) return;
      const at = this.shown;
      // Of units that are not the finest it is said which they are.
      const finest = level === levels.at(-1), words = (f, n) => finest ? {text: n} : {text: this.unit(level.level, f), beside: n};
      const crew = units.features.filter((f) => f.geometry && Number(of.get(f.properties.id ?? f.id)) > 0).map((f) => ({...labelPlace(f.geometry), kind: /** @type {const} */ ('crew'), ...words(f, String(of.get(f.properties.id ?? f.id))), id: f.properties.id ?? f.id}));
      // What the place is named after is not covered.
      const [w0, s0, e0, n0] = place ? boundsOf(place.geometry) : [0, 0, 0, 0], crewText = (c) => c.id === at || (place && c.lonDeg > w0 && c.lonDeg < e0 && c.latDeg > s0 && c.latDeg < n0);
      this.overlay.setLabels([...named.map((p) => ({...p, text: !of.has(at) || of.get(at) === HIDDEN ? p.text : `${p.text} · ${of.get(at) ?? 0}${say(lang, 'workers')}`})), ...towns, ...crew.filter((c) => !crewText(c))]);
    } catch (error) {
      console.warn(error.message);
    }
  }

  /** Is the map near enough for units below the towns? */
  get near() {
    return this.map.zoom - nearer(this.layout.unitPx) > 11.6;
  }

  /** Workers by the first of some levels that tells most of its units. @param {any[]} levels */
  async crews(levels) {
    for (const level of levels) {
      const crews = await getJson(`/stats/${this.part.map.workers}?by=${level.level}`), hidden = crews.groups.filter((g) => g.hidden).length;
      if (2 * hidden > crews.groups.length && level !== levels.at(-1)) continue;
      this.crewLevels = levels.slice(levels.indexOf(level));
      return {level, crews};
    }
    throw new Error('no level');
  }

  /** Other marks, or marks that stand for so many others. */
  marked() {
    this.overlay.draw();
    if (this.told !== this.marks.each) this.legend();
  }

  legend() {
    this.told = this.marks?.each ?? 1;
    const {map} = this.part, then = this.replay?.running ? this.replay.legend : null, legend = then ?? (map.legend && this.store.value(map.legend)), serious = map.hazards && this.store.value(map.hazards.total);
    const parts = [];
    if (legend?.steps) {
      const ramp = element('span', {class: 'ramp', 'aria-hidden': 'true'}, ...legend.steps.map((s) => {
        const step = element('span', {});
        step.style.background = s.color;
        step.style.opacity = s.opacity;
        return step;
      }));
      const last = legend.steps.at(-1).from;
      const {weight, halflife} = then ? map.replayField : map.heatParams, comma = lang === 'en' ? ', ' : ',';
      const how = [weight && say(lang, 'weighted', {w: weight === map.hazards?.risk ? say(lang, 'risk_weight') : weight}),
        halflife && (halflife < 1 ? say(lang, 'half_life', {n: 24 * halflife}) : say(lang, 'half_life_days', {n: halflife}))].filter((w) => w).join(comma);
      parts.push(element('span', {class: 'what'}, title(lang, map.heatName ?? legend.model ?? {title: map.heatTitle}) + (how && ` · ${how}`)), element('span', {class: 'scale'}, count(lang, legend.steps[0].from), ramp, `≥${count(lang, last)}${legend.unit === 'per km2' ? ' /km²' : ` ${lang === 'en' ? legend.unit : legend.unit_zh ?? legend.unit}`}`));
    }
    const grades4 = ['4', '3', '2', '1'];
    // A replay shows what is reported of all grades, the map what is open of the serious ones.
    const grades = then ? grades4.map((id) => ({id, count: NaN})) : serious?.groups ?? [];
    for (const g of [...grades].sort((a, b) => Number(b.id) - Number(a.id)))
      if (grades4.includes(String(g.id))) {
        const href = then ? undefined : map.hazards.gradeRows(g.id);
        parts.push(element(href ? 'a' : 'span', {href}, element('i', {class: 'risk', 'data-risk': g.id, 'aria-hidden': 'true'}), then ? gradeName(lang, g.id) : `${gradeName(lang, g.id)} ${count(lang, g.count)}`));
      }
    if (this.told > 1 && !then && serious?.groups?.length) parts.push(element('span', {class: 'each'}, say(lang, 'each_mark', {n: this.told, unit: this.part.loop?.layer === map.hazards.layer ? this.part.loop.unit ?? '' : ''})));
    if (map.workers && !then) parts.push(element('span', {class: 'spare crew'}, say(lang, 'beside')));
    $('legend').replaceChildren(...parts);
    this.fit();
  }

  /** What the map's marks mean is not cut: it takes its room from the sentence, and where that is not enough other words go. */
  fit() {
    const below = $('below'), {caption, ticker} = this.layout;
    putAt($('ticker'), ticker);
    const tall = () => [...$('ticker').children].reduce((sum, c) => sum + /** @type {HTMLElement} */ (c).offsetHeight, 0);
    for (const less of ['', 'wrap', 'bare', 'bare less', 'bare less wrap']) {
      below.className = less;
      if (below.scrollWidth <= below.clientWidth + 1 && tall() <= Math.max(BELOW_MOST_U * this.layout.unitPx, ticker.h)) break;
    }
    const lackPx = Math.max(0, tall() - ticker.h);
    putAt($('ticker'), {...ticker, y: ticker.y - lackPx, h: ticker.h + lackPx});
    // Over the map where no place of the tour is shown.
    const above = {...caption, y: caption.y - lackPx}, {focus} = this.layout;
    this.captionRoom = caption.x !== ticker.x ? caption : meet(above, focus) ? {...caption, h: caption.h - lackPx} : above;
    this.write(null);
  }

  /** Newest reports and ends of work; new ones ring. @param {boolean} ring */
  latest(ring) {
    const {loop} = this.part, news = this.store.value(loop.news)?.features ?? [], ends = this.store.value(loop.ends)?.features ?? [];
    const [first] = loop.steps, done = loop.steps.find((s) => s.time === loop.done), risk = loop.risk;
    const row = (f, step) => ({f, step, at: f.properties[step.time]});
    const list = [...news.map((f) => row(f, first)), ...ends.map((f) => row(f, done))].filter((r) => r.at && Date.parse(r.at) <= this.clock.utcMs + 36e5)
      .sort((a, b) => (a.at < b.at ? 1 : -1));
    // Both kinds are seen, even where one is much more frequent.
    const shown = [...list.filter((r) => r.step === first).slice(0, LATEST - 1), ...list.filter((r) => r.step === done).slice(0, 1)].sort((a, b) => (a.at < b.at ? 1 : -1));
    const level = this.part.map.levels[0]?.level, lines = $('latest');
    lines.replaceChildren(...shown.map(({f, step, at}) => {
      const p = f.properties, moment = this.clock.later(Date.parse(at) - this.clock.utcMs);
      return element('li', {}, element('i', {class: 'risk', 'data-risk': p[risk], 'aria-hidden': 'true'}), element('span', {class: 'at'}, moment.clock.slice(0, 5)),
        element('span', {class: 'step'}, title(lang, step)), element('span', {class: 'what'}, [p[level] && this.names.unit(level, p[level]), p[loop.about] && this.names.value(loop.layer, loop.about, p[loop.about])].filter((w) => w).join(' ')));
    }));
    // Rather fewer than cut, and of both kinds.
    const cut = () => [...lines.querySelectorAll('.what')].some((w) => w.scrollWidth > w.clientWidth + 1);
    for (let i = shown.length - 1; i > 0 && lines.childElementCount > 1 && cut(); i--)
      if (shown.findIndex((r) => r.step === shown[i].step) !== i || lines.childElementCount <= 2) lines.children[i].remove();
    this.fit();
    if (!ring) return;
    const fresh = this.known ? news.filter((f) => !this.known.has(f.id) && f.geometry) : [];
    this.known = new Set([...news.map((f) => f.id), ...(this.known ?? [])].slice(0, KNOWN_MOST));
    if (!this.replay.running) this.overlay.ring(fresh.map((f) => ({lonDeg: f.geometry.coordinates[0], latDeg: f.geometry.coordinates[1], risk: Number(f.properties[risk]) || 0})));
  }

  /** @param {string} number   '' for none */
  enlarge(number) {
    this.large = number === this.large ? '' : number;
    clearTimeout(this.shrink);
    for (const p of this.over) {
      for (const chart of p.charts) chart.close();
      p.node.remove();
    }
    this.over = this.large ? makePanels(this.plan, this.store, lang, this.names, this.momentOf, NUMBERED[this.large]) : [];
    $('panels').append(...this.over.map((p) => p.node));
    if (this.large) this.shrink = setTimeout(() => this.enlarge(''), LARGE_MS);
    for (const p of this.over) {
      const list = TOLD.has(p.key) ? [] : p.numbers();
      p.node.append(element('ul', {class: 'details', hidden: !list.length}, ...list.map((n) => element('li', {}, element('span', {}, n.text), element(n.rows ? 'a' : 'span', {class: 'n', href: n.rows}, n.value)))),
        element('p', {class: 'second'}));
    }
    this.lay();
    const lists = [...document.querySelectorAll('.large .details')];
    for (const list of lists) {
      // Rather fewer columns than words that are cut.
      for (const wide of ['', 'wide', 'wider']) {
        list.className = `details ${wide}`;
        if (![...list.querySelectorAll('span:first-child')].some((s) => s.scrollWidth > s.clientWidth)) break;
      }
      // Whole lines only; what there is no room for is on the second screen.
      const last = list === lists.at(-1) || !list.closest('.small');
      const tell = (left) => setText(/** @type {Element} */ (list.nextElementSibling), [left > 0 && say(lang, 'more', {n: left}), last && say(lang, 'on_second', {a: this.second})].filter((t) => t).join(' · '));
      // Its words take their room first.
      tell(list.childElementCount);
      let left = 0;
      while (list.lastElementChild && list.lastElementChild.getBoundingClientRect().bottom > list.getBoundingClientRect().bottom + 1) {
        list.lastElementChild.remove();
        left++;
      }
      tell(left);
    }
    for (const p of this.over) p.update();
  }

  /** The exact numbers of what is enlarged, as they are now. @param {string} key   of the answer that has come */
  detail(key) {
    for (const p of this.over) {
      if (TOLD.has(p.key) || !p.hears(key)) continue;
      const items = p.node.querySelectorAll('.details li');
      p.numbers().slice(0, items.length).forEach((n, i) => {
        const [what, value] = items[i].children;
        setText(what, n.text);
        setText(value, n.value);
        if (n.rows && value instanceof HTMLAnchorElement) value.href = n.rows;
      });
    }
  }

  /** @param {boolean} paused */
  pause(paused) {
    this.tour.pause(paused);
    this.mode();
  }

  /** A replay begins or ends. @param {boolean} running */
  replaying(running) {
    document.body.classList.toggle('replaying', running);
    this.mode();
    this.legend();
    for (const p of this.panels) if (REPLAYED.has(p.key)) p.update();
  }

  /** @param {string} place @param {string} sentence */
  tellReplay(place, sentence) {
    setText($('place'), place);
    this.write(sentence);
  }

  /** The sentence, smaller where its room is small. @param {string | null} text   null: as it is */
  write(text) {
    const node = $('sentence'), room = $('caption');
    if (text !== null && text === node.textContent) return;
    putAt(room, this.captionRoom);
    // Lines end where a thought does, if one has room on a line.
    if (text !== null) node.replaceChildren(...thoughtsOf(text).map((part) => element('span', {}, part)));
    for (let size = SENTENCE_U; size >= SENTENCE_LEAST_U; size -= 0.1) {
      node.style.fontSize = `${size.toFixed(1)}em`;
      if ($('place').offsetHeight + node.offsetHeight <= room.clientHeight + 1) return;
    }
    // Rather over the map than cut.
    const lackPx = $('place').offsetHeight + node.offsetHeight - this.captionRoom.h;
    putAt(room, {...this.captionRoom, y: this.captionRoom.y - lackPx, h: this.captionRoom.h + lackPx});
  }

  /** What a key does, or a second screen. @param {string} key @returns {boolean} was it one of ours? */
  press(key) {
    if (key in NUMBERED) this.enlarge(key);
    else if (GOING.has(key) && this.replay.running) this.replay.stop();
    else if (key === 'Escape') {
      if (this.large) this.enlarge('');
      if ($('banner').classList.contains('address')) this.showId();
      this.replay.stop();
    } else if (key === ' ') this.pause(!this.tour.paused);
    else if (key === 'ArrowRight') this.tour.step(1);
    else if (key === 'ArrowLeft') this.tour.step(-1);
    else if (key === 'Home') this.tour.show(null);
    else if (key === 'd') this.showId();
    else if (key === 'r') this.replay.toggle();
    else if (key === 's') this.overlay.still = this.still = !this.still;
    else if (key === 'f') document.fullscreenElement ? document.exitFullscreen() : document.documentElement.requestFullscreen().catch(() => {});
    else return false;
    return true;
  }

  /** A second screen: a key, or where to look. @param {{press?: string, level?: string, unit?: string, lon?: number, lat?: number}} note */
  async drive(note) {
    const key = {pause: ' ', next: 'ArrowRight', back: 'ArrowLeft', whole: 'Home', replay: 'r', still: 's', close: 'Escape'}[note.press ?? ''] ?? note.press;
    if (key) this.press(key);
    const level = note.level && this.part.map.levels.find((l) => l.level === note.level);
    try {
      if (Number.isFinite(note.lon) && Number.isFinite(note.lat)) await this.lookAt(/** @type {number} */ (note.lon), /** @type {number} */ (note.lat));
      else if (level && note.unit) await this.lookInto(level, note.unit);
    } catch (error) {
      console.warn(error.message);
    }
  }

  /** Somebody wants to see a place: the tour waits. @param {Omit<Parameters<Wall['show']>[0], 'id' | 'tell'> & {place: string, sentence: string}} to */
  hold({place, sentence, ...to}) {
    this.replay.stop();
    this.tour.hold();
    this.held = true;
    return this.show({...to, id: '', tell: () => {
      setText($('place'), place);
      this.write(sentence);
    }});
  }

  /** A unit, and what is open and significant there. @param {{level: string, layer: string}} level @param {string} id */
  async lookInto(level, id) {
    const mine = this.sent = {}, unit = await getJson(`/collections/${level.layer}/items/${encodeURIComponent(id)}`), sentence = await this.unitSentence(level, id, unit);
    // Another place was asked for meanwhile.
    if (this.sent !== mine) return;
    await this.hold({place: this.unit(level.level, unit), sentence, bounds: boundsOf(unit.geometry), outline: unit.geometry});
  }

  /** What this wall may know of a unit. @param {{level: string}} level @param {string} id @param {any} unit */
  async unitSentence({level}, id, unit) {
    const {map} = this.part, ask = (url) => url ? getJson(url).catch(() => null) : null;
    const [open, crews] = await Promise.all([ask(map.hazards?.ofUnit(level, id)), ask(map.workers && `/stats/${map.workers}?by=${level}`)]), found = map.tour && this.store.value(map.tour.key);
    // Units of one name are told apart by where they are.
    const [w, s, e, n] = boundsOf(unit.geometry), within = ({lonDeg, latDeg}) => lonDeg > w && lonDeg < e && latDeg > s && latDeg < n;
    const isHere = (f) => this.spotLevel === level ? String(f.properties.id ?? f.id) === String(id) : f.properties[level] === unit.properties.name && within(labelPlace(f.geometry));
    // Nothing is said of places of which the answer does not hold all.
    const all = found?.features.filter((f) => f.properties.bin >= 2) ?? [], there = found && all.length === hotspotsIn(found) ? all.filter(isHere) : null;
    const crew = crews?.groups.find((g) => String(g.id) === String(id));
    return unitSentence(lang, {open: open?.hidden ? undefined : open?.count, unit: this.part.loop?.unit, crew: crew?.hidden ? undefined : crew?.count, days: map.tour?.days, hot: there?.length, fresh: there?.filter((f) => f.properties.new).length});
  }

  /** A place, and what the city knows of it that this wall may. @param {number} lonDeg @param {number} latDeg */
  async lookAt(lonDeg, latDeg) {
    const mine = this.sent = {}, here = await getJson(`/reverse?lon=${lonDeg}&lat=${latDeg}`), around = this.part.map.levels.map((l) => here[l.level] && this.names.unit(l.level, here[l.level].id, here[l.level].name)).filter((n) => n);
    if (this.sent !== mine) return;
    const crew = here.hidden?.includes('worker') || !here.workers ? null : here.workers.length;
    await this.hold({place: here.address?.text ?? around.join(' '), sentence: [...(here.address ? around : []), crew === null ? '' : `${say(lang, 'on_duty')} ${crew}`].filter((s) => s).join(' · '),
      bounds: [lonDeg - NEAR_DEG, latDeg - NEAR_DEG, lonDeg + NEAR_DEG, latDeg + NEAR_DEG], zoomMost: NEAR_ZOOM, mark: {lonDeg, latDeg}});
  }

  get second() {
    return `${location.host}/wall?drive=${this.id}`;
  }

  /** How a second screen reaches this wall. */
  showId() {
    const banner = $('banner'), shown = banner.hidden;
    if (!shown && !banner.classList.contains('address')) return;
    banner.hidden = !shown;
    banner.classList.toggle('address', shown);
    if (shown) setText(banner, this.second);
  }

  listen() {
    addEventListener('keydown', (e) => {
      if (e.ctrlKey || e.metaKey || e.altKey) return;
      if (e.target instanceof HTMLAnchorElement && e.key === 'Enter') return;
      if (this.press(e.key.length === 1 ? e.key.toLowerCase() : e.key)) e.preventDefault();
    });
    let resized = 0;
    addEventListener('resize', () => {
      clearTimeout(resized);
      resized = setTimeout(() => {
        this.lay();
        const [bounds, zoomMost] = this.target;
        this.map.go(bounds, 0, zoomMost);
      }, 150);
    });
    setInterval(() => this.rest(), REST_MS);
    this.schedule();
  }

  /** The daily replay, by the clock of the city's zone. */
  schedule() {
    const ms = untilTime(params.get('replay') ?? '', Date.now(), this.clock.zoneMs);
    if (ms !== null) setTimeout(() => {
      if (!this.live.silent) this.replay.start();
      this.schedule();
    }, ms);
  }

  /** Begin anew in the quietest hour or the one that the address says, when nothing happens, or before memory runs out. */
  async rest() {
    const now = performance.now();
    localStorage.setItem('wall-hours', this.hours.text);
    if (!mayReload({ageMs: now - this.startedMs, quietMs: now - this.newsMs, utcMs: Date.now(), zoneMs: this.clock.zoneMs,
      heapBytes: /** @type {any} */ (performance).memory?.usedJSHeapSize ?? 0, silent: this.live.silent,
      busy: this.held || this.replay.running || this.over.length > 0, hour: readHour(params.get('reload') ?? '') ?? this.hours.quietest})) return;
    // A page that cannot be had again would be a browser's error for ever.
    const response = await fetch(location.href, {cache: 'no-store'}).catch(() => null);
    if (response?.ok) location.reload();
  }
}

async function main() {
  setText($('wait'), say(lang, 'loading'));
  const catalog = await insist(() => getJson(`/catalog?lang=${lang === 'en' ? 'en' : 'zh'}`));
  if (params.has('drive')) return (await import('./drive.js')).drive(catalog, params.get('drive') ?? '', lang);
  const [coarse] = catalog.layers.filter((l) => l.unit_level).sort((a, b) => a.rows - b.rows);
  const units = coarse ? await insist(() => getJson(`/collections/${encodeURIComponent(coarse.name)}/items?limit=2000`)) : null;
  const wall = new Wall(catalog, units);
  /** For tests and for whoever looks into a wall that stands. */
  Object.assign(window, {onemapWall: wall});
  await wall.begin();
}

main();
