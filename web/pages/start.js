// @ts-check
// start.js - the page at /: what is here.

import {getCity, getLayers} from './api.js';
import {$, element, showError} from './dom.js';
import {exact, moment} from './text.js';

document.documentElement.dataset.theme = matchMedia('(prefers-color-scheme: light)').matches ? 'light' : 'dark';

/* Files of whole layers. */
const FORMS = {csv: 'CSV', fgb: 'FlatGeobuf', gpkg: 'GeoPackage'};

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
      element('a', {href: `/collections/${encodeURIComponent(l.id)}/items?limit=1000`}, 'GeoJSON'), ' ',
      ...['csv', 'fgb', 'gpkg'].flatMap((form) => [element('a',
        {href: `/collections/${encodeURIComponent(l.id)}/items.${form}`, download: ''}, FORMS[form]), ' '])))));
}

start().catch((error) => showError('error', error.message));
