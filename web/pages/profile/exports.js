// @ts-check
// exports.js - the pane from which things are taken away: rows, fields,
// pictures, and the addresses for other programs. Each says what it holds.

import {address, coverageOf, drawnOf, hasHeat, heatOf, hotspotsOf, partsOf, selectionOf, tilesOf} from '../analyst/shown.js';
import {otherState} from '../analyst/other.js';
import {refusalOf} from '../analyst/refusals.js';
import {splitTime} from '../analyst/state.js';
import {element} from '../dom.js';
import {both, placeParams, unitFilter} from './area.js';
import {addressRow, choice, copyButton, saveFile} from './parts.js';
import {draw} from './poster.js';
import {areaOf} from './profile.js';
import {words} from './words.js';

/** What layers are offered as. */
const FORMS = {gpkg: 'GeoPackage', fgb: 'FlatGeobuf', csv: 'CSV', geojson: 'GeoJSON'};
/** Widths of cells of a field; 0: as the server finds right. */
const CELLS_M = [0, 25, 50, 100, 200];
/** Pictures: as on the screen, a page of a report, a poster. */
const SIZES = {screen: null, report: [1600, 1000], poster: [3840, 2160]};

/** Fields of the state that nothing of this pane is of. */
const BESIDE = ['at', 'sort', 'table', 'rank', 'scale', 'split', 'pane', 'fold'];

/** Do maps take what is asked of all of them alike? An address says it once. @param {import('../analyst/shown.js').Part[]} parts */
export const askedAlike = (parts) => ['filter', 'datetime', 'with_filter', 'with_datetime', 'per'].every((name) => new Set(parts.map((p) => p.params[name] ?? '')).size < 2);

class Exports {
  /** @param {HTMLElement} container @param {import('../analyst/panes.js').Context} context */
  constructor(container, context) {
    Object.assign(this, {container, context});
    this.say = words(context.lang);
    this.speech = {say: this.say, write: context.write};
    this.cell = '0';
    this.extent = 'whole';
    this.size = 'screen';
    this.layer = '';
    container.classList.add('pane-exports');
  }

  /** Filter, period and area of the rows that are asked about. */
  selection() {
    const {context} = this, {city, state} = context, area = areaOf(context), selection = selectionOf(city, state.now);
    return {area, params: {...selection, ...(area?.kind === 'unit' ? {filter: both(selection.filter, unitFilter(area))} : area ? placeParams(area) : {})}};
  }

  draw() {
    const {say, context} = this, layer = context.subject();
    if (!layer) return;
    this.fieldAgain = this.pictureAgain = () => {};
    this.container.replaceChildren(element('div', {className: 'tools'}, copyButton(this.speech, say('copy_link'), () => location.href)),
      ...[this.rows(layer), this.analyses(), this.field(layer), this.picture(), this.addresses(layer)].filter((s) => s));
  }

  /** Another view: so are files of what is seen. */
  moved() {
    if (this.extent === 'view') this.fieldAgain();
    this.pictureAgain();
  }

  /** @param {string} title @param {...(Node | string)} more */
  section(title, ...more) {
    return element('section', {}, element('h3', {}, title), ...more);
  }

  asOf() {
    const layer = this.context.subject();
    return layer?.as_of ? this.context.write.moment(layer.as_of) : '?';
  }

  /**
   * A file that the server has to write first: what it refuses is told here
   * instead of being saved.
   * @param {string} label @param {string} target @param {HTMLElement} note
   */
  file(label, target, note) {
    const link = element('a', {href: target, className: 'file', download: '', onclick: async (e) => {
      if (link.dataset.ready) return delete link.dataset.ready;
      e.preventDefault();
      if (link.ariaBusy === 'true') return;
      link.ariaBusy = 'true';
      note.textContent = this.say('preparing', {what: label});
      try {
        const head = await fetch(target, {method: 'HEAD', cache: 'no-cache'});
        if (!head.ok) throw new Error(await this.refusal(target, head.status));
        note.textContent = this.say('begun', {what: label, size: this.bytes(Number(head.headers.get('content-length')))});
        link.dataset.ready = 'yes';
        link.click();
      } catch (error) {
        note.textContent = this.say('failed', {why: error instanceof TypeError ? this.say('no_server') : error.message});
      }
      link.ariaBusy = 'false';
    }}, label);
    return link;
  }

  async refusal(target, status) {
    if (status === 404 || status === 401) return this.say(target.startsWith('/density/') ? 'field_kept' : 'not_exported');
    const problem = await fetch(target).then((r) => (r.ok ? {} : r.json())).catch(() => ({}));
    return problem.detail ? refusalOf(this.context.lang, problem.detail) : String(status);
  }

  bytes(n) {
    if (!Number.isFinite(n) || !n) return '';
    const [unit, name] = n < 1e6 ? [1e3, 'kB'] : [1e6, 'MB'];
    return `${+(n / unit).toPrecision(3)} ${name}`;
  }

  /** The rows that are asked about, or another layer as a whole. */
  rows(subject) {
    const {say, context} = this, {city, write} = context;
    const layers = [subject, ...city.layers.filter((l) => l !== subject && l.rows && !l.personal)], layer = layers.find((l) => l.id === this.layer) ?? subject;
    const box = element('div', {className: 'files'}, choice(say('layer'), layers.map((l) => /** @type {[string, string]} */ ([l.id, write.title(l)])), layer.id, (id) => {
      this.layer = id;
      this.draw();
    }));
    return this.section(say('export_rows'), box, ...this.filesOf(layer, subject));
  }

  filesOf(layer, subject) {
    const {say, context} = this;
    if (layer.personal) return [element('p', {className: 'note'}, say('personal_layer'))];
    const {area, params} = layer === subject ? this.selection() : {area: null, params: {}}, holds = element('p', {className: 'note'}, say('loading')), note = element('p', {className: 'note', role: 'status'});
    context.ask('export rows', async (signal) => {
      const {count} = await context.get(address(`/stats/${encodeURIComponent(layer.id)}`, params), signal);
      if (!signal.aborted) holds.textContent = say(layer !== subject ? 'holds_all' : area ? 'holds_area' : 'holds', {n: context.write.exact(count), t: layer.as_of ? context.write.moment(layer.as_of) : '?'});
    });
    return [holds, element('div', {className: 'files'}, ...Object.entries(FORMS).map(([form, name]) =>
      this.file(name, address(`/collections/${encodeURIComponent(layer.id)}/items.${form}`, params), note))), note, element('p', {className: 'note'}, say('audited'))];
  }

  /** What was found out and is drawn: tests of units, cells and clusters, coverage. */
  analyses() {
    const {say, context} = this, {city, state} = context, {now} = state, drawn = drawnOf(city, now).map((d) => d.id);
    const note = element('p', {className: 'note', role: 'status'}), files = [];
    const both = (name, path, params) => files.push(...[['GeoJSON', 'geojson'], ['CSV', 'csv']].map(([form, f]) => this.file(`${name} ${form}`, address(path, {...params, f}), note)));
    if (drawn.includes('hotspots')) both(context.say(/** @type {any} */ (now.spots)), `/hotspots/${encodeURIComponent(now.layer)}`, hotspotsOf(city, now));
    if (drawn.includes('coverage')) both(context.say(/** @type {any} */ (now.coverage)), `/coverage/${now.coverage}`, ['partition', 'site'].includes(now.coverage) ? {} : coverageOf(city, now));
    return files.length ? this.section(say('export_analysis'), element('div', {className: 'files'}, ...files), note) : null;
  }

  field(layer) {
    const {say, context} = this, {city, state} = context, title = say('export_field');
    if (!state.now.model && !hasHeat(layer)) return this.section(title, element('p', {className: 'note'}, say('no_field')));
    const {map, params} = heatOf(city, state.now), note = element('p', {className: 'note', role: 'status'});
    const files = element('div', {className: 'files'}), again = this.fieldAgain = () => context.withMap((view) => {
      const bbox = this.extent === 'view' ? view.box().map((v) => v.toFixed(5)).join(',') : '';
      files.replaceChildren(
        choice(say('area'), [['whole', say('whole')], ['view', say('view')]], this.extent, (v) => { this.extent = v; again(); }),
        choice(say('cell'), CELLS_M.map((m) => /** @type {[string, string]} */ ([String(m), m ? String(m) : say('automatic')])), this.cell, (v) => { this.cell = v; again(); }),
        this.file('GeoTIFF', address(`/density/${encodeURIComponent(map.slice('heat:'.length))}.tif`, {...params, bbox, cell: Number(this.cell)}), note));
    });
    again();
    return this.section(title, element('p', {className: 'note'}, say('field_holds', {t: this.asOf()})), files, note);
  }

  /** A picture that is made here, of all that is drawn. */
  async made(button, note, side) {
    const {say, context} = this, {city, state, write} = context, layer = context.subject(), box = /** @type {HTMLElement} */ (document.getElementById('map'));
    button.ariaBusy = 'true';
    note.textContent = say('preparing', {what: say('picture')});
    try {
      const map = await new Promise((done) => context.withMap(done)), now = side === 'B' ? otherState(state.now) ?? state.now : state.now, {from, to} = splitTime(now.time);
      const png = await draw({map, width: box.clientWidth, height: box.clientHeight, ...context.drawn(side), figure: write.figure,
        lines: [(context.lang === 'en' && city.title_en) || city.title, ...layer?.time_column ? [from || to ? say('period_is', {from: from || '…', to: to || '…'}) : say('period_all')] : [], ...now.filter ? [say('filter_is', {text: now.filter})] : [], ...layer?.department ? [say('source', {from: city.names.department(layer)})] : [], `${say('as_of', {t: this.asOf()})}${city.synthetic ? ` · ${say('synthetic')}` : ''}`]});
      saveFile(`${state.now.layer}-map${side ? `-${side}` : ''}.png`, png, 'image/png');
      note.textContent = say('begun', {what: say('picture'), size: this.bytes(png.size)});
    } catch (error) {
      note.textContent = say('failed', {why: error instanceof TypeError ? say('no_server') : error.message});
    }
    button.ariaBusy = 'false';
  }

  /** The picture is the server's, the same with and without a graphics card; of
   *  what that cannot lay over each other it is made here. */
  picture() {
    const {say, context} = this, {city, state} = context, files = element('div', {className: 'files'}), note = element('p', {className: 'note', role: 'status'});
    const again = this.pictureAgain = () => context.withMap((view) => {
      const box = /** @type {HTMLElement} */ (document.getElementById('map')).getBoundingClientRect();
      const [width, height] = SIZES[this.size] ?? [Math.max(320, Math.round(box.width)), Math.max(240, Math.round(box.height))];
      const drawn = partsOf(city, state.now), parts = drawn.filter((p) => p.map);
      /** @type {Record<string, string | number>} */
      const params = Object.assign({}, ...parts.map((p) => p.params));
      const percent = [100, ...parts.map((p) => Math.round(100 * p.opacity)), 100];
      const target = address('/map.png', {layers: ['base', ...parts.map((p) => p.map), 'labels'].join(','), ...percent.some((n) => n < 100) && {opacity: percent.join(',')}, ...params, bbox: view.box().map((v) => v.toFixed(6)).join(','),
        width, height, palette: context.palette(), lang: context.lang === 'en' ? 'en' : 'zh'});
      const here = (side = '') => {
        const button = element('button', {type: 'button', onclick: () => { if (button.ariaBusy !== 'true') this.made(button, note, side); }}, `${say('picture')}${side ? ` · ${side}` : ''}`);
        return button;
      };
      const buttons = otherState(state.now) ? [here('A'), here('B')] : [here()];
      // One address speaks of one kind of coloured units, and of one side.
      const alone = drawn.length > parts.length || parts.filter((p) => p.map.startsWith('choropleth:')).length > 1 || buttons.length > 1 || !askedAlike(parts);
      if (alone) return files.replaceChildren(element('span', {className: 'note'}, say('as_screen', {w: Math.round(box.width), h: Math.round(box.height)})), ...buttons);
      files.replaceChildren(
        choice(say('size'), [['screen', say('as_screen', {w: Math.round(box.width), h: Math.round(box.height)})], ['report', '1600 × 1000'], ['poster', '3840 × 2160']], this.size, (v) => { this.size = v; again(); }),
        ...this.size === 'screen' ? buttons : [this.file(say('picture'), target, note)]);
    });
    again();
    return this.section(say('export_map'), element('p', {className: 'note'}, say('picture_holds', {mark: city.synthetic ? say('mark') : ''})), files, note);
  }

  addresses(layer) {
    const {say, speech, context} = this, {city, state} = context, {params} = this.selection(), here = location.origin, own = selectionOf(city, state.now);
    const shown = partsOf(city, state.now).filter((p) => p.map).at(-1), name = encodeURIComponent(layer.id);
    const xyz = shown && tilesOf(shown, context.palette(), 1).replace('@2x', '').replace(/[?&]size=512/, (m) => (m[0] === '?' ? '?' : '')).replace(/\?$/, '');
    return this.section(say('export_addresses'),
      ...(layer.personal ? [] : [addressRow(speech, say('features'), `${here}/`), addressRow(speech, say('items'), here + address(`/collections/${name}/items`, params))]),
      ...(xyz ? [addressRow(speech, `${say('xyz')} · ${shown.map}`, here + xyz)] : []),
      addressRow(speech, say('wmts'), `${here}/wmts/1.0.0/WMTSCapabilities.xml`),
      addressRow(speech, say('mvt'), here + address(`/tiles/${name}/{z}/{x}/{y}.pbf`, own)),
      addressRow(speech, say('style'), here + address(`/styles/${name}.json`, own)),
      element('p', {className: 'note'}, say('token_note')));
  }
}

export const exportPane = {
  id: 'export', side: 'result', key: 'e', title: (say) => say('export'),
  /** @param {HTMLElement} container @param {import('../analyst/panes.js').Context} context */
  mount(container, context) {
    const exports = new Exports(container, context);
    return {
      show: () => exports.draw(),
      change(now, changed) {
        // What is being prepared, and what was refused, goes on being told.
        const of = [...changed].filter((name) => !BESIDE.includes(name));
        if (of.some((name) => name !== 'map')) exports.draw();
        else if (of.length) exports.moved();
      },
    };
  },
};
