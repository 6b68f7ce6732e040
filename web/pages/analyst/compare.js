// @ts-check
// compare.js - two periods or two filters beside each other or one over the
// other, with the difference of every unit. One legend speaks for both.

import {dateBox} from '../dates.js';
import {element} from '../dom.js';
import {isDate} from '../text.js';
import {covered, difference, otherState} from './other.js';
import {bySize, compared, comparedColumns, groupedBy, named} from './questions.js';
import {Ranks} from './ranks.js';
import {address, firstDay, hasTimes, selectionOf} from './shown.js';
import {joinTime, splitTime} from './state.js';

class Compare {
  /** @param {HTMLElement} container @param {import('./panes.js').Context} context */
  constructor(container, context) {
    Object.assign(this, {context});
    const {say, state} = context;
    const choice = (value, key) => {
      const radio = element('input', {type: 'radio', name: 'compare', value, onchange: () => this.choose(value)});
      return element('label', {className: 'line'}, radio, ` ${say(key)}`);
    };
    this.choices = element('fieldset', {className: 'compare-how'}, element('legend', {className: 'hidden'}, say('compare')),
      ...[['', 'compare_off'], ['previous', 'compare_previous'], ['year', 'compare_year'], ['own', 'compare_own'], ['filter', 'compare_filter']].map(([value, key]) => choice(value, key)));
    const [from, to] = ['from', 'to'].map((key) => dateBox({label: say(/** @type {any} */ (key)), choose: say('calendar'), form: say('date_form'), onchange: () => this.typed()}));
    Object.assign(this, {from: from.input, to: to.input});
    this.dates = element('p', {className: 'ends', hidden: true}, from.box, element('span', {className: 'quiet'}, '–'), to.box);
    this.filter = element('textarea', {rows: 2, spellcheck: false, ariaLabel: say('compare_filter'), onchange: () => state.update({other: this.filter.value.replace(/\s+/g, ' ').trim()})});
    this.filter.onkeydown = (e) => {
      if (e.key !== 'Enter' || e.shiftKey || e.isComposing) return;
      e.preventDefault();
      this.filter.onchange();
    };
    this.split = element('p', {className: 'row'}, ...['side', 'swipe'].map((how) => {
      const button = element('button', {type: 'button', className: 'plain', onclick: () => state.update({split: how})}, say(how));
      button.dataset.split = how;
      return button;
    }));
    this.note = element('p', {className: 'quiet'});
    this.error = element('p', {className: 'error', role: 'alert', hidden: true});
    this.sums = element('table', {className: 'sums'});
    const box = element('div', {className: 'ranked'});
    this.ranks = new Ranks(box, {say: context.told, exact: context.write.exact, label: say('difference'), onPick: (row) => { if (context.level() && row.id !== null) context.choose(String(row.id), true); }});
    this.list = element('div', {}, element('p', {className: 'tools'}, element('button', {type: 'button', className: 'plain push', onclick: () => this.ranks.save(`${state.now.layer}-compared-${context.level() ?? ''}.csv`)}, context.told('csv'))), box);
    container.append(element('div', {className: 'scroll compare', tabIndex: 0, role: 'region', ariaLabel: say('compare')}, this.choices, this.dates, this.filter, this.split, this.note, this.error, this.sums, this.list));
    /** Which of the last two somebody chose, before there is anything in it. */
    this.wanted = '';
    this.draw();
  }

  /** @param {string} how */
  choose(how) {
    const {state} = this.context, {now} = state;
    this.wanted = how;
    if (how === 'own') this.draw();
    else if (how === 'filter') state.update({compare: '', other: now.other || ''});
    else state.update({compare: how, other: ''});
    this.draw();
    if (how === 'filter') this.filter.focus();
    if (how === 'own') this.from.focus();
  }

  typed() {
    const {say, state} = this.context, [from, to] = [this.from.value, this.to.value], odd = [from, to].find((t) => t && !isDate(t)), wrong = odd ? say('not_a_date', {text: odd}) : from && to && from > to ? say('reversed') : null;
    this.tell(wrong);
    if (from && to && !wrong) state.update({compare: joinTime(from, to), other: ''});
  }

  /** @param {string | null} text */
  tell(text) {
    this.error.hidden = !text;
    this.error.textContent = text ?? '';
  }

  how() {
    const {compare, other} = this.context.state.now;
    const said = other ? 'filter' : compare === 'previous' || compare === 'year' ? compare : compare ? 'own' : '';
    return said || (this.wanted === 'own' || this.wanted === 'filter' ? this.wanted : '');
  }

  draw() {
    const {state, say, city} = this.context, {now} = state, how = this.how(), timed = hasTimes(this.context.subject());
    for (const radio of this.choices.querySelectorAll('input')) {
      radio.checked = radio.value === how;
      radio.disabled = !timed && ['previous', 'year', 'own'].includes(radio.value);
    }
    this.dates.hidden = how !== 'own';
    this.filter.hidden = how !== 'filter';
    this.split.hidden = !how;
    for (const button of this.split.children) button.setAttribute('aria-pressed', String(button.dataset.split === now.split));
    const {from, to} = splitTime(how === 'own' ? now.compare : '');
    for (const [box, value] of [[this.from, from], [this.to, to]]) if (document.activeElement !== box) box.value = value;
    if (document.activeElement !== this.filter) this.filter.value = now.other;
    const other = otherState(now);
    this.sums.hidden = this.list.hidden = !other;
    this.note.textContent = '';
    if (!other) {
      this.context.drop('compare');
      if (how === 'previous' || how === 'year') this.needPeriod();
      return;
    }
    this.ask(other);
  }

  /* The period before needs one that has both ends. */
  needPeriod() {
    const {say} = this.context;
    this.note.replaceChildren(`${say('compare_period')} `, ...[7, 30].map((n) => element('button', {type: 'button', className: 'plain', onclick: () => this.context.state.update({time: this.context.lastDays(n)})}, say(n === 7 ? 'week' : 'month'))));
  }

  /** @param {import('./state.js').State} other */
  ask(other) {
    const {context} = this, {state, city} = context, layer = context.subject(), by = context.level();
    const url = (s) => address(`/stats/${encodeURIComponent(layer.id)}`, {by, ...selectionOf(city, s)});
    const mark = (side, s) => covered(hasTimes(layer) ? s.time : '', firstDay(layer));
    context.ask('compare', async (signal) => {
      const [a, b] = await Promise.all([context.get(url(state.now), signal), context.get(url(other), signal)]);
      this.tell(null);
      this.show(state.now, other, a, b, mark('A', state.now), mark('B', other));
    });
  }

  show(now, other, a, b, coveredA, coveredB) {
    const {say, write} = this.context, period = (s) => {
      const {from, to} = splitTime(s.time);
      return from || to ? `${from ? write.moment(from) : '…'} – ${to ? write.moment(to) : '…'}` : say('all');
    };
    const same = now.time === other.time, known = coveredA !== 'none' && coveredB !== 'none';
    const side = (name, s, count, has) => element('tr', {}, element('th', {scope: 'row'}, element('b', {className: 'side'}, name), ` ${[...same ? [] : [period(s)], ...same || now.filter !== other.filter ? [s.filter || say('all')] : []].join(' · ')}`), element('td', {className: `number${has === 'none' ? ' is-unknown' : ''}`}, has === 'none' ? '' : write.exact(count)));
    const d = difference(a.count, b.count);
    this.sums.replaceChildren(element('tbody', {}, side('A', now, a.count, coveredA), side('B', other, b.count, coveredB),
      element('tr', {}, element('th', {scope: 'row'}, say('difference')), element('td', {className: 'number'}, known ? this.signed(d.by) : '?', known ? element('span', {className: 'quiet'}, ` ${this.percent(d.share)}`) : ''))));
    const first = write.moment(firstDay(this.context.subject()));
    this.note.textContent = !known ? say('no_data_then', {from: first}) : coveredA === 'part' || coveredB === 'part' ? say('part_data_then', {from: first}) : say('sure_note');
    this.list.hidden = !known;
    this.ranks.show(comparedColumns(this.context).map((c) => (c.id === 'change' ? {...c, compare: bySize} : c)), named(this.context, this.context.level() || groupedBy(this.context), compared(a.groups ?? [], b.groups ?? [])), this.ranks.by ? this.ranks : {by: 'change', down: true});
    this.mark();
  }

  mark() {
    this.ranks.mark(this.context.state.now.unit, false);
  }

  /** @param {number} n */
  signed(n) {
    return `${n > 0 ? '+' : n < 0 ? '−' : ''}${this.context.write.exact(Math.abs(n))}`;
  }

  /** @param {number} share */
  percent(share) {
    return Number.isFinite(share) ? `${share > 0 ? '+' : share < 0 ? '−' : ''}${Math.abs(100 * share).toFixed(1)}%` : '?';
  }
}

export const comparePane = {
  id: 'compare', side: 'result', title: (say) => say('compare'), key: 'c',
  /** @param {HTMLElement} container @param {import('./panes.js').Context} context */
  mount(container, context) {
    const compare = new Compare(container, context);
    context.onNews((layer) => { if (context.state.now.pane === 'compare' && (layer === null || layer === context.state.now.layer)) compare.draw(); });
    return {
      show: () => compare.draw(),
      act: () => compare.choices.querySelector('input:checked')?.focus(),
      change(now, changed) {
        if (['layer', 'filter', 'time', 'units', 'compare', 'other', 'split'].some((name) => changed.has(name))) compare.draw();
        else if (changed.has('unit')) compare.mark();
      },
      problem(error, name, text) {
        if (name !== 'compare') return false;
        compare.tell(text);
        return true;
      },
    };
  },
};
