// @ts-check
// tour.js - where the map looks: places that are significant and new, else the
// whole city; by hand at any that is significant. Knows no map.

/** @typedef {{id: string, fresh: boolean, rank: number}} Place   fresh: it is new */

export const FLY_MS = 4000, STAY_MS = 12000, WHOLE_MS = 14000;
/** No place twice within this time. */
export const AGAIN_MS = 600000;
/** Places on one round. */
export const ROUND = 3;

const CLOCK = {
  now: () => performance.now(),
  /** @param {() => void} act @param {number} ms @returns {any} */
  after: (act, ms) => setTimeout(act, ms),
  /** @param {any} timer */
  cancel: (timer) => clearTimeout(timer),
};

export class Tour {
  /** @param {(place: Place | null) => void} go   null: the whole city */
  constructor(go, clock = CLOCK) {
    Object.assign(this, {go, clock});
    /** @type {Place[]} */
    this.places = [];
    /** @type {Map<string, number>} */
    this.seenMs = new Map();
    /** @type {Place | null} */
    this.at = null;
    /** Somebody looks at a place of their own. */
    this.away = false;
    this.round = 0;
    this.paused = false;
    /** @type {any} */
    this.timer = null;
  }

  start() {
    this.show(null);
  }

  /** What is significant now. @param {Place[]} places */
  set(places) {
    this.places = [...places].sort((a, b) => Number(b.fresh) - Number(a.fresh) || a.rank - b.rank);
    // A place that is not significant any more is left at the end of its stay.
    for (const [id, ms] of this.seenMs) if (this.clock.now() - ms > AGAIN_MS) this.seenMs.delete(id);
  }

  /** The next new place that was not seen of late; null: none. @returns {Place | null} */
  next() {
    const now = this.clock.now();
    return this.places.find((p) => p.fresh && !(now - (this.seenMs.get(p.id) ?? -Infinity) < AGAIN_MS)) ?? null;
  }

  /** @param {Place | null} place */
  show(place) {
    this.at = place;
    this.away = false;
    this.round = place ? this.round + 1 : 0;
    if (place) this.seenMs.set(place.id, this.clock.now());
    this.go(place);
    this.wait(place ? FLY_MS + STAY_MS : WHOLE_MS);
  }

  /** @param {number} ms */
  wait(ms) {
    this.clock.cancel(this.timer);
    this.timer = this.paused ? null : this.clock.after(() => this.turn(), ms);
  }

  turn() {
    const place = this.round < ROUND ? this.next() : null;
    if (!place && !this.at && !this.away) this.wait(WHOLE_MS);
    else this.show(place);
  }

  /** By hand: on to the next or back to the one before, new or not, whatever was seen. @param {1 | -1} way */
  step(way) {
    if (!this.places.length) return this.show(null);
    const at = this.places.findIndex((p) => p.id === this.at?.id), n = this.places.length;
    this.show(this.places[at < 0 ? (way > 0 ? 0 : n - 1) : (at + way + n) % n]);
  }

  /** @param {boolean} paused */
  pause(paused) {
    this.paused = paused;
    this.wait(paused ? 0 : STAY_MS);
  }

  /** Somebody looks at a place of their own: stay there as long as at one of ours. */
  hold() {
    this.at = null;
    this.away = true;
    this.wait(FLY_MS + 5 * STAY_MS);
  }

  close() {
    this.paused = true;
    this.clock.cancel(this.timer);
  }
}
