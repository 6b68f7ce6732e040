// @ts-check
// replay.js - the last 24 hours again, in a minute: where and when it was
// reported, and hour by hour the field and the loop's numbers as they stood.

import {loopAt, statusOf} from './plan.js';
import {pointsIn} from './points.js';
import {count, date, say, title} from './words.js';

/** All of it, by the clock; what is shown last stays for so many hours of it. */
const PLAY_MS = 60000, HOUR_MS = 36e5, STAY_HOURS = 2;
/** How long the first hour is waited for, from which on the clock goes. */
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
const countIn = (answers, loop) => answers.get(loop.status).value.count ?? NaN;

/** The browser's clock; tests have one of their own. */
const CLOCK = {
  now: () => performance.now(),
  /** @param {() => void} act @param {number} ms @returns {any} */
  after: (act, ms) => setTimeout(act, ms),
  /** @param {any} timer */
  cancel: (timer) => clearTimeout(timer),
};

export class Replay {
  /** @param {any} wall */
  constructor(wall, clock = CLOCK) {
    Object.assign(this, {wall, clock});
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

  /** What came to the first step after a moment and up to another. @param {import('./plan.js').Moment} from @param {import('./plan.js').Moment} to @param {AbortSignal} signal */
  async points(from, to, signal) {
    const {loop} = this.wall.part, time = loop.steps[0].time, at = (moment) => `TIMESTAMP('${moment.iso()}')`;
    const points = await pointsIn({layer: loop.layer, filter: `${time} > ${at(from)} AND ${time} <= ${at(to)}`, properties: [time, loop.risk].filter((c) => c)}, this.wall.box, signal);
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

  /**
   * An hour, made ready while others are shown: as it stood, and what came from
   * where the points end that are there to where the next one begins; null where
   * it cannot be.
   * @param {number} i @param {number} from   hours of which there are points @param {AbortSignal} signal
   */
  async prepare(i, from, signal) {
    const {hours} = this, moment = (hour) => this.begin.later(hour * HOUR_MS), then = moment(i), until = Math.min(i + 1, hours);
    try {
      const [answers, show, points] = await Promise.all([this.answers(then, signal), this.wall.map.fieldAt(then), from < until ? this.points(moment(from), moment(until), signal) : []]);
      if (!i) this.counted.first = countIn(answers, this.wall.part.loop);
      return {i, until, then, answers, show, points};
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
    wall.map.choose([]);
    wall.overlay.setMark(null);
    await wall.map.go(null, 0);
    this.legend = map.replayLegend ? await getJson(map.replayLegend, signal).catch(() => null) : null;
    if (signal.aborted) return;
    wall.overlay.setReplay([]);
    wall.replaying(true);
    await this.play(signal);
    if (!signal.aborted) this.stop();
  }

  /**
   * Hour after hour, each at its time: of a machine that is slower than the
   * clock some hours are not shown, and all that came in them is.
   * @param {AbortSignal} signal
   */
  async play(signal) {
    const {hours, clock} = this, hourMs = this.playMs / (hours + STAY_HOURS);
    this.tell();
    const first = await Promise.race([this.prepare(0, 0, signal), this.after(this.patienceMs, signal)]);
    if (signal.aborted) return;
    if (first) this.show(first);
    const startMs = clock.now(), hour = () => (clock.now() - startMs) / hourMs;
    let until = first?.until ?? 0;
    /** @type {{i: number, made: any} | null} */
    let next = null;
    const begin = (i) => {
      const one = next = {i, made: undefined}, fromMs = clock.now();
      // The one after it is the first that will be ready at its time.
      this.prepare(i, until, signal).then((made) => Object.assign(one, {made, took: (clock.now() - fromMs) / hourMs}));
    };
    if (hours) begin(1);
    for (let at = 0; at < hours + STAY_HOURS; at = hour()) {
      if (next?.made !== undefined && next.i <= at) {
        const {i, made, took} = /** @type {any} */ (next);
        if (made) {
          until = made.until;
          this.show(made);
        }
        next = null;
        if (i < hours) begin(Math.min(hours, Math.max(i + 1, Math.ceil(at + took))));
      }
      this.wall.overlay.play(Math.min(at, until) / hours);
      await this.after(Math.min(PICTURE_MS, hourMs), signal);
      if (signal.aborted) return;
    }
  }

  /** @param {{i: number, then: import('./plan.js').Moment, answers: Map<string, any>, show: () => void, points: any[]}} hour */
  show({then, answers, show, points}) {
    this.then = then;
    this.counted.now = countIn(answers, this.wall.part.loop);
    this.wall.store.front = answers;
    this.wall.overlay.addReplay(points);
    show();
    for (const key of answers.keys()) this.wall.hear(key);
    this.wall.tell();
    this.tell();
  }

  /** What is told is of the one moment that all numbers stand at. */
  tell() {
    const {wall, counted} = this, {loop} = wall.part, lang = document.documentElement.lang === 'en' ? 'en' : 'zh-CN';
    const now = this.then ?? this.begin, seen = counted.now - counted.first;
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
    wall.tour.pause(this.paused);
    wall.replaying(false);
    if (shown) wall.tell();
    wall.tour.show(null);
  }

  /** @param {number} ms @param {AbortSignal} signal   wakes it at once @returns {Promise<null>} */
  after(ms, signal) {
    return new Promise((resolve) => {
      const done = () => {
        this.clock.cancel(timer);
        signal.removeEventListener('abort', done);
        resolve(null);
      };
      const timer = this.clock.after(done, ms);
      signal.addEventListener('abort', done);
    });
  }
}
