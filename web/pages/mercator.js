// @ts-check
// mercator.js - the world as a square of side 1: x grows eastward, y southward,
// as tiles count. Pure.

/** Pixels of the world's side at zoom 0, as MapLibre counts zooms. */
export const WORLD_PX = 512;
const MAX_LAT_DEG = Math.atan(Math.sinh(Math.PI)) * 180 / Math.PI;

/** @param {number} lonDeg */
export const worldX = (lonDeg) => (lonDeg + 180) / 360;
/** @param {number} latDeg */
export function worldY(latDeg) {
  const lat = Math.max(-MAX_LAT_DEG, Math.min(MAX_LAT_DEG, latDeg));
  return (1 - Math.asinh(Math.tan(lat * Math.PI / 180)) / Math.PI) / 2;
}
/** @param {number} x */
export const lonOf = (x) => x * 360 - 180;
/** @param {number} y */
export const latOf = (y) => Math.atan(Math.sinh(Math.PI * (1 - 2 * y))) * 180 / Math.PI;

/**
 * The view that holds a box with so many pixels of room around it.
 * @param {number[]} box west, south, east, north, degrees
 * @param {{width: number, height: number, padding: number}} room
 */
export function viewOf([west, south, east, north], {width, height, padding}) {
  const [x0, x1, y0, y1] = [worldX(west), worldX(east), worldY(north), worldY(south)];
  const fit = Math.min(Math.max(1, width - 2 * padding) / Math.max(1e-9, x1 - x0), Math.max(1, height - 2 * padding) / Math.max(1e-9, y1 - y0));
  return {zoom: Math.log2(fit / WORLD_PX), lonDeg: (west + east) / 2, latDeg: latOf((y0 + y1) / 2)};
}

/** Metres on the ground of a pixel. @param {number} latDeg @param {number} zoom */
export const metresPerPixel = (latDeg, zoom) => 2 * Math.PI * 6378137 * Math.cos(latDeg * Math.PI / 180) / (WORLD_PX * 2 ** zoom);

/**
 * Tiles of a zoom that a view meets.
 * @param {{x: number, y: number}} centre of the view, in parts of the world
 * @param {number} zoom of the view @param {number} tileZoom @param {number} width pixels @param {number} height
 */
export function tilesIn(centre, zoom, tileZoom, width, height) {
  const n = 2 ** tileZoom, px = WORLD_PX * 2 ** zoom, within = (v) => Math.max(0, Math.min(n - 1, Math.floor(v * n)));
  const [x0, x1] = [within(centre.x - width / 2 / px), within(centre.x + width / 2 / px)];
  const [y0, y1] = [within(centre.y - height / 2 / px), within(centre.y + height / 2 / px)];
  const tiles = [];
  for (let y = y0; y <= y1; y++) for (let x = x0; x <= x1; x++) tiles.push({z: tileZoom, x, y});
  return tiles;
}
