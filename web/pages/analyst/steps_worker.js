// @ts-check
// steps_worker.js - tiles of days and of units, held and drawn for a period,
// beside the page: nothing of it holds up a frame. See steps.js.

import {Painter, Sums, readDayTile} from './daytile.js';
import {DotPainter, isDotTile, readDotTile} from './dottile.js';
import {paintUnits, readUnitTile} from './unittile.js';

/**
 * @typedef {{key: string, url: string}} Wanted
 * @typedef {object} Wish   what is to be drawn
 * @property {number} id
 * @property {boolean} whole   not before all of it is there
 * @property {PartWish[]} parts
 *
 * @typedef {object} PartWish   of one sheet: a field, units, or points
 * @property {'A' | 'B'} side @property {string} key
 * @property {number} from @property {number} to   days since 1970, [from, to)
 * @property {number} halfLife   days; 0: none
 * @property {number} at   days since 1970: what half-lives are counted to
 * @property {Wanted[]} tiles   what is seen
 * @property {number[]} [breaks]   where each colour begins, rising
 * @property {number[]} [colours]   of breaks and, first, of what is below: r | g << 8 | b << 16 | a << 24
 * @property {boolean} [lines]
 * @property {{token: number, ids?: string[], fill: Uint32Array, zero: number, edge: number, hatch: number, ratio: number}} [units]   colours of ids, which come with the first wish of a token; zero: of an id that is not listed
 * @property {{count: number}} [points]   rows of the period in all: how large dots are
 */

/* Pixels of a picture's side; it is shown twice as wide. */
const SIDE = 256;
/* Of these steps one begins with a line (tiles/heat.h). */
const LINE_EVERY = 3;
/* Requests at a time: browsers have six connections for a server. */
const AT_ONCE = 3;
/* Memory for tiles; those that are seen stay whatever they take. */
const BYTES_MOST = 192 * 2 ** 20;

/** @type {Map<string, {state: 'waiting' | 'empty' | 'there', bytes: number, sums?: Sums, painter?: Painter, dots?: DotPainter, cover?: ReturnType<typeof readUnitTile>, old?: boolean}>} by address, least recently wanted first; what is old is shown until it has come anew */
const held = new Map();
/** @type {string[]} */
const waiting = [];
let running = 0, newest = 0;
/** @type {(() => void)[]} */
let hearers = [];
/** @type {Set<string>} what is still wanted */
let wanted = new Set();
/** @type {{url: string, status: number, detail: string} | null} */
let fault = null;

const post = (message, transfer = []) => /** @type {any} */ (self).postMessage(message, transfer);

async function load(url) {
  const response = await fetch(url, {cache: 'no-cache'});
  if (response.status === 204) return held.set(url, {state: 'empty', bytes: 0});
  if (!response.ok) throw Object.assign(new Error((await response.json().catch(() => ({}))).detail ?? ''), {status: response.status});
  const bytes = new Uint8Array(await response.arrayBuffer());
  if (/units/.test(response.headers.get('content-type') ?? '')) {
    const cover = readUnitTile(bytes);
    return held.set(url, {state: 'there', bytes: cover.bytes, cover});
  }
  if (isDotTile(bytes)) {
    const tile = readDotTile(bytes), sums = new Sums(tile, tile.cells.length), dots = new DotPainter(tile);
    return held.set(url, {state: 'there', bytes: sums.bytes + dots.bytes, sums, dots});
  }
  const tile = readDayTile(bytes);
  const sums = new Sums(tile), painter = new Painter(tile, SIDE);
  held.set(url, {state: 'there', bytes: sums.bytes + painter.bytes, sums, painter});
}

function run() {
  while (running < AT_ONCE && waiting.length) {
    const url = waiting.shift();
    // Nobody wants it any more.
    if (!wanted.has(url)) {
      held.delete(url);
      continue;
    }
    running++;
    load(url).catch((error) => {
      const before = held.get(url);
      if (before && before.state !== 'waiting') {
        before.old = true;
        return;
      }
      held.delete(url);
      fault = {url, status: error.status ?? 0, detail: error.message};
    }).finally(() => {
      running--;
      run();
      for (const hear of hearers.splice(0)) hear();
      if (!waiting.length && !running) post({loaded: true});
    });
  }
}

/** Of what is not seen the longest unseen goes. @param {Wanted[]} tiles */
function forget(tiles) {
  let bytes = 0;
  for (const {bytes: b} of held.values()) bytes += b;
  for (const [url, tile] of held) {
    if (bytes <= BYTES_MOST) return;
    if (tile.state === 'waiting' || tiles.some((t) => t.url === url)) continue;
    bytes -= tile.bytes;
    held.delete(url);
  }
}

/** @param {Wanted[]} tiles */
function want(tiles) {
  wanted = new Set(tiles.map((t) => t.url));
  for (const {url} of tiles) {
    const tile = held.get(url);
    if (tile) {
      held.delete(url);
      held.set(url, tile);
      if (tile.old) waiting.push(url);
      tile.old = false;
    } else {
      held.set(url, {state: 'waiting', bytes: 0});
      // What failed before is tried anew.
      if (fault?.url === url) fault = null;
      waiting.push(url);
    }
  }
  forget(tiles);
  run();
}

/** Steps of values to colours. @param {Float32Array | null} values @param {PartWish} wish @returns {ImageData | null} */
function colour(values, {breaks, colours, lines}) {
  if (!values) return null;
  const image = new ImageData(SIDE, SIDE), pixel = new Uint32Array(image.data.buffer), n = breaks.length, lowest = breaks[0];
  const step = lines ? new Uint8Array(SIDE * SIDE) : null;
  for (let i = 0; i < values.length; i++) {
    const v = values[i];
    if (!(v >= lowest)) continue;
    let a = 1, b = n;
    while (a < b) {
      const middle = (a + b) >> 1;
      if (v >= breaks[middle]) a = middle + 1;
      else b = middle;
    }
    if (step) step[i] = Math.floor(a / LINE_EVERY);
    else pixel[i] = colours[a];
  }
  if (step) keepLines(step, pixel, colours);
  return image;
}

/** Where less lies beside, above or below, a line runs. @param {Uint8Array} step @param {Uint32Array} pixel @param {number[]} colours */
function keepLines(step, pixel, colours) {
  for (let y = 0, i = 0; y < SIDE; y++)
    for (let x = 0; x < SIDE; x++, i++) {
      const here = step[i];
      if (here && ((x && step[i - 1] < here) || (x < SIDE - 1 && step[i + 1] < here) || (y && step[i - SIDE] < here) || (y < SIDE - 1 && step[i + SIDE] < here)))
        pixel[i] = colours[here * LINE_EVERY];
    }
}

/* Which number each unit has in lists of colours, and each unit of a tile: HIDDEN, of whose id nothing is told, UNLISTED. */
const listed = {token: 0, index: /** @type {Map<string, number>} */ (new Map())}, HIDDEN = -1, UNLISTED = -2;
/** @type {WeakMap<object, {token: number, at: Int32Array}>} */
const places = new WeakMap();

/** @param {ReturnType<typeof readUnitTile>} cover */
function placesOf(cover) {
  const known = places.get(cover), {token, index} = listed;
  if (known?.token === token) return known.at;
  const at = Int32Array.from(cover.ids, (id) => (id ? index.get(id) ?? UNLISTED : HIDDEN));
  places.set(cover, {token, at});
  return at;
}

/** @param {ReturnType<typeof readUnitTile>} cover @param {PartWish['units']} units @returns {ImageData} */
function colourUnits(cover, {fill, zero, edge, hatch, ratio}) {
  const image = new ImageData(cover.side, cover.side), own = Uint32Array.from(placesOf(cover), (i) => (i === HIDDEN ? 0 : i === UNLISTED ? zero : fill[i]));
  paintUnits(cover, own, {edge, hatch, ratio}, new Uint32Array(image.data.buffer));
  return image;
}

/** @param {DotPainter} dots @param {Float64Array} sums @param {number} count @returns {ImageData | null} */
function drawDots(dots, sums, count) {
  const {side} = dots.tile, image = new ImageData(side, side);
  return dots.paint(sums, count, new Uint32Array(image.data.buffer)) ? image : null;
}

/** @param {NonNullable<ReturnType<typeof held.get>>} tile @param {PartWish} part @returns {ImageData | null} */
function paint({sums, painter, dots, cover}, part) {
  const {from, to, halfLife, at} = part;
  if (part.units) return cover ? colourUnits(cover, part.units) : null;
  if (part.points) return dots ? drawDots(dots, sums.set(from, to), part.points.count) : null;
  const cells = sums && (halfLife ? sums.fade(from, to, halfLife, at) : sums.set(from, to));
  return cells ? colour(painter.paint(cells), part) : null;
}

/** @param {Wish} wish */
async function draw(wish) {
  const tiles = wish.parts.flatMap((part) => part.tiles);
  want(tiles);
  const there = () => tiles.every((t) => held.get(t.url)?.state !== 'waiting');
  const failed = () => tiles.some((t) => t.url === fault?.url);
  if (!failed()) fault = null;
  while (wish.whole && !there() && !failed() && wish.id === newest) await new Promise((done) => hearers.push(() => done(undefined)));
  const said = failed() ? fault : null;
  fault = null;
  if (said || wish.id !== newest) return post({id: wish.id, fault: said, pictures: null});
  const pictures = [], bitmaps = [];
  for (const part of wish.parts) {
    const own = [];
    for (const {key, url} of part.tiles) {
      const tile = held.get(url);
      if (!tile || tile.state === 'waiting') continue;
      const image = paint(tile, part), picture = image && await createImageBitmap(image);
      own.push([key, picture]);
      if (picture) bitmaps.push(picture);
    }
    pictures.push({side: part.side, key: part.key, tiles: own});
  }
  post({id: wish.id, pictures}, bitmaps);
}

self.onmessage = ({data}) => {
  if (data.forget) {
    for (const tile of held.values()) tile.old = tile.state !== 'waiting';
    return;
  }
  if (data.warm) return want(data.warm);
  newest = data.id;
  for (const {units} of data.parts) if (units?.ids) Object.assign(listed, {token: units.token, index: new Map(units.ids.map((id, i) => [id, i]))});
  for (const hear of hearers.splice(0)) hear();
  draw(data);
};
