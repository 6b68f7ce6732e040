// @ts-check
// names.js - what a city's units, values and sources are called in the page's
// language, as its catalog says (/catalog?lang=). What has no word is shown as
// it is. Pure.

/**
 * @typedef {Record<string, Record<string, string>>} Titles   by column and value
 * @typedef {object} Named   a layer of the catalog
 * @property {string} name
 * @property {string} [unit_level]
 * @property {string} [picture_by]   a column
 * @property {Record<string, string>} [picture_titles]
 * @property {Record<string, string>} [picture_titles_en]
 * @property {Titles} [value_titles]
 * @property {Titles} [value_titles_en]
 */

/** Parts of a value that is put together. */
const PARTS_MOST = 4;

/** A value that is listed, or all of it parts that are: 虎门镇消防救援. @param {Record<string, string>} titles @param {string} value @param {number} [left] @returns {string[] | null} */
function partsOf(titles, value, left = PARTS_MOST) {
  if (Object.hasOwn(titles, value)) return [titles[value]];
  for (let n = left > 1 ? value.length - 1 : 0; n > 0; n--) {
    if (!Object.hasOwn(titles, value.slice(0, n))) continue;
    const rest = partsOf(titles, value.slice(n), left - 1);
    if (rest) return [titles[value.slice(0, n)], ...rest];
  }
  return null;
}

export class Names {
  /** @param {string} lang @param {{layers: Named[], names?: Record<string, Record<string, string>>}} catalog */
  constructor(lang, catalog) {
    this.english = lang === 'en';
    this.units = catalog.names ?? {};
    /** By level and the name that the data has. @type {Record<string, Map<string, string>>} */
    this.own = {};
    /** @type {Map<string, Named>} */
    this.layers = new Map(catalog.layers.map((l) => [l.name, l]));
    /** @type {Map<string, string>} layer of a level */
    this.levels = new Map(catalog.layers.filter((l) => l.unit_level).map((l) => [/** @type {string} */ (l.unit_level), l.name]));
  }

  /** Units are known by the names that the data has, too. @param {Record<string, Record<string, string>>} names   by level and id: /catalog?lang=zh */
  learn(names) {
    for (const [level, of] of Object.entries(names))
      this.own[level] = new Map(Object.entries(of).filter(([id]) => this.units[level]?.[id]).map(([id, name]) => [name, this.units[level][id]]));
  }

  /** A unit: by its id, else by its name. @param {string} level @param {string | null | undefined} id @param {string | null} [name]   as the data has it */
  unit(level, id, name) {
    const known = id !== null && id !== undefined ? this.units[level]?.[id] : undefined;
    return known ?? (name ? this.own[level]?.get(name) ?? this.value(this.levels.get(level) ?? '', 'name', name) : id ?? '');
  }

  /** A value of a column. @param {string} layer @param {string} column @param {any} value @returns {string} */
  value(layer, column, value) {
    const about = this.layers.get(layer), text = String(value);
    const all = this.english ? about?.value_titles_en : about?.value_titles, pictured = about?.picture_by === column && (this.english ? about.picture_titles_en : about.picture_titles);
    const parts = (all?.[column] && partsOf(all[column], text)) || (pictured && partsOf(pictured, text));
    return parts ? parts.join(this.english ? ' ' : '') : this.levels.has(column) && this.units[column]?.[text] || text;
  }

  /** Are its values of a list that the city knows? @param {string} layer @param {string} column */
  titled(layer, column) {
    const about = this.layers.get(layer);
    return !!(about?.value_titles?.[column] ?? about?.value_titles_en?.[column]);
  }

  /** Whose data it is. @param {{department?: string | null, department_en?: string | null}} thing */
  department(thing) {
    return (this.english && thing.department_en) || thing.department || '';
  }

  /** What a search has found. @param {import('./api.js').Answers} answers @returns {import('./api.js').Answers} */
  found(answers) {
    return !this.english ? answers : {...answers, results: answers.results.map((f) => {
      const level = this.layers.get(f.layer)?.unit_level;
      return this.row(level || !f.name_en ? f : {...f, name: f.name_en}, level);
    })};
  }

  /**
   * A row of units, or something found, with the names of this language: its own, those of the units
   * around it, and both in its sentence.
   * @template {Record<string, any>} R
   * @param {R} row @param {string | undefined} level   that it is a unit of @param {string} [sentence]   a member with a text
   * @returns {R}
   */
  row(row, level, sentence) {
    const changes = level && row.id !== null && row.id !== '' ? [[row.name, this.unit(level, row.id, row.name)]] : [];
    const around = /** @type {Record<string, any>} */ ({});
    for (const other of this.levels.keys()) {
      const of = row[other];
      if (of && typeof of === 'object') around[other] = {...of, name: this.unit(other, of.id, of.name)};
      else if (typeof of === 'string' && other !== level) changes.push([of, this.unit(other, of in (this.units[other] ?? {}) ? of : null, of)]);
    }
    let text = sentence ? row[sentence] ?? '' : '';
    for (const [own, told] of changes) if (own && own !== told) text = text.replaceAll(own, told);
    return {...row, ...around, ...changes.length && level && row.id !== null && row.id !== '' ? {name: changes[0][1]} : {}, ...sentence ? {[sentence]: text} : {}};
  }
}
