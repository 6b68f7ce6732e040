// @ts-check
// map.js - the map: base, heat, units, and what is chosen on it.

import {Map as LibreMap, NavigationControl, ScaleControl} from './maplibre/maplibre-gl.mjs';
import {getItems} from './api.js';
import {boundsOf, labelPlace} from './geometry.js';
import {tilesTouched} from './live.js';

/** @typedef {import('./api.js').Layer} Layer */

const EMPTY = {type: 'FeatureCollection', features: []};

/* What a layer is on the base map: from which zoom its rows are asked for, box
 * by box, and its colour. Layers that do not say are drawn quietly, from a zoom
 * at which a box holds not too many of them. In the order in which they lie. */
const BASE = {
  water: {fromZoom: 0, limit: 5000, token: '--water'},
  '': {limit: 20000, token: '--building'},
  building: {fromZoom: 15, limit: 8000, token: '--building'},
  road: {fromZoom: 11, limit: 20000, token: '--road'},
};
const GENERIC_FROM = [[5000, 0], [20000, 9], [100000, 12], [Infinity, 14]];

/** Layers of the base map, lowest first. @param {Layer[]} layers */
export function baseLayers(layers) {
  const order = Object.keys(BASE);
  return layers.filter((l) => l.geometry !== 'point' && !l.unit_level && l.rows > 0).map((l) => {
    const kind = l.base && l.base in BASE ? l.base : '';
    const line = l.geometry === 'line';
    const fromZoom = BASE[kind].fromZoom ?? GENERIC_FROM.find(([rows]) => l.rows <= rows)[1];
    const token = !kind && line ? '--road' : BASE[kind].token;
    return {id: `base-${l.id}`, layer: l.id, kind, line, fromZoom, limit: BASE[kind].limit, token};
  }).sort((a, b) => order.indexOf(a.kind) - order.indexOf(b.kind) || Number(a.line) - Number(b.line));
}

const GRID_FROM_ZOOM = 11;
const GRID_LIMIT = 5000;
/* Boxes are asked for with so much around them, so that small moves need no
 * new ones. Share of their size. */
const MARGIN = 0.35;

const LOCALE = {
  'Map.Title': '地图',
  'NavigationControl.ZoomIn': '放大 Zoom in',
  'NavigationControl.ZoomOut': '缩小 Zoom out',
  'NavigationControl.ResetBearing': '朝北 Reset north',
  'ScaleControl.Meters': 'm',
  'ScaleControl.Kilometers': 'km',
};

/** Value of a custom property. @param {string} name */
const token = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

export function hasWebgl2() {
  try {
    return !!document.createElement('canvas').getContext('webgl2');
  } catch {
    return false;
  }
}

/** @param {number} lonDeg @param {number} latDeg */
const point = (lonDeg, latDeg, properties = {}) =>
  ({type: 'Feature', properties, geometry: {type: 'Point', coordinates: [lonDeg, latDeg]}});

/** A layer whose rows are loaded for the box in view. */
class BoxSource {
  /** @param {CityMap} owner @param {string} source @param {string} layer */
  constructor(owner, source, layer, fromZoom, limit) {
    Object.assign(this, {owner, source, layer, fromZoom, limit});
    /** @type {number[] | null} */
    this.box = null;
    /** @type {AbortController | null} */
    this.pending = null;
  }

  async update() {
    const map = this.owner.map;
    if (map.getZoom() < this.fromZoom) return;
    const view = map.getBounds().toArray().flat();
    const [w, s, e, n] = view;
    const inside = this.box && w >= this.box[0] && s >= this.box[1] && e <= this.box[2] && n <= this.box[3];
    if (inside) return;
    const [dx, dy] = [(e - w) * MARGIN, (n - s) * MARGIN];
    const box = [Math.max(w - dx, -180), Math.max(s - dy, -85), Math.min(e + dx, 180), Math.min(n + dy, 85)];
    this.pending?.abort();
    const pending = this.pending = new AbortController();
    try {
      const rows = await getItems(this.layer, {bbox: box, limit: this.limit}, pending.signal);
      // A cut answer is drawn, but asked for again when the view moves.
      this.box = rows.numberReturned < rows.numberMatched ? null : box;
      map.getSource(this.source)?.setData(rows);
    } catch (error) {
      if (error.name !== 'AbortError') console.warn(`${this.layer}: ${error.message}`);
    }
  }
}

export class CityMap {
  /**
   * @param {HTMLElement} container
   * @param {{layers: Layer[], levels: string[], view: import('./hash.js').State['map']}} city
   * @param {{onMove: (view: {zoom: number, latDeg: number, lonDeg: number}) => void,
   *   onPoint: (place: {lonDeg: number, latDeg: number}, pinned: boolean, unit: string) => void,
   *   onBusy: (busy: boolean) => void}} handlers
   */
  constructor(container, {layers, levels, view}, handlers) {
    this.layers = layers;
    this.handlers = handlers;
    const level = (name) => name === undefined ? undefined : layers.find((l) => l.unit_level === name);
    this.coarse = level(levels[levels.length - 1]);
    this.fine = levels.length > 1 ? level(levels[0]) : undefined;
    /** @type {Map<string, any>} units of the coarsest level by id */
    this.units = new Map();
    /** @type {BoxSource[]} */
    this.boxes = [];
    this.base = baseLayers(layers);
    const box = (this.coarse ?? layers.find((l) => l.geometry === 'point' && l.rows > 0) ?? layers.find((l) => l.rows > 0))?.extent?.spatial.bbox[0];
    this.map = new LibreMap({
      container,
      style: {version: 8, sources: {}, layers: [{id: 'land', type: 'background'}]},
      ...(view ? {center: [view.lonDeg, view.latDeg], zoom: view.zoom}
        : box ? {bounds: box, fitBoundsOptions: {padding: {top: 20, right: 40, bottom: 60, left: 40}}} : {center: [113.75, 22.95], zoom: 9}),
      minZoom: 3, maxZoom: 20, attributionControl: false, dragRotate: false, pitchWithRotate: false,
      touchPitch: false, fadeDuration: 0, locale: LOCALE, maxCanvasSize: [8192, 8192],
      // The stream says which tiles have changed: none is asked for by the
      // clock, none is kept out of sight, and the browser's own copy counts
      // only after the server has said that it is the newest (its ETag).
      refreshExpiredTiles: false, maxTileCacheSize: 0,
      transformRequest: (url) => ({url, cache: 'no-cache', headers: {'Cache-Control': 'no-cache'}}),
      localIdeographFontFamily: '"Noto Sans CJK SC", "Source Han Sans SC", "PingFang SC", "Microsoft YaHei", sans-serif',
    });
    this.map.touchZoomRotate.disableRotation();
    this.map.keyboard.disableRotation();
    this.map.addControl(new NavigationControl({showCompass: false}), 'top-right');
    this.map.addControl(new ScaleControl({maxWidth: 110}), innerWidth <= 900 ? 'top-left' : 'bottom-right');
    this.ready = new Promise((done) => this.map.once('style.load', () => {
      this.build();
      done(this);
    }));
    this.listen();
  }

  listen() {
    const {map, handlers} = this;
    map.on('moveend', () => {
      const {lng, lat} = map.getCenter();
      handlers.onMove({zoom: map.getZoom(), latDeg: lat, lonDeg: lng});
      for (const box of this.boxes) box.update();
    });
    map.on('mousemove', (e) => handlers.onPoint({lonDeg: e.lngLat.lng, latDeg: e.lngLat.lat}, false, ''));
    map.on('click', (e) => {
      const [unit] = map.getLayer('coarse-hit') ? map.queryRenderedFeatures(e.point, {layers: ['coarse-hit']}) : [];
      handlers.onPoint({lonDeg: e.lngLat.lng, latDeg: e.lngLat.lat}, true, unit?.properties.id ?? '');
    });
    map.on('dataloading', () => handlers.onBusy(true));
    map.on('idle', () => handlers.onBusy(false));
    map.on('error', (e) => console.warn(e.error?.message ?? e));
  }

  /** Sources and layers, from the bottom up. */
  build() {
    const {map} = this;
    const add = (id, data = EMPTY) => map.addSource(id, {type: 'geojson', data});
    for (const base of this.base) {
      add(base.id);
      this.boxes.push(new BoxSource(this, base.id, base.layer, base.fromZoom, base.limit));
      if (base.line)
        map.addLayer({id: base.id, type: 'line', source: base.id, minzoom: base.fromZoom,
          paint: {'line-width': ['interpolate', ['exponential', 1.6], ['zoom'], 11, 0.6, 14, 1.6, 18, 9]}});
      else
        map.addLayer({id: base.id, type: 'fill', source: base.id, minzoom: base.fromZoom});
    }
    add('coarse');
    add('coarse-name');
    add('pin');
    if (this.fine) {
      add('fine');
      this.boxes.push(new BoxSource(this, 'fine', this.fine.id, GRID_FROM_ZOOM, GRID_LIMIT));
      map.addLayer({id: 'fine', type: 'line', source: 'fine', minzoom: GRID_FROM_ZOOM,
        paint: {'line-width': 0.7, 'line-opacity': ['interpolate', ['linear'], ['zoom'], 11, 0.18, 14, 0.42]}});
    }
    map.addLayer({id: 'coarse-hit', type: 'fill', source: 'coarse', paint: {'fill-opacity': 0}});
    map.addLayer({id: 'coarse', type: 'line', source: 'coarse', layout: {'line-join': 'round'},
      paint: {'line-width': ['interpolate', ['linear'], ['zoom'], 8, 0.7, 13, 1.6], 'line-opacity': 0.45}});
    map.addLayer({id: 'chosen', type: 'line', source: 'coarse', filter: ['==', ['get', 'id'], ''],
      layout: {'line-join': 'round'}, paint: {'line-width': 2.5}});
    map.addLayer({id: 'coarse-name', type: 'symbol', source: 'coarse-name',
      layout: {'text-field': ['get', 'name'], 'text-size': ['interpolate', ['linear'], ['zoom'], 8, 11, 13, 16],
        'text-padding': 3, 'text-max-width': 8},
      paint: {'text-halo-width': 1.4}});
    map.addLayer({id: 'pin', type: 'circle', source: 'pin',
      paint: {'circle-radius': 7, 'circle-color': 'transparent', 'circle-stroke-width': 2.5}});
    this.paint();
    for (const box of this.boxes) box.update();
    this.loadUnits();
  }

  /** Colours of the theme. */
  paint() {
    const {map} = this;
    const set = (layer, property, value) => map.getLayer(layer) && map.setPaintProperty(layer, property, value);
    set('land', 'background-color', token('--land'));
    for (const base of this.base) {
      set(base.id, base.line ? 'line-color' : 'fill-color', token(base.token));
      if (!base.kind && !base.line) set(base.id, 'fill-outline-color', token('--road'));
    }
    for (const id of ['coarse', 'fine']) set(id, 'line-color', token('--text'));
    set('chosen', 'line-color', token('--choice'));
    set('pin', 'circle-stroke-color', token('--choice'));
    set('coarse-name', 'text-color', token('--text'));
    set('coarse-name', 'text-halo-color', token('--ground'));
  }

  async loadUnits() {
    if (!this.coarse) return;
    const rows = await getItems(this.coarse.id, {limit: 10000});
    this.units = new Map(rows.features.map((f) => [String(f.properties.id ?? f.id), f]));
    this.map.getSource('coarse').setData(rows);
    this.map.getSource('coarse-name').setData({
      type: 'FeatureCollection',
      features: rows.features.filter((f) => f.geometry).map((f) => {
        const {lonDeg, latDeg} = labelPlace(f.geometry);
        return point(lonDeg, latDeg, {name: f.properties.name ?? f.properties.id});
      }),
    });
    if (this.chosen) this.choose(this.chosen, false);
  }

  /** Show the tiles of this template; null shows none. @param {string | null} template @param {number[]} [bounds] */
  showHeat(template, bounds) {
    const {map} = this;
    if (map.getLayer('heat')) map.removeLayer('heat');
    if (map.getSource('heat')) map.removeSource('heat');
    if (!template) return;
    map.addSource('heat', {type: 'raster', tiles: [template], tileSize: 256, minzoom: 0, maxzoom: 22, ...(bounds && {bounds})});
    map.addLayer({id: 'heat', type: 'raster', source: 'heat',
      paint: {'raster-fade-duration': 120, 'raster-opacity': 0.9}}, this.fine ? 'fine' : 'coarse-hit');
  }

  /** Outline a unit, and go there. @param {string} id '' for none @param {boolean} fly */
  choose(id, fly) {
    this.chosen = id;
    if (!this.map.getLayer('chosen')) return;
    this.map.setFilter('chosen', ['==', ['get', 'id'], id]);
    const unit = this.units.get(id);
    if (unit?.geometry && fly)
      this.map.fitBounds(boundsOf(unit.geometry), {padding: 48, maxZoom: 14, duration: 700});
  }

  /** Go where something is, near enough to see it. @param {{lonDeg: number, latDeg: number}} at @param {number} zoom */
  goTo(at, zoom) {
    this.map.flyTo({center: [at.lonDeg, at.latDeg], zoom: Math.max(zoom, this.map.getZoom()), duration: 900});
  }

  /** @param {{lonDeg: number, latDeg: number} | null} at */
  pin(at) {
    this.map.getSource('pin')?.setData(
      {type: 'FeatureCollection', features: at ? [point(at.lonDeg, at.latDeg)] : []});
  }

  /**
   * Ask again for the tiles of the heat that a change reaches, and for rows of
   * the base map that are drawn.
   * @param {string} layer @param {import('./live.js').Touched} touched
   * @param {boolean} heat is it of the layer? @param {number} reachM
   */
  refreshChanged(layer, touched, heat, reachM) {
    const {map} = this;
    if (heat && map.getSource('heat')) {
      // One more zoom than is shown: tiles of the zoom that is being left.
      const view = /** @type {[number, number, number, number]} */ (map.getBounds().toArray().flat());
      const tiles = tilesTouched(touched, reachM, view, Math.min(22, this.tileZoom() + 1));
      if (tiles.length) map.refreshTiles('heat', tiles);
    }
    for (const box of this.boxes)
      if (box.layer === layer) {
        box.box = null;
        box.update();
      }
    if (layer === this.coarse?.id) this.loadUnits();
  }

  /** Zoom of the heat tiles that are shown now. */
  tileZoom() {
    return Math.min(22, Math.max(0, Math.round(this.map.getZoom() + 1)));
  }
}
