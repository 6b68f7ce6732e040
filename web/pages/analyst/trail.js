// @ts-check
// trail.js - the page's address and the way back: what a person would call a
// step is an entry of the browser's history, all else is written into the entry
// that is there. Back and Forward bring the state as it was.
//
// A step is the first change of a gesture: a press of the pointer until the
// next one, a key that is not held down, arrows within one control, a field
// that is filled in. What follows from it, at once or when an answer comes, is
// of the same step.

import {formatHash, parseHash} from './state.js';

/** The address follows the state at this pace: browsers refuse more than some a second. */
const SAVE_MS = 250;
/** Fields of the state that are no steps: where one looks, and how a thing is laid out. */
const NO_STEPS = ['map', 'sort', 'scale', 'fold'];
/** Keys that go along within a control. */
const ALONG = ['ArrowLeft', 'ArrowRight', 'ArrowUp', 'ArrowDown', 'PageUp', 'PageDown', 'Home', 'End'];
/** What is done when it is left, not when something is pressed; and what changes all along. */
const TYPED = 'textarea, input:not([type=radio], [type=checkbox], [type=range])', SLID = 'input[type=range]';

/** @param {Event} e @param {string} selector */
const is = ({target}, selector) => target instanceof Element && target.matches(selector);

export class Trail {
  /** @param {import('./state.js').Store} state @param {(state: import('./state.js').State) => void} onReturn show what is given: one went back or forward, or the address was typed */
  constructor(state, onReturn) {
    Object.assign(this, {state, onReturn});
    this.saving = 0;
    /** Is this gesture's step an entry already? Before the first gesture there are none. */
    this.stepped = true;
    this.following = false;
    /** @type {EventTarget | null} the control within which one goes along */
    this.along = null;
    this.left = formatHash(state.now);
    state.subscribe((_, changed) => this.changed(changed));
    addEventListener('pointerdown', () => this.begin(), true);
    addEventListener('keydown', (e) => {
      const along = ALONG.includes(e.key) ? e.target : null;
      if (!e.repeat && (!along || along !== this.along)) this.begin();
      this.along = along;
    }, true);
    // Without pointer and key: by what helps who cannot use them.
    addEventListener('click', (e) => { if (!e.detail) this.begin(); }, true);
    addEventListener('change', (e) => { if (e.target !== this.along && !is(e, SLID)) this.begin(); }, true);
    // A field is done with when something else is pressed, which is a step of its own.
    addEventListener('change', (e) => { if (is(e, TYPED)) this.begin(); });
    addEventListener('popstate', () => this.come());
  }

  /** From here on a change is another step, and this is where one comes back to. */
  begin() {
    this.flush();
    this.left = formatHash(this.state.now);
    this.stepped = false;
    this.along = null;
  }

  /** A change that is not the person's but follows from what they did before. @param {() => void} act */
  follow(act) {
    this.following = true;
    try {
      act();
    } finally {
      this.following = false;
    }
  }

  /** @param {Set<string>} changed */
  changed(changed) {
    if (this.stepped || this.following || [...changed].every((name) => NO_STEPS.includes(name))) return this.save();
    this.stepped = true;
    clearTimeout(this.saving);
    this.saving = 0;
    // What moves with the step, such as the map, belongs to where it leads.
    history.replaceState(history.state, '', this.left);
    history.pushState(null, '', formatHash(this.state.now));
  }

  /** The address is written, soon. */
  save() {
    this.saving ||= window.setTimeout(() => this.flush(), SAVE_MS);
  }

  flush() {
    if (!this.saving) return;
    clearTimeout(this.saving);
    this.saving = 0;
    history.replaceState(history.state, '', formatHash(this.state.now));
  }

  /** The entry is another one: what was to be written was of the one before. */
  come() {
    clearTimeout(this.saving);
    this.saving = 0;
    this.stepped = true;
    // A link within the page, such as to its results, says nothing of the state.
    if (location.hash && !location.hash.includes('=')) return this.save();
    this.follow(() => this.onReturn(parseHash(location.hash)));
  }
}
