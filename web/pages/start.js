// @ts-check
// start.js - the page at /: what is here.

import {getCity, getLayers, search} from './api.js';
import {$, element, showError} from './dom.js';
import {SearchBox} from './search.js';
import {exact, moment} from './text.js';

document.documentElement.dataset.theme = matchMedia('(prefers-color-scheme: light)').matches ? 'light' : 'dark';

/* Rows, and files of whole layers: which of them whoever looks may have, the layer's links say. */
const PAGE = 'application/geo+json';
const FORMS = {csv: ['CSV', 'text/csv'], fgb: ['FlatGeobuf', 'application/flatgeobuf'], gpkg: ['GeoPackage', 'application/geopackage+sqlite3']};
const has = (layer, type) => layer.links.some((link) => link.rel === 'items' && link.type === type);

/** Answers of the search that are listed, and how near the analyst's map goes to
 *  one: a house, things of a kind, or a unit of the coarsest, the next, the finest level. */
const FOUND_MOST = 8, FOUND_ZOOM = 17, KIND_ZOOM = 15, UNIT_ZOOMS = [12, 14, 15];

/** What is found is shown on the analyst's map. @param {string[]} levels finest first @param {any[]} layers */
function find(levels, layers) {
  const of = (id) => layers.find((layer) => layer.id === id);
  new SearchBox({input: /** @type {HTMLInputElement} */ ($('search')), list: $('found')}, {levels,
    find: (text, signal) => search(text, {limit: FOUND_MOST}, signal),
    title: (found) => of(found.layer)?.title ?? found.kind,
    choose: (found) => {
      if (found.filter !== undefined) {
        const {layer, filter} = found, level = of(layer)?.unit_level;
        if (level) return location.assign(`/analyst#units=${level}`);
        return location.assign(`/analyst#map=${KIND_ZOOM}/${found.lat}/${found.lon}&${new URLSearchParams({layer, filter, layers: layer})}`);
      }
      const depth = [...levels].reverse().indexOf(of(found.layer)?.unit_level), zoom = UNIT_ZOOMS[depth] ?? FOUND_ZOOM;
      location.assign(`/analyst#map=${zoom}/${found.lat}/${found.lon}&at=${found.lon},${found.lat}`);
    }});
}

async function start() {
  const [city, layers] = await Promise.all([getCity(), getLayers()]);
  $('city').textContent = document.title = city.title;
  $('synthetic').hidden = !city.synthetic;
  $('clock').textContent = city.clock ? `数据时钟 ${moment(city.clock)}` : '';
  find(city.levels, layers);
  $('layers').replaceChildren(...layers.map((l) => element('tr', {},
    element('td', {}, l.title, ' ', element('span', {lang: 'en'}, l.title_en ?? l.id)),
    element('td', {className: 'number'}, exact(l.rows)),
    element('td', {},
      element('a', {href: `/collections/${encodeURIComponent(l.id)}`}, 'JSON'), ' ',
      ...(has(l, PAGE) ? [element('a', {href: `/collections/${encodeURIComponent(l.id)}/items?limit=1000`}, 'GeoJSON'), ' '] : []),
      ...Object.entries(FORMS).filter(([, [, type]]) => has(l, type)).flatMap(([form, [name]]) => [element('a',
        {href: `/collections/${encodeURIComponent(l.id)}/items.${form}`, download: ''}, name), ' '])))));
}

start().catch((error) => showError('error', error.message));
