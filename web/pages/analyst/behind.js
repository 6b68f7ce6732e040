// @ts-check
// behind.js - while a period is moved the map is of another period than the
// numbers beside it. These are dimmed, and it is said so, until those of the
// period where it came to rest are there.

/** Questions that the map asks for itself: no number beside it waits for them. */
const OF_MAP = /^(value|unit|days|legend.*|shapes .*)$/;

export class Behind {
  /** @param {(on: boolean) => void} show */
  constructor(show) {
    Object.assign(this, {show});
    this.moving = false;
    this.on = false;
    /** @type {Set<object>} questions without an answer yet */
    this.open = new Set();
  }

  /** A period is moved, or has come to rest. @param {boolean} moving */
  move(moving) {
    this.moving = moving;
    if (moving) this.turn(true);
    // Panes that hear of the new period after this one ask first.
    else if (this.on) setTimeout(() => this.settle());
  }

  /** A question is on its way. @param {string} name @returns {() => void} it has been answered, refused or overtaken */
  begin(name) {
    if (OF_MAP.test(name)) return () => {};
    const question = {};
    this.open.add(question);
    return () => {
      this.open.delete(question);
      if (this.on) setTimeout(() => this.settle());
    };
  }

  settle() {
    if (!this.moving && !this.open.size) this.turn(false);
  }

  /** @param {boolean} on */
  turn(on) {
    if (on === this.on) return;
    this.on = on;
    this.show(on);
  }
}
