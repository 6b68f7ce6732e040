// @ts-check
// sides.js - the second map: beside the first or over it, always at the same
// place. It is made when something is first compared, and stays.

import {$, element} from '../dom.js';
import {Drawing} from './drawing.js';
import {openMap} from './map.js';
import {covered, otherState} from './other.js';
import {firstDay, hasTimes} from './shown.js';

/* Around what a side shows, pixels. */
const SIDE_PADDING = 12;
/* Per cent that the divider moves by a key. */
const KEY_STEP = 5;

export class Sides {
  /**
   * @param {import('./panes.js').Context} context @param {string} means @param {any} how of openMap
   * @param {import('./map.js').Handlers} handlers of the first map
   */
  constructor(context, means, how, handlers) {
    Object.assign(this, {context, means, how, handlers});
    /** @type {import('./map.js').AnyMap | null} */
    this.a = null;
    /** @type {import('./map.js').AnyMap | null} */
    this.b = null;
    /** What the other side shows is there. @type {(() => void) | null} */
    this.onShown = null;
    this.leading = '';
    this.linked = !!context.state.now.map;
    this.at = 50;
    this.room = $('map').parentElement;
    const {say} = context;
    this.divider = element('div', {className: 'divider', tabIndex: 0, role: 'slider', ariaLabel: say('divider'), hidden: true});
    for (const [name, value] of Object.entries({'aria-valuemin': 0, 'aria-valuemax': 100, 'aria-orientation': 'horizontal'})) this.divider.setAttribute(name, String(value));
    this.box = element('div', {id: 'map-b', hidden: true});
    this.marks = ['A', 'B'].map((side) => element('span', {className: `side-mark ${side}`, hidden: true}, side));
    this.notes = ['A', 'B'].map((side) => element('p', {className: `side-note ${side}`, hidden: true}));
    $('map').after(this.box, this.divider, ...this.marks, ...this.notes);
    this.drag();
    // A legend that grows takes room from small screens.
    new ResizeObserver(() => {
      if (!this.wide || !this.isFitted()) return;
      this.a.resize();
      this.refit();
    }).observe($('map'));
  }

  /** What follows what: whoever was moved last leads. @param {'a' | 'b'} side @param {import('./map.js').Handlers} handlers @returns {import('./map.js').Handlers} */
  following(side, handlers) {
    const other = () => side === 'a' ? this.b : this.a;
    const lead = () => {
      if (this.leading && this.leading !== side) return;
      const to = other(), from = side === 'a' ? this.a : this.b;
      if (!to || !from || this.box.hidden) return;
      this.leading = side;
      to.go(from.view(), 0);
      clearTimeout(this.resting);
      this.resting = setTimeout(() => { this.leading = ''; }, 250);
    };
    return {...handlers, onMoving: lead, onMove: (view) => {
      lead();
      if (side === 'a' || this.leading === 'b') handlers.onMove(view);
    }, onBusy: side === 'a' ? handlers.onBusy : () => {}};
  }

  /** The state has changed, or a map has come. @returns {Promise<void>} */
  update() {
    return this.updated = this.follow();
  }

  async follow() {
    const {now} = this.context.state, other = otherState(now);
    const on = !!other && !!this.a, narrow = on && now.split === 'side', before = this.a && narrow !== this.narrow ? {view: this.a.view(), box: this.a.box()} : null;
    this.room.classList.toggle('compared', on);
    this.room.classList.toggle('swipe', on && now.split === 'swipe');
    this.box.hidden = !on;
    this.divider.hidden = !on || now.split !== 'swipe';
    for (const mark of this.marks) mark.hidden = !on;
    this.tellGaps(now, other);
    this.place();
    this.a?.resize();
    if (before) this.fit(narrow, before);
    if (!other || !this.a) return;
    if (!this.opening) this.opening = openMap(this.means, this.box, {...this.how, view: this.a.view(), label: `${this.how.label} B`}, this.following('b', this.handlers)).then((map) => {
      this.b = map;
      this.drawing = new Drawing(this.context, null);
      this.drawing.map = map;
      this.drawing.onShown = () => this.onShown?.();
    });
    await this.opening;
    this.b.resize();
    this.b.go(this.a.view(), 0);
    const latest = otherState(this.context.state.now);
    if (latest) await this.drawing.draw(latest);
  }

  /**
   * A side shows what the whole map showed, of the city; whoever then leaves the
   * comparison has the map again that was.
   * @param {boolean} narrow @param {{view: any, box: number[]}} before
   */
  fit(narrow, {view, box}) {
    // A link says itself what is seen of each side.
    const linked = this.narrow === undefined && this.linked, {a, how, wide} = this;
    this.narrow = narrow;
    if (linked) return;
    if (!narrow) {
      if (wide && this.isFitted()) a.go(wide.view, 0);
      this.wide = null;
      return;
    }
    const seen = [Math.max(box[0], how.box[0]), Math.max(box[1], how.box[1]), Math.min(box[2], how.box[2]), Math.min(box[3], how.box[3])];
    this.wide = {view, seen: seen[0] < seen[2] && seen[1] < seen[3] ? seen : box, fitted: view};
    this.refit();
  }

  /** Has nobody moved what a side shows? */
  isFitted() {
    const {a, wide: {fitted}} = this, view = a.view(), pixelDeg = 360 / (512 * 2 ** view.zoom);
    // Links tell a place to a pixel.
    return Math.abs(view.zoom - fitted.zoom) < 0.01 && Math.abs(view.lonDeg - fitted.lonDeg) < pixelDeg && Math.abs(view.latDeg - fitted.latDeg) < pixelDeg;
  }

  refit() {
    const {a, wide} = this;
    a.go({box: wide.seen, most: wide.view.zoom, padding: SIDE_PADDING}, 0);
    wide.fitted = a.view();
  }

  /** A side of a time without data says so: its empty map is no answer. @param {import('./state.js').State} now @param {import('./state.js').State | null} other */
  tellGaps(now, other) {
    const {context} = this, layer = context.subject(), first = layer && hasTimes(layer) ? firstDay(layer) : '';
    for (const [i, state] of [now, other].entries()) {
      const none = !!other && !!first && covered(state?.time ?? '', first) === 'none';
      this.notes[i].hidden = !none;
      this.notes[i].textContent = none ? context.say('no_data_then', {from: context.write.moment(first)}) : '';
    }
  }

  /** What the other side will need. @param {Partial<import('./state.js').State>} patch */
  async prepare(patch) {
    const other = otherState({...this.context.state.now, ...patch});
    await this.updated;
    if (other && this.drawing && !this.box.hidden) await this.drawing.prepare(other);
  }

  place() {
    const swipe = this.context.state.now.split === 'swipe';
    this.box.style.clipPath = swipe ? `inset(0 0 0 ${this.at}%)` : '';
    this.divider.style.left = `${this.at}%`;
    this.divider.setAttribute('aria-valuenow', String(Math.round(this.at)));
  }

  drag() {
    const {divider, room} = this;
    divider.onpointerdown = (e) => {
      divider.setPointerCapture(e.pointerId);
      this.held = true;
    };
    divider.onpointermove = (e) => {
      if (!this.held) return;
      const r = room.getBoundingClientRect();
      this.at = Math.max(0, Math.min(100, (e.clientX - r.left) / r.width * 100));
      this.place();
    };
    divider.onpointerup = divider.onpointercancel = () => { this.held = false; };
    divider.onkeydown = (e) => {
      const by = {ArrowLeft: -KEY_STEP, ArrowRight: KEY_STEP, Home: -100, End: 100}[e.key];
      if (!by) return;
      e.preventDefault();
      this.at = Math.max(0, Math.min(100, this.at + by));
      this.place();
    };
  }
}
