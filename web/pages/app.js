// @ts-check
// app.js - the analyst's page: state in, questions out, answers shown.

import {getCity, getLayers, getLegend, getStats, getValue, heatTiles, search} from './api.js';
import {formatHash, joinTime, parseHash, splitTime} from './hash.js';
import {Live} from './live.js';
import {CityMap, hasWebgl2} from './map.js';
import {
  $, checkRadio, Days, element, filterHelp, showBandwidths, showColumns, showError, showLayers, showLegend,
  showNoLegend, showReading, Table,
} from './panel.js';
import {SearchBox} from './search.js';
import {exact, filterProblem, isDate, lastDays, moment, short} from './text.js';

/** Answers of the search that are listed, and how near one goes to what was
 *  chosen: a house, or a unit of the coarsest, the next, the finest level. */
const FOUND_MOST = 8;
const FOUND_ZOOM = 17, UNIT_ZOOMS = [12, 14, 15];
/** How long the pointer rests before the place is asked for. */
const REST_MS = 120;
/** Tiles spread beyond the rows by the bandwidth: degrees that surely hold it. */
const SPREAD_DEG = 0.2;

const state = parseHash(location.hash);
/** @type {import('./api.js').Layer[]} */
let layers = [];
/** @type {import('./api.js').City} */
let city;
/** @type {CityMap | null} */
let cityMap = null;
const table = new Table((id) => {
  if (coarse()) chooseUnit(id === state.unit ? '' : id, true);
});
const days = new Days((time) => setTime(time));

const theme = () => document.documentElement.dataset.theme === 'light' ? 'light' : 'dark';
const layer = () => layers.find((l) => l.id === state.layer);
/* What the table counts by: the coarsest units, or where a city has none the
 * first classes that the layer has. */
const coarse = () => city.levels.at(-1);
const groupedBy = () => (layer()?.columns.find((c) => c.name === coarse()) ??
  layer()?.columns.find((c) => c.type === 'category'))?.name;
const hasHeat = () => layer()?.geometry === 'point' && !layer()?.personal;
/* Times of single persons are not counted by day for everybody. */
const hasTimes = () => !!layer()?.time_column && !layer()?.personal;
/** @returns {import('./api.js').Question} */
const question = () => ({layer: state.layer, filter: state.filter, time: hasTimes() ? state.time : '', bandwidth: state.bandwidth});

function save() {
  history.replaceState(null, '', formatHash(state));
}

/* Of questions that overtake each other only the last one's answer counts. */
const running = {};
function latest(name) {
  running[name]?.abort();
  running[name] = new AbortController();
  return running[name].signal;
}
/** @param {string} name @param {(signal: AbortSignal) => Promise<void>} work */
async function ask(name, work) {
  const signal = latest(name);
  try {
    await work(signal);
  } catch (error) {
    if (signal.aborted) return;
    failed(error, name === 'stats' || name === 'legend');
  }
}

/** What stands there is not the answer to what was asked last. @param {boolean} stale */
function markStale(stale) {
  for (const part of [$('result'), $('days'), document.querySelector('.caption')]) part?.classList.toggle('stale', stale);
  if (!stale) return;
  showTotal(null);
  cityMap?.showHeat(null);
  markSpans(null);
}

/** @param {number | null} count null: not known */
function showTotal(count) {
  $('total').replaceChildren(element('span', {}, count === null ? '?' : exact(count)),
    element('span', {className: 'quiet'}, ` / ${short(layer()?.rows ?? 0)} 行 rows`));
}

/** @param {any} error @param {boolean} [whole] is what is shown no answer any more? */
function failed(error, whole = true) {
  const aboutFilter = error.parameter === 'filter';
  $('filter').setAttribute('aria-invalid', String(aboutFilter));
  for (const id of ['from', 'to']) $(id).setAttribute('aria-invalid', String(error.parameter === 'datetime'));
  if (city && whole) markStale(true);
  if (aboutFilter) return showError('filter-error', filterProblem(state.filter, error.message, error.at));
  const said = error instanceof TypeError ? '服务器没有回应 The server does not answer'
    : /from is not before to/.test(error.message) ? `起止日期颠倒：“从”在“到”之后 ${error.message}` : error.message;
  showError('result-error', said);
}

/** The data is as of then. @param {string | undefined} asOf */
function showAsOf(asOf) {
  if (!asOf) return;
  $('as-of').textContent = moment(asOf);
  $('as-of').dateTime = asOf;
}

/** @param {import('./live.js').News} news */
function showSequence(news) {
  $('sequence').textContent = `#${news.sequence}`;
}

/* Numbers follow changes, however many there are, at this pace. */
const NUMBERS_MS = 2000;
let numbersDue = 0;
function numbersSoon() {
  if (numbersDue) return;
  numbersDue = window.setTimeout(async () => {
    numbersDue = 0;
    layers = await getLayers().catch(() => layers);
    if (!$('result').classList.contains('stale')) showNumbers();
  }, NUMBERS_MS);
}

/** What is shown of the layers that changed is asked for again. @param {import('./live.js').News} news */
function onNews(news) {
  showSequence(news);
  for (const [name, touched] of Object.entries(news.layers ?? {})) {
    const shown = name === state.layer;
    // A kernel of the page's kind ends at its bandwidth.
    cityMap?.refreshChanged(name, touched, shown && hasHeat(), state.bandwidth);
    if (!shown) continue;
    showAsOf(news.as_of);
    numbersSoon();
  }
}

function startLive() {
  showSequence(city);
  new Live({
    onNews,
    onReset: async (news) => {
      showSequence(news);
      layers = await getLayers().catch(() => layers);
      showAsOf(layer()?.as_of);
      for (const l of layers) cityMap?.refreshChanged(l.id, {rows: 0, level: 0, cells: [[0, 0]]}, false, 0);
      refresh();
    },
    onSilence: (silent) => {
      $('silence').hidden = !silent;
      $('silence-since').textContent = silent ? `${$('as-of').textContent}` : '';
    },
  }, city.sequence);
}

/** Counts by unit and by day, and what is under the pin. */
function showNumbers() {
  const q = question(), shown = layer();
  if (!shown) return;
  ask('stats', async (signal) => {
    const stats = await getStats(q, groupedBy(), signal);
    table.show(stats.groups ?? []);
    showTotal(stats.count);
  });
  ask('days', async (signal) => {
    days.show(hasTimes() ? (await getStats({...q, time: ''}, 'day', signal)).groups ?? [] : null, state.time);
  });
  if (state.at) read(state.at, true);
}

function refresh() {
  save();
  showError('filter-error', null);
  showError('result-error', null);
  for (const id of ['filter', 'from', 'to']) $(id).setAttribute('aria-invalid', 'false');
  markStale(false);
  markSpans(state.time);
  const q = question(), shown = layer(), palette = theme();
  if (!shown) return;
  showNumbers();
  if (!hasHeat()) {
    latest('legend');
    latest('value');
    cityMap?.showHeat(null);
    showNoLegend(shown);
  }
  if (hasHeat()) ask('legend', async (signal) => {
    const legend = await getLegend(q, palette, signal);
    showLegend(legend, shown, q.bandwidth);
    // Only now: a wrong filter must not be asked for in twenty tiles.
    const box = shown.extent?.spatial.bbox[0];
    const bounds = box && [Math.max(-180, box[0] - SPREAD_DEG), Math.max(-85, box[1] - SPREAD_DEG),
      Math.min(180, box[2] + SPREAD_DEG), Math.min(85, box[3] + SPREAD_DEG)];
    await cityMap?.ready;
    if (!signal.aborted && !$('result').classList.contains('stale')) cityMap?.showHeat(heatTiles(q, palette, devicePixelRatio > 1 ? 2 : 1), bounds);
  });
}

/** @param {{lonDeg: number, latDeg: number}} place @param {boolean} pinned */
function read(place, pinned) {
  if (!hasHeat()) return;
  ask('value', async (signal) => {
    const reading = await getValue(question(), {...place, zoom: cityMap?.tileZoom() ?? 14}, signal);
    if (!signal.aborted) showReading(reading, city.levels, pinned);
  });
}

let resting = 0;
function onPoint(place, pinned, unit) {
  clearTimeout(resting);
  if (pinned) {
    state.at = place;
    cityMap?.pin(place);
    chooseUnit(unit, false);
    read(place, true);
  } else if (!state.at) {
    resting = window.setTimeout(() => read(place, false), REST_MS);
  }
}

function unpin() {
  state.at = null;
  cityMap?.pin(null);
  latest('value');
  if (hasHeat()) showReading(null, city.levels, false);
  save();
}

/** @param {string} id @param {boolean} fly */
function chooseUnit(id, fly) {
  state.unit = id;
  table.choose(id);
  cityMap?.choose(id, fly);
  save();
}

/** @param {string} id */
function setLayer(id) {
  if (id !== state.layer) {
    // Columns differ from layer to layer: a filter does not carry over.
    state.filter = '';
    $('filter').value = '';
  }
  state.layer = id;
  showLayer();
  refresh();
}

/** @param {string} time */
function setTime(time) {
  state.time = time;
  showTime();
  refresh();
}

function showTime() {
  const {from, to} = splitTime(state.time);
  $('from').value = from;
  $('to').value = to;
  days.mark(state.time);
}

function showLayer() {
  const shown = layer();
  if (!shown) return;
  checkRadio('layer', shown.id);
  checkRadio('bandwidth', state.bandwidth);
  showColumns(shown, (name) => {
    $('filter').setRangeText(name, $('filter').selectionStart, $('filter').selectionEnd, 'end');
    $('filter').focus();
  });
  $('filter-help').textContent = filterHelp(shown);
  const by = groupedBy();
  const unit = layers.find((l) => l.unit_level && l.unit_level === by);
  $('result-title').replaceChildren(by ? `${shown.title} 按${unit?.title ?? by} ` : shown.title,
    element('span', {lang: 'en'}, by ? `by ${by}` : ''));
  $('bandwidth').closest('fieldset').hidden = !hasHeat();
  $('period-inputs').hidden = !hasTimes();
  $('period-note').textContent = hasTimes() ? '拖动柱形选时段 drag to select'
    : shown.personal ? '个人位置仅按单元计数 persons: counts by unit only' : '此图层没有时间 no time column';
  showAsOf(shown.as_of);
  document.title = `${shown.title} · onemap`;
}

/** The last so many days by the data's clock, else of the layer's data. @param {number} count */
function spanTime(count) {
  if (!count) return '';
  return city.clock ? lastDays(city.clock, count) : days.last() && lastDays(days.last(), count);
}

function showSpans() {
  const span = (label, count) => {
    const button = element('button', {type: 'button', className: 'plain', onclick: () => setTime(spanTime(count))}, label);
    button.dataset.days = String(count);
    return button;
  };
  $('spans').replaceChildren(span('近7天 7 d', 7), span('近30天 30 d', 30), span('全部 All', 0));
}

/** Which of them is asked for. @param {string | null} time null: none */
function markSpans(time) {
  for (const button of $('spans').children)
    button.setAttribute('aria-pressed', String(time !== null && spanTime(Number(button.dataset.days)) === time));
}

/** What was typed as a period; what is no date is told and not asked for. */
function typedTime() {
  const wrong = ['from', 'to'].filter((id) => {
    $(id).value = $(id).value.trim().replace(/[/.年月]/g, '-').replace(/日$/, '').replace(/-(\d)(?!\d)/g, '-0$1');
    return $(id).value && !isDate($(id).value);
  });
  for (const id of ['from', 'to']) $(id).setAttribute('aria-invalid', String(wrong.includes(id)));
  if (!wrong.length) return setTime(joinTime($('from').value, $('to').value));
  markStale(true);
  showError('result-error', `不是日期：${$(wrong[0]).value} not a date; write 2023-06-20`);
}

/** Go to what was found: a unit is outlined, all else gets the pin. @param {import('./api.js').Found} found */
function goTo(found) {
  const place = {lonDeg: found.lon, latDeg: found.lat};
  const level = layers.find((l) => l.id === found.layer)?.unit_level;
  const depth = level ? city.levels.length - 1 - city.levels.indexOf(level) : -1;
  if (depth === 0) return chooseUnit(found.id, true);
  cityMap?.goTo(place, UNIT_ZOOMS[depth] ?? FOUND_ZOOM);
  onPoint(place, true, found[coarse()]?.id ?? '');
}

function wireSearch() {
  new SearchBox({input: $('search'), list: $('found')}, {
    find: (text, signal) => search(text, {near: state.map ?? undefined, limit: FOUND_MOST}, signal),
    choose: goTo,
    title: (found) => layers.find((l) => l.id === found.layer)?.title ?? found.kind,
    levels: city.levels,
  });
}

function wire() {
  wireSearch();
  $('filter').value = state.filter;
  $('filter-form').onsubmit = (e) => {
    e.preventDefault();
    state.filter = $('filter').value.replace(/\s+/g, ' ').trim();
    refresh();
  };
  $('filter').onkeydown = (e) => {
    if (e.key === 'Enter' && !e.shiftKey && !e.isComposing) {
      e.preventDefault();
      $('filter-form').requestSubmit();
    }
  };
  $('filter-clear').onclick = () => {
    $('filter').value = '';
    $('filter-form').requestSubmit();
  };
  for (const id of ['from', 'to']) $(id).onchange = typedTime;
  $('theme').onclick = () => setTheme(theme() === 'light' ? 'dark' : 'light');
  window.addEventListener('keydown', (e) => {
    if (e.key === 'Escape') return unpin();
    const typing = /^(INPUT|TEXTAREA)$/.test(document.activeElement?.tagName ?? '') &&
      /** @type {any} */ (document.activeElement).type !== 'radio';
    if (typing || e.ctrlKey || e.metaKey || e.altKey) return;
    const to = {f: 'filter', t: 'from', '/': 'search'}[e.key.toLowerCase()];
    if (!to) return;
    e.preventDefault();
    $(to).focus();
  });
  window.addEventListener('hashchange', () => {
    Object.assign(state, parseHash(location.hash));
    if (!layer()) state.layer = layers[0]?.id ?? '';
    $('filter').value = state.filter;
    showLayer();
    showTime();
    table.choose(state.unit);
    cityMap?.choose(state.unit, false);
    cityMap?.pin(state.at);
    const view = state.map;
    if (view) cityMap?.map.jumpTo({center: [view.lonDeg, view.latDeg], zoom: view.zoom});
    refresh();
  });
}

/** @param {string} name */
function setTheme(name) {
  document.documentElement.dataset.theme = name;
  $('theme').setAttribute('aria-pressed', String(name === 'light'));
  $('theme').replaceChildren(name === 'light' ? '深色 ' : '浅色 ', element('span', {lang: 'en'}, name === 'light' ? 'Dark' : 'Light'));
  try {
    localStorage.setItem('theme', name);
  } catch { /* private windows may refuse; the choice then lasts as long as the page */ }
  cityMap?.paint();
  if (city) refresh();
}

function firstTheme() {
  try {
    const kept = localStorage.getItem('theme');
    if (kept) return kept;
  } catch { /* as above */ }
  return matchMedia('(prefers-color-scheme: light)').matches ? 'light' : 'dark';
}

function showNoMap() {
  $('no-map').hidden = false;
  $('no-map').replaceChildren(
    element('p', {}, '此浏览器不支持 WebGL2，地图无法显示；右侧的数字不受影响。'),
    element('p', {className: 'quiet', lang: 'en'}, 'This browser has no WebGL2, so there is no map; the numbers beside it are complete.'));
}

async function start() {
  setTheme(firstTheme());
  [city, layers] = await Promise.all([getCity(), getLayers()]);
  const filled = layers.filter((l) => l.rows > 0);
  const of = (test) => filled.filter(test);
  // Points have heat; a city without any still has counts.
  const points = [of((l) => l.geometry === 'point'), of((l) => !l.unit_level), filled].find((list) => list.length);
  if (!points) throw new Error('这座城市还没有数据 This city has no rows yet');
  if (!points.some((l) => l.id === state.layer))
    state.layer = (points.find((l) => l.id === 'hazard') ?? points.reduce((a, b) => a.rows > b.rows ? a : b)).id;
  $('city').textContent = city.title;
  $('synthetic').hidden = !city.synthetic;
  showLayers($('layers'), points, setLayer);
  showBandwidths($('bandwidth'), (m) => {
    state.bandwidth = m;
    refresh();
  });
  showSpans();
  wire();
  showLayer();
  showTime();
  if (hasHeat()) showReading(null, city.levels, false);
  if (hasWebgl2())
    try {
      cityMap = new CityMap($('map'), {layers, levels: city.levels, view: state.map}, {
        onMove: (view) => {
          state.map = view;
          save();
        },
        onPoint,
        onBusy: (busy) => { $('busy').hidden = !busy; },
      });
      cityMap.ready.then(() => {
        cityMap?.pin(state.at);
        cityMap?.choose(state.unit, false);
      });
    } catch (error) {
      console.warn(error);
      showNoMap();
    }
  else showNoMap();
  table.chosen = state.unit;
  refresh();
  startLive();
}

start().catch(failed);
