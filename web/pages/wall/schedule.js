// @ts-check
// schedule.js - when a wall does something by itself: the daily replay, and the
// reload in the quietest hour. In the city's zone, by the machine's clock. Pure.

const DAY_MS = 864e5;
/** Reload once a day, in an hour of its own, when nothing has happened for so long or at its end; or when memory is used up. */
const YOUNG_MS = 20 * 36e5, QUIET_MS = 60000, LAST_MINUTES = 10, HEAP_MOST = 1.5e9;
/** The quietest hour where all are alike, and how much a day counts after another one. */
const NIGHT_HOUR = 4, FADES = 0.5, HOURS = 24;

const hourOf = (utcMs, zoneMs) => new Date(utcMs + zoneMs).getUTCHours();

/** How much happens in each hour of the day, as days go by. */
export class Hours {
  /** @param {string | null} [kept]   as `text` gave it; what is no such thing is nothing */
  constructor(kept = null) {
    /** @type {number[]} */
    this.each = Array(HOURS).fill(0);
    /** Hour of the epoch that is counted now. */
    this.at = NaN;
    try {
      const {each, at} = JSON.parse(kept ?? '');
      if (Array.isArray(each) && each.length === HOURS && each.every((n) => Number.isFinite(n) && n >= 0) && Number.isFinite(at)) Object.assign(this, {each, at});
    } catch {
      // Nothing is known yet.
    }
  }

  /** Something happened. @param {number} utcMs @param {number} zoneMs */
  note(utcMs, zoneMs) {
    const at = Math.floor((utcMs + zoneMs) / 36e5), hour = hourOf(utcMs, zoneMs);
    // A day later the hour begins anew, and remembers.
    if (at !== this.at) this.each[hour] *= FADES;
    this.at = at;
    this.each[hour]++;
  }

  /** The hour in which the least happens; of several the nearest to the night's. */
  get quietest() {
    const far = (hour) => Math.min((hour - NIGHT_HOUR + HOURS) % HOURS, (NIGHT_HOUR - hour + HOURS) % HOURS);
    return this.each.map((_, hour) => hour).sort((a, b) => this.each[a] - this.each[b] || far(a) - far(b))[0];
  }

  get text() {
    return JSON.stringify({each: this.each, at: this.at});
  }
}

/** The hour of an address, "03" or "03:00"; null: none. @param {string} time */
export function readHour(time) {
  const m = /^([01]\d|2[0-3])(?::00)?$/.exec(time);
  return m ? Number(m[1]) : null;
}

/**
 * Milliseconds until clocks of a zone show HH:MM next: more than none, at most
 * a day; null if that is no time of day.
 * @param {string} time @param {number} utcMs @param {number} zoneMs
 */
export function untilTime(time, utcMs, zoneMs) {
  const m = /^([01]\d|2[0-3]):([0-5]\d)$/.exec(time);
  if (!m) return null;
  const wanted = (Number(m[1]) * 60 + Number(m[2])) * 60000, now = (((utcMs + zoneMs) % DAY_MS) + DAY_MS) % DAY_MS;
  return (wanted - now + DAY_MS - 1) % DAY_MS + 1;
}

/**
 * Should the page begin anew? Never into a server that does not answer, nor
 * while somebody looks at something of their own.
 * @param {{ageMs: number, quietMs: number, utcMs: number, zoneMs: number, heapBytes: number, silent: boolean, busy?: boolean, hour?: number}} now
 *   quietMs: since something happened in the city; hour: the one that is its own
 */
export function mayReload({ageMs, quietMs, utcMs, zoneMs, heapBytes, silent, busy = false, hour = NIGHT_HOUR}) {
  if (silent) return false;
  if (heapBytes > HEAP_MOST) return true;
  if (busy || ageMs < YOUNG_MS) return false;
  const now = hourOf(utcMs, zoneMs), minutes = new Date(utcMs + zoneMs).getUTCMinutes();
  return now === hour ? quietMs > QUIET_MS || minutes >= 60 - LAST_MINUTES : now === (hour + 1) % HOURS;
}
