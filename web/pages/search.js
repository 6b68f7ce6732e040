// @ts-check
// search.js - a box for what somebody looks for, with a list below it: a combobox
// as WAI-ARIA describes it. Arrows choose, Enter takes, Escape closes the list,
// and with it closed leaves the box.

import {element} from './dom.js';
import {exact} from './text.js';

/** How long typing rests before it is asked for. */
const REST_MS = 120;

/** Name of a place with the units around it, largest first: 麻涌镇 白边村. @param {import('./api.js').Found} found @param {string[]} levels finest first */
export function whereOf(found, levels) {
  return levels.slice(1).reverse()
    .map((level) => found[level]?.name).filter((name) => name && !found.name?.includes(name)).join(' ');
}

export class SearchBox {
  /**
   * @param {{input: HTMLInputElement, list: HTMLElement}} parts   list: an empty ul
   * @param {{find: (text: string, signal: AbortSignal) => Promise<import('./api.js').Answers>,
   *   choose: (found: import('./api.js').Found) => void,
   *   title: (found: import('./api.js').Found) => string,
   *   name?: (found: import('./api.js').Found) => string | null,
   *   leave?: () => void, levels: string[]}} city   title: what it is, as 村(社区); name: else its own;
   *   leave: takes the focus when the box is left by Escape
   */
  constructor({input, list}, city) {
    Object.assign(this, {input, list, city});
    /** @type {import('./api.js').Found[]} */
    this.found = [];
    this.active = -1;
    this.resting = 0;
    /** Enter came before the answer: its first is taken. */
    this.hasty = this.waiting = false;
    /** @type {AbortController | null} */
    this.pending = null;
    list.id ||= 'found';
    list.setAttribute('role', 'listbox');
    list.hidden = true;
    for (const [name, value] of Object.entries({role: 'combobox', 'aria-autocomplete': 'list', 'aria-expanded': 'false', 'aria-controls': list.id}))
      input.setAttribute(name, value);
    input.addEventListener('input', () => this.soon());
    input.addEventListener('keydown', (e) => this.key(e));
    input.addEventListener('focus', () => { if (this.found.length) this.open(); });
    input.addEventListener('blur', () => this.close());
    // Before the box loses its focus, and the list with it.
    list.addEventListener('pointerdown', (e) => {
      e.preventDefault();
      const row = /** @type {HTMLElement} */ (e.target).closest('[role=option]');
      if (row) this.take(Number(row.dataset.index));
    });
  }

  /** Nobody waits for an answer any more: one that comes late opens nothing. */
  leave() {
    clearTimeout(this.resting);
    this.pending?.abort();
    this.pending = null;
    this.hasty = this.waiting = false;
  }

  soon() {
    this.leave();
    this.waiting = true;
    this.resting = window.setTimeout(() => this.ask(), REST_MS);
  }

  async ask() {
    const text = this.input.value.trim(), pending = this.pending = new AbortController();
    if (!text) return this.show([], '');
    this.waiting = true;
    try {
      const {results, sure, incomplete} = await this.city.find(text, pending.signal);
      if (pending.signal.aborted) return;
      this.show(results, results.length ? sure === false ? '只是相近 Only similar' : '' : incomplete ? '索引正在建立，稍后再试 The index is being made' : '没有找到 Nothing found');
    } catch (error) {
      if (pending.signal.aborted) return;
      this.show([], error instanceof TypeError ? '服务器没有回应 The server does not answer' : error.message);
    }
  }

  /** @param {import('./api.js').Found[]} found @param {string} note what is said instead */
  show(found, note) {
    this.found = found;
    this.waiting = false;
    this.list.replaceChildren(...found.map((f, i) => this.row(f, i)),
      ...note ? [element('li', {className: 'quiet', role: 'presentation'}, note)] : []);
    this.mark(found.length ? 0 : -1);
    if ((found.length || note) && document.activeElement === this.input) this.open();
    else this.close();
    if (this.hasty && found.length) this.take(0);
    this.hasty = false;
  }

  /** @param {import('./api.js').Found} found @param {number} i */
  row(found, i) {
    const row = element('li', {id: `${this.list.id}-${i}`},
      element('span', {className: 'name'}, this.nameOf(found)),
      element('span', {className: 'quiet'}, [this.city.title(found), whereOf(found, this.city.levels), found.count === undefined ? '' : exact(found.count)].filter(Boolean).join(' · ')));
    row.setAttribute('role', 'option');
    row.dataset.index = String(i);
    return row;
  }

  /** @param {import('./api.js').Found} found */
  nameOf(found) {
    return this.city.name?.(found) || (found.name ?? found.id ?? '');
  }

  /** @param {number} i */
  mark(i) {
    this.active = i;
    [...this.list.querySelectorAll('[role=option]')].forEach((row, n) => row.setAttribute('aria-selected', String(n === i)));
    const row = this.list.querySelector('[aria-selected=true]');
    row?.scrollIntoView({block: 'nearest'});
    if (row) this.input.setAttribute('aria-activedescendant', row.id);
    else this.input.removeAttribute('aria-activedescendant');
  }

  open() {
    this.list.hidden = false;
    this.input.setAttribute('aria-expanded', 'true');
  }

  close() {
    this.list.hidden = true;
    this.input.setAttribute('aria-expanded', 'false');
  }

  /** @param {number} i */
  take(i) {
    const found = this.found[i];
    if (!found) return;
    this.leave();
    this.input.value = this.nameOf(found);
    this.close();
    this.city.choose(found);
  }

  /** @param {KeyboardEvent} e */
  key(e) {
    if (e.isComposing) return;
    const step = {ArrowDown: 1, ArrowUp: -1}[e.key];
    if (step) {
      e.preventDefault();
      this.open();
      if (this.found.length) this.mark((this.active + step + this.found.length) % this.found.length);
    } else if (e.key === 'Enter') {
      e.preventDefault();
      if (this.waiting) this.hasty = true;
      else if (!this.list.hidden) this.take(this.active);
    } else if (e.key === 'Escape') {
      e.stopPropagation();
      // A browser would empty the box, and that would ask again.
      e.preventDefault();
      this.leave();
      if (this.list.hidden) {
        this.input.value = '';
        this.show([], '');
        this.input.blur();
        this.city.leave?.();
      } else {
        this.close();
      }
    }
  }
}
