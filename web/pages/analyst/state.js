// @ts-check
// state.js - what the page shows: one object, in the page's address and out of
// it, so that any view is a link. Whatever a pane wants to keep is a line of
// FIELDS.

/**
 * @typedef {{id: string, opacity: number}} Drawn   heat, choropleth, hotspots, coverage, or a layer
 * @typedef {object} State
 * @property {{zoom: number, latDeg: number, lonDeg: number} | null} map
 * @property {string} layer   whose rows are asked about: counted, filtered, in tables
 * @property {Drawn[]} layers   what is drawn, lowest first; empty: what suits the layer
 * @property {string} filter   CQL2 text
 * @property {string} time     FROM/TO, ISO 8601 dates; '' for all
 * @property {string} model    of the heat; '' for the density of the layer
 * @property {string} kernel
 * @property {number} bandwidth   ground metres; 0: as the map has it
 * @property {number} halflife    days; 0: none, or the model's
 * @property {string} weight      a column
 * @property {string} per         what heat, rates and hotspots are divided by
 * @property {string} units       a level, hex:METRES or square:METRES
 * @property {string} stat        of choropleths: count, sum, rate
 * @property {string} column      that is summed
 * @property {string} spots       statistic of hotspots
 * @property {string} coverage    which question of coverage
 * @property {string} compare     '', previous, year, or FROM/TO: the other period
 * @property {string} other       the other filter, CQL2 text
 * @property {string} split       side or swipe
 * @property {string} scale       of a period that moves: '' one legend for all so long, own: each has its own
 * @property {string} form        of the heat: '' as it is best read, fill, lines
 * @property {string} table       what the table is of: '' what lies uppermost; counts, hotspots, coverage, rows
 * @property {string} rank        what rates of the table are per
 * @property {string} sort        column of the table, - before it: the largest first
 * @property {{filter: string, time: string}} [beside]   of the other side of a comparison: what this one has
 * @property {string} unit     id of the chosen unit, '' for none
 * @property {{lonDeg: number, latDeg: number} | null} at   the pinned place
 * @property {string} area     what was drawn to be asked about: circle:LON,LAT,METRES or polygon:LON,LAT,LON,LAT,...
 * @property {string} pane     of the results
 * @property {string} fold     what is folded away: q(uery), r(esult), p(eriod)
 */

export const BANDWIDTHS_M = [200, 400, 800, 1600, 3200];
export const STATISTICS = ['gistar', 'moran', 'emerging', 'eb', 'dbscan'];
export const COVERAGES = ['patrol', 'workload', 'service', 'partition', 'site'];

/** Commas, slashes and colons are allowed in a fragment: links stay readable. @param {string} text */
function escape(text) {
  return encodeURIComponent(text).replace(/%2F/g, '/').replace(/%2C/g, ',').replace(/%3A/g, ':').replace(/%40/g, '@').replace(/%20/g, '+');
}

/** @param {string} text @param {string} separator @param {number} count @returns {number[] | null} */
function numbers(text, separator, count) {
  const parts = text.split(separator);
  const values = parts.map(Number);
  return parts.length === count && parts.every((p) => p.trim() !== '') && values.every(Number.isFinite) ? values : null;
}

/* How a value is read from text (undefined: it is none) and written. */
const text = (otherwise = '') => ({otherwise, read: (t) => t, write: escape});
const oneOf = (...words) => ({otherwise: words[0], read: (t) => words.includes(t) ? t : undefined, write: escape});
const matching = (pattern, otherwise = '') => ({otherwise, read: (t) => pattern.test(t) ? t : undefined, write: escape});
const number = (least, most, otherwise = 0) => ({otherwise, read: (t) => t !== '' && Number(t) >= least && Number(t) <= most ? Number(t) : undefined, write: String});

const PERIOD = /^(?=.*[0-9])[0-9T:+.Z-]*\/[0-9T:+.Z-]*$/;

const MAP = {
  otherwise: null,
  read(t) {
    const [zoom, latDeg, lonDeg] = numbers(t, '/', 3) ?? [NaN, NaN, NaN];
    return zoom >= 0 && zoom <= 24 && Math.abs(latDeg) <= 85.06 && Math.abs(lonDeg) <= 180 ? {zoom, latDeg, lonDeg} : undefined;
  },
  write({zoom, latDeg, lonDeg}) {
    // As many decimals as make a pixel at that zoom.
    const digits = Math.max(2, Math.ceil(zoom * Math.LN2 / Math.LN10) + 1);
    return `${+zoom.toFixed(2)}/${latDeg.toFixed(digits)}/${lonDeg.toFixed(digits)}`;
  },
};

const PLACE = {
  otherwise: null,
  read(t) {
    const [lonDeg, latDeg] = numbers(t, ',', 2) ?? [NaN, NaN];
    return Math.abs(lonDeg) <= 180 && Math.abs(latDeg) <= 85 ? {lonDeg, latDeg} : undefined;
  },
  write: ({lonDeg, latDeg}) => `${lonDeg.toFixed(6)},${latDeg.toFixed(6)}`,
};

/* heat@80,choropleth,hazard: per cent of opacity, 100 where none is said. */
const DRAWN = {
  otherwise: /** @type {Drawn[]} */ ([]),
  read(t) {
    const drawn = t.split(',').filter((part) => part).map((part) => {
      const [, id, percent] = /^(.*?)(?:@(\d{1,3}))?$/s.exec(part) ?? [];
      return {id: decodeURIComponent(id), opacity: percent === undefined ? 100 : Math.min(100, Number(percent))};
    });
    // The same twice is once.
    return drawn.filter((d, i) => drawn.findIndex((e) => e.id === d.id) === i);
  },
  write: (drawn) => escape(drawn.map((d) => `${d.id.replace(/[%,@]/g, encodeURIComponent)}${d.opacity === 100 ? '' : `@${d.opacity}`}`).join(',')),
};

/** The fields, in the order in which they are written. */
export const FIELDS = {
  map: MAP, layer: text(), layers: DRAWN, filter: text(), time: matching(PERIOD),
  model: text(), kernel: oneOf('', 'quartic', 'gaussian', 'epanechnikov'), bandwidth: number(10, 20000), halflife: number(0.1, 36500), weight: text(), per: text(),
  units: text(), stat: oneOf('count', 'sum', 'rate'), column: text(), spots: oneOf(...STATISTICS), coverage: oneOf(...COVERAGES),
  compare: matching(/^(previous|year|[0-9-]+\/[0-9-]+)$/), other: text(), split: oneOf('side', 'swipe'),
  scale: oneOf('', 'own'), form: oneOf('', 'fill', 'lines'), table: oneOf('', 'counts', 'hotspots', 'coverage', 'rows'), rank: text(), sort: matching(/^-?[a-z_0-9]{1,40}$/),
  unit: text(), at: PLACE, area: matching(/^(circle|polygon):[0-9.,-]+$/), pane: text(), fold: matching(/^q?r?p?$/),
};

/** @returns {State} */
export function emptyState() {
  return /** @type {any} */ (Object.fromEntries(Object.entries(FIELDS).map(([name, field]) => [name, field.otherwise])));
}

/**
 * What cannot be read is left at its default: an old or mistyped link still
 * opens the page.
 * @param {string} hash with or without its '#'
 * @returns {State}
 */
export function parseHash(hash) {
  const state = emptyState(), params = new URLSearchParams(hash.replace(/^#/, ''));
  for (const [name, field] of Object.entries(FIELDS)) {
    const text = params.get(name);
    if (text === null) continue;
    try {
      state[name] = field.read(text) ?? field.otherwise;
    } catch { /* a broken % */ }
  }
  return state;
}

const same = (a, b) => a === b || JSON.stringify(a) === JSON.stringify(b);

/** @param {State} state @returns {string} with its '#'; defaults are left out */
export function formatHash(state) {
  const parts = Object.entries(FIELDS).filter(([name, field]) => !same(state[name], field.otherwise))
    .map(([name, field]) => `${name}=${field.write(state[name])}`);
  return `#${parts.join('&')}`;
}

/** The one state of the page; whoever shows some of it hears what has changed. */
export class Store {
  /** @param {State} now */
  constructor(now) {
    /** @type {Readonly<State>} */
    this.now = now;
    /** @type {Set<(now: Readonly<State>, changed: Set<string>) => void>} */
    this.hearers = new Set();
  }

  /** @param {(now: Readonly<State>, changed: Set<string>) => void} hear @returns {() => void} to hear no more */
  subscribe(hear) {
    this.hearers.add(hear);
    return () => this.hearers.delete(hear);
  }

  /** @param {Partial<State>} patch */
  update(patch) {
    const changed = new Set(Object.keys(patch).filter((name) => !same(this.now[name], patch[name])));
    if (!changed.size) return;
    this.now = {...this.now, ...patch};
    for (const hear of [...this.hearers]) hear(this.now, changed);
  }
}

/** @param {string} time FROM/TO @returns {{from: string, to: string}} */
export function splitTime(time) {
  const [from = '', to = ''] = time.split('/');
  const open = (text) => (text === '..' ? '' : text.slice(0, 10));
  return {from: open(from), to: open(to)};
}

/** @param {string} from @param {string} to dates or '' @returns {string} */
export function joinTime(from, to) {
  return from || to ? `${from || '..'}/${to || '..'}` : '';
}
