// @ts-check
// poster.js - a picture of the map that is made here: of what the server has no
// picture of by itself, such as cells, hulls, or several kinds of coloured units
// over each other. With legends, scale, source and date, as the server's.

import {token} from '../analyst/map.js';
import {metresPerPixel, tilesIn, worldX, worldY, WORLD_PX} from '../mercator.js';

/**
 * @typedef {{name: string, unit: string, legend: any, lines?: string[], note?: string}} Told   steps or items of a legend, and how it was made
 * @typedef {object} Poster
 * @property {import('../analyst/map.js').AnyMap} map
 * @property {number} width @property {number} height   pixels of the page
 * @property {import('../analyst/map.js').Sheet[]} sheets   lowest first
 * @property {any[]} shapes @property {number} opacity   GeoJSON with its own fill
 * @property {Told[]} legends
 * @property {string[]} lines   source, date, period, filter: each as many lines as it needs
 * @property {(n: number) => string} figure
 */

/** Pixels of the picture for one of the page; tiles at a time. */
const RATIO = 2, AT_ONCE = 6;
const MARGIN = 12, LINE = 18, WIDE = 300, NOTE_LINES = 4;

/** @param {string} template @param {{z: number, x: number, y: number}} tile */
async function tileOf(template, {z, x, y}) {
  const response = await fetch(template.replace('{z}', String(z)).replace('{x}', String(x)).replace('{y}', String(y)));
  return response.ok && response.status !== 204 ? createImageBitmap(await response.blob()) : null;
}

/** @param {CanvasRenderingContext2D} pen @param {Poster} p */
async function drawSheets(pen, {map, width, height, sheets}) {
  const view = map.view(), centre = {x: worldX(view.lonDeg), y: worldY(view.latDeg)}, px = WORLD_PX * 2 ** view.zoom;
  const tiles = tilesIn(centre, view.zoom, Math.max(0, Math.min(21, Math.ceil(view.zoom - 0.01))), width, height);
  for (const sheet of sheets) {
    const template = sheet.tiles.replace('{y}.png', '{y}@2x.png'), waiting = [...tiles];
    pen.globalAlpha = sheet.opacity;
    await Promise.all(Array.from({length: AT_ONCE}, async () => {
      for (let tile; (tile = waiting.pop());) {
        const picture = await tileOf(template, tile), side = px / 2 ** tile.z;
        if (!picture) continue;
        pen.drawImage(picture, (tile.x / 2 ** tile.z - centre.x) * px + width / 2, (tile.y / 2 ** tile.z - centre.y) * px + height / 2, side, side);
        picture.close();
      }
    }));
  }
  pen.globalAlpha = 1;
}

/** @param {CanvasRenderingContext2D} pen @param {Poster} p */
function drawShapes(pen, {map, shapes, opacity}) {
  for (const {geometry, properties} of shapes) {
    if (!geometry) continue;
    const path = new Path2D(), rings = {Polygon: [geometry.coordinates], MultiPolygon: geometry.coordinates}[geometry.type] ?? [];
    for (const polygon of rings) for (const ring of polygon) {
      ring.forEach(([lon, lat], i) => {
        const {x, y} = map.project(lon, lat);
        if (i) path.lineTo(x, y);
        else path.moveTo(x, y);
      });
      path.closePath();
    }
    if (geometry.type === 'Point') {
      const {x, y} = map.project(...geometry.coordinates);
      path.arc(x, y, 5, 0, 7);
    }
    pen.globalAlpha = opacity;
    pen.fillStyle = properties.fill ?? token('--bar');
    pen.fill(path, 'evenodd');
    pen.globalAlpha = 1;
    pen.strokeStyle = token('--text');
    pen.lineWidth = 0.4;
    pen.stroke(path);
  }
}

/* What a line may end behind: a word with its blanks, or a character of its own. */
const PIECES = /[\u2e80-\uffef]|[^\s\u2e80-\uffef]+\s*|\s+/g;

/**
 * A text in lines that fit, which begin with no blank; what is longer than
 * `most` of them ends with "…".
 * @param {{measureText: (text: string) => {width: number}}} pen @param {string} text @param {number} wide @param {number} most
 */
export function broken(pen, text, wide, most) {
  const lines = [''], fits = (/** @type {string} */ t) => pen.measureText(t.trimEnd()).width <= wide;
  // What is longer than a line by itself ends anywhere.
  for (const piece of (text.match(PIECES) ?? []).flatMap((t) => (fits(t) ? [t] : [...t]))) {
    const last = lines.length - 1;
    if (!lines[last] || fits(lines[last] + piece)) lines[last] += lines[last] ? piece : piece.trimStart();
    else if (lines.length === most) {
      lines[last] = `${lines[last].trimEnd()}…`;
      break;
    } else lines.push(piece.trimStart());
  }
  return lines.map((line) => line.trimEnd());
}

/**
 * What a legend needs: pieces with their places, and how high it is.
 * @param {CanvasRenderingContext2D} pen @param {Told} told @param {(n: number) => string} figure @param {number} room for its lines
 */
function layOut(pen, {name, unit, legend, lines = [], note}, figure, room) {
  /** @type {{x: number, y: number, text?: string, quiet?: boolean, colour?: string, alpha?: number, width?: number, frame?: boolean, mark?: string}[]} */
  const parts = [];
  let x = 0, y = 0;
  /** @param {string} line @param {boolean} quiet */
  const add = (line, quiet) => {
    for (const text of broken(pen, line, room, NOTE_LINES)) {
      parts.push({x: 0, y, text, quiet});
      y += LINE;
    }
  };
  add(`${name} ${unit}`.trim(), false);
  for (const line of lines) add(line, true);
  const steps = legend.steps?.filter((s) => legend.form !== 'lines' || s.line);
  if (steps) {
    const side = room / steps.length;
    steps.forEach((s, i) => {
      parts.push({x: i * side, y: y + 3, colour: s.color, alpha: Math.max(0.15, s.opacity), width: side - (legend.form === 'lines' ? 12 : 0)});
      if (steps.length < 8 || i % 5 === 0) parts.push({x: i * side, y: y + 14, text: `${legend.form !== 'lines' && i === steps.length - 1 ? '≥' : ''}${figure(s.from)}`, quiet: true});
    });
    y += 14 + LINE;
  }
  for (const item of legend.items ?? []) {
    const wide = 20 + pen.measureText(item.text).width + 12;
    if (x && x + wide > room) [x, y] = [0, y + LINE];
    parts.push({x, y: y + 3, colour: item.color?.startsWith('var(') ? token(item.color.slice(4, -1)) : item.color ?? token('--quiet'), alpha: Math.max(0.25, item.opacity ?? 1), width: 14, frame: item.form === 'outline', mark: item.form === 'dot' ? item.mark ?? 'disc' : undefined}, {x: x + 20, y, text: item.text});
    x += wide;
  }
  if (legend.items) y += LINE;
  if (note) add(note, true);
  return {parts, height: y + 8};
}

/** Room for the lines of a box in a picture so wide. @param {number} width */
const roomIn = (width) => Math.min(WIDE, width - 2 * MARGIN);

/**
 * Where legends and note stand: beneath the map, of which they cover nothing,
 * beside each other where both have room, else one below the other.
 * @param {{width: number, height: number}} map
 * @param {{width: number, height: number}} legends   0 high: there are none
 * @param {{width: number, height: number}} note
 * @returns {{height: number, legends: {x: number, y: number}, note: {x: number, y: number}}} height: of the picture
 */
export function placed(map, legends, note) {
  const beside = !legends.height || legends.width + note.width <= map.width;
  return {height: map.height + (beside ? Math.max(legends.height, note.height) : legends.height + note.height), legends: {x: 0, y: map.height},
    note: beside ? {x: Math.max(0, map.width - note.width), y: map.height} : {x: 0, y: map.height + legends.height}};
}

/** @param {CanvasRenderingContext2D} pen @param {Poster} p */
function layLegends(pen, {width: wide, legends, figure}) {
  const laid = legends.map((told) => layOut(pen, told, figure, roomIn(wide)));
  if (!laid.length) return {laid, width: 0, height: 0};
  const width = Math.max(roomIn(wide), ...laid.flatMap((l) => l.parts.map((p) => p.x + (p.text ? pen.measureText(p.text).width : 0)))) + 2 * MARGIN;
  return {laid, width: Math.min(wide, width), height: laid.reduce((sum, l) => sum + l.height, 0) + MARGIN};
}

/** Corners of marks around their middle, as the map has them (tiles/picture). */
const CORNERS = {triangle: [[0, -6], [6, 5], [-6, 5]], diamond: [[0, -6.5], [6.5, 0], [0, 6.5], [-6.5, 0]], square: [[-5, -5], [5, -5], [5, 5], [-5, 5]]};

/** Colours of risk always have their shape. @param {string} mark @param {number} x @param {number} y */
function markPath(mark, x, y) {
  const path = new Path2D(), corners = CORNERS[/** @type {keyof typeof CORNERS} */ (mark)];
  if (!corners) path.arc(x, y, 5.5, 0, 7);
  else for (const [dx, dy] of corners) path.lineTo(x + dx, y + dy);
  path.closePath();
  return path;
}

/** @param {CanvasRenderingContext2D} pen @param {ReturnType<typeof layLegends>} box @param {{x: number, y: number}} at */
function drawLegends(pen, {laid}, {x, y}) {
  let top = y + MARGIN / 2;
  for (const {parts, height} of laid) {
    for (const p of parts) {
      pen.globalAlpha = p.alpha ?? 1;
      pen.fillStyle = p.colour ?? token(p.quiet ? '--quiet' : '--text');
      pen.strokeStyle = pen.fillStyle;
      pen.lineWidth = 1;
      if (p.frame) pen.strokeRect(x + MARGIN + p.x + 0.5, top + p.y + 0.5, (p.width ?? 14) - 1, 8);
      else if (p.mark) pen.fill(markPath(p.mark, x + MARGIN + p.x + 7, top + p.y + 4.5));
      else if (p.text !== undefined) pen.fillText(p.text, x + MARGIN + p.x, top + p.y);
      else pen.fillRect(x + MARGIN + p.x, top + p.y, p.width ?? 14, 9);
    }
    top += height;
  }
  pen.globalAlpha = 1;
}

/** A length of 1, 2 or 5 that fits. @param {number} most */
function roundBelow(most) {
  const ten = 10 ** Math.floor(Math.log10(most));
  return [5, 2, 1].map((n) => n * ten).find((n) => n <= most) ?? ten;
}

/** @param {CanvasRenderingContext2D} pen @param {Poster} p */
function layNote(pen, {map, width, lines: told}) {
  const lines = told.flatMap((text) => broken(pen, text, roomIn(width), NOTE_LINES));
  const view = map.view(), metre = metresPerPixel(view.latDeg, view.zoom), long = roundBelow(120 * metre), bar = long / metre;
  return {lines, long, bar, width: Math.max(bar + 60, ...lines.map((l) => pen.measureText(l).width)) + 2 * MARGIN, height: (lines.length + 1) * LINE + MARGIN};
}

/** @param {CanvasRenderingContext2D} pen @param {ReturnType<typeof layNote>} box @param {{x: number, y: number}} at */
function drawNote(pen, {lines, long, bar}, {x, y}) {
  pen.fillStyle = token('--text');
  const left = x + MARGIN, top = y + MARGIN / 2;
  pen.fillRect(left, top + 9, bar, 2);
  pen.fillText(long < 1000 ? `${long} m` : `${long / 1000} km`, left + bar + 6, top + 3);
  lines.forEach((line, i) => pen.fillText(line, left, top + (i + 1) * LINE + 2));
}

/** @param {Poster} poster @returns {Promise<Blob>} a PNG */
export async function draw(poster) {
  const canvas = document.createElement('canvas'), {width, height} = poster, font = `12px ${token('--font')}`;
  const pen = /** @type {CanvasRenderingContext2D} */ (canvas.getContext('2d'));
  pen.font = font;
  const legends = layLegends(pen, poster), note = layNote(pen, poster), at = placed(poster, legends, note);
  // A canvas that gets its size forgets the rest.
  canvas.width = Math.round(width * RATIO);
  canvas.height = Math.round(at.height * RATIO);
  pen.scale(RATIO, RATIO);
  pen.fillStyle = token('--land');
  pen.fillRect(0, 0, width, height);
  pen.font = font;
  pen.textBaseline = 'top';
  const [names, below] = [poster.sheets.filter((s) => s.key === 'labels'), poster.sheets.filter((s) => s.key !== 'labels')];
  pen.save();
  pen.beginPath();
  pen.rect(0, 0, width, height);
  pen.clip();
  await drawSheets(pen, {...poster, sheets: below});
  drawShapes(pen, poster);
  await drawSheets(pen, {...poster, sheets: names});
  pen.restore();
  pen.fillStyle = token('--panel');
  pen.fillRect(0, height, width, at.height - height);
  drawLegends(pen, legends, at.legends);
  drawNote(pen, note, at.note);
  return new Promise((done, fail) => canvas.toBlob((blob) => (blob ? done(blob) : fail(new Error('PNG'))), 'image/png'));
}
