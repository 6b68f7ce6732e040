// @ts-check
// points.js - points of a layer in a view, out of its vector tiles: whoever may
// see the map gets all of them, while lists of rows end after a page.

import {address} from './plan.js';

/** Tiles that a view is made of at most, and where they are not asked for any deeper. */
const TILES_MOST = 12, DEEPEST = 14;
const POINT = 1, MOVE_TO = 1;

/** @typedef {{lonDeg: number, latDeg: number, properties: Record<string, any>}} Point */

/** Reads protobuf: one field after the other. */
class Reader {
  /** @param {Uint8Array} bytes @param {number} [at] @param {number} [end] */
  constructor(bytes, at = 0, end = bytes.length) {
    Object.assign(this, {bytes, at, end});
  }
  get more() {
    return this.at < this.end;
  }
  /** Up to 53 bits, which is what numbers hold. */
  varint() {
    let value = 0, scale = 1;
    for (;;) {
      if (!this.more) throw new RangeError('the tile ends in a number');
      const byte = this.bytes[this.at++];
      value += (byte & 127) * scale;
      if (byte < 128) return value;
      scale *= 128;
    }
  }
  /** A stretch of its own. */
  part() {
    const length = this.varint(), part = new Reader(this.bytes, this.at, this.at + length);
    if (part.end > this.end) throw new RangeError('the tile ends in a field');
    this.at = part.end;
    return part;
  }
  text() {
    const {bytes, at, end} = this.part();
    return new TextDecoder().decode(bytes.subarray(at, end));
  }
  /** @param {number} bytes 4 or 8 */
  real(bytes) {
    const view = new DataView(this.bytes.buffer, this.bytes.byteOffset + this.at, bytes);
    this.at += bytes;
    return bytes === 4 ? view.getFloat32(0, true) : view.getFloat64(0, true);
  }
  /** @param {number} wire   how what is not wanted is written */
  skip(wire) {
    if (wire === 0) this.varint();
    else if (wire === 1) this.at += 8;
    else if (wire === 2) this.part();
    else if (wire === 5) this.at += 4;
    else throw new RangeError(`no such wire type: ${wire}`);
  }
  /** @param {Record<number, () => void>} takes   by field */
  each(takes) {
    while (this.more) {
      const tag = this.varint(), take = takes[Math.floor(tag / 8)];
      if (take) take();
      else this.skip(tag & 7);
    }
  }
  numbers() {
    const part = this.part(), out = [];
    while (part.more) out.push(part.varint());
    return out;
  }
}

const signed = (n) => n % 2 ? -(n + 1) / 2 : n / 2;

/** @param {Reader} reader */
function readValue(reader) {
  const part = reader.part();
  /** @type {any} */
  let value = null;
  const take = (read) => () => { value = read(); };
  part.each({1: take(() => part.text()), 2: take(() => part.real(4)), 3: take(() => part.real(8)), 4: take(() => part.varint()), 5: take(() => part.varint()),
    6: take(() => signed(part.varint())), 7: take(() => part.varint() !== 0)});
  return value;
}

/**
 * Points of a tile's layer, 0 to 1 of its sides; of several the first.
 * @param {Uint8Array} bytes @param {string} name
 * @returns {{x: number, y: number, properties: Record<string, any>}[]}
 */
export function pointsOfTile(bytes, name) {
  const tile = new Reader(bytes), out = [];
  tile.each({3: () => {
    const layer = tile.part(), keys = [], values = [], features = [];
    let is = '', extent = 4096;
    layer.each({1: () => { is = layer.text(); }, 5: () => { extent = layer.varint(); }, 3: () => { keys.push(layer.text()); }, 4: () => { values.push(readValue(layer)); },
      2: () => {
        const feature = layer.part();
        let tags = [], type = 0, geometry = [];
        feature.each({2: () => { tags = feature.numbers(); }, 3: () => { type = feature.varint(); }, 4: () => { geometry = feature.numbers(); }});
        if (type === POINT && (geometry[0] & 7) === MOVE_TO) features.push({tags, x: signed(geometry[1]), y: signed(geometry[2])});
      }});
    if (is !== name) return;
    for (const {tags, x, y} of features) {
      /** @type {Record<string, any>} */
      const properties = {};
      for (let i = 0; i + 1 < tags.length; i += 2) properties[keys[tags[i]]] = values[tags[i + 1]];
      out.push({x: x / extent, y: y / extent, properties});
    }
  }});
  return out;
}

/**
 * Tiles that cover a view: as deep as few are enough.
 * @param {number[]} view   west, south, east, north, degrees
 */
export function tilesOf([west, south, east, north]) {
  const worldY = (latDeg) => (1 - Math.asinh(Math.tan(latDeg * Math.PI / 180)) / Math.PI) / 2;
  for (let z = DEEPEST; ; z--) {
    const n = 2 ** z, last = (v) => Math.min(n - 1, Math.max(0, Math.floor(v * n)));
    const [x0, x1, y0, y1] = [last((west + 180) / 360), last((east + 180) / 360), last(worldY(Math.min(north, 85))), last(worldY(Math.max(south, -85)))];
    if (z && (x1 - x0 + 1) * (y1 - y0 + 1) > TILES_MOST) continue;
    const tiles = [];
    for (let y = y0; y <= y1; y++) for (let x = x0; x <= x1; x++) tiles.push({z, x, y});
    return tiles;
  }
}

/**
 * @param {{layer: string, filter: string, properties: string[]}} ask @param {number[]} view @param {AbortSignal} [signal]
 * @returns {Promise<Point[]>} those in the tiles that cover the view
 */
export async function pointsIn({layer, filter, properties}, view, signal) {
  const lists = await Promise.all(tilesOf(view).map(async ({z, x, y}) => {
    const response = await fetch(address(`/tiles/${layer}/${z}/${x}/${y}.mvt`, {properties: properties.join(','), filter}), {cache: 'no-cache', signal});
    if (!response.ok) throw new Error(`${response.status} ${layer} ${z}/${x}/${y}`);
    const n = 2 ** z;
    return pointsOfTile(new Uint8Array(await response.arrayBuffer()), layer)
      // What lies beyond the tile's sides is the next tile's.
      .filter((p) => p.x >= 0 && p.x < 1 && p.y >= 0 && p.y < 1)
      .map((p) => ({lonDeg: (x + p.x) / n * 360 - 180, latDeg: Math.atan(Math.sinh(Math.PI * (1 - 2 * (y + p.y) / n))) * 180 / Math.PI, properties: p.properties}));
  }));
  return lists.flat();
}
