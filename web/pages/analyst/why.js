// @ts-check
// why.js - the value at the pinned place, and what makes it.

import {element} from '../dom.js';
import {address, drawnOf, hasHeat, heatOf, layerOf} from './shown.js';

/** @param {string} path @param {import('./panes.js').Context} context */
export function valueAt(context, {lonDeg, latDeg}, zoom, signal) {
  const {city, state} = context, {map, params} = heatOf(city, state.now);
  return context.get(address('/value', {name: map, lon: lonDeg.toFixed(7), lat: latDeg.toFixed(7), z: Math.min(22, zoom + 1), ...params}), signal);
}

/**
 * What is at a place: the field's value, or where that is refused (or there is
 * no field) the units around it alone, and why.
 * @param {import('./panes.js').Context} context @param {import('./map.js').Place} place @param {number} zoom @param {AbortSignal} signal
 */
export async function readingAt(context, place, zoom, signal) {
  let problem = '';
  if (context.state.now.model || hasHeat(context.subject()))
    try {
      return {...await valueAt(context, place, zoom, signal), field: true, problem};
    } catch (error) {
      if (signal.aborted || ![400, 401, 404].includes(error.status) || error.parameter === 'filter') throw error;
      problem = context.textOf(error);
    }
  return {units: await context.get(address('/reverse', {lon: place.lonDeg.toFixed(7), lat: place.latDeg.toFixed(7)}), signal), field: false, problem};
}

/** The units around a place, largest first: 麻涌镇 · 白边村. @param {any} reading @param {import('./shown.js').City} city */
export const whereOf = (reading, {levels, names}) => [...levels].reverse().filter((level) => reading.units?.[level]).map((level) => names.unit(level, reading.units[level].id, reading.units[level].name)).join(' · ');

/** Where a row is told in words. @param {string} lang @param {string} layer @param {string} column @param {string} id */
const rowSheet = (lang, layer, column, id) => address('/sheet', {list: address(`/collections/${encodeURIComponent(layer)}/items`, {filter: `"${column}" = '${id.replaceAll("'", "''")}'`}), lang: lang === 'en' ? 'en' : ''});

export const whyPane = {
  id: 'why', side: 'result', title: (say) => say('why'),
  /** @param {HTMLElement} container @param {import('./panes.js').Context} context */
  mount(container, context) {
    const {say, write, lang, city, state} = context;
    const body = element('div', {className: 'why'});
    container.append(body);
    const hint = () => body.replaceChildren(element('p', {className: 'quiet'}, say(matchMedia('(hover: none)').matches ? 'tap_to' : 'point_to')));
    const cell = (text, number = false) => element('td', {className: number ? 'number' : ''}, text);

    const show = (reading, answer) => {
      const terms = (reading.terms ?? []).map((t) => element('tr', {}, cell((lang === 'en' ? t.title_en : t.title) ?? t.name), cell(write.about(t.value ?? NaN), true), cell(t.share === null ? '' : `${(100 * t.share).toFixed(0)}%`, true), cell(t.count === null ? '·' : write.exact(t.count), true)));
      /* A row may count in several terms: it is one all the same. */
      const each = new Map();
      for (const r of reading.rows ?? []) {
        const key = `${r.layer} ${r.id}`, before = each.get(key);
        each.set(key, before ? {...before, share: (before.share ?? 0) + (r.share ?? 0)} : r);
      }
      const rows = [...each.values()].map((r) => {
        const layer = layerOf(city, r.layer);
        return element('tr', {}, element('td', {}, element('a', {href: rowSheet(lang, r.layer, layer?.id_column ?? 'id', r.id), target: '_blank', rel: 'noopener'}, r.id), ' ', element('span', {className: 'quiet'}, layer ? write.title(layer) : r.layer)),
          cell(`${write.exact(Math.round(r.distance_m))} m`, true), cell(`${(100 * (r.share ?? 0)).toFixed(1)}%`, true));
      });
      const table = (caption, head, lines) => lines.length ? [element('table', {}, element('caption', {}, caption), element('thead', {}, element('tr', {}, ...head.map((h, i) => element('th', {scope: 'col', className: i ? 'number' : ''}, h)))), element('tbody', {}, ...lines))] : [];
      body.replaceChildren(
        element('h2', {}, reading.title || whereOf(reading, city) || say('outside')),
        ...answer ? [element('p', {className: 'sentence'}, element('b', {}, `${answer.value} ${answer.unit}`.trim()), answer.name ? ` · ${answer.name}` : ''), ...answer.lines.map((text) => element('p', {className: 'sentence'}, text))] : [],
        element('p', {className: 'sentence'}, (lang === 'en' ? reading.text_en : reading.text) ?? ''),
        ...reading.problem && drawnOf(city, state.now).some((d) => d.id === 'heat') ? [element('p', {className: 'error'}, reading.problem)] : [],
        ...table(say('terms'), [say('name'), say('value'), say('share'), say('count')], terms.length > 1 ? terms : []),
        ...table(say('strongest'), [say('row'), say('distance'), say('share')], rows));
    };

    // Of a unit that is chosen in a table there is no place, but what the analysis says of it.
    const unitTold = () => {
      const {unit} = state.now, level = context.level();
      if (!unit || !level) {
        context.drop('why');
        return hint();
      }
      return context.ask('why', async (signal) => {
        const units = {[level]: {id: unit, name: null}}, answer = await context.answerAt(null, units, signal);
        if (signal.aborted) return;
        if (answer) show({units: {}, title: answer.name}, {...answer, name: ''});
        else hint();
      });
    };

    const read = () => {
      const {at} = state.now;
      if (!at) return unitTold();
      return context.ask('why', async (signal) => {
        const zoom = await new Promise((done) => context.withMap((map) => done(map.tileZoom())));
        const reading = await readingAt(context, at, zoom, signal);
        const answer = await context.answerAt(at, reading.units ?? {}, signal);
        if (!signal.aborted) show(reading, answer);
      });
    };
    context.onNews((layer) => { if (state.now.pane === 'why' && (layer === null || layer === state.now.layer)) read(); });
    return {
      show: read,
      // What stood here was of another place.
      problem(error, name, text) {
        if (name === 'why') body.replaceChildren(element('p', {className: 'error', role: 'alert'}, text));
        return name === 'why';
      },
      change(now, changed) {
        if ((!now.at && changed.has('unit')) || ['at', 'layer', 'layers', 'filter', 'time', 'model', 'kernel', 'bandwidth', 'halflife', 'weight', 'per', 'units', 'stat', 'column', 'spots', 'coverage'].some((name) => changed.has(name))) read();
      },
    };
  },
};
