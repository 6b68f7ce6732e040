// @ts-check
// schedule.js - when a wall does something by itself: the daily replay, and the
// reload at night. In the city's zone, by the machine's clock. Pure.

const DAY_MS = 864e5;
/** Reload once a day, at night, when nothing has happened for so long; or when memory is used up. */
const NIGHT_HOUR = 4, LATEST_HOUR = 5, YOUNG_MS = 20 * 36e5, QUIET_MS = 60000, HEAP_MOST = 1.5e9;

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
 * Should the page begin anew? Never into a server that does not answer.
 * @param {{ageMs: number, quietMs: number, utcMs: number, zoneMs: number, heapBytes: number, silent: boolean}} now
 *   quietMs: since something happened in the city
 */
export function mayReload({ageMs, quietMs, utcMs, zoneMs, heapBytes, silent}) {
  if (silent) return false;
  if (heapBytes > HEAP_MOST) return true;
  const hour = new Date(utcMs + zoneMs).getUTCHours();
  return ageMs > YOUNG_MS && ((hour === NIGHT_HOUR && quietMs > QUIET_MS) || hour === LATEST_HOUR);
}
