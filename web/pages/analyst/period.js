// @ts-check
// period.js - when: a calendar, a bar for every day, a brush over them, and
// playing it.

import {dateBox} from '../dates.js';
import {element} from '../dom.js';
import {addDays, isDate} from '../text.js';
import {series, shifted, span, stepOf, timeOf} from './days.js';
import {address, hasTimes, selectionOf} from './shown.js';
import {REST_MS} from './steps.js';
import {joinTime, splitTime} from './state.js';

/* The fastest that steps follow each other, and how long a period is played
 * where none is chosen. */
const STEP_MS = 600, PLAYED_DAYS = 7;
/* The same of steps that are drawn in the page: a day each. */
const DRAWN_STEP_MS = 120;
/* So near to an end of the period a pointer takes hold of it. */
const HANDLE_PX = 7;
const SVG = 'http://www.w3.org/2000/svg';

class Period {
  /** @param {HTMLElement} container @param {import('./panes.js').Context} context */
  constructor(container, context) {
    Object.assign(this, {context});
    const {say, state} = context;
    this.days = {first: '', counts: /** @type {number[]} */ ([])};
    this.playing = false;
    /** The period that is drawn while it is moved; '' it rests. */
    this.moving = '';
    this.resting = 0;
    const [from, to] = ['from', 'to'].map((id) => dateBox({id, label: say(/** @type {any} */ (id)), choose: say('calendar'), form: say('date_form'), onchange: () => this.typed()}));
    Object.assign(this, {from: from.input, to: to.input});
    this.spans = element('span', {className: 'spans', id: 'spans'}, ...[[7, 'week'], [30, 'month'], [180, 'half_year'], [0, 'all']].map(([n, key]) => {
      const button = element('button', {type: 'button', className: 'plain', onclick: () => state.update({time: this.context.lastDays(n)})}, say(key));
      button.dataset.days = String(n);
      return button;
    }));
    this.playButton = element('button', {type: 'button', className: 'play', id: 'play', onclick: () => this.playing ? this.stop() : this.play()}, say('play'));
    this.scale = element('button', {type: 'button', className: 'plain', id: 'hold-scale', title: say('hold_scale_note'), onclick: () => state.update({scale: state.now.scale ? '' : 'own'})}, say('hold_scale'));
    this.note = element('span', {className: 'quiet', id: 'period-note'});
    this.error = element('p', {className: 'error', role: 'alert', id: 'period-error', hidden: true});
    this.inputs = element('span', {id: 'period-inputs'}, element('span', {className: 'ends'}, from.box, element('span', {className: 'quiet'}, '–'), to.box), this.spans, this.playButton, this.scale);
    this.box = element('div', {id: 'days', className: 'days', tabIndex: 0, role: 'slider'});
    container.append(element('div', {className: 'period-head'}, element('span', {className: 'label'}, say('period'), element('kbd', {}, 'T')), this.inputs, this.note, this.error), this.box);
    this.brush();
    this.box.onkeydown = (e) => this.key(e);
    this.show();
  }

  get usable() {
    return hasTimes(this.context.subject());
  }

  show() {
    const {context} = this, {say, city, state} = context;
    this.inputs.hidden = !this.usable;
    this.box.hidden = !this.usable;
    this.tell();
    this.mark();
    if (!this.usable) {
      context.drop('days');
      return this.stop();
    }
    const layer = context.subject();
    context.ask('days', async (signal) => {
      const stats = await context.get(address(`/stats/${encodeURIComponent(layer.id)}`, {by: 'day', filter: selectionOf(city, state.now).filter}), signal);
      this.days = series(stats.groups ?? []);
      context.steps.span(this.days);
      this.box.classList.remove('stale');
      this.draw();
    });
  }

  /** What moving it does, and what waits until it rests. */
  tell() {
    const {say, write, state, steps, nameOf, subject} = this.context;
    let text = say(steps.usable ? 'drag' : 'drag_release');
    this.scale.hidden = !steps.usable;
    this.scale.setAttribute('aria-pressed', String(!state.now.scale));
    if (!this.usable) {
      text = subject()?.personal ? say('persons') : say('no_time');
    } else if (this.moving) {
      const at = span(this.moving, this.days), {first, counts} = this.days, rest = steps.resting.map(nameOf);
      text = say('stepped', {from: write.moment(addDays(first, at.from)), to: write.moment(addDays(first, at.to)), n: write.exact(counts.slice(at.from, at.to + 1).reduce((a, b) => a + b, 0))});
      text += ` · ${say('on_release', {names: [...rest, say('the_numbers')].join(', ')})}`;
    }
    this.note.textContent = this.note.title = text;
    this.context.moving(this.playing || !!this.moving);
  }

  /** Draw a period at once, if that can be done without asking; else it waits until it rests. @param {string} time */
  move(time) {
    const {steps} = this.context;
    this.mark(time);
    if (!steps.usable || !steps.holds(time)) return Promise.resolve(false);
    this.moving = time;
    this.tell();
    return steps.step(time).then((drawn) => {
      // For whoever looks at it from outside.
      if (drawn) this.box.dataset.drawn = steps.drawn;
      if (!drawn && this.moving && !steps.usable) {
        // It is not to be had: so it waits until it rests.
        this.moving = '';
        this.tell();
      }
      return drawn;
    });
  }

  /** The state has another period: whoever moved it before has been overtaken. */
  came() {
    clearTimeout(this.resting);
    this.resting = 0;
    if (!this.playing) this.moving = '';
    this.mark(this.moving || undefined);
  }

  /** It stays there. @param {string} time */
  rest(time) {
    const {steps, state} = this.context;
    clearTimeout(this.resting);
    this.resting = 0;
    this.moving = '';
    if (time === state.now.time) {
      steps.stop();
      this.tell();
      this.mark();
    } else {
      steps.rest();
      state.update({time});
    }
  }

  draw() {
    const {first, counts} = this.days, {write, say} = this.context, n = counts.length, most = Math.max(1, ...counts);
    this.box.classList.toggle('empty', !n);
    if (!n) return this.box.replaceChildren(element('p', {className: 'quiet'}, say('empty')));
    const svg = document.createElementNS(SVG, 'svg'), months = [];
    svg.setAttribute('viewBox', `0 0 ${n} 100`);
    svg.setAttribute('preserveAspectRatio', 'none');
    svg.setAttribute('aria-hidden', 'true');
    this.bars = counts.map((count, i) => {
      const height = count / most * 100, bar = document.createElementNS(SVG, 'rect'), title = document.createElementNS(SVG, 'title'), date = addDays(first, i);
      for (const [k, v] of Object.entries({x: i + 0.1, y: 100 - height, width: 0.8, height})) bar.setAttribute(k, String(v));
      title.textContent = say('day_count', {day: write.moment(date), n: write.exact(count)});
      bar.append(title);
      svg.append(bar);
      if (date.endsWith('-01')) {
        const month = element('span', {className: 'month', ariaHidden: 'true'}, write.month(date));
        month.style.left = `${i / n * 100}%`;
        months.push(month);
      }
      return bar;
    });
    this.window = element('div', {className: 'window', ariaHidden: 'true'});
    this.box.replaceChildren(svg, this.window, ...months.slice(n > 400 ? -24 : 0));
    this.mark();
  }

  /** Which bars are in the period. @param {string} [time] */
  mark(time = this.context.state.now.time) {
    const {from, to} = splitTime(time), {say, write} = this.context, {first, counts} = this.days;
    for (const [box, value] of [[this.from, from], [this.to, to]]) if (document.activeElement !== box) box.value = value;
    for (const button of this.spans.children) button.setAttribute('aria-pressed', String(this.usable && this.context.lastDays(Number(button.dataset.days)) === time));
    this.error.hidden = true;
    if (!counts.length || !this.window) return;
    const at = span(time, this.days);
    this.bars.forEach((bar, i) => bar.classList.toggle('in', i >= at.from && i <= at.to));
    this.window.hidden = !time;
    this.window.style.left = `${at.from / counts.length * 100}%`;
    this.window.style.width = `${(at.to - at.from + 1) / counts.length * 100}%`;
    const text = say('scrub', {from: write.moment(addDays(first, at.from)), to: write.moment(addDays(first, at.to))});
    for (const [name, value] of Object.entries({'aria-label': say('period'), 'aria-valuemin': 0, 'aria-valuemax': counts.length - 1, 'aria-valuenow': at.to, 'aria-valuetext': text})) this.box.setAttribute(name, String(value));
  }

  typed() {
    const {say, state} = this.context, [from, to] = [this.from.value, this.to.value];
    const odd = [from, to].find((t) => t && !isDate(t)), problem = odd ? say('not_a_date', {text: odd}) : from && to && from > to ? say('reversed') : '';
    this.error.hidden = !problem;
    this.error.textContent = problem;
    for (const box of [this.from, this.to]) box.setAttribute('aria-invalid', String(!!problem));
    if (!problem) state.update({time: joinTime(from, to)});
  }

  brush() {
    const {box} = this;
    /** @type {{how: string, day: number, at: {from: number, to: number}} | null} */
    let hold = null, time = '';
    const dayAt = (e) => {
      const r = box.getBoundingClientRect(), n = this.days.counts.length;
      return Math.min(n - 1, Math.max(0, Math.floor((e.clientX - r.left) / r.width * n)));
    };
    const howAt = (e) => {
      if (!this.context.state.now.time || !this.window) return 'new';
      const {left, right} = this.window.getBoundingClientRect();
      return Math.abs(e.clientX - left) <= HANDLE_PX ? 'from' : Math.abs(e.clientX - right) <= HANDLE_PX ? 'to' : e.clientX > left && e.clientX < right ? 'move' : 'new';
    };
    const moved = (e) => {
      const day = dayAt(e), {first, counts} = this.days;
      const at = hold.how === 'new' ? {from: hold.day, to: day} : hold.how === 'from' ? {from: day, to: hold.at.to} : hold.how === 'to' ? {from: hold.at.from, to: day} : shifted(hold.at, day - hold.day, counts.length);
      time = timeOf(at.from, at.to, first);
      this.move(time);
    };
    box.onpointerdown = (e) => {
      if (!this.days.counts.length || e.button) return;
      this.stop();
      if (this.resting) this.rest(this.moving);
      hold = {how: howAt(e), day: dayAt(e), at: span(this.context.state.now.time, this.days)};
      box.setPointerCapture(e.pointerId);
      moved(e);
    };
    box.onpointermove = (e) => {
      if (hold) moved(e);
      else box.dataset.how = howAt(e);
    };
    box.onpointerup = () => {
      if (!hold) return;
      hold = null;
      this.rest(time);
    };
    box.onpointercancel = () => {
      hold = null;
      this.rest(this.context.state.now.time);
    };
    // So that the first step is there at once.
    box.onpointerenter = box.onfocus = () => { this.context.steps.warm(); };
  }

  /** Arrows move the period by a day, with Shift its end; Home and End as far as it goes. @param {KeyboardEvent} e */
  key(e) {
    const n = this.days.counts.length, by = {ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1, PageDown: -7, PageUp: 7, Home: -n, End: n}[e.key];
    if (!by || !n) return;
    e.preventDefault();
    const {state} = this.context, time = this.moving || state.now.time, at = time ? span(time, this.days) : {from: Math.max(0, n - PLAYED_DAYS), to: n - 1};
    const next = e.shiftKey ? {from: at.from, to: Math.max(at.from, Math.min(n - 1, at.to + by))} : shifted(at, by, n);
    const to = timeOf(next.from, next.to, this.days.first);
    this.stop();
    this.move(to);
    clearTimeout(this.resting);
    if (this.moving === to) this.resting = window.setTimeout(() => this.rest(to), REST_MS);
    else this.rest(to);
  }

  async play() {
    const {context} = this, {state, say} = context, n = this.days.counts.length;
    if (!n) return;
    this.playing = true;
    this.playButton.textContent = say('pause');
    this.playButton.setAttribute('aria-pressed', 'true');
    context.hold(true);
    let at = state.now.time ? span(state.now.time, this.days) : {from: 0, to: Math.min(n, PLAYED_DAYS) - 1};
    const turn = this.turn = {};
    while (this.playing && this.turn === turn) {
      const time = timeOf(at.from, at.to, this.days.first);
      const inPage = context.steps.usable && context.steps.holds(time);
      // The next frame is there before the last one goes.
      const [drawn] = await Promise.all([inPage ? this.move(time) : context.prepare({time}), new Promise((done) => setTimeout(done, inPage ? DRAWN_STEP_MS : STEP_MS))]);
      if (!this.playing || this.turn !== turn) break;
      if (inPage && !drawn) continue;
      if (!inPage) state.update({time});
      const next = shifted(at, inPage ? 1 : stepOf(at), n);
      at = next.to === at.to ? shifted(at, -n, n) : next;
    }
  }

  stop() {
    if (!this.playing) return;
    this.playing = false;
    this.playButton.textContent = this.context.say('play');
    this.playButton.setAttribute('aria-pressed', 'false');
    if (this.moving) this.rest(this.moving);
    this.context.hold(false);
  }
}

export const periodPane = {
  id: 'period', side: 'period', title: (say) => say('period'), key: 't',
  /** @param {HTMLElement} container @param {import('./panes.js').Context} context */
  mount(container, context) {
    const period = new Period(container, context);
    context.onNews((layer) => { if (layer === null || layer === context.state.now.layer) period.show(); });
    return {
      act: () => (period.usable ? period.from : period.box).focus(),
      change(now, changed) {
        if (changed.has('layer') || changed.has('filter')) period.show();
        else {
          if (changed.has('time')) period.came();
          if (changed.has('scale') && period.moving) period.move(period.moving);
          period.tell();
        }
      },
      problem(error, name, text) {
        if (name === 'days') period.box.classList.add('stale');
        if (error.parameter !== 'datetime') return name === 'days';
        period.error.hidden = false;
        period.error.textContent = text;
        return true;
      },
    };
  },
};
