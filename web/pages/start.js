// @ts-check
// start.js - the page at /: what is here.

import {getCity, getLayers} from './api.js';
import {$, element, showError} from './dom.js';
import {exact, moment} from './text.js';

document.documentElement.dataset.theme = matchMedia('(prefers-color-scheme: light)').matches ? 'light' : 'dark';

/* Rows, and files of whole layers: which of them whoever looks may have, the layer's links say. */
const PAGE = 'application/geo+json';
const FORMS = {csv: ['CSV', 'text/csv'], fgb: ['FlatGeobuf', 'application/flatgeobuf'], gpkg: ['GeoPackage', 'application/geopackage+sqlite3']};
const has = (layer, type) => layer.links.some((link) => link.rel === 'items' && link.type === type);

async function start() {
  const [city, layers] = await Promise.all([getCity(), getLayers()]);
  $('city').textContent = document.title = city.title;
  $('synthetic').hidden = !city.synthetic;
  $('clock').textContent = city.clock ? `数据时钟 ${moment(city.clock)}` : '';
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
