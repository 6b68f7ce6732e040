// @ts-check
// area.js - an area that was drawn, chosen or measured: in the address of the
// page, in questions to the server, on the map. Pure.

/**
 * @typedef {[number, number]} LonLat   degrees, east before north
 * @typedef {{kind: 'polygon', ring: LonLat[]}} Polygon   a ring that is not closed
 * @typedef {{kind: 'circle', at: LonLat, radiusM: number}} Circle
 * @typedef {{kind: 'unit', level: string, id: string}} Unit
 * @typedef {Polygon | Circle | Unit} Area
 */

/** Corners that a lasso keeps: its address stays below what servers and mail take. */
export const CORNERS_MOST = 120;
export const RADIUS_M = {least: 50, most: 50000, usual: 500};
/** WGS 84: semi-major axis, flattening. */
const A = 6378137, F = 1 / 298.257223563, RAD = Math.PI / 180;

/** Distance of a point from a segment, in the plane. */
function offSegment([x, y], [ax, ay], [bx, by]) {
  const dx = bx - ax, dy = by - ay, long = dx * dx + dy * dy;
  const t = long ? Math.max(0, Math.min(1, ((x - ax) * dx + (y - ay) * dy) / long)) : 0;
  return Math.hypot(x - ax - t * dx, y - ay - t * dy);
}

/** Corners of a line that are farther than so much from it (Douglas and Peucker 1973). @param {LonLat[]} line @param {number} off */
function thin(line, off) {
  const keep = new Set([0, line.length - 1]), todo = [[0, line.length - 1]];
  for (let span; (span = todo.pop());) {
    const [a, b] = span;
    let worst = off, at = -1;
    for (let i = a + 1; i < b; i++) {
      const d = offSegment(line[i], line[a], line[b]);
      if (d > worst) [worst, at] = [d, i];
    }
    if (at < 0) continue;
    keep.add(at);
    todo.push([a, at], [at, b]);
  }
  return [...keep].sort((a, b) => a - b).map((i) => line[i]);
}

/**
 * What a hand drew as a ring of few corners; null where it is no area. Degrees
 * are narrower up here than high, which matters only for what is left out.
 * @param {LonLat[]} line @param {number} offDeg what may be cut off, about a pixel
 * @returns {LonLat[] | null}
 */
export function ringOf(line, offDeg) {
  /** @type {LonLat[]} */
  let ring = line.filter((p, i) => !i || p[0] !== line[i - 1][0] || p[1] !== line[i - 1][1])
    .map(([x, y]) => [+x.toFixed(6), +y.toFixed(6)]);
  if (ring.length > 2 && ring[0].join() === ring.at(-1)?.join()) ring.pop();
  if (ring.length < 3) return null;
  // The start is kept whatever it is: cut at the corner farthest from it.
  for (let off = offDeg; ; off *= 1.5) {
    const far = ring.reduce((best, p, i) => Math.hypot(p[0] - ring[0][0], p[1] - ring[0][1]) >
      Math.hypot(ring[best][0] - ring[0][0], ring[best][1] - ring[0][1]) ? i : best, 0);
    const there = thin(ring.slice(0, far + 1), off), back = thin([...ring.slice(far), ring[0]], off);
    const few = [...there, ...back.slice(1, -1)];
    if (few.length < 3) return null;
    if (few.length <= CORNERS_MOST) {
      ring = few;
      break;
    }
  }
  return ring;
}

/** Ground area of a ring, square kilometres: on the sphere of the same surface, good to some parts in a thousand. @param {LonLat[]} ring */
export function ringKm2(ring) {
  let sum = 0;
  ring.forEach(([lon, lat], i) => {
    const [next, up] = ring[(i + 1) % ring.length];
    sum += (next - lon) * RAD * (2 + Math.sin(lat * RAD) + Math.sin(up * RAD));
  });
  return Math.abs(sum) * 6371.0072 ** 2 / 2;
}

/** @param {number} radiusM */
export const circleKm2 = (radiusM) => Math.PI * (radiusM / 1000) ** 2;

/**
 * A circle as a ring for the map: what is counted follows the server's circle,
 * this one lies within a thousandth of it. @param {LonLat} at @param {number} radiusM @param {number} [corners] @returns {LonLat[]}
 */
export function circleRing([lon, lat], radiusM, corners = 96) {
  const sin2 = Math.sin(lat * RAD) ** 2, e2 = F * (2 - F), w = Math.sqrt(1 - e2 * sin2);
  const degX = 1 / (RAD * A / w * Math.cos(lat * RAD)), degY = 1 / (RAD * A * (1 - e2) / w ** 3);
  return Array.from({length: corners}, (_, i) => {
    const turn = i / corners * 2 * Math.PI;
    return [lon + radiusM * Math.cos(turn) * degX, lat + radiusM * Math.sin(turn) * degY];
  });
}

/** Metres between two places, for what a hand draws: good to a thousandth below some 100 km. @param {LonLat} a @param {LonLat} b */
export function metresBetween([ax, ay], [bx, by]) {
  const lat = (ay + by) / 2 * RAD, e2 = F * (2 - F), w = Math.sqrt(1 - e2 * Math.sin(lat) ** 2);
  return Math.hypot((bx - ax) * RAD * A / w * Math.cos(lat), (by - ay) * RAD * A * (1 - e2) / w ** 3);
}

/** Its corners on the map; of a unit the map knows them. @param {Area} area */
export const ringForMap = (area) => (area.kind === 'polygon' ? area.ring : area.kind === 'circle' ? circleRing(area.at, area.radiusM) : null);

/** Parameters of /stats and items that take what lies in it. Not of a unit. @param {Area} area @returns {Record<string, string>} */
export function placeParams(area) {
  if (area.kind === 'polygon') {
    const text = [...area.ring, area.ring[0]].map(([x, y]) => `${+x.toFixed(6)} ${+y.toFixed(6)}`).join(',');
    return {within: `POLYGON((${text}))`};
  }
  if (area.kind === 'circle') return {near: area.at.map((v) => +v.toFixed(6)).join(','), radius: String(area.radiusM)};
  return {};
}

/** A filter that takes the rows of a unit. @param {Unit} unit */
export const unitFilter = ({level, id}) => `"${level}" = '${id.replaceAll("'", "''")}'`;

/** Two conditions as one; either may be empty. @param {string} a @param {string} b */
export const both = (a, b) => (a && b ? `(${a}) AND (${b})` : a || b);

/** For the page's address; '' for a unit, which has a field of its own. @param {Area | null} area */
export function formatArea(area) {
  if (area?.kind === 'circle') return `circle:${area.at.map((v) => v.toFixed(6)).join(',')},${area.radiusM}`;
  return area?.kind === 'polygon' ? `polygon:${area.ring.map(([x, y]) => `${+x.toFixed(6)},${+y.toFixed(6)}`).join(',')}` : '';
}

/** What formatArea wrote; null for anything else. @param {string} text @returns {Area | null} */
export function parseArea(text) {
  const [kind, rest = ''] = text.split(/:(.*)/s);
  const n = rest.split(',').map(Number);
  if (!rest || rest.split(',').some((part) => part.trim() === '') || !n.every(Number.isFinite)) return null;
  const onMap = ([lon, lat]) => Math.abs(lon) <= 180 && Math.abs(lat) <= 85;
  if (kind === 'circle')
    return n.length === 3 && onMap(n) && n[2] >= RADIUS_M.least && n[2] <= RADIUS_M.most ? {kind, at: [n[0], n[1]], radiusM: n[2]} : null;
  if (kind !== 'polygon' || n.length % 2 || n.length < 6 || n.length > 2 * CORNERS_MOST) return null;
  /** @type {LonLat[]} */
  const ring = [];
  for (let i = 0; i < n.length; i += 2) ring.push([n[i], n[i + 1]]);
  return ring.every(onMap) ? {kind, ring} : null;
}
