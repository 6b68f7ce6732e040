// @ts-check
// live.js - what changes in the city: the stream, and which tiles it touches.

/**
 * @typedef {{rows: number, level: number, cells: [number, number][]}} Touched   cells of XYZ tiles at a zoom
 * @typedef {{sequence: number, as_of?: string, layers?: Record<string, Touched>, everything?: boolean}} News
 */

/** The server says something every 10 s; after so much silence it has gone. */
export const SILENT_MS = 25000;
/** How long to wait before coming back where the browser itself does not. */
const BACK_MS = 2000, BACK_MAX_MS = 60000;

/** A page that nobody sees gives its connection back after so long: browsers
 *  have six for a server, whatever the number of its pages. */
export const HIDDEN_MS = 60000;

/** Half the equator, metres of web mercator. */
const HALF_WORLD_M = Math.PI * 6378137;

/** How far what is drawn of a row reaches into the tiles beside it, in sides of
 *  a tile: dots, strokes and the buffers of vector tiles, five pixels of 256. */
export const EDGE = 5 / 256;

/**
 * Tiles of the zooms from 0 to `zoomMax` that are seen and that a change may
 * reach: those that meet the cells, widened by `reachM` on the ground and by
 * `edge` sides of the tile. All of a tile may be old where a corner is seen.
 * @param {Touched} touched @param {number} reachM
 * @param {[number, number, number, number]} view west, south, east, north, degrees
 * @param {number} zoomMax @param {number} [edge]
 */
export function tilesTouched(touched, reachM, view, zoomMax, edge = 0) {
  // Everything in parts of the world: x grows eastward, y southward.
  const worldY = (latDeg) => (1 - Math.asinh(Math.tan(latDeg * Math.PI / 180)) / Math.PI) / 2;
  const [west, south, east, north] = view;
  const seen = {x0: (west + 180) / 360, x1: (east + 180) / 360, y0: worldY(Math.min(north, 85.05)), y1: worldY(Math.max(south, -85.05))};
  // A mercator metre is longer than one on the ground by 1 / cos(latitude), most at the view's far side.
  const cos = Math.cos(Math.min(85, Math.max(Math.abs(south), Math.abs(north))) * Math.PI / 180);
  const reach = reachM / cos / (2 * HALF_WORLD_M), side = 2 ** -touched.level;
  // The eastern and southern sides of a cell belong to its neighbours.
  const first = (v) => Math.max(0, Math.floor(v)), last = (v, n) => Math.min(n - 1, Math.max(Math.ceil(v) - 1, 0));
  /** @type {Map<string, {z: number, x: number, y: number}>} */
  const tiles = new Map();
  for (let z = 0; z <= zoomMax; z++) {
    const n = 2 ** z;
    for (const [x, y] of touched.cells) {
      const x0 = Math.max(first((x * side - reach) * n - edge), first(seen.x0 * n)), x1 = Math.min(last(((x + 1) * side + reach) * n + edge, n), first(seen.x1 * n));
      const y0 = Math.max(first((y * side - reach) * n - edge), first(seen.y0 * n)), y1 = Math.min(last(((y + 1) * side + reach) * n + edge, n), first(seen.y1 * n));
      for (let ty = y0; ty <= y1; ty++)
        for (let tx = x0; tx <= x1; tx++) tiles.set(`${z}/${tx}/${ty}`, {z, x: tx, y: ty});
    }
  }
  return [...tiles.values()];
}

/** The browser's clock; tests have one of their own. */
const CLOCK = {
  now: () => Date.now(),
  /** @param {() => void} act @param {number} ms @returns {any} */
  after: (act, ms) => setTimeout(act, ms),
  /** @param {() => void} act @param {number} ms @returns {any} */
  every: (act, ms) => setInterval(act, ms),
  /** @param {any} timer */
  cancel: (timer) => clearTimeout(timer),
};

/** The stream of changes, for as long as the page is open. */
export class Live {
  /**
   * @param {{onNews: (news: News) => void, onReset: (news: News) => void, onSilence: (silent: boolean) => void, onBroken?: (broken: boolean) => void, onDrive?: (note: any) => void}} handlers
   * onReset: more changed than can be told. onSilence: whether what is shown may be out of date.
   * onBroken: the line is lost, at once; it is back when something is heard again.
   * @param {number | null} since   the sequence that the page was made from
   * @param {string} [wall]   a name under which a second screen may speak to this page (onDrive)
   */
  constructor(handlers, since, clock = CLOCK, wall = '') {
    this.handlers = handlers;
    this.wall = wall;
    this.clock = clock;
    this.sequence = since;
    this.silent = this.broken = false;
    this.asleep = false;
    /** @type {any} */
    this.coming = 0;
    /** @type {string | undefined} */
    this.asOf = undefined;
    this.backMs = BACK_MS;
    /** @type {EventSource | null} */
    this.source = null;
    this.heardMs = this.openedMs = this.clock.now();
    /** @type {any} */
    this.hidden = 0;
    this.open();
    this.looking = clock.every(() => this.look(), 1000);
    document.addEventListener('visibilitychange', () => this.turn(document.visibilityState === 'hidden'));
  }

  /** @param {boolean} hidden */
  turn(hidden) {
    this.clock.cancel(this.hidden);
    if (hidden) {
      this.hidden = this.clock.after(() => this.drop(), HIDDEN_MS);
    } else if (this.asleep) {
      this.asleep = false;
      this.heardMs = this.clock.now();
      this.open();
    }
  }

  drop() {
    this.asleep = true;
    this.clock.cancel(this.coming);
    this.source?.close();
    this.source = null;
  }

  open() {
    const params = [this.sequence === null ? '' : `since=${this.sequence}`, this.wall && `wall=${this.wall}`].filter((p) => p).join('&');
    this.openedMs = this.clock.now();
    const source = this.source = new EventSource(`/changes${params && '?'}${params}`);
    source.addEventListener('beat', (e) => this.hear(e, () => {}));
    source.addEventListener('change', (e) => this.hear(e, (news) =>
      news.everything ? this.handlers.onReset(news) : this.handlers.onNews(news)));
    source.addEventListener('reset', (e) => this.hear(e, (news) => this.handlers.onReset(news)));
    if (this.wall) source.addEventListener('drive', (e) => this.handlers.onDrive?.(JSON.parse(e.data)));
    // Lost lines the browser takes up again by itself; refusals it does not.
    source.onerror = () => {
      this.setBroken(true);
      if (source.readyState === EventSource.CLOSED) this.back();
    };
  }

  back() {
    this.source?.close();
    this.source = null;
    this.coming = this.clock.after(() => this.open(), this.backMs * (0.5 + Math.random()));
    this.backMs = Math.min(2 * this.backMs, BACK_MAX_MS);
  }

  /** @param {MessageEvent} event @param {(news: News) => void} act */
  hear(event, act) {
    /** @type {News} */
    const news = JSON.parse(event.data);
    this.heardMs = this.clock.now();
    this.backMs = BACK_MS;
    this.sequence = news.sequence;
    this.asOf = news.as_of ?? this.asOf;
    this.setSilent(false);
    this.setBroken(false);
    act(news);
  }

  look() {
    if (this.asleep) return;
    const quietMs = this.clock.now() - this.heardMs;
    if (quietMs > SILENT_MS) this.setSilent(true);
    // A line that is open and silent is no line: a stopped server, a sleeping network.
    const lineMs = Math.min(quietMs, this.clock.now() - this.openedMs);
    if (lineMs > 2 * SILENT_MS && this.source?.readyState === EventSource.OPEN) this.back();
  }

  /** @param {boolean} silent */
  setSilent(silent) {
    if (silent === this.silent) return;
    this.silent = silent;
    this.handlers.onSilence(silent);
  }

  /** @param {boolean} broken */
  setBroken(broken) {
    if (broken === this.broken) return;
    this.broken = broken;
    this.handlers.onBroken?.(broken);
  }

  close() {
    this.clock.cancel(this.looking);
    this.clock.cancel(this.hidden);
    this.drop();
  }
}
