// @ts-check
// map_pictures.js - the map without a graphics card: pictures of the server in
// a plane that is moved, never drawn anew. See AnyMap in map.js.
//
// A plane holds the tiles of one zoom; each of its cells is one opaque canvas
// that shows the sheets laid over each other once, a picture that is not painted
// on: so moving them costs one copy of the screen and no blending. While somebody
// drags, only the plane's transform changes; tiles are asked for a few times a
// second. The plane of another zoom is filled over the old one, which goes when
// the new one is there.

import {element} from '../dom.js';
import {tilesTouched} from '../live.js';
import {latOf, lonOf, tilesIn, viewOf, worldX, worldY, WORLD_PX} from '../mercator.js';
import {Loader} from './loader.js';
import {moveByKey, movesMap, pixelRatio, pointIn, token} from './map.js';

/** @typedef {import('./map.js').Sheet} Sheet @typedef {import('./map.js').View} View */

const ZOOM_MIN = 3, ZOOM_MAX = 20, TILE_PX = WORLD_PX;
/* Zooms are halves: pictures are drawn as they are, or a little smaller. */
const ZOOM_STEP = 0.5;
/* Of a view that shows a box, which should fill the map. */
const FIT_STEP = 0.05;
const FILL_MS = 120, REST_MS = 160, OLD_PLANE_MS = 4000;
/* A pointer that moved less has clicked. */
const CLICK_PX = 4;
/* Of a period that is moved: more would take longer than a frame. */
const PIXELS_A_FRAME = 12 * TILE_PX ** 2;
const WHEEL_NOTCH = 80;
/* Cells that are drawn with a frame: 4 ms each of 1024 pixels by software. */
const CELLS_FRAME = 4, CELLS_HELD = 2;
/* Screens that show more than a pixel for one of the page. */
const FINE_RATIO = 1.25;

const SVG = 'http://www.w3.org/2000/svg';
const svg = (tag, attributes = {}) => {
  const node = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, String(value));
  return node;
};
const snap = (zoom) => Math.max(ZOOM_MIN, Math.min(ZOOM_MAX, Math.round(zoom / ZOOM_STEP) * ZOOM_STEP));

/** The pictures of one sheet at one zoom. */
class Pile {
  /** @param {Plane} plane @param {Sheet} sheet */
  constructor(plane, sheet) {
    Object.assign(this, {plane, sheet});
    /** @type {Map<string, {stop: AbortController, picture: ImageBitmap | null}>} */
    this.tiles = new Map();
    this.waiting = 0;
    /** What was refused is not asked for tile by tile. */
    this.refused = false;
    this.order = 0;
    /** @type {(() => void)[]} */
    this.hearers = [];
  }

  get loaded() {
    return this.waiting ? new Promise((done) => this.hearers.push(() => done(undefined))) : Promise.resolve();
  }

  /** Ask for what is seen, forget what is far. */
  fill() {
    const {map, tileZoom} = this.plane, wanted = new Map();
    if (this.refused || map.over.get(this.sheet.key)?.hold) return;
    for (const tile of map.tiles(tileZoom)) if (meets(tile, this.sheet.box)) wanted.set(`${tile.x}/${tile.y}`, tile);
    for (const [key, tile] of wanted) if (!this.tiles.has(key)) this.ask(key, tile);
    for (const [key, held] of this.tiles) {
      const [x, y] = key.split('/').map(Number);
      if (![...wanted.values()].some((t) => Math.abs(t.x - x) <= 1 && Math.abs(t.y - y) <= 1)) {
        held.stop.abort();
        held.picture?.close();
        this.tiles.delete(key);
      }
    }
  }

  /** @param {string} key @param {{z: number, x: number, y: number}} tile */
  async ask(key, {z, x, y}) {
    const {map} = this.plane, stop = new AbortController();
    const held = this.tiles.get(key) ?? {stop, picture: null};
    if (held.stop !== stop) held.stop.abort();
    held.stop = stop;
    this.tiles.set(key, held);
    this.wait(1);
    try {
      const picture = await map.loader.get(this.sheet.tiles.replace('{z}', String(z)).replace('{x}', String(x)).replace('{y}', String(y)), stop.signal);
      if (stop.signal.aborted) {
        picture?.close();
      } else {
        held.picture?.close();
        held.picture = picture;
        this.plane.touch(key, this);
      }
    } catch (error) {
      if (error.status === undefined && !(error instanceof TypeError)) console.warn(error);
      if (error.status >= 400 && error.status < 500 && error.status !== 429) {
        this.refused = true;
        for (const other of this.tiles.values()) if (other !== held) other.stop.abort();
      }
      map.handlers.onFault?.(this.sheet.key, error.status ?? 0);
      // Asked for again when the view moves or the server is back.
      if (this.tiles.get(key) === held && !held.picture) this.tiles.delete(key);
    } finally {
      this.wait(-1);
    }
  }

  /** @param {number} more */
  wait(more) {
    this.waiting += more;
    this.plane.map.count(more);
    if (!this.waiting) for (const hear of this.hearers.splice(0)) hear();
  }

  remove() {
    for (const {stop, picture} of this.tiles.values()) {
      stop.abort();
      picture?.close();
    }
    this.tiles.clear();
  }
}

/** @param {{z: number, x: number, y: number}} tile @param {number[] | null} box */
function meets({z, x, y}, box) {
  if (!box) return true;
  const n = 2 ** z;
  return x / n <= worldX(box[2]) && (x + 1) / n >= worldX(box[0]) && y / n <= worldY(box[1]) && (y + 1) / n >= worldY(box[3]);
}

class Plane {
  /** @param {PictureMap} map @param {number} tileZoom */
  constructor(map, tileZoom) {
    Object.assign(this, {map, tileZoom});
    const px = TILE_PX * 2 ** tileZoom;
    // Corner of a tile, so that all of them are.
    this.originX = Math.floor(map.centre.x * px / TILE_PX) * TILE_PX;
    this.originY = Math.floor(map.centre.y * px / TILE_PX) * TILE_PX;
    this.node = element('div', {className: 'plane'});
    /** @type {Map<string, Pile>} */
    this.piles = new Map();
    /** @type {Map<string, Pile>} what is being loaded in place of a pile */
    this.next = new Map();
    /** @type {Map<string, {canvas: HTMLCanvasElement, shown: ImageBitmapRenderingContext}>} */
    this.cells = new Map();
    /** @type {Set<string>} cells to be drawn with the next frame */
    this.dirty = new Set();
    this.frame = 0;
  }

  /** A tile has come: its cell is drawn with the next frame. @param {string} key @param {Pile} [pile] one that is not seen changes nothing */
  touch(key, pile) {
    if (pile && this.piles.get(pile.sheet.key) !== pile) return;
    this.dirty.add(key);
    this.soon();
  }

  soon() {
    if (!this.frame) this.frame = requestAnimationFrame(() => {
      this.frame = 0;
      this.draw();
    });
  }

  touchAll() {
    for (const pile of this.piles.values()) for (const key of pile.tiles.keys()) this.touch(key);
    for (const key of this.cells.keys()) this.touch(key);
  }

  /** @param {Pile} pile @param {string} key */
  pictureOf(pile, key) {
    const {over} = this.map;
    return over.has(pile.sheet.key) ? over.get(pile.sheet.key).pictures.get(`${this.tileZoom}/${key}`) : pile.tiles.get(key)?.picture;
  }

  /* Cells whose tiles have come, sheets over each other: a few with each frame;
   * where pictures of a period follow each other as many as a frame has time for. */
  draw() {
    const piles = [...this.piles.values()].sort((a, b) => a.order - b.order), land = token('--land');
    const stepped = this.map.over.size > 0;
    let left = stepped ? Infinity : this.map.held ? CELLS_HELD : CELLS_FRAME, room = stepped ? PIXELS_A_FRAME : Infinity;
    for (const key of this.dirty) {
      if (!left || room <= 0) break;
      this.dirty.delete(key);
      const pictures = piles.map((pile) => ({picture: this.pictureOf(pile, key), opacity: pile.sheet.opacity})).filter((p) => p.picture);
      let cell = this.cells.get(key);
      if (!piles.some((pile) => pile.tiles.has(key))) {
        cell?.canvas.remove();
        this.cells.delete(key);
        continue;
      }
      if (!pictures.length && !cell) continue;
      left--;
      // Finer than the screen is not seen, and takes four times as long.
      const side = pixelRatio() > FINE_RATIO ? Math.max(TILE_PX, ...pictures.map((p) => p.picture.width)) : TILE_PX;
      if (!cell || cell.canvas.width !== side) {
        cell?.canvas.remove();
        cell = this.cell(key, side);
      }
      room -= side * side;
      const {canvas, pen} = this.map.brush(side);
      pen.globalAlpha = 1;
      pen.fillStyle = land;
      pen.fillRect(0, 0, side, side);
      for (const {picture, opacity} of pictures) {
        pen.globalAlpha = opacity;
        pen.drawImage(picture, 0, 0, side, side);
      }
      cell.shown.transferFromImageBitmap(canvas.transferToImageBitmap());
    }
    if (this.dirty.size) this.soon();
  }

  /** @param {string} key @param {number} side pixels */
  cell(key, side) {
    const [x, y] = key.split('/').map(Number), canvas = element('canvas', {width: side, height: side});
    canvas.style.left = `${x * TILE_PX - this.originX}px`;
    canvas.style.top = `${y * TILE_PX - this.originY}px`;
    const cell = {canvas, shown: canvas.getContext('bitmaprenderer', {alpha: false})};
    this.node.append(canvas);
    this.cells.set(key, cell);
    return cell;
  }

  place() {
    // Cells end on whole pixels: a seam would be seen through.
    const {map} = this, scale = Math.round(TILE_PX * 2 ** (map.zoom - this.tileZoom)) / TILE_PX, px = TILE_PX * 2 ** this.tileZoom;
    const x = map.width / 2 + (this.originX - map.centre.x * px) * scale, y = map.height / 2 + (this.originY - map.centre.y * px) * scale;
    this.node.style.transform = `translate3d(${Math.round(x)}px, ${Math.round(y)}px, 0)${scale === 1 ? '' : ` scale(${scale})`}`;
  }

  /** The pile of a sheet, in place or on its way. @param {Sheet} sheet */
  prepare(sheet) {
    const now = this.piles.get(sheet.key);
    if (now?.sheet.tiles === sheet.tiles) return now;
    const coming = this.next.get(sheet.key);
    if (coming?.sheet.tiles === sheet.tiles) return coming;
    coming?.remove();
    const pile = new Pile(this, sheet);
    this.next.set(sheet.key, pile);
    pile.fill();
    return pile;
  }

  /** @param {Sheet[]} sheets */
  async show(sheets) {
    let changed = false;
    for (const [key, pile] of this.piles)
      if (!sheets.some((s) => s.key === key)) {
        pile.remove();
        this.piles.delete(key);
        changed = true;
      }
    const waits = sheets.map(async (sheet, i) => {
      const pile = this.prepare(sheet), first = !this.piles.has(sheet.key), now = this.piles.get(sheet.key) ?? pile;
      changed ||= now.order !== i || now.sheet.opacity !== sheet.opacity;
      now.order = pile.order = i;
      now.sheet = {...now.sheet, opacity: sheet.opacity};
      pile.sheet = sheet;
      // Where nothing stands, tiles are shown as they come.
      if (first) this.put(pile);
      await pile.loaded;
      if (this.next.get(sheet.key) === pile) this.put(pile);
    });
    if (changed) this.touchAll();
    await Promise.all(waits);
  }

  /** @param {Pile} pile */
  put(pile) {
    const {key} = pile.sheet, old = this.piles.get(key);
    this.piles.set(key, pile);
    if (this.next.get(key) === pile) this.next.delete(key);
    if (old !== pile) old?.remove();
    this.touchAll();
  }

  fill() {
    for (const pile of [...this.piles.values(), ...this.next.values()]) pile.fill();
    for (const key of this.cells.keys()) if (![...this.piles.values()].some((pile) => pile.tiles.has(key))) this.touch(key);
  }

  remove() {
    cancelAnimationFrame(this.frame);
    for (const pile of [...this.piles.values(), ...this.next.values()]) pile.remove();
    this.node.remove();
  }
}

export class PictureMap {
  /** @param {HTMLElement} container @param {import('./map.js').How} how @param {import('./map.js').Handlers} handlers */
  constructor(container, {view, box, say, label}, handlers) {
    Object.assign(this, {container, handlers, home: box});
    this.kind = 'pictures';
    this.loader = new Loader();
    this.waiting = 0;
    /** Is it dragged just now? */
    this.held = false;
    /** @type {Sheet[]} */
    this.sheets = [];
    /** @type {Map<string, {features: any[], look: import('./map.js').Look}>} */
    this.outlines = new Map();
    this.pinned = null;
    /** What is drawn in the place of a sheet. @type {Map<string, {pictures: Map<string, ImageBitmap | null>, hold: boolean}>} */
    this.over = new Map();
    container.classList.add('pictures');
    container.tabIndex = 0;
    container.setAttribute('role', 'application');
    container.setAttribute('aria-label', label);
    this.drawn = svg('svg', {class: 'drawn', 'aria-hidden': 'true'});
    const zoomBy = (key, text, by) => element('button', {type: 'button', className: 'zoom', title: say(key), ariaLabel: say(key), onclick: () => this.zoomBy(by)}, text);
    this.controls = element('div', {className: 'zooms'}, zoomBy('zoom_in', '+', 1), zoomBy('zoom_out', '−', -1));
    container.append(this.drawn, this.controls);
    this.measure();
    const start = view ?? viewOf(box, {width: this.width, height: this.height, padding: Math.min(24, this.width / 40)});
    this.zoom = view ? start.zoom : Math.floor(start.zoom / FIT_STEP) * FIT_STEP;
    this.centre = {x: worldX(start.lonDeg), y: worldY(start.latDeg)};
    /** @type {Plane[]} the last one is filled, those before it go when it is there */
    this.planes = [];
    this.newPlane();
    this.listen();
    this.ready = Promise.resolve(this);
    this.watch = new ResizeObserver(() => this.resize());
    this.watch.observe(container);
  }

  measure() {
    this.width = this.container.clientWidth || 1;
    this.height = this.container.clientHeight || 1;
  }

  view() {
    return {zoom: this.zoom, lonDeg: lonOf(this.centre.x), latDeg: latOf(this.centre.y)};
  }

  box() {
    const a = this.unproject(0, this.height), b = this.unproject(this.width, 0);
    return /** @type {[number, number, number, number]} */ ([a.lonDeg, a.latDeg, b.lonDeg, b.latDeg]);
  }

  project(lonDeg, latDeg) {
    const px = TILE_PX * 2 ** this.zoom;
    return {x: this.width / 2 + (worldX(lonDeg) - this.centre.x) * px, y: this.height / 2 + (worldY(latDeg) - this.centre.y) * px};
  }

  unproject(x, y) {
    const px = TILE_PX * 2 ** this.zoom;
    return {lonDeg: lonOf(this.centre.x + (x - this.width / 2) / px), latDeg: latOf(this.centre.y + (y - this.height / 2) / px)};
  }

  /** Zoom of the tiles that suit the view: as large as they are drawn or larger. */
  tileZoom() {
    return Math.max(0, Math.min(21, Math.ceil(this.zoom - 0.01)));
  }

  tiles(tileZoom) {
    return tilesIn(this.centre, this.zoom, tileZoom, this.width, this.height);
  }

  count(more) {
    const before = this.waiting;
    this.waiting += more;
    if (!before !== !this.waiting) this.handlers.onBusy(this.waiting > 0);
  }

  newPlane() {
    const plane = new Plane(this, this.tileZoom()), old = this.planes.slice();
    this.planes.push(plane);
    this.container.insertBefore(plane.node, this.drawn);
    plane.place();
    const leave = () => {
      for (const o of old) o.remove();
      this.planes = this.planes.filter((p) => !old.includes(p));
    };
    const there = plane.show(this.sheets);
    if (old.length) Promise.race([there, new Promise((done) => setTimeout(done, OLD_PLANE_MS))]).then(leave);
    return there;
  }

  /** What cells are painted with: one for all of a size. Cells only show pictures: one that could be painted on
   *  would be copied with every frame that moves it. @param {number} side pixels */
  brush(side) {
    if (this.brushed?.canvas.width === side) return this.brushed;
    const canvas = new OffscreenCanvas(side, side);
    return this.brushed = {canvas, pen: canvas.getContext('2d', {alpha: false})};
  }

  get plane() {
    return this.planes.at(-1);
  }

  /** @param {Sheet[]} sheets */
  show(sheets) {
    this.sheets = sheets;
    return this.plane.show(sheets);
  }

  /** @param {Sheet[]} sheets */
  async prepare(sheets) {
    const {plane} = this;
    await Promise.all(sheets.map((sheet) => plane.prepare(sheet).loaded));
  }

  sheet(key) {
    return this.sheets.find((s) => s.key === key);
  }

  /** @param {Sheet} sheet */
  tilesSeen(sheet) {
    return this.tiles(this.plane.tileZoom).filter((tile) => meets(tile, sheet.box));
  }

  /** @param {string} key @param {Map<string, ImageBitmap | null>} pictures */
  overdraw(key, pictures) {
    const {over, plane} = this, before = over.get(key);
    if (before) for (const picture of before.pictures.values()) picture?.close();
    over.set(key, {pictures, hold: true});
    if (before) for (const cell of plane.cells.keys()) plane.touch(cell);
    else plane.touchAll();
  }

  restOverdraw() {
    for (const one of this.over.values()) one.hold = false;
    if (this.over.size) this.plane.fill();
  }

  endOverdraw() {
    const {over, plane} = this;
    if (!over.size) return;
    for (const {pictures} of over.values()) for (const picture of pictures.values()) picture?.close();
    over.clear();
    plane.touchAll();
    plane.fill();
  }

  /** @param {View | {box: number[], most?: number, padding?: number}} to */
  go(to, ms = 700) {
    const box = 'box' in to ? to.box : null;
    const view = box ? viewOf(box, {width: this.width, height: this.height, padding: /** @type {any} */ (to).padding ?? 48}) : /** @type {View} */ (to);
    const most = box ? /** @type {any} */ (to).most ?? 14 : ZOOM_MAX;
    this.zoom = Math.max(ZOOM_MIN, Math.min(most, box ? Math.floor(view.zoom / FIT_STEP) * FIT_STEP : view.zoom));
    this.centre = {x: worldX(view.lonDeg), y: worldY(view.latDeg)};
    this.moved();
    // A map that follows another settles when that has come to rest.
    if (box || ms) this.settle();
  }

  /** @param {number} by @param {{x: number, y: number}} [around] */
  zoomBy(by, around = {x: this.width / 2, y: this.height / 2}) {
    const zoom = snap(this.zoom + by), from = TILE_PX * 2 ** this.zoom, to = TILE_PX * 2 ** zoom;
    const dx = around.x - this.width / 2, dy = around.y - this.height / 2;
    this.centre = {x: this.centre.x + dx / from - dx / to, y: this.centre.y + dy / from - dy / to};
    this.zoom = zoom;
    this.moved();
  }

  panBy(dx, dy) {
    const px = TILE_PX * 2 ** this.zoom;
    this.centre = {x: Math.max(0, Math.min(1, this.centre.x + dx / px)), y: Math.max(0, Math.min(1, this.centre.y + dy / px))};
    this.moved();
  }

  /* One frame, however many events. */
  moved() {
    if (!this.frame) this.frame = requestAnimationFrame(() => {
      this.frame = 0;
      for (const plane of this.planes) plane.place();
      this.shift();
      this.handlers.onMoving?.();
    });
    if (!this.filling) this.filling = setTimeout(() => {
      this.filling = 0;
      if (this.plane.tileZoom === this.tileZoom()) this.plane.fill();
    }, FILL_MS);
    clearTimeout(this.resting);
    this.resting = setTimeout(() => this.settle(), REST_MS);
  }

  settle() {
    clearTimeout(this.resting);
    if (this.plane.tileZoom !== this.tileZoom()) this.newPlane();
    else this.plane.fill();
    for (const plane of this.planes) plane.place();
    this.redraw();
    this.handlers.onMove(this.view());
  }

  listen() {
    const {container} = this, pointers = new Map();
    let travelled = 0, apart = 0;
    const at = (e) => pointIn(container, e);
    const spread = () => {
      const [a, b] = [...pointers.values()];
      return {apart: Math.hypot(a.x - b.x, a.y - b.y), middle: {x: (a.x + b.x) / 2, y: (a.y + b.y) / 2}};
    };
    container.addEventListener('pointerdown', (e) => {
      if (e.button || this.controls.contains(/** @type {Node} */ (e.target))) return;
      container.setPointerCapture(e.pointerId);
      pointers.set(e.pointerId, at(e));
      this.held = true;
      travelled = pointers.size > 1 ? Infinity : 0;
      if (pointers.size === 2) apart = spread().apart;
    });
    container.addEventListener('pointermove', (e) => {
      const now = at(e), before = pointers.get(e.pointerId);
      if (!before) {
        if (e.pointerType === 'mouse') this.handlers.onPoint(this.unproject(now.x, now.y), false);
        return;
      }
      pointers.set(e.pointerId, now);
      travelled += Math.hypot(now.x - before.x, now.y - before.y);
      if (travelled < CLICK_PX) return;
      this.panBy((before.x - now.x) / pointers.size, (before.y - now.y) / pointers.size);
      if (pointers.size !== 2) return;
      const next = spread();
      if (Math.abs(Math.log2(next.apart / apart)) < ZOOM_STEP) return;
      this.zoomBy(Math.log2(next.apart / apart), next.middle);
      apart = next.apart;
    });
    const lift = (e) => {
      const from = pointers.get(e.pointerId);
      pointers.delete(e.pointerId);
      this.held = pointers.size > 0;
      if (from && e.type === 'pointerup' && travelled < CLICK_PX) this.handlers.onPoint(this.unproject(from.x, from.y), true);
    };
    container.addEventListener('pointerup', lift);
    container.addEventListener('pointercancel', lift);
    container.addEventListener('dblclick', (e) => {
      if (!this.controls.contains(/** @type {Node} */ (e.target))) this.zoomBy(e.shiftKey ? -1 : 1, at(e));
    });
    let wheel = 0;
    container.addEventListener('wheel', (e) => {
      e.preventDefault();
      wheel += e.deltaMode ? e.deltaY * 40 : e.deltaY;
      const notches = Math.trunc(wheel / WHEEL_NOTCH);
      wheel -= notches * WHEEL_NOTCH;
      if (notches) this.zoomBy(-ZOOM_STEP * Math.max(-4, Math.min(4, notches)), at(e));
    }, {passive: false});
    container.addEventListener('keydown', (e) => {
      if (e.target !== container || e.ctrlKey || e.metaKey || e.altKey || !movesMap(e.key)) return;
      e.preventDefault();
      moveByKey(this, e.key);
    });
  }

  /** @param {string} name @param {any[] | null} features @param {import('./map.js').Look} [look] */
  outline(name, features, look = {}) {
    if (features?.length) this.outlines.set(name, {features, look});
    else this.outlines.delete(name);
    this.redraw();
  }

  pin(at) {
    this.pinned = at;
    this.redraw();
  }

  /** Shapes, in the pixels of this view; until they are drawn again they are shifted. */
  redraw() {
    this.drawnAt = {...this.centre, zoom: this.zoom};
    this.drawn.style.transform = '';
    const parts = [];
    for (const {features, look} of this.outlines.values()) {
      /** @type {Map<string, string>} */
      const byFill = new Map();
      for (const f of features) {
        const fill = f.properties?.fill ?? (look.fill ? token(look.fill) : 'none');
        byFill.set(fill, (byFill.get(fill) ?? '') + this.path(f.geometry));
      }
      for (const [fill, d] of byFill)
        parts.push(svg('path', {d, fill, 'fill-rule': 'evenodd', 'fill-opacity': look.fillOpacity ?? 0.15, stroke: look.line ? token(look.line) : 'none', 'stroke-width': look.width ?? 2, 'stroke-linejoin': 'round', ...(look.dashed && {'stroke-dasharray': '6 4'})}));
    }
    if (this.pinned) {
      const {x, y} = this.project(this.pinned.lonDeg, this.pinned.latDeg);
      parts.push(svg('circle', {cx: x, cy: y, r: 7, fill: 'none', stroke: token('--choice'), 'stroke-width': 2.5}));
    }
    this.drawn.replaceChildren(...parts);
    // A layer of nothing would be moved all the same.
    this.drawn.style.display = parts.length ? '' : 'none';
  }

  /** @param {any} geometry */
  path(geometry) {
    if (!geometry) return '';
    const {type, coordinates: c} = geometry;
    const line = (points, close) => {
      let d = '', last = null;
      for (const [lon, lat] of points) {
        const {x, y} = this.project(lon, lat);
        // Less than a pixel is not seen.
        if (last && Math.abs(x - last.x) + Math.abs(y - last.y) < 1) continue;
        d += `${last ? 'L' : 'M'}${x.toFixed(1)} ${y.toFixed(1)}`;
        last = {x, y};
      }
      return d + (close ? 'Z' : '');
    };
    const dot = ([lon, lat]) => {
      const {x, y} = this.project(lon, lat);
      return `M${(x - 5).toFixed(1)} ${y.toFixed(1)}a5 5 0 1 0 10 0a5 5 0 1 0 -10 0`;
    };
    switch (type) {
      case 'Point': return dot(c);
      case 'MultiPoint': return c.map(dot).join('');
      case 'LineString': return line(c, false);
      case 'MultiLineString': return c.map((l) => line(l, false)).join('');
      case 'Polygon': return c.map((r) => line(r, true)).join('');
      case 'MultiPolygon': return c.flat().map((r) => line(r, true)).join('');
      default: return '';
    }
  }

  /* What is drawn moves along until it is drawn anew. */
  shift() {
    const from = this.drawnAt;
    if (!from) return;
    const scale = 2 ** (this.zoom - from.zoom), px = TILE_PX * 2 ** this.zoom;
    const x = (from.x - this.centre.x) * px + this.width / 2 * (1 - scale), y = (from.y - this.centre.y) * px + this.height / 2 * (1 - scale);
    this.drawn.style.transform = `translate3d(${Math.round(x)}px, ${Math.round(y)}px, 0)${scale === 1 ? '' : ` scale(${scale})`}`;
  }

  /** @param {string} layer @param {import('../live.js').Touched | null} touched */
  refresh(layer, touched) {
    const {plane} = this;
    for (const pile of plane.piles.values()) {
      const {layers, reachM, edge} = pile.sheet;
      if (touched && layers.length && !layers.includes(layer)) continue;
      const keys = touched && layers.length
        ? tilesTouched(touched, reachM, this.box(), plane.tileZoom, edge).filter((t) => t.z === plane.tileZoom).map((t) => `${t.x}/${t.y}`)
        : [...pile.tiles.keys()];
      for (const key of keys) {
        const [x, y] = key.split('/').map(Number);
        if (pile.tiles.has(key)) pile.ask(key, {z: plane.tileZoom, x, y});
      }
      pile.fill();
    }
  }

  paint() {
    this.plane.touchAll();
    this.redraw();
  }

  focus() {
    this.container.focus({preventScroll: true});
  }

  resize() {
    const {width, height} = this;
    this.measure();
    if (width === this.width && height === this.height) return;
    this.settle();
  }

  remove() {
    this.watch.disconnect();
    for (const plane of this.planes) plane.remove();
    this.container.replaceChildren();
    clearTimeout(this.filling);
    clearTimeout(this.resting);
  }
}
