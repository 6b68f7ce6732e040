// @ts-check
// dottile.js - a tile of days of points (ARCHITECTURE.md): read, and drawn for
// any period as the server draws it (tiles/picture/rows.c). Pure: a worker runs
// it, and adds up its days (Sums of daytile.js).

import {firstFrom} from './breaks.js';
import {Numbers, readDays} from './daytile.js';
import {over255} from './unittile.js';

/**
 * @typedef {object} DotTile
 * @property {number} side   pixels @property {number} ratio   pixels for one of design
 * @property {number} left @property {number} top   of the net, before the tile's own pixels
 * @property {number} columns @property {number} rows   pixels of the net
 * @property {number} areaPx   of the box of all rows of the layer
 * @property {number} most   diameter of the largest dot, half pixels of design
 * @property {number[]} edge   r, g, b, a of what is around dots
 * @property {{rgb: number[], mark: number}[]} classes   the last is drawn on top
 * @property {number} first @property {number} days @property {Uint32Array} at @property {Uint32Array} cell @property {Int32Array} sum   as of readDays
 * @property {Uint32Array} cells   class * columns * rows + row * columns + column of what sums are of, rising
 */

const MAGIC = [0x4f, 0x4d, 0x50, 0x31];
const PIXELS_MOST = 5 * 2 ** 18, CLASSES_MOST = 12, SIDE_MOST = 1024;
/* As tiles/picture/rows.c has them: part of the box that dots may cover, the least dot with an outline and its width, steps of opacity. */
const COVER_MOST = 0.10, DOT_LEAST = 3, RIM_LEAST = 6, RIM = 512, WEIGHTS = 8, SOLID_LEAST = 32, SOLID_STEPS = 8;
/* Parts of a pixel along its side by which covers are measured. */
const PARTS = 16;
/* Corners of marks, of a radius of 256 (tiles/picture/stroke.c); a disc has twelve. */
const CORNERS = [Array.from({length: 12}, (_, i) => [256 * Math.cos(i * Math.PI / 6), 256 * Math.sin(i * Math.PI / 6)]), [[-216, -216], [216, -216], [216, 216], [-216, 216]], [[0, -256], [256, 0], [0, 256], [-256, 0]], [[0, -256], [256, 216], [-256, 216]]];

/** Is it one, or one of a field? @param {Uint8Array} bytes */
export const isDotTile = (bytes) => MAGIC.every((b, i) => bytes[i] === b);

/** @param {Uint8Array} bytes @returns {DotTile} @throws {RangeError} where they are no such tile */
export function readDotTile(bytes) {
  const numbers = new Numbers(bytes, MAGIC, 'a tile of days of points'), areaPx = numbers.real();
  const [side, ratio, left, top, columns, rows, most, count] = numbers.list(8), colour = () => Array.from({length: 4}, () => numbers.byte());
  if (!(areaPx >= 1) || !side || side > SIDE_MOST || !ratio || ratio > 4 || columns * rows > PIXELS_MOST || left + side > columns + SIDE_MOST || count > CLASSES_MOST || most > 64) throw numbers.bad();
  const edge = colour(), classes = Array.from({length: count}, colour).map(([r, g, b, mark]) => ({rgb: [r, g, b], mark}));
  if (classes.some(({mark}) => mark >= CORNERS.length)) throw numbers.bad();
  return {side, ratio, left, top, columns, rows, areaPx, most, edge, classes, ...readDays(numbers, count * columns * rows)};
}

/** Diameter of dots in half pixels of design; 0: pixels stand for many. @param {DotTile} tile @param {number} count rows in all */
export function dotOf({areaPx, ratio, most}, count) {
  if (!(count > 0)) return most;
  const d = Math.floor(4 * Math.sqrt(areaPx * COVER_MOST / (ratio * ratio * count) / Math.PI));
  return d < DOT_LEAST ? 0 : Math.min(d, most);
}

/**
 * A mark in the middle of an odd square, as covers.
 * @param {number} mark @param {number} diameter 1/256 pixel
 * @returns {{side: number, cover: Uint8Array}}
 */
export function maskOf(mark, diameter) {
  const half = Math.floor((Math.floor(diameter / 2) + 127) / 256), side = 2 * half + 1, radius = Math.floor(diameter / 2) / 256, corners = CORNERS[mark].map(([x, y]) => [x / 256 * radius, y / 256 * radius]);
  const inside = (x, y) => corners.every(([ax, ay], i) => {
    const [bx, by] = corners[(i + 1) % corners.length];
    return (bx - ax) * (y - ay) >= (by - ay) * (x - ax);
  });
  const cover = Uint8Array.from({length: side * side}, (_, at) => {
    let n = 0;
    for (let j = 0; j < PARTS; j++) for (let i = 0; i < PARTS; i++) n += inside(at % side - half - 0.5 + (i + 0.5) / PARTS, Math.floor(at / side) - half - 0.5 + (j + 0.5) / PARTS) ? 1 : 0;
    return Math.round(n * 255 / PARTS ** 2);
  });
  return {side, cover};
}

/** @param {number} c premultiplied @param {number} a */
const straight = (c, a) => (a === 255 ? c : Math.min(255, Math.round(c * 255 / a)));

/** What a tile's sums look like, in its pixels. */
export class DotPainter {
  /** @param {DotTile} tile */
  constructor(tile) {
    this.tile = tile;
    const {side, classes, cells, columns, rows} = tile;
    /** Premultiplied. */
    this.ink = new Uint8Array(side * side * 4);
    /** Where the cells of each class begin. */
    this.begins = Array.from({length: classes.length + 1}, (_, k) => firstFrom(cells, k * columns * rows));
    /** @type {Map<string, {side: number, cover: Uint8Array}>} */
    this.masks = new Map();
    this.bytes = this.ink.length + cells.byteLength;
  }

  /** @param {number} mark @param {number} diameter */
  mask(mark, diameter) {
    const key = `${mark} ${diameter}`;
    if (!this.masks.has(key)) this.masks.set(key, maskOf(mark, diameter));
    return /** @type {{side: number, cover: Uint8Array}} */ (this.masks.get(key));
  }

  /**
   * @param {ArrayLike<number>} sums of tile.cells @param {number} count rows of the period in all: how large dots are
   * @param {Uint32Array} out [side * side] r | g << 8 | b << 16 | a << 24; all 0 before @returns {boolean} is there anything?
   */
  paint(sums, count, out) {
    const dot = dotOf(this.tile, count);
    if (!dot) return this.many(sums, count, out);
    const {boxes, px} = this.dots(sums, dot), {side} = this.tile;
    // Few dots are a small part of the tile.
    if (boxes.length * px * px >= side * side) this.settle(out, 0, 0, side);
    else for (const [x, y] of boxes) this.settle(out, x, y, px);
    if (boxes.length * px * px >= side * side) this.ink.fill(0);
    else for (const [x, y] of boxes) this.clear(x, y, px);
    return boxes.length > 0;
  }

  /** Class by class, outlines first. @param {ArrayLike<number>} sums @param {number} dot @returns {{boxes: [number, number][], px: number}} corners of what is painted, and how wide each is */
  dots(sums, dot) {
    const {tile, begins} = this, {classes, ratio, edge} = tile, inner = dot * 128 * ratio, rim = dot >= RIM_LEAST ? inner + RIM * ratio : 0;
    /** @type {[number, number][]} */
    const boxes = [], px = 2 * Math.floor((Math.floor(Math.max(inner, rim) / 2) + 127) / 256) + 1;
    for (const [k, {rgb, mark}] of classes.entries()) {
      const shape = rim ? mark : 0, list = [];
      for (let i = begins[k]; i < begins[k + 1]; i++) if (sums[i] > 0) list.push(i);
      if (!list.length) continue;
      for (const i of list) boxes.push(this.corner(i, k, px));
      if (rim) this.stamp(list, k, this.mask(shape, rim), edge);
      this.stamp(list, k, this.mask(shape, inner), [...rgb, 255]);
    }
    return {boxes, px};
  }

  /** Where a square around a cell begins. @param {number} i cell @param {number} k its class @param {number} px @returns {[number, number]} */
  corner(i, k, px) {
    const {left, top, columns, rows, cells} = this.tile, cell = cells[i] - k * columns * rows;
    return [cell % columns - left - (px >> 1), Math.floor(cell / columns) - top - (px >> 1)];
  }

  /** @param {number[]} list cells @param {number} k their class @param {{side: number, cover: Uint8Array}} mask @param {number[]} colour r, g, b, a */
  stamp(list, k, mask, [red, green, blue, alpha]) {
    const {tile: {side}, ink} = this;
    const own = [red, green, blue].map((c) => over255(c * alpha)), [r, g, b] = own;
    for (const i of list) {
      const [x0, y0] = this.corner(i, k, mask.side);
      for (let my = Math.max(0, -y0), endY = Math.min(mask.side, side - y0); my < endY; my++)
        for (let mx = Math.max(0, -x0), endX = Math.min(mask.side, side - x0), at = ((y0 + my) * side + x0 + mx) * 4; mx < endX; mx++, at += 4) {
          const cover = mask.cover[my * mask.side + mx];
          if (!cover) continue;
          const rest = 255 - over255(alpha * cover);
          ink[at] = over255(r * cover) + over255(ink[at] * rest);
          ink[at + 1] = over255(g * cover) + over255(ink[at + 1] * rest);
          ink[at + 2] = over255(b * cover) + over255(ink[at + 2] * rest);
          ink[at + 3] = 255 - rest + over255(ink[at + 3] * rest);
        }
    }
  }

  /** From premultiplied, in a square. @param {Uint32Array} out @param {number} x0 @param {number} y0 @param {number} px */
  settle(out, x0, y0, px) {
    const {ink, tile: {side}} = this, fromX = Math.max(0, x0), endX = Math.min(side, x0 + px);
    for (let y = Math.max(0, y0), endY = Math.min(side, y0 + px); y < endY; y++)
      for (let p = y * side + fromX, end = y * side + endX, at = 4 * p; p < end; p++, at += 4) {
        const a = ink[at + 3];
        if (a) out[p] = ((a << 24) | (straight(ink[at + 2], a) << 16) | (straight(ink[at + 1], a) << 8) | straight(ink[at], a)) >>> 0;
      }
  }

  /** @param {number} x0 @param {number} y0 @param {number} px */
  clear(x0, y0, px) {
    const {ink, tile: {side}} = this, fromX = Math.max(0, x0), endX = Math.min(side, x0 + px);
    if (fromX < endX) for (let y = Math.max(0, y0), endY = Math.min(side, y0 + px); y < endY; y++) ink.fill(0, 4 * (y * side + fromX), 4 * (y * side + endX));
  }

  /** A pixel has the class that most of its rows have, and as much opacity as they are many. @param {ArrayLike<number>} sums @param {number} count @param {Uint32Array} out */
  many(sums, count, out) {
    const {tile, begins} = this, {side, left, top, columns, rows, cells, classes, areaPx} = tile;
    const solid = 2 ** (Math.round(Math.log2(Math.max(SOLID_LEAST, 4 * count / areaPx)) * SOLID_STEPS) / SOLID_STEPS), perStep = (WEIGHTS - 1) / Math.log(solid);
    const sum = this.sum ??= new Uint32Array(side * side), most = this.most ??= new Uint32Array(side * side), best = this.best ??= new Uint8Array(side * side);
    sum.fill(0);
    most.fill(0);
    let any = false;
    for (let k = 0; k < classes.length; k++)
      for (let i = begins[k]; i < begins[k + 1]; i++) {
        const n = sums[i], cell = cells[i] - k * columns * rows, x = cell % columns - left, y = Math.floor(cell / columns) - top;
        if (!(n > 0) || x < 0 || y < 0 || x >= side || y >= side) continue;
        const p = y * side + x;
        any = true;
        sum[p] += n;
        if (n < most[p]) continue;
        most[p] = n;
        best[p] = k;
      }
    if (any) for (let p = 0; p < out.length; p++) {
      if (!sum[p]) continue;
      const {rgb: [r, g, b]} = classes[best[p]], step = Math.min(WEIGHTS - 1, Math.floor(Math.log(sum[p]) * perStep + 0.5));
      out[p] = (((60 + Math.floor(195 * step / (WEIGHTS - 1))) << 24) | (b << 16) | (g << 8) | r) >>> 0;
    }
    return any;
  }
}
