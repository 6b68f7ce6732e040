// @ts-check
// store.js - the answers that a wall shows: asked for once, and again when the
// stream says that something they are of has changed. Nothing is polled.

import {ProblemError} from '../api.js';

/** @typedef {import('./plan.js').Question} Question @typedef {import('./plan.js').Moment} Moment */
/** @typedef {{value: any, status: 'waiting' | 'ok' | 'hidden' | 'failed', asOf: string | null, atMs: number}} Answer */

/** Askings at a time: browsers have six connections for a server, the stream one of them. */
const AT_ONCE = 3;
/** What is asked no more often than so costs much. */
const COSTLY_MS = 30000;
const RETRY_MS = 4000, RETRY_MOST_MS = 300000;
/** How often what the clock alone changes is asked again. */
const TIMED_MS = 60000;

const CLOCK = {
  now: () => performance.now(),
  /** @param {() => void} act @param {number} ms @returns {any} */
  after: (act, ms) => setTimeout(act, ms),
  /** @param {any} timer */
  cancel: (timer) => clearTimeout(timer),
};

/** @param {string} url @param {AbortSignal} signal */
async function fetchJson(url, signal) {
  const response = await fetch(url, {signal, cache: 'no-cache', headers: {Accept: 'application/json, application/geo+json'}});
  if (!response.ok) throw new ProblemError(response.status, await response.json().catch(() => ({})));
  return {value: await response.json(), asOf: response.headers.get('Data-As-Of')};
}

export class Store {
  /**
   * @param {{now: () => Moment, onAnswer: (key: string, answer: Answer) => void, get?: typeof fetchJson, clock?: typeof CLOCK}} how
   */
  constructor({now, onAnswer, get = fetchJson, clock = CLOCK}) {
    Object.assign(this, {now, onAnswer, get, clock});
    /** @type {Map<string, {question: Question, dirty: boolean, asking: boolean, nextMs: number, lateMs: number, movedMs: number, answer: Answer}>} */
    this.entries = new Map();
    /** Answers that stand before those of now: what a replay shows. @type {Map<string, Answer> | null} */
    this.front = null;
    this.running = 0;
    this.onSettled = () => {};
    /** @type {any} */
    this.timer = null;
    this.stopped = new AbortController();
  }

  /** @param {Question[]} questions   what is there already is replaced, and stands until the new answer comes */
  add(questions) {
    for (const question of questions) {
      const old = this.entries.get(question.key);
      // One that is on its way answers the old question, and nobody hears of it.
      this.entries.set(question.key, {question, dirty: true, asking: false, nextMs: 0, lateMs: RETRY_MS, movedMs: 0,
        answer: old?.answer ?? {value: null, status: 'waiting', asOf: null, atMs: 0}});
    }
    this.run();
  }

  /** When what costs little has been answered, or so much time is over. @param {number} mostMs @returns {Promise<void>} */
  settled(mostMs) {
    return new Promise((resolve) => {
      const timer = this.clock.after(() => this.onSettled(), mostMs);
      this.onSettled = () => {
        this.clock.cancel(timer);
        this.onSettled = () => {};
        resolve();
      };
      this.run();
    });
  }

  /** When all has been answered or refused, or so much time is over. @param {number} mostMs @returns {Promise<void>} */
  whole(mostMs) {
    return new Promise((resolve) => {
      const told = this.onAnswer, done = () => {
        this.clock.cancel(timer);
        this.onAnswer = told;
        resolve();
      };
      const timer = this.clock.after(done, mostMs), look = () => [...this.entries.values()].every((e) => e.answer.status !== 'waiting') && done();
      this.onAnswer = (...of) => {
        told(...of);
        look();
      };
      look();
    });
  }

  /** @param {string} key @returns {Answer} */
  answer(key) {
    return this.front?.get(key) ?? this.entries.get(key)?.answer ?? {value: null, status: 'waiting', asOf: null, atMs: 0};
  }

  /** @param {string} key */
  value(key) {
    return this.answer(key).value;
  }

  /** @param {Record<string, any>} layers   that have changed */
  changed(layers) {
    for (const entry of this.entries.values())
      if (entry.question.layers.some((l) => l in layers)) entry.dirty = true;
    this.run();
  }

  /** The city's clock has moved. */
  moved() {
    const now = this.clock.now();
    for (const entry of this.entries.values())
      if (entry.question.timed && now - entry.movedMs > Math.max(TIMED_MS, entry.question.restMs)) entry.dirty = true;
    this.run();
  }

  /** Nobody knows what has changed. */
  reset() {
    for (const entry of this.entries.values()) entry.dirty = true;
    this.run();
  }

  run() {
    if (this.stopped.signal.aborted) return;
    this.clock.cancel(this.timer);
    this.timer = null;
    const now = this.clock.now();
    let soonest = Infinity;
    // What costs little goes first, and what costs much never all the places.
    const waiting = [...this.entries.values()].filter((e) => e.dirty && !e.asking).sort((a, b) => a.question.restMs - b.question.restMs);
    for (const entry of waiting) {
      if (entry.nextMs > now) soonest = Math.min(soonest, entry.nextMs);
      else if (this.running < (entry.question.restMs < COSTLY_MS ? AT_ONCE : AT_ONCE - 1)) this.ask(entry);
    }
    if (![...this.entries.values()].some((e) => e.question.restMs < COSTLY_MS && (e.asking || e.dirty))) this.onSettled();
    // One timer, for the first that may be asked again. None when nothing has changed.
    if (soonest < Infinity) this.timer = this.clock.after(() => this.run(), Math.max(20, soonest - now));
  }

  /** @param {any} entry */
  async ask(entry) {
    const {question} = entry;
    entry.dirty = false;
    entry.asking = true;
    this.running++;
    try {
      const {value, asOf} = await this.get(question.url(this.now()), this.stopped.signal);
      entry.answer = {value, status: 'ok', asOf, atMs: this.clock.now()};
      entry.lateMs = RETRY_MS;
      entry.nextMs = entry.movedMs = this.clock.now();
      entry.nextMs += question.restMs;
    } catch (error) {
      if (this.stopped.signal.aborted) return;
      const hidden = error.status === 401 || error.status === 403 || error.status === 404;
      entry.answer = {...entry.answer, status: hidden ? 'hidden' : 'failed', atMs: this.clock.now()};
      // What is not ours stays so until the server says that all is new.
      entry.dirty = !hidden && error.status !== 400;
      entry.nextMs = this.clock.now() + entry.lateMs;
      entry.lateMs = Math.min(2 * entry.lateMs, RETRY_MOST_MS);
    } finally {
      entry.asking = false;
      this.running--;
    }
    if (this.entries.get(question.key)?.question === question || !this.entries.has(question.key)) this.onAnswer(question.key, entry.answer);
    this.run();
  }

  close() {
    this.stopped.abort();
    this.clock.cancel(this.timer);
  }
}
