// @ts-check
// overlay.js - what is drawn over the map by hand, the same over tiles and over
// a picture: names that keep off the seams, rings of what was just reported,
// the points of a replay. Draws only when something has moved.

import {token} from './charts.js';

/** @typedef {{lonDeg: number, latDeg: number, text: string, beside?: string, kind: 'town' | 'crew' | 'place', above?: boolean}} Label   beside: a quieter number behind it; above: it stands over its place */

const RING_MS = 2000;
/** So many reports at once are one ring with a number. */
const MANY = 10;
/** How long a point of a replay is bright, and how long it is seen, as parts of the replay: what stays is the field. */
const BRIGHT = 0.02, SEEN = 0.125;

/** Path of a risk's shape around 0,0. @param {CanvasRenderingContext2D} c @param {number} risk @param {number} r */
export function shape(c, risk, r) {
  c.beginPath();
  if (risk >= 4) {
    c.moveTo(0, -r);
    c.lineTo(r, 0.84 * r);
    c.lineTo(-r, 0.84 * r);
  } else if (risk === 3) {
    c.moveTo(0, -1.1 * r);
    c.lineTo(1.1 * r, 0);
    c.lineTo(0, 1.1 * r);
    c.lineTo(-1.1 * r, 0);
  } else if (risk === 2) c.arc(0, 0, 0.85 * r, 0, 7);
  else c.rect(-0.78 * r, -0.78 * r, 1.56 * r, 1.56 * r);
  c.closePath();
}

/** @param {number} risk */
export const riskColour = (risk) => token(['--quiet', '--low', '--moderate', '--serious', '--high'][risk] ?? '--quiet');

/** The rings of a polygon or of several. @param {CanvasRenderingContext2D} c @param {any} geometry @param {(lonDeg: number, latDeg: number) => {x: number, y: number}} project */
export function strokeRings(c, geometry, project) {
  c.lineJoin = 'round';
  for (const polygon of geometry.type === 'Polygon' ? [geometry.coordinates] : geometry.type === 'MultiPolygon' ? geometry.coordinates : [])
    for (const ring of polygon) {
      c.beginPath();
      for (const [lon, lat] of ring) {
        const {x, y} = project(lon, lat);
        c.lineTo(x, y);
      }
      c.closePath();
      c.stroke();
    }
}

/** Zooms by which a wall of this unit is nearer than one of 1080 pixels that shows the same. @param {number} unitPx */
export const nearer = (unitPx) => Math.log2(unitPx / 20);

export class Overlay {
  /** @param {HTMLCanvasElement} canvas @param {(lonDeg: number, latDeg: number) => {x: number, y: number}} project */
  constructor(canvas, project) {
    Object.assign(this, {canvas, project});
    this.context = canvas.getContext('2d');
    this.unitPx = 20;
    this.still = false;
    /** What lies between screens, from and to. @type {[number, number][]} */
    this.seamsX = [];
    /** @type {[number, number][]} */
    this.seamsY = [];
    /** Where no name goes. @type {{x: number, y: number, w: number, h: number}[]} */
    this.kept = [];
    /** @type {Label[]} */
    this.labels = [];
    /** Those that there was room for, as they stand. @type {{x: number, y: number, w: number, h: number, text: string, sizePx: number}[]} */
    this.written = [];
    /** @type {{lonDeg: number, latDeg: number, risk: number, count: number, fromMs: number}[]} */
    this.rings = [];
    /** @type {{lonDeg: number, latDeg: number, x: number, y: number, risk: number, at: number}[] | null} */
    this.points = null;
    this.played = 0;
    this.frame = 0;
    /** @type {{lonDeg: number, latDeg: number} | null} */
    this.mark = null;
    /** @type {any} */
    this.outline = null;
    /** More to be drawn under the words, by who knows what. @type {((c: CanvasRenderingContext2D) => void) | null} */
    this.under = null;
    /** What is open and grave. @type {import('./marks.js').Marks | null} */
    this.marks = null;
  }

  /** @param {import('./layout.js').Rect} map @param {import('./layout.js').Rect[]} screens @param {number} unitPx @param {import('./layout.js').Rect[]} [words]   where others write */
  resize(map, screens, unitPx, words = []) {
    this.unitPx = unitPx;
    this.kept = words.map((r) => ({x: r.x - map.x, y: r.y - map.y, w: r.w, h: r.h}));
    this.canvas.width = Math.round(map.w);
    this.canvas.height = Math.round(map.h);
    this.seamsX = seamsOf(screens.map((s) => [s.x - map.x, s.x + s.w - map.x]));
    this.seamsY = seamsOf(screens.map((s) => [s.y - map.y, s.y + s.h - map.y]));
    this.moved();
  }

  /** @param {Label[]} labels */
  setLabels(labels) {
    this.labels = labels;
    this.draw();
  }

  /** @param {{lonDeg: number, latDeg: number, risk: number}[]} reports   that have just come in */
  ring(reports) {
    if (!reports.length) return;
    const fromMs = performance.now();
    if (reports.length >= MANY) {
      const mean = (of) => reports.reduce((sum, r) => sum + r[of], 0) / reports.length;
      this.rings.push({lonDeg: mean('lonDeg'), latDeg: mean('latDeg'), risk: Math.max(...reports.map((r) => r.risk)), count: reports.length, fromMs});
    } else this.rings.push(...reports.map((r) => ({...r, count: 1, fromMs})));
    this.rings = this.rings.slice(-MANY);
    this.draw();
  }

  /** A place that somebody asked for, and a unit's outline. @param {{lonDeg: number, latDeg: number} | null} mark @param {any} [outline]   a geometry */
  setMark(mark, outline = null) {
    this.mark = mark;
    this.outline = outline;
    this.draw();
  }

  /** Points of a replay. @param {{lonDeg: number, latDeg: number, risk: number, at: number}[] | null} points   at: 0 to 1 */
  setReplay(points) {
    this.points = points && points.map((p) => ({...p, x: 0, y: 0}));
    this.played = 0;
    this.moved();
  }

  /** More of them. @param {{lonDeg: number, latDeg: number, risk: number, at: number}[]} points */
  addReplay(points) {
    this.points?.push(...points.map((p) => ({...p, ...this.project(p.lonDeg, p.latDeg)})));
    this.draw();
  }

  /** The map is elsewhere. */
  moved() {
    for (const p of this.points ?? []) Object.assign(p, this.project(p.lonDeg, p.latDeg));
    this.draw();
  }

  /** @param {number} share 0 to 1 */
  play(share) {
    this.played = share;
    this.draw();
  }

  /** Soon, once, however often it is asked. */
  draw() {
    if (!this.frame) this.frame = requestAnimationFrame(() => {
      this.frame = 0;
      this.paint();
    });
  }

  paint() {
    const c = this.context, now = performance.now();
    c.clearRect(0, 0, this.canvas.width, this.canvas.height);
    this.under?.(c);
    if (this.outline) {
      c.strokeStyle = token('--choice');
      c.lineWidth = this.unitPx / 5;
      strokeRings(c, this.outline, this.project);
    }
    if (!this.points) this.marks?.paint(c, this.project, {w: this.canvas.width, h: this.canvas.height}, this.unitPx);
    if (this.points) this.paintPoints(c);
    if (this.mark) this.paintMark(c, this.mark);
    this.paintLabels(c);
    this.rings = this.rings.filter((r) => now - r.fromMs < RING_MS);
    for (const ring of this.rings) this.paintRing(c, ring, this.still ? 0.35 : (now - ring.fromMs) / RING_MS);
    if (this.rings.length) {
      if (this.still) setTimeout(() => this.draw(), RING_MS);
      else this.draw();
    }
  }

  /** @param {CanvasRenderingContext2D} c */
  paintPoints(c) {
    const r = 0.2 * this.unitPx;
    for (const p of this.points) {
      const age = this.played - p.at;
      if (age < 0 || age > SEEN) continue;
      const fresh = Math.max(0, 1 - age / BRIGHT);
      c.globalAlpha = 0.6 * (1 - age / SEEN) + 0.4 * fresh;
      c.fillStyle = riskColour(p.risk);
      c.setTransform(1, 0, 0, 1, p.x, p.y);
      shape(c, p.risk, r * (1 + 1.2 * fresh));
      c.fill();
    }
    c.setTransform(1, 0, 0, 1, 0, 0);
    c.globalAlpha = 1;
  }

  /** A ring with a dot: none of the marks of risk. @param {CanvasRenderingContext2D} c @param {{lonDeg: number, latDeg: number}} mark */
  paintMark(c, mark) {
    const u = this.unitPx, {x, y} = this.project(mark.lonDeg, mark.latDeg);
    c.fillStyle = c.strokeStyle = token('--choice');
    c.lineWidth = u / 6;
    c.beginPath();
    c.arc(x, y, 0.9 * u, 0, 7);
    c.stroke();
    c.beginPath();
    c.arc(x, y, 0.22 * u, 0, 7);
    c.fill();
  }

  /** @param {CanvasRenderingContext2D} c @param {any} ring @param {number} share */
  paintRing(c, ring, share) {
    const u = this.unitPx, {x, y} = this.project(ring.lonDeg, ring.latDeg);
    c.save();
    c.translate(x, y);
    c.globalAlpha = 1 - share;
    c.strokeStyle = riskColour(ring.risk);
    c.lineWidth = 0.16 * u;
    shape(c, ring.risk, (0.5 + 2 * share) * u);
    c.stroke();
    if (ring.count > 1) {
      c.globalAlpha = 1;
      this.words(c, `+${ring.count}`, 0, 0, 1.2, '--text', 700);
    }
    c.restore();
  }

  /** @param {CanvasRenderingContext2D} c @param {string} text @param {number} x @param {number} y @param {number} size in u @param {string} colour @param {number} [weight] */
  words(c, text, x, y, size, colour, weight = 400) {
    c.font = `${weight} ${size * this.unitPx}px ${token('--font')}`;
    c.textAlign = 'center';
    c.textBaseline = 'middle';
    c.lineJoin = 'round';
    c.lineWidth = 0.26 * this.unitPx;
    c.strokeStyle = token('--land');
    c.strokeText(text, x, y);
    c.fillStyle = token(colour);
    c.fillText(text, x, y);
  }

  /** Names, those that matter first; none on another, none on a seam. @param {CanvasRenderingContext2D} c */
  paintLabels(c) {
    const u = this.unitPx, looks = {place: [1.3, '--text', 700], town: [1, '--label', 400], crew: [1, '--quiet', 400]};
    const rank = {place: 0, town: 1, crew: 2};
    const taken = [...this.kept];
    this.written = [];
    for (const label of [...this.labels].sort((a, b) => rank[a.kind] - rank[b.kind])) {
      const [size, colour, weight] = looks[label.kind];
      c.font = `${weight} ${/** @type {number} */ (size) * u}px ${token('--font')}`;
      const word = c.measureText(label.text).width, room = label.beside ? c.measureText(label.beside).width + 0.35 * u : 0;
      const w = word + room + 0.6 * u, h = 1.5 * /** @type {number} */ (size) * u;
      let {x, y} = this.project(label.lonDeg, label.latDeg);
      if (x < 0 || y < 0 || x > this.canvas.width || y > this.canvas.height) continue;
      if (label.above) y -= 0.6 * h;
      x = aside(within(x, w, this.canvas.width), w, this.seamsX);
      y = aside(within(y, h, this.canvas.height), h, this.seamsY);
      const box = {x: x - w / 2, y: y - h / 2, w, h};
      if (taken.some((t) => box.x < t.x + t.w && t.x < box.x + box.w && box.y < t.y + t.h && t.y < box.y + box.h)) continue;
      taken.push(box);
      this.written.push({...box, text: label.text, sizePx: /** @type {number} */ (size) * u});
      this.words(c, label.text, x - room / 2, y, /** @type {number} */ (size), /** @type {string} */ (colour), /** @type {number} */ (weight));
      if (label.beside) this.words(c, label.beside, x + word / 2, y, /** @type {number} */ (size), '--quiet');
    }
  }
}

/** What lies between screens along one side. @param {number[][]} screens   where each begins and ends @returns {[number, number][]} */
function seamsOf(screens) {
  const begins = [...new Set(screens.map(([from]) => from))].sort((a, b) => a - b), ends = [...new Set(screens.map(([, to]) => to))].sort((a, b) => a - b);
  return begins.slice(1).map((to, i) => [ends[i], to]);
}

/** Where a thing of this width goes so that the edge cuts nothing of it. @param {number} at @param {number} wide @param {number} room */
const within = (at, wide, room) => Math.max(wide / 2, Math.min(room - wide / 2, at));

/** Where a thing of this width goes so that no seam hides a part of it. @param {number} at   its middle @param {number} wide @param {[number, number][]} seams */
export function aside(at, wide, seams) {
  for (const [from, to] of seams)
    if (at + wide / 2 > from && at - wide / 2 < to) return at < (from + to) / 2 ? from - wide / 2 : to + wide / 2;
  return at;
}
