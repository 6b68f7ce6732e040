// @ts-check
// answers.js - what the uppermost analysis says of one unit or cell: the number
// that it was painted by, with its significance.

import {classTitle} from '../columns.js';
import {shapeAt} from '../geometry.js';
import {address, coverageOf, hotspotsOf, layerOf, partsOf, selectionOf} from './shown.js';

/* Answers of whole levels that are kept: the last few. */
const KEPT = 4;

/** A probability as it is written: p < 0.001. @param {string} name @param {number | null | undefined} p */
export const probability = (name, p) => p === null || p === undefined ? '' : p < 0.001 ? `${name} < 0.001` : `${name} = ${p.toFixed(3)}`;

/* So near to a point one has pointed at it. */
const NEAR_PX = 9;
/** The same in degrees of latitude, as far as the view is off. @param {import('./state.js').State} now */
export const nearOf = (now) => NEAR_PX * 360 / (512 * 2 ** (now.map?.zoom ?? 9)) * Math.cos((now.map?.latDeg ?? 0) * Math.PI / 180);

export class Answers {
  /** @param {import('./panes.js').Context} context */
  constructor(context) {
    this.context = context;
    /** @type {Map<string, Promise<Map<string, any>>>} rows by id, by address */
    this.kept = new Map();
    /** @type {any[]} cells and hulls that are drawn */
    this.features = [];
  }

  /** Data has changed: what was told may be old. */
  forget() {
    this.kept.clear();
  }

  /** The analysis that lies uppermost, and its table: null: none of units. */
  question() {
    const {city, state} = this.context, {now} = state;
    const part = partsOf(city, now).reverse().find((p) => ['choropleth', 'hotspots', 'coverage'].includes(p.id));
    if (!part) return null;
    if (part.shapes) return {id: part.id, level: '', url: ''};
    const level = part.map.slice('choropleth:'.length);
    const url = part.id === 'choropleth'
      ? address(`/stats/${encodeURIComponent(now.layer)}`, {by: level, ...selectionOf(city, now), sum: now.stat === 'sum' ? part.params.column : '', per: now.stat === 'rate' && part.params.per !== 'area' ? part.params.per : ''})
      : part.id === 'hotspots' ? address(`/hotspots/${encodeURIComponent(now.layer)}`, hotspotsOf(city, now)) : address(`/coverage/${now.coverage}`, {...coverageOf(city, now), by: level});
    return {id: part.id, level, url};
  }

  /** @param {string} url @param {AbortSignal} signal @returns {Promise<Map<string, any>>} */
  table(url, signal) {
    const before = this.kept.get(url);
    if (before) return before;
    if (this.kept.size >= KEPT) this.kept.delete(this.kept.keys().next().value ?? '');
    const rows = this.context.get(url, signal).then((answer) => new Map((answer.rows ?? answer.groups ?? []).map((row) => [row.id, {...row, all: answer}])));
    this.kept.set(url, rows);
    rows.catch(() => this.kept.delete(url));
    return rows;
  }

  /**
   * @param {import('./map.js').Place | null} place null: of a unit only @param {Record<string, {id: string, name: string | null} | null>} units around it
   * @param {AbortSignal} signal
   * @returns {Promise<{value: string, unit: string, name: string, lines: string[]} | null>} null: nothing is drawn that says anything here
   */
  async at(place, units, signal) {
    const asked = this.question();
    if (!asked) return null;
    const {say} = this.context;
    if (!asked.url) {
      const cell = place && shapeAt(this.features, place.lonDeg, place.latDeg, nearOf(this.context.state.now));
      return cell ? this.told(asked.id, cell.properties) : null;
    }
    const unit = units[asked.level];
    if (!unit) return null;
    const row = (await this.table(asked.url, signal)).get(unit.id);
    const {names} = this.context.city;
    return row ? this.told(asked.id, names.row({name: unit.name, ...row}, asked.level, 'text_en')) : {value: asked.id === 'choropleth' ? '0' : '?', unit: '', name: names.unit(asked.level, unit.id, unit.name), lines: asked.id === 'choropleth' ? [] : [say('unknown')]};
  }

  told(id, row) {
    const {write, lang, say, state, city} = this.context, {now} = state, name = row.name ?? row.id ?? '', text = lang === 'en' ? row.text_en : row.text;
    if (id === 'choropleth') {
      if (row.count === null) return {value: '·', unit: say('hidden'), name, lines: []};
      // Not told is not unknown.
      if (row.rate === null && row.exposure_hidden) return {value: '·', unit: lang === 'en' ? row.all.unit_en : row.all.unit, name, lines: [say('hidden')]};
      if (row.rate !== undefined) return {value: row.rate === null ? '?' : write.about(row.rate), unit: lang === 'en' ? row.all.unit_en : row.all.unit, name, lines: row.rate === null ? [] : [say('interval', {low: write.about(row.rate_low), high: write.about(row.rate_high), n: write.exact(row.count)})]};
      return {value: write.exact(now.stat === 'sum' ? row.sum : row.count), unit: now.stat === 'sum' ? say('sum') : write.title(layerOf(city, now.layer) ?? {id: ''}), name, lines: []};
    }
    if (id === 'hotspots' && now.spots === 'dbscan') {
      const {area_km2: km2, count} = row, lines = [km2 > 0 ? say('cluster_area', {km2: write.about(km2), n: write.about(count / km2)}) : '', text ?? ''];
      return {value: write.exact(count ?? 0), unit: write.title(layerOf(city, now.layer) ?? {id: ''}), name: `${say('cluster')} ${row.id} · ${name}`, lines: lines.filter((t) => t)};
    }
    if (id === 'hotspots') {
      const sure = [row.z === undefined || row.z === null ? '' : `z = ${row.z.toFixed(2)}`, probability('p', row.p), probability('q', row.q)].filter((t) => t).join(' · ');
      return {value: write.exact(row.count ?? 0), unit: classTitle(lang, row.class ?? ''), name, lines: [sure, text ?? ''].filter((t) => t)};
    }
    const share = now.coverage === 'service' ? row.sum_share_10min : row.value;
    return {value: share === null || share === undefined ? '?' : now.coverage === 'workload' ? write.about(share) : `${(100 * share).toFixed(1)}%`, unit: say(/** @type {any} */ (now.coverage)), name, lines: text ? [text] : []};
  }
}
