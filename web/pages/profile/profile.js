// @ts-check
// profile.js - the pane that tells of an area: how many of everything, since
// when, of which kinds, and whether that is different from the city.

import {columnTitle} from '../columns.js';
import {$, element} from '../dom.js';
import {evenly} from '../text.js';
import {circleKm2, formatArea, parseArea, RADIUS_M, ringForMap, ringKm2} from './area.js';
import {askLine, askParts, askTrend, categories, countedLayers} from './ask.js';
import {Drawing} from './drawing.js';
import {csvKnown, csvOf} from './numbers.js';
import {choice, copyButton, failure, knownCell, percent, perOptions, saveCsv, verdictCell} from './parts.js';
import {words} from './words.js';

/** Categories of the subject that are told, and values of each that are shown. */
const COLUMNS_MOST = 3, VALUES_MOST = 8;
/** Of more days than this months are told. */
const DAYS_MOST = 200;
/** Fields of the state that a profile is of. */
const OF = ['area', 'unit', 'units', 'layer', 'filter', 'time'];

/** @param {import('./area.js').LonLat[]} ring */
const shapeOf = (ring) => ({type: 'Feature', properties: {}, geometry: {type: 'Polygon', coordinates: [[...ring, ring[0]]]}});

/** The area that is asked about: drawn, else the unit that is chosen. @param {import('../analyst/panes.js').Context} context @returns {import('./area.js').Area | null} */
export function areaOf({state, level}) {
  const {area, unit} = state.now;
  return parseArea(area) ?? (unit && level() ? {kind: 'unit', level: level(), id: unit} : null);
}

class Profile {
  /** @param {HTMLElement} container @param {import('../analyst/panes.js').Context} context */
  constructor(container, context) {
    Object.assign(this, {container, context});
    this.say = words(context.lang);
    this.speech = {say: this.say, write: context.write};
    this.per = '';
    this.step = '';
    /** @type {Drawing | null} */
    this.drawing = null;
    container.classList.add('pane-profile');
    this.message = element('p', {className: 'note', role: 'status'});
    this.body = element('div', {});
    container.append(this.tools(), this.message, this.body);
    this.outline();
  }

  /* ---- the area */

  tools() {
    const {say, context} = this;
    this.centre = element('input', {type: 'text', className: 'long', autocomplete: 'off', spellcheck: false, placeholder: '113.75,23.02'});
    this.radius = element('input', {type: 'text', inputMode: 'numeric', value: String(RADIUS_M.usual)});
    const form = element('form', {className: 'tools', onsubmit: (e) => {
      e.preventDefault();
      this.typed();
    }}, element('label', {}, say('centre'), this.centre), element('label', {}, say('radius'), this.radius), element('button', {type: 'submit'}, say('draw_circle')));
    return element('div', {}, element('div', {className: 'tools', role: 'group', ariaLabel: say('area')},
      element('button', {type: 'button', onclick: () => this.begin('polygon')}, say('lasso'), ' ', element('kbd', {}, 'L')),
      element('button', {type: 'button', onclick: () => this.begin('circle')}, say('circle')),
      element('button', {type: 'button', onclick: () => context.state.update({area: '', unit: ''})}, say('clear')),
      element('span', {className: 'push'}, copyButton(this.speech, say('copy_link'), () => location.href))), form);
  }

  /** @param {'polygon' | 'circle'} kind */
  begin(kind) {
    this.context.withMap((map) => {
      this.drawing?.stop();
      this.drawing = new Drawing($('map'), map, {say: this.say, onEnd: (area) => {
        if (area) this.choose(area);
        // Whoever came by the key goes on in the pane.
        if (document.activeElement === document.body) this.container.focus({preventScroll: true});
      }, onTooSmall: () => this.tell(this.say('too_small'))});
      this.drawing.start(kind);
    });
  }

  typed() {
    const {say} = this, at = this.centre.value.split(/[,,\s]+/).filter((t) => t).map(Number), m = Number(this.radius.value);
    if (at.length !== 2 || !at.every(Number.isFinite) || Math.abs(at[0]) > 180 || Math.abs(at[1]) > 85) return this.tell(say('not_a_place'));
    if (!(m >= RADIUS_M.least && m <= RADIUS_M.most)) return this.tell(say('not_a_radius', RADIUS_M));
    this.choose({kind: 'circle', at: [at[0], at[1]], radiusM: m});
  }

  /** @param {import('./area.js').Area} area */
  choose(area) {
    this.tell('');
    this.context.state.update({area: formatArea(area), pane: 'profile'});
  }

  tell(text) {
    this.message.textContent = text;
  }

  /** The area on the map, whichever pane is open. */
  outline() {
    const area = parseArea(this.context.state.now.area), ring = area && ringForMap(area);
    this.context.withMap((map) => map.outline('area', ring ? [shapeOf(ring)] : null, {line: '--choice', width: 2, fill: '--choice', fillOpacity: 0.08}));
  }

  /* ---- what is told of it */

  async ask() {
    const {context, say} = this, {state, city} = context, area = areaOf(context), layer = context.subject();
    if (area?.kind === 'circle') {
      this.centre.value = area.at.join(',');
      this.radius.value = String(area.radiusM);
    } else if (state.now.at) {
      this.centre.value = `${state.now.at.lonDeg.toFixed(6)},${state.now.at.latDeg.toFixed(6)}`;
    }
    if (!area || !layer) {
      context.drop('profile');
      this.body.removeAttribute('aria-busy');
      return this.body.replaceChildren(element('p', {className: 'note'}, say('how')));
    }
    const {layer: id, filter, time} = state.now, subject = {layer: id, filter, time};
    this.body.setAttribute('aria-busy', 'true');
    await context.ask('profile', async (signal) => {
      try {
        const columns = categories(layer).slice(0, COLUMNS_MOST), per = this.per ? {name: this.per, layer: city.exposures[this.per]?.layer} : null;
        const [name, lines, trend, ...parts] = await Promise.all([this.nameOf(area, signal),
          Promise.all(countedLayers(city.layers).map((l) => askLine(l, area, subject, per, signal))),
          this.trendOf(layer, area, subject, signal),
          ...columns.map((c) => askParts(layer, c.name, area, subject, signal))]);
        if (signal.aborted) return;
        this.lines = lines.sort((a, b) => Number(b.layer.id === id) - Number(a.layer.id === id));
        this.body.replaceChildren(element('h2', {className: 'area-name'}, name), this.actions(area), this.counts(), ...(trend ? [this.trend(trend)] : []),
          ...columns.map((c, i) => (parts[i] ? this.parts(c.name, parts[i]) : this.section(`${say('parts', {layer: this.title(layer)})} · ${columnTitle(context.lang, c.name)}`, [], element('p', {className: 'note'}, say('not_told'))))));
        context.announce(name);
      } catch (error) {
        if (signal.aborted || error.parameter === 'filter') throw error;
        this.body.replaceChildren(failure(this.speech, error, () => this.ask()));
      } finally {
        // Whoever was overtaken leaves this to the next.
        if (!signal.aborted) this.body.removeAttribute('aria-busy');
      }
    });
  }

  title(layer) {
    return this.context.write.title(layer);
  }

  /** @param {import('./area.js').Area} area @param {AbortSignal} signal */
  async nameOf(area, signal) {
    const {say, context} = this, {write, city} = context;
    if (area.kind === 'unit') {
      const units = city.layers.find((l) => l.unit_level === area.level);
      const row = units && await context.get(`/collections/${encodeURIComponent(units.id)}/items/${encodeURIComponent(area.id)}`, signal).catch(() => null);
      return `${units ? write.title(units) : area.level} · ${city.names.unit(area.level, area.id, row?.properties.name)}`;
    }
    const km2 = area.kind === 'circle' ? circleKm2(area.radiusM) : ringKm2(area.ring);
    return `${area.kind === 'circle' ? say('circle_of', {m: write.exact(area.radiusM)}) : say('drawn_area')} · ${say('km2', {n: write.about(km2)})}`;
  }

  /** @param {import('./area.js').Area} area */
  actions(area) {
    const {city, lang} = this.context;
    if (area.kind !== 'unit' || area.level !== city.levels[0] || !city.duty) return element('span', {});
    return element('p', {className: 'note'}, element('a', {href: `/sheet?unit=${encodeURIComponent(area.level)}:${encodeURIComponent(area.id)}${lang === 'en' ? '&lang=en' : ''}`, target: '_blank', rel: 'noopener'}, this.say('sheet')));
  }

  /** @param {string} title @param {Node[]} beside @param {...Node} more */
  section(title, beside, ...more) {
    return element('section', {}, element('h3', {}, title, ...beside), ...more);
  }

  /** @param {string} name @param {string[]} head @param {unknown[][]} rows */
  csv(name, head, rows) {
    return element('button', {type: 'button', className: 'plain push', onclick: () => saveCsv(`${name}.csv`, csvOf(head, rows))}, this.say('csv'));
  }

  counts() {
    const {say, context, per, lines, speech} = this, {write, city, state} = context, about = city.exposures[per];
    const columns = ['layer', 'here', 'of_city', ...(per ? ['rate'] : [])], rateText = evenly(lines.map((l) => l.rate?.value));
    const head = (key) => (key === 'rate' ? (context.lang === 'en' ? about?.unit_en : about?.unit) ?? say('rate') : say(key));
    const cells = {
      layer: (l) => element('a', {href: l.target, title: l.target, target: '_blank', rel: 'noopener'}, this.title(l.layer)),
      here: (l) => knownCell(speech, l.count),
      of_city: (l) => (l.count.known === 'number' ? percent(l.share) : ''),
      rate: ({rate}) => (!rate ? '' : rate.value === null ? '?' : element('span', {}, rateText(rate.value), element('small', {}, `${rateText(rate.low)}–${rateText(rate.high)}`), element('small', {}, `${say('city')} ${rateText(rate.city)}`), verdictCell(speech, rate.verdict))),
    };
    const number = (c) => (c === 'layer' ? '' : 'number');
    const csv = this.csv('profile', ['layer', 'title', 'count', 'city', 'share_of_city', ...(per ? ['per', 'rate', 'rate_low', 'rate_high', 'city_rate', 'against_city'] : []), 'address'],
      lines.map((l) => [l.layer.id, this.title(l.layer), csvKnown(l.count), csvKnown(l.city), l.share, ...(per ? [per, l.rate?.value, l.rate?.low, l.rate?.high, l.rate?.city, l.rate?.verdict] : []), location.origin + l.target]));
    const subject = context.subject();
    // What is about persons is not told by the day.
    const always = state.now.time && areaOf(context)?.kind === 'unit' ? lines.filter((l) => l.layer.time_column && l.layer.personal).map((l) => this.title(l.layer)) : [];
    return this.section(say('counts'), [csv],
      ...(Object.keys(city.exposures).length ? [element('div', {className: 'tools'}, choice(say('per'), perOptions(this.speech, city, context.lang), per, (value) => {
        this.per = value;
        this.ask();
      }))] : []),
      element('table', {className: 'figures'}, element('thead', {}, element('tr', {}, ...columns.map((c) => element('th', {scope: 'col', className: number(c)}, head(c))))),
        element('tbody', {}, ...lines.map((l) => element('tr', {className: l.layer.id === state.now.layer ? 'now' : ''},
          ...columns.map((c) => element(c === 'layer' ? 'th' : 'td', c === 'layer' ? {scope: 'row'} : {className: number(c)}, cells[c](l))))))),
      element('p', {className: 'note'}, [say('legend_of_cells'), ...(state.now.filter && subject ? [say('filter_on', {layer: this.title(subject)})] : []), ...(always.length ? [say('all_time', {layers: always.join(context.lang === 'en' ? ', ' : '、')})] : []), ...(lines.some((l) => l.count.known === 'hidden') ? [`· ${say('not_told')}`] : [])].join(' · ')),
      ...(per && !lines.some((l) => l.rate) ? [element('p', {className: 'note', role: 'status'}, say('refused_per'))] : []));
  }

  /** By day, or where these are many by month. */
  async trendOf(layer, area, subject, signal) {
    const step = /** @type {'day' | 'month'} */ (this.step || 'day'), trend = await askTrend(layer, area, subject, step, signal);
    if (!trend?.steps.length) return null;
    if (this.step || trend.steps.length <= DAYS_MOST) return {...trend, step};
    const months = await askTrend(layer, area, subject, 'month', signal);
    return months && {...months, step: 'month'};
  }

  /** @param {any} trend */
  trend(trend) {
    const {say, context} = this, {write} = context, layer = this.title(context.subject());
    const ofCity = (s) => (trend.city ? s.city * trend.total / trend.city : 0), most = Math.max(1, ...trend.steps.map((s) => Math.max(s.count, ofCity(s))));
    const NS = 'http://www.w3.org/2000/svg', svg = document.createElementNS(NS, 'svg'), set = (node, attributes) => {
      for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, String(value));
      return node;
    };
    set(svg, {class: 'trend', viewBox: `0 0 ${trend.steps.length} 100`, preserveAspectRatio: 'none', role: 'img', 'aria-label': `${say('trend', {layer})}: ${trend.steps.slice(-12).map((s) => `${s.at} ${s.count}`).join(', ')}`});
    trend.steps.forEach((s, i) => {
      const height = s.count / most * 98, bar = svg.appendChild(set(document.createElementNS(NS, 'rect'), {x: i + 0.08, y: 100 - height, width: 0.84, height}));
      bar.appendChild(document.createElementNS(NS, 'title')).textContent = `${s.at}: ${write.exact(s.count)}`;
    });
    svg.append(set(document.createElementNS(NS, 'polyline'), {points: trend.steps.map((s, i) => `${i + 0.5},${(100 - ofCity(s) / most * 98).toFixed(2)}`).join(' ')}));
    const steps = ['day', 'month'].map((s) => element('button', {type: 'button', className: 'plain', ariaPressed: String(s === trend.step), onclick: () => {
      this.step = s;
      this.ask();
    }}, say(s === 'day' ? 'by_day' : 'by_month')));
    return this.section(say('trend', {layer}), [...steps, this.csv('trend', ['at', 'count', 'city'], trend.steps.map((s) => [s.at, s.count, s.city]))],
      svg, element('div', {className: 'axis'}, element('span', {}, trend.steps[0].at), element('span', {}, say('most', {n: write.exact(Math.max(...trend.steps.map((s) => s.count)))})), element('span', {}, trend.steps.at(-1).at)), element('p', {className: 'note'}, say('trend_city')));
  }

  /** @param {string} column @param {any} told */
  parts(column, told) {
    const {say, speech, context} = this, layer = context.subject(), most = Math.max(0.01, ...told.parts.map((p) => Math.max(p.share ?? 0, p.city ?? 0)));
    return this.section(`${say('parts', {layer: this.title(layer)})} · ${columnTitle(context.lang, column)}`, [this.csv(column, [column, 'count', 'share', 'share_low', 'share_high', 'city_share', 'p', 'q', 'against_city'],
      told.parts.map((p) => [p.id, csvKnown(p.count), p.share, p.low, p.high, p.city, p.p, p.q, p.verdict]))],
      element('div', {className: 'parts'}, ...told.parts.slice(0, VALUES_MOST).map((p) => {
        const bar = element('span', {}), tick = element('i', {});
        bar.style.width = `${(p.share ?? 0) / most * 100}%`;
        tick.style.left = `${(p.city ?? 0) / most * 100}%`;
        return element('div', {className: 'part'}, element('span', {className: 'what'}, p.id === null ? say('no_value') : context.city.names.value(layer.id, column, p.id)),
          element('span', {}, knownCell(speech, p.count), ` ${percent(p.share)} `, verdictCell(speech, p.verdict)),
          element('div', {className: 'bar', title: `${say('interval')} ${percent(p.low)}–${percent(p.high)}, ${say('city')} ${percent(p.city)}`}, bar, tick));
      })), element('p', {className: 'note'}, [say('part_city'), say('fdr_of', {n: this.context.write.exact(told.parts.filter((p) => p.q !== null).length), sure: told.parts.filter((p) => p.verdict === 'higher' || p.verdict === 'lower').length}), ...(told.parts.length > VALUES_MOST ? [say('first_of', {n: VALUES_MOST, all: told.parts.length})] : [])].join(' · ')));
  }
}

export const profilePane = {
  id: 'profile', side: 'result', key: 'l', title: (say) => say('profile'),
  /** @param {HTMLElement} container @param {import('../analyst/panes.js').Context} context */
  mount(container, context) {
    const profile = new Profile(container, context);
    context.onNews(() => { if (context.state.now.pane === 'profile' && areaOf(context)) profile.ask(); });
    context.state.subscribe((_, changed) => { if (changed.has('area')) profile.outline(); });
    return {
      show: () => profile.ask(),
      hide: () => profile.drawing?.stop(),
      act: () => profile.begin('polygon'),
      change(now, changed) {
        if (OF.some((name) => changed.has(name)) || (changed.has('at') && !now.area)) profile.ask();
      },
    };
  },
};
