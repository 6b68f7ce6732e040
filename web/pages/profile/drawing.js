// @ts-check
// drawing.js - an area drawn over the map by hand or by keys: around it in one
// stroke, corner by corner, or a circle from its centre.

import {pointIn} from '../analyst/map.js';
import {element} from '../dom.js';
import {metresBetween, RADIUS_M, ringOf} from './area.js';

/** A pointer that moved less has clicked. */
const CLICK_PX = 5;
/** What a hand's tremble may be cut off by. */
const TREMBLE_PX = 1.5;
const STEP_PX = {plain: 12, shift: 60};
const SVG = 'http://www.w3.org/2000/svg';

/** @typedef {{x: number, y: number}} Pixel */

export class Drawing {
  /**
   * @param {HTMLElement} container what the map fills
   * @param {{unproject: (x: number, y: number) => {lonDeg: number, latDeg: number}}} map
   * @param {{say: (key: any, values?: any) => string, onEnd: (area: import('./area.js').Area | null) => void, onTooSmall: () => void}} how
   */
  constructor(container, map, how) {
    Object.assign(this, {container, map, how});
    /** @type {HTMLElement | null} */
    this.sheet = null;
  }

  get on() {
    return !!this.sheet;
  }

  /** @param {'polygon' | 'circle'} kind */
  start(kind) {
    this.stop();
    this.kind = kind;
    /** @type {Pixel[]} */
    this.corners = [];
    this.stroke = false;
    this.before = document.activeElement;
    const svg = document.createElementNS(SVG, 'svg');
    this.path = svg.appendChild(document.createElementNS(SVG, 'path'));
    this.cross = svg.appendChild(document.createElementNS(SVG, 'path'));
    this.cross.setAttribute('class', 'cross');
    const note = element('p', {role: 'status'}, this.how.say(kind === 'circle' ? 'drawing_circle' : 'drawing'));
    this.sheet = element('div', {className: 'drawing', tabIndex: 0, role: 'application', ariaLabel: this.how.say('lasso')}, svg, note);
    this.container.append(this.sheet);
    /** @type {Pixel} */
    this.at = {x: this.container.clientWidth / 2, y: this.container.clientHeight / 2};
    const {sheet} = this;
    sheet.addEventListener('pointerdown', (e) => this.down(e));
    sheet.addEventListener('pointermove', (e) => this.move(e));
    sheet.addEventListener('pointerup', (e) => this.up(e));
    sheet.addEventListener('dblclick', () => this.end());
    sheet.addEventListener('keydown', (e) => this.key(e));
    // What the map would do with it.
    for (const kept of ['pointerdown', 'pointermove', 'pointerup', 'mousedown', 'mousemove', 'touchstart', 'click', 'dblclick', 'wheel', 'contextmenu']) sheet.addEventListener(kept, (e) => e.stopPropagation());
    sheet.focus({preventScroll: true});
    this.draw();
  }

  stop() {
    this.sheet?.remove();
    this.sheet = null;
    if (this.before instanceof HTMLElement && this.before.isConnected) this.before.focus({preventScroll: true});
    this.before = null;
  }

  cancel() {
    this.stop();
    this.how.onEnd(null);
  }

  /** @param {PointerEvent} e @returns {Pixel} */
  place(e) {
    return pointIn(this.container, e);
  }

  down(e) {
    if (e.button) return;
    e.preventDefault();
    this.sheet?.focus({preventScroll: true});
    this.sheet?.setPointerCapture(e.pointerId);
    this.at = this.from = this.place(e);
    this.stroke = false;
    this.pressed = true;
    if (this.kind === 'circle') this.corners = [this.at];
    else if (!this.corners.length) this.corners = [this.at];
    this.draw();
  }

  move(e) {
    this.at = this.place(e);
    if (this.pressed && Math.hypot(this.at.x - this.from.x, this.at.y - this.from.y) > CLICK_PX) this.stroke = true;
    if (this.pressed && this.stroke && this.kind === 'polygon') this.corners.push(this.at);
    this.draw();
  }

  up(e) {
    if (!this.pressed) return;
    this.pressed = false;
    this.at = this.place(e);
    if (this.kind === 'circle') {
      if (this.stroke) this.end();
      return;
    }
    // A stroke is the area; a click is one corner of it.
    if (this.stroke) return this.end();
    const last = this.corners.at(-1);
    if (!last || Math.hypot(last.x - this.at.x, last.y - this.at.y) > CLICK_PX) this.corners.push(this.at);
    this.draw();
  }

  key(e) {
    const [dx, dy] = {ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1]}[e.key] ?? [0, 0];
    const step = e.shiftKey ? STEP_PX.shift : STEP_PX.plain;
    if (e.key === 'Tab') return;
    e.preventDefault();
    e.stopPropagation();
    if (dx || dy) this.at = {x: clamp(this.at.x + dx * step, this.container.clientWidth), y: clamp(this.at.y + dy * step, this.container.clientHeight)};
    else if (e.key === ' ') this.corners.push({...this.at});
    else if (e.key === 'Backspace') this.corners.pop();
    else if (e.key === 'Enter') return this.end();
    else if (e.key === 'Escape') return this.cancel();
    this.draw();
  }

  /** @param {Pixel} p @returns {import('./area.js').LonLat} */
  degrees({x, y}) {
    const {lonDeg, latDeg} = this.map.unproject(x, y);
    return [lonDeg, latDeg];
  }

  end() {
    const area = this.kind === 'circle' ? this.circle() : this.ring();
    if (!area) {
      this.corners = [];
      this.how.onTooSmall();
      return this.draw();
    }
    this.stop();
    this.how.onEnd(area);
  }

  circle() {
    if (!this.corners.length) return null;
    const at = this.degrees(this.corners[0]), radiusM = Math.round(metresBetween(at, this.degrees(this.at)));
    if (radiusM < RADIUS_M.least) return null;
    return /** @type {import('./area.js').Circle} */ ({kind: 'circle', at: [+at[0].toFixed(6), +at[1].toFixed(6)], radiusM: Math.min(RADIUS_M.most, radiusM)});
  }

  ring() {
    const a = this.degrees({x: 0, y: 0}), b = this.degrees({x: 1, y: 0});
    const ring = ringOf(this.corners.map((p) => this.degrees(p)), Math.abs(b[0] - a[0]) * TREMBLE_PX);
    return ring && /** @type {import('./area.js').Polygon} */ ({kind: 'polygon', ring});
  }

  draw() {
    if (!this.sheet) return;
    const {corners, at} = this, first = corners[0];
    let d = '';
    if (this.kind === 'circle' && first) {
      const r = Math.hypot(at.x - first.x, at.y - first.y);
      d = `M${first.x - r} ${first.y}a${r} ${r} 0 1 0 ${2 * r} 0a${r} ${r} 0 1 0 ${-2 * r} 0Z`;
    } else if (first) {
      d = `M${[...corners, at].map((p) => `${p.x.toFixed(1)} ${p.y.toFixed(1)}`).join('L')}Z`;
    }
    this.path.setAttribute('d', d);
    this.cross.setAttribute('d', `M${at.x - 9} ${at.y}h18M${at.x} ${at.y - 9}v18`);
  }
}

const clamp = (value, most) => Math.max(0, Math.min(most, value));
