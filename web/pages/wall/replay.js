// @ts-check
// replay.js - the last 24 hours again, in a minute: where and when it was
// reported, and hour by hour the field and the loop's numbers as they stood.

import {address, loopAt, statusOf} from './plan.js';
import {count, date, say, title} from './words.js';

const PLAY_MS = 60000, HOUR_MS = 36e5;
const MOST = 10000, PAGES_MOST = 5;
/** How long an hour is waited for before the replay goes on without it. */
const PATIENCE_MS = 5000;
/** Ten pictures a second are enough, and leave the machine in peace. */
const PICTURE_MS = 100;
/** Askings at a time. */
const AT_ONCE = 3;

/** @param {string} url @param {AbortSignal} signal */
async function getJson(url, signal) {
  const response = await fetch(url, {cache: 'no-cache', signal});
  if (!response.ok) throw new Error(`${response.status} ${url}`);
  return response.json();
}

/** All of them, a few at a time, in their order. @template T, R @param {T[]} list @param {(one: T) => Promise<R>} work @returns {Promise<R[]>} */
async function each(list, work) {
  const out = [];
  let next = 0;
  await Promise.all(Array.from({length: AT_ONCE}, async () => {
    for (let i = next++; i < list.length; i = next++) out[i] = await work(list[i]);
  }));
  return out;
}

export class Replay {
  /** @param {any} wall */
  constructor(wall) {
    this.wall = wall;
    this.running = this.paused = false;
    this.playMs = PLAY_MS;
    this.patienceMs = PATIENCE_MS;
    /** The moment that numbers stand at; null: now. @type {import('./plan.js').Moment | null} */
    this.then = null;
    /** @type {any} */
    this.legend = null;
    this.stopped = new AbortController();
  }

  toggle() {
    return this.running ? this.stop() : this.start();
  }

  /** Rows of the period, a page at a time. @param {string} from @param {string} to @param {AbortSignal} signal */
  async rows(from, to, signal) {
    const {loop} = this.wall.part, [first] = loop.steps, out = [];
    let url = address(`/collections/${loop.layer}/items`, {datetime: `${from}/${to}`, limit: MOST, properties: [first.time, loop.risk].filter((c) => c).join(',')});
    for (let page = 0; url && page < PAGES_MOST; page++) {
      const rows = await getJson(url, signal);
      out.push(...rows.features.filter((f) => f.geometry));
      url = rows.links?.find((l) => l.rel === 'next')?.href;
    }
    return out;
  }

  /** What the panels show of an hour. @param {import('./plan.js').Moment} then @param {AbortSignal} signal @returns {Promise<Map<string, any>>} */
  async answers(then, signal) {
    const {loop, map} = this.wall.part, {questions, passed} = loopAt(loop, map.hazards, then);
    const values = await each([...questions.map((q) => q.url), ...passed], (url) => getJson(url, signal));
    const answer = (value) => ({value, status: 'ok', asOf: null, atMs: performance.now()});
    return new Map([...questions.map((q, i) => /** @type {const} */ ([q.key, answer(values[i])])), [loop.status, answer(statusOf(loop, values.slice(questions.length)))]]);
  }

  /** An hour, made ready while the one before is shown; null where it cannot be. @param {number} i @param {AbortSignal} signal */
  async prepare(i, signal) {
    const then = this.begin.later(i * HOUR_MS);
    try {
      const [answers, show] = await Promise.all([this.answers(then, signal), this.wall.map.fieldAt(then)]);
      return {then, answers, show};
    } catch (error) {
      if (!signal.aborted) console.warn(error.message);
      return null;
    }
  }

  async start() {
    const {wall} = this, {loop, map} = wall.part;
    if (!loop || this.running) return;
    this.running = true;
    this.paused = wall.tour.paused;
    this.stopped = new AbortController();
    const {signal} = this.stopped, hours = wall.catalog.wall?.replay_hours ?? 24;
    const end = wall.clock.later(-(wall.clock.utcMs % 60000));
    this.begin = end.later(-hours * HOUR_MS);
    let rows;
    try {
      rows = await this.rows(this.begin.iso(), end.iso(), signal);
      this.legend = map.replayLegend ? await getJson(map.replayLegend, signal) : null;
    } catch (error) {
      if (signal.aborted) return;
      console.warn(error.message);
      this.running = false;
      return;
    }
    if (signal.aborted) return;
    wall.tour.pause(true);
    wall.map.choose('');
    await wall.map.go(null, 0);
    if (signal.aborted) return;
    const [first] = loop.steps, risk = (f) => Number(f.properties[loop.risk]) || 0, share = (f) => (Date.parse(f.properties[first.time]) - this.begin.utcMs) / (hours * HOUR_MS);
    wall.overlay.setReplay(rows.map((f) => ({lonDeg: f.geometry.coordinates[0], latDeg: f.geometry.coordinates[1], risk: risk(f), at: share(f)})));
    wall.replaying(true);
    await this.play(hours, rows.map(share).sort((a, b) => a - b), signal);
    if (!signal.aborted) this.stop();
  }

  /** Hour after hour. @param {number} hours @param {number[]} times   of the rows, 0 to 1 @param {AbortSignal} signal */
  async play(hours, times, signal) {
    const hourMs = this.playMs / hours;
    let next = this.prepare(0, signal);
    for (let i = 0; i <= hours; i++) {
      const ready = await Promise.race([next, after(this.patienceMs, signal)]);
      if (signal.aborted) return;
      // Who is not there in time is not waited for, and does not come later.
      if (ready) this.show(ready);
      if (i < hours) next = next.then(() => this.prepare(i + 1, signal));
      await this.turn(i / hours, i < hours ? (i + 1) / hours : 1, i < hours ? hourMs : 2 * hourMs, times, signal);
    }
  }

  /** @param {{then: import('./plan.js').Moment, answers: Map<string, any>, show: () => void}} hour */
  show({then, answers, show}) {
    this.then = then;
    this.wall.store.front = answers;
    show();
    for (const key of answers.keys()) this.wall.hear(key);
  }

  /** The points of one hour. @param {number} from @param {number} to @param {number} ms @param {number[]} times @param {AbortSignal} signal */
  async turn(from, to, ms, times, signal) {
    const startMs = performance.now();
    for (;;) {
      const part = Math.min(1, (performance.now() - startMs) / ms), share = from + part * (to - from);
      this.wall.overlay.play(share);
      this.tell(share, times);
      if (part === 1) return;
      await after(Math.min(PICTURE_MS, ms), signal);
      if (signal.aborted) return;
    }
  }

  /** @param {number} share @param {number[]} times */
  tell(share, times) {
    const {wall} = this, {loop} = wall.part, lang = document.documentElement.lang === 'en' ? 'en' : 'zh-CN', hours = wall.catalog.wall?.replay_hours ?? 24;
    const now = this.begin.later(share * hours * HOUR_MS), seen = times.findIndex((t) => t > share);
    wall.tellReplay(say(lang, 'replay', {a: date(lang, this.begin, true), b: date(lang, this.begin.later(hours * HOUR_MS), true)}),
      `${now.clock.slice(0, 5)} · ${title(lang, loop.steps[0])} ${count(lang, seen < 0 ? times.length : seen)}${lang === 'en' ? '' : ` ${loop.unit ?? ''}`}`);
  }

  stop() {
    if (!this.running) return;
    const {wall} = this, shown = this.then !== null;
    this.stopped.abort();
    this.running = false;
    this.then = this.legend = null;
    wall.store.front = null;
    wall.overlay.setReplay(null);
    wall.map.fieldNow();
    wall.replaying(false);
    if (shown) wall.tell();
    wall.tour.pause(this.paused);
    wall.tour.show(null);
  }
}

/** @param {number} ms @param {AbortSignal} signal   wakes it at once @returns {Promise<null>} */
const after = (ms, signal) => new Promise((resolve) => {
  const done = () => {
    clearTimeout(timer);
    signal.removeEventListener('abort', done);
    resolve(null);
  };
  const timer = setTimeout(done, ms);
  signal.addEventListener('abort', done);
});
