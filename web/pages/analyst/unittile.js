// @ts-check
// unittile.js - a tile of units: which lie in which pixels. Any colours of them
// are painted as the server does (tiles/picture/choropleth.c): all units of a
// pixel are added, borders lie over them. ARCHITECTURE.md has the form.

const damaged = () => new RangeError('this is no tile of units');
/** Units at most: the numbers have 16 bits. */
const UNITS_MOST = 65534;

/** x / 255 rounded, of 16 bits @param {number} x */
export const over255 = (x) => (x + 128 + ((x + 128) >> 8)) >> 8;

/** @param {Uint8Array} bytes */
export function readUnitTile(bytes) {
  let at = 4;
  const varint = () => {
    let value = 0;
    for (let times = 1; ; times *= 128) {
      const byte = bytes[at++];
      if (byte === undefined || times > 2 ** 28) throw damaged();
      value += (byte & 127) * times;
      if (byte < 128) return value;
    }
  };
  if (bytes.length < 8 || String.fromCharCode(...bytes.subarray(0, 4)) !== 'OMU1') throw damaged();
  const side = varint(), units = varint(), words = new TextDecoder();
  if (side < 1 || side > 1024 || units > Math.min(UNITS_MOST, bytes.length)) throw damaged();
  const ids = Array.from({length: units}, () => {
    const len = varint(), from = at;
    at += len;
    if (at > bytes.length) throw damaged();
    return words.decode(bytes.subarray(from, at));
  });
  const pixels = side * side, whole = new Uint16Array(pixels);
  /* Pixels with parts of units or a border; where their parts begin. */
  const mixed = new Map(), partUnit = [], partCover = [];
  const unit = () => {
    const n = varint();
    if (n >= units) throw damaged();
    return n;
  };
  for (let p = 0; p < pixels;) {
    const run = varint(), kind = run & 3, n = Math.floor(run / 4);
    if (kind > 2 || !n || (kind === 2 ? n > units : p + n > pixels)) throw damaged();
    if (kind === 1) whole.fill(unit() + 1, p, p + n);
    if (kind < 2) {
      p += n;
      continue;
    }
    mixed.set(p++, {first: partUnit.length, n, edge: 0});
    for (let i = 0; i < n; i++) {
      partUnit.push(unit());
      if (at >= bytes.length) throw damaged();
      partCover.push(bytes[at++]);
    }
  }
  for (let p = 0; p < pixels;) {
    p += varint();
    if (p === pixels) break;
    const n = varint();
    if (!n || p + n > pixels || at + n > bytes.length) throw damaged();
    for (const end = p + n; p < end; p++) {
      let pixel = mixed.get(p);
      if (!pixel) {
        mixed.set(p, pixel = {first: partUnit.length, n: whole[p] ? 1 : 0, edge: 0});
        if (whole[p]) {
          partUnit.push(whole[p] - 1);
          partCover.push(255);
        }
      }
      pixel.edge = bytes[at++];
    }
  }
  if (at !== bytes.length) throw damaged();
  const pixel = Uint32Array.from(mixed.keys()), list = [...mixed.values()];
  return {side, ids, whole, pixel, first: Uint32Array.from(list, (m) => m.first), parts: Uint16Array.from(list, (m) => m.n), edge: Uint8Array.from(list, (m) => m.edge),
    partUnit: Uint16Array.from(partUnit), partCover: Uint8Array.from(partCover), bytes: pixels * 2 + list.length * 11 + partUnit.length * 3};
}

/** Premultiplied: r, g, b, a. @param {number} c r | g << 8 | b << 16 | a << 24 */
function inkOf(c) {
  const a = c >>> 24;
  return [over255((c & 255) * a), over255((c >> 8 & 255) * a), over255((c >> 16 & 255) * a), a];
}

/**
 * @param {ReturnType<typeof readUnitTile>} tile
 * @param {Uint32Array} fill of each unit of the tile; 0: what is not known, hatched
 * @param {{edge: number, hatch: number, ratio: number}} how ratio: pixels for one of design
 * @param {Uint32Array} out [side * side] r | g << 8 | b << 16 | a << 24
 */
export function paintUnits({side, whole, pixel, first, parts, edge, partUnit, partCover}, fill, {edge: line, hatch, ratio}, out) {
  const period = 8 * ratio, wide = 2 * ratio, colour = new Uint32Array(fill.length + 1), inks = new Uint8Array(fill.length * 4);
  colour.set(fill, 1);
  for (let u = 0; u < fill.length; u++) inks.set(inkOf(fill[u]), 4 * u);
  const border = inkOf(line), strip = inkOf(hatch);
  const striped = (p) => (p % side + Math.floor(p / side)) % period < wide;
  let unknown = false;
  for (let u = 0; u < fill.length; u++) unknown ||= !fill[u];
  for (let p = 0; p < out.length; p++) out[p] = colour[whole[p]];
  if (unknown) for (let p = 0; p < out.length; p++) if (whole[p] && !out[p] && striped(p)) out[p] = hatch;
  for (let i = 0; i < pixel.length; i++) {
    let r = 0, g = 0, b = 0, a = 0, strips = 0;
    for (let k = first[i], end = k + parts[i]; k < end; k++) {
      const u = 4 * partUnit[k], cover = partCover[k];
      if (!fill[partUnit[k]]) {
        strips += cover;
        continue;
      }
      r += over255(inks[u] * cover);
      g += over255(inks[u + 1] * cover);
      b += over255(inks[u + 2] * cover);
      a += over255(inks[u + 3] * cover);
    }
    if (a > 255) a = 255;
    r = Math.min(r, a);
    g = Math.min(g, a);
    b = Math.min(b, a);
    for (const [ink, cover] of [[strip, strips && striped(pixel[i]) ? Math.min(255, strips) : 0], [border, edge[i]]]) {
      if (!cover) continue;
      const rest = 255 - over255(ink[3] * cover);
      r = over255(ink[0] * cover) + over255(r * rest);
      g = over255(ink[1] * cover) + over255(g * rest);
      b = over255(ink[2] * cover) + over255(b * rest);
      a = over255(ink[3] * cover) + over255(a * rest);
    }
    const straight = (c) => (a ? Math.min(255, Math.round(c * 255 / a)) : 0);
    out[pixel[i]] = ((a << 24) | (straight(b) << 16) | (straight(g) << 8) | straight(r)) >>> 0;
  }
}
