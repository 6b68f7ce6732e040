// @ts-check
// replay.js - the last 24 hours again, in a minute: where and when it was
// reported, and hour by hour the field and the loop's numbers as they stood.

import {loopAt, statusOf} from './plan.js';
import {pointsIn} from './points.js';
import {count, date, say, title} from './words.js';

const PLAY_MS = 60000, HOUR_MS = 36e5;
/** How long an hour is waited for before the replay goes on without it: a slow machine plays slower. */
const PATIENCE_MS = 30000;
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

/** How many had come to the first step. @param {Map<string, any>} answers @param {any} loop */
const countIn = (answers, loop) => answers.get(loop.status).value.count;

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

  /** What came to the first step in the hour from a moment on. @param {import('./plan.js').Moment} from @param {AbortSignal} signal */
  async points(from, signal) {
    const {loop} = this.wall.part, time = loop.steps[0].time, at = (moment) => `TIMESTAMP('${moment.iso()}')`;
    const points = await pointsIn({layer: loop.layer, filter: `${time} > ${at(from)} AND ${time} <= ${at(from.later(HOUR_MS))}`, properties: [time, loop.risk].filter((c) => c)}, this.wall.box, signal);
    return points.map(({lonDeg, latDeg, properties}) => ({lonDeg, latDeg, risk: Number(properties[loop.risk]) || 0, at: this.shareOf(Date.parse(properties[time]) || from.utcMs)}));
  }

  /** @param {number} utcMs @returns {number} 0 to 1 of the whole */
  shareOf(utcMs) {
    return (utcMs - this.begin.utcMs) / (this.hours * HOUR_MS);
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
      const [answers, show, points] = await Promise.all([this.answers(then, signal), this.wall.map.fieldAt(then), i < this.hours ? this.points(then, signal) : []]);
      if (!i) this.counted.first = countIn(answers, this.wall.part.loop);
      return {then, answers, show, points};
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
    const {signal} = this.stopped, end = wall.clock.later(-(wall.clock.utcMs % 60000));
    this.hours = wall.catalog.wall?.replay_hours ?? 24;
    this.begin = end.later(-this.hours * HOUR_MS);
    this.counted = {first: NaN, now: NaN};
    wall.tour.pause(true);
    wall.map.choose('');
    wall.overlay.setMark(null);
    await wall.map.go(null, 0);
    this.legend = map.replayLegend ? await getJson(map.replayLegend, signal).catch(() => null) : null;
    if (signal.aborted) return;
    wall.overlay.setReplay([]);
    wall.replaying(true);
    await this.play(signal);
    if (!signal.aborted) this.stop();
  }

  /** Hour after hour. @param {AbortSignal} signal */
  async play(signal) {
    const {hours} = this, hourMs = this.playMs / hours;
    let next = this.prepare(0, signal);
    this.tell(0, []);
    for (let i = 0; i <= hours; i++) {
      const ready = await Promise.race([next, after(this.patienceMs, signal)]);
      if (signal.aborted) return;
      // Who is not there in time is not waited for, and does not come later.
      if (ready) this.show(ready);
      if (i < hours) next = next.then(() => this.prepare(i + 1, signal));
      await this.turn(i / hours, i < hours ? (i + 1) / hours : 1, i < hours ? hourMs : 2 * hourMs, (ready?.points ?? []).map((p) => p.at), signal);
    }
  }

  /** @param {{then: import('./plan.js').Moment, answers: Map<string, any>, show: () => void, points: any[]}} hour */
  show({then, answers, show, points}) {
    this.then = then;
    this.counted.now = countIn(answers, this.wall.part.loop);
    this.wall.store.front = answers;
    this.wall.overlay.addReplay(points);
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

  /** @param {number} share @param {number[]} times   of the hour that is played */
  tell(share, times) {
    const {wall, counted} = this, {loop} = wall.part, lang = document.documentElement.lang === 'en' ? 'en' : 'zh-CN';
    const now = this.begin.later(share * this.hours * HOUR_MS), seen = counted.now - counted.first + times.filter((t) => t <= share).length;
    wall.tellReplay(say(lang, 'replay', {a: date(lang, this.begin, true), b: date(lang, this.begin.later(this.hours * HOUR_MS), true)}),
      `${now.clock.slice(0, 5)}${Number.isFinite(seen) ? ` · ${title(lang, loop.steps[0])} ${count(lang, seen)}${lang === 'en' ? '' : ` ${loop.unit ?? ''}`}` : ''}`);
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
