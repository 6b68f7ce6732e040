// @ts-check
// drawing.js - brings what the state says onto the map: tiles, shapes, legends.
//
// Legends come first where somebody typed a condition: a wrong one is then
// refused once and not by every tile.

import {classTitle, columnTitle} from '../columns.js';
import {EDGE} from '../live.js';
import {pixelRatio, token} from './map.js';
import {otherState} from './other.js';
import {address, hasHeat, layerOf, legendOf, partsOf, ratePer, tilesOf, unitOf} from './shown.js';
import {isWord} from './words.js';

/** @typedef {import('./shown.js').Part} Part @typedef {import('./map.js').Sheet} Sheet */

/** Tiles spread beyond the rows by the bandwidth: degrees that surely hold it. */
const SPREAD_DEG = 0.2;
/** Where no bandwidth is said. A field is drawn a little beyond its kernel, a
 *  unit that got another colour wherever it lies. */
const REACH_M = 1600;
/** What takes longer is said to be on its way. */
const SLOW_MS = 600;
/** A pixel, and half of the widest road, in sides of a tile. */
const PIXEL = 1 / 256;
const ROAD_EDGE = 0.1;

export class Drawing {
  /** @param {import('./panes.js').Context} context @param {import('./caption.js').Caption | null} caption null: of the other side, which says nothing */
  constructor(context, caption) {
    Object.assign(this, {context, caption});
    /** @type {import('./map.js').AnyMap | null} */
    this.map = null;
    /** @type {Map<string, any>} legends by address */
    this.legends = new Map();
    this.shapes = '';
    /** @type {any[]} legends of what is drawn, lowest first, and of shapes */
    this.explained = [];
    /** @type {{name: string, items: any[], note: string, features: any[], opacity: number} | null} */
    this.shaped = null;
    /** @type {Map<object, {name: string, since: number}>} what is on its way */
    this.pending = new Map();
    /** @type {Promise<void>} */
    this.drawn = Promise.resolve();
    /** @type {((features: any[]) => void) | null} */
    this.onShapes = null;
    /** The state is drawn, or refused. @type {(() => void) | null} */
    this.onShown = null;
    this.turn = 0;
    /** Is an answer on the map? */
    this.stands = false;
  }

  /** @param {import('./map.js').AnyMap} map */
  open(map) {
    this.map = map;
    return this.draw();
  }

  /** @param {Part} part */
  boxOf(part) {
    const {city, state} = this.context, box = layerOf(city, part.layers[0] ?? state.now.layer)?.extent?.spatial.bbox[0] ?? null;
    return box && [Math.max(-180, box[0] - SPREAD_DEG), Math.max(-85, box[1] - SPREAD_DEG), Math.min(180, box[2] + SPREAD_DEG), Math.min(85, box[3] + SPREAD_DEG)];
  }

  /** Base below, names above, between them what is asked for. @param {Part[]} parts @returns {Sheet[]} */
  sheets(parts) {
    const {lang} = this.context, palette = this.context.palette(), ratio = pixelRatio() > 1.25 ? 2 : 1, ground = this.context.city.layers.filter((l) => l.base || l.unit_level);
    // Names make room for each other over several tiles; buildings have none.
    const base = (name, layers, edge, params = '') => ({key: name, tiles: `/tiles/${name}/{z}/{x}/{y}${ratio > 1 ? '@2x' : ''}.png?palette=${palette}&size=512${lang === 'en' ? '&lang=en' : ''}${params}`,
      opacity: 1, box: null, layers: layers.length ? layers.map((l) => l.id) : ['\u0000'], reachM: 0, edge});
    return [base('base', ground, ROAD_EDGE, '&labels=no'), ...parts.filter((p) => p.map).map((p) => ({key: p.id, tiles: tilesOf(p, palette, ratio), opacity: p.opacity, box: this.boxOf(p), layers: p.layers, reachM: p.field ? 1.6 * Number(p.params.bandwidth) || REACH_M : 0, edge: p.field ? PIXEL : p.map.includes(':') ? Infinity : EDGE})), base('labels', ground.filter((l) => l.base !== 'building'), Infinity)];
  }

  /** All that is drawn, for a picture of it. @param {import('./state.js').State | null} [other] the other side's state, which has the same legends */
  all(other) {
    const {city, state, say} = this.context, {shaped} = this;
    const told = this.explained.filter((e) => e.legend).map(({part, name, legend}) => ({name, unit: unitOf(part, legend, this.context.write), legend, lines: this.how(part, legend)}));
    return {sheets: this.sheets(partsOf(city, other ?? state.now)), shapes: shaped?.features ?? [], opacity: shaped?.opacity ?? 1,
      legends: [...shaped ? [{name: shaped.name, unit: '', legend: {items: shaped.items}, lines: [], note: shaped.note}] : [], ...told.reverse()]};
  }

  /** How it was made, for the legend of a picture: kernel, bandwidth, weight, half-life, opacity. @param {Part} part @param {any} legend */
  how(part, legend) {
    const {say, write, lang} = this.context, {weight, halflife} = part.params, word = /** @type {any} */ (legend.kernel);
    const kernel = legend.kernel ? [`${say('kernel')} ${isWord(word) ? say(word) : word}`, legend.bandwidth_m ? say('bandwidth_is', {m: write.exact(legend.bandwidth_m)}) : ''].filter((t) => t).join(' · ') : '';
    return [part.field ? kernel : '', weight ? `${say('weight')} ${columnTitle(lang, String(weight))}` : '', halflife ? `${say('halflife')} ${halflife}` : '', part.opacity < 1 ? `${say('opacity')} ${Math.round(100 * part.opacity)}%` : ''].filter((t) => t);
  }

  /** Say that it is on its way, if it takes long. @template T @param {string} name @param {Promise<T>} coming @returns {Promise<T>} the same */
  awaited(name, coming) {
    const key = {}, tell = () => {
      const now = performance.now();
      this.caption?.showWaiting([...new Set([...this.pending.values()].filter(({since}) => now - since >= SLOW_MS).map((p) => p.name))]);
    };
    this.pending.set(key, {name, since: performance.now()});
    const slow = setTimeout(tell, SLOW_MS + 1), over = () => {
      clearTimeout(slow);
      this.pending.delete(key);
      tell();
    };
    coming.then(over, over);
    return coming;
  }

  /** Load what the state patched so will need. @param {Partial<import('./state.js').State>} patch */
  async prepare(patch) {
    const {city, state} = this.context;
    // What is on its way is not given up for what comes after it.
    await this.drawn;
    if (this.map) await this.map.prepare(this.sheets(partsOf(city, {...state.now, ...patch})));
  }

  name(part) {
    const {context} = this, {say, write, city, state} = context, {now} = state, subject = write.title(layerOf(city, now.layer) ?? {id: now.layer});
    if (part.id === 'heat') return now.model ? write.title(city.models.find((m) => m.name === now.model) ?? {id: now.model}) : say('density', {name: subject});
    if (part.id === 'choropleth') return say('by', {title: subject, unit: write.title(city.layers.find((l) => `choropleth:${l.unit_level}` === part.map) ?? {id: part.map})});
    if (part.id === 'hotspots') {
      const per = now.spots === 'dbscan' ? '' : ratePer(city, now), about = city.exposures[per];
      return `${subject} · ${say(/** @type {any} */ (now.spots))}${per ? ` · ${about ? (context.lang === 'en' ? about.unit_en : about.unit) ?? write.title(about) : say('per_km2')}` : ''}`;
    }
    if (part.id === 'coverage') return `${say('coverage')} · ${say(/** @type {any} */ (now.coverage))}`;
    return write.title(layerOf(city, part.map) ?? {id: part.map});
  }

  /** @param {import('./state.js').State} [now] @returns {Promise<void>} when it is there */
  draw(now = this.context.state.now) {
    return this.drawn = this.bring(now);
  }

  /** Legends and shapes may have failed: they are asked for anew. */
  again() {
    this.shapes = '';
    return this.draw();
  }

  /** @param {import('./state.js').State} now */
  async bring(now) {
    const {context, map, caption} = this, {city} = context, turn = ++this.turn, parts = partsOf(city, now);
    const typed = !!(now.filter || now.other || now.time);
    const others = caption && otherState(now);
    // A legend of something else is not that of what comes.
    const about = parts.map((p) => [p.id, p.map, p.params.stat, p.params.column, p.params.layer].join()).join(';');
    if (caption && this.about && about !== this.about) caption.node.classList.add('stale');
    this.about = about;
    const explained = context.ask(caption ? 'legend' : 'legend B', async (signal) => {
      const list = await Promise.all(parts.filter((p) => p.map).map((part) => this.awaited(this.name(part), this.explain(part, others ? partsOf(city, others).find((p) => p.id === part.id) : undefined, signal))));
      if (signal.aborted || turn !== this.turn) return;
      if (this.later) {
        this.later = false;
        queueMicrotask(() => this.onMonths?.());
        return;
      }
      this.explained = [...list];
      caption?.showLegends(list.reverse());
      caption?.node.classList.remove('stale');
      this.good = true;
    });
    if (typed) {
      this.good = false;
      await explained;
      // What was refused is not asked for tile by tile; the place is shown all the same.
      if (!this.good) {
        if (map && turn === this.turn && !this.stands) await map.show(this.sheets([]));
        return this.onShown?.();
      }
    }
    if (turn !== this.turn || !map) return;
    this.drawShapes(parts);
    this.stands = true;
    await this.awaited(context.say('map'), map.show(this.sheets(parts)));
    if (turn === this.turn) this.onShown?.();
  }

  /** Something is drawn for another period: these are its legends. @param {Map<string, any>} legends by the part's id */
  stepped(legends) {
    this.caption?.showLegends(this.explained.map((e) => (legends.has(e.part.id) ? {...e, legend: legends.get(e.part.id)} : e)).reverse());
  }

  /** @param {Part} part @param {Part | undefined} other of the other side @param {AbortSignal} signal */
  async explain(part, other, signal) {
    const {context} = this, url = (p) => legendOf(p, context.palette(), context.lang);
    const name = this.name(part);
    try {
      // One legend is of both sides, but that classes of a test may be on one only.
      const [legend, beside] = await Promise.all([context.get(url(part), signal), other && part.id === 'hotspots' && context.get(url(other), signal).catch(() => undefined)]);
      return {part, name, legend: beside ? {...legend, items: united(legend.items, beside.items)} : legend};
    } catch (error) {
      // Some are told of whole months alone: then these are asked for.
      if (!signal.aborted && part.id === 'coverage' && part.params.datetime && error.status === 400 && !context.city.monthsOnly) {
        context.city.monthsOnly = true;
        this.later = true;
      }
      // Of a layer beside the one that is asked about only its own legend says so.
      if (signal.aborted || error.parameter === 'filter' || error.parameter === 'datetime' || error instanceof TypeError) throw error;
      return {part, name, legend: null, problem: context.textOf(error)};
    }
  }

  /** Cells, hulls, places: what comes as GeoJSON. @param {Part[]} parts */
  drawShapes(parts) {
    const {context, map} = this, part = parts.filter((p) => p.shapes).at(-1), url = part?.shapes ?? '', shown = url && `${context.palette()} ${url}`;
    if (shown === this.shapes) return;
    this.shapes = shown;
    this.onShapes?.([]);
    this.shaped = null;
    this.caption?.showShapes(null, '', []);
    map.outline('tested', null);
    const name = `shapes ${this.caption ? 'A' : 'B'}`;
    if (!part) {
      context.drop(name);
      return map.outline('shapes', null);
    }
    this.awaited(this.name(part), context.ask(name, async (signal) => {
      const answer = await context.get(url, signal), features = answer.features.filter((f) => f.geometry || part.id !== 'coverage');
      if (signal.aborted) return;
      if (part.id === 'hotspots' && context.state.now.spots === 'dbscan') return this.drawClusters(part, answer);
      const classes = part.id === 'hotspots' ? await this.classesOf(signal) : new Map();
      if (part.id === 'hotspots') for (const {properties: {class: name}} of features) if (name && !classes.has(name)) classes.set(name, classOf(name, context.palette(), context.lang));
      for (const f of features) f.properties.fill = classes.get(f.properties.class)?.color;
      this.onShapes?.(features);
      const items = legendOfShapes(features, classes, context, part), {exact} = context.write;
      const note = (answer.matched ?? 0) > features.length ? context.say('cells_shown', {n: exact(features.length), all: exact(answer.matched)}) : '';
      this.caption?.showShapes(part, this.name(part), items, note);
      // What was tested and is not significant has no colour, but a line around it; where nothing is, nothing is.
      const drawn = features.filter((f) => f.geometry && !NOTHING.test(f.properties.class ?? '')), tested = features.filter((f) => f.geometry && NOTHING.test(f.properties.class ?? '') && f.properties.count !== 0);
      for (const f of tested) f.properties.fill = 'transparent';
      this.shaped = {name: this.name(part), items, note, features: [...tested, ...drawn], opacity: part.opacity * 0.85};
      map.outline('tested', tested, {line: '--edge', width: 0.6, fillOpacity: 0});
      map.outline('shapes', drawn, {line: part.id === 'hotspots' ? '--ground' : '--choice', width: part.id === 'hotspots' ? 0.6 : 1.5, fill: '--bar', fillOpacity: part.opacity * 0.85});
    }));
  }

  /** Clusters, coloured by how many rows are in each. @param {Part} part @param {any} answer of /hotspots */
  drawClusters(part, answer) {
    const {context, map, caption} = this, {say, write} = context, {features} = answer, steps = clusterSteps(features);
    for (const f of features) f.properties.fill = token(steps.findLast((s) => f.properties.count >= s.from)?.colour ?? '--class-4');
    this.onShapes?.(features);
    const items = steps.map((s) => ({text: say('cluster_step', {range: s.to === null ? `≥${write.exact(s.from)}` : s.to === s.from ? write.exact(s.from) : `${write.exact(s.from)}–${write.exact(s.to)}`, n: write.exact(s.clusters)}), form: 'area', color: token(s.colour), opacity: 0.8}));
    this.shaped = {name: this.name(part), items, note: '', features, opacity: part.opacity * 0.8};
    caption?.showShapes(part, this.name(part), items.length ? items : [{text: say('empty'), form: 'none'}], say('dbscan_note', {eps: answer.eps_m ?? '?', min: answer.min ?? '?', n: write.exact(answer.matched ?? features.length), noise: write.exact(answer.noise ?? 0)}));
    map.outline('shapes', features.filter((f) => f.geometry), {line: '--text', width: 0.5, fill: '--class-4', fillOpacity: part.opacity * 0.8});
  }

  /** Classes have the colours and names that the same statistic of the units has. @param {AbortSignal} signal @returns {Promise<Map<string, any>>} items of a legend */
  async classesOf(signal) {
    const {context} = this, {city, state} = context, {now} = state;
    const [level] = city.levels;
    // Of most statistics they are known (classOf): a legend of all units would be waited for.
    if (!level || !hasHeat(context.subject()) || now.spots !== 'emerging') return new Map();
    const per = now.per || (now.spots === 'eb' ? Object.keys(city.exposures)[0] : '');
    const [keys, told] = await Promise.all(['en', context.lang === 'en' ? 'en' : 'zh'].map((lang) => context.get(address(`/legend/choropleth:${level}.json`, {stat: now.spots, layer: now.layer, per, palette: context.palette(), lang}), signal).catch(() => ({items: []}))));
    return new Map(keys.items.map((item, i) => [item.text, told.items[i] ?? item]));
  }
}

/** Items of two legends, each once. @param {any[]} a @param {any[]} b */
const united = (a, b) => [...a, ...b.filter((item) => !a.some((known) => known.text === item.text))];

/* Classes of which there is nothing to see; what has no rows at all. */
const NOTHING = /^(not significant|none)$/, EMPTY = '\u0000';

/* Classes that no unit has, but a cell may: as the server colours them (web/picture_answers.c). */
const CLASS_COLOURS = {
  dark: {'hot 99%': '#e5484d', 'hot 95%': '#f2915c', 'hot 90%': '#f6c9a0', 'cold 99%': '#3b7dd8', 'cold 95%': '#6fa8e6', 'cold 90%': '#9cc4ee', 'high-high': '#e5484d', 'low-low': '#3b7dd8', 'high-low': '#f6b48a', 'low-high': '#9cc4ee'},
  light: {'hot 99%': '#b2182b', 'hot 95%': '#ef8a62', 'hot 90%': '#fdcda8', 'cold 99%': '#2166ac', 'cold 95%': '#67a9cf', 'cold 90%': '#b5d4e8', 'high-high': '#b2182b', 'low-low': '#2166ac', 'high-low': '#f4a582', 'low-high': '#a8cde6'},
};
/** A class that has no legend. @param {string} name @param {'dark' | 'light'} palette @param {string} lang */
function classOf(name, palette, lang) {
  const alike = name.replace('high ', 'hot ').replace('low ', 'cold '), known = CLASS_COLOURS[palette][alike] ?? (/ hot$/.test(name) ? CLASS_COLOURS[palette]['hot 95%'] : / cold$/.test(name) ? CLASS_COLOURS[palette]['cold 95%'] : undefined);
  return {text: classTitle(lang, name), color: known ?? 'var(--edge)', opacity: known ? 0.8 : 1};
}

/* Of clusters, from few rows to many. */
const CLUSTER_COLOURS = ['--class-3', '--class-4', '--class-6', '--class-7'];

/**
 * Steps of how many rows clusters have, with about as many clusters in each.
 * @param {{properties: {count: number}}[]} features
 * @returns {{from: number, to: number | null, clusters: number, colour: string}[]} to: null of the last
 */
export function clusterSteps(features) {
  const counts = features.map((f) => f.properties.count).sort((a, b) => a - b), most = CLUSTER_COLOURS.length;
  const from = [...new Set(CLUSTER_COLOURS.map((_, i) => counts[Math.floor(i * counts.length / most)]))].filter((n) => n !== undefined);
  return from.map((n, i) => ({from: n, to: i + 1 < from.length ? from[i + 1] - 1 : null, colour: CLUSTER_COLOURS[most - from.length + i],
    clusters: counts.filter((c) => c >= n && (i + 1 === from.length || c < from[i + 1])).length}));
}

/** What is seen of shapes, with how many there are. @param {any[]} features @param {Map<string, any>} classes @param {import('./panes.js').Context} context */
function legendOfShapes(features, classes, {say, write, state}, part) {
  /** @type {Map<string, number>} */
  const counts = new Map();
  const nameOf = ({class: name = '', count}) => (NOTHING.test(name) && count === 0 ? EMPTY : name);
  for (const f of features) counts.set(nameOf(f.properties), (counts.get(nameOf(f.properties)) ?? 0) + 1);
  const {coverage} = state.now;
  if (!features.length) return [{text: say(part.id === 'coverage' && coverage === 'partition' ? 'no_faults' : 'empty'), form: 'none'}];
  if (part.id === 'coverage' && coverage === 'site') return [{text: say('new_sites', {n: write.exact(features.length)}), form: 'dot', color: 'var(--bar)', opacity: 0.8}];
  return [...counts].map(([name, n]) => (name === EMPTY ? {text: `${say('nothing_there')} ${write.exact(n)}`, form: 'none'} : {text: `${classes.get(name)?.text ?? name} ${write.exact(n)}`.trim(), form: NOTHING.test(name) ? 'outline' : 'area', color: classes.get(name)?.color ?? 'var(--bar)', opacity: classes.get(name)?.opacity ?? 0.8}));
}
