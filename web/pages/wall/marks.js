// @ts-check
// marks.js - what is open and grave, as marks over either map: all of it where
// there is room, else so many for one, spread as the whole is.

import {token} from './charts.js';
import {riskColour, shape} from './overlay.js';
import {pointsIn} from './points.js';
import {lotOf, piled, stepFor} from './thin.js';

/** At least so long between two askings. */
const REST_MS = 5000;
/** Square units of the map for a mark, its size, and how near marks are one. */
const ROOM_U2 = 5, SIZE_U = 0.36, FAR_SIZE_U = 0.28, NEAR_U = 0.62;

const worldX = (lonDeg) => (lonDeg + 180) / 360;
const worldY = (latDeg) => (1 - Math.asinh(Math.tan(latDeg * Math.PI / 180)) / Math.PI) / 2;

/** @typedef {{x: number, y: number, risk: number, lot: number}} Mark   x, y: of the world, 0 to 1 */

export class Marks {
  /** @param {{layer: string, filter: string, risk: string} | null} part   of the plan @param {number[]} box   of the city @param {() => void} onChange   other marks, or other steps */
  constructor(part, box, onChange) {
    Object.assign(this, {part, box, onChange});
    /** @type {Mark[]} */
    this.all = [];
    this.each = 1;
    this.hidden = false;
    this.lastMs = -Infinity;
    /** @type {any} */
    this.timer = null;
  }

  async load() {
    const {part, box} = this;
    if (!part) return;
    this.lastMs = performance.now();
    try {
      const points = await pointsIn({layer: part.layer, filter: part.filter, properties: [part.risk]}, box);
      // The gravest are drawn last, on top.
      this.all = points.map(({lonDeg, latDeg, properties}) => ({x: worldX(lonDeg), y: worldY(latDeg), risk: Number(properties[part.risk]) || 0, lot: lotOf(String(properties.id ?? `${lonDeg} ${latDeg}`))}))
        .sort((a, b) => a.risk - b.risk);
      this.onChange();
    } catch (error) {
      console.warn(error.message);
    }
  }

  /** Some of it has changed. */
  soon() {
    this.timer ??= setTimeout(() => {
      this.timer = null;
      this.load();
    }, Math.max(0, this.lastMs + REST_MS - performance.now()));
  }

  /**
   * @param {CanvasRenderingContext2D} c @param {(lonDeg: number, latDeg: number) => {x: number, y: number}} project @param {{w: number, h: number}} size @param {number} u
   */
  paint(c, project, {w, h}, u) {
    if (this.hidden || !this.all.length) return;
    // Maps are neither turned nor tilted: two places say where all are.
    const [west, south, east, north] = this.box, a = project(west, north), b = project(east, south);
    const kx = (b.x - a.x) / (worldX(east) - worldX(west)), ky = (b.y - a.y) / (worldY(south) - worldY(north)), ox = a.x - kx * worldX(west), oy = a.y - ky * worldY(north);
    const seen = [];
    for (const mark of this.all) {
      const x = ox + kx * mark.x, y = oy + ky * mark.y;
      if (x > -u && y > -u && x < w + u && y < h + u) seen.push({x, y, risk: mark.risk, lot: mark.lot, n: 1});
    }
    const each = stepFor(seen.length, w * h / (ROOM_U2 * u * u));
    c.lineWidth = Math.max(1, 0.07 * u);
    c.strokeStyle = token('--land');
    const piles = each === 1 ? piled(seen, NEAR_U * u) : seen.filter((mark) => mark.lot % each === 0);
    for (const {x, y, risk} of piles) {
      c.setTransform(1, 0, 0, 1, x, y);
      shape(c, risk, (each > 1 ? FAR_SIZE_U : SIZE_U) * u);
      c.fillStyle = riskColour(risk);
      c.fill();
      c.stroke();
    }
    c.setTransform(1, 0, 0, 1, 0, 0);
    c.font = `600 ${u}px ${token('--font')}`;
    c.textAlign = 'left';
    c.textBaseline = 'middle';
    c.lineJoin = 'round';
    c.lineWidth = 0.26 * u;
    c.fillStyle = token('--text');
    for (const {x, y, n} of piles) if (n > 1) {
      c.strokeText(String(n), x + 0.5 * u, y);
      c.fillText(String(n), x + 0.5 * u, y);
    }
    if (each === this.each) return;
    this.each = each;
    this.onChange();
  }

  close() {
    clearTimeout(this.timer);
  }
}
