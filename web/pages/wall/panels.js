// @ts-check
// panels.js - the panels around the map: each is built once from the plan and
// then only told new answers.

import {Chart, curve, days, flow, intervals, spread, stacks} from './charts.js';
import {HEARS, countOf, departments, exactly, levelsIn, numbersOf, openOf, shareWithin, total} from './numbers.js';
import {AGES, USUAL_DAYS, dayByDay, usualDay} from './plan.js';
import {HIDDEN, column, count, date, daysOf, month as monthOf, parts, percent, plus, rates, say, title} from './words.js';

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

/** @typedef {{node: HTMLElement, charts: Chart[], update: () => void}} Built @typedef {Built & {key: string, hears: (key: string) => boolean, numbers: () => import('./numbers.js').Entry[]}} Panel */
/** What a panel is built of; live: it does not show an earlier moment; large: it stands over the map. @typedef {import('./numbers.js').Context & {key: string, live: () => boolean, large: boolean}} How */

/** @param {How} how @param {string} [heading] */
function shell({key, lang, large}, heading) {
  const id = `${large ? 'large' : 'panel'}-${key}`, no = NUMBER[key], body = element('div', {class: 'body'}), note = element('span', {class: 'note'});
  const node = element('section', {class: `panel ${key}${large ? ' large' : ''}`, 'aria-labelledby': id, id: `${large ? 'over' : 'at'}-${key}`},
    element('h2', {id}, no ? element('span', {class: 'no', 'aria-hidden': 'true'}, no) : '', heading ?? say(lang, /** @type {any} */ (key)), note), body);
  return {node, body, note};
}

/**
 * The panels that the city has something for.
 * @param {any} plan @param {import('./store.js').Store} store @param {Language} lang @param {import('../names.js').Names} names
 * @param {(key: string) => import('./plan.js').Moment} moment   what a panel shows
 * @param {string[]} [over]   those that are to stand over the map once more, larger
 * @returns {Panel[]}
 */
export function makePanels(plan, store, lang, names, moment, over) {
  const {questions, parts: p} = plan;
  const urlOf = (key) => questions.find((q) => q.key === key)?.url(moment('')) ?? '';
  const make = {register: figuresPanel, service: servicePanel, checks: checksPanel, ranking: rankingPanel, sources: sourcesPanel, loop: loopPanel, open: openPanel,
    patrol: patrolPanel, premises: patrolPanel, participation: participationPanel};
  const of = {...p, open: p.loop, sources: p.sources};
  const panels = [];
  for (const [key, build] of Object.entries(make)) {
    const part = of[key];
    if (!part || (Array.isArray(part) && !part.length) || (over && !over.includes(key))) continue;
    const context = {key, part, store, lang, names, large: !!over, urlOf, now: () => moment(key), live: () => moment(key) === moment('')};
    panels.push({...build(context), key, hears: HEARS[key], numbers: () => numbersOf(key, context)});
  }
  return panels;
}

const NUMBER = {register: '1', loop: '2', open: '', patrol: '3', premises: '4', checks: '5', participation: '6', service: '7', sources: '8', ranking: '9'};

/** @param {How} how @returns {Built} */
function figuresPanel(how) {
  const {part, store, lang} = how, {node, body} = shell(how);
  const figures = part.map((f, i) => ({f, figure: new Figure({title: title(lang, f), rows: f.rows, size: i < 2 ? 'large' : 'small'})}));
  body.append(...figures.map(({figure}) => figure.node));
  return {node, charts: [],
    update: () => figures.forEach(({f, figure}) => figure.show(store.answer(f.key), lang, (v) => ({text: count(lang, total(v, f.sum)), title: exactly(total(v, f.sum))})))};
}

/** @param {How} how @returns {Built} */
function servicePanel(how) {
  const {part, store, lang} = how, {node, body} = shell(how);
  const figures = part.figures.map((f) => ({f, figure: new Figure({title: title(lang, f), rows: f.rows, size: 'small'})}));
  const reach = element('b', {}), bar = element('span', {class: 'part'}), meter = element('div', {class: 'meter', 'aria-hidden': 'true'}, bar);
  const words = element('span', {class: 'name'}, say(lang, 'within', {n: part.minutes}));
  body.append(element('div', {class: 'row'}, ...figures.map(({figure}) => figure.node)), element(part.reachRows ? 'a' : 'p', {class: 'reach', href: part.reachRows}, reach, words), meter);
  return {node, charts: [],
    update: () => {
      figures.forEach(({f, figure}) => figure.show(store.answer(f.key), lang, (v) => ({text: count(lang, total(v, f.sum)), title: exactly(total(v, f.sum))})));
      const answer = store.answer(part.reach), state = stateOf(answer, lang), share = state ? NaN : shareWithin(answer.value);
      showNumber(reach, state ? state.text : percent(share), state?.mark);
      bar.style.width = Number.isFinite(share) ? `${100 * Number(share)}%` : '0';
    }};
}

/** @param {How} how @returns {Built} */
function checksPanel(how) {
  const {part, store, lang} = how, {node, body, note} = shell(how);
  const all = new Figure({title: say(lang, 'checks_sum'), rows: part.rows, size: 'large'});
  // Whose they are depends on the month: the link comes with it.
  const reach = new Figure({title: say(lang, 'workers_reach', {n: part.norm}), size: 'large', rows: part.reachRows('')});
  const canvas = element('div', {class: 'chart'}), chart = new Chart(canvas, say(lang, 'per_worker'));
  body.append(element('div', {class: 'row'}, all.node, reach.node), canvas);
  let asked = '';
  return {node, charts: [chart],
    update: () => {
      const answer = store.answer(part.total);
      all.show(answer, lang, (v) => ({text: count(lang, v.sum), title: exactly(v.sum)}));
      const month = part.latest(answer.value);
      if (month && month !== asked) store.add(part.later(asked = month));
      if (month && reach.node.hasAttribute('href')) reach.node.setAttribute('href', part.reachRows(month));
      if (month) setText(note, `${say(lang, 'per_worker')} · ${monthOf(lang, month)}`);
      reach.show(store.answer(part.share), lang, (v) => ({text: percent(v.share), title: `${v.share_count} / ${v.count}`}));
      const values = store.value(part.spread);
      if (!values) return;
      const known = values.groups.filter((g) => g.id !== null && g.count !== null);
      // Too few of each to be told.
      canvas.classList.toggle('is-hidden', !known.length && values.groups.length > 0);
      chart.show(known.length ? spread(known.map((g) => [Number(g.id), g.count]).sort((a, b) => a[0] - b[0]), part.norm) : () => ({}));
    }};
}

/** Reports, by steps, and today. @param {How} how @returns {Built} */
function loopPanel(how) {
  const {part, store, lang, now, live} = how, {node, body} = shell(how, title(lang, part));
  const unit = lang === 'en' ? '' : ` ${part.unit}`;
  const figures = [new Figure({title: say(lang, 'reported') + unit, rows: part.rows}), new Figure({title: say(lang, 'resolved') + unit, rows: part.doneRows}), new Figure({title: say(lang, 'rate'), rows: part.doneRows})];
  const canvas = element('div', {class: 'chart flow'}), chart = new Chart(canvas, part.steps.map((s) => title(lang, s)).join(' → '));
  const todayIs = element('span', {class: 'is-today'}), usualIs = element('span', {class: 'is-usual'}), band = element('span', {class: 'is-band'}, say(lang, 'by_hour'));
  const today = element(part.rows ? 'a' : 'p', {class: 'today', href: part.rows && '#'}, todayIs, usualIs), canvasDay = element('div', {class: 'chart day'}), chartDay = new Chart(canvasDay, `${say(lang, 'today')}, ${say(lang, 'usual')}`);
  body.append(element('div', {class: 'row three'}, ...figures.map((f) => f.node)), canvas, today, element('div', {class: 'days'}, canvasDay, band));
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
  return {node, charts: [chart, chartDay],
    update: () => {
      show();
      const hours = store.value(part.hours);
      if (!hours) return;
      const day = usualDay(hours.groups, now(), live());
      chartDay.show(curve(day.byHour));
      if (part.rows) today.setAttribute('href', part.todayRows(now()));
      setText(todayIs, `${date(lang, now().later(-1))} ${count(lang, day.sofar)}`);
      setText(usualIs, `${daysOf(lang, day.weekday, day.days)} ${count(lang, day.usual)}`);
    }};
}

/** Rows of departments: as high as they like to be, and at least; their unit is the panel's letters. */
const DEPARTMENT_U = 1.2, DEPARTMENT_LEAST_U = 1;

/** What is open: how much, of which department, for how long. @param {How} how @returns {Built} */
function openPanel(how) {
  const {part, store, lang, names, now, large} = how, {node, body, note} = shell(how, say(lang, 'open'));
  const figure = new Figure({title: '', rows: part.openRows, unit: lang === 'en' ? '' : part.unit, size: 'huge'});
  figure.node.querySelector('.name').remove();
  const colours = ['--age-1', '--age-2', '--age-3', '--age-4'];
  const ages = AGES.map((_, i) => element(part.openRows ? 'a' : 'span', {class: `age-${i + 1}`, href: part.openRows}));
  const canvas = element('div', {class: 'chart'}), chart = new Chart(canvas, say(lang, 'open'));
  const [whose, open, late] = ['names', 'values', 'values late'].map((name) => element('ol', {class: name})), room = element('div', {class: 'departments'}, whose, canvas, open, late);
  node.querySelector('h2').append(figure.node);
  if (large) room.classList.add('headed');
  body.append(element('p', {class: 'ages'}, ...ages), room);
  /** Where there is little room, what people call it for short. */
  const nameOf = (id) => (!large && (lang === 'en' ? part.short_en : part.short)?.[id]) || names.value(part.layer, part.by, id);
  const cell = (n, rows, word = '') => element('li', {}, ...(word ? [element('span', {class: 'word'}, word)] : []), element(rows && n !== null ? 'a' : 'span', {class: n === null ? 'is-hidden' : Number.isFinite(n) ? '' : 'is-unknown', href: n !== null && rows}, Number.isFinite(n) ? large ? exactly(n) : count(lang, n) : ''));
  return {node, charts: [chart],
    update: () => {
      figure.show(store.answer(part.status), lang, (status) => {
        const open = openOf(status, part);
        if (open === null) return {text: HIDDEN};
        return {text: large ? exactly(open) : parts(lang, status.count, status.count - open)[2], title: exactly(open)};
      });
      const rowsOf = part.openRows ? part.ageRows(now()) : [];
      ages.forEach((node, i) => {
        const n = total(store.value(part.ages[i])), text = say(lang, /** @type {any} */ (`age${i}`));
        setText(node, large && n !== null && Number.isFinite(n) ? `${text} ${exactly(n)}` : text);
        if (rowsOf[i]) node.setAttribute('href', rowsOf[i]);
      });
      const overdue = store.value(part.overdue), sorted = departments(part, store);
      if (overdue) setText(note, `${say(lang, 'late')} ${count(lang, overdue.count)}`);
      if (!sorted.length) return;
      const u = chart.unitPx, h = room.clientHeight - (large ? 1.4 * u : 0), fits = Math.max(3, Math.floor(h / ((large ? DEPARTMENT_LEAST_U : DEPARTMENT_U) * u))), shown = sorted.slice(0, fits);
      const rowPx = Math.min(large ? 1.6 * u : DEPARTMENT_U * u, h / shown.length);
      room.style.setProperty('--row', `${rowPx}px`);
      // Where there is room a head says once what the columns are.
      const head = (word) => (large ? [element('li', {class: 'head'}, word)] : []);
      whose.replaceChildren(...head(shown.length < sorted.length ? say(lang, 'more', {n: sorted.length - shown.length}) : ''), ...shown.map(({id}) => element('li', {}, id === null ? '?' : nameOf(id))));
      open.replaceChildren(...head(say(lang, 'open')), ...shown.map(({id, parts: list}) => cell(plus(list), part.byRows(id))));
      late.replaceChildren(...(overdue ? [...head(say(lang, 'late')), ...shown.map(({id, late: n}) => cell(n, part.lateRows(now(), id), large ? '' : say(lang, 'late')))] : []));
      canvas.style.height = `${shown.length * rowPx}px`;
      chart.show(stacks(shown.map((d) => d.parts), colours, rowPx));
    }};
}

/** From here on numbers of patrols would touch each other. */
const FIVE_DIGITS = 1e4;
/** Columns of patrols. */
const STATES = /** @type {const} */ (['due', 'done', 'overdue', 'unknown']);

/** Levels of a register: visits that are due and made in a month, and how many are late or unknown now. @param {How} how @returns {Built} */
function patrolPanel(how) {
  const {key, part, store, lang, large} = how, {node, body, note} = shell(how, key === 'patrol' || lang === 'en' ? say(lang, key) : title(lang, part));
  const all = element('b', {class: 'sum'}), sum = element(part.rows ? 'a' : 'span', {class: 'total', href: part.rows}, all, element('span', {class: 'unit'}, lang === 'en' ? '' : part.unit ?? ''));
  const visits = element('span'), state = element('span', {}, say(lang, 'state_now')), over = (...of) => element('th', {scope: 'colgroup', colspan: 2}, ...of);
  const tens = element('span', {class: 'tens note'}), heads = STATES.map((w) => element('th', {scope: 'col'}, say(lang, w)));
  const tbody = element('tbody');
  const table = element('table', {}, element('thead', {}, element('tr', {class: 'of'}, element('th', {class: 'corner', scope: 'col', rowspan: 2}, element('span', {class: 'hidden'}, say(lang, 'level')), tens), over(visits), over(state)), element('tr', {}, ...heads)), tbody);
  node.querySelector('h2').append(sum);
  body.append(table);
  let brief = true;
  /** @type {Map<string, HTMLElement[]>} */
  const rows = new Map();
  const rowOf = (level) => {
    if (rows.has(level)) return rows.get(level);
    const mark = element('i', {class: 'rental', 'data-level': level, 'aria-hidden': 'true'});
    const cells = ['due', 'visited', 'overdue', 'unjudged'].map((s) => part.levelRows(level, s)).map((href) => element(href ? 'a' : 'span', {href}));
    const colour = part.colours[level], risk = ['A', 'B', 'C', 'D'].indexOf(level) + 1;
    if (risk && colour) {
      mark.className = 'risk';
      mark.dataset.risk = String(risk);
    } else if (colour && level !== 'prohibited') mark.style.background = colour;
    const name = part.titles[level] && lang !== 'en' ? part.titles[level] : level;
    // Short names leave room for numbers.
    table.classList.toggle('brief', brief &&= name.length <= 2);
    tbody.append(element('tr', {}, element('th', {scope: 'row'}, mark, name), ...cells.map((c) => element('td', {}, c))));
    rows.set(level, cells);
    return cells;
  };
  return {node, charts: [],
    update: () => {
      const houses = store.answer(part.total), none = stateOf(houses, lang), answer = store.answer('patrol'), nothing = stateOf(answer, lang);
      showNumber(all, none ? none.text : count(lang, total(houses.value)), none?.mark, 'sum');
      setText(note, nothing?.label ?? '');
      if (nothing) return;
      const mine = levelsIn(part, answer.value), {from} = answer.value;
      // Who may not see single ones is told no more than tens.
      setText(tens, mine.some((r) => 'hidden' in r) ? say(lang, 'in_tens') : '');
      // Where the heading has no room for the unit the table says it.
      const head = sum.parentElement;
      node.classList.remove('tight');
      node.classList.toggle('tight', head.scrollWidth > head.clientWidth);
      const numbers = (r) => [r.due, r.done, r.overdue, r.unjudged], alike = [0, 2].flatMap((i) => Array(2).fill(column(lang, mine.flatMap((r) => numbers(r).slice(i, i + 2)), i ? FIVE_DIGITS : undefined)));
      const thousands = (i) => large || !alike[i].unit ? '' : lang === 'en' ? `, ${alike[i].unit}` : alike[i].unit;
      setText(visits, say(lang, 'visits_in', {m: from ? monthOf(lang, from) : '', k: thousands(0)}) + (lang === 'en' ? thousands(0) : ''));
      setText(state, say(lang, 'state_now', {dot: thousands(2) || node.classList.contains('tight') ? ' · ' : '', unit: node.classList.contains('tight') ? part.unit ?? '' : '', k: thousands(2)}) + (lang === 'en' ? thousands(2) : ''));
      for (const r of mine) {
        const cells = rowOf(r.level);
        // Where there is room for them, exactly.
        numbers(r).forEach((n, i) => showNumber(cells[i], large ? exactly(n) : alike[i].write(n), n === 0 ? 'zero' : ''));
        // What has a mark in place of a number has a name all the same.
        cells.forEach((c) => { c.title = c.textContent ? '' : say(lang, c.className === 'is-hidden' ? 'few' : 'unknown'); });
      }
    }};
}

/** Channels that there is room for. */
const WAYS_MOST = 4;

/** @param {How} how @returns {Built} */
function participationPanel(how) {
  const {part, store, lang, names, now} = how, {node, body, note} = shell(how);
  setText(note, say(lang, 'last_days', {n: USUAL_DAYS}));
  const groups = part.map((f) => {
    const figure = new Figure({title: title(lang, f), rows: f.rows, unit: lang === 'en' ? '' : f.unit});
    const ways = element('p', {class: 'ways'}), canvas = element('div', {class: 'chart'}), chart = new Chart(canvas, `${title(lang, f)}, ${say(lang, 'last_days', {n: USUAL_DAYS})}`);
    return {f, figure, ways, chart, said: '', node: element('div', {class: 'voice'}, figure.node, canvas, ...(f.groups ? [ways] : []))};
  });
  body.append(...groups.map((g) => g.node));
  return {node, charts: groups.map((g) => g.chart),
    update: () => groups.forEach((group) => {
      const {f, figure, ways, chart} = group;
      figure.show(store.answer(f.key), lang, (v) => ({text: count(lang, total(v, f.sum)), title: exactly(total(v, f.sum))}));
      const by = f.groups && store.value(f.groups), list = store.value(f.days);
      if (list) chart.show(days(dayByDay(list.groups, now(), USUAL_DAYS)));
      if (!by) return;
      const said = by.groups.filter((g) => g.id !== null).sort((a, b) => b.count - a.count).slice(0, WAYS_MOST);
      const text = JSON.stringify([said, body.clientWidth]);
      if (text === group.said) return;
      group.said = text;
      const alike = column(lang, said.map((g) => g.count));
      ways.replaceChildren(...said.map((g) => element(f.rows ? 'a' : 'span', {href: f.groupRows(g.id)}, `${(lang !== 'en' && f.titles?.[g.id]) || names.value(f.layer, f.by, g.id)} ${alike.write(g.count)}${alike.unit}`)));
      // The least are left out where there is no room for them.
      while (ways.childElementCount > 1 && ways.scrollWidth > ways.clientWidth + 1) ways.lastElementChild?.remove();
    })};
}

/** Days after which a source is behind its rhythm. */
const RHYTHM = {live: 1 / 24, daily: 1.5, weekly: 9, monthly: 40, yearly: 400};

/** The two oldest moments that are not late as one. @param {{at: string, late: boolean, names: string[]}[]} groups   the newest first */
function together(groups) {
  const [newer, older] = groups.filter((g) => !g.late).slice(-2), one = {at: `${older.at.split('–')[0]}–${newer.at.split('–').at(-1)}`, late: false, names: [...newer.names, ...older.names]};
  return groups.flatMap((g) => g === newer ? [one] : g === older ? [] : [g]);
}

/** @param {How} how @returns {Built} */
function sourcesPanel(how) {
  const {part, lang, now, large} = how, {node, body, note} = shell(how);
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
  return {node, charts: [],
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
        groups.get(id).names.push((!large && lang === 'en' && part.short_en?.[l.name]) || title(lang, l));
      }
      setText(note, behind ? `${behind} ${say(lang, 'behind')}` : say(lang, 'all_ok'));
      const all = [...groups.values()], text = JSON.stringify([all, body.clientWidth, body.clientHeight]);
      if (text === said) return;
      said = text;
      let most = Math.max(...all.map((g) => g.names.length), 1);
      const cut = () => list.offsetHeight + absent.offsetHeight > body.clientHeight;
      for (write(all, most); most > 1 && cut(); ) write(all, --most);
      // Then the oldest that are as they should be stand together: what is not connected is told always.
      for (let rest = all; cut() && rest.filter((g) => !g.late).length > 1; write(rest, 1)) rest = together(rest);
    }};
}

/** Rows of towns, in the panel's letters: as they are, and at least where all are told. */
const ROW_U = 1.28, ROW_LEAST_U = 0.96;

/** Towns: the share resolved in time, and rates; first and last, with how sure that is. @param {How} how @returns {Built} */
function rankingPanel(how) {
  const {part, store, lang, names, now} = how, {node, body, note} = shell(how);
  setText(note, say(lang, 'intervals', {a: say(lang, part.area ? 'all' : 'city')}));
  const lastOnes = () => say(lang, 'days_short', {n: part.days});
  const columns = [{text: say(lang, 'in_time'), key: part.inTime, read: (g) => ({value: g.share ?? NaN, hidden: !!g.hidden, low: g.share_low, high: g.share_high}), write: () => (v) => (100 * v).toFixed(1), head: say(lang, 'in_time_short'), rows: part.dueRows, span: lastOnes, whole: (a) => a.share},
    ...part.per.map((x) => ({text: title(lang, x), head: lang === 'en' ? x.short_en : x.short, key: x.key, rows: x.rows, span: x.windowed ? () => monthOf(lang, x.time(now())) : lastOnes, read: (g) => ({value: Number.isFinite(g.rate) ? g.rate * x.scale / x.of : NaN, hidden: !!g.hidden, low: g.rate_low * x.scale / x.of, high: g.rate_high * x.scale / x.of}),
      write: rates, whole: (a) => a.rate * x.scale / x.of}))];
  const charts = columns.map((c) => new Chart(element('div', {class: 'chart dots'}), c.text));
  const named = element('ol', {class: 'names'}), left = element('p', {class: 'head'}, '\u00a0'), values = columns.map(() => element('ol', {class: 'values'})), spans = columns.map(() => element('p', {class: 'head span'})), heads = columns.map((c) => element('p', {class: 'head', title: c.text}));
  const grid = element('div', {class: 'towns'}, element('div', {class: 'column'}, element('p', {class: 'head'}, say(lang, 'towns')), left, named),
    ...columns.map((c, i) => element('div', {class: 'column'}, heads[i], spans[i], element('div', {class: 'pair'}, values[i], charts[i].element))));
  body.append(grid);
  const draw = () => {
    const answers = columns.map((c) => store.value(c.key));
    const whole = how.large && !node.classList.contains('small');
    columns.forEach((c, i) => {
      setText(heads[i], whole ? c.text : c.head ?? c.text);
      setText(spans[i], c.span());
    });
    if (!answers[0]) return;
    const of = (i, id) => answers[i]?.groups.find((g) => g.id === id);
    const sorted = answers[0].groups.filter((g) => g.id !== null && Number.isFinite(g.share)).sort((a, b) => b.share - a.share);
    const u = charts[0].unitPx, room = grid.clientHeight - 2.6 * u;
    // All of them, closer together, where that is enough.
    const rowPx = whole ? Math.max(ROW_LEAST_U * u, Math.min(ROW_U * u, room / sorted.length)) : ROW_U * u, fits = Math.max(3, Math.floor(room / rowPx + 1e-6)), first = Math.ceil(fits / 2);
    grid.style.setProperty('--row', `${rowPx}px`);
    const shown = sorted.length <= fits ? sorted : [...sorted.slice(0, first), ...sorted.slice(sorted.length - (fits - first))];
    // Those in the middle are not told; \u00a0 keeps the line.
    setText(left, shown.length < sorted.length ? say(lang, 'more', {n: sorted.length - shown.length}) : '\u00a0');
    named.replaceChildren(...shown.map((g, i) => element('li', {class: sorted.length > fits && i === first ? 'gap' : ''}, names.unit(part.by, g.id, g.name))));
    columns.forEach((c, i) => {
      const rows = shown.map((g) => (of(i, g.id) ? c.read(of(i, g.id)) : {value: NaN, hidden: false, low: NaN, high: NaN})), write = c.write(rows.map((r) => r.value));
      values[i].replaceChildren(...rows.map((r, k) => {
        const href = c.rows(now(), shown[k].id), is = Number.isFinite(r.value) ? '' : !answers[i] ? 'is-waiting' : r.hidden ? 'is-hidden' : 'is-unknown';
        return element('li', {class: sorted.length > fits && k === first ? 'gap' : ''}, element(href && !is ? 'a' : 'span', {class: is, href: !is && href}, Number.isFinite(r.value) ? write(r.value) : answers[i] ? '' : '–'));
      }));
      charts[i].element.style.flexBasis = '0';
      charts[i].element.style.height = `${rows.length * rowPx}px`;
      if (answers[i]) charts[i].show(intervals(rows, c.whole(answers[i]), rowPx));
    });
  };
  return {node, charts, update: draw};
}
