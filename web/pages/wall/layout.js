// @ts-check
// layout.js - where things are on a wall of any size: panels on whole screens,
// the map between them, nothing that is read on a seam. Pure.

/**
 * @typedef {{x: number, y: number, w: number, h: number}} Rect   pixels from the wall's top left
 * @typedef {object} Wall
 * @property {number} width
 * @property {number} height
 * @property {number} [cols]   screens side by side
 * @property {number} [rows]
 * @property {number} [bezelX]   what is hidden between two screens, pixels
 * @property {number} [bezelY]
 *
 * @typedef {{key: string, tall: number, least?: number, grows?: number, side: 'left' | 'right'}} Block
 *   tall: heights that it likes, in u; least: those that it needs, with letters as large; grows: its share of what is left over
 *   focus: of the map, on one screen; stage: all of that screen, but for what is read below;
 *   boards: whole screens of the map, but for what is read below, those in the middle first
 * @typedef {{unitPx: number, screens: Rect[], map: Rect, focus: Rect, stage: Rect, boards: Rect[], panels: Record<string, Rect & {unitPx: number, short: boolean}>, caption: Rect, ticker: Rect}} Layout
 */

/** A column of panels, and the space beside it; of the wall's base unit. */
const COLUMN_U = 18.4, MARGIN_U = 0.9;
/** The map has at least this share of the wall's width. */
const MAP_SHARE = 0.6;
/** The sentence and what stands above it; the line of reports and the legend. */
const CAPTION_U = 7, NARROW_CAPTION_U = 10, TICKER_U = 4.3;
/** What is narrower than so many units has the legend on a line of its own. */
const NARROW_U = 40, NARROW_TICKER_U = 4.4;
/** Sentence and legend are on two screens if the second has so much, or as much as the first has and not too little. */
const APART_U = 30, LEAST_APART_U = 16;
/** Panels become shorter by this share of what they can spare, then smaller together by this factor, until all find a place. */
const SHORTER = 0.125, SHRINK = 0.98, SMALLEST = 0.3;
/** What has less than this share of what it likes is told in fewer lines. */
const SHORT = 0.97;
/** A panel is so many of its letters wide, at least. */
const COLUMN_LETTERS = 16.4;
/** Above and below panels. */
const EDGE_U = 0.6;

/** "4x2" and "24" or "24,16" of an address. @param {URLSearchParams} params */
export function readWall(params) {
  const size = /^([1-9]\d?)x([1-9]\d?)$/.exec(params.get('wall') ?? '');
  const bezel = /^(\d{1,3})(?:,(\d{1,3}))?$/.exec(params.get('bezel') ?? '');
  const bezelX = bezel ? Number(bezel[1]) : 0;
  return {cols: size ? Number(size[1]) : 1, rows: size ? Number(size[2]) : 1, bezelX, bezelY: bezel?.[2] ? Number(bezel[2]) : bezelX};
}

/** @param {Wall} wall @returns {Rect[]} row by row; the outer edges have no bezel */
export function screensOf({width, height, cols = 1, rows = 1, bezelX = 0, bezelY = 0}) {
  const w = (width - bezelX * (cols - 1)) / cols, h = (height - bezelY * (rows - 1)) / rows;
  const screens = [];
  for (let row = 0; row < rows; row++)
    for (let col = 0; col < cols; col++) screens.push({x: col * (w + bezelX), y: row * (h + bezelY), w, h});
  return screens;
}

/** The base unit: 1/54 of the height, less where the wall is narrow. @param {number} width @param {number} height */
export const unitOf = (width, height) => Math.min(height / 54, width / 72);

/** @param {Rect} a @param {Rect} b @returns {Rect | null} */
export function meet(a, b) {
  const x = Math.max(a.x, b.x), y = Math.max(a.y, b.y);
  const w = Math.min(a.x + a.w, b.x + b.w) - x, h = Math.min(a.y + a.h, b.y + b.h) - y;
  return w > 0 && h > 0 ? {x, y, w, h} : null;
}

/** Above and below panels, in u: less where screens are small. @param {Wall} wall */
const wallEdge = ({rows = 1}) => rows > 1 ? EDGE_U : MARGIN_U;

const inset = (r, d) => ({x: r.x + d, y: r.y + d, w: r.w - 2 * d, h: r.h - 2 * d});

/**
 * Columns of one side, outermost first, none across a seam: each is cut into
 * pieces by the screens above each other.
 * @param {Rect[]} screens @param {number} from @param {number} to   how far from the left edge @param {number} columnPx @param {boolean} left
 */
function columns(screens, from, to, columnPx, left) {
  const xs = [...new Set(screens.map((s) => s.x))].map((x) => screens.find((s) => s.x === x))
    .map((s) => meet({x: from, y: s.y, w: to - from, h: s.h}, s)).filter((s) => s);
  if (!left) xs.reverse();
  const out = [];
  for (const s of xs) {
    const n = Math.max(Math.floor(s.w / columnPx + 0.02), 0);
    for (let i = 0; i < n; i++) {
      const w = Math.min(columnPx, s.w);
      out.push({x: left ? s.x + i * w : s.x + s.w - (i + 1) * w, w});
    }
  }
  return out;
}

/**
 * Put blocks into pieces of columns, in their order, spread over all of them;
 * null if they do not fit.
 * @param {Block[]} blocks @param {Rect[]} slots @param {number} unitPx
 */
function pack(blocks, slots, unitPx) {
  const need = blocks.reduce((sum, b) => sum + b.tall * unitPx, 0), tallest = Math.max(...slots.map((s) => s.h));
  for (let most = need / slots.length; ; most *= 1.05) {
    const held = fill(blocks, slots, unitPx, most);
    if (held || most > tallest) return held;
  }
}

/** The same with at most so much in each. @param {Block[]} blocks @param {Rect[]} slots @param {number} unitPx @param {number} most */
function fill(blocks, slots, unitPx, most) {
  const free = slots.map((s) => Math.min(s.h, most));
  /** @type {Block[][]} */
  const held = slots.map(() => []);
  let first = 0;
  for (const block of blocks) {
    const need = block.tall * unitPx;
    let at = first;
    while (at < slots.length && free[at] < need) at++;
    if (at === slots.length) {
      // A gap that was left before is better than smaller letters.
      at = free.findIndex((f) => f >= need);
      if (at < 0) return null;
    } else first = at;
    free[at] -= need;
    held[at].push(block);
  }
  return held;
}

/** @param {Wall} wall @param {Block[]} blocks @returns {Layout} */
export function layout(wall, blocks) {
  const {width, height} = wall, screens = screensOf(wall), unitPx = unitOf(width, height);
  const screenPx = screens[0].w, margin = MARGIN_U * unitPx, edge = wallEdge(wall) * unitPx;
  const sidePx = width * (1 - MAP_SHARE) / 2;
  const many = Math.max(1, Math.floor(sidePx / (COLUMN_U * unitPx)));
  const columnPx = Math.min(sidePx / many, screenPx);
  const sides = {left: columns(screens, 0, sidePx, columnPx, true), right: columns(screens, width - sidePx, width, columnPx, false)};
  // A screen that is narrower than a column leaves none: then the outermost screens are the columns.
  if (!sides.left.length) sides.left = [{x: screens[0].x, w: Math.min(sidePx, screenPx)}];
  if (!sides.right.length) sides.right = [{x: width - Math.min(sidePx, screenPx), w: Math.min(sidePx, screenPx)}];
  const mapLeft = Math.max(...sides.left.map((c) => c.x + c.w)), mapRight = Math.min(...sides.right.map((c) => c.x));
  const map = {x: mapLeft, y: 0, w: mapRight - mapLeft, h: height};

  /** @type {Layout['panels']} */
  const panels = {};
  for (const side of /** @type {const} */ (['left', 'right'])) {
    const slots = sides[side].flatMap((c) => screens.filter((s) => meet({x: c.x, y: 0, w: c.w, h: height}, s) && c.x >= s.x - 1 && c.x + c.w <= s.x + s.w + 1)
      .map((s) => ({x: c.x + margin, y: s.y + edge, w: c.w - 2 * margin, h: s.h - 2 * edge})));
    const mine = blocks.filter((b) => b.side === side), likes = new Map(mine.map((b) => [b.key, b.tall]));
    // Letters are smaller only where shorter panels are not enough.
    const shorter = (share) => mine.map((b) => ({...b, tall: b.tall - share * (b.tall - (b.least ?? b.tall))}));
    let scale = Math.min(1, ...slots.map((s) => s.w / (COLUMN_LETTERS * unitPx))), held = null;
    for (let share = 0; !held && share <= 1; share += SHORTER) held = pack(shorter(share), slots, unitPx * scale);
    while (!held && scale > SMALLEST) held = pack(shorter(1), slots, unitPx * (scale *= SHRINK));
    if (!held) held = slots.map((_, i) => i ? [] : mine);
    held.forEach((list, i) => {
      const slot = slots[i];
      // What is left over where a panel stands it has back first.
      const spare = slot.h / (unitPx * scale) - list.reduce((sum, b) => sum + b.tall, 0), lacks = list.reduce((sum, b) => sum + likes.get(b.key) - b.tall, 0), back = lacks > 0 ? Math.max(0, Math.min(1, spare / lacks)) : 0;
      for (const b of list) b.tall += back * (likes.get(b.key) - b.tall);
      const need = list.reduce((sum, b) => sum + b.tall * unitPx * scale, 0);
      const left = Math.max(0, slot.h - need), growers = list.reduce((sum, b) => sum + (b.grows ?? 0), 0);
      // What nobody wants is left empty, a part of it between the panels.
      const gap = growers ? 0 : Math.min(left / Math.max(1, list.length), 1.5 * unitPx);
      let y = slot.y;
      for (const b of list) {
        const h = b.tall * unitPx * scale + (growers ? left * (b.grows ?? 0) / growers : 0);
        panels[b.key] = {x: slot.x, y, w: slot.w, h, unitPx: Math.min(unitPx * scale, slot.w / COLUMN_LETTERS), short: b.tall < SHORT * likes.get(b.key)};
        y += h + gap;
      }
    });
  }

  // Where the eye is: the screen that has most of the map, rather the middle of the upper ones.
  const parts = screens.map((s) => meet(s, map)).filter((r) => r && r.w > 4 * unitPx);
  const bottom = Math.max(...parts.map((r) => r.y));
  const middle = (r) => Math.abs(r.x + r.w / 2 - width / 2);
  const byArea = (a, b) => Math.round(b.w * b.h - a.w * a.h) || middle(a) - middle(b) || a.y - b.y || a.x - b.x;
  const [main] = [...parts].sort(byArea);
  const below = parts.filter((r) => r.y === bottom).sort((a, b) => Math.round(b.w - a.w) || middle(a) - middle(b) || a.x - b.x);
  const narrow = below[0].w < NARROW_U * unitPx;
  const tickerPx = narrow ? Math.min(NARROW_TICKER_U * unitPx, main.h * 0.25) : Math.min(TICKER_U * unitPx, main.h * 0.25), captionPx = Math.min((narrow ? NARROW_CAPTION_U : CAPTION_U) * unitPx, main.h * 0.35) + tickerPx;
  const strip = (r) => ({x: r.x + margin, y: r.y + r.h - captionPx, w: r.w - 2 * margin, h: captionPx - margin * 0.6});
  const [one, two] = below;
  let caption = strip(one), ticker = {...caption, y: caption.y + caption.h - tickerPx, h: tickerPx};
  if (two && (two.w > APART_U * unitPx || (two.w > LEAST_APART_U * unitPx && two.w > 0.98 * one.w))) [caption, ticker] = [one, two].sort((a, b) => a.x - b.x).map(strip);
  else caption.h -= tickerPx;
  const above = (r) => r.y === bottom ? {...r, h: r.h - captionPx} : r, focus = above(main);
  const boards = [...parts].filter((r) => r.w > 0.98 * screenPx).sort(byArea).map(above).map((r) => inset(r, margin));
  const whole = screens.find((s) => meet(s, focus)) ?? focus, stage = {x: whole.x, w: whole.w, y: focus.y, h: focus.h};
  return {unitPx, screens, map, focus: inset(focus, margin), stage: inset(stage, margin), boards, panels, caption, ticker};
}
