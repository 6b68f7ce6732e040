// @ts-check
// still.js - the same map without WebGL2: pictures from the server, and the
// rest drawn by hand over them. Has the methods of LiveMap.

import {token} from './charts.js';
import {nearer, strokeRings} from './overlay.js';
import {address} from './plan.js';

const WORLD_PX = 512;
/** As in map.js, which needs what is missing here. */
const ZOOM_MOST = 13.6;
/** At least so long between two pictures. */
const PICTURE_MS = 15000;

const worldX = (lonDeg) => (lonDeg + 180) / 360;
const worldY = (latDeg) => (1 - Math.asinh(Math.tan(latDeg * Math.PI / 180)) / Math.PI) / 2;
const latOf = (y) => Math.atan(Math.sinh(Math.PI * (1 - 2 * y))) * 180 / Math.PI;

export class StillMap {
  /** @param {HTMLElement} container @param {any} part @param {number[]} bounds */
  constructor(container, part, bounds) {
    Object.assign(this, {container, part, bounds});
    this.unitPx = 20;
    /** @type {() => void} */
    this.onMove = () => {};
    /** @type {HTMLImageElement | null} */
    this.picture = null;
    /** What the picture shows, and what it is to show. @type {{zoom: number, x: number, y: number}} */
    this.at = this.wanted = {zoom: 9, x: worldX((bounds[0] + bounds[2]) / 2), y: worldY((bounds[1] + bounds[3]) / 2)};
    this.hot = {features: []};
    /** @type {string[]} */
    this.chosen = [];
    /** The moment that is shown; null: now. @type {import('./plan.js').Moment | null} */
    this.then = null;
    /** @type {any} */
    this.timer = null;
    this.lastMs = -Infinity;
    this.asked = this.newest = 0;
    /** Who waits for the picture of what is wanted. @type {((there: boolean) => void)[]} */
    this.waiting = [];
    this.ready = Promise.resolve();
  }

  /** @param {import('./layout.js').Layout} l */
  resize(l) {
    this.unitPx = l.unitPx;
    this.size = {w: Math.round(l.map.w), h: Math.round(l.map.h)};
    this.focus = {x: l.focus.x - l.map.x, y: l.focus.y - l.map.y, w: l.focus.w, h: l.focus.h};
    this.whole = {x: l.unitPx, y: l.unitPx, w: l.map.w - 2 * l.unitPx, h: l.caption.y - l.map.y - l.unitPx};
    if (this.last !== undefined) this.go(this.last, 0, this.most);
  }

  project(lonDeg, latDeg) {
    const px = WORLD_PX * 2 ** this.at.zoom;
    return {x: this.size.w / 2 + (worldX(lonDeg) - this.at.x) * px, y: this.size.h / 2 + (worldY(latDeg) - this.at.y) * px};
  }
  get zoom() {
    return this.at.zoom;
  }
  get view() {
    return this.viewOf(this.at);
  }
  /** @param {{zoom: number, x: number, y: number}} at */
  viewOf({zoom, x, y}) {
    const px = WORLD_PX * 2 ** zoom, dx = this.size.w / 2 / px, dy = this.size.h / 2 / px;
    return /** @type {[number, number, number, number]} */ ([(x - dx) * 360 - 180, latOf(y + dy), (x + dx) * 360 - 180, latOf(y - dy)]);
  }

  /** @param {number[] | null} bounds @param {number} _ms @param {number} [zoomMost] @returns {Promise<boolean>} is it there? False as soon as it is to be elsewhere */
  go(bounds, _ms, zoomMost = ZOOM_MOST) {
    if (JSON.stringify(bounds) !== JSON.stringify(this.last) || zoomMost !== this.most) this.answer(false);
    this.last = bounds;
    this.most = zoomMost;
    const [w, s, e, n] = bounds ?? this.bounds, room = bounds ? this.focus : this.whole, fill = bounds ? 0.8 : 1;
    const [x0, x1, y0, y1] = [worldX(w), worldX(e), worldY(n), worldY(s)];
    const zoom = Math.min(bounds ? zoomMost + nearer(this.unitPx) : 18, Math.log2(Math.min(room.w * fill / (x1 - x0), room.h * fill / (y1 - y0)) / WORLD_PX));
    const px = WORLD_PX * 2 ** zoom;
    this.wanted = {zoom, x: (x0 + x1) / 2 + (this.size.w / 2 - room.x - room.w / 2) / px, y: (y0 + y1) / 2 + (this.size.h / 2 - room.y - room.h / 2) / px};
    // What is drawn over a picture stays with it until there is another.
    if (!this.picture) this.at = this.wanted;
    const there = new Promise((resolve) => this.waiting.push(resolve));
    this.load();
    return there;
  }

  /** @param {boolean} there */
  answer(there) {
    for (const tell of this.waiting.splice(0)) tell(there);
  }

  /** @param {HTMLImageElement} picture */
  put(picture) {
    picture.alt = '';
    picture.className = 'picture';
    if (this.picture) this.picture.replaceWith(picture);
    else this.container.append(picture);
    this.picture = picture;
  }

  /** @param {import('./plan.js').Moment | null} then @param {number[]} view @returns {Promise<HTMLImageElement>} */
  async paintedAt(then, view) {
    const {w, h} = this.size, picture = new Image();
    const layers = ['base', ...(this.part.heat ? [this.part.heat] : [])].join(','), params = then ? {...this.part.replayField, at: then.iso()} : this.part.heatParams;
    picture.src = address('/map.png', {layers, bbox: view.map((v) => v.toFixed(6)).join(','), width: Math.min(w, 7680), height: Math.min(h, 4320), ...params, palette: 'dark', labels: 'no', legend: 'no'});
    await picture.decode();
    return picture;
  }

  async load() {
    const asked = ++this.asked;
    this.lastMs = performance.now();
    const at = this.wanted, view = this.viewOf(at);
    const next = await this.paintedAt(null, view).catch(() => null);
    // A later one is there, or it is to be elsewhere by now. Else it is what was waited for, whatever it was asked for.
    if (asked < this.newest || at !== this.wanted) return;
    if (!next) {
      if (asked !== this.asked) return;
      // Without it the old picture stands, and the stale banner says what is the matter.
      this.wanted = this.at;
      [this.last, this.most] = this.stands ?? [this.last, this.most];
      return this.answer(false);
    }
    this.newest = asked;
    this.at = at;
    this.stands = [this.last, this.most];
    if (!this.then) this.put(next);
    this.answer(true);
    this.onMove();
  }

  /** @param {import('./plan.js').Moment} then @returns {Promise<() => void>} show the field as it was */
  async fieldAt(then) {
    const next = await this.paintedAt(then, this.view);
    return () => {
      this.then = then;
      this.put(next);
      this.onMove();
    };
  }
  fieldNow() {
    this.then = null;
    this.load();
  }

  setHot(collection) {
    this.hot = collection;
    this.onMove();
  }
  /** @param {string[]} ids */
  choose(ids) {
    this.chosen = ids;
    this.onMove();
  }
  changed() {
    if (!this.timer) this.timer = setTimeout(() => {
      this.timer = null;
      this.load();
    }, Math.max(0, this.lastMs + PICTURE_MS - performance.now()));
  }
  reset() {
    this.changed();
  }
  close() {
    clearTimeout(this.timer);
    this.newest = Infinity;
    this.answer(false);
    this.picture?.remove();
  }

  /** Under the words: hotspots. @param {CanvasRenderingContext2D} c */
  paint(c) {
    const u = this.unitPx;
    if (this.then) return;
    for (const f of this.hot.features) {
      const chosen = this.chosen.includes(f.properties.id);
      c.lineWidth = chosen ? u / 5 : u / 11;
      c.strokeStyle = token(chosen ? '--choice' : '--text');
      strokeRings(c, f.geometry, (lonDeg, latDeg) => this.project(lonDeg, latDeg));
    }
  }
}
