// @ts-check
// map.js - the living map, by MapLibre: base, field, significant hotspots. One map for as long as the page is open.

import {Map as LibreMap, setMaxParallelImageRequests} from '../maplibre/maplibre-gl.mjs';
import {tilesTouched} from '../live.js';
import {token} from './charts.js';
import {nearer} from './overlay.js';
import {address} from './plan.js';

const EMPTY = {type: 'FeatureCollection', features: []};
/** Where vector tiles are not asked for any deeper, but drawn larger. */
const DEEPEST = 15;
/* Browsers have six connections for a server: numbers come first. */
setMaxParallelImageRequests(2);

/** Nearer than this the tour does not go: what is around a place is seen. */
const ZOOM_MOST = 13.6;
/** A context that does not come back in so long has gone, as one that was lost so often in an hour. */
const LOST_MS = 8000, LOST_MOST = 3, HOUR_MS = 36e5;
/** The field of now and, for a replay, two of other moments, by turns. */
const FIELD_OPACITY = 0.82, THEN = ['then-0', 'then-1'], TURN_MS = 500, PATIENCE_MS = 6000;
/** Fewer tiles, a little softer: there are 25 of them in a minute. */
const THEN_TILE = 1024;

/** At least so long between two askings for changed tiles. */
const FIELD_MS = 15000;

export class LiveMap {
  /** @param {HTMLElement} container @param {any} part   of the plan @param {number[]} bounds   of the city */
  constructor(container, part, bounds) {
    Object.assign(this, {container, part, bounds});
    this.unitPx = 20;
    this.moving = false;
    /** @type {() => void} */
    this.onMove = () => {};
    /** @type {Map<string, {timer: any, lastMs: number, touched: any[]}>} */
    this.late = new Map();
    this.map = new LibreMap({
      container, interactive: false, attributionControl: false, fadeDuration: 0, maxCanvasSize: [8192, 8192], minZoom: 4, maxZoom: 18,
      style: {version: 8, sources: {}, layers: [{id: 'land', type: 'background', paint: {'background-color': token('--land')}}]},
      bounds: /** @type {any} */ (bounds), pixelRatio: 1, trackResize: false,
      // The stream says which tiles have changed; see the analyst's map.
      refreshExpiredTiles: false, maxTileCacheSize: 0,
      transformRequest: (url) => ({url, cache: 'no-cache', headers: {'Cache-Control': 'no-cache'}}),
      locale: {'Map.Title': container.getAttribute('aria-label') ?? ''},
    });
    this.map.on('move', () => this.onMove());
    this.map.on('error', (e) => console.warn(e.error?.message ?? e));
    /** The drawing has gone for good. @type {() => void} */
    this.onLost = () => {};
    this.lostAfterMs = LOST_MS;
    /** @type {number[]} */
    this.lostMs = [];
    this.map.on('webglcontextlost', () => {
      const now = performance.now();
      this.lostMs = [...this.lostMs.filter((ms) => now - ms < HOUR_MS), now];
      this.lost = setTimeout(() => this.onLost(), this.lostMs.length >= LOST_MOST ? 0 : this.lostAfterMs);
    });
    this.map.on('webglcontextrestored', () => {
      clearTimeout(this.lost);
      this.dress();
    });
    /** Which of the fields of other moments is shown. */
    this.shown = -1;
    this.ready = new Promise((done) => this.map.once('style.load', () => this.build().then(done)));
  }

  async build() {
    const {map, part} = this;
    const base = await fetch('/styles/base.json?palette=dark').then((r) => r.ok ? r.json() : null).catch(() => null);
    for (const [id, source] of Object.entries(base?.sources ?? {})) map.addSource(`base ${id}`, source);
    for (const layer of base?.layers ?? [])
      if (layer.type !== 'background') map.addLayer({...layer, id: `base ${layer.id}`, source: `base ${layer.source}`, paint: {...layer.paint, ...(layer.type === 'line' && {'line-opacity': 0.5})}});
    if (part.heat) {
      map.addSource('field', this.fieldSource(part.heatParams));
      map.addLayer({id: 'field', type: 'raster', source: 'field', paint: {'raster-fade-duration': 300, 'raster-opacity': FIELD_OPACITY}}, map.getLayersOrder().find((id) => map.getLayer(id).type === 'line'));
    }
    const [coarse, ...finer] = part.levels, fine = finer.at(-1);
    const borders = (level, id, paint, minzoom = 0) => {
      map.addSource(id, {type: 'vector', tiles: [`${location.origin}/tiles/${level.layer}/{z}/{x}/{y}.mvt?properties=id`], maxzoom: DEEPEST});
      map.addLayer({id, type: 'line', source: id, 'source-layer': level.layer, minzoom, layout: {'line-join': 'round'}, paint});
    };
    if (fine) borders(fine, 'fine', {'line-color': token('--text'), 'line-width': 1, 'line-opacity': ['interpolate', ['linear'], ['zoom'], 10.5, 0, 12, 0.16]}, 10.5);
    if (coarse) borders(coarse, 'coarse', {'line-color': token('--text'), 'line-opacity': 0.34, 'line-width': 1});
    map.addSource('hot', {type: 'geojson', data: EMPTY});
    map.addLayer({id: 'hot', type: 'line', source: 'hot', layout: {'line-join': 'round'}, paint: {'line-color': token('--text'), 'line-opacity': 0.95}});
    map.addLayer({id: 'chosen', type: 'line', source: 'hot', filter: ['in', ['get', 'id'], ['literal', []]], layout: {'line-join': 'round'}, paint: {'line-color': token('--choice')}});
    this.dress();
  }

  /** @param {Record<string, any>} params @param {number} [tileSize] @returns {any} */
  fieldSource(params, tileSize = 512) {
    return {type: 'raster', tiles: [location.origin + address(`/tiles/${this.part.heat}/{z}/{x}/{y}@2x.png`, {...params, palette: 'dark'})], tileSize, maxzoom: DEEPEST, bounds: this.bounds};
  }

  /** Widths at the wall's unit. */
  dress() {
    const {map, unitPx: u} = this;
    if (!map.getLayer('chosen')) return;
    map.setPaintProperty('hot', 'line-width', Math.max(1.2, u / 11));
    map.setPaintProperty('chosen', 'line-width', Math.max(2, u / 5));
    if (map.getLayer('coarse')) map.setPaintProperty('coarse', 'line-width', Math.max(0.8, u / 22));
  }

  /** @param {import('./layout.js').Layout} l */
  resize(l) {
    this.unitPx = l.unitPx;
    const pad = (r) => ({left: r.x - l.map.x, top: r.y - l.map.y, right: l.map.x + l.map.w - r.x - r.w, bottom: l.map.y + l.map.h - r.y - r.h});
    this.padding = pad(l.focus);
    // The whole city may lie across seams; a place may not.
    this.wholePadding = {left: l.unitPx, right: l.unitPx, top: l.unitPx, bottom: l.map.y + l.map.h - l.caption.y};
    this.map.resize();
    this.dress();
  }

  /** @param {number} lonDeg @param {number} latDeg */
  project(lonDeg, latDeg) {
    return this.map.project([lonDeg, latDeg]);
  }

  get zoom() {
    return this.map.getZoom();
  }
  get view() {
    return /** @type {[number, number, number, number]} */ (this.map.getBounds().toArray().flat());
  }

  /** @param {number[] | null} bounds   null: the whole city @param {number} ms @param {number} [zoomMost] @returns {Promise<void>} when it is there */
  go(bounds, ms, zoomMost = ZOOM_MOST) {
    const done = new Promise((resolve) => this.map.once('moveend', () => resolve()));
    const room = bounds ? {padding: grown(this.padding, Math.min(this.container.clientWidth, this.container.clientHeight) * 0.08), maxZoom: zoomMost + nearer(this.unitPx)} : {padding: this.wholePadding};
    this.map.fitBounds(/** @type {any} */ (bounds ?? this.bounds), {...room, duration: ms, curve: 1.3, essential: true, ...(ms ? {} : {animate: false})});
    return /** @type {Promise<void>} */ (done);
  }

  /** @param {any} collection   significant units */
  setHot(collection) {
    this.map.getSource('hot')?.setData(collection);
  }

  /** @param {string[]} ids */
  choose(ids) {
    if (this.map.getLayer('chosen')) this.map.setFilter('chosen', ['in', ['get', 'id'], ['literal', ids]]);
  }

  /**
   * The field as it was, made ready behind what is shown.
   * @param {import('./plan.js').Moment} then @returns {Promise<() => void>} show it instead
   */
  async fieldAt(then) {
    const {map} = this, slot = this.shown === 0 ? 1 : 0, id = THEN[slot];
    if (map.getSource('field')) {
      this.drop(id);
      map.addSource(id, this.fieldSource({...this.part.replayField, at: then.iso()}, THEN_TILE));
      map.addLayer({id, type: 'raster', source: id, paint: {'raster-fade-duration': 0, 'raster-opacity': 0, 'raster-opacity-transition': {duration: TURN_MS, delay: 0}}}, 'field');
      await this.loaded(id);
    }
    return () => {
      this.shown = slot;
      for (const other of ['field', ...THEN]) if (map.getLayer(other)) map.setPaintProperty(other, 'raster-opacity', other === id ? FIELD_OPACITY : 0);
      // What a replay shows is not what is there now.
      if (map.getLayer('hot')) map.setLayoutProperty('hot', 'visibility', 'none');
    };
  }

  /** Now's field again. */
  fieldNow() {
    const {map} = this;
    for (const id of THEN) this.drop(id);
    this.shown = -1;
    if (map.getLayer('field')) map.setPaintProperty('field', 'raster-opacity', FIELD_OPACITY);
    if (map.getLayer('hot')) map.setLayoutProperty('hot', 'visibility', 'visible');
  }

  /** @param {string} id */
  drop(id) {
    if (this.map.getLayer(id)) this.map.removeLayer(id);
    if (this.map.getSource(id)) this.map.removeSource(id);
  }

  /** All of its tiles are there, or have been waited for long enough. @param {string} id @returns {Promise<void>} */
  loaded(id) {
    const {map} = this;
    return new Promise((resolve) => {
      const look = () => {
        if (map.getSource(id) && !map.isSourceLoaded(id)) return;
        map.off('sourcedata', look);
        clearTimeout(timer);
        resolve();
      };
      const timer = setTimeout(() => {
        map.off('sourcedata', look);
        resolve();
      }, PATIENCE_MS);
      map.on('sourcedata', look);
    });
  }

  /** Nothing is left of it. */
  close() {
    clearTimeout(this.lost);
    for (const late of this.late.values()) clearTimeout(late.timer);
    this.map.remove();
  }

  /** @param {Record<string, import('../live.js').Touched>} layers @param {number} reachM   how far a row is felt in the field */
  changed(layers, reachM) {
    for (const touched of Object.values(layers)) this.soon('field', touched, reachM, FIELD_MS);
  }

  /** All that is shown may be old. */
  reset() {
    if (this.map.getSource('field')) this.map.refreshTiles('field');
  }

  /** @param {string} source @param {any} touched @param {number} reachM @param {number} restMs */
  soon(source, touched, reachM, restMs) {
    const late = this.late.get(source) ?? {timer: null, lastMs: -Infinity, touched: []};
    this.late.set(source, late);
    late.touched.push(touched);
    if (late.timer) return;
    late.timer = setTimeout(() => {
      late.timer = null;
      late.lastMs = performance.now();
      const all = late.touched.splice(0);
      if (!this.map.getSource(source)) return;
      /** @type {Map<string, any>} */
      const tiles = new Map();
      const deepest = Math.min(DEEPEST, Math.ceil(this.zoom) + 1);
      for (const t of all) for (const tile of tilesTouched(t, reachM, this.view, deepest, reachM && 1 / 256)) tiles.set(`${tile.z}/${tile.x}/${tile.y}`, tile);
      if (tiles.size) this.map.refreshTiles(source, [...tiles.values()]);
    }, Math.max(0, late.lastMs + restMs - performance.now()));
  }
}

const grown = (p, by) => ({left: p.left + by, right: p.right + by, top: p.top + by, bottom: p.bottom + by});
