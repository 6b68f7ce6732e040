// @ts-check
// panels.js - the panels around the map: each is built once from the plan and
// then only told new answers.

import {Chart, curve, days, flow, intervals, spread, stacks} from './charts.js';
import {AGES, USUAL_DAYS, usualDay} from './plan.js';
import {HIDDEN, count, date, month as monthOf, parts, percent, plus, say, title, usualOf} from './words.js';

/** @typedef {import('./words.js').Language} Language */

/** @param {string} name @param {Record<string, any>} [attributes] @param {...(Node | string)} children */
export function element(name, attributes = {}, ...children) {
  const node = document.createElement(name);
  for (const [key, value] of Object.entries(attributes))
    if (value !== undefined && value !== null && value !== false) node.setAttribute(key, value === true ? '' : String(value));
  node.append(...children);
  return node;
}

/** Text that is only touched when it is another. @param {Element} node @param {string} text */
export function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

/** What stands where a number would: what kind of nothing it is. @param {any} answer @param {Language} lang */
function stateOf(answer, lang) {
  if (answer.status === 'hidden') return {text: '', mark: 'is-hidden', label: say(lang, 'hidden')};
  if (answer.value?.hidden) return {text: '', mark: 'is-hidden', label: say(lang, 'few')};
  if (answer.value === null && answer.status === 'failed') return {text: '', mark: 'is-unknown', label: say(lang, 'failed')};
  if (answer.value === null) return {text: '–', mark: 'is-waiting', label: say(lang, 'loading')};
  return null;
}

/** A number, or the mark of what stands for one. @param {Element} node @param {string} text @param {string} [mark] @param {string} [other]   more classes */
function showNumber(node, text, mark = '', other = '') {
  const is = text === HIDDEN ? 'is-hidden' : text === '?' ? 'is-unknown' : mark;
  setText(node, text === HIDDEN || text === '?' ? '' : text);
  const name = [other, is].filter((c) => c).join(' ');
  if (node.className !== name) node.className = name;
}

/** A number with its name, which opens into its rows. */
class Figure {
  /** @param {{title: string, rows?: string, unit?: string, size?: string}} how */
  constructor({title, rows, unit, size = ''}) {
    this.number = element('b', {});
    this.exact = element('span', {class: 'exact'});
    this.node = element(rows ? 'a' : 'div', {class: `figure ${size}`, href: rows},
      element('span', {class: 'name'}, title), element('span', {class: 'value'}, this.number, unit ? element('span', {class: 'unit'}, unit) : '', this.exact));
  }

  /** @param {any} answer @param {Language} lang @param {(value: any) => {text: string, exact?: string, title?: string}} read */
  show(answer, lang, read) {
    const state = stateOf(answer, lang), said = state ? {text: state.text, exact: '', title: state.label} : read(answer.value);
    showNumber(this.number, said.text, state?.mark);
    setText(this.exact, said.exact ?? '');
    if (said.title) this.node.title = said.title;
    else this.node.removeAttribute('title');
    this.node.classList.toggle('old', answer.status === 'failed' && answer.value !== null);
  }
}

/** @typedef {{key: string, node: HTMLElement, charts: Chart[], hears: (key: string) => boolean, update: () => void, details?: () => {text: string, url: string, rows?: string}[]}} Panel */

/** @param {string} key @param {Language} lang @param {string} no @param {string} [heading] */
function shell(key, lang, no, heading) {
  const id = `panel-${key}`, body = element('div', {class: 'body'}), note = element('span', {class: 'note'});
  const node = element('section', {class: `panel ${key}`, 'aria-labelledby': id, id: `at-${key}`},
    element('h2', {id}, no ? element('span', {class: 'no', 'aria-hidden': 'true'}, no) : '', heading ?? say(lang, /** @type {any} */ (key)), note), body);
  return {node, body, note};
}

const total = (answer, sum) => sum ? answer.sum ?? 0 : answer.count;
const exactly = (n) => n === null ? HIDDEN : !Number.isFinite(n) ? '?' : String(Math.round(n)).replace(/\B(?=(\d{3})+$)/g, ',');

/** The panels that the city has something for. @param {any} plan @param {import('./store.js').Store} store @param {Language} lang @param {(key: string) => import('./plan.js').Moment} moment   what a panel shows @returns {Panel[]} */
export function makePanels(plan, store, lang, moment) {
  const {questions, parts: p} = plan;
  const urlOf = (key) => questions.find((q) => q.key === key)?.url(moment('')) ?? '';
  const make = {register: figuresPanel, service: servicePanel, checks: checksPanel, ranking: rankingPanel, sources: sourcesPanel, loop: loopPanel, open: openPanel,
    patrol: patrolPanel, premises: patrolPanel, participation: participationPanel};
  const of = {...p, open: p.loop, sources: p.sources};
  const panels = [];
  for (const [key, build] of Object.entries(make)) {
    const part = of[key];
    if (!part || (Array.isArray(part) && !part.length)) continue;
    panels.push(build({key, part, store, lang, urlOf, now: () => moment(key)}));
  }
  return panels;
}

const NUMBER = {register: '1', loop: '2', open: '', patrol: '3', premises: '4', checks: '5', participation: '6', service: '7', sources: '8', ranking: '9'};

function figuresPanel({key, part, store, lang, urlOf}) {
  const {node, body} = shell(key, lang, NUMBER[key]);
  const figures = part.map((f, i) => ({f, figure: new Figure({title: title(lang, f), rows: f.rows, size: i < 2 ? 'large' : 'small'})}));
  body.append(...figures.map(({figure}) => figure.node));
  return {key, node, charts: [], hears: (k) => k.startsWith('register:'),
    update: () => figures.forEach(({f, figure}) => figure.show(store.answer(f.key), lang, (v) => ({text: count(lang, total(v, f.sum)), title: exactly(total(v, f.sum))}))),
    details: () => part.map((f) => ({text: `${title(lang, f)} ${exactly(total(store.value(f.key) ?? {count: 0}, f.sum))}`, url: urlOf(f.key), rows: f.rows}))};
}

function servicePanel({key, part, store, lang, urlOf}) {
  const {node, body, note} = shell(key, lang, NUMBER[key]);
  const figures = part.figures.map((f) => ({f, figure: new Figure({title: title(lang, f), rows: f.rows, size: 'small'})}));
  const reach = element('b', {}), bar = element('span', {class: 'part'}), meter = element('div', {class: 'meter', 'aria-hidden': 'true'}, bar);
  const words = element('span', {class: 'name'}, say(lang, 'within', {n: part.minutes}));
  body.append(element('div', {class: 'row'}, ...figures.map(({figure}) => figure.node)), element(part.rows ? 'a' : 'p', {class: 'reach', href: part.rows}, reach, words), meter);
  const shareOf = (v) => {
    const near = v.near?.[v.near.length - 1];
    return v.city?.[`sum_share_${near}`] ?? v.city?.[`share_${near}`];
  };
  return {key, node, charts: [], hears: (k) => k.startsWith('service:') || k === 'reach',
    update: () => {
      figures.forEach(({f, figure}) => figure.show(store.answer(f.key), lang, (v) => ({text: count(lang, total(v, f.sum)), title: exactly(total(v, f.sum))})));
      const answer = store.answer(part.reach), state = stateOf(answer, lang), share = state ? NaN : shareOf(answer.value);
      showNumber(reach, state ? state.text : percent(share), state?.mark);
      bar.style.width = Number.isFinite(share) ? `${100 * share}%` : '0';
      setText(note, '');
    },
    details: () => [...part.figures.map((f) => ({text: title(lang, f), url: urlOf(f.key), rows: f.rows})), {text: say(lang, 'within', {n: part.minutes}), url: urlOf(part.reach)}, {text: say(lang, 'worst'), url: part.worst}]};
}

function checksPanel({key, part, store, lang, urlOf}) {
  const {node, body, note} = shell(key, lang, NUMBER[key]);
  const all = new Figure({title: title(lang, {title: '核查', title_en: 'checks'}), rows: part.rows, size: 'large'});
  const reach = new Figure({title: say(lang, 'workers_reach', {n: part.norm}), size: 'large'});
  const canvas = element('div', {class: 'chart'}), chart = new Chart(canvas, say(lang, 'per_worker'));
  body.append(element('div', {class: 'row'}, all.node, reach.node), canvas);
  let asked = '';
  return {key, node, charts: [chart], hears: (k) => k.startsWith('checks'),
    update: () => {
      const answer = store.answer(part.total);
      all.show(answer, lang, (v) => ({text: count(lang, v.sum), title: exactly(v.sum)}));
      const month = answer.value?.groups?.filter((g) => g.id).map((g) => g.id).sort().at(-1);
      if (month && month !== asked) store.add(part.later(asked = month));
      if (month) setText(note, `${say(lang, 'per_worker')} · ${monthOf(lang, month)}`);
      reach.show(store.answer(part.share), lang, (v) => ({text: percent(v.share), title: `${v.share_count} / ${v.count}`}));
      const values = store.value(part.spread);
      if (values) chart.show(spread(values.groups.filter((g) => g.id !== null && g.count !== null).map((g) => [Number(g.id), g.count]).sort((a, b) => a[0] - b[0]), part.norm));
    },
    details: () => [part.total, part.share, part.spread].map((k) => ({text: say(lang, 'checks'), url: urlOf(k) || store.entries.get(k)?.question.url() || '', rows: part.rows}))};
}

/** Reports, by steps, and today. */
function loopPanel({key, part, store, lang, now, urlOf}) {
  const {node, body, note} = shell(key, lang, NUMBER[key], title(lang, part));
  const unit = lang === 'en' ? '' : ` ${part.unit}`;
  const figures = [new Figure({title: say(lang, 'reported') + unit, rows: part.rows}), new Figure({title: say(lang, 'resolved') + unit, rows: part.doneRows}), new Figure({title: say(lang, 'rate')})];
  const canvas = element('div', {class: 'chart flow'}), chart = new Chart(canvas, part.steps.map((s) => title(lang, s)).join(' → '));
  const today = element('p', {class: 'today'}), canvasDay = element('div', {class: 'chart day'}), chartDay = new Chart(canvasDay, `${say(lang, 'today')}, ${say(lang, 'usual')}`);
  body.append(element('div', {class: 'row three'}, ...figures.map((f) => f.node)), canvas, today, canvasDay);
  const show = () => {
    const answer = store.answer(part.status), status = answer.value;
    const n = (value) => countOf(status, value), all = status ? status.count : NaN, open = openOf(status, part);
    const ended = all === null || open === null ? null : all - open, [whole, done] = parts(lang, all, ended);
    figures[0].show(answer, lang, () => ({text: whole, title: exactly(all)}));
    figures[1].show(answer, lang, () => ({text: done, title: exactly(ended)}));
    figures[2].show(answer, lang, () => ({text: ended === null ? HIDDEN : all ? percent(ended / all) : '–', title: ended === null || !all ? '' : `${exactly(ended)} / ${exactly(all)}`}));
    // A flow with a part that nobody may know is none.
    if (!status || plus(part.steps.map((s) => n(s.value))) === null) return;
    let passed = all;
    chart.show(flow(part.steps.map((s) => {
      const step = {title: title(lang, s), waits: lang === 'en' ? s.waits_en : s.waits, passed, waiting: n(s.value), waitingText: count(lang, n(s.value), 1e5)};
      passed -= n(s.value);
      return step;
    })));
  };
  return {key, node, charts: [chart, chartDay], hears: (k) => k === 'status' || k === 'hours',
    update: () => {
      show();
      const hours = store.value(part.hours);
      if (!hours) return;
      const day = usualDay(hours.groups, now());
      chartDay.show(curve(day));
      const here = day.today.length - 1, usual = day.middle[here];
      setText(today, `${date(lang, now().later(-1))} ${count(lang, day.today[here] ?? 0)} · ${usualOf(lang, day.weekday)} ${count(lang, usual)}`);
      setText(note, '');
    },
    details: () => [{text: say(lang, 'reported'), url: urlOf(part.status), rows: part.rows}, ...part.steps.map((s) => ({text: title(lang, s), url: urlOf(part.status), rows: s.rows})), {text: say(lang, 'today'), url: urlOf(part.hours), rows: part.todayRows(now())}]};
}

/** Of an answer by a column: how many of a value. @param {any} answer @param {string} value @returns {number | null} */
function countOf(answer, value) {
  const group = answer?.groups?.find((g) => g.id === value);
  return group ? group.count : 0;
}

/** How many have not come to the loop's end. @param {any} status @param {any} part */
const openOf = (status, part) => plus(part.steps.slice(0, part.steps.findIndex((s) => s.time === part.done)).map((s) => countOf(status, s.value)));

/** What is open: how much, of which department, for how long. */
function openPanel({key, part, store, lang, now, urlOf}) {
  const {node, body, note} = shell(key, lang, '', say(lang, 'open'));
  const figure = new Figure({title: '', rows: part.openRows, unit: lang === 'en' ? '' : part.unit, size: 'huge'});
  figure.node.querySelector('.name').remove();
  const colours = ['--age-1', '--age-2', '--age-3', '--age-4'];
  const legend = element('p', {class: 'ages', 'aria-hidden': 'true'}, ...AGES.map((_, i) => element('span', {class: `age-${i + 1}`}, say(lang, /** @type {any} */ (`age${i}`)))));
  /** Those that have most. @type {string[]} */
  let departments = [];
  const canvas = element('div', {class: 'chart'}), chart = new Chart(canvas, say(lang, 'open'));
  body.append(element('div', {class: 'row'}, figure.node, legend), canvas);
  return {key, node, charts: [chart], hears: (k) => k === 'status' || k === 'overdue' || k.startsWith('age:'),
    update: () => {
      const answer = store.answer(part.status);
      figure.show(answer, lang, (status) => {
        const open = openOf(status, part);
        if (open === null) return {text: HIDDEN};
        return {text: parts(lang, status.count, status.count - open)[2], title: exactly(open)};
      });
      const ages = part.ages.map((k) => store.value(k));
      if (!ages.every((a) => a)) return;
      const rows = new Map();
      ages.forEach((a, i) => a.groups.forEach((g) => {
        if (!rows.has(g.id)) rows.set(g.id, [0, 0, 0, 0]);
        rows.get(g.id)[i] = g.count;
      }));
      const overdue = store.value(part.overdue), late = (id) => { const n = countOf(overdue, id); return n === null ? HIDDEN : n; };
      const sum = (list) => { const all = plus(list); return all === null ? HIDDEN : all; };
      const sorted = [...rows].sort((a, b) => (Number(sum(b[1])) || 0) - (Number(sum(a[1])) || 0));
      departments = sorted.map(([id]) => id).filter((id) => id !== null);
      if (overdue) setText(note, `${say(lang, 'late')} ${count(lang, overdue.count)}`);
      chart.show((u, size) => stacks(sorted.slice(0, Math.max(3, Math.floor(size.h / (1.22 * u)))).map(([id, list]) => ({name: id ?? '?', parts: list,
        text: `${sum(list)}${overdue ? ` ${say(lang, 'late')}${lang === 'en' ? ' ' : ''}${late(id)}` : ''}`})), colours)(u, size));
    },
    details: () => [{text: say(lang, 'late'), url: urlOf(part.overdue), rows: part.lateRows(now())}, ...part.ages.map((k, i) => ({text: say(lang, /** @type {any} */ (`age${i}`)), url: urlOf(k), rows: part.ageRows(now())[i]})),
      ...departments.slice(0, 3).map((id) => ({text: id, url: urlOf(part.ages[0]), rows: part.byRows(id)}))]};
}

/** Levels of a register: owed, made, late, unknown. */
function patrolPanel({key, part, store, lang, urlOf}) {
  const {node, body, note} = shell(key, lang, NUMBER[key], key === 'patrol' || lang === 'en' ? say(lang, key) : title(lang, part));
  const all = element('b', {class: 'sum'}), sum = element(part.rows ? 'a' : 'p', {class: 'total', href: part.rows}, all, element('span', {class: 'unit'}, lang === 'en' ? '' : part.unit ?? ''));
  const head = ['', 'due', 'done', 'overdue', 'unknown'].map((w) => element('th', {scope: 'col', title: w && say(lang, /** @type {any} */ (`${w}_is`), {unit: part.unit ?? ''})}, w ? say(lang, /** @type {any} */ (w)) : element('span', {class: 'hidden'}, say(lang, 'level'))));
  const tbody = element('tbody');
  const table = element('table', {}, element('thead', {}, element('tr', {}, ...head)), tbody);
  body.append(sum, table);
  let brief = true;
  /** @type {Map<string, HTMLElement[]>} */
  const rows = new Map();
  const rowOf = (level) => {
    if (rows.has(level)) return rows.get(level);
    const mark = element('i', {class: 'rental', 'data-level': level, 'aria-hidden': 'true'}), cells = Array.from({length: 4}, () => element('td', {}));
    const colour = part.colours[level], risk = ['A', 'B', 'C', 'D'].indexOf(level) + 1;
    if (risk && colour) {
      mark.className = 'risk';
      mark.dataset.risk = String(risk);
    } else if (colour && level !== 'prohibited') mark.style.background = colour;
    const name = part.titles[level] && lang !== 'en' ? part.titles[level] : level;
    // Short names leave room for numbers.
    table.classList.toggle('brief', brief &&= name.length <= 2);
    tbody.append(element('tr', {}, element('th', {scope: 'row'}, mark, name), ...cells));
    rows.set(level, cells);
    return cells;
  };
  /** Rows behind the columns: visits of the months that are told, targets by how they stand. */
  const details = () => {
    const {from, to} = store.value('patrol') ?? {}, last = to && new Date(Date.parse(to.slice(0, 10)) - 864e5).toISOString().slice(0, 10);
    const unit = part.unit ?? '', listed = [['overdue', 'overdue_is'], ['unjudged', 'unknown_is']];
    return [{text: title(lang, part), url: urlOf('patrol'), rows: part.rows}, {text: say(lang, 'done_is'), url: urlOf('patrol'), rows: from && part.visitRows(from.slice(0, 10), last)},
      ...listed.map(([state, words]) => ({text: say(lang, /** @type {any} */ (words), {unit}), url: part.single ? `/coverage/patrol?layer=${part.layer}&rows&state=${state}&limit=100` : '/coverage/patrol?by=village'}))];
  };
  return {key, node, charts: [], details, hears: (k) => k === 'patrol',
    update: () => {
      const answer = store.answer('patrol'), state = stateOf(answer, lang);
      if (state) {
        showNumber(all, state.text, state.mark, 'sum');
        return;
      }
      const mine = answer.value.rows.filter((r) => r.layer === part.layer && r.level !== null);
      showNumber(all, count(lang, plus(mine.map((r) => r.count))), '', 'sum');
      const from = answer.value.from, order = (r) => part.order.indexOf(r.level);
      if (from) setText(note, say(lang, 'visits_in', {m: monthOf(lang, from)}));
      for (const r of [...mine].sort((a, b) => order(a) - order(b))) {
        const cells = rowOf(r.level);
        [r.due, r.done, r.overdue, r.unjudged].forEach((n, i) => {
          showNumber(cells[i], count(lang, n, 1e4), n === 0 ? 'zero' : '');
        });
      }
    }};
}

/** Channels that there is room for. */
const WAYS_MOST = 4;

function participationPanel({key, part, store, lang, urlOf}) {
  const {node, body} = shell(key, lang, NUMBER[key]);
  const groups = part.map((f) => {
    const figure = new Figure({title: title(lang, f), rows: f.rows, unit: lang === 'en' ? '' : f.unit, size: 'large'});
    const ways = element('p', {class: 'ways'}), canvas = element('div', {class: 'chart'}), chart = new Chart(canvas, `${title(lang, f)}, ${say(lang, 'last_days', {n: USUAL_DAYS})}`);
    return {f, figure, ways, chart, said: '', node: element('div', {class: f.groups ? 'voice by' : 'voice'}, figure.node, canvas, ways)};
  });
  body.append(...groups.map((g) => g.node));
  return {key, node, charts: groups.map((g) => g.chart), hears: (k) => /^(participation|by|days):/.test(k),
    update: () => groups.forEach((group) => {
      const {f, figure, ways, chart} = group;
      figure.show(store.answer(f.key), lang, (v) => ({text: count(lang, total(v, f.sum)), title: exactly(total(v, f.sum))}));
      const by = f.groups && store.value(f.groups);
      const said = by ? by.groups.filter((g) => g.id !== null).sort((a, b) => b.count - a.count).slice(0, WAYS_MOST)
        .map((g) => `${lang === 'en' ? g.id : f.titles?.[g.id] ?? g.id} ${count(lang, g.count, 1e4)}`) : [say(lang, 'last_days', {n: USUAL_DAYS})];
      const text = JSON.stringify([said, body.clientWidth, body.clientHeight]);
      if (text !== group.said) {
        group.said = text;
        ways.replaceChildren(...said.map((words) => element('span', {}, words)));
        // The least are left out where there is no line for them.
        while (ways.childElementCount > 1 && ways.getBoundingClientRect().bottom > body.getBoundingClientRect().bottom + 1) ways.lastElementChild?.remove();
      }
      const list = store.value(f.days);
      if (list) chart.show(days(list.groups.filter((g) => g.id).map((g) => g.count ?? 0)));
    }),
    details: () => part.flatMap((f) => [{text: title(lang, f), url: urlOf(f.key), rows: f.rows}, ...(store.value(f.groups)?.groups ?? []).filter((g) => g.id !== null).slice(0, WAYS_MOST)
      .map((g) => ({text: lang === 'en' ? g.id : f.titles?.[g.id] ?? g.id, url: urlOf(f.groups), rows: f.groupRows(g.id)}))])};
}

/** Days after which a source is behind its rhythm. */
const RHYTHM = {live: 1 / 24, daily: 1.5, weekly: 9, monthly: 40, yearly: 400};

function sourcesPanel({key, part, lang, now}) {
  const {node, body, note} = shell(key, lang, NUMBER[key]);
  const list = element('ul', {class: 'list'}), absent = element('p', {class: 'absent'});
  body.append(list, absent);
  if (part.awaited.length) absent.append(element('span', {class: 'is-absent'}, say(lang, 'awaited')), ...part.awaited.map((a) => element('span', {}, title(lang, a))));
  const sources = part.layers.filter((l) => l.rows);
  let said = '';
  /** What is late is named; of the others so many of a moment, where there is not room for all. */
  const write = (groups, most) => list.replaceChildren(...groups.map(({at, late, names}) => {
    const left = late || names.length <= most ? [] : names.slice(most);
    return element('li', {class: late ? 'late' : ''}, element('span', {class: 'at'}, at), ...names.slice(0, names.length - left.length).map((n) => element('span', {class: 'name'}, n)),
      ...(left.length ? [element('span', {class: 'at', title: left.join(lang === 'en' ? ', ' : '、')}, say(lang, 'more', {n: left.length}))] : []));
  }));
  return {key, node, charts: [], hears: (k) => k === 'clock',
    update: () => {
      // Those of one moment stand together, the newest first.
      /** @type {Map<string, {at: string, late: boolean, names: string[]}>} */
      const groups = new Map();
      let behind = 0;
      for (const l of [...sources].sort((a, b) => Date.parse(b.as_of ?? 0) - Date.parse(a.as_of ?? 0))) {
        const moment = l.as_of ? now().later(Date.parse(l.as_of) - now().utcMs) : null;
        const days = moment ? (now().utcMs - moment.utcMs) / 864e5 : Infinity, late = days > (RHYTHM[l.rhythm] ?? Infinity);
        const at = !moment ? '?' : days < 1 ? moment.clock.slice(0, 5) : date(lang, moment), id = `${at} ${late}`;
        behind += late ? 1 : 0;
        if (!groups.has(id)) groups.set(id, {at, late, names: []});
        groups.get(id).names.push(title(lang, l));
      }
      setText(note, behind ? `${behind} ${say(lang, 'behind')}` : say(lang, 'all_ok'));
      const all = [...groups.values()], text = JSON.stringify([all, body.clientWidth, body.clientHeight]);
      if (text === said) return;
      said = text;
      let most = Math.max(...all.map((g) => g.names.length), 1);
      for (write(all, most); most > 1 && list.offsetHeight + absent.offsetHeight > body.clientHeight; ) write(all, --most);
    },
    details: () => [{text: say(lang, 'sources'), url: '/catalog'}]};
}

/** Towns: the share resolved in time, and rates; first and last, with how sure that is. */
function rankingPanel({key, part, store, lang, now, urlOf}) {
  const {node, body, note} = shell(key, lang, NUMBER[key]);
  setText(note, say(lang, 'last_days', {n: part.days}));
  const columns = [{text: say(lang, 'in_time'), key: part.inTime, read: (g) => ({value: g.share ?? NaN, hidden: !!g.hidden, low: g.share_low, high: g.share_high}), write: (v) => (100 * v).toFixed(1), head: say(lang, 'in_time_short'), whole: (a) => a.share},
    ...part.per.map((x) => ({text: title(lang, x), head: lang === 'en' ? x.short_en : x.short, key: x.key, read: (g) => ({value: Number.isFinite(g.rate) ? g.rate * x.scale / x.of : NaN, hidden: !!g.hidden, low: g.rate_low * x.scale / x.of, high: g.rate_high * x.scale / x.of}),
      write: (v) => v >= 100 ? v.toFixed(0) : v.toFixed(1), whole: (a) => a.rate * x.scale / x.of}))];
  const charts = columns.map((c) => new Chart(element('div', {class: 'chart dots'}), c.text));
  const names = element('ol', {class: 'names'}), values = columns.map(() => element('ol', {class: 'values'}));
  const grid = element('div', {class: 'towns'}, element('div', {class: 'column'}, element('p', {class: 'head'}, say(lang, 'towns')), names),
    ...columns.map((c, i) => element('div', {class: 'column'}, element('p', {class: 'head', title: c.text}, c.head ?? c.text), element('div', {class: 'pair'}, values[i], charts[i].element))));
  body.append(grid);
  const draw = () => {
    const answers = columns.map((c) => store.value(c.key));
    if (!answers[0]) return;
    const of = (i, id) => answers[i]?.groups.find((g) => g.id === id);
    const sorted = answers[0].groups.filter((g) => g.id !== null && Number.isFinite(g.share)).sort((a, b) => b.share - a.share);
    const u = charts[0].unitPx, rowPx = 1.28 * u, fits = Math.max(3, Math.floor((grid.clientHeight - 1.4 * u) / rowPx)), first = Math.ceil(fits / 2);
    const shown = sorted.length <= fits ? sorted : [...sorted.slice(0, first), ...sorted.slice(sorted.length - (fits - first))];
    names.replaceChildren(...shown.map((g, i) => element('li', {class: sorted.length > fits && i === first ? 'gap' : ''}, g.name ?? g.id)));
    columns.forEach((c, i) => {
      const rows = shown.map((g) => (of(i, g.id) ? c.read(of(i, g.id)) : {value: NaN, hidden: false, low: NaN, high: NaN}));
      values[i].replaceChildren(...rows.map((r, k) => element('li', {class: (sorted.length > fits && k === first ? 'gap ' : '') + (Number.isFinite(r.value) ? '' : r.hidden ? 'is-hidden' : 'is-unknown')}, Number.isFinite(r.value) ? c.write(r.value) : '')));
      charts[i].element.style.flexBasis = '0';
      charts[i].element.style.height = `${rows.length * rowPx}px`;
      if (answers[i]) charts[i].show(intervals(rows, c.whole(answers[i]), rowPx));
    });
  };
  return {key, node, charts, hears: (k) => k === part.inTime || k.startsWith('per:'), update: draw,
    details: () => columns.map((c, i) => ({text: c.text, url: urlOf(c.key), rows: i ? part.lastRows(now()) : part.dueRows(now())}))};
}
