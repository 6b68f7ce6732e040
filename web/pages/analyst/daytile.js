// @ts-check
// daytile.js - a tile of days (ARCHITECTURE.md): read, added up over any
// period, and the field of what came of it. Pure: a worker runs it.

/**
 * @typedef {object} DayTile
 * @property {number} z @property {number} x @property {number} y
 * @property {number} kernel   0 quartic, 1 Gaussian, 2 Epanechnikov
 * @property {number} bandwidthM
 * @property {number} exponent   log2 of a cell's side, of the 2^32 that the world has
 * @property {number} column0 @property {number} row0   cells from the world's corner
 * @property {number} columns @property {number} rows
 * @property {number} first   days since 1970 @property {number} days
 * @property {number} unit   of sums
 * @property {Uint32Array} at   [days + 1] entries of each day
 * @property {Uint32Array} cell   [entries]
 * @property {Int32Array} sum   [entries] in units
 */

const MAGIC = [0x4f, 0x4d, 0x44, 0x31];
const POS_SIDE = 2 ** 32, MERCATOR_M = 2 * Math.PI * 6378137, E2 = 0.0066943799901413165;
/* Cells and days of a tile that are read at most: what the server tells at most. */
const ENTRIES_MOST = 2 ** 21, CELLS_MOST = 2 ** 20;

/** Numbers of a tile, one after the other (tiles/varint.h). */
export class Numbers {
  /** @param {Uint8Array} bytes @param {number[]} magic @param {string} what they should be */
  constructor(bytes, magic, what) {
    Object.assign(this, {bytes, what, at: magic.length, view: new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)});
    if (magic.some((b, i) => bytes[i] !== b)) throw this.bad();
  }

  bad() {
    return new RangeError(`not ${this.what}`);
  }

  real() {
    if (this.at + 8 > this.bytes.length) throw this.bad();
    this.at += 8;
    return this.view.getFloat64(this.at - 8, true);
  }

  byte() {
    if (this.at >= this.bytes.length) throw this.bad();
    return this.bytes[this.at++];
  }

  next() {
    const {bytes} = this;
    let v = 0, times = 1;
    for (;;) {
      const b = bytes[this.at++];
      if (b === undefined || times > 2 ** 49) throw this.bad();
      v += (b & 127) * times;
      if (b < 128) return v;
      times *= 128;
    }
  }

  signed() {
    const v = this.next();
    return v % 2 ? -(v + 1) / 2 : v / 2;
  }

  /** So many @param {number} n */
  list(n) {
    return Array.from({length: n}, () => this.next());
  }
}

/**
 * How all tiles of days end: cells of `most`, with what they have on which day.
 * @param {Numbers} numbers @param {number} most
 * @returns {{first: number, days: number, cells: Uint32Array, at: Uint32Array, cell: Uint32Array, sum: Int32Array}}
 *   cells: numbers of those that have something; at: [days + 1] entries of each day; cell: [entries] which of `cells`
 */
export function readDays(numbers, most) {
  const first = numbers.signed(), days = numbers.next(), count = numbers.next(), entries = numbers.next(), bad = () => numbers.bad();
  if (entries > ENTRIES_MOST || count > entries || days > 65535) throw bad();
  // As they come, by cell; then by day.
  const cells = new Uint32Array(count), cellOf = new Uint32Array(entries), dayOf = new Uint16Array(entries), sumOf = new Int32Array(entries), at = new Uint32Array(days + 1);
  let n = 0, cell = 0;
  for (let c = 0; c < count; c++, cell++) {
    cell += numbers.next();
    if (cell >= most) throw bad();
    cells[c] = cell;
    let day = 0;
    for (let left = numbers.next(); left; left--, day++) {
      const v = numbers.next();
      day += Math.floor(v / 2);
      if (day >= days || n >= entries) throw bad();
      cellOf[n] = c;
      dayOf[n] = day;
      sumOf[n++] = v % 2 ? numbers.signed() : 1;
      at[day + 1]++;
    }
  }
  if (n !== entries || numbers.at !== numbers.bytes.length) throw bad();
  for (let d = 0; d < days; d++) at[d + 1] += at[d];
  const to = at.slice(0, days), sorted = {cell: new Uint32Array(entries), sum: new Int32Array(entries)};
  for (let i = 0; i < entries; i++) {
    const k = to[dayOf[i]]++;
    sorted.cell[k] = cellOf[i];
    sorted.sum[k] = sumOf[i];
  }
  return {first, days, cells, at, ...sorted};
}

/** @param {Uint8Array} bytes @returns {DayTile} @throws {RangeError} where they are no such tile */
export function readDayTile(bytes) {
  const numbers = new Numbers(bytes, MAGIC, 'a tile of days'), bandwidthM = numbers.real(), unit = numbers.real();
  const [kernel, z, x, y, exponent, column0, row0, columns, rows] = numbers.list(9);
  if (columns * rows > CELLS_MOST) throw numbers.bad();
  const {first, days, cells, at, cell, sum} = readDays(numbers, columns * rows);
  for (let i = 0; i < cell.length; i++) cell[i] = cells[cell[i]];
  return {z, x, y, kernel, bandwidthM, exponent, column0, row0, columns, rows, first, days, unit, at, cell, sum};
}

/** Sums of cells over a period that is moved: only what comes and what goes is touched. */
export class Sums {
  /** @param {{first: number, days: number, at: Uint32Array, cell: Uint32Array, sum: Int32Array}} tile @param {number} [cells] that it has sums of */
  constructor(tile, cells = /** @type {any} */ (tile).columns * /** @type {any} */ (tile).rows) {
    this.tile = tile;
    /** In units, exact. */
    this.cells = new Float64Array(cells);
    this.from = this.to = 0;
    /** In memory, the tile's too. */
    this.bytes = this.cells.byteLength + tile.cell.byteLength + tile.sum.byteLength + tile.at.byteLength;
  }

  /** @param {number} from @param {number} to days @param {number} times */
  add(from, to, times) {
    const {at, cell, sum} = this.tile, {cells} = this;
    for (let i = at[from], end = at[to]; i < end; i++) cells[cell[i]] += times * sum[i];
  }

  /** Of days [from, to), counted since 1970. @param {number} from @param {number} to */
  set(from, to) {
    const {first, days} = this.tile, a = Math.max(0, Math.min(days, from - first)), b = Math.max(a, Math.min(days, to - first));
    if (a >= this.to || b <= this.from) {
      this.cells.fill(0);
      this.add(a, b, 1);
    } else {
      if (a < this.from) this.add(a, this.from, 1);
      else this.add(this.from, a, -1);
      if (b > this.to) this.add(this.to, b, 1);
      else this.add(b, this.to, -1);
    }
    this.from = a;
    this.to = b;
    return this.cells;
  }

  /** The same where a day counts half for each half-life before `at`. @param {number} from @param {number} to @param {number} halfLife days @param {number} at days since 1970 */
  fade(from, to, halfLife, at) {
    const {first, days} = this.tile, a = Math.max(0, Math.min(days, from - first)), b = Math.max(a, Math.min(days, to - first));
    this.cells.fill(0);
    // A day's rows are as old as those of its noon; what is later does not count.
    for (let d = a; d < b && first + d < at; d++) this.add(d, d + 1, 2 ** -((at - first - d - 0.5) / halfLife));
    this.from = this.to = 0;
    return this.cells;
  }
}

/** Metres on the ground of one of the 2^32 positions, eastward and northward. @param {number} y position */
export function groundOf(y) {
  const psi = (1 - 2 * y / POS_SIDE) * Math.PI, sine = Math.tanh(psi), w2 = 1 - E2 * sine * sine;
  const eastM = MERCATOR_M / POS_SIDE / Math.cosh(psi) / Math.sqrt(w2);
  return {eastM, northM: eastM * (1 - E2) / w2};
}

/* Kernels by squared distance in bandwidths, without their norm. A Gaussian's end is soft, as the server's is. */
const SOFT = 0.125;
const KERNELS = [
  (r2) => r2 < 1 ? (1 - r2) ** 2 : 0,
  (r2) => Math.exp(-4.5 * r2) * Math.min(1, Math.max(0, (1 + SOFT / 2 - Math.sqrt(r2)) / SOFT)),
  (r2) => r2 < 1 ? 1 - r2 : 0,
];
/* Nodes a bandwidth at least, where cells are finer: what lies between is smooth. */
const NODES = 5;
/* From so many nodes a bandwidth on, what spreading does is undone. */
const SHARP_NODES = 3;
/* Parts of a node that a kernel is looked at: that spreads it, too, by a 12th of a node². */
const PARTS = 4;
/* What a spline between three nodes spreads. */
const SPLINE_VARIANCE = 0.25;
/* Of the peak: kernels are written as sums of products as far as this. */
const RANK_ERROR = 0.004, RANK_MOST = 9;

/**
 * A kernel on nodes as a sum of products, u(x) v(y): two passes along rows and
 * columns then do what one over all its nodes would.
 * @param {Float64Array} k [side x side] @param {number} side
 * @returns {{u: Float64Array, v: Float64Array}[]}
 */
function products(k, side) {
  const rest = Float64Array.from(k), list = [];
  let peak = 0;
  for (const v of k) peak = Math.max(peak, Math.abs(v));
  while (list.length < RANK_MOST) {
    let worst = 0;
    for (const v of rest) worst = Math.max(worst, Math.abs(v));
    if (worst <= RANK_ERROR * peak) break;
    // Power iteration: the largest singular pair of what is left.
    const u = new Float64Array(side).fill(1), v = new Float64Array(side);
    for (let i = 0; i < side; i++) u[i] += 0.01 * i;
    for (let turn = 0; turn < 60; turn++) {
      v.fill(0);
      for (let y = 0; y < side; y++) for (let x = 0; x < side; x++) v[y] += rest[y * side + x] * u[x];
      const length = Math.hypot(...v) || 1;
      for (let y = 0; y < side; y++) v[y] /= length;
      u.fill(0);
      for (let y = 0; y < side; y++) for (let x = 0; x < side; x++) u[x] += rest[y * side + x] * v[y];
      if (turn < 59) {
        const l = Math.hypot(...u) || 1;
        for (let x = 0; x < side; x++) u[x] /= l;
      }
    }
    for (let y = 0; y < side; y++) for (let x = 0; x < side; x++) rest[y * side + x] -= v[y] * u[x];
    list.push({u, v});
  }
  return list;
}

/** How a tile's cells become its field's pixels: made once a tile. */
export class Painter {
  /** @param {DayTile} tile @param {number} side pixels of its picture */
  constructor(tile, side) {
    const {exponent, z, x, y, columns, rows, column0, row0, bandwidthM, kernel} = tile, cell = 2 ** exponent, tileSide = 2 ** (32 - z);
    const ground = groundOf((y + 0.5) * tileSide), cellM = cell * Math.sqrt(ground.eastM * ground.northM);
    this.side = side;
    this.tile = tile;
    // Cells that are finer than is needed are put together, shared between nodes.
    const log = Math.max(0, Math.floor(Math.log2(bandwidthM / cellM / NODES)));
    this.log = log;
    const times = 2 ** log, node = cell * times;
    this.node0 = {column: Math.floor(column0 / times) - 1, row: Math.floor(row0 / times) - 1};
    this.nodes = {columns: Math.floor((column0 + columns - 1) / times) - this.node0.column + 2, rows: Math.floor((row0 + rows - 1) / times) - this.node0.row + 2};
    const pixel = tileSide / side;
    // Nodes that are pixels are shown as they are.
    this.plain = node === pixel;
    const spread = (log ? sharedVariance(times) : 0) + (this.plain ? 0 : SPLINE_VARIANCE) + 1 / 12;
    const h = bandwidthM / (node * Math.sqrt(ground.eastM * ground.northM));
    this.makeKernel(kernel, bandwidthM / (node * ground.eastM), bandwidthM / (node * ground.northM), h >= SHARP_NODES ? spread : 0);
    this.km2 = node * node * ground.eastM * ground.northM / 1e6;
    this.mass = new Float32Array(this.nodes.columns * this.nodes.rows);
    this.pass = new Float32Array(this.mass.length);
    this.field = new Float32Array(this.mass.length);
    this.value = new Float32Array(side * side);
    this.columns = between(side, x * side, pixel, node, this.node0.column);
    this.rows = between(side, y * side, pixel, node, this.node0.row);
    this.bytes = 4 * (3 * this.mass.length + this.value.length + (this.plain ? 0 : this.nodes.rows * side) + 8 * side);
  }

  /** @param {number} kind @param {number} hx @param {number} hy nodes a bandwidth @param {number} variance of what spreads beside it, along each axis, node²: that is undone */
  makeKernel(kind, hx, hy, variance) {
    const reach = Math.ceil(1.1 * Math.max(hx, hy) + 1), side = 2 * reach + 1, of = KERNELS[kind] ?? KERNELS[0], plain = new Float64Array((side + 2) ** 2), k = new Float64Array(side * side);
    for (let y = -reach - 1; y <= reach + 1; y++)
      for (let x = -reach - 1; x <= reach + 1; x++) {
        let sum = 0;
        for (let j = 0; j < PARTS; j++) for (let i = 0; i < PARTS; i++) sum += of(((x + (i + 0.5) / PARTS - 0.5) / hx) ** 2 + ((y + (j + 0.5) / PARTS - 0.5) / hy) ** 2);
        plain[(y + reach + 1) * (side + 2) + x + reach + 1] = sum;
      }
    let total = 0;
    for (let y = 0; y < side; y++)
      for (let x = 0; x < side; x++) {
        const at = (y + 1) * (side + 2) + x + 1, round = plain[at - 1] + plain[at + 1] + plain[at - side - 2] + plain[at + side + 2] - 4 * plain[at];
        total += k[y * side + x] = plain[at] - variance / 2 * round;
      }
    // A kernel within a node: all of it lies there.
    if (!(total > 0)) total = k[reach * side + reach] = 1;
    for (let i = 0; i < k.length; i++) k[i] /= total;
    this.reach = reach;
    this.products = products(k, side);
  }

  /** Sums of cells to nodes. @param {Float64Array} cells */
  gather(cells) {
    const {tile, log, node0, nodes, mass} = this, {columns, rows, column0, row0} = tile, times = 2 ** log;
    mass.fill(0);
    for (let row = 0; row < rows; row++) {
      const from = row * columns;
      if (!log) {
        const to = (row0 + row - node0.row) * nodes.columns + column0 - node0.column;
        for (let c = 0; c < columns; c++) mass[to + c] = cells[from + c];
        continue;
      }
      const ry = (row0 + row + 0.5) / times - 0.5, y = Math.floor(ry), wy = ry - y, up = (y - node0.row) * nodes.columns - node0.column;
      for (let c = 0; c < columns; c++) {
        const n = cells[from + c];
        if (!n) continue;
        const rx = (column0 + c + 0.5) / times - 0.5, x = Math.floor(rx), wx = rx - x, at = up + x;
        mass[at] += n * (1 - wx) * (1 - wy);
        mass[at + 1] += n * wx * (1 - wy);
        mass[at + nodes.columns] += n * (1 - wx) * wy;
        mass[at + nodes.columns + 1] += n * wx * wy;
      }
    }
  }

  /** The field at the pixels, per km²; null: there is nothing. @param {Float64Array} cells */
  paint(cells) {
    this.gather(cells);
    const {mass, pass, field, reach, nodes} = this, w = nodes.columns, h = nodes.rows, times = this.tile.unit / this.km2;
    let first = h, last = -1;
    for (let y = 0; y < h; y++)
      for (let i = y * w, end = i + w; i < end; i++)
        if (mass[i]) {
          if (y < first) first = y;
          last = y;
          break;
        }
    if (last < 0) return null;
    field.fill(0);
    const top = Math.max(0, first - reach), bottom = Math.min(h, last + reach + 1);
    for (const {u, v} of this.products) {
      for (let y = first; y <= last; y++) {
        pass.fill(0, y * w, y * w + w);
        for (let k = -reach; k <= reach; k++) {
          const by = u[k + reach] * times, from = Math.max(0, k), to = Math.min(w, w + k);
          if (!by) continue;
          for (let x = from, at = y * w + from; x < to; x++, at++) pass[at] += by * mass[at - k];
        }
      }
      for (let y = top; y < bottom; y++) {
        const to = y * w;
        for (let k = Math.max(-reach, y - last), end = Math.min(reach, y - first); k <= end; k++) {
          const by = v[k + reach], from = (y - k) * w;
          if (!by) continue;
          for (let x = 0; x < w; x++) field[to + x] += by * pass[from + x];
        }
      }
    }
    return this.enlarge();
  }

  /** From nodes to pixels: a spline between three nodes, along and down. */
  enlarge() {
    const {field, value, side, nodes, columns, rows, plain} = this, w = nodes.columns;
    if (plain) {
      for (let y = 0; y < side; y++) value.set(field.subarray(rows.at[y] * w + w + columns.at[0] + 1, rows.at[y] * w + w + columns.at[0] + 1 + side), y * side);
      return value;
    }
    const wide = this.wide ??= new Float32Array(nodes.rows * side), low = rows.at[0], high = rows.at[side - 1] + 3;
    for (let y = low; y < high; y++)
      for (let x = 0, to = y * side; x < side; x++, to++) {
        const at = y * w + columns.at[x];
        wide[to] = columns.a[x] * field[at] + columns.b[x] * field[at + 1] + columns.c[x] * field[at + 2];
      }
    for (let y = 0; y < side; y++) {
      const a = rows.a[y], b = rows.b[y], c = rows.c[y];
      for (let x = 0, to = y * side, at = rows.at[y] * side; x < side; x++, to++, at++) value[to] = a * wide[at] + b * wide[at + side] + c * wide[at + 2 * side];
    }
    return value;
  }
}

/** Mean variance of sharing a cell between two nodes, node². @param {number} times cells a node */
function sharedVariance(times) {
  let sum = 0;
  for (let i = 0; i < times; i++) {
    const t = ((i + 0.5) / times + 0.5) % 1;
    sum += t * (1 - t);
  }
  return sum / times;
}

/**
 * For each of `side` pixels from `first` on the first of the three nodes around
 * it, and their weights.
 * @param {number} side @param {number} first @param {number} pixel @param {number} node positions @param {number} node0
 */
function between(side, first, pixel, node, node0) {
  const at = new Int32Array(side), a = new Float32Array(side), b = new Float32Array(side), c = new Float32Array(side);
  for (let i = 0; i < side; i++) {
    const place = (first + i + 0.5) * pixel / node, n = Math.floor(place), t = place - n;
    at[i] = n - 1 - node0;
    a[i] = 0.5 * (1 - t) * (1 - t);
    b[i] = 0.75 - (t - 0.5) * (t - 0.5);
    c[i] = 0.5 * t * t;
  }
  return {at, a, b, c};
}
