// @ts-check
// map_gl.js - the map by MapLibre. See AnyMap in map.js.

import {Map as LibreMap, NavigationControl, ScaleControl, setMaxParallelImageRequests} from '../maplibre/maplibre-gl.mjs';
import {tilesTouched} from '../live.js';
import {latOf, lonOf, tilesIn, worldX, worldY} from '../mercator.js';
import {pixelRatio, token} from './map.js';

/** @typedef {import('./map.js').Sheet} Sheet */

/* Browsers have six connections for a server: numbers come first. */
setMaxParallelImageRequests(4);
/** How long what stood before waits for what comes. */
const COMING_MS = 8000;

/* Its style sheet, where it is needed. */
const sheet = document.createElement('link');
Object.assign(sheet, {rel: 'stylesheet', href: '/pages/maplibre/maplibre-gl.css'});
document.head.append(sheet);

const point = ({lonDeg, latDeg}) => ({type: 'Feature', properties: {}, geometry: {type: 'Point', coordinates: [lonDeg, latDeg]}});
const collection = (features) => ({type: 'FeatureCollection', features});

export class GlMap {
  /** @param {HTMLElement} container @param {import('./map.js').How} how @param {import('./map.js').Handlers} handlers */
  constructor(container, {view, box, say, label}, handlers) {
    Object.assign(this, {container, handlers});
    this.kind = 'gl';
    /** @type {Map<string, {id: string, sheet: Sheet}>} sheets that are seen, by key */
    this.seen = new Map();
    /** @type {Map<string, {id: string, sheet: Sheet}>} and those on their way */
    this.coming = new Map();
    this.made = 0;
    /** What is drawn over a sheet, a canvas a tile. @type {Map<string, Map<string, {id: string, canvas: HTMLCanvasElement}>>} */
    this.over = new Map();
    /** @type {Map<string, import('./map.js').Look>} */
    this.looks = new Map();
    this.map = new LibreMap({
      container,
      style: {version: 8, sources: {}, layers: [{id: 'land', type: 'background', paint: {'background-color': token('--land')}}]},
      ...(view ? {center: [view.lonDeg, view.latDeg], zoom: view.zoom} : {bounds: /** @type {any} */ (box), fitBoundsOptions: {padding: Math.min(24, container.clientWidth / 40)}}),
      minZoom: 3, maxZoom: 20, attributionControl: false, dragRotate: false, pitchWithRotate: false, touchPitch: false, fadeDuration: 0, pixelRatio: pixelRatio(), maxCanvasSize: [8192, 8192],
      // The stream says which tiles have changed: none is asked for by the
      // clock, none is kept out of sight, and the browser's own copy counts
      // only after the server has said that it is the newest (its ETag).
      refreshExpiredTiles: false, maxTileCacheSize: 0,
      transformRequest: (url) => ({url, cache: 'no-cache', headers: {'Cache-Control': 'no-cache'}}),
      locale: {'Map.Title': label, 'NavigationControl.ZoomIn': say('zoom_in'), 'NavigationControl.ZoomOut': say('zoom_out'), 'NavigationControl.ResetBearing': say('north'), 'ScaleControl.Meters': 'm', 'ScaleControl.Kilometers': 'km'},
    });
    const {map} = this;
    map.touchZoomRotate.disableRotation();
    map.keyboard.disableRotation();
    map.addControl(new NavigationControl({showCompass: false}), 'top-right');
    map.addControl(new ScaleControl({maxWidth: 110}), innerWidth <= 900 ? 'top-left' : 'bottom-right');
    this.ready = new Promise((done) => map.once('style.load', () => {
      map.addLayer({id: 'top', type: 'background', paint: {'background-opacity': 0}});
      map.addSource('pin', {type: 'geojson', data: collection([])});
      map.addLayer({id: 'pin', type: 'circle', source: 'pin', paint: {'circle-radius': 7, 'circle-color': 'transparent', 'circle-stroke-width': 2.5, 'circle-stroke-color': token('--choice')}});
      done(this);
    }));
    map.on('move', () => handlers.onMoving?.());
    map.on('moveend', () => handlers.onMove(this.view()));
    map.on('mousemove', (e) => handlers.onPoint({lonDeg: e.lngLat.lng, latDeg: e.lngLat.lat}, false));
    map.on('click', (e) => handlers.onPoint({lonDeg: e.lngLat.lng, latDeg: e.lngLat.lat}, true));
    map.on('dataloading', () => handlers.onBusy(true));
    map.on('idle', () => handlers.onBusy(false));
    map.on('error', (e) => {
      const by = [...this.seen.values(), ...this.coming.values()].find((s) => s.id === /** @type {any} */ (e).sourceId);
      if (by) handlers.onFault?.(by.sheet.key, /** @type {any} */ (e.error)?.status ?? 0);
      else console.warn(e.error?.message ?? e);
    });
  }

  view() {
    const {lng, lat} = this.map.getCenter();
    return {zoom: this.map.getZoom(), lonDeg: lng, latDeg: lat};
  }
  box() {
    return /** @type {[number, number, number, number]} */ (this.map.getBounds().toArray().flat());
  }
  project(lonDeg, latDeg) {
    return this.map.project([lonDeg, latDeg]);
  }
  unproject(x, y) {
    const {lng, lat} = this.map.unproject([x, y]);
    return {lonDeg: lng, latDeg: lat};
  }
  tileZoom() {
    return Math.min(22, Math.max(0, Math.round(this.map.getZoom())));
  }

  go(to, ms = 700) {
    if ('box' in to) this.map.fitBounds(to.box, {padding: to.padding ?? 48, maxZoom: to.most ?? 14, duration: ms});
    else if (ms) this.map.flyTo({center: [to.lonDeg, to.latDeg], zoom: to.zoom, duration: ms});
    else this.map.jumpTo({center: [to.lonDeg, to.latDeg], zoom: to.zoom});
  }

  /** A sheet as a source and a layer, not seen yet. @param {Sheet} sheet */
  begin(sheet) {
    const now = this.seen.get(sheet.key);
    if (now?.sheet.tiles === sheet.tiles) return now;
    const coming = this.coming.get(sheet.key);
    if (coming?.sheet.tiles === sheet.tiles) return coming;
    if (coming) this.drop(coming);
    const made = {id: `sheet ${++this.made}`, sheet};
    this.map.addSource(made.id, {type: 'raster', tiles: [location.origin + sheet.tiles], tileSize: 512, maxzoom: 21, ...(sheet.box && {bounds: /** @type {any} */ (sheet.box)})});
    this.map.addLayer({id: made.id, type: 'raster', source: made.id, paint: {'raster-fade-duration': 0, 'raster-opacity': 0}}, 'top');
    this.coming.set(sheet.key, made);
    return made;
  }

  drop({id}) {
    if (this.map.getLayer(id)) this.map.removeLayer(id);
    if (this.map.getSource(id)) this.map.removeSource(id);
  }

  /** When its tiles are there. @param {string} id */
  loaded(id) {
    const {map} = this;
    return new Promise((done) => {
      const end = () => {
        clearTimeout(late);
        map.off('sourcedata', look);
        map.off('idle', look);
        done(undefined);
      };
      const look = () => { if (!map.getSource(id) || map.isSourceLoaded(id)) end(); };
      const late = setTimeout(end, COMING_MS);
      map.on('sourcedata', look);
      map.on('idle', look);
    });
  }

  /** @param {Sheet[]} sheets */
  async prepare(sheets) {
    await this.ready;
    await Promise.all(sheets.map((sheet) => this.begin(sheet)).filter((s) => s !== this.seen.get(s.sheet.key)).map((s) => this.loaded(s.id)));
  }

  /** @param {Sheet[]} sheets */
  async show(sheets) {
    await this.ready;
    const {map} = this;
    for (const [key, old] of this.seen)
      if (!sheets.some((s) => s.key === key)) {
        this.drop(old);
        this.seen.delete(key);
      }
    for (const sheet of sheets) {
      const made = this.begin(sheet);
      made.sheet = sheet;
      map.moveLayer(made.id, 'top');
    }
    await Promise.all(sheets.map(async (sheet) => {
      const made = this.begin(sheet), old = this.seen.get(sheet.key);
      if (old && old !== made) await this.loaded(made.id);
      if (this.coming.get(sheet.key) !== made && old !== made) return;
      map.setPaintProperty(made.id, 'raster-opacity', this.over.has(sheet.key) ? 0 : made.sheet.opacity);
      if (old && old !== made) this.drop(old);
      this.seen.set(sheet.key, made);
      this.coming.delete(sheet.key);
    }));
  }

  sheet(key) {
    return this.seen.get(key)?.sheet;
  }

  /** @param {Sheet} sheet */
  tilesSeen({box}) {
    const {lng, lat} = this.map.getCenter(), {clientWidth, clientHeight} = this.container, z = this.tileZoom(), n = 2 ** z;
    return tilesIn({x: worldX(lng), y: worldY(lat)}, this.map.getZoom(), z, clientWidth, clientHeight)
      .filter(({x, y}) => !box || (lonOf(x / n) <= box[2] && lonOf((x + 1) / n) >= box[0] && latOf((y + 1) / n) <= box[3] && latOf(y / n) >= box[1]));
  }

  /** @param {string} key @param {Map<string, ImageBitmap | null>} pictures */
  overdraw(key, pictures) {
    const {map} = this, sheet = this.seen.get(key);
    if (!sheet) return;
    const over = this.over.get(key) ?? new Map();
    this.over.set(key, over);
    map.setPaintProperty(sheet.id, 'raster-opacity', 0);
    for (const [tile, {id}] of over)
      if (!pictures.get(tile)) {
        this.drop({id});
        over.delete(tile);
      }
    for (const [tile, picture] of pictures) {
      if (!picture) continue;
      const known = over.get(tile), canvas = known?.canvas ?? Object.assign(document.createElement('canvas'), {width: picture.width, height: picture.height}), pen = canvas.getContext('2d');
      pen.clearRect(0, 0, canvas.width, canvas.height);
      pen.drawImage(picture, 0, 0);
      picture.close();
      if (!known) {
        const [z, x, y] = tile.split('/').map(Number), n = 2 ** z, id = `over ${++this.made}`;
        map.addSource(id, {type: 'canvas', canvas, animate: false, coordinates: [[lonOf(x / n), latOf(y / n)], [lonOf((x + 1) / n), latOf(y / n)], [lonOf((x + 1) / n), latOf((y + 1) / n)], [lonOf(x / n), latOf((y + 1) / n)]]});
        map.addLayer({id, type: 'raster', source: id, paint: {'raster-fade-duration': 0, 'raster-opacity': sheet.sheet.opacity}}, sheet.id);
        over.set(tile, {id, canvas});
      }
      // What a canvas shows is read while it plays.
      const source = /** @type {any} */ (map.getSource(over.get(tile).id));
      source.play();
      source.pause();
    }
    map.triggerRepaint();
  }

  /* Its tiles are held by the library, whatever is drawn over them. */
  restOverdraw() {}

  endOverdraw() {
    const ended = [...this.over];
    this.over.clear();
    for (const [key, tiles] of ended) {
      const sheet = this.seen.get(key);
      if (sheet) this.map.setPaintProperty(sheet.id, 'raster-opacity', sheet.sheet.opacity);
      for (const tile of tiles.values()) this.drop(tile);
    }
  }

  outline(name, features, look = {}) {
    const {map} = this, id = `outline ${name}`;
    if (!map.getSource(id)) {
      if (!features) return;
      map.addSource(id, {type: 'geojson', data: collection([])});
      map.addLayer({id: `${id} fill`, type: 'fill', source: id, filter: ['==', ['geometry-type'], 'Polygon']}, 'pin');
      map.addLayer({id: `${id} line`, type: 'line', source: id, layout: {'line-join': 'round'}}, 'pin');
      map.addLayer({id: `${id} dot`, type: 'circle', source: id, filter: ['==', ['geometry-type'], 'Point']}, 'pin');
    }
    this.looks.set(name, look);
    map.getSource(id).setData(collection(features ?? []));
    this.dress(name);
  }

  dress(name) {
    const {map} = this, id = `outline ${name}`, look = this.looks.get(name) ?? {};
    const line = token(look.line ?? '--choice'), fill = look.fill ? token(look.fill) : 'transparent';
    map.setPaintProperty(`${id} fill`, 'fill-color', ['coalesce', ['get', 'fill'], fill]);
    map.setPaintProperty(`${id} fill`, 'fill-opacity', look.fillOpacity ?? 0.15);
    map.setPaintProperty(`${id} line`, 'line-color', line);
    map.setPaintProperty(`${id} line`, 'line-width', look.line ? look.width ?? 2 : 0);
    if (look.dashed) map.setPaintProperty(`${id} line`, 'line-dasharray', [3, 2]);
    map.setPaintProperty(`${id} dot`, 'circle-color', ['coalesce', ['get', 'fill'], fill]);
    map.setPaintProperty(`${id} dot`, 'circle-stroke-color', line);
    map.setPaintProperty(`${id} dot`, 'circle-stroke-width', 1.5);
  }

  pin(at) {
    this.map.getSource('pin')?.setData(collection(at ? [point(at)] : []));
  }

  refresh(layer, touched) {
    for (const {id, sheet} of this.seen.values()) {
      if (touched && sheet.layers.length && !sheet.layers.includes(layer)) continue;
      if (!touched || !sheet.layers.length) {
        this.map.refreshTiles(id);
        continue;
      }
      // One more zoom than is shown: tiles of the zoom that is being left.
      const tiles = tilesTouched(touched, sheet.reachM, this.box(), Math.min(21, this.tileZoom() + 1), sheet.edge);
      if (tiles.length) this.map.refreshTiles(id, tiles);
    }
  }

  paint() {
    this.map.setPaintProperty('land', 'background-color', token('--land'));
    this.map.setPaintProperty('pin', 'circle-stroke-color', token('--choice'));
    for (const name of this.looks.keys()) this.dress(name);
  }

  resize() {
    this.map.setPixelRatio(pixelRatio());
    this.map.resize();
  }

  /** @param {number} by */
  zoomBy(by) {
    this.map.easeTo({zoom: this.map.getZoom() + by});
  }

  /** @param {number} dx @param {number} dy */
  panBy(dx, dy) {
    this.map.panBy([dx, dy]);
  }

  focus() {
    this.map.getCanvas().focus({preventScroll: true});
  }

  remove() {
    this.map.remove();
  }
}
