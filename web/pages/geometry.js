// @ts-check
// geometry.js - where shapes are. Pure.

/** Middle of the largest ring of a (multi)polygon: where its name goes. */
export function labelPlace(geometry) {
  const polygons = geometry.type === 'Polygon' ? [geometry.coordinates] : geometry.coordinates;
  let best = {area: -1, lonDeg: 0, latDeg: 0};
  for (const [ring] of polygons) {
    let area = 0, x = 0, y = 0;
    const [ox, oy] = ring[0];
    for (let i = 0; i + 1 < ring.length; i++) {
      const [ax, ay] = [ring[i][0] - ox, ring[i][1] - oy];
      const [bx, by] = [ring[i + 1][0] - ox, ring[i + 1][1] - oy];
      const cross = ax * by - bx * ay;
      area += cross;
      x += (ax + bx) * cross;
      y += (ay + by) * cross;
    }
    if (Math.abs(area) > best.area && area !== 0)
      best = {area: Math.abs(area), lonDeg: ox + x / (3 * area), latDeg: oy + y / (3 * area)};
  }
  return best;
}

/** Box of a (multi)polygon: west, south, east, north. */
export function boundsOf(geometry) {
  const box = [Infinity, Infinity, -Infinity, -Infinity];
  const walk = (c) => {
    if (typeof c[0] !== 'number') return c.forEach(walk);
    box[0] = Math.min(box[0], c[0]);
    box[1] = Math.min(box[1], c[1]);
    box[2] = Math.max(box[2], c[0]);
    box[3] = Math.max(box[3], c[1]);
  };
  walk(geometry.coordinates);
  return box;
}

/** Is a place within a (multi)polygon? By the parity of its rings, holes too. @param {any} geometry @param {number} lonDeg @param {number} latDeg */
export function contains(geometry, lonDeg, latDeg) {
  const polygons = geometry?.type === 'Polygon' ? [geometry.coordinates] : geometry?.type === 'MultiPolygon' ? geometry.coordinates : [];
  return polygons.some((rings) => {
    let inside = false;
    for (const ring of rings)
      for (let i = 0, j = ring.length - 1; i < ring.length; j = i++) {
        const [ax, ay] = ring[i], [bx, by] = ring[j];
        if ((ay > latDeg) !== (by > latDeg) && lonDeg < (bx - ax) * (latDeg - ay) / (by - ay) + ax) inside = !inside;
      }
    return inside;
  });
}

/**
 * The shape that holds a place, else the nearest point within so many degrees of
 * latitude; null: neither.
 * @template {{geometry: any}} T @param {T[]} shapes @param {number} lonDeg @param {number} latDeg @param {number} nearDeg @returns {T | null}
 */
export function shapeAt(shapes, lonDeg, latDeg, nearDeg) {
  const around = shapes.find((s) => contains(s.geometry, lonDeg, latDeg));
  if (around) return around;
  const narrow = Math.cos(latDeg * Math.PI / 180), off = ({geometry: {coordinates: [x, y]}}) => Math.hypot((x - lonDeg) * narrow, y - latDeg);
  const points = shapes.filter((s) => s.geometry?.type === 'Point').sort((a, b) => off(a) - off(b));
  return points.length && off(points[0]) <= nearDeg ? points[0] : null;
}
