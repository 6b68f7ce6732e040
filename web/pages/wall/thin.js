// @ts-check
// thin.js - fewer marks than there are things, as they are spread. Pure.

/** How many a mark may stand for: each step keeps marks of the one before it, so that none jumps. */
const STEPS = [1, 2, 10, 20, 100, 200, 1000, 2000, 10000];

/** A number that an id always has (FNV-1a, mixed). @param {string} id */
export function lotOf(id) {
  let h = 0x811c9dc5;
  for (let i = 0; i < id.length; i++) h = Math.imul(h ^ id.charCodeAt(i), 0x01000193);
  h = Math.imul(h ^ (h >>> 15), 0x2c1b3c6d);
  return (h ^ (h >>> 13)) >>> 0;
}

/** How many a mark stands for where so many are to be seen. @param {number} many @param {number} most   that there is room for */
export const stepFor = (many, most) => STEPS.find((step) => many / step <= most) ?? STEPS[STEPS.length - 1];

/** Marks that would hide each other as one, the gravest, with their number. @template {{x: number, y: number, risk: number, n: number}} T @param {T[]} seen   the gravest last @param {number} nearPx @returns {T[]} the gravest last */
export function piled(seen, nearPx) {
  /** @type {Map<string, T[]>} */
  const cells = new Map(), at = (v) => Math.floor(v / nearPx), out = [];
  for (const mark of [...seen].reverse()) {
    const col = at(mark.x), row = at(mark.y);
    let pile = null;
    for (let i = col - 1; i <= col + 1 && !pile; i++)
      for (let k = row - 1; k <= row + 1 && !pile; k++) pile = cells.get(`${i} ${k}`)?.find((m) => Math.hypot(m.x - mark.x, m.y - mark.y) < nearPx) ?? null;
    if (pile) {
      pile.n += mark.n;
      continue;
    }
    const key = `${col} ${row}`;
    cells.set(key, [...(cells.get(key) ?? []), mark]);
    out.push(mark);
  }
  return out.reverse();
}
